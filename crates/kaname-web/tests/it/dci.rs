//! DCI registry search: who is believed, whom a search may mean, what is answered, now or later, and what it leaves behind.

use axum::http::{Method, StatusCode};
use kaname_base::Env;
use kaname_signin::bench::Party;
use kaname_signin::client;
use kaname_signin::client_token::SCOPES;
use kaname_web::api::dci::later::{self, Answering};
use serde_json::{Value, json};

use crate::agency::{call, chief, receiver, register, token, value};
use crate::routes::number_of;
use crate::world::{ISSUER, NOW, Someone, World};

/// As `agency` registers it too.
pub(crate) const AGENCY: &str = "pension-office";

pub(crate) async fn number(world: &World, who: &Someone) -> String {
    let mut browser = world.signed_in(&who.passkey).await;
    number_of(world, &mut browser).await.replace(' ', "")
}

pub(crate) fn now() -> String {
    jiff::Timestamp::from_second(NOW.seconds()).unwrap().to_string()
}

pub(crate) fn header(action: &str, count: usize) -> Value {
    json!({
        "version": "1.0.0", "message_id": "m-1", "message_ts": now(), "action": action, "sender_id": AGENCY,
        "receiver_id": ISSUER.split('/').nth(2).unwrap(), "total_count": count,
    })
}

/// Signs as another library would: a compact token over the sorted JSON, with its middle taken out.
pub(crate) fn sealed(party: &Party, header: &Value, message: &Value) -> Value {
    let token = party.sign(&json!({ "header": header, "message": message }));
    let parts: Vec<&str> = token.split('.').collect();
    json!({ "signature": format!("{}..{}", parts[0], parts[2]), "header": header, "message": message })
}

fn request(reference: &str, kind: &str, query: &Value) -> Value {
    json!({
        "reference_id": reference, "timestamp": now(), "locale": "eng",
        "search_criteria": { "query_type": kind, "query": query, "pagination": { "page_size": 5, "page_number": 1 } },
    })
}

fn asked(requests: &[Value]) -> Value {
    json!({ "transaction_id": "t-1", "search_request": requests })
}

/// A signed search for one person by her number.
pub(crate) fn search_for(party: &Party, number: &str) -> Value {
    let query = json!({ "type": "UIN", "value": number });
    sealed(party, &header("search", 1), &asked(&[request("r-1", "idtype-value", &query)]))
}

async fn answered(world: &World, token: &str, body: &Value) -> Value {
    let answer = call(world, token, Method::POST, "/registry/sync/search", Some(body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    value(&answer)
}

/// The answer to one query.
async fn one(world: &World, party: &Party, token: &str, kind: &str, query: Value) -> Value {
    let body = sealed(party, &header("search", 1), &asked(&[request("r-1", kind, &query)]));
    answered(world, token, &body).await["message"]["search_response"][0].clone()
}

#[tokio::test]
async fn one_person_is_found_by_her_number_and_the_answer_is_signed() {
    let world = World::new();
    let party = register(&world, AGENCY, SCOPES);
    let plain = token(&world.app.signin, &party, "dci.search", 0);
    let who = number(&world, &world.hanako).await;
    let before = world.entries(&world.hanako);
    let answer = answered(&world, &plain, &search_for(&party, &who)).await;
    assert_eq!(world.entries(&world.hanako) - before, 1);
    assert_eq!(answer["header"]["action"], "on-search");
    assert_eq!(
        (&answer["header"]["status"], &answer["header"]["receiver_id"]),
        (&json!("succ"), &json!(AGENCY))
    );
    assert_eq!(answer["message"]["transaction_id"], "t-1");
    let found = &answer["message"]["search_response"][0];
    assert_eq!((&found["status"], &found["reference_id"]), (&json!("succ"), &json!("r-1")));
    assert_eq!(found["pagination"], json!({ "page_size": 5, "page_number": 1, "total_count": 1 }));
    let person = &found["data"]["reg_records"][0];
    assert_eq!(person["name"]["surname"], "要木");
    assert_eq!(person["birth_date"], "1980-04-21");
    assert_eq!(person["address"][0]["address_line1"], "扇町四丁目7番");
    assert!(
        person.get("sex").is_none() && person.get("phone_number").is_none(),
        "not registered for: {person}"
    );
    assert!(!answer.to_string().contains(&who), "the token is not for numbers");
    let name = person["identifier"][0]["identifier_value"].as_str().unwrap().to_owned();
    assert_eq!(person["identifier"][0]["identifier_type"], "PERSON_ID");

    // The signature is over header and message, for this agency, by a key that is published where the standard has it.
    let signature = answer["signature"].as_str().unwrap();
    let text = kaname_codec::canonical::canonical(
        &json!({ "header": answer["header"], "message": answer["message"] }),
    );
    let read = kaname_codec::jose::Detached::parse(signature).unwrap();
    let keys = call(&world, "", Method::GET, "/.well-known/jwks.json", None).await;
    let keys = kaname_codec::jose::JwkSet::parse(keys.text.as_bytes()).unwrap();
    let key = keys.find(read.header().kid.as_deref()).unwrap();
    assert!(read.verify(key, text.as_bytes()).is_ok());
    assert!(read.verify(key, text.replace("succ", "rjct").as_bytes()).is_err());

    // By the agency's own name for her it is the same person; with the scope the number is told.
    let with_numbers = token(&world.app.signin, &party, "dci.search uin.read", 0);
    let again =
        one(&world, &party, &with_numbers, "idtype-value", json!({ "type": "PERSON_ID", "value": name }))
            .await;
    let numbered = &again["data"]["reg_records"][0]["identifier"][0];
    assert_eq!((&numbered["identifier_type"], &numbered["identifier_value"]), (&json!("UIN"), &json!(who)));

    // Who is not there is no error, and neither is an identifier that the register has not.
    let nobody = one(&world, &party, &plain, "idtype-value", json!({ "type": "UIN", "value": "1" })).await;
    assert_eq!((&nobody["status"], &nobody["data"]["reg_records"]), (&json!("succ"), &json!([])));
    let unknown =
        one(&world, &party, &plain, "idtype-value", json!({ "type": "SHOE_SIZE", "value": "1" })).await;
    assert_eq!(unknown["status_reason_code"], "rjct.search_criteria.invalid");
    // A purpose that is none of the agency's opens nothing.
    let mut other = request("r-1", "idtype-value", &json!({ "type": "UIN", "value": who }));
    other["search_criteria"]["authorize"] = json!({ "purpose": { "code": "emergency" } });
    let before = world.entries(&world.hanako);
    let body = sealed(&party, &header("search", 1), &asked(&[other]));
    let closed = answered(&world, &plain, &body).await;
    assert!(
        closed["message"]["search_response"][0]["data"]["reg_records"][0].get("name").is_none(),
        "{closed}"
    );
    assert_eq!(world.entries(&world.hanako), before);
}

#[tokio::test]
async fn what_does_not_hold_is_refused_before_anybody_is_opened() {
    let world = World::new();
    let party = register(&world, AGENCY, SCOPES);
    let other = register(&world, "tax-office", SCOPES);
    let token = token(&world.app.signin, &party, "dci.search", 0);
    let who = number(&world, &world.hanako).await;
    let good = search_for(&party, &who);
    let query = json!({ "type": "UIN", "value": who });
    let of = |change: &dyn Fn(&mut Value, &mut Value)| {
        let (mut head, mut body) = (header("search", 1), asked(&[request("r-1", "idtype-value", &query)]));
        change(&mut head, &mut body);
        sealed(&party, &head, &body)
    };
    let set = |name: &'static str, value: Value| of(&move |head, _| head[name] = value.clone());
    let inner = |name: &'static str, value: Value| {
        of(&move |_, body| body["search_request"][0][name] = value.clone())
    };
    let changed = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let mut moved = good.clone();
    moved["message"]["search_request"][0]["search_criteria"]["query"]["value"] = json!("1");
    let mut resent = good.clone();
    resent["header"]["message_id"] = json!("m-2");
    let eleven: Vec<Value> = (0..11).map(|n| request(&format!("r-{n}"), "idtype-value", &query)).collect();
    let long = "x".repeat(100);
    for (what, body, error, reason) in [
        ("unsigned", changed("signature", json!("")), "err.signature.missing", ""),
        ("no signature", changed("signature", json!("unsigned-stub")), "err.signature.invalid", ""),
        ("another's", sealed(&other, &good["header"], &good["message"]), "err.signature.invalid", ""),
        ("another message", moved, "err.signature.invalid", ""),
        ("another header", resent, "err.signature.invalid", ""),
        ("another sender", set("sender_id", json!("tax-office")), "err.sender_id.invalid", ""),
        ("another register", set("receiver_id", json!("elsewhere.example")), "err.receiver_id.invalid", ""),
        (
            "another version",
            set("version", json!("2.0.0")),
            "err.version.not_supported",
            "rjct.version.invalid",
        ),
        ("encrypted", set("is_msg_encrypted", json!(true)), "err.encryption.invalid", ""),
        (
            "old",
            set("message_ts", json!("2020-01-01T00:00:00Z")),
            "err.request.bad",
            "rjct.message_ts.invalid",
        ),
        (
            "no zone",
            set("message_ts", json!("2026-01-01T00:00:00")),
            "err.request.bad",
            "rjct.message_ts.invalid",
        ),
        ("another action", set("action", json!("subscribe")), "err.request.bad", "rjct.action.invalid"),
        ("miscounted", set("total_count", json!(2)), "err.request.bad", "rjct.total_count.invalid"),
        (
            "too many",
            sealed(&party, &header("search", 11), &asked(&eleven)),
            "err.request.bad",
            "rjct.total_count.limit_exceeded",
        ),
        ("a long id", of(&|_, body| body["transaction_id"] = json!(long)), "err.request.bad", ""),
        ("locale", inner("locale", json!("en")), "err.request.bad", ""),
        ("time", inner("timestamp", json!("yesterday")), "err.request.bad", ""),
        (
            "page",
            inner(
                "search_criteria",
                json!({ "query_type": "idtype-value", "query": query,
            "pagination": { "page_size": 0 } }),
            ),
            "err.request.bad",
            "",
        ),
        (
            "kind",
            inner("search_criteria", json!({ "query_type": "sql", "query": query })),
            "err.request.bad",
            "",
        ),
        ("no message", changed("message", json!("text")), "err.request.bad", ""),
    ] {
        let before = world.entries(&world.hanako);
        for path in ["/registry/sync/search", "/registry/search"] {
            let answer = call(&world, &token, Method::POST, path, Some(&body)).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{what}: {answer:?}");
            let told = value(&answer);
            let shown = if path.contains("sync") { &told["error"] } else { &told["message"]["error"] };
            assert_eq!(shown["code"], error, "{what}: {told}");
            if path.contains("sync") {
                let code = told["header"]["status_reason_code"].as_str().unwrap_or_default();
                assert_eq!((code, &told["header"]["status"]), (reason, &json!("rjct")), "{what}: {told}");
            } else {
                assert_eq!(told["message"]["ack_status"], "ERR", "{what}");
            }
        }
        assert_eq!(world.entries(&world.hanako), before, "{what}");
    }
    let before = world.entries(&world.hanako);
    assert_eq!(answered(&world, &token, &good).await["header"]["status"], "succ");
    assert_eq!(world.entries(&world.hanako) - before, 1, "and this one holds");
}

#[tokio::test]
async fn a_search_names_whom_it_means_and_says_what_must_be_true_of_her() {
    let world = World::new();
    let party = register(&world, AGENCY, SCOPES);
    let token = token(&world.app.signin, &party, "dci.search", 0);
    let (hanako, taro) = (number(&world, &world.hanako).await, number(&world, &world.taro).await);
    let surnames = |answer: &Value| -> Vec<String> {
        let records = answer["data"]["reg_records"].as_array();
        let records = records.unwrap_or_else(|| panic!("no records: {answer}"));
        records.iter().map(|one| one["name"]["surname"].as_str().unwrap().to_owned()).collect()
    };
    let mongo = |query: Value| json!({ "type": "ns:org:QueryType:expression", "value": { "expression": { "collection": "Person", "query": query } } });
    let both = format!("{hanako},{taro}");
    for (query, found) in [
        (json!({ "UIN": hanako }), vec!["要木"]),
        (
            json!({ "$and": [{ "UIN": { "$eq": hanako } }, { "date_of_birth": { "$gte": "1980-04-21", "$lt": "1990" } }] }),
            vec!["要木"],
        ),
        (json!({ "UIN": hanako, "date_of_birth": { "$gt": "2000-01-01" } }), vec![]),
        (json!({ "UIN": { "$in": [hanako, taro] } }), vec!["要木", "骨山"]),
        (json!({ "UIN": { "$in": [hanako, hanako] } }), vec!["要木"]),
        (json!({ "UIN": { "$in": [hanako, taro] }, "surname": { "$ne": "要木" } }), vec!["骨山"]),
        (json!({ "$or": [{ "UIN": hanako }, { "UIN": taro }] }), vec!["要木", "骨山"]),
        (json!({ "UIN": taro, "$or": [{ "surname": "要木" }, { "given_name": "太朗丸" }] }), vec!["骨山"]),
        (json!({ "UIN": taro, "$not": { "surname": "骨山" } }), vec![]),
    ] {
        let answer = one(&world, &party, &token, "expression", mongo(query.clone())).await;
        assert_eq!(surnames(&answer), found, "{query}");
    }
    let says = |name: &str, operator: &str, value: &str| json!({ "attribute_name": name, "operator": operator, "attribute_value": value });
    let hers = || says("UIN", "eq", &hanako);
    for (query, found) in [
        (json!([{ "seq_num": 1, "expression1": hers() }]), vec!["要木"]),
        (
            json!([{ "expression1": hers(), "condition": "and", "expression2": says("surname", "eq", "骨山") }]),
            vec![],
        ),
        (
            json!([{ "expression1": hers(), "condition": "not", "expression2": says("surname", "eq", "骨山") }]),
            vec!["要木"],
        ),
        (
            json!([{ "expression1": hers() }, { "expression1": says("birth_date", "le", "1980-04-21") }]),
            vec!["要木"],
        ),
        (
            json!([{ "expression1": says("UIN", "in", &both), "condition": "and",
            "expression2": says("given_name", "eq", "太朗丸") }]),
            vec!["骨山"],
        ),
    ] {
        let answer = one(&world, &party, &token, "predicate", query.clone()).await;
        assert_eq!(surnames(&answer), found, "{query}");
    }

    // Whoever means nobody means everybody: however it is put, no list comes back and nobody is opened.
    let before = world.entries(&world.hanako) + world.entries(&world.taro);
    let crowd: Vec<String> = (0..11).map(|n| n.to_string()).collect();
    for (kind, query) in [
        ("expression", mongo(json!({ "surname": "要木" }))),
        ("expression", mongo(json!({}))),
        ("expression", mongo(json!({ "UIN": { "$ne": hanako } }))),
        ("expression", mongo(json!({ "$not": { "UIN": hanako } }))),
        ("expression", mongo(json!({ "$or": [{ "UIN": hanako }, { "surname": "骨山" }] }))),
        ("expression", mongo(json!({ "UIN": { "$in": [] } }))),
        ("expression", mongo(json!({ "UIN": { "$in": crowd } }))),
        ("predicate", json!([{ "expression1": says("birth_date", "ge", "1980-01-01") }])),
        (
            "predicate",
            json!([{ "expression1": hers(), "condition": "or", "expression2": says("sex", "eq", "F") }]),
        ),
    ] {
        let answer = one(&world, &party, &token, kind, query.clone()).await;
        assert_eq!(answer["status_reason_code"], "rjct.search.too_many_records_found", "{query}: {answer}");
        assert!(answer.get("data").is_none());
    }
    for (kind, query) in [
        ("expression", mongo(json!({ "UIN": hanako, "shoe_size": 42 }))),
        ("expression", mongo(json!({ "UIN": hanako, "surname": { "$regex": "要" } }))),
        ("graphql", mongo(json!("query { person }"))),
    ] {
        let answer = one(&world, &party, &token, kind, query.clone()).await;
        assert_eq!(answer["status_reason_code"], "rjct.search_criteria.invalid", "{query}: {answer}");
    }
    assert_eq!(world.entries(&world.hanako) + world.entries(&world.taro), before);

    // What it may not read it may not guess either, whether it is true or not.
    let guess = |value: &str| mongo(json!({ "UIN": hanako, "mobile": value }));
    let right = one(&world, &party, &token, "expression", guess("03-5550-1234")).await;
    let wrong = one(&world, &party, &token, "expression", guess("1")).await;
    assert_eq!(right, wrong);
    assert!(right["status_reason_message"].as_str().unwrap().starts_with("not-for-agency"), "{right}");
}

/// Does the questions that are due at `NOW` and `after` seconds, as the worker of a server does.
fn work(world: &World, after: i64) {
    let worker = kaname_store::jobs::Worker::new(world.store.clone());
    let handler = |job: &kaname_store::jobs::Job| {
        if job.kind != later::KIND {
            // What follows from registering the people of this world.
            return Ok(());
        }
        let app = &world.app;
        let with = Answering {
            store: &app.store,
            keys: &app.keys,
            pack: &app.pack,
            numbers: &app.numbers,
            provider: &app.signin,
            authorities: None,
        };
        later::deliver(&with, &Env::new(NOW.plus_seconds(after), kaname_trust::keys::random()), job)
    };
    let done = std::thread::scope(|scope| {
        scope.spawn(|| worker.round(&|| NOW.plus_seconds(after), &handler).unwrap()).join()
    });
    done.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_brought_once_and_its_question_is_remembered_without_her() {
    let world = World::new();
    let (address, received, fails) = receiver();
    let mut party = register(&world, AGENCY, SCOPES);
    party.registration.agency.as_mut().unwrap().webhooks = vec![address.clone()];
    client::register(&world.app.signin, &crate::world::env(), &chief(), &party.registration).unwrap();
    let token = token(&world.app.signin, &party, "dci.search", 0);
    let who = number(&world, &world.hanako).await;
    let message = asked(&[request("r-1", "idtype-value", &json!({ "type": "UIN", "value": who }))]);
    let ask = async |path: &str, action: &str, uri: &str, message: &Value| {
        let mut head = header(action, 1);
        head["sender_uri"] = json!(uri);
        call(&world, &token, Method::POST, path, Some(&sealed(&party, &head, message))).await
    };
    let foreign = ask("/registry/search", "search", "http://169.254.169.254/", &message).await;
    assert_eq!(value(&foreign)["message"]["error"]["code"], "err.sender_uri.invalid");

    let first = value(&ask("/registry/search", "search", &address, &message).await);
    assert_eq!(first["message"]["ack_status"], "ACK");
    let again = value(&ask("/registry/search", "search", &address, &message).await);
    assert_eq!(again["message"]["correlation_id"], first["message"]["correlation_id"]);
    let mut other = message.clone();
    other["search_request"][0]["reference_id"] = json!("r-2");
    let refused = ask("/registry/search", "search", &address, &other).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "the same transaction, and something else");

    let status = |kind: &str, value: &Value| {
        json!({ "transaction_id": "t-9", "txnstatus_request": {
            "reference_id": "r-9", "txn_type": "search", "attribute_type": kind, "attribute_value": value } })
    };
    let state = async |kind: &str, id: &Value| {
        let answer = ask("/registry/sync/txn/status", "txn-status", &address, &status(kind, id)).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        value(&answer)["message"]["txnstatus_response"]["txn_status"]["search_response"].clone()
    };
    assert_eq!(state("transaction_id", &json!("t-1")).await[0]["status"], "pdng");
    assert_eq!(state("transaction_id", &json!("t-2")).await, json!([]));

    fails.store(true, std::sync::atomic::Ordering::Relaxed);
    work(&world, 0);
    fails.store(false, std::sync::atomic::Ordering::Relaxed);
    let before = world.entries(&world.hanako);
    work(&world, 60);
    assert_eq!(world.entries(&world.hanako) - before, 1, "each attempt reads, and is in her log");
    let (_, body) = received.recv_timeout(std::time::Duration::from_secs(10)).unwrap();
    assert!(
        received.recv_timeout(std::time::Duration::from_millis(200)).is_err(),
        "asked twice, answered once"
    );
    let brought: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(brought["header"]["action"], "on-search");
    assert_eq!(brought["message"]["correlation_id"], first["message"]["correlation_id"]);
    assert_eq!(brought["message"]["search_response"][0]["data"]["reg_records"][0]["name"]["surname"], "要木");
    let done = state("correlation_id", &first["message"]["correlation_id"]).await;
    assert_eq!((&done[0]["status"], &done[0]["reference_id"]), (&json!("succ"), &json!("r-1")));
    assert!(done[0].get("data").is_none(), "the state, not the answer");

    let later =
        ask("/registry/txn/status", "txn-status", &address, &status("transaction_id", &json!("t-1"))).await;
    assert_eq!(value(&later)["message"]["ack_status"], "ACK");
    work(&world, 61);
    let (_, body) = received.recv_timeout(std::time::Duration::from_secs(10)).unwrap();
    let brought: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(brought["header"]["action"], "txn-on-status");
    assert_eq!(brought["message"]["txnstatus_response"]["txn_status"]["transaction_id"], "t-1");

    // Cut back meanwhile, it is told nothing more.
    let mut third = message.clone();
    third["transaction_id"] = json!("t-3");
    assert_eq!(ask("/registry/search", "search", &address, &third).await.status, StatusCode::OK);
    party.registration.agency.as_mut().unwrap().scopes = vec!["uin.generate".to_owned()];
    client::register(&world.app.signin, &crate::world::env(), &chief(), &party.registration).unwrap();
    let before = world.entries(&world.hanako);
    work(&world, 62);
    assert!(received.recv_timeout(std::time::Duration::from_millis(200)).is_err());
    assert_eq!(world.entries(&world.hanako), before);
}

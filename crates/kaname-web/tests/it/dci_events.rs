//! DCI's events: subscribed to by a signed message, brought signed and once, ended; and questions to which there can be no answer.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use kaname_base::Env;
use kaname_person::agency::feed::{self, Listener};
use kaname_person::agency::{Agency as Asks, Desk, transaction};
use kaname_person::event::{EventKind, follow::Told};
use kaname_signin::bench::Party;
use kaname_signin::client;
use kaname_signin::client_token::SCOPES;
use kaname_store::jobs::{Job, JobError, Worker};
use kaname_trust::PersonId;
use kaname_web::api::dci::later::{self, Answering};
use kaname_web::api::webhooks;
use serde_json::{Value, json};

use crate::agency::{call, chief, receiver, register, token, value};
use crate::dci::{AGENCY, header, now, number, sealed};
use crate::world::{NOW, World};

fn wish(reference: &str, event: &str, filter: &Value) -> Value {
    json!({
        "reference_id": reference, "timestamp": now(),
        "subscribe_criteria": { "reg_event_type": event, "filter": filter, "notify_record_type": "CRVS_Person" },
    })
}

fn her(who: &str) -> Value {
    json!({ "type": "UIN", "value": who })
}

/// A signed subscription to the events of one person.
pub(crate) fn subscribe_to(party: &Party, who: &str) -> Value {
    let message = json!({ "transaction_id": "s-0", "subscribe_request": [wish("r-1", "DEATH", &json!({ "type": "PERSON_ID", "value": who }))] });
    sealed(party, &header("subscribe", 1), &message)
}

/// Does the jobs that are due at `NOW` and `after` seconds, as the worker of a server does; how many failed.
fn work(world: &World, after: i64) -> u64 {
    let app = &world.app;
    let env = move || Env::new(NOW.plus_seconds(after), kaname_trust::keys::random());
    let handler = |job: &Job| match job.kind.as_str() {
        later::KIND => {
            let (store, keys, pack, numbers) = (&app.store, &app.keys, &app.pack, &app.numbers);
            let with = Answering { store, keys, pack, numbers, provider: &app.signin, authorities: None };
            later::deliver(&with, &env(), job)
        }
        webhooks::KIND => webhooks::deliver(&app.store, &app.keys, &app.signin, &env, None, job),
        // What follows from registering the people of this world.
        _ => Ok::<(), JobError>(()),
    };
    let worker = Worker::new(world.store.clone());
    let round = std::thread::scope(|scope| {
        scope.spawn(|| worker.round(&|| NOW.plus_seconds(after), &handler).unwrap()).join()
    });
    round.unwrap().failed
}

/// Tells agencies of the registration of a person of this world.
fn tell(world: &World, person: PersonId) {
    let app = &world.app;
    let listeners: Vec<Listener> = webhooks::listeners(&app.signin, &crate::world::env()).unwrap();
    let told = Told { person, n: 1, kind: EventKind::Registration, standing: Default::default() };
    feed::tell(&app.store, &app.keys, &app.pack, &crate::world::env(), &told, &listeners).unwrap();
}

fn brought(received: &Receiver<(String, String)>) -> Value {
    let (_, body) = received.recv_timeout(Duration::from_secs(10)).expect("something is brought");
    serde_json::from_str(&body).unwrap()
}

fn nothing(received: &Receiver<(String, String)>) -> bool {
    received.recv_timeout(Duration::from_millis(200)).is_err()
}

/// An agency with an address of its own, and how it asks.
fn listening(world: &World) -> (Party, String, Receiver<(String, String)>) {
    let (address, received, _) = receiver();
    let mut party = register(world, AGENCY, SCOPES);
    party.registration.agency.as_mut().unwrap().webhooks = vec![address.clone()];
    client::register(&world.app.signin, &crate::world::env(), &chief(), &party.registration).unwrap();
    (party, address, received)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agency_is_brought_the_events_of_whom_it_names_until_it_ends_that() {
    let world = World::new();
    let (party, address, received) = listening(&world);
    let token = token(&world.app.signin, &party, "dci.search notif.sub.write", 0);
    let ask = async |path: &str, action: &str, count: usize, message: &Value| {
        let mut head = header(action, count);
        head["sender_uri"] = json!(address);
        call(&world, &token, Method::POST, path, Some(&sealed(&party, &head, message))).await
    };
    let (hers, his) = (number(&world, &world.hanako).await, number(&world, &world.taro).await);
    let everybody = json!({ "type": "expression", "value": { "expression": { "query": {} } } });
    let by_place =
        json!({ "type": "expression", "value": { "expression": { "query": { "city": "扇市" } } } });
    let message = json!({ "transaction_id": "s-1", "subscribe_request": [
        wish("r-1", "spdci-common:RegistryEventType:REGISTER", &her(&hers)),
        wish("r-2", "ADOPTION-OF-A-CAT", &her(&hers)),
        wish("r-3", "DEATH", &her("nobody")),
        wish("r-4", "DEATH", &by_place),
        wish("r-1", "DEATH", &her(&hers)),
        wish("r-6", "DEATH", &everybody),
        wish("r-7", "UPDATE", &her(&hers)),
    ] });
    let before = (world.entries(&world.hanako), world.entries(&world.taro));
    let first = value(&ask("/registry/subscribe", "subscribe", 7, &message).await);
    assert_eq!(first["message"]["ack_status"], "ACK", "{first}");
    let after = (world.entries(&world.hanako), world.entries(&world.taro));
    assert_eq!(
        (after.0 - before.0, after.1 - before.1),
        (2, 0),
        "she finds it in her log, for each that is granted"
    );
    let again = value(&ask("/registry/subscribe", "subscribe", 7, &message).await);
    assert_eq!(again["message"]["correlation_id"], first["message"]["correlation_id"]);
    let mut other = message.clone();
    other["subscribe_request"][0]["subscribe_criteria"]["reg_event_type"] = json!("DEATH");
    assert_eq!(ask("/registry/subscribe", "subscribe", 7, &other).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(ask("/registry/subscribe", "subscribe", 6, &message).await.status, StatusCode::BAD_REQUEST);

    assert_eq!(work(&world, 0), 0);
    let told = brought(&received);
    assert_eq!(told["header"]["action"], "on-subscribe", "{told}");
    assert_eq!(told["message"]["correlation_id"], first["message"]["correlation_id"]);
    let parts = told["message"]["subscribe_response"].as_array().unwrap();
    let states: Vec<(&str, Option<&str>)> = parts
        .iter()
        .map(|part| (part["status"].as_str().unwrap(), part["status_reason_code"].as_str()))
        .collect();
    assert_eq!(
        states,
        [
            ("succ", None),
            ("rjct", Some("rjct.notify_types.invalid")),
            ("rjct", Some("rjct.person_id.invalid")),
            ("rjct", Some("rjct.notify_details.invalid")),
            ("rjct", Some("rjct.reference_id.duplicate")),
            ("succ", None),
            ("succ", None),
        ]
    );
    let code = parts[0]["subscriptions"][0]["code"].as_str().unwrap().to_owned();
    assert_eq!(parts[0]["subscriptions"][0]["status"], "subscribe");
    assert_eq!(
        parts[6]["subscriptions"].as_array().unwrap().len(),
        4,
        "a change is a move, a name, a status or a correction"
    );
    assert!(nothing(&received), "told once");

    // Her registration is brought; his is not, though the agency has read his record and hears of him by its feed.
    let read = format!("/osia/data/v1/persons/{his}?attributeNames=firstName");
    let all = crate::agency::token(&world.app.signin, &party, "pr.person.read events.read", 0);
    assert_eq!(call(&world, &all, Method::GET, &read, None).await.status, StatusCode::OK);
    for person in [world.taro.person, world.hanako.person, world.hanako.person] {
        tell(&world, person);
    }
    assert_eq!(
        value(&call(&world, &all, Method::GET, "/v1/events", None).await)["events"].as_array().unwrap().len(),
        2
    );
    assert_eq!(work(&world, 1), 0);
    let event = brought(&received);
    assert!(nothing(&received), "of whom it named, and once");
    assert_eq!(
        (&event["header"]["action"], &event["header"]["receiver_id"]),
        (&json!("notify"), &json!(AGENCY))
    );
    let of = &event["message"]["notify_event"][0];
    assert_eq!(
        (&of["reference_id"], &of["data"]["reg_event_type"]),
        (&json!(code), &json!("spdci-common:RegistryEventType:REGISTER"))
    );
    let person = &of["data"]["reg_records"]["identifier"][0];
    assert_eq!(person["identifier_type"], "PERSON_ID");
    assert_eq!(of["data"]["reg_records"]["event"], "registration");
    assert!(
        !event.to_string().contains(&hers) && !event.to_string().contains("要木"),
        "neither number nor name: {event}"
    );
    // By that name the agency finds her.
    let named = format!(
        "/osia/data/v1/persons/{}?attributeNames=firstName",
        person["identifier_value"].as_str().unwrap()
    );
    assert_eq!(value(&call(&world, &all, Method::GET, &named, None).await)["firstName"], "華子郎");
    let signed = kaname_codec::canonical::canonical(
        &json!({ "header": event["header"], "message": event["message"] }),
    );
    let signature = kaname_codec::jose::Detached::parse(event["signature"].as_str().unwrap()).unwrap();
    let keys = call(&world, "", Method::GET, "/.well-known/jwks.json", None).await;
    let keys = kaname_codec::jose::JwkSet::parse(keys.text.as_bytes()).unwrap();
    let key = keys.find(signature.header().kid.as_deref()).unwrap();
    assert!(signature.verify(key, signed.as_bytes()).is_ok());
    assert!(signature.verify(key, signed.replace("registration", "death").as_bytes()).is_err());

    // The state of the message can be asked, under its own kind only.
    let status = async |kind: &str| {
        let asked = json!({ "transaction_id": "t-9", "txnstatus_request": {
            "reference_id": "r-9", "txn_type": kind, "attribute_type": "transaction_id", "attribute_value": "s-1" } });
        let answer = ask("/registry/sync/txn/status", "txn-status", 1, &asked).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        value(&answer)["message"]["txnstatus_response"]["txn_status"].clone()
    };
    assert_eq!(status("subscribe").await["subscribe_response"][0]["status"], "succ");
    assert_eq!(status("search").await["search_response"], json!([]));

    // Ended: all that are named, or none.
    let end = |id: &str, codes: &[&str]| json!({ "transaction_id": id, "timestamp": now(), "subscription_codes": codes });
    for (id, codes, status, ended) in [
        ("u-1", vec![code.as_str(), "nonsense"], "rjct", 0),
        ("u-2", vec![code.as_str()], "succ", 1),
        ("u-3", vec![code.as_str()], "rjct", 0),
    ] {
        let answer = value(&ask("/registry/unsubscribe", "unsubscribe", 1, &end(id, &codes)).await);
        assert_eq!(answer["message"]["ack_status"], "ACK", "{answer}");
        assert_eq!(work(&world, 2), 0);
        let told = brought(&received);
        assert_eq!(
            (&told["header"]["action"], &told["message"]["status"]),
            (&json!("on-unsubscribe"), &json!(status)),
            "{told}"
        );
        assert_eq!(told["message"]["subscription_status"].as_array().unwrap().len(), ended);
        let reason = told["message"].get("status_reason_code").cloned();
        assert_eq!(reason, (status == "rjct").then(|| json!("rjct.subscription_code.invalid")));
    }
    let nowhere = end("u-4", &[]);
    assert_eq!(
        ask("/registry/unsubscribe", "unsubscribe", 1, &nowhere).await.status,
        StatusCode::BAD_REQUEST
    );
}

/// A question that was taken and cannot be read any more, as by a program of another version: whoever asked is told so, once, and it is
/// not tried again.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_without_an_answer_is_settled_and_its_asker_told() {
    let world = World::new();
    let (party, address, received) = listening(&world);
    let token = token(&world.app.signin, &party, "dci.search", 0);
    let asks = Asks {
        id: AGENCY.to_owned(),
        sector: party.registration.sector.clone(),
        attributes: Vec::new(),
        purpose: None,
        sees_numbers: false,
        sources: Vec::new(),
    };
    let (app, env) = (&world.app, crate::world::env());
    let desk = Desk {
        store: &app.store,
        keys: &app.keys,
        pack: &app.pack,
        numbers: &app.numbers,
        env: &env,
        agency: &asks,
    };
    let question = |id: &str, message: Value| {
        json!({
            "action": "search", "address": address, "sees_numbers": false, "purpose": null, "header": { "total_count": 1 },
            "message": message, "id": id,
        })
        .to_string()
    };
    let broken =
        question("b-1", json!({ "transaction_id": "b-1", "search_request": [{ "reference_id": "r-1" }] }));
    transaction::open(desk, "b-1", vec!["r-1".to_owned()], &broken).unwrap();
    let state = async || {
        let message = json!({ "transaction_id": "t-9", "txnstatus_request": {
            "reference_id": "r-9", "txn_type": "search", "attribute_type": "transaction_id", "attribute_value": "b-1" } });
        let body = sealed(&party, &header("txn-status", 1), &message);
        let answer = call(&world, &token, Method::POST, "/registry/sync/txn/status", Some(&body)).await;
        value(&answer)["message"]["txnstatus_response"]["txn_status"]["search_response"][0].clone()
    };
    assert_eq!(state().await["status"], "pdng");
    assert_eq!(work(&world, 0), 0, "it is done, and not tried again");
    let told = brought(&received);
    assert_eq!((&told["header"]["action"], &told["header"]["status"]), (&json!("on-search"), &json!("rjct")));
    let part = &told["message"]["search_response"][0];
    assert_eq!((&part["reference_id"], &part["status"]), (&json!("r-1"), &json!("rjct")));
    assert!(part["status_reason_message"].as_str().unwrap().contains("timestamp"), "{part}");
    assert_eq!(state().await["status"], "rjct");
    assert!(state().await["status_reason_message"].as_str().unwrap().contains("cannot answer"));
    assert_eq!(work(&world, 86_400), 0);
    assert!(nothing(&received), "told once");
}

//! Agencies' own systems: who comes in with which token, and what each call leaves in the access log.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use kaname_base::Env;
use kaname_signin::bench::Party;
use kaname_signin::client::{self, Asked, Profile};
use kaname_signin::client_token::{self, Agency, SCOPES};
use kaname_signin::{Config, Parameters, Provider};
use kaname_web::http::client::form;
use kaname_web::http::routes::{Audit, Route, Who, table};
use serde_json::{Value, json};

use crate::routes::number_of;
use crate::world::{Answer, ISSUER, NOW, Someone, World};

pub(crate) fn chief() -> kaname_trust::Actor {
    kaname_trust::Actor::program("test", "program")
}

/// An agency with a key, that may do everything.
pub(crate) fn register(world: &World, id: &str, scopes: &[&str]) -> Party {
    let mut party = Party::new(id, Profile::Plain);
    let asked = ["name", "birth_date", "age_over_18", "address"];
    party.registration.redirect_uris.clear();
    party.registration.attributes =
        asked.map(|code| Asked { attribute: code.to_owned(), purpose: "public-service".to_owned() }).to_vec();
    party.registration.agency = Some(Agency {
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        webhooks: vec!["http://127.0.0.1:9".to_owned()],
        everyone: false,
        sources: vec!["health-insurer".to_owned()],
    });
    client::register(&world.app.signin, &crate::world::env(), &chief(), &party.registration).unwrap();
    party
}

/// A token for these scopes, that the agency gets `ago` seconds before now.
pub(crate) fn token(provider: &Provider, party: &Party, scope: &str, ago: i64) -> String {
    let env = Env::new(NOW.plus_seconds(-ago), kaname_trust::keys::random());
    let mut pairs = party.proof(party.sign(&party.claims(&provider.config().issuer, env.now)));
    pairs.push(("grant_type".to_owned(), "client_credentials".to_owned()));
    pairs.push(("scope".to_owned(), scope.to_owned()));
    client_token::issue(provider, &env, &Parameters::read(pairs).unwrap()).unwrap().access_token
}

/// Calls as a program with this token does.
pub(crate) async fn call(
    world: &World,
    token: &str,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    if !token.is_empty() {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let body = match body {
        None => Body::empty(),
        Some(body) => {
            request = request.header(header::CONTENT_TYPE, "application/json");
            Body::from(body.to_string())
        }
    };
    world.send(request.body(body).unwrap()).await
}

pub(crate) fn value(answer: &Answer) -> Value {
    serde_json::from_str(&answer.text).unwrap_or_else(|_| panic!("no JSON: {answer:?}"))
}

async fn number(world: &World, who: &Someone) -> String {
    let mut browser = world.signed_in(&who.passkey).await;
    number_of(world, &mut browser).await.replace(' ', "")
}

/// What the agency calls a person, by her number.
async fn name_of(world: &World, token: &str, number: &str) -> String {
    let path = format!("/osia/data/v1/persons/{number}?attributeNames=personId");
    value(&call(world, token, Method::GET, &path, None).await)["personId"].as_str().unwrap().to_owned()
}

/// A path of the table with everything filled in.
fn concrete(path: &str, who: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{uin}" | "{personId}" => who,
        "{source}" => "health-insurer",
        "{reference}" => "H-20017731",
        "{identityId}" => "claimed",
        part if part.starts_with('{') => "x",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

const T: &str = "transactionId=1";

/// How a route is called so that it reads, with the person called `who`. Not those whose person is another each time: `files`.
fn example(route: &Route, who: &str) -> Option<(String, Option<Value>)> {
    let path = concrete(route.path, who);
    let identity = json!({ "identityType": "birth", "status": "CLAIMED" });
    let told = format!("{path}?{T}");
    match route.path {
        "/v1/links/{source}/records/{reference}/person" => {
            return Some((format!("{path}?attributeNames=firstName"), None));
        }
        "/v1/links/{source}/records/{reference}/issued" => {
            return Some((path, Some(json!({ "what": "card", "reference": "C-1" }))));
        }
        _ => {}
    }
    Some(match (route.method.as_str(), route.path.trim_start_matches("/osia/")) {
        ("GET", "data/v1/persons/{uin}") => (format!("{path}?attributeNames=firstName"), None),
        ("POST", "data/v1/persons/{uin}/match") => (path, Some(json!({ "firstName": "x" }))),
        ("POST", "data/v1/persons/{uin}/verify") => {
            (path, Some(json!([{ "attributeName": "firstName", "operator": "=", "value": "x" }])))
        }
        ("GET", "pr/v1/persons/{personId}") => (told, None),
        ("PUT", "pr/v1/persons/{personId}") => {
            (told, Some(json!({ "status": "INACTIVE", "physicalStatus": "ALIVE" })))
        }
        ("POST", "pr/v1/persons/{personId}/identities") => (told, Some(identity)),
        ("POST", "pr/v1/persons/{personId}/identities/{identityId}") => {
            (told.replace("claimed", "another"), Some(identity))
        }
        ("DELETE", "pr/v1/persons/{personId}/identities/{identityId}") => {
            (told.replace("claimed", "gone"), None)
        }
        ("GET" | "PUT" | "PATCH", "pr/v1/persons/{personId}/identities/{identityId}") => {
            (told, Some(identity))
        }
        ("PUT", "pr/v1/persons/{personId}/identities/{identityId}/status") => {
            (format!("{told}&status=INVALID"), None)
        }
        _ => return None,
    })
}

#[tokio::test]
async fn each_call_of_an_agency_leaves_what_its_row_says() {
    let world = World::new();
    let party = register(&world, "pension-office", SCOPES);
    let token = token(&world.app.signin, &party, &SCOPES.join(" "), 0);
    let who = number(&world, &world.hanako).await;
    let who = name_of(&world, &token, &who).await;
    crate::links::link_hanako(&world);
    for id in ["claimed", "gone"] {
        let path = format!("/osia/pr/v1/persons/{who}/identities/{id}?{T}");
        let body = json!({ "identityType": "birth", "status": "CLAIMED" });
        let answer = call(&world, &token, Method::POST, &path, Some(&body)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    }
    let mut read = 0;
    for route in table() {
        let (Who::Agency(_), Audit::Receipt(_, count)) = (route.who, route.audit) else { continue };
        let signed = match route.path {
            "/registry/sync/search" => Some(crate::dci::search_for(&party, &who)),
            "/registry/subscribe" => Some(crate::dci_events::subscribe_to(&party, &who)),
            _ => None,
        };
        let signed = signed.map(|message| (route.path.to_owned(), Some(message)));
        let Some((path, body)) = signed.or_else(|| example(&route, &who)) else {
            let of_a_file =
                ["/osia/enrollment/", "/osia/uin/"].iter().any(|start| route.path.starts_with(start));
            let of_a_person = route.path == "/osia/pr/v1/persons/{personId}";
            assert!(of_a_file || of_a_person, "no example of how to call {route}");
            continue;
        };
        let before = world.entries(&world.hanako);
        let answer = call(&world, &token, route.method.clone(), &path, body.as_ref()).await;
        assert!(answer.status.is_success(), "{route}: {answer:?}");
        assert_eq!(world.entries(&world.hanako) - before, count as i64, "{route}");
        read += 1;
    }
    assert!(read >= 12, "only {read} routes");
}

#[tokio::test]
async fn nobody_comes_in_without_the_token_that_the_row_asks_for() {
    let world = World::new();
    let party = register(&world, "pension-office", SCOPES);
    let provider = &world.app.signin;
    let good = token(provider, &party, "pr.person.read", 0);
    let who = number(&world, &world.hanako).await;
    let path = format!("/osia/data/v1/persons/{who}?attributeNames=firstName");
    assert_eq!(call(&world, &good, Method::GET, &path, None).await.status, StatusCode::OK);

    let other = Provider::open(
        world.store.clone(),
        world.keys.clone(),
        Config::new("http://elsewhere.example"),
        &crate::world::env(),
    );
    let foreign = token(&other.unwrap(), &party, "pr.person.read", 0);
    let expired = token(provider, &party, "pr.person.read", 301);
    let mut parts: Vec<&str> = good.split('.').collect();
    let head = kaname_codec::b64::url_encode(br#"{"alg":"none","typ":"at+jwt"}"#);
    let unsigned = format!("{head}.{}.", parts[1]);
    let widened = kaname_codec::b64::url_decode(parts[1]).unwrap();
    let widened = String::from_utf8(widened).unwrap().replace("pr.person.read", "pr.person.match");
    let widened = kaname_codec::b64::url_encode(widened.as_bytes());
    parts[1] = &widened;
    let tampered = parts.join(".");
    for (what, bad) in [
        ("none", ""),
        ("another server's", &foreign),
        ("expired", &expired),
        ("unsigned", &unsigned),
        ("tampered", &tampered),
        ("not one", "abc"),
        ("a half", &good[..good.len() - 2]),
    ] {
        for route in table().iter().filter(|route| matches!(route.who, Who::Agency(_))) {
            let answer =
                call(&world, bad, route.method.clone(), &concrete(route.path, &who), Some(&json!({}))).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what} {route}: {answer:?}");
            let challenge = answer.header("www-authenticate");
            assert_eq!(challenge.contains("invalid_token"), !bad.is_empty(), "{what}: {challenge}");
            assert!(challenge.starts_with("Bearer"), "{what}: {challenge}");
        }
    }

    let mut refused = 0;
    for route in table() {
        let Who::Agency(scope) = route.who else { continue };
        let without: Vec<&str> = SCOPES.iter().copied().filter(|known| *known != scope).collect();
        let token = token(provider, &party, &without.join(" "), 0);
        let path = concrete(route.path, &who);
        let answer = call(&world, &token, route.method.clone(), &path, Some(&json!({}))).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{route}: {answer:?}");
        assert!(answer.header("www-authenticate").contains("insufficient_scope"), "{route}");
        refused += 1;
    }
    assert!(refused >= 3);
}

#[tokio::test]
async fn a_token_opens_nothing_once_the_agency_is_cut_back() {
    let world = World::new();
    let mut party = register(&world, "pension-office", SCOPES);
    let token = token(&world.app.signin, &party, "pr.person.read", 0);
    let who = number(&world, &world.hanako).await;
    let path = format!("/osia/data/v1/persons/{who}?attributeNames=firstName");
    assert_eq!(call(&world, &token, Method::GET, &path, None).await.status, StatusCode::OK);
    party.registration.agency.as_mut().unwrap().scopes = vec!["uin.generate".to_owned()];
    client::register(&world.app.signin, &crate::world::env(), &chief(), &party.registration).unwrap();
    let answer = call(&world, &token, Method::GET, &path, None).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{answer:?}");
    party.registration.agency = None;
    party.registration.redirect_uris = vec!["https://pensions.example/callback".to_owned()];
    client::register(&world.app.signin, &crate::world::env(), &chief(), &party.registration).unwrap();
    let answer = call(&world, &token, Method::GET, &path, None).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?}");
}

#[tokio::test]
async fn the_token_endpoint_gives_an_agency_its_own_scopes_only() {
    let world = World::new();
    let party = register(&world, "pension-office", &["pr.person.read", "pr.person.match"]);
    let ask = async |party: &Party, more: &[(&str, &str)]| {
        let proof = party.proof(party.sign(&party.claims(ISSUER, NOW)));
        let mut fields: Vec<(&str, &str)> = proof.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        fields.push(("grant_type", "client_credentials"));
        fields.extend(more);
        let request = Request::builder()
            .method(Method::POST)
            .uri("/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        world.send(request.body(Body::from(form(&fields))).unwrap()).await
    };
    let answer = ask(&party, &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let given = value(&answer);
    assert_eq!(given["scope"], "pr.person.read pr.person.match");
    assert_eq!(given["token_type"], "Bearer");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(given.get("id_token").is_none() && given.get("refresh_token").is_none());
    for (party, more, error) in [
        (&party, [("scope", "pr.person.write")], "invalid_scope"),
        (&party, [("scope", "openid")], "invalid_scope"),
        (&world.party, [("scope", "pr.person.read")], "unauthorized_client"),
    ] {
        let answer = ask(party, &more).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
        assert_eq!(value(&answer)["error"], error);
    }
}

#[tokio::test]
async fn an_agency_gets_what_it_is_registered_for_and_she_sees_it() {
    let world = World::new();
    let party = register(&world, "pension-office", SCOPES);
    let token = token(&world.app.signin, &party, "pr.person.read", 0);
    let who = number(&world, &world.hanako).await;
    let names = "firstName,familyName,dateOfBirth,ageOver18,phoneNumber,shoeSize,uin,personId";
    let path = |who: &str| format!("/osia/data/v1/persons/{who}?attributeNames={names}");
    let answer = value(&call(&world, &token, Method::GET, &path(&who), None).await);
    assert_eq!(answer["firstName"], "華子郎");
    assert_eq!(answer["familyName"], "要木");
    assert_eq!(answer["dateOfBirth"], "1980-04-21");
    assert_eq!(answer["ageOver18"], true);
    assert_eq!(answer["phoneNumber"]["code"], 403);
    assert_eq!(answer["shoeSize"]["code"], 404);
    assert_eq!(answer["uin"]["code"], 403, "the token is not for numbers");
    let name = answer["personId"].as_str().unwrap().to_owned();

    // By the agency's own name for her it is the same person, and another agency's name leads nowhere.
    let again = value(&call(&world, &token, Method::GET, &path(&name), None).await);
    assert_eq!(again["firstName"], "華子郎");
    let other = register(&world, "tax-office", SCOPES);
    let other = crate::agency::token(&world.app.signin, &other, "pr.person.read uin.read", 0);
    let answer = call(&world, &other, Method::GET, &path(&name), None).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "{answer:?}");
    let theirs = value(&call(&world, &other, Method::GET, &path(&who), None).await);
    assert_ne!(theirs["personId"], name.as_str());
    assert_eq!(theirs["uin"], who.as_str());

    let mut browser = world.signed_in(&world.hanako.passkey).await;
    let log = browser.get(&world, "/my/access").await;
    assert!(log.text.contains("pension-office") && log.text.contains("tax-office"), "{}", log.text);

    // A purpose that rests on consent, or that the agency is not registered for, gives nothing.
    for purpose in ["identity-check", "emergency", "nonsense"] {
        let request = Request::builder()
            .uri(path(&who))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header("kaname-purpose", purpose);
        let before = world.entries(&world.hanako);
        let answer = value(&world.send(request.body(Body::empty()).unwrap()).await);
        assert_eq!(answer["firstName"]["code"], 403, "{purpose}: {answer}");
        assert_eq!(world.entries(&world.hanako), before, "{purpose}");
    }
}

#[tokio::test]
async fn comparing_and_judging_give_no_value_away() {
    let world = World::new();
    let party = register(&world, "pension-office", SCOPES);
    let token = token(&world.app.signin, &party, "pr.person.match pr.person.verify", 0);
    let who = number(&world, &world.hanako).await;
    let path = format!("/osia/data/v1/persons/{who}/match");
    let said =
        json!({ "firstName": "華子郎", "lastName": "山田", "phoneNumber": "1", "dateOfBirth": "1980-04-21" });
    let answer = call(&world, &token, Method::POST, &path, Some(&said)).await;
    let wanted = json!([
        { "attributeName": "lastName", "errorCode": 1 },
        { "attributeName": "phoneNumber", "errorCode": 0 },
    ]);
    assert_eq!(value(&answer), wanted);
    let path = format!("/osia/data/v1/persons/{who}/verify");
    for (operator, date, true_or_false) in [
        ("<", "1990-12-31", true),
        (">", "1990-12-31", false),
        ("=", "1980-04-21", true),
        ("<=", "1980-04-21", true),
        (">=", "1980-04-22", false),
    ] {
        let said = json!([{ "attributeName": "dateOfBirth", "operator": operator, "value": date }]);
        let answer = call(&world, &token, Method::POST, &path, Some(&said)).await;
        assert_eq!(value(&answer), true_or_false, "{operator} {date}");
    }
    let forbidden = json!([{ "attributeName": "phoneNumber", "operator": "=", "value": "1" }]);
    let answer = call(&world, &token, Method::POST, &path, Some(&forbidden)).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(value(&answer)["code"], 403);
}

fn born(given: &str) -> Value {
    let readings = [("花", "ハナ"), ("桃", "モモ"), ("梅", "ウメ"), ("桜", "サクラ"), ("竹", "タケ")];
    let reading = readings.iter().find(|(name, _)| *name == given).map_or("マツ", |(_, reading)| *reading);
    json!({
        "firstName": given, "lastName": "新生", "firstNameReading": reading, "lastNameReading": "シンセイ",
        "dateOfBirth": "2026-10-01", "gender": "F", "residenceStatus": "citizen", "city": "扇市",
    })
}

#[tokio::test]
async fn a_person_is_filed_entered_and_then_kept_by_the_register() {
    let world = World::new();
    let party = register(&world, "civil-registry", SCOPES);
    let token = token(&world.app.signin, &party, &SCOPES.join(" "), 0);
    let pr = async |method: &str, path: &str, body: Option<Value>| {
        let path = format!("/osia/pr/v1{path}{}{T}", if path.contains('?') { "&" } else { "?" });
        call(&world, &token, method.parse().unwrap(), &path, body.as_ref()).await
    };
    let living = || Some(json!({ "status": "ACTIVE", "physicalStatus": "ALIVE" }));
    let claim = |data: Value, gallery: &str| {
        Some(
            json!({ "identityType": "birth", "status": "CLAIMED", "galleries": [gallery], "biographicData": data }),
        )
    };
    assert_eq!(pr("GET", "/persons/b-1", None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(pr("POST", "/persons/b-1", living()).await.status, StatusCode::CREATED);
    assert_eq!(pr("POST", "/persons/b-1", living()).await.status, StatusCode::CONFLICT);
    let path = "/persons/b-1/identities/birth";
    assert_eq!(pr("POST", path, claim(json!({ "firstName": "花" }), "G1")).await.status, StatusCode::CREATED);
    assert_eq!(pr("POST", path, claim(json!({}), "G1")).await.status, StatusCode::CONFLICT);
    // Not enough to be entered: nothing is.
    let refused = pr("PUT", "/persons/b-1/identities/birth/reference", None).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused:?}");
    assert_eq!(pr("GET", "/persons/b-1/reference", None).await.status, StatusCode::NOT_FOUND);
    // A part is merged, and the rest stays.
    let part = json!({ "biographicData": born("花"), "galleries": ["G1", "G2"] });
    assert_eq!(pr("PATCH", path, Some(part)).await.status, StatusCode::NO_CONTENT);
    let shown = value(&pr("GET", path, None).await);
    assert_eq!((&shown["identityType"], &shown["biographicData"]["gender"]), (&json!("birth"), &json!("F")));
    assert_eq!(value(&pr("GET", "/galleries", None).await), json!(["G1", "G2"]));
    let listed = json!([{ "personId": "b-1", "identityId": "birth" }]);
    assert_eq!(value(&pr("GET", "/galleries/G2", None).await), listed);
    let query = json!([{ "attributeName": "firstName", "operator": "=", "value": "花" }]);
    assert_eq!(value(&pr("POST", "/persons", Some(query.clone())).await), listed);
    assert_eq!(value(&pr("POST", "/persons?group=true", Some(query)).await), json!([{ "personId": "b-1" }]));
    let query = json!([{ "attributeName": "firstName", "operator": "!=", "value": "花" }]);
    assert_eq!(value(&pr("POST", "/persons", Some(query)).await), json!([]));

    // Entered: the register's own record is there, and is nobody's to change.
    let entered = pr("PUT", "/persons/b-1/identities/birth/reference", None).await;
    assert_eq!(entered.status, StatusCode::NO_CONTENT, "{entered:?}");
    let shown = value(&pr("GET", "/persons/b-1/reference", None).await);
    assert_eq!((&shown["identityId"], &shown["status"]), (&json!("register"), &json!("VALID")));
    assert_eq!(shown["biographicData"]["lastName"], "新生");
    assert!(shown["biographicData"].get("gender").is_none(), "the agency is not registered for it");
    assert_eq!(value(&pr("GET", "/persons/b-1/identities", None).await).as_array().unwrap().len(), 2);
    for (method, path, body) in [
        ("DELETE", "/persons/b-1", None),
        ("PUT", "/persons/b-1/identities/register", claim(json!({}), "G1")),
        ("DELETE", "/persons/b-1/identities/register", None),
        ("PUT", "/persons/b-1/identities/register/status?status=INVALID", None),
        ("PUT", "/persons/b-1", Some(json!({ "status": "ACTIVE", "physicalStatus": "DEAD" }))),
        ("POST", "/persons/b-1/merge/b-1", None),
    ] {
        let answer = pr(method, path, body).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}: {answer:?}");
    }

    // The same child once more, in another file: somebody who looks like her is here, and an officer decides.
    assert_eq!(pr("POST", "/persons/b-9", living()).await.status, StatusCode::CREATED);
    let again = claim(born("花"), "G9");
    assert_eq!(pr("POST", "/persons/b-9/identities/birth", again).await.status, StatusCode::CREATED);
    let refused = pr("PUT", "/persons/b-9/identities/birth/reference", None).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{refused:?}");
    assert!(refused.text.contains("officer-decides") && !refused.text.contains("looks like"), "{refused:?}");
    assert_eq!(pr("GET", "/persons/b-9/reference", None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(pr("DELETE", "/persons/b-9", None).await.status, StatusCode::NO_CONTENT);

    // Files of people who are not entered are the agency's own.
    for id in ["b-2", "b-3"] {
        assert_eq!(pr("POST", &format!("/persons/{id}"), living()).await.status, StatusCode::CREATED);
        let path = format!("/persons/{id}/identities/of-{id}");
        assert_eq!(pr("POST", &path, claim(json!({}), "G3")).await.status, StatusCode::CREATED);
    }
    assert_eq!(pr("POST", "/persons/b-2/merge/b-1", None).await.status, StatusCode::FORBIDDEN);
    let moved = pr("POST", "/persons/b-2/move/b-3/identities/of-b-3", None).await;
    assert_eq!(moved.status, StatusCode::NO_CONTENT, "{moved:?}");
    assert_eq!(value(&pr("GET", "/persons/b-3/identities", None).await), json!([]));
    assert_eq!(pr("POST", "/persons/b-3/merge/b-2", None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(pr("GET", "/persons/b-2", None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(value(&pr("GET", "/persons/b-3/identities", None).await).as_array().unwrap().len(), 2);
    assert_eq!(pr("DELETE", "/persons/b-3", None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(pr("GET", "/persons/b-3", None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(pr("GET", "/galleries/G3", None).await.status, StatusCode::NOT_FOUND);

    // And another agency sees none of it.
    let other = register(&world, "tax-office", SCOPES);
    let other = crate::agency::token(&world.app.signin, &other, &SCOPES.join(" "), 0);
    for path in
        ["/osia/pr/v1/persons/b-1", "/osia/pr/v1/persons/b-1/identities/birth", "/osia/pr/v1/galleries/G1"]
    {
        let answer = call(&world, &other, Method::GET, &format!("{path}?{T}"), None).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn an_enrolment_is_collected_and_finished() {
    let world = World::new();
    let party = register(&world, "civil-registry", SCOPES);
    let token = token(&world.app.signin, &party, &SCOPES.join(" "), 0);
    let enrol = async |method: &str, path: &str, body: Option<Value>| {
        let path =
            format!("/osia/enrollment/v1/enrollments{path}{}{T}", if path.contains('?') { "&" } else { "?" });
        call(&world, &token, method.parse().unwrap(), &path, body.as_ref()).await
    };
    let begun = json!({ "enrollmentType": "citizen", "biographicData": { "firstName": "桃" } });
    assert_eq!(enrol("POST", "/e-1", Some(begun.clone())).await.status, StatusCode::NO_CONTENT);
    assert_eq!(enrol("POST", "/e-1", Some(begun)).await.status, StatusCode::CONFLICT);
    let refused = enrol("PUT", "/e-1/finalize", None).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused:?}");

    let request = |body: &'static [u8], digest: &str| {
        Request::builder()
            .method(Method::POST)
            .uri(format!("/osia/enrollment/v1/enrollments/e-1/buffer?{T}"))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "image/png")
            .header("digest", digest.to_owned())
            .body(Body::from(body))
            .unwrap()
    };
    let answer = world.send(request(b"a photo", "SHA=AAAA")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
    let digest = aws_digest(b"a photo");
    let answer = world.send(request(b"a photo", &digest)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    let buffer = value(&answer)["bufferId"].as_str().unwrap().to_owned();
    let photo = enrol("GET", &format!("/e-1/buffer/{buffer}"), None).await;
    assert_eq!((photo.text.as_str(), photo.header("content-type")), ("a photo", "image/png"));
    assert_eq!(photo.header("digest"), digest);

    let part = json!({ "biographicData": born("桃") });
    assert_eq!(enrol("PATCH", "/e-1?finalize=true", Some(part)).await.status, StatusCode::NO_CONTENT);
    let shown = value(&enrol("GET", "/e-1", None).await);
    assert_eq!((&shown["status"], &shown["enrollmentType"]), (&json!("FINALIZED"), &json!("citizen")));
    let some = value(&enrol("GET", "/e-1?attributes=firstName", None).await);
    assert_eq!(some["biographicData"], json!({ "firstName": "桃" }));
    for (method, path) in [("PUT", "/e-1"), ("PATCH", "/e-1"), ("DELETE", "/e-1")] {
        let answer = enrol(method, path, Some(json!({}))).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method}: {answer:?}");
    }
    let query = json!([{ "attributeName": "dateOfBirth", "operator": ">", "value": "2026-01-01" }]);
    let found = value(&enrol("POST", "", Some(query)).await);
    assert_eq!(found.as_array().unwrap().len(), 1);
    // Collected a second time, she is not entered a second time; what was collected stays, to be mended or taken back.
    let again = json!({ "biographicData": born("桃") });
    assert_eq!(enrol("POST", "/e-3", Some(again)).await.status, StatusCode::NO_CONTENT);
    let refused = enrol("PUT", "/e-3/finalize", None).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{refused:?}");
    assert!(refused.text.contains("officer-decides") && !refused.text.contains("looks like"), "{refused:?}");
    assert_eq!(value(&enrol("GET", "/e-3", None).await)["status"], "IN_PROGRESS");
    assert_eq!(enrol("DELETE", "/e-3", None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(enrol("POST", "/e-2", Some(json!({}))).await.status, StatusCode::NO_CONTENT);
    assert_eq!(enrol("DELETE", "/e-2", None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(enrol("GET", "/e-2", None).await.status, StatusCode::NOT_FOUND);
}

fn aws_digest(body: &[u8]) -> String {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body);
    format!("SHA-256={}", kaname_codec::b64::std_encode(hash.as_ref()))
}

#[tokio::test]
async fn a_number_is_given_once_for_one_transaction() {
    let world = World::new();
    let party = register(&world, "civil-registry", SCOPES);
    let token = token(&world.app.signin, &party, "uin.generate", 0);
    let ask = async |transaction: &str, data: &Value| {
        let path = format!("/osia/uin/v1/uin?transactionId={transaction}");
        call(&world, &token, Method::POST, &path, Some(data)).await
    };
    let first = ask("t1", &born("梅")).await;
    assert_eq!(first.status, StatusCode::OK, "{first:?}");
    let number = value(&first).as_str().unwrap().to_owned();
    assert!(world.app.pack.number.parse(&number).is_ok());
    assert_eq!(value(&ask("t1", &born("梅")).await), number.as_str());
    assert_ne!(value(&ask("t2", &born("桜")).await), number.as_str());
    assert_eq!(
        ask("t1", &born("竹")).await.status,
        StatusCode::FORBIDDEN,
        "the transaction is another person's"
    );
    let again = ask("t5", &born("梅")).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN, "{again:?}");
    assert!(again.text.contains("officer-decides"), "nobody is given a second number: {again:?}");
    assert_eq!(ask("t3", &json!({ "firstName": "松" })).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(ask("t4", &json!({ "firstName": {} })).await.status, StatusCode::BAD_REQUEST);
}

/// What an agency's own server was sent.
pub(crate) fn receiver()
-> (String, std::sync::mpsc::Receiver<(String, String)>, std::sync::Arc<std::sync::atomic::AtomicBool>) {
    use std::io::{Read, Write};
    use std::sync::atomic::{AtomicBool, Ordering};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://127.0.0.1:{}/events", listener.local_addr().unwrap().port());
    let (send, received) = std::sync::mpsc::channel();
    let fails = std::sync::Arc::new(AtomicBool::new(false));
    let failing = std::sync::Arc::clone(&fails);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
            let (head, body) = loop {
                let read = stream.read(&mut buffer).unwrap();
                bytes.extend_from_slice(&buffer[..read]);
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                    break (head.to_owned(), body.to_owned());
                }
            };
            let status = if failing.load(Ordering::Relaxed) { "500 No" } else { "200 OK" };
            write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            if status == "200 OK" && send.send((head, body)).is_err() {
                return;
            }
        }
    });
    (address, received, fails)
}

/// Does the jobs that are due at `NOW` and `after` seconds, as the worker of a server does.
fn work(world: &World, after: i64) {
    let env = move || Env::new(NOW.plus_seconds(after), kaname_trust::keys::random());
    let worker = kaname_store::jobs::Worker::new(world.store.clone());
    let handler = |job: &kaname_store::jobs::Job| {
        let app = &world.app;
        if job.kind != kaname_web::api::webhooks::KIND {
            return Ok(());
        }
        kaname_web::api::webhooks::deliver(&app.store, &app.keys, &app.signin, &env, None, job)
    };
    // A thread of its own, as in a server: what it sends waits for the answer.
    let done = std::thread::scope(|scope| {
        scope.spawn(|| worker.round(&|| NOW.plus_seconds(after), &handler).unwrap()).join()
    });
    done.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn life_events_reach_who_knows_her_in_order_and_signed() {
    use kaname_person::agency::feed;
    use kaname_person::event::{EventKind, follow::Told};
    let world = World::new();
    let (address, received, fails) = receiver();
    let mut party = register(&world, "pension-office", SCOPES);
    party.registration.agency.as_mut().unwrap().webhooks = vec![address.clone()];
    client::register(&world.app.signin, &crate::world::env(), &chief(), &party.registration).unwrap();
    let token = token(&world.app.signin, &party, &SCOPES.join(" "), 0);
    let notif = async |method: &str, path: &str| {
        let path = format!("/osia/notification/v1{path}");
        call(&world, &token, method.parse().unwrap(), &path, Some(&json!({}))).await
    };
    let told = |n| Told {
        person: world.hanako.person,
        n,
        kind: EventKind::Registration,
        standing: Default::default(),
    };
    let tell = |n| {
        let app = &world.app;
        let listeners = kaname_web::api::webhooks::listeners(&app.signin, &crate::world::env()).unwrap();
        feed::tell(&app.store, &app.keys, &app.pack, &crate::world::env(), &told(n), &listeners).unwrap();
    };

    // Whose record it has never read, of her it hears nothing.
    tell(1);
    let feed = value(&call(&world, &token, Method::GET, "/v1/events", None).await);
    assert_eq!(feed, json!({ "events": [], "next": 0 }));

    let wrong = notif("POST", "/subscriptions?topic=life.registration&address=http://169.254.169.254/").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{wrong:?}");
    let subscribe = format!("/subscriptions?topic=life.registration&address={address}");
    let made = value(&notif("POST", &subscribe).await);
    assert_eq!(made["active"], false);
    assert_eq!(value(&notif("POST", &subscribe).await)["uuid"], made["uuid"], "the same again is the same");
    work(&world, 0);
    let (head, body) = received.recv_timeout(std::time::Duration::from_secs(10)).unwrap();
    assert!(head.contains("message-type: SubscriptionConfirmation"), "{head}");
    let asked: Value = serde_json::from_str(&body).unwrap();
    // Subscribed twice, it is asked twice, with one token.
    let (_, again) = received.recv_timeout(std::time::Duration::from_secs(10)).unwrap();
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(again["token"], asked["token"]);
    let confirm = format!("/subscriptions/confirm?token={}", asked["token"].as_str().unwrap());
    assert_eq!(notif("GET", "/subscriptions/confirm?token=guessed").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(notif("GET", &confirm).await.status, StatusCode::OK);
    assert_eq!(value(&notif("GET", "/subscriptions").await)[0]["active"], true);

    // Taro's record is read, and so the agency hears of him; told twice, it hears once. While its server fails, nothing is lost.
    let who = number(&world, &world.taro).await;
    let name = name_of(&world, &token, &who).await;
    let path = format!("/osia/data/v1/persons/{who}?attributeNames=firstName");
    assert_eq!(call(&world, &token, Method::GET, &path, None).await.status, StatusCode::OK);
    fails.store(true, std::sync::atomic::Ordering::Relaxed);
    let taro = Told { person: world.taro.person, ..told(1) };
    let listeners = kaname_web::api::webhooks::listeners(&world.app.signin, &crate::world::env()).unwrap();
    for _ in 0..2 {
        let app = &world.app;
        feed::tell(&app.store, &app.keys, &app.pack, &crate::world::env(), &taro, &listeners).unwrap();
    }
    work(&world, 1);
    let late = received.recv_timeout(std::time::Duration::from_millis(200)).ok();
    assert_eq!(late, None, "the server answered with 500");
    fails.store(false, std::sync::atomic::Ordering::Relaxed);
    work(&world, 60);
    let (head, body) = received.recv_timeout(std::time::Duration::from_secs(10)).unwrap();
    assert!(received.recv_timeout(std::time::Duration::from_millis(200)).is_err(), "once");
    let message: Value = serde_json::from_str(&body).unwrap();
    let inner: Value = serde_json::from_str(message["message"].as_str().unwrap()).unwrap();
    assert_eq!(inner, json!({ "event": "registration", "personId": name }));
    assert!(!body.contains(&who), "an event never names a number");

    // The signature is over these very bytes, for this agency, by a published key.
    let signature = head.lines().find_map(|line| line.strip_prefix("kaname-signature: ")).unwrap();
    let (header, signature) = signature.split_once("..").unwrap();
    let compact = format!("{header}.{}.{signature}", kaname_codec::b64::url_encode(body.as_bytes()));
    let keys = call(&world, "", Method::GET, "/jwks", None).await;
    let keys = kaname_codec::jose::JwkSet::parse(keys.text.as_bytes()).unwrap();
    let read = kaname_codec::jose::Unverified::parse(&compact).unwrap();
    let key = keys.find(read.header().kid.as_deref()).unwrap();
    assert!(read.verify(key).is_ok());
    let other = compact
        .replace(&kaname_codec::b64::url_encode(body.as_bytes()), &kaname_codec::b64::url_encode(b"{}"));
    assert!(kaname_codec::jose::Unverified::parse(&other).unwrap().verify(key).is_err());
    let header: Value = serde_json::from_slice(&kaname_codec::b64::url_decode(header).unwrap()).unwrap();
    assert_eq!(header["aud"], "pension-office");

    // And the same can be fetched, from a cursor on.
    let feed = value(&call(&world, &token, Method::GET, "/v1/events?after=0", None).await);
    assert_eq!(feed["events"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&feed["events"][0]["topic"], &feed["events"][0]["personId"]),
        (&json!("life.registration"), &json!(name))
    );
    let next = feed["next"].as_i64().unwrap();
    let rest = value(&call(&world, &token, Method::GET, &format!("/v1/events?after={next}"), None).await);
    assert_eq!(rest["events"], json!([]));

    // An agency's own topic.
    let topic = value(&notif("POST", "/topics?name=reforms").await);
    assert_eq!(value(&notif("POST", "/topics?name=reforms").await), topic);
    let uuid = topic["uuid"].as_str().unwrap();
    assert_eq!(notif("POST", &format!("/topics/{uuid}/publish?subject=x")).await.status, StatusCode::OK);
    assert_eq!(notif("DELETE", "/topics/life.death").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(notif("DELETE", &format!("/topics/{uuid}")).await.status, StatusCode::NO_CONTENT);
    let end = format!("/subscriptions/{}", made["uuid"].as_str().unwrap());
    assert_eq!(notif("DELETE", &end).await.status, StatusCode::NO_CONTENT);
    assert_eq!(notif("DELETE", &end).await.status, StatusCode::NOT_FOUND);
}

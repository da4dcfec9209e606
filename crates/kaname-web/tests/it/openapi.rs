//! The description of our own interface for agencies, held against the table of routes and against every answer that a test here gets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use kaname_signin::client_token::SCOPES;
use kaname_web::http::routes::{Who, table};
use serde_json::{Map, Value, json};

use crate::agency::{call, register, token, value};
use crate::world::{Answer, World};

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!("../../../../docs/openapi.json");
    serde_json::from_str(text).expect("docs/openapi.json is JSON")
});

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// What the description has at a method and a path of the table: the scope, or none.
fn described() -> BTreeMap<(String, String), Option<String>> {
    let paths = DESCRIPTION["paths"].as_object().unwrap();
    let mut all = BTreeMap::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            assert!(METHODS.contains(&method.as_str()), "{path}: {method}");
            let security = operation["security"].as_array().unwrap();
            let scope = security.first().map(|one| one["agency"][0].as_str().unwrap().to_owned());
            all.insert((method.to_uppercase(), path.clone()), scope);
        }
    }
    all
}

#[test]
fn the_description_has_every_route_and_no_other() {
    let routes = table().into_iter().filter(|route| route.path.starts_with("/v1/"));
    let routes: BTreeMap<(String, String), Option<String>> = routes
        .map(|route| {
            let scope = match route.who {
                Who::Anyone => None,
                Who::Agency(scope) => Some(scope.to_owned()),
                who => panic!("{route}: {who:?} has no form in the description"),
            };
            ((route.method.to_string(), route.path.to_owned()), scope)
        })
        .collect();
    assert_eq!(described(), routes);
    let scopes =
        &DESCRIPTION["components"]["securitySchemes"]["agency"]["flows"]["clientCredentials"]["scopes"];
    let told: BTreeSet<&str> = scopes.as_object().unwrap().keys().map(String::as_str).collect();
    let used: BTreeSet<&str> = routes.values().flatten().map(String::as_str).collect();
    assert_eq!(told, used);
}

#[test]
fn each_part_of_a_path_is_described_and_each_reference_leads_somewhere() {
    for (path, item) in DESCRIPTION["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let of_path: BTreeSet<String> = parameters
                .iter()
                .map(resolved)
                .filter(|one| one["in"] == "path")
                .map(|one| format!("{{{}}}", one["name"].as_str().unwrap()))
                .collect();
            let parts: BTreeSet<String> =
                path.split('/').filter(|part| part.starts_with('{')).map(str::to_owned).collect();
            assert_eq!(of_path, parts, "{path}");
        }
    }
    let mut led = 0;
    walk(&DESCRIPTION, &mut |value| {
        if value.get("$ref").is_some() {
            assert!(resolved(value).is_object(), "{value}");
            led += 1;
        }
    });
    assert!(led > 50, "only {led} references");
}

fn walk(value: &Value, see: &mut impl FnMut(&Value)) {
    see(value);
    match value {
        Value::Array(list) => list.iter().for_each(|one| walk(one, see)),
        Value::Object(map) => map.values().for_each(|one| walk(one, see)),
        _ => {}
    }
}

fn resolved(value: &Value) -> &Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(reference) => {
            let found = DESCRIPTION.pointer(reference.strip_prefix('#').unwrap());
            resolved(found.unwrap_or_else(|| panic!("{reference} leads nowhere")))
        }
        None => value,
    }
}

/// Panics if an answer is none that the description has for this call. What lies at no path of the description is a problem, too.
pub(crate) fn is_as_described(method: &Method, path: &str, answer: &Answer) {
    let fits = |known: &str| {
        let (known, given): (Vec<&str>, Vec<&str>) = (known.split('/').collect(), path.split('/').collect());
        let same =
            |(known, given): (&&str, &&str)| known.starts_with('{') && !given.is_empty() || known == given;
        known.len() == given.len() && known.iter().zip(&given).all(same)
    };
    let paths = DESCRIPTION["paths"].as_object().unwrap();
    // Of two that fit, the one with fewer braces is meant, as the router has it.
    let found =
        paths.iter().filter(|(known, _)| fits(known)).min_by_key(|(known, _)| known.matches('{').count());
    let operation = found.and_then(|(_, item)| item.get(method.as_str().to_lowercase()));
    let Some(operation) = operation else {
        let failure = &DESCRIPTION["components"]["responses"]["Failure"];
        assert!([404, 405].contains(&answer.status.as_u16()), "{method} {path}: {answer:?}");
        return has_content(failure, &format!("{method} {path}"), answer);
    };
    let responses = operation["responses"].as_object().unwrap();
    let status = answer.status.as_u16().to_string();
    assert!(
        answer.status.is_client_error() || answer.status.is_server_error() || responses.contains_key(&status)
    );
    let response = resolved(responses.get(&status).unwrap_or(&responses["default"]));
    has_content(response, &format!("{method} {path}"), answer);
    if [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&answer.status)
        && answer.text.contains("token")
    {
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{method} {path}: {answer:?}");
    }
}

fn has_content(response: &Value, what: &str, answer: &Answer) {
    let Some(content) = response.get("content").and_then(Value::as_object) else {
        assert_eq!(answer.text, "", "{what}: nothing is described");
        return;
    };
    let kind = answer.header("content-type").split(';').next().unwrap().to_owned();
    let schema = content.get(&kind).unwrap_or_else(|| panic!("{what}: {kind} is not described: {answer:?}"));
    let body: Value =
        serde_json::from_str(&answer.text).unwrap_or_else(|_| panic!("{what}: no JSON: {answer:?}"));
    if let Err(wrong) = valid(&schema["schema"], &body, "$") {
        panic!("{what}: {wrong}: {body}");
    }
}

/// The part of JSON Schema 2020-12 that the description uses. Another keyword is a panic: it would be looked at by nobody.
fn valid(schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let schema = resolved(schema).as_object().unwrap();
    let none = Map::new();
    let (members, list) = (value.as_object().unwrap_or(&none), value.as_array());
    let length = || value.as_str().map(|text| text.chars().count() as u64);
    let number = |limit: &Value| Some((value.as_i64()?, limit.as_i64().unwrap()));
    for (keyword, wanted) in schema {
        let good = match keyword.as_str() {
            "description" | "example" | "default" => true,
            "type" => match wanted.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "integer" => value.is_i64(),
                "boolean" => value.is_boolean(),
                "null" => value.is_null(),
                other => panic!("the type {other}"),
            },
            "enum" => wanted.as_array().unwrap().contains(value),
            "required" => {
                wanted.as_array().unwrap().iter().all(|name| members.contains_key(name.as_str().unwrap()))
            }
            "properties" => {
                let wanted = wanted.as_object().unwrap();
                for (name, member) in members {
                    if let Some(schema) = wanted.get(name) {
                        valid(schema, member, &format!("{at}.{name}"))?;
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
                for (name, member) in members.iter().filter(|(name, _)| !known.contains_key(*name)) {
                    if wanted == false {
                        return Err(format!("{at}.{name} is not described"));
                    }
                    valid(wanted, member, &format!("{at}.{name}"))?;
                }
                true
            }
            "items" => {
                for (i, one) in list.into_iter().flatten().enumerate() {
                    valid(wanted, one, &format!("{at}[{i}]"))?;
                }
                true
            }
            "oneOf" => {
                wanted.as_array().unwrap().iter().filter(|one| valid(one, value, at).is_ok()).count() == 1
            }
            "maxItems" => list.is_none_or(|list| list.len() as u64 <= wanted.as_u64().unwrap()),
            "minItems" => list.is_none_or(|list| list.len() as u64 >= wanted.as_u64().unwrap()),
            "minLength" => length().is_none_or(|length| length >= wanted.as_u64().unwrap()),
            "maxLength" => length().is_none_or(|length| length <= wanted.as_u64().unwrap()),
            "minimum" => number(wanted).is_none_or(|(number, least)| number >= least),
            "maximum" => number(wanted).is_none_or(|(number, most)| number <= most),
            "format" => value.as_str().is_none_or(|text| match wanted.as_str().unwrap() {
                "date-time" => text.contains('T') && text.parse::<jiff::Timestamp>().is_ok(),
                "date" => text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
                "uri-reference" => text.parse::<axum::http::Uri>().is_ok(),
                other => panic!("the format {other}"),
            }),
            // The one pattern is that of an id.
            "pattern" => {
                value.as_str().is_none_or(|text| kaname_codec::b64::url_decode_array::<16>(text).is_ok())
            }
            other => panic!("{at}: nobody looks at the keyword {other}"),
        };
        if !good {
            return Err(format!("{at} breaks {keyword}: {wanted}"));
        }
    }
    Ok(())
}

#[test]
fn what_looks_at_answers_sees_what_is_wrong_with_them() {
    let schema = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    for (good, name, value) in [
        (true, "EventPage", json!({ "events": [], "next": 0 })),
        (
            true,
            "EventPage",
            json!({ "events": [{ "n": 1, "id": "x", "topic": "life.death", "at": "2026-10-01T09:00:00Z", "personId": "p" }], "next": 1 }),
        ),
        (
            false,
            "EventPage",
            json!({ "events": [{ "n": 1, "id": "x", "topic": "life.death", "at": "2026-10-01", "personId": "p" }], "next": 1 }),
        ),
        (
            false,
            "EventPage",
            json!({ "events": [{ "n": 1, "id": "x", "topic": "life.death", "at": "2026-10-01T09:00:00Z" }], "next": 1 }),
        ),
        (false, "EventPage", json!({ "events": [], "next": -1 })),
        (false, "EventPage", json!({ "events": [] })),
        (
            true,
            "Attributes",
            json!({ "firstName": "x", "ageOver18": true, "uin": { "code": 403, "message": "no" } }),
        ),
        (false, "Attributes", json!({ "firstName": 1 })),
        (false, "Attributes", json!({ "uin": { "code": 500, "message": "no" } })),
        (true, "Notices", json!({ "notices": [], "next": null })),
        (false, "Notices", json!({ "notices": [], "next": "" })),
        (false, "RecordState", json!({ "reference": "x", "state": "found" })),
        (false, "RecordState", json!({ "reference": "x", "state": "linked", "name": "x" })),
    ] {
        assert_eq!(valid(&schema(name), &value, "$").is_ok(), good, "{name} {value}");
    }
}

#[tokio::test]
async fn the_document_is_served_and_the_errors_of_the_interface_have_one_form() {
    let world = World::new();
    let anybody = Request::builder().uri("/v1/openapi.json").body(Body::empty()).unwrap();
    let answer = world.send(anybody).await;
    assert_eq!((answer.status, &value(&answer)), (StatusCode::OK, &*DESCRIPTION));

    let party = register(&world, "health-fund", SCOPES);
    let all = token(&world.app.signin, &party, &SCOPES.join(" "), 0);
    let narrow = token(&world.app.signin, &party, "pr.person.read", 0);
    let mut refused = BTreeSet::new();
    for (token, method, path, status, code) in [
        ("", "GET", "/v1/events", 401, "token-missing"),
        ("abc", "GET", "/v1/events", 401, "token-unknown"),
        (&narrow, "GET", "/v1/events", 403, "scope-insufficient"),
        (&all, "GET", "/v1/events?after=-1", 400, "malformed-request"),
        (&all, "GET", "/v1/events?after=", 400, "malformed-request"),
        (&all, "GET", "/v1/events?after=1&after=2", 400, "malformed-request"),
        (&all, "GET", "/v1/events?limit=0", 400, "malformed-request"),
        (&all, "GET", "/v1/events?limit=101", 400, "malformed-request"),
        (&all, "GET", "/v1/links/notices?limit=101", 400, "malformed-request"),
        (&all, "GET", "/v1/links/notices?after=x", 400, "malformed-request"),
        (&all, "GET", "/v1/links/health-insurer/lists/x?offset=-1", 400, "malformed-request"),
        (&all, "GET", "/v1/links/health-insurer/records/x", 404, "no-such-link"),
        (&all, "GET", "/v1/links/pension/records/x", 403, "not-for-agency"),
        (&all, "POST", "/v1/links/health-insurer/lists", 415, "wrong-media-type"),
        (&all, "POST", "/v1/links/health-insurer/records/x/issued", 400, "malformed-request"),
        (&all, "POST", "/v1/events", 405, "wrong-method"),
        (&all, "GET", "/v1/nothing", 404, "not-found"),
    ] {
        let answer = call(&world, token, method.parse().unwrap(), path, Some(&json!({}))).await;
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}: {answer:?}");
        let problem = value(&answer);
        assert_eq!(
            (problem["status"].as_u64(), problem["code"].as_str()),
            (Some(status), Some(code)),
            "{path}"
        );
        assert_eq!(problem["type"], format!("/errors/{code}"));
        refused.insert(code);
    }
    assert!(refused.len() >= 9, "{refused:?}");
}

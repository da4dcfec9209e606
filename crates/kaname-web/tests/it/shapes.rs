//! Documents that break OSIA's schemas: the answer names the part that is wrong, and nothing of them is kept.

use axum::http::{Method, StatusCode};
use kaname_signin::client_token::SCOPES;
use serde_json::{Value, json};

use crate::agency::{call, register, token, value};
use crate::world::World;

/// Parts that break the schema of an identity and of an enrolment, and what the answer names.
fn broken() -> Vec<(Value, &'static str)> {
    let face = |name: &str, value: Value| {
        let mut face = json!({ "biometricType": "FACE" });
        face[name] = value;
        json!({ "biometricData": [face] })
    };
    let paper = |part: Value| json!({ "documentData": [{ "documentType": "FORM", "parts": [part] }] });
    vec![
        (face("quality", json!(9_223_372_036_854_775_808_u64)), "biometricData[0].quality"),
        (face("width", json!(1.5)), "biometricData[0].width"),
        (face("compression", json!("GIF")), "biometricData[0].compression"),
        (face("imageRef", json!("a picture")), "biometricData[0].imageRef"),
        (face("captureDate", json!("2026-10-01 09:00:00Z")), "biometricData[0].captureDate"),
        (face("more", json!(1)), "biometricData[0]"),
        (face("missing", json!([{ "presence": "LOST" }])), "biometricData[0].missing[0].presence"),
        (json!({ "biometricData": [{}] }), "biometricData[0].biometricType"),
        (json!({ "biometricData": {} }), "biometricData"),
        (paper(json!({ "pages": [] })), "documentData[0].parts[0].pages"),
        (paper(json!({ "pages": ["1"] })), "documentData[0].parts[0].pages[0]"),
        (json!({ "documentData": [{ "documentType": "FORM", "parts": [] }] }), "documentData[0].parts"),
        (json!({ "encryption": { "type": "JWE" } }), "encryption.scope"),
        (json!({ "integrity": [{ "scope": "$", "alg": "SHA256", "hash": 1 }] }), "integrity[0].hash"),
        (json!({ "more": null }), "the document has a member"),
    ]
}

#[tokio::test]
async fn what_breaks_a_schema_is_named_and_nothing_of_it_is_kept() {
    let world = World::new();
    let party = register(&world, "civil-registry", SCOPES);
    let token = token(&world.app.signin, &party, &SCOPES.join(" "), 0);
    let ask = async |method: &str, path: &str, body: Option<&Value>| {
        call(&world, &token, method.parse().unwrap(), &format!("{path}?transactionId=1"), body).await
    };
    let (identity, enrolment) =
        ("/osia/pr/v1/persons/p-1/identities/birth", "/osia/enrollment/v1/enrollments/e-1");
    let alive = json!({ "status": "ACTIVE", "physicalStatus": "ALIVE" });
    assert_eq!(ask("POST", "/osia/pr/v1/persons/p-1", Some(&alive)).await.status, StatusCode::CREATED);
    let good =
        json!({ "identityType": "birth", "status": "CLAIMED", "clientData": "QUJD", "galleries": ["G"] });
    assert_eq!(ask("POST", identity, Some(&good)).await.status, StatusCode::CREATED);
    assert_eq!(ask("POST", enrolment, Some(&json!({}))).await.status, StatusCode::NO_CONTENT);

    let of_identities = [
        (json!({ "status": "claimed" }), "status"),
        (json!({ "clientData": "?" }), "clientData"),
        (json!({ "galleries": ["G", "G"] }), "galleries"),
        (json!({ "updatedDate": "2026-10-01" }), "updatedDate"),
    ];
    let of_enrolments =
        [(json!({ "status": "DONE" }), "status"), (json!({ "enrollmentType": 1 }), "enrollmentType")];
    let mut refused = 0;
    for (path, whole, parts) in [
        (identity, good.clone(), [broken(), of_identities.to_vec()].concat()),
        (enrolment, json!({}), [broken(), of_enrolments.to_vec()].concat()),
    ] {
        let before = ask("GET", path, None).await.text;
        for (part, named) in parts {
            let mut body = whole.clone();
            body.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
            for (method, path, body) in [
                ("PUT", path.to_owned(), &body),
                ("POST", format!("{path}-new"), &body),
                ("PATCH", path.to_owned(), &part),
            ] {
                let answer = ask(method, &path, Some(body)).await;
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{method} {path} {body}: {answer:?}");
                let told = value(&answer);
                assert_eq!(told["code"], 400, "{told}");
                let message = told["message"].as_str().unwrap();
                assert!(message.starts_with("malformed-request: the document"), "{message}");
                assert!(message.contains(named), "{named}: {message}");
                refused += 1;
            }
        }
        assert_eq!(ask("GET", path, None).await.text, before);
        let made = ask("GET", &format!("{path}-new"), None).await;
        assert_eq!(made.status, StatusCode::NOT_FOUND, "{made:?}");
    }
    assert_eq!(refused, 3 * (2 * broken().len() + 6));

    // What is not needed may be taken out; what is needed may not.
    let without = json!({ "clientData": null, "galleries": null });
    assert_eq!(ask("PATCH", identity, Some(&without)).await.status, StatusCode::NO_CONTENT);
    let shown = value(&ask("GET", identity, None).await);
    assert!(shown.get("clientData").is_none() && shown.get("galleries").is_none(), "{shown}");
    let answer = ask("PATCH", identity, Some(&json!({ "status": null }))).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
}

#[tokio::test]
async fn an_expression_is_what_osia_allows_to_the_letter() {
    let world = World::new();
    let party = register(&world, "civil-registry", SCOPES);
    let token = token(&world.app.signin, &party, &SCOPES.join(" "), 0);
    for path in ["/osia/pr/v1/persons", "/osia/enrollment/v1/enrollments", "/osia/data/v1/persons/1/verify"] {
        for (good, statement) in [
            (true, json!({ "attributeName": "height", "operator": ">", "value": "180" })),
            (true, json!({ "attributeName": "height", "operator": ">", "value": 180.5 })),
            (false, json!({ "attributeName": "height", "operator": ">", "value": 180 })),
            (false, json!({ "attributeName": "height", "operator": ">", "value": 180.0 })),
            (false, json!({ "attributeName": "height", "operator": ">", "value": null })),
            (false, json!({ "attributeName": "height", "operator": "~", "value": "180" })),
            (false, json!({ "attributeName": "height", "operator": ">", "value": "180", "more": 1 })),
            (false, json!({ "attributeName": 1, "operator": ">", "value": "180" })),
        ] {
            let asked = format!("{path}?transactionId=1");
            let answer = call(&world, &token, Method::POST, &asked, Some(&json!([statement]))).await;
            let is_read = answer.status != StatusCode::BAD_REQUEST;
            assert_eq!(is_read, good, "{path} {statement}: {answer:?}");
        }
    }
}

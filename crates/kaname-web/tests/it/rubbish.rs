//! Rubbish on every route: never a failure of ours, never somebody else's data, always in the right form.

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use kaname_signin::client_token::SCOPES;
use kaname_web::http::routes::{Who, table};
use proptest::test_runner::{Config, TestRunner};
use proptest::{collection, prelude::any};

use crate::routes::concrete;
use crate::world::{Answer, Browser, ISSUER, World};

const BODIES: &[(&str, &[u8])] = &[
    ("application/x-www-form-urlencoded", b""),
    ("application/x-www-form-urlencoded", b"%"),
    ("application/x-www-form-urlencoded", b"a=%zz"),
    ("application/x-www-form-urlencoded", b"csrf=\xff\xfe"),
    ("application/x-www-form-urlencoded", b"csrf=%00"),
    ("application/x-www-form-urlencoded", b"csrf=1&csrf=2&letter=1&letter=2"),
    (
        "application/x-www-form-urlencoded",
        b"next=AAAA&letter=KN4T7P2X93QM&code=AAAAAAAAAAAA&first=AAA&second=AAA",
    ),
    ("application/x-www-form-urlencoded", b"run=run_1&programme=x&people=-1&total=99999999999999999999"),
    ("application/json", b"{\"a\":"),
    ("multipart/form-data; boundary=x", b"--x\r\n"),
    ("", b"a=b"),
];

#[tokio::test]
async fn rubbish_is_refused_on_every_route() {
    let world = World::new();
    let browsers = [
        Browser::default(),
        world.signed_in(&world.hanako.passkey).await,
        world.signed_in(&world.registrar).await,
        world.signed_in(&world.payer).await,
    ];
    let mut sent = 0;
    for route in table() {
        for (browser, (kind, body)) in
            browsers.iter().flat_map(|browser| BODIES.iter().map(move |body| (browser, body)))
        {
            let path = concrete(route.path);
            let query = String::from_utf8_lossy(body).replace(|c: char| !c.is_ascii_graphic(), "%ff");
            let address = if route.method == Method::GET { format!("{path}?{query}") } else { path };
            let Ok(uri) = address.parse::<axum::http::Uri>() else { continue };
            let request = browser.request(route.method.clone(), &uri.to_string());
            let request = if kind.is_empty() { request } else { request.header(header::CONTENT_TYPE, *kind) };
            let answer = world.send(request.body(Body::from(body.to_vec())).unwrap()).await;
            check(&format!("{route} {kind} {:?}", String::from_utf8_lossy(body)), &answer);
            sent += 1;
        }
    }
    assert!(sent > 1_000, "only {sent} requests");
}

/// What an agency's system might send, with a token that holds.
const DOCUMENTS: &[&str] = &[
    "",
    "null",
    "[]",
    "{}",
    "\"a\"",
    "{\"a\":1,\"a\":2}",
    "[{\"attributeName\":\"firstName\",\"operator\":\"~\",\"value\":null}]",
    "[{\"attributeName\":\"\",\"operator\":\"=\",\"value\":1e999}]",
    "{\"firstName\":[[[[]]]],\"uin\":-1}",
    "{\"biographicData\":{\"firstName\":\"\\u0000\"},\"status\":\"FINALIZED\"}",
    "{\"header\":1,\"message\":{\"search_request\":[{}]}}",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "{\"a\":\"\\ud800\"}",
];

#[tokio::test]
async fn an_agency_that_sends_rubbish_is_refused() {
    let world = World::new();
    let party = crate::agency::register(&world, "pension-office", SCOPES);
    let token = crate::agency::token(&world.app.signin, &party, &SCOPES.join(" "), 0);
    let queries = [
        "",
        "?transactionId=",
        "?transactionId=1&offset=-1&limit=999999999999999999999",
        "?attributeNames=%00",
    ];
    let mut sent = 0;
    for route in table().iter().filter(|route| matches!(route.who, Who::Agency(_))) {
        for who in
            ["x", "%E5%90%8D", "%00", "AAAAAAAAAAAAAAAAAAAAAA", "123456789018", "..%2f..", "%27%20OR%201=1"]
        {
            let path = route.path.split('/').map(|part| if part.starts_with('{') { who } else { part });
            let path = path.collect::<Vec<_>>().join("/");
            // Each document once, with one query or another; where no body is read, each query once.
            let reads = ![Method::GET, Method::DELETE].contains(&route.method);
            let some = if reads { DOCUMENTS } else { &DOCUMENTS[..queries.len()] };
            for (at, document) in some.iter().enumerate() {
                let (query, kind) =
                    (queries[at % queries.len()], if at % 5 == 4 { "" } else { "application/json" });
                let mut request = axum::http::Request::builder()
                    .method(route.method.clone())
                    .uri(format!("{path}{query}"))
                    .header(header::AUTHORIZATION, format!("Bearer {token}"));
                if !kind.is_empty() {
                    request = request.header(header::CONTENT_TYPE, kind);
                }
                let answer = world.send(request.body(Body::from(*document)).unwrap()).await;
                check(&format!("{route} {path}{query} {kind} {document:?}"), &answer);
                sent += 1;
            }
        }
    }
    assert!(sent > 1_000, "only {sent} requests");
}

#[tokio::test]
async fn signed_in_rubbish_with_a_good_token_is_refused_too() {
    let world = World::new();
    let mut hanako = world.signed_in(&world.hanako.passkey).await;
    let token = hanako.get(&world, "/my/number").await.form("/my/number")[0].1.clone();
    for (path, field) in [
        ("/my/signins/end", "session"),
        ("/my/services/end", "consent"),
        ("/consent", "request"),
        ("/my/number/aliases", "kind"),
        ("/my/number/aliases", "request"),
        ("/my/number/aliases/end", "alias"),
        ("/my/number/lock", "lock"),
    ] {
        for value in ["", "AAAA", "AAAAAAAAAAAAAAAAAAAAAA", "名", "%", "../..", "' OR 1=1 --"] {
            let fields = [("csrf", token.as_str()), (field, value), ("decision", "allow")]
                .map(|(n, v)| (n.to_owned(), v.to_owned()));
            let answer = hanako.post(&world, path, &fields).await;
            assert!(answer.status.is_client_error(), "{path} {value}: {answer:?}");
            check(path, &answer);
        }
    }
}

#[test]
fn random_bytes_never_make_us_fail() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = World::new();
    let routes = table();
    let mut runner = TestRunner::new(Config { cases: 256, failure_persistence: None, ..Config::default() });
    let strategy = (any::<proptest::sample::Index>(), collection::vec(any::<u8>(), 0..200));
    let outcome = runner.run(&strategy, |(at, bytes)| {
        let route = &routes[at.index(routes.len())];
        let query: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
        let path = format!("{}?a={query}&{query}=1", concrete(route.path));
        let request = Browser::default()
            .request(route.method.clone(), &path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(bytes.clone()))
            .unwrap();
        let answer = runtime.block_on(world.send(request));
        check(&format!("{route} {bytes:?}"), &answer);
        Ok(())
    });
    outcome.unwrap();
}

#[tokio::test]
async fn a_form_that_is_too_large_is_refused_before_it_is_read() {
    let world = World::new();
    for (length, body) in [(Some("9999999999"), Vec::new()), (None, vec![b'a'; 70_000])] {
        let mut request = Browser::default()
            .request(Method::POST, "/signin/letter")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(length) = length {
            request = request.header(header::CONTENT_LENGTH, length);
        }
        let answer = world.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{answer:?}");
    }
}

#[tokio::test]
async fn no_address_leaves_the_folder_of_the_log() {
    let world = World::new();
    std::fs::create_dir_all(&world.app.log_folder).unwrap();
    std::fs::write(world.app.log_folder.join("checkpoint"), "the head").unwrap();
    std::fs::write(world.app.log_folder.join("secret"), "not yours").unwrap();
    assert_eq!(world.send(get("/log/checkpoint")).await.text, "the head");
    for path in [
        "/log/tile/../secret",
        "/log/tile/..%2fsecret",
        "/log/tile/%2e%2e/%2e%2e/keys/master.key",
        "/log/secret",
        "/log/tile/0/000/../../../secret",
        "/log/tile//etc/passwd",
        "/log/tile/0/0",
        "/log/../keys/master.key",
        "/assets/../../Cargo.toml",
        "/assets/..%2f..%2fCargo.toml",
    ] {
        let answer = world.send(get(path)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn no_link_of_a_page_leads_where_the_address_says() {
    let world = World::new();
    for path in ["//evil.example/x", "///evil.example", "/\\evil.example", "//evil.example?a=1"] {
        let answer = world.send(get(path)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.text.contains("?lang=") || answer.text.contains("&#38;lang="), "{path}");
        assert!(!answer.text.contains("evil"), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn no_page_of_rejects_lies_behind_the_last_one() {
    let world = World::new();
    let note = kaname_web::ImportNote {
        id: "a".to_owned(),
        file: "a.csv".to_owned(),
        at_micros: 0,
        by: "x".to_owned(),
        state: "finished".to_owned(),
        added: 0,
        unchanged: 0,
        rejected: 0,
    };
    note.write(&world.app.imports_folder).unwrap();
    let mut registrar = world.signed_in(&world.registrar).await;
    assert_eq!(registrar.get(&world, "/office/imports/a").await.status, StatusCode::OK);
    for page in ["0", "2", "184467440737095517", "18446744073709551615", "99999999999999999999", "-1"] {
        let answer = registrar.get(&world, &format!("/office/imports/a?page={page}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{page}");
    }
}

#[tokio::test]
async fn what_is_not_there_and_what_is_done_wrongly_is_told_in_the_callers_form() {
    let world = World::new();
    let page = world.send(get("/nowhere")).await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (StatusCode::NOT_FOUND, "text/html; charset=utf-8")
    );
    let wants = |path: &str, method: Method| {
        let request = axum::http::Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT, "application/json");
        request.body(Body::empty()).unwrap()
    };
    for (path, method, status, code) in [
        ("/nowhere", Method::GET, StatusCode::NOT_FOUND, "not-found"),
        ("/home", Method::DELETE, StatusCode::METHOD_NOT_ALLOWED, "wrong-method"),
        ("/home", Method::GET, StatusCode::UNAUTHORIZED, "signed-out"),
        ("/signin/letter", Method::POST, StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong-media-type"),
        ("/errors/no-such-code", Method::GET, StatusCode::NOT_FOUND, "not-found"),
    ] {
        let answer = world.send(wants(path, method)).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (status, "application/problem+json"),
            "{path}"
        );
        let document: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
        assert_eq!(document["code"], code, "{path}");
        assert_eq!(document["type"], format!("/errors/{code}"));
        assert!(document["trace"].as_str().unwrap().starts_with("trc_"));
        let explained = world.send(get(&format!("/errors/{code}"))).await;
        assert_eq!(explained.status, StatusCode::OK);
        assert!(explained.text.contains(code));
    }
    let oauth = axum::http::Request::builder()
        .method(Method::POST)
        .uri("/token")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from("grant_type=authorization_code&code=x"))
        .unwrap();
    let answer = world.send(oauth).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (StatusCode::UNAUTHORIZED, "application/json")
    );
    let document: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(document["error"], "invalid_client");
    assert!(
        !answer.headers.contains_key(header::WWW_AUTHENTICATE),
        "a proof in the form has no scheme of HTTP"
    );
}

fn get(path: &str) -> axum::http::Request<Body> {
    Browser::default().request(Method::GET, path).body(Body::empty()).unwrap()
}

/// What must hold of every answer.
pub(crate) fn check(what: &str, answer: &Answer) {
    assert!(!answer.status.is_server_error(), "{what}: {answer:?}");
    let kind = answer.header("content-type");
    if answer.status.is_client_error() {
        let known = ["text/html; charset=utf-8", "application/problem+json", "application/json"];
        assert!(known.contains(&kind), "{what}: {kind}");
    }
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
    assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{what}");
    assert_eq!(answer.header("referrer-policy"), "same-origin", "{what}");
    assert!(!answer.header("cache-control").is_empty(), "{what}");
    let location = answer.location();
    let ours = location.is_empty() || (location.starts_with('/') && !location.starts_with("//"));
    assert!(ours || location.starts_with(ISSUER), "{what} leads to {location}");
}

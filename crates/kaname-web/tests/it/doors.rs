//! The door of the office: a passkey opens it, and a letter on paper is the way to one.

use axum::http::{Method, StatusCode};
use kaname_signin::bench::Authenticator;
use kaname_signin::{Holder, letter};
use kaname_trust::Actor;
use kaname_web::http::routes::{Who, table};

use crate::html::read;
use crate::routes::concrete;
use crate::world::{Answer, Browser, ISSUER, World, env, passkey_fields};

/// The fields of the page that offers a passkey, answered by a new one.
fn new_passkey(page: &Answer) -> (Authenticator, Vec<(String, String)>) {
    let elements = read(&page.text).unwrap();
    let brought = elements.iter().find_map(|element| element.get("data-options")).expect("options");
    let options: serde_json::Value = serde_json::from_str(&crate::world::plain(brought)).unwrap();
    let (passkey, answer) = Authenticator::create(&options, ISSUER);
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut fields = page.form("/office/activate/passkey");
    fields.retain(|(name, _)| name == "csrf");
    for (name, value) in [
        ("credential_id", &answer["id"]),
        ("client_data_json", &answer["response"]["clientDataJSON"]),
        ("attestation_object", &answer["response"]["attestationObject"]),
    ] {
        fields.push((name.to_owned(), text(value)));
    }
    (passkey, fields)
}

#[tokio::test]
async fn a_letter_opens_the_way_to_a_passkey_and_nothing_else_of_the_office() {
    let world = World::new();
    let by = Actor::officer("off", "administrator");
    let printed = letter::issue(&world.app.signin, &env(), &by, Holder::Officer(world.newcomer)).unwrap();
    let mut browser = Browser::default();
    let page = browser.get(&world, "/activate").await;
    let fields = [("letter", printed.number.as_str()), ("code", printed.code.as_str())];
    let activated = browser.fill(&world, &page, "/activate", &fields).await;
    assert_eq!(activated.location(), "/office/activate/passkey", "{}", activated.text);

    // With the letter's code in hand, each route of the office is shut but the way in.
    let offer = browser.get(&world, "/office/activate/passkey").await;
    assert!(!offer.text.contains("no-passkey"), "nobody goes on without: {}", offer.text);
    let csrf = offer.form("/office/signout")[0].1.clone();
    let mut shut = 0;
    for route in table() {
        if !matches!(route.who, Who::Officer(_) | Who::AtCounter(_)) {
            continue;
        }
        let answer = match route.method {
            Method::GET => browser.get(&world, &concrete(route.path)).await,
            _ => browser.post(&world, &concrete(route.path), &[("csrf".to_owned(), csrf.clone())]).await,
        };
        match route.method {
            Method::GET => assert_eq!(answer.location(), "/office/activate/passkey", "{route}: {answer:?}"),
            _ => assert!(
                answer.status == StatusCode::FORBIDDEN && answer.text.contains("passkey-needed"),
                "{route}: {answer:?}"
            ),
        }
        shut += 1;
    }
    assert!(shut > 15, "only {shut} routes");
    let decline = [("csrf".to_owned(), csrf.clone())];
    let declined = browser.post(&world, "/office/activate/no-passkey", &decline).await;
    assert_eq!(declined.status, StatusCode::FORBIDDEN, "{}", declined.text);

    // She makes a passkey, and signs in with it.
    let (passkey, fields) = new_passkey(&offer);
    let kept = browser.post(&world, "/office/activate/passkey", &fields).await;
    assert_eq!(kept.location(), "/signin?then=/office", "{}", kept.text);
    assert!(browser.cookie("kaname_office").is_none(), "the letter's session has ended");
    let page = browser.get(&world, "/signin?then=/office").await;
    assert!(!page.text.contains("/signin/letter"), "the letter is no way in: {}", page.text);
    let signed_in = browser.post(&world, "/signin/passkey", &passkey_fields(&page, &passkey)).await;
    assert_eq!(signed_in.location(), "/office", "{}", signed_in.text);
    assert_eq!(browser.get(&world, "/office").await.status, StatusCode::OK);

    // The grid of the same letter, on a page that leads elsewhere, makes a session that the office does not know.
    let mut thief = Browser::default();
    let page = thief.get(&world, "/signin").await;
    let squares = thief.fill(&world, &page, "/signin/letter", &[("letter", &printed.number)]).await;
    assert_eq!(squares.status, StatusCode::OK, "{}", squares.text);
    let labels: Vec<&str> = squares.text.split("<label for=\"").skip(1).collect();
    let code = |label: &&str| {
        let text = label.split('>').nth(1).unwrap().split('<').next().unwrap();
        let at = text.find(|c: char| c.is_ascii_uppercase()).unwrap();
        let square = &text.as_bytes()[at..at + 2];
        printed.grid[usize::from(square[1] - b'1')][usize::from(square[0] - b'A')].clone()
    };
    let (first, second) = (code(&labels[0]), code(&labels[1]));
    let entered =
        thief.fill(&world, &squares, "/signin/code", &[("first", &first), ("second", &second)]).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.text);
    for path in ["/office", "/office/find", "/office/register", "/office/activate/passkey"] {
        let answer = thief.get(&world, path).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}: {}", answer.text);
    }
}

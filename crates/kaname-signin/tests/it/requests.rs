//! The request for authorization: each test breaks one thing, and says where the refusal goes.

use kaname_signin::authorize::{self, Step};
use kaname_signin::{Parameters, Refusal, SigninError};

use crate::world::{ISSUER, Journey, NOW, World, answer, env, refusal, set};
use kaname_testkit::{TestStore, on_every_store};

on_every_store!(
    a_pushed_request_is_checked,
    a_refusal_goes_back_to_the_party_with_state_and_issuer,
    a_refusal_stays_on_our_page_when_the_way_back_is_not_certain,
    a_strict_party_must_push,
    what_is_not_understood_and_harmless_is_ignored,
);

/// One parameter changed (empty: left out), and the rule that it breaks.
const BROKEN: &[(&str, &str, Refusal)] = &[
    ("request", "eyJhbGciOiJub25lIn0..", Refusal::RequestObject),
    ("claims", "{}", Refusal::ClaimsParameter),
    ("response_type", "", Refusal::ResponseType),
    ("response_type", "token", Refusal::ResponseType),
    ("response_type", "code id_token", Refusal::ResponseType),
    ("response_mode", "fragment", Refusal::ResponseMode),
    ("response_mode", "form_post", Refusal::ResponseMode),
    ("scope", "", Refusal::ScopeWithoutOpenid),
    ("scope", "name", Refusal::ScopeWithoutOpenid),
    ("scope", "openid address", Refusal::ScopeNotRegistered),
    ("scope", "openid offline_access", Refusal::ScopeNotRegistered),
    ("code_challenge", "", Refusal::PkceMissing),
    ("code_challenge_method", "", Refusal::PkceMethod),
    ("code_challenge_method", "plain", Refusal::PkceMethod),
    ("code_challenge", "short", Refusal::PkceForm),
    ("prompt", "create", Refusal::PromptUnknown),
    ("prompt", "none login", Refusal::PromptUnknown),
    ("max_age", "-1", Refusal::MaxAge),
    ("max_age", "soon", Refusal::MaxAge),
];

fn a_pushed_request_is_checked(t: &TestStore) {
    let (world, journey) = (World::on(t), Journey::new());
    let uri_rules = [
        ("redirect_uri", "", Refusal::RedirectUriMissing),
        ("redirect_uri", "https://strict.example/callback/", Refusal::RedirectUriUnknown),
        ("redirect_uri", "https://strict.example/callback?x=1", Refusal::RedirectUriUnknown),
        ("redirect_uri", "https://plain.example/callback", Refusal::RedirectUriUnknown),
        ("request_uri", "urn:ietf:params:oauth:request_uri:x", Refusal::RequestUriNotAllowed),
    ];
    for (name, value, expected) in BROKEN.iter().chain(&uri_rules) {
        let answer = world.push(&journey, |pairs| set(pairs, name, value));
        assert_eq!(refusal(answer), *expected, "{name} = {value}");
    }
    let twice = world.push(&journey, |pairs| pairs.push(("scope".to_owned(), "openid".to_owned())));
    assert_eq!(refusal(twice), Refusal::ParameterRepeated);
    let long = world.push(&journey, |pairs| set(pairs, "state", &"s".repeat(2_049)));
    assert_eq!(refusal(long), Refusal::ParameterTooLong);
}

fn start(world: &World, change: impl FnOnce(&mut Vec<(String, String)>)) -> Result<Step, SigninError> {
    let journey = Journey::new();
    let mut pairs = world.plain.request(&journey.verifier);
    change(&mut pairs);
    authorize::start(&world.provider, &env(NOW), &Parameters::read(pairs)?, &journey.browser, None)
}

fn a_refusal_goes_back_to_the_party_with_state_and_issuer(t: &TestStore) {
    let world = World::on(t);
    for (name, value, expected) in BROKEN {
        let back = answer(start(&world, |pairs| set(pairs, name, value)).unwrap());
        assert_eq!(back["error"], expected.oauth(), "{name} = {value}");
        assert_eq!(back["error_description"], expected.to_string());
        assert_eq!(back["state"], "a state of the party's");
        assert_eq!(back["iss"], ISSUER);
    }
}

fn a_refusal_stays_on_our_page_when_the_way_back_is_not_certain(t: &TestStore) {
    let world = World::on(t);
    for (name, value, expected) in [
        ("client_id", "", Refusal::UnknownClient),
        ("client_id", "nobody", Refusal::UnknownClient),
        ("redirect_uri", "", Refusal::RedirectUriMissing),
        ("redirect_uri", "https://evil.example/callback", Refusal::RedirectUriUnknown),
        ("redirect_uri", "https://plain.example/CALLBACK", Refusal::RedirectUriUnknown),
        ("redirect_uri", "https://plain.example:443/callback", Refusal::RedirectUriUnknown),
    ] {
        let answer = start(&world, |pairs| set(pairs, name, value));
        assert_eq!(refusal(answer), expected, "{name} = {value}");
    }
}

fn a_strict_party_must_push(t: &TestStore) {
    let (world, journey) = (World::on(t), Journey::new());
    let parameters = Parameters::read(world.strict.request(&journey.verifier)).unwrap();
    let step = authorize::start(&world.provider, &env(NOW), &parameters, &journey.browser, None).unwrap();
    assert_eq!(answer(step)["error_description"], Refusal::MustPush.to_string());
}

fn what_is_not_understood_and_harmless_is_ignored(t: &TestStore) {
    let world = World::on(t);
    for (name, value) in [
        ("login_hint", "<script>alert(1)</script>"),
        ("acr_values", "urn:unknown"),
        ("ui_locales", "ja en"),
        ("display", "popup"),
        ("response_mode", "query"),
        ("x", "y"),
    ] {
        let step = start(&world, |pairs| set(pairs, name, value)).unwrap();
        assert!(matches!(step, Step::SignIn(_)), "{name}");
    }
}

#[test]
fn every_refusal_has_a_code_of_its_own() {
    let mut codes: Vec<&str> = Refusal::ALL.iter().map(|refusal| refusal.code()).collect();
    codes.sort_unstable();
    let count = codes.len();
    codes.dedup();
    assert_eq!(codes.len(), count);
    assert!(codes.iter().all(|code| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
}

//! The whole way, on every store; and that each step is bound to its browser, its person and its turn.

use kaname_codec::jose::{JwkSet, Unverified};
use kaname_signin::authorize::{self, Browser};
use kaname_signin::{Level, Parameters, Refusal, Step, consent, history, keys, sweep};
use kaname_testkit::{TestStore, on_every_store};

use crate::world::{
    ISSUER, Journey, NOW, World, answer, consent_page, env, payload, refusal, set, sign_in_page,
};

on_every_store!(
    a_sign_in_with_a_passkey_goes_through,
    a_second_party_knows_her_by_another_name,
    a_sweep_takes_only_what_is_over
);

fn a_sign_in_with_a_passkey_goes_through(t: &TestStore) {
    let (world, journey) = (World::on(t), Journey::new());
    let uri = world.push(&journey, |_| {}).unwrap();
    let page = sign_in_page(world.arrive(&journey, &uri).unwrap());
    assert_eq!(page.client.as_ref().unwrap().name("ja-JP"), "市立図書館");
    let signed = world.sign_in(&journey, &page, &world.hanako).unwrap();
    let page = consent_page(signed.step);
    let asked: Vec<&str> = page.asked.iter().map(|asked| asked.attribute.as_str()).collect();
    assert_eq!(asked, ["birth_date", "name"]);
    let back = answer(world.give(&journey, &page, &world.session(&signed.cookie)).unwrap());
    assert_eq!(back["state"], "a state of the party's");
    assert_eq!(back["iss"], ISSUER);
    let tokens = world.redeem(&journey, &back["code"]).unwrap();
    assert_eq!(tokens.scope, "openid birth_date name");

    let jwks = keys::jwks(&world.provider, &env(NOW)).unwrap();
    let jwks = JwkSet::from_value(&jwks).unwrap();
    let token = Unverified::parse(&tokens.id_token).unwrap();
    let claims = token.verify(jwks.find(token.header().kid.as_deref()).unwrap()).unwrap().into_inner();
    assert_eq!(claims["iss"], ISSUER);
    assert_eq!(claims["aud"], "strict");
    assert_eq!(claims["nonce"], "n-0S6_WzA2Mj");
    assert_eq!(claims["acr"], "urn:kaname:loa:2");
    assert_eq!(claims["auth_time"], NOW.seconds());
    assert_eq!(claims["exp"], NOW.seconds() + 300);
    assert!(claims["at_hash"].as_str().is_some_and(|hash| hash.len() == 22));
    let history = history::list(&world.provider, &env(NOW), &world.session(&signed.cookie)).unwrap();
    assert_eq!(history[0].party.as_deref(), Some("strict"));
    assert_eq!(history.len(), 2, "activation, and this sign-in once");
}

fn a_second_party_knows_her_by_another_name(t: &TestStore) {
    let world = World::on(t);
    let journey = Journey::new();
    let code = world.code(&journey, &world.hanako, |_| {});
    let first = payload(&world.redeem(&journey, &code).unwrap().id_token);

    let session = world.own_session(&world.hanako);
    let other = Journey::new();
    let parameters = Parameters::read(world.plain.request(&other.verifier)).unwrap();
    let step =
        authorize::start(&world.provider, &env(NOW), &parameters, &other.browser, Some(&session)).unwrap();
    let back = answer(world.give(&other, &consent_page(step), &session).unwrap());
    let second = world.redeem_as(&world.plain, &other, &back["code"], NOW, |_| {}).unwrap();
    let second = payload(&second.id_token);
    assert_ne!(first["sub"], second["sub"]);

    // What she agreed to is remembered: no page is shown, and the history says so.
    let again = Journey::new();
    let parameters = Parameters::read(world.plain.request(&again.verifier)).unwrap();
    let step =
        authorize::start(&world.provider, &env(NOW), &parameters, &again.browser, Some(&session)).unwrap();
    let back = answer(step);
    let third = world.redeem_as(&world.plain, &again, &back["code"], NOW, |_| {}).unwrap();
    assert_eq!(payload(&third.id_token)["sub"], second["sub"]);
    let line = &history::list(&world.provider, &env(NOW), &session).unwrap()[0];
    assert_eq!((line.party.as_deref(), line.new_session), (Some("plain"), false));

    // Taken back, it is asked again.
    let services = consent::services(&world.provider, &env(NOW), &session).unwrap();
    let service = services.iter().find(|service| service.client_id == "plain").unwrap();
    assert_eq!(service.attributes, ["birth_date", "name"]);
    consent::disconnect(&world.provider, &session, &service.reference).unwrap();
    let anew = Journey::new();
    let parameters = Parameters::read(world.plain.request(&anew.verifier)).unwrap();
    let step =
        authorize::start(&world.provider, &env(NOW), &parameters, &anew.browser, Some(&session)).unwrap();
    consent_page(step);
    assert_eq!(
        refusal(consent::disconnect(&world.provider, &session, &service.reference)),
        Refusal::NoSuchService
    );
}

fn a_sweep_takes_only_what_is_over(t: &TestStore) {
    let world = World::on(t);
    let journey = Journey::new();
    let uri = world.push(&journey, |_| {}).unwrap();
    assert_eq!(sweep::sweep(&world.provider, &env(NOW)).unwrap(), 0);
    world.arrive(&journey, &uri).unwrap();
    let later = NOW.plus_seconds(3 * 3_600);
    assert_eq!(sweep::sweep(&world.provider, &env(later)).unwrap(), 2, "the request and the assertion");
}

#[test]
fn a_request_uri_is_for_one_browser_and_one_sign_in() {
    let (world, journey) = (World::new(), Journey::new());
    let uri = world.push(&journey, |_| {}).unwrap();
    let first = sign_in_page(world.arrive(&journey, &uri).unwrap());
    // Loaded again in the same browser it goes on; in another one never.
    let second = sign_in_page(world.arrive(&journey, &uri).unwrap());
    let other = Journey { browser: Browser::new(), verifier: journey.verifier.clone() };
    assert_eq!(refusal(world.arrive(&other, &uri)), Refusal::RequestUriUnknown);
    let signed = world.sign_in(&journey, &second, &world.hanako).unwrap();
    let session = world.session(&signed.cookie);
    let back = answer(world.give(&journey, &consent_page(signed.step), &session).unwrap());

    // It has had its answer (FAPI 2.0 section 5.3.2.2, note: once at the point of authorization). Neither the page that waits in another
    // tab, nor the address with or without her session, leads to another one.
    assert_eq!(refusal(world.sign_in(&journey, &first, &world.hanako)), Refusal::InteractionStep);
    assert_eq!(refusal(world.arrive_with(&journey, &uri, Some(&session))), Refusal::InteractionStep);
    let again = sign_in_page(world.arrive(&journey, &uri).unwrap());
    assert_eq!(refusal(world.sign_in(&journey, &again, &world.hanako)), Refusal::InteractionStep);
    // Somebody else at the same browser may try: of all codes for one request, the first that is redeemed counts.
    let signed = world.sign_in(&journey, &again, &world.taro).unwrap();
    let session = world.session(&signed.cookie);
    let his = answer(world.give(&journey, &consent_page(signed.step), &session).unwrap());
    let tokens = world.redeem(&journey, &back["code"]).unwrap();
    assert_eq!(refusal(world.redeem(&journey, &his["code"])), Refusal::CodeUnknown);
    crate::disclosure::disclose(&world, &tokens.access_token).unwrap();
}

#[test]
fn a_request_uri_is_for_its_own_party_and_a_short_time() {
    let (world, journey) = (World::new(), Journey::new());
    let uri = world.push(&journey, |_| {}).unwrap();
    let as_plain = Parameters::read([("client_id", "plain"), ("request_uri", &uri)]).unwrap();
    let start = |parameters: &Parameters, now| {
        authorize::start(&world.provider, &env(now), parameters, &journey.browser, None)
    };
    assert_eq!(refusal(start(&as_plain, NOW)), Refusal::RequestUriUnknown);
    let as_strict = Parameters::read([("client_id", "strict"), ("request_uri", &uri)]).unwrap();
    assert_eq!(refusal(start(&as_strict, NOW.plus_seconds(90))), Refusal::RequestUriUnknown);
    let forged = [&uri[..uri.len() - 1], if uri.ends_with('A') { "E" } else { "A" }].concat();
    for bad in [forged.as_str(), "urn:ietf:params:oauth:request_uri:", "https://strict.example/request"] {
        assert_eq!(refusal(world.arrive(&journey, bad)), Refusal::RequestUriUnknown, "{bad}");
    }
    sign_in_page(start(&as_strict, NOW.plus_seconds(89)).unwrap());
}

#[test]
fn a_step_in_another_browser_is_refused() {
    let (world, journey, other) = (World::new(), Journey::new(), Journey::new());
    let uri = world.push(&journey, |_| {}).unwrap();
    let page = sign_in_page(world.arrive(&journey, &uri).unwrap());
    assert_eq!(refusal(world.sign_in(&other, &page, &world.taro)), Refusal::InteractionOfAnotherBrowser);
    let signed = world.sign_in(&journey, &page, &world.hanako).unwrap();
    let page = consent_page(signed.step);
    let session = world.session(&signed.cookie);
    assert_eq!(refusal(world.give(&other, &page, &session)), Refusal::InteractionOfAnotherBrowser);
    let refused = consent::refuse(&world.provider, &env(NOW), &page.handle, &other.browser, &session);
    assert_eq!(refusal(refused), Refusal::InteractionOfAnotherBrowser);
}

#[test]
fn a_step_is_taken_once() {
    let (world, journey) = (World::new(), Journey::new());
    let uri = world.push(&journey, |_| {}).unwrap();
    let page = sign_in_page(world.arrive(&journey, &uri).unwrap());
    let signed = world.sign_in(&journey, &page, &world.hanako).unwrap();
    assert_eq!(refusal(world.sign_in(&journey, &page, &world.hanako)), Refusal::InteractionStep);
    let page = consent_page(signed.step);
    let session = world.session(&signed.cookie);
    world.give(&journey, &page, &session).unwrap();
    assert_eq!(refusal(world.give(&journey, &page, &session)), Refusal::InteractionStep);
    let refused = consent::refuse(&world.provider, &env(NOW), &page.handle, &journey.browser, &session);
    assert_eq!(refusal(refused), Refusal::InteractionStep);
}

#[test]
fn refusing_consent_tells_the_party_and_ends_it() {
    let (world, journey) = (World::new(), Journey::new());
    let uri = world.push(&journey, |_| {}).unwrap();
    let page = sign_in_page(world.arrive(&journey, &uri).unwrap());
    let signed = world.sign_in(&journey, &page, &world.hanako).unwrap();
    let page = consent_page(signed.step);
    let session = world.session(&signed.cookie);
    let refuse = || consent::refuse(&world.provider, &env(NOW), &page.handle, &journey.browser, &session);
    let back = answer(refuse().unwrap());
    assert_eq!((back["error"].as_str(), back["iss"].as_str()), ("access_denied", ISSUER));
    assert_eq!(refusal(refuse()), Refusal::InteractionStep);
    assert_eq!(refusal(world.give(&journey, &page, &session)), Refusal::InteractionStep);
}

#[test]
fn prompt_and_max_age_are_obeyed() {
    let world = World::new();
    let session = world.own_session(&world.hanako);
    let arrive = |change: &[(&str, &str)], session| {
        let journey = Journey::new();
        let uri = world
            .push(&journey, |pairs| change.iter().for_each(|(name, value)| set(pairs, name, value)))
            .unwrap();
        world.arrive_with(&journey, &uri, session).unwrap()
    };
    assert_eq!(answer(arrive(&[("prompt", "none")], None))["error"], "login_required");
    assert_eq!(answer(arrive(&[("prompt", "none")], Some(&session)))["error"], "consent_required");
    sign_in_page(arrive(&[("prompt", "login")], Some(&session)));
    consent_page(arrive(&[], Some(&session)));

    let journey = Journey::new();
    world.code(&journey, &world.hanako, |_| {});
    assert!(answer(arrive(&[("prompt", "none")], Some(&session))).contains_key("code"));
    consent_page(arrive(&[("prompt", "consent")], Some(&session)));
    // Signed in ten minutes ago.
    let later = NOW.plus_seconds(600);
    let start = |max_age: &str| {
        let journey = Journey::new();
        let mut pairs = world.plain.request(&journey.verifier);
        set(&mut pairs, "max_age", max_age);
        let parameters = Parameters::read(pairs).unwrap();
        authorize::start(&world.provider, &env(later), &parameters, &journey.browser, Some(&session)).unwrap()
    };
    sign_in_page(start("599"));
    consent_page(start("600"));
}

#[test]
fn a_higher_level_asks_for_a_passkey() {
    let world = World::new();
    let journey = Journey::new();
    let uri = world.push(&journey, |pairs| set(pairs, "acr_values", "urn:kaname:loa:2")).unwrap();
    assert_eq!(sign_in_page(world.arrive(&journey, &uri).unwrap()).level, Level::Passkey);
    let uri = world.push(&journey, |pairs| set(pairs, "acr_values", "urn:other urn:kaname:loa:1")).unwrap();
    assert_eq!(sign_in_page(world.arrive(&journey, &uri).unwrap()).level, Level::Letter);
}

#[test]
fn a_session_that_ended_agrees_to_nothing() {
    let (world, journey) = (World::new(), Journey::new());
    let uri = world.push(&journey, |_| {}).unwrap();
    let page = sign_in_page(world.arrive(&journey, &uri).unwrap());
    let signed = world.sign_in(&journey, &page, &world.hanako).unwrap();
    let session = world.session(&signed.cookie);
    kaname_signin::session::end(&world.provider, &session).unwrap();
    let page = consent_page(signed.step);
    assert_eq!(refusal(world.give(&journey, &page, &session)), Refusal::SessionNeeded);
}

#[test]
fn a_sign_in_takes_a_quarter_of_an_hour_at_most() {
    let (world, journey) = (World::new(), Journey::new());
    let uri = world.push(&journey, |_| {}).unwrap();
    let page = sign_in_page(world.arrive(&journey, &uri).unwrap());
    let show = |now| authorize::show(&world.provider, &env(now), &page.handle, &journey.browser, None);
    assert!(matches!(show(NOW.plus_seconds(899)), Ok(Step::SignIn(_))));
    assert_eq!(refusal(show(NOW.plus_seconds(900))), Refusal::InteractionUnknown);
}

#[test]
fn keys_rotate_without_a_restart_and_old_tokens_still_verify() {
    let (world, journey) = (World::new(), Journey::new());
    let code = world.code(&journey, &world.hanako, |_| {});
    let old = world.redeem(&journey, &code).unwrap().id_token;
    let published = |now| {
        let jwks = keys::jwks(&world.provider, &env(now)).unwrap();
        JwkSet::from_value(&jwks).unwrap()
    };
    let kid = |token: &str| Unverified::parse(token).unwrap().header().kid.clone();
    assert_eq!(published(NOW).keys().count(), 2, "the next key is published before it signs");
    assert!(!keys::rotate(&world.provider, &env(NOW.plus_seconds(60))).unwrap(), "too early");
    let later = NOW.plus_seconds(keys::OVERLAP_SECONDS);
    let before = published(later);
    assert!(keys::rotate(&world.provider, &env(later)).unwrap());

    let journey = Journey::new();
    let code = world.code(&journey, &world.taro, |_| {});
    let new = world.redeem(&journey, &code).unwrap().id_token;
    assert_ne!(kid(&old), kid(&new));
    assert!(before.find(kid(&new).as_deref()).is_some());
    for token in [&old, &new] {
        let token = Unverified::parse(token).unwrap();
        assert!(token.verify(published(later).find(token.header().kid.as_deref()).unwrap()).is_ok());
    }
    for round in 2..4 {
        assert!(
            keys::rotate(&world.provider, &env(NOW.plus_seconds(round * 2 * keys::OVERLAP_SECONDS))).unwrap()
        );
    }
    assert!(published(later).find(kid(&old).as_deref()).is_none(), "in the end it goes");
}

#[test]
fn a_tampered_id_token_does_not_verify() {
    let (world, journey) = (World::new(), Journey::new());
    let code = world.code(&journey, &world.hanako, |_| {});
    let token = world.redeem(&journey, &code).unwrap().id_token;
    let jwks = JwkSet::from_value(&keys::jwks(&world.provider, &env(NOW)).unwrap()).unwrap();
    let mut refused = 0;
    for at in (0..token.len()).step_by(7) {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        let verified = Unverified::parse(&changed)
            .ok()
            .and_then(|token| jwks.find(token.header().kid.as_deref()).map(|key| token.verify(key).is_ok()));
        if changed != token {
            assert_ne!(verified, Some(true), "changed at {at}");
            refused += 1;
        }
    }
    assert!(refused > 20);
}

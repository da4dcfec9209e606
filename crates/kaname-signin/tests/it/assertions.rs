//! A party proves who it is: each test breaks one thing.

use kaname_base::Instant;
use kaname_codec::b64;
use kaname_signin::bench::Party;
use kaname_signin::client::{self, Profile};
use kaname_signin::{Parameters, Refusal, SigninError, par};
use kaname_testkit::{TestStore, on_every_store};
use serde_json::{Value, json};

use crate::world::{ISSUER, Journey, NOW, Pairs, World, env, program, refusal, set};

on_every_store!(
    a_good_assertion_passes,
    each_claim_is_checked,
    clocks_may_differ_by_ten_seconds,
    an_assertion_is_used_once,
    only_its_own_key_and_es256_prove_a_party,
    the_party_that_pushes_is_the_party_that_proves,
    a_plain_partys_assertion_may_hold_an_hour_and_is_still_used_once,
    a_plain_party_may_name_the_endpoint_or_a_list,
    another_process_sees_a_registration_within_seconds,
);

fn push_with(world: &World, party: &Party, assertion: &str) -> Result<(), SigninError> {
    let mut pairs: Pairs = party.request(&Journey::new().verifier);
    pairs.extend(party.proof(assertion.to_owned()).split_off(1));
    par::push(&world.provider, &env(NOW), &Parameters::read(pairs)?).map(drop)
}

/// Pushes with good claims that `change` has changed.
fn push_changed(world: &World, change: impl FnOnce(&mut Value)) -> Result<(), SigninError> {
    let mut claims = world.strict.claims(ISSUER, NOW);
    change(&mut claims);
    push_with(world, &world.strict, &world.strict.sign(&claims))
}

fn a_good_assertion_passes(t: &TestStore) {
    assert!(push_changed(&World::on(t), |_| {}).is_ok());
}

fn each_claim_is_checked(t: &TestStore) {
    let world = World::on(t);
    let now = NOW.seconds();
    let par = format!("{ISSUER}/par");
    let cases: Vec<(&str, Value, Refusal)> = vec![
        ("iss", json!("plain"), Refusal::AssertionSubject),
        ("iss", Value::Null, Refusal::AssertionSubject),
        ("sub", Value::Null, Refusal::AssertionSubject),
        ("sub", json!("nobody"), Refusal::UnknownClient),
        ("aud", json!("https://id.example.com"), Refusal::AssertionAudience),
        ("aud", json!([ISSUER]), Refusal::AssertionAudience),
        ("aud", json!(par), Refusal::AssertionAudience),
        ("aud", Value::Null, Refusal::AssertionAudience),
        ("exp", json!(now - 11), Refusal::AssertionExpired),
        ("exp", Value::Null, Refusal::AssertionExpired),
        ("exp", json!("tomorrow"), Refusal::AssertionMalformed),
        ("exp", json!(now + 311), Refusal::AssertionTooLong),
        ("iat", json!(now + 11), Refusal::AssertionNotYet),
        ("nbf", json!(now + 11), Refusal::AssertionNotYet),
        ("jti", Value::Null, Refusal::AssertionId),
        ("jti", json!(""), Refusal::AssertionId),
        ("jti", json!("j".repeat(129)), Refusal::AssertionId),
        ("jti", json!(7), Refusal::AssertionId),
    ];
    for (claim, value, expected) in cases {
        let answer = push_changed(&world, |claims| match &value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(claim)),
            value => claims[claim] = value.clone(),
        });
        assert_eq!(refusal(answer), expected, "{claim} = {value}");
    }
}

fn clocks_may_differ_by_ten_seconds(t: &TestStore) {
    let world = World::on(t);
    push_changed(&world, |claims| claims["iat"] = json!(NOW.seconds() + 10)).unwrap();
    push_changed(&world, |claims| claims["exp"] = json!(NOW.seconds() - 9)).unwrap();
    push_changed(&world, |claims| claims["exp"] = json!(NOW.seconds() + 300)).unwrap();
}

fn an_assertion_is_used_once(t: &TestStore) {
    let world = World::on(t);
    let assertion = world.strict.sign(&world.strict.claims(ISSUER, NOW));
    push_with(&world, &world.strict, &assertion).unwrap();
    assert_eq!(refusal(push_with(&world, &world.strict, &assertion)), Refusal::AssertionReplayed);
    // At another endpoint neither.
    let mut pairs = world.strict.redeeming("AAAA", "verifier");
    pairs.extend(world.strict.proof(assertion));
    let code = [&[0_u8; 34][..]].concat();
    set(&mut pairs, "code", &b64::url_encode(&code));
    let answer = kaname_signin::token::redeem(&world.provider, &env(NOW), &Parameters::read(pairs).unwrap());
    assert_eq!(refusal(answer), Refusal::AssertionReplayed);
}

fn only_its_own_key_and_es256_prove_a_party(t: &TestStore) {
    let world = World::on(t);
    let stranger = Party::new("strict", Profile::Fapi2);
    let answer = push_with(&world, &world.strict, &stranger.sign(&stranger.claims(ISSUER, NOW)));
    assert_eq!(refusal(answer), Refusal::AssertionSignature);

    let good = world.strict.sign(&world.strict.claims(ISSUER, NOW));
    let (_, rest) = good.split_once('.').unwrap();
    for (alg, expected) in [
        ("none", Refusal::AssertionAlgorithm),
        ("HS256", Refusal::AssertionAlgorithm),
        ("RS256", Refusal::AssertionAlgorithm),
        ("ES384", Refusal::AssertionAlgorithm),
        ("ES256", Refusal::AssertionKey),
    ] {
        let header = b64::url_encode(json!({ "alg": alg, "kid": "another" }).to_string().as_bytes());
        let answer = push_with(&world, &world.strict, &format!("{header}.{rest}"));
        assert_eq!(refusal(answer), expected, "{alg}");
    }
    let payload = rest.split_once('.').unwrap().0;
    let none = format!("{}.{payload}.", b64::url_encode(br#"{"alg":"none"}"#));
    assert_eq!(refusal(push_with(&world, &world.strict, &none)), Refusal::AssertionAlgorithm);
    for bad in ["", "a.b", "a.b.c", "é"] {
        let answer = push_with(&world, &world.strict, bad);
        let expected = if bad.is_empty() { Refusal::AssertionMissing } else { Refusal::AssertionMalformed };
        assert_eq!(refusal(answer), expected, "{bad}");
    }
}

fn the_party_that_pushes_is_the_party_that_proves(t: &TestStore) {
    let (world, journey) = (World::on(t), Journey::new());
    let answer = world.push(&journey, |pairs| set(pairs, "client_id", "plain"));
    assert_eq!(refusal(answer), Refusal::AssertionSubject);
    for name in ["client_assertion", "client_assertion_type"] {
        let answer = world.push(&journey, |pairs| set(pairs, name, ""));
        assert_eq!(refusal(answer), Refusal::AssertionMissing, "{name}");
    }
    let answer = world.push(&journey, |pairs| set(pairs, "client_secret", "hunter2"));
    assert_eq!(refusal(answer), Refusal::AssertionMissing);
    let answer = world.push(&journey, |pairs| {
        set(pairs, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer")
    });
    assert_eq!(refusal(answer), Refusal::AssertionMissing);
}

fn a_plain_partys_assertion_may_hold_an_hour_and_is_still_used_once(t: &TestStore) {
    let world = World::on(t);
    let expiring = |seconds: i64| {
        let mut claims = world.plain.claims(ISSUER, NOW);
        claims["exp"] = json!(NOW.seconds() + seconds);
        world.plain.sign(&claims)
    };
    let answer = push_with(&world, &world.plain, &expiring(3_611));
    assert_eq!(refusal(answer), Refusal::AssertionTooLong);
    let assertion = expiring(3_600);
    push_with(&world, &world.plain, &assertion).unwrap();
    let much_later = NOW.plus_seconds(3_590);
    kaname_signin::sweep::sweep(&world.provider, &env(much_later)).unwrap();
    let mut pairs: Pairs = world.plain.request(&Journey::new().verifier);
    pairs.extend(world.plain.proof(assertion).split_off(1));
    let answer = par::push(&world.provider, &env(much_later), &Parameters::read(pairs).unwrap());
    assert_eq!(refusal(answer), Refusal::AssertionReplayed);
}

fn a_plain_party_may_name_the_endpoint_or_a_list(t: &TestStore) {
    let world = World::on(t);
    let (par, token) = (format!("{ISSUER}/par"), format!("{ISSUER}/token"));
    for aud in [json!(ISSUER), json!([ISSUER, "https://other.example"]), json!(par), json!(token)] {
        let mut claims = world.plain.claims(ISSUER, NOW);
        claims["aud"] = aud;
        push_with(&world, &world.plain, &world.plain.sign(&claims)).unwrap();
    }
    let mut claims = world.plain.claims(ISSUER, NOW);
    claims["aud"] = json!(format!("{ISSUER}/userinfo"));
    let answer = push_with(&world, &world.plain, &world.plain.sign(&claims));
    assert_eq!(refusal(answer), Refusal::AssertionAudience, "of another endpoint");
}

#[test]
fn a_registration_is_checked() {
    let world = World::new();
    let good = world.strict.registration.clone();
    let register = |change: &dyn Fn(&mut client::Registration)| {
        let mut registration = good.clone();
        change(&mut registration);
        client::register(&world.provider, &env(NOW), &program(), &registration)
    };
    let uri = |uri: &'static str| move |r: &mut client::Registration| r.redirect_uris = vec![uri.to_owned()];
    let cases: Vec<(Box<dyn Fn(&mut client::Registration)>, Refusal)> = vec![
        (Box::new(|r| r.client_id.clear()), Refusal::ClientId),
        (Box::new(|r| r.client_id = "a b".to_owned()), Refusal::ClientId),
        (Box::new(|r| r.names.clear()), Refusal::ClientName),
        (Box::new(|r| r.redirect_uris.clear()), Refusal::ClientRedirectUri),
        (Box::new(uri("http://library.example/cb")), Refusal::ClientRedirectUri),
        (Box::new(uri("http://localhost.evil.example/cb")), Refusal::ClientRedirectUri),
        (Box::new(uri("https://library.example/cb#part")), Refusal::ClientRedirectUri),
        (Box::new(uri("javascript:alert(1)")), Refusal::ClientRedirectUri),
        (Box::new(|r| r.sector.clear()), Refusal::ClientSector),
        (Box::new(|r| r.jwks = json!({ "keys": [] })), Refusal::ClientKeys),
        (Box::new(|r| r.attributes[0].attribute = "income".to_owned()), Refusal::ClientAttribute),
        (Box::new(|r| r.attributes[0].purpose.clear()), Refusal::ClientAttribute),
        (Box::new(|r| r.attributes[1] = r.attributes[0].clone()), Refusal::ClientAttribute),
    ];
    for (change, expected) in cases {
        assert_eq!(refusal(register(&*change)), expected);
    }
    register(&uri("http://localhost:8081/callback")).unwrap();
    register(&uri("http://127.0.0.1:8081/callback")).unwrap();
    assert_eq!(client::list(&world.provider, &env(NOW)).unwrap().len(), 2);
}

fn another_process_sees_a_registration_within_seconds(t: &TestStore) {
    let world = World::on(t);
    let config = world.provider.config().clone();
    let other =
        kaname_signin::Provider::open(world.store.clone(), world.keys.clone(), config, &env(NOW)).unwrap();
    let party = Party::new("late", Profile::Plain);
    client::register(&world.provider, &env(NOW), &program(), &party.registration).unwrap();
    let get = |now: Instant| client::get(&other, &env(now), "late");
    assert_eq!(refusal(get(NOW.plus_seconds(4))), Refusal::UnknownClient);
    assert!(get(NOW.plus_seconds(5)).is_ok());
}

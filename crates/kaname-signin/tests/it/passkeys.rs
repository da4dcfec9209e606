//! Passkeys: ceremonies that must be refused, and the list that a resident keeps.

use kaname_codec::b64;
use kaname_person::OfficerId;
use kaname_signin::authorize::SignInPage;
use kaname_signin::bench::{Authenticator, give_passkey};
use kaname_signin::passkey::{self, NewPasskey, PasskeyAnswer};
use kaname_signin::{Holder, Refusal, SigninError, Step, history};
use kaname_testkit::{TestStore, on_every_store};
use serde_json::{Value, json};

use crate::world::{ISSUER, Journey, NOW, World, env, refusal, sign_in_page};

on_every_store!(
    each_part_of_an_answer_is_checked,
    a_challenge_is_of_this_sign_in_and_answered_once,
    the_owner_must_be_recognised,
    a_page_of_another_origin_is_refused,
    a_counter_that_does_not_advance_is_noted,
    a_resident_keeps_several_passkeys,
    an_officer_signs_in_to_our_own_pages_and_to_no_party,
);

fn waiting(world: &World, journey: &Journey) -> SignInPage {
    let uri = world.push(journey, |_| {}).unwrap();
    sign_in_page(world.arrive(journey, &uri).unwrap())
}

fn answer_with(world: &World, journey: &Journey, handle: &str, json: &str) -> Result<(), SigninError> {
    let answer = PasskeyAnswer::read(json)?;
    passkey::sign_in(&world.provider, &env(NOW), handle, &journey.browser, &answer, "Firefox", None).map(drop)
}

fn each_part_of_an_answer_is_checked(t: &TestStore) {
    let (world, journey) = (World::on(t), Journey::new());
    let changed = |member: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let page = waiting(&world, &journey);
        let mut json: Value = serde_json::from_str(&world.hanako.passkey.get(&page.passkey_options)).unwrap();
        let place = if member == "id" { &mut json["id"] } else { &mut json["response"][member] };
        let mut bytes = b64::url_decode(place.as_str().unwrap()).unwrap();
        change(&mut bytes);
        *place = json!(b64::url_encode(&bytes));
        refusal(answer_with(&world, &journey, &page.handle, &json.to_string()))
    };
    let flip = |bytes: &mut Vec<u8>| bytes[7] ^= 1;
    assert_eq!(changed("signature", &flip), Refusal::PasskeyInvalid);
    assert_eq!(changed("authenticatorData", &flip), Refusal::PasskeyInvalid);
    assert_eq!(changed("clientDataJSON", &|bytes| bytes.push(b' ')), Refusal::PasskeyInvalid);
    assert_eq!(changed("id", &flip), Refusal::PasskeyUnknown);
    assert_eq!(changed("userHandle", &flip), Refusal::PasskeyUnknown);
    assert_eq!(changed("userHandle", &|bytes| bytes.truncate(3)), Refusal::PasskeyUnknown);
    let taros = Holder::Resident(world.taro.person).user_handle(&world.keys);
    assert_eq!(changed("userHandle", &|bytes| bytes.clone_from(&taros)), Refusal::PasskeyUnknown);
    for bad in ["", "{}", r#"{"id":"!","response":{}}"#] {
        let page = waiting(&world, &journey);
        assert_eq!(
            refusal(answer_with(&world, &journey, &page.handle, bad)),
            Refusal::PasskeyInvalid,
            "{bad}"
        );
    }
}

fn a_challenge_is_of_this_sign_in_and_answered_once(t: &TestStore) {
    let (world, journey) = (World::on(t), Journey::new());
    let (first, second) = (waiting(&world, &journey), waiting(&world, &journey));
    let swapped = world.hanako.passkey.get(&first.passkey_options);
    assert_eq!(refusal(answer_with(&world, &journey, &second.handle, &swapped)), Refusal::PasskeyInvalid);
    // A wrong answer changes nothing; the right one is given once.
    let right = world.hanako.passkey.get(&second.passkey_options);
    answer_with(&world, &journey, &second.handle, &right).unwrap();
    assert_eq!(refusal(answer_with(&world, &journey, &second.handle, &right)), Refusal::InteractionStep);
}

fn the_owner_must_be_recognised(t: &TestStore) {
    let (mut world, journey) = (World::on(t), Journey::new());
    for flags in [0x01, 0x04, 0x00] {
        world.hanako.passkey.flags = flags;
        let page = waiting(&world, &journey);
        let json = world.hanako.passkey.get(&page.passkey_options);
        assert_eq!(refusal(answer_with(&world, &journey, &page.handle, &json)), Refusal::PasskeyInvalid);
    }
    // Whether a key may be copied never changes.
    world.hanako.passkey.flags = 0x0d;
    let page = waiting(&world, &journey);
    let json = world.hanako.passkey.get(&page.passkey_options);
    assert_eq!(refusal(answer_with(&world, &journey, &page.handle, &json)), Refusal::PasskeyInvalid);
}

fn a_page_of_another_origin_is_refused(t: &TestStore) {
    let world = World::on(t);
    let session = world.own_session(&world.hanako);
    let options = passkey::begin_registration(&world.provider, &env(NOW), &session, "Hanako").unwrap();
    let (_, json) = Authenticator::create(&options, "https://id.example.org.evil.example");
    let new = NewPasskey::read(&json).unwrap();
    let answer = passkey::finish_registration(&world.provider, &env(NOW), &session, &new, "phone");
    assert_eq!(refusal(answer), Refusal::PasskeyInvalid);
}

fn a_counter_that_does_not_advance_is_noted(t: &TestStore) {
    let (mut world, journey) = (World::on(t), Journey::new());
    let mut notes = Vec::new();
    for count in [5, 6, 6, 7] {
        world.hanako.passkey.count = count;
        let page = waiting(&world, &journey);
        let signed = world.sign_in(&journey, &page, &world.hanako).unwrap();
        let session = world.session(&signed.cookie);
        notes.push(history::list(&world.provider, &env(NOW), &session).unwrap()[0].maybe_copied);
    }
    assert_eq!(notes, [false, false, true, false]);
}

fn a_resident_keeps_several_passkeys(t: &TestStore) {
    let world = World::on(t);
    let session = world.own_session(&world.hanako);
    let register = |name: &str| {
        let options = passkey::begin_registration(&world.provider, &env(NOW), &session, "Hanako").unwrap();
        let (authenticator, json) = Authenticator::create(&options, ISSUER);
        let new = NewPasskey::read(&json).unwrap();
        let registered = passkey::finish_registration(&world.provider, &env(NOW), &session, &new, name);
        let again = passkey::finish_registration(&world.provider, &env(NOW), &session, &new, name);
        assert!(again.is_err(), "its challenge is used up");
        registered.map(|()| authenticator)
    };
    let phone = register(" phone ").unwrap();
    assert_eq!(refusal(register("")), Refusal::PasskeyName);
    assert_eq!(refusal(register("a\nb")), Refusal::PasskeyName);
    let list = passkey::list(&world.provider, &session).unwrap();
    assert_eq!(list.iter().map(|line| line.name.as_str()).collect::<Vec<_>>(), ["bench", "phone"]);
    passkey::rename(&world.provider, &session, &list[1].reference, "old phone").unwrap();
    passkey::remove(&world.provider, &env(NOW), &session, &list[0].reference).unwrap();
    assert_eq!(passkey::list(&world.provider, &session).unwrap()[0].name, "old phone");

    let journey = Journey::new();
    let page = waiting(&world, &journey);
    assert_eq!(refusal(world.sign_in(&journey, &page, &world.hanako)), Refusal::PasskeyUnknown);
    let page = waiting(&world, &journey);
    answer_with(&world, &journey, &page.handle, &phone.get(&page.passkey_options)).unwrap();
    let his = world.own_session(&world.taro);
    let stolen = passkey::remove(&world.provider, &env(NOW), &his, &list[1].reference);
    assert_eq!(refusal(stolen), Refusal::NoSuchPasskey);
    for _ in 1..10 {
        register("more").unwrap();
    }
    assert_eq!(refusal(register("too many")), Refusal::PasskeyLimit);
}

fn an_officer_signs_in_to_our_own_pages_and_to_no_party(t: &TestStore) {
    let world = World::on(t);
    let officer: OfficerId = env(NOW).id(world.store.buckets().home());
    let holder = Holder::Officer(officer);
    let passkey = give_passkey(&world.provider, NOW, holder).unwrap();
    let journey = Journey::new();
    let page = waiting(&world, &journey);
    let answer = PasskeyAnswer::read(&passkey.get(&page.passkey_options)).unwrap();
    let signed =
        passkey::sign_in(&world.provider, &env(NOW), &page.handle, &journey.browser, &answer, "", None)
            .unwrap();
    assert!(matches!(signed.step, Step::SignIn(_)), "the party still waits for a resident");
    let session = world.session(&signed.cookie);
    assert_eq!(session.holder(), holder);
    assert_eq!(history::list(&world.provider, &env(NOW), &session).unwrap().len(), 2);
}

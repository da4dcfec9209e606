//! Userinfo: only what was consented to, of the right person, under a receipt.

use std::sync::Arc;

use kaname_base::pack::Pack;
use kaname_base::{Env, Instant};
use kaname_person::{Entry, Numbers};
use kaname_signin::bench::give_passkey;
use kaname_signin::userinfo::{self, Attributes, Disclosed, Register};
use kaname_signin::{Holder, Refusal, SigninError, client, consent};
use kaname_store::Tx;
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::{Access, Actor, ActorKind, PersonId, Receipt, TrustError, access};
use serde_json::{Map, Value, json};

use crate::world::{
    Journey, NOW, Resident, World, consent_page, env, payload, program, refusal, set, sign_in_page,
};

on_every_store!(
    only_what_was_consented_to_leaves_under_a_receipt,
    nothing_but_the_name_by_which_it_knows_her_is_logged_nowhere,
    another_persons_data_never_leave,
    what_was_taken_back_is_not_given_any_more,
    agreeing_to_one_purpose_is_not_agreeing_to_another,
    a_service_is_disconnected_by_its_own_resident_only,
    the_register_answers_with_the_names_of_the_standard,
);

/// A register that hands out more than it was asked for.
struct Generous {
    /// Whom it answers about, whoever was asked for.
    always: Option<PersonId>,
}

impl Attributes for Generous {
    fn open(
        &self,
        _: &mut Tx<'_>,
        _: &Env,
        receipt: &Receipt<'_>,
        _: &[&str],
    ) -> Result<Disclosed, SigninError> {
        let values = json!({ "name": "山田花子", "birth_date": "1980-04-21", "address": "secret" });
        let values = values.as_object().unwrap().clone();
        Ok(Disclosed { person: self.always.unwrap_or(receipt.person()), values })
    }
}

pub(crate) fn disclose_at(
    world: &World,
    token: &str,
    now: Instant,
) -> Result<Map<String, Value>, SigninError> {
    let attributes: Arc<dyn Attributes> = Arc::new(Generous { always: None });
    userinfo::disclose(&world.provider, &env(now), token, &attributes)
}

pub(crate) fn disclose(world: &World, token: &str) -> Result<Map<String, Value>, SigninError> {
    disclose_at(world, token, NOW)
}

fn only_what_was_consented_to_leaves_under_a_receipt(t: &TestStore) {
    let (world, journey) = (World::on(t), Journey::new());
    let code = world.code(&journey, &world.hanako, |pairs| set(pairs, "scope", "openid birth_date"));
    let tokens = world.redeem(&journey, &code).unwrap();
    let claims = disclose(&world, &tokens.access_token).unwrap();
    let sub = payload(&tokens.id_token)["sub"].clone();
    assert_eq!(Value::Object(claims), json!({ "sub": sub, "birthdate": "1980-04-21" }));

    let (keys, person) = (world.keys.clone(), world.hanako.person);
    let entries = world
        .store
        .write(kaname_trust::person::bucket_of(person, world.store.buckets()), move |tx| {
            let actor = Actor::resident();
            let access = Access { person, actor: &actor, purpose: "own-access", basis: "law", fields: &[] };
            let receipt = access::record(tx, &keys, &env(NOW), &access)?;
            access::entries(tx, &keys, &receipt, 10)
        })
        .unwrap_or_else(|error: TrustError| panic!("{error}"));
    let entry = &entries[1];
    assert_eq!((entry.actor.kind, entry.actor.id.as_str()), (ActorKind::Party, "strict"));
    assert_eq!(
        (entry.purpose.as_str(), entry.fields.as_slice()),
        ("age-check", &["birth_date".to_owned()][..])
    );
}

fn nothing_but_the_name_by_which_it_knows_her_is_logged_nowhere(t: &TestStore) {
    let (world, journey) = (World::on(t), Journey::new());
    let code = world.code(&journey, &world.hanako, |pairs| set(pairs, "scope", "openid"));
    let tokens = world.redeem(&journey, &code).unwrap();
    let claims = disclose(&world, &tokens.access_token).unwrap();
    assert_eq!(claims.keys().collect::<Vec<_>>(), ["sub"]);
}

fn another_persons_data_never_leave(t: &TestStore) {
    let (world, journey) = (World::on(t), Journey::new());
    let code = world.code(&journey, &world.hanako, |_| {});
    let tokens = world.redeem(&journey, &code).unwrap();
    let attributes: Arc<dyn Attributes> = Arc::new(Generous { always: Some(world.taro.person) });
    let answer = userinfo::disclose(&world.provider, &env(NOW), &tokens.access_token, &attributes);
    assert!(matches!(answer, Err(SigninError::Trust(TrustError::WrongSubject))));
}

fn what_was_taken_back_is_not_given_any_more(t: &TestStore) {
    let (world, journey) = (World::on(t), Journey::new());
    let code = world.code(&journey, &world.hanako, |_| {});
    let tokens = world.redeem(&journey, &code).unwrap();
    let session = world.own_session(&world.hanako);
    let services = consent::services(&world.provider, &env(NOW), &session).unwrap();
    consent::disconnect(&world.provider, &session, &services[0].reference).unwrap();
    assert_eq!(refusal(disclose(&world, &tokens.access_token)), Refusal::TokenUnknown);
}

fn agreeing_to_one_purpose_is_not_agreeing_to_another(t: &TestStore) {
    let (world, journey) = (World::on(t), Journey::new());
    let code = world.code(&journey, &world.hanako, |_| {});
    let tokens = world.redeem(&journey, &code).unwrap();
    let mut changed = world.strict.registration.clone();
    for asked in changed.attributes.iter_mut().filter(|asked| asked.attribute == "birth_date") {
        asked.purpose = "identity-check".to_owned();
    }
    assert_ne!(changed, world.strict.registration);
    client::register(&world.provider, &env(NOW), &program(), &changed).unwrap();

    let claims = disclose(&world, &tokens.access_token).unwrap();
    assert!(
        !claims.contains_key("birthdate"),
        "an old token gives nothing for a purpose nobody agreed to: {claims:?}"
    );
    let again = Journey::new();
    let uri = world.push(&again, |_| {}).unwrap();
    let page = sign_in_page(world.arrive(&again, &uri).unwrap());
    let step = world.sign_in(&again, &page, &world.hanako).unwrap().step;
    let purposes: Vec<String> = consent_page(step).asked.into_iter().map(|asked| asked.purpose).collect();
    assert_eq!(purposes, ["identity-check", "identity-check"]);
}

fn a_service_is_disconnected_by_its_own_resident_only(t: &TestStore) {
    let (world, journey) = (World::on(t), Journey::new());
    world.code(&journey, &world.hanako, |_| {});
    let hers = world.own_session(&world.hanako);
    let his = world.own_session(&world.taro);
    let reference = consent::services(&world.provider, &env(NOW), &hers).unwrap()[0].reference.clone();
    assert!(consent::services(&world.provider, &env(NOW), &his).unwrap().is_empty());
    assert_eq!(refusal(consent::disconnect(&world.provider, &his, &reference)), Refusal::NoSuchService);
}

fn the_register_answers_with_the_names_of_the_standard(t: &TestStore) {
    let (world, journey) = (World::on(t), Journey::new());
    let pack = Arc::new(Pack::load_shipped("japan").unwrap());
    let entry = Entry {
        family_name: "山田",
        given_name: "花子",
        family_reading: "ヤマダ",
        given_reading: "ハナコ",
        birth_date: "1980-04-21",
        sex: &pack.person.sexes[0].code,
        status: "citizen",
        postcode: "100-0001",
        region: "東京都",
        city: "千代田区",
        address: "千代田1-1",
        ..Entry::default()
    };
    let by = Actor::officer("off_test", "registrar");
    let ask = kaname_person::register::Register {
        request: [7; 16],
        entry,
        source: "town",
        by,
        why: "birth",
        evidence: "birth report 7",
    };
    let numbers = Numbers::new(&world.keys, &pack);
    let registered =
        kaname_person::register::register(&world.store, &world.keys, &pack, &numbers, &env(NOW), &ask);
    let person = registered.unwrap();
    let passkey = give_passkey(&world.provider, NOW, Holder::Resident(person)).unwrap();
    let code = world.code(&journey, &Resident { person, passkey }, |_| {});
    let tokens = world.redeem(&journey, &code).unwrap();
    let register: Arc<dyn Attributes> = Arc::new(Register { pack });
    let claims = userinfo::disclose(&world.provider, &env(NOW), &tokens.access_token, &register).unwrap();
    let sub = payload(&tokens.id_token)["sub"].clone();
    assert_eq!(Value::Object(claims), json!({ "sub": sub, "name": "山田 花子", "birthdate": "1980-04-21" }));
}

//! An entry that is closed: every way in ends, and none begins.

use kaname_signin::authorize::SignInPage;
use kaname_signin::session::Cookie;
use kaname_signin::{Holder, Level, Refusal, authorize, close, letter, session};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::Actor;
use kaname_trust::person::bucket_of;

use crate::world::{Journey, NOW, Resident, World, env, program, refusal, sign_in_page};

on_every_store!(nobody_signs_in_as_somebody_whose_entry_is_closed);

fn nobody_signs_in_as_somebody_whose_entry_is_closed(t: &TestStore) {
    let world = World::on(t);
    let letter =
        letter::issue(&world.provider, &env(NOW), &program(), Holder::Resident(world.hanako.person)).unwrap();
    let cookie = cookie_of(&world, &world.hanako);
    let others = cookie_of(&world, &world.taro);
    let person = world.hanako.person;
    for _ in 0..2 {
        let keys = world.keys.clone();
        world
            .store
            .write(bucket_of(person, world.store.buckets()), move |tx| {
                close::close(tx, &keys, &Actor::program("life-events", "program"), person)
            })
            .unwrap();
    }
    assert_eq!(refusal(session::open(&world.provider, &env(NOW), cookie.as_str())), Refusal::SessionNeeded);
    session::open(&world.provider, &env(NOW), others.as_str()).unwrap();

    let journey = Journey::new();
    let hers = world.sign_in(&journey, &page(&world, &journey), &world.hanako);
    assert!(hers.is_err(), "her passkey still opens");
    world.sign_in(&journey, &page(&world, &journey), &world.taro).unwrap();
    let activated =
        letter::activate(&world.provider, &env(NOW), &letter.number, &letter.code, "Firefox", None);
    assert!(activated.is_err(), "her letter still opens");

    let officer = Actor::officer("off_1", "registrar");
    let keys = world.keys.clone();
    let asked = world
        .store
        .write(bucket_of(person, world.store.buckets()), move |tx| close::close(tx, &keys, &officer, person));
    assert!(matches!(asked, Err(kaname_signin::SigninError::NotAllowed(_))));
}

fn page(world: &World, journey: &Journey) -> SignInPage {
    let level = Level::Passkey;
    let step = authorize::start_own(&world.provider, &env(NOW), level, "/", &journey.browser);
    sign_in_page(step.unwrap())
}

fn cookie_of(world: &World, who: &Resident) -> Cookie {
    let journey = Journey::new();
    world.sign_in(&journey, &page(world, &journey), who).unwrap().cookie
}

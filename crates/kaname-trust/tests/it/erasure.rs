//! Who is erased cannot be read again, and the log stays whole.

use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::log::{check_database, verify_published};
use kaname_trust::{Actor, TrustError, access, seal};

use crate::world::{Note, World, reading};

on_every_store!(
    an_erased_person_cannot_be_read_and_does_not_come_back,
    erasing_one_leaves_the_others,
    the_log_stays_verifiable
);

fn an_erased_person_cannot_be_read_and_does_not_come_back(data: &TestStore) {
    let world = World::on(data);
    let who = world.people[0];
    let sealed = world.seal(who, "x");
    world.unit(who, move |tx, keys, _| seal::erase(tx, keys, who)).unwrap();

    assert!(is_gone(world.open::<Note>(who, &sealed)));
    assert!(is_gone(world.unit(who, move |tx, keys, _| seal::data_key(tx, keys, who).map(drop))));
    assert!(is_gone(world.unit(who, move |tx, keys, _| seal::erase(tx, keys, who))), "a second time");
    let again = world.unit(who, move |tx, keys, _| seal::create_data_keys(tx, keys, &[who]).map(drop));
    assert!(is_gone(again), "an old file brings nobody back");
}

fn erasing_one_leaves_the_others(data: &TestStore) {
    let world = World::on(data);
    let (gone, stays) = (world.people[0], world.people[1]);
    let sealed = world.seal(stays, "x");
    world.unit(gone, move |tx, keys, _| seal::erase(tx, keys, gone)).unwrap();
    assert_eq!(world.open::<Note>(stays, &sealed).unwrap().0, "x");
    let both = world.unit(gone, move |tx, keys, env| {
        let actor = Actor::resident();
        access::record_many(tx, keys, env, &[reading(stays, &actor), reading(gone, &actor)]).map(drop)
    });
    assert!(is_gone(both));
}

fn the_log_stays_verifiable(data: &TestStore) {
    let world = World::on(data);
    let (log, gone) = (world.log(), world.people[0]);
    world.read_all(3);
    log.publish().unwrap();
    let seen = std::fs::read_to_string(world.path("log/checkpoint")).unwrap();
    world.unit(gone, move |tx, keys, _| seal::erase(tx, keys, gone)).unwrap();
    assert_eq!(check_database(&world.store, &world.path("log"), &log.vkey()).unwrap(), 24);

    let others: Vec<_> = world.people[1..4].to_vec();
    let who = others[0];
    world
        .unit(who, move |tx, keys, env| {
            let actor = Actor::resident();
            let all: Vec<_> = others.iter().map(|who| reading(*who, &actor)).collect();
            access::record_many(tx, keys, env, &all).map(drop)
        })
        .unwrap();
    assert_eq!(log.publish().unwrap().size, 27);
    assert_eq!(check_database(&world.store, &world.path("log"), &log.vkey()).unwrap(), 27);
    let verified = verify_published(&world.path("log"), &log.vkey(), Some(&seen)).unwrap();
    assert_eq!(verified.continues, Some(24));
}

fn is_gone<T>(answer: Result<T, TrustError>) -> bool {
    matches!(answer, Err(TrustError::NoSuchHolder))
}

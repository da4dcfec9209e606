//! People without papers, for whom somebody vouches: so many a year, with a second officer from some on, seen by the introducer.

use kaname_person::four_eyes::{self, Approved};
use kaname_person::introduce::{Introducer, Vouch, VouchAsked, vouch};
use kaname_person::show::{Asking, access_log};
use kaname_person::{Action, OfficerId, PersonError, Refusal};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, PersonId};

use crate::world::{World, env, jane, officer, registrar};

on_every_store!(
    a_resident_vouches_for_so_many_and_sees_each,
    an_officer_vouches_in_a_role_that_the_country_names
);

fn ask(request: u8, introducer: Introducer, by: Actor) -> Vouch {
    Vouch { request: [request; 16], introducer, how: "neighbours for ten years".to_owned(), by }
}

fn refused(answer: Result<String, PersonError>) -> Refusal {
    match answer {
        Err(PersonError::Refused(refusal)) => refusal,
        other => panic!("it was not refused: {other:?}"),
    }
}

fn agree(w: &World, ask: &Vouch) -> Approved {
    let (keys, asked, by) = (w.keys.clone(), VouchAsked::of(ask), ask.by.clone());
    let second = Actor::officer("off_second", "registrar");
    // Another moment for each, or two proposals would have one id.
    let moment = 20 + ask.request[0];
    let agreed = w.store.write::<_, PersonError, _>(w.store.buckets().home(), move |tx| {
        let id = four_eyes::propose(tx, &keys, &env(moment), &by, Action::RegisterResident, &asked)?;
        assert!(
            four_eyes::mine(tx, &keys, env(moment).now, &by, Action::RegisterResident, &asked)?.is_some()
        );
        four_eyes::approve(tx, &keys, &env(moment), &second, id, &[Action::RegisterResident])?;
        let mine = four_eyes::mine(tx, &keys, env(moment).now, &by, Action::RegisterResident, &asked)?;
        Ok(mine.and_then(|(_, approved)| approved))
    });
    agreed.expect("agrees").expect("is approved")
}

/// The pack lets one vouch for five a year, and asks two officers from the third on.
fn a_resident_vouches_for_so_many_and_sees_each(t: &TestStore) {
    let w = World::new(t, "example");
    let margaret = w.register(1, jane()).expect("registers");
    let by = |request| ask(request, Introducer::Resident(margaret), registrar());
    let vouches =
        |ask: &Vouch, second: Option<&Approved>| vouch(&w.store, &w.keys, &w.pack, &env(3), second, ask);
    for request in [1, 2] {
        for _ in 0..2 {
            let evidence = vouches(&by(request), None).expect("vouches");
            assert_eq!(evidence, format!("introduced by {margaret}: neighbours for ten years"));
        }
    }
    for request in [3, 4, 5] {
        assert_eq!(refused(vouches(&by(request), None)), Refusal::TwoOfficers);
        let approved = agree(&w, &by(request));
        let other = Vouch { how: "a stranger".to_owned(), ..by(request) };
        assert_eq!(refused(vouches(&other, Some(&approved))), Refusal::TwoOfficers, "they agreed on another");
        vouches(&by(request), Some(&approved)).expect("vouches");
    }
    let approved = agree(&w, &by(6));
    assert_eq!(refused(vouches(&by(6), Some(&approved))), Refusal::TooManyIntroduced);
    // Another year, she may again; and what she has done is the same request still.
    let next_year = kaname_base::Env::new(env(3).now.plus_seconds(370 * 86_400), [9; 32]);
    vouch(&w.store, &w.keys, &w.pack, &next_year, None, &by(7)).expect("vouches");
    vouches(&by(1), None).expect("was done");

    let stranger = ask(8, Introducer::Resident(PersonId::from_bytes([0; 16])), registrar());
    assert_eq!(refused(vouches(&stranger, None)), Refusal::NoIntroducer);
    let clerk = ask(8, Introducer::Resident(margaret), officer("payments"));
    assert!(matches!(refused(vouches(&clerk, None)), Refusal::NotAllowed { .. }));

    // She finds each in her log, the tries too.
    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    let log = w.store.write::<_, PersonError, _>(bucket_of(margaret, w.store.buckets()), move |tx| {
        access_log(tx, &keys, &pack, &env(9), &Asking::herself(margaret), 50)
    });
    let lines = log.expect("shows").iter().filter(|entry| entry.fields == ["introduction"]).count();
    assert!(lines >= 6, "only {lines} lines");
}

fn an_officer_vouches_in_a_role_that_the_country_names(t: &TestStore) {
    let w = World::new(t, "example");
    let id = OfficerId::from_bytes([7; 16]);
    let actor = Actor::officer(id.to_string(), "registrar");
    let vouches = |ask: &Vouch| vouch(&w.store, &w.keys, &w.pack, &env(3), None, ask);
    let evidence = vouches(&ask(1, Introducer::Officer(id), actor.clone())).expect("vouches");
    assert!(evidence.contains(&id.to_string()), "{evidence}");
    vouches(&ask(2, Introducer::Officer(id), actor.clone())).expect("vouches");
    assert_eq!(refused(vouches(&ask(3, Introducer::Officer(id), actor.clone()))), Refusal::TwoOfficers);
    // In nobody else's name.
    let other = OfficerId::from_bytes([8; 16]);
    assert_eq!(refused(vouches(&ask(4, Introducer::Officer(other), actor))), Refusal::NoIntroducer);
    let agency = Actor::new(kaname_trust::ActorKind::Party, "agency", "agency");
    assert_eq!(refused(vouches(&ask(4, Introducer::Officer(id), agency))), Refusal::NoIntroducer);
}

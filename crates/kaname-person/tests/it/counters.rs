//! Sessions at the counter: who may begin one, how each ends, and what the resident sees of it.

use kaname_base::{Env, Instant};
use kaname_person::counter::{Begin, CounterSession, Ending, Found, begin, end, open, sweep, touch};
use kaname_person::show::access_log;
use kaname_person::{OfficerId, PersonError, Refusal};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::PersonId;

use crate::world::{World, asking, env, jane, officer};

on_every_store!(
    one_resident_at_a_time,
    a_session_ends_by_itself,
    another_terminal_and_another_role_get_nothing
);

const TERMINAL: [u8; 16] = [7; 16];

fn serve(person: PersonId, officer_id: OfficerId) -> Begin {
    Begin {
        officer: officer_id,
        actor: officer("registrar"),
        terminal: TERMINAL,
        person,
        purpose: "registration".to_owned(),
    }
}

fn somebody() -> OfficerId {
    OfficerId::from_bytes([3; 16])
}

fn later(seed: u8, seconds: i64) -> Env {
    Env::new(at(seconds), [seed; 32])
}

fn at(seconds: i64) -> Instant {
    env(1).now.plus_seconds(seconds)
}

fn found(w: &World, terminal: [u8; 16], now: Instant) -> Found {
    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    w.store
        .read(w.store.buckets().home(), move |tx| open(tx, &keys, &pack, now, somebody(), &terminal))
        .expect("reads")
}

fn opened(w: &World, now: Instant) -> Option<CounterSession> {
    match found(w, TERMINAL, now) {
        Found::Open(session) => Some(*session),
        Found::None | Found::Over(_) => None,
    }
}

/// What the resident's log says of the counter, oldest first.
fn told(w: &World, person: PersonId) -> Vec<String> {
    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    let bucket = kaname_trust::person::bucket_of(person, w.store.buckets());
    let entries = w
        .store
        .write::<_, PersonError, _>(bucket, move |tx| {
            access_log(tx, &keys, &pack, &env(200), &asking(person, "auditor", "audit"), 100)
        })
        .expect("reads");
    let counters = entries.iter().rev().flat_map(|entry| entry.fields.iter());
    counters.filter(|field| field.starts_with("counter-")).cloned().collect()
}

fn one_resident_at_a_time(t: &TestStore) {
    let w = World::new(t, "example");
    let jane_is = w.register(1, jane()).expect("registers");
    let joan = kaname_person::Entry { reference: "A-2", given_name: "Joan", ..jane() };
    let joan_is = w.register(2, joan).expect("registers");

    let first = begin(&w.store, &w.keys, &w.pack, &env(10), &serve(jane_is, somebody())).expect("begins");
    let session = opened(&w, at(1)).expect("is open");
    assert_eq!((session.id(), session.person(), session.name()), (first, jane_is, "Jane Smith"));

    // The next one takes its place, and both hear of it.
    let second = begin(&w.store, &w.keys, &w.pack, &env(11), &serve(joan_is, somebody())).expect("begins");
    let session = opened(&w, at(1)).expect("is open");
    assert_ne!(first, second);
    assert_eq!((session.id(), session.person()), (second, joan_is));
    assert_eq!(told(&w, jane_is), ["counter-begun", "counter-replaced"]);

    assert!(end(&w.store, &w.keys, &w.pack, &env(12), somebody(), Ending::Ended).expect("ends"));
    assert_eq!(found(&w, TERMINAL, at(1)), Found::None);
    assert!(!end(&w.store, &w.keys, &w.pack, &env(13), somebody(), Ending::Ended).expect("none is left"));
    assert_eq!(told(&w, joan_is), ["counter-begun", "counter-ended"]);
}

fn a_session_ends_by_itself(t: &TestStore) {
    let w = World::new(t, "example");
    let person = w.register(1, jane()).expect("registers");
    begin(&w.store, &w.keys, &w.pack, &env(10), &serve(person, somebody())).expect("begins");

    // Each act keeps it open; the country says for how long.
    let (idle, longest) = (w.pack.counter.idle_minutes * 60, w.pack.counter.longest_minutes * 60);
    let mut now = 0;
    while now + idle - 1 < longest {
        now += idle - 1;
        let session = opened(&w, at(now)).expect("is open");
        touch(&w.store, &w.keys, at(now), somebody(), &session).expect("is noted");
    }
    assert!(now > idle, "it was kept open beyond one pause");
    assert_eq!(found(&w, TERMINAL, at(longest)), Found::Over(Ending::TooLong));
    assert_eq!(sweep(&w.store, &w.keys, &w.pack, &later(11, now)).expect("sweeps"), 0);
    assert_eq!(sweep(&w.store, &w.keys, &w.pack, &later(12, longest)).expect("sweeps"), 1);
    assert_eq!(found(&w, TERMINAL, at(longest)), Found::None);
    assert_eq!(told(&w, person), ["counter-begun", "counter-too-long"]);

    begin(&w.store, &w.keys, &w.pack, &env(13), &serve(person, somebody())).expect("begins");
    assert_eq!(found(&w, TERMINAL, at(idle)), Found::Over(Ending::Idle));
    // Whoever ends it now says nothing else than what happened.
    assert!(end(&w.store, &w.keys, &w.pack, &later(14, idle), somebody(), Ending::Ended).expect("ends"));
    assert_eq!(told(&w, person)[2..], ["counter-begun", "counter-idle"]);
}

fn another_terminal_and_another_role_get_nothing(t: &TestStore) {
    let w = World::new(t, "example");
    let person = w.register(1, jane()).expect("registers");
    let nobody = PersonId::from_bytes(*person.bytes());
    let refused = |ask: &Begin| match begin(&w.store, &w.keys, &w.pack, &env(10), ask) {
        Err(PersonError::Refused(refusal)) => refusal.code(),
        other => panic!("{other:?}"),
    };
    let ask = serve(person, somebody());
    assert_eq!(refused(&Begin { purpose: "payout".to_owned(), ..ask.clone() }), "unknown-purpose");
    assert_eq!(refused(&Begin { purpose: "own-access".to_owned(), ..ask.clone() }), "unknown-purpose");
    assert_eq!(refused(&Begin { actor: officer("administrator"), ..ask.clone() }), "not-allowed");
    let mut bytes = *nobody.bytes();
    bytes[0] ^= 1;
    let stranger = PersonId::from_bytes(bytes);
    assert_eq!(refused(&Begin { person: stranger, ..ask.clone() }), Refusal::NoSuchResident.code());
    assert!(told(&w, person).is_empty(), "nothing began");

    begin(&w.store, &w.keys, &w.pack, &env(11), &ask).expect("begins");
    assert_eq!(found(&w, [8; 16], at(1)), Found::None);
    assert!(opened(&w, at(1)).is_some());
}

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
    another_terminal_and_another_role_get_nothing,
    officers_tabs_and_residents_at_once_never_mix,
    a_clock_that_is_set_back_ends_it
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

/// Three officers with two tabs each serve four residents, begin, look, go on and end, all at once. Whatever session a tab finds open is
/// the one that was begun for that resident, and each that was begun is told to have ended.
fn officers_tabs_and_residents_at_once_never_mix(t: &TestStore) {
    const STEPS: u64 = 24;
    let w = World::new(t, "example");
    let people: Vec<PersonId> = (0..4_u8)
        .map(|n| {
            let reference = format!("A-{n}");
            let entry = kaname_person::Entry { reference: &reference, ..jane() };
            w.register(n + 1, entry).expect("registers")
        })
        .collect();
    let begun = std::sync::Mutex::new(std::collections::HashMap::new());
    let (looked, ended) = (std::sync::atomic::AtomicU64::new(0), std::sync::atomic::AtomicU64::new(0));
    std::thread::scope(|scope| {
        for tab in 0..6_u64 {
            let (w, people, begun, looked, ended) = (&w, &people, &begun, &looked, &ended);
            scope.spawn(move || {
                let officer_id = OfficerId::from_bytes([(tab / 2) as u8 + 1; 16]);
                for step in 0..STEPS {
                    let seed = (tab * STEPS + step) as u8;
                    let person = people[((step * (tab + 1) + tab) % 4) as usize];
                    let ask = serve(person, officer_id);
                    match step % 4 {
                        0 | 2 => match begin(&w.store, &w.keys, &w.pack, &env(seed), &ask) {
                            Ok(id) => assert_eq!(begun.lock().expect("whole").insert(id, person), None),
                            Err(PersonError::Store(kaname_store::StoreError::Busy)) => {}
                            Err(error) => panic!("{error}"),
                        },
                        1 => look(w, officer_id, begun, looked),
                        _ => {
                            let was_open =
                                end(&w.store, &w.keys, &w.pack, &env(seed), officer_id, Ending::Ended);
                            ended.fetch_add(
                                u64::from(was_open.expect("ends")),
                                std::sync::atomic::Ordering::Relaxed,
                            );
                        }
                    }
                }
            });
        }
    });
    let begun = begun.into_inner().expect("whole");
    let (looked, ended) = (looked.into_inner(), ended.into_inner());
    assert!(
        begun.len() > 40 && looked > 0 && ended > 0,
        "{} begun, {looked} looks, {ended} ends",
        begun.len()
    );
    for officer_id in 1..4 {
        let officer_id = OfficerId::from_bytes([officer_id; 16]);
        end(&w.store, &w.keys, &w.pack, &env(250), officer_id, Ending::SignedOut).expect("ends");
        assert!(!end(&w.store, &w.keys, &w.pack, &env(251), officer_id, Ending::Ended).expect("is over"));
    }
    for person in people {
        let of_her = begun.values().filter(|served| **served == person).count();
        let lines = told_all(&w, person);
        let endings = lines.iter().filter(|line| *line != "counter-begun").count();
        assert!(endings >= of_her, "{of_her} begun, {endings} ended: {lines:?}");
    }
}

/// A look goes on with the session that it finds, and with no other.
fn look(
    w: &World,
    officer_id: OfficerId,
    begun: &std::sync::Mutex<std::collections::HashMap<kaname_person::counter::CounterId, PersonId>>,
    looked: &std::sync::atomic::AtomicU64,
) {
    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    let seen = w
        .store
        .read(w.store.buckets().home(), move |tx| open(tx, &keys, &pack, at(1), officer_id, &TERMINAL));
    let Found::Open(session) = seen.expect("reads") else { return };
    // It may have been begun an instant before its id was noted here; then nobody can have noted another person for it.
    let noted = begun.lock().expect("whole").get(&session.id()).copied();
    assert!(noted.is_none_or(|person| person == session.person()));
    touch(&w.store, &w.keys, at(30), officer_id, &session).expect("is noted");
    looked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
}

fn told_all(w: &World, person: PersonId) -> Vec<String> {
    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    let entries = w
        .store
        .write::<_, PersonError, _>(kaname_trust::person::bucket_of(person, w.store.buckets()), move |tx| {
            access_log(tx, &keys, &pack, &env(252), &asking(person, "auditor", "audit"), 10_000)
        })
        .expect("reads");
    let counted: Vec<i64> = entries.iter().rev().map(|entry| entry.n).collect();
    assert_eq!(counted, (1..=counted.len() as i64).collect::<Vec<_>>(), "her log has no gap");
    let counters = entries.iter().flat_map(|entry| entry.fields.iter());
    counters.filter(|field| field.starts_with("counter-")).cloned().collect()
}

/// Nobody knows how long nothing was done in it, so nothing more is.
fn a_clock_that_is_set_back_ends_it(t: &TestStore) {
    let w = World::new(t, "example");
    let person = w.register(1, jane()).expect("registers");
    begin(&w.store, &w.keys, &w.pack, &later(10, 7_200), &serve(person, somebody())).expect("begins");
    assert!(opened(&w, at(7_200)).is_some());
    assert!(opened(&w, at(7_190)).is_some(), "clocks of two servers differ by some seconds");
    assert_eq!(found(&w, TERMINAL, at(0)), Found::Over(Ending::Idle));
    assert_eq!(sweep(&w.store, &w.keys, &w.pack, &later(11, 0)).expect("sweeps"), 1);
    assert_eq!(found(&w, TERMINAL, at(7_200)), Found::None);
    assert_eq!(told(&w, person), ["counter-begun", "counter-idle"]);
}

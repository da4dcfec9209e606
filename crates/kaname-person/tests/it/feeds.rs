//! What agencies are told, and asked later: in order, once, and forgotten in time. Who comes too late is told so.

use std::sync::Arc;

use kaname_base::pack::Pack;
use kaname_base::{Env, Instant};
use kaname_person::agency::feed::{self, Listener, prune};
use kaname_person::agency::transaction::{self, Named, State};
use kaname_person::agency::{Agency, Desk};
use kaname_person::event::EventKind;
use kaname_person::event::follow::Told;
use kaname_person::{PersonError, Refusal};
use kaname_store::jobs::{Job, claim_due};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::PersonId;

use crate::world::{World, env, jane};

on_every_store!(
    a_feed_is_forgotten_in_time_and_its_places_are_never_given_again,
    a_question_is_asked_once_and_its_state_remembered_until_then
);

const DAY: i64 = 24 * 3_600;

fn agency(id: &str) -> Agency {
    Agency {
        id: id.to_owned(),
        sector: "pensions".to_owned(),
        attributes: vec![("name".to_owned(), "public-service".to_owned())],
        purpose: None,
        sees_numbers: false,
        sources: Vec::new(),
    }
}

fn days_later(days: i64, seed: u8) -> Env {
    Env::new(Instant::from_seconds(env(1).now.seconds() + days * DAY), [seed; 32])
}

fn tell(w: &World, pack: &Arc<Pack>, env: &Env, person: PersonId, to: &Agency) {
    let told = Told { person, n: 1, kind: EventKind::Registration, standing: Default::default() };
    let listeners = [Listener { agency: to.clone(), everyone: true }];
    feed::tell(&w.store, &w.keys, pack, env, &told, &listeners).unwrap();
}

/// The jobs of a kind that are due then.
fn due(w: &World, kind: &str, at: Instant) -> Vec<Job> {
    let mut found = Vec::new();
    for bucket in w.store.buckets().all() {
        found.extend(w.store.write(bucket, move |tx| claim_due(tx, at, 60, 100)).unwrap());
    }
    found.retain(|job| job.kind == kind);
    found
}

fn a_feed_is_forgotten_in_time_and_its_places_are_never_given_again(t: &TestStore) {
    let w = World::new(t, "example");
    let pack = Arc::new(w.pack.clone());
    let (to, other) = (agency("pension-office"), agency("tax-office"));
    let keep = pack.feed.keep_days;
    let people = [1, 2, 3, 4].map(|n| {
        let reference = format!("A-{n}");
        w.register(n, kaname_person::Entry { reference: &reference, ..jane() }).unwrap()
    });
    let after = |env: &Env, n: Option<i64>| {
        let desk =
            Desk { store: &w.store, keys: &w.keys, pack: &pack, numbers: &w.numbers, env, agency: &to };
        feed::after(desk, n, 100).map(|placed| placed.iter().map(|one| one.n).collect::<Vec<_>>())
    };
    for day in [0, 1] {
        tell(&w, &pack, &days_later(day, 7), people[day as usize], &to);
        tell(&w, &pack, &days_later(day, 7), people[day as usize], &to);
    }
    tell(&w, &pack, &days_later(0, 8), people[2], &other);
    assert_eq!(after(&days_later(1, 1), Some(0)).unwrap(), [1, 2]);

    // Nothing is due before its time; then there is one job for each day on which something was added, whatever was told twice.
    assert!(due(&w, prune::KIND, days_later(keep - 1, 1).now).is_empty());
    let jobs = due(&w, prune::KIND, days_later(keep + 1, 1).now);
    let of = |to: &Agency| jobs.iter().filter(|job| prune::agency(&w.keys, job).unwrap().id == to.id).count();
    assert_eq!((of(&to), of(&other)), (1, 1), "the second day's is due a day later");

    let prune = |env: &Env| prune::prune(&w.store, &w.keys, &pack, env, &agency("pension-office")).unwrap();
    prune(&days_later(keep, 1));
    assert_eq!(after(&days_later(keep, 1), Some(0)).unwrap(), [1, 2], "the last day counts");
    for _ in 0..2 {
        prune(&days_later(keep + 1, 1));
    }
    let late = after(&days_later(keep + 1, 1), Some(0));
    assert!(matches!(late, Err(PersonError::Refused(Refusal::EventsGone { up_to: 1 }))), "{late:?}");
    assert_eq!(after(&days_later(keep + 1, 1), Some(1)).unwrap(), [2]);
    assert_eq!(after(&days_later(keep + 1, 1), None).unwrap(), [2]);

    // Emptied, it goes on counting.
    prune(&days_later(keep + 2, 1));
    let env = days_later(keep + 2, 1);
    assert_eq!(after(&env, None).unwrap(), [] as [i64; 0]);
    let desk =
        Desk { store: &w.store, keys: &w.keys, pack: &pack, numbers: &w.numbers, env: &env, agency: &to };
    let place = feed::start(desk).unwrap();
    assert_eq!((place, after(&env, Some(place)).unwrap()), (2, Vec::new()), "a place that can be asked from");
    tell(&w, &pack, &days_later(keep + 3, 9), people[3], &to);
    assert_eq!(after(&days_later(keep + 3, 1), Some(2)).unwrap(), [3]);

    // Another agency's feed was left alone.
    let env = days_later(keep + 3, 1);
    let desk =
        Desk { store: &w.store, keys: &w.keys, pack: &pack, numbers: &w.numbers, env: &env, agency: &other };
    assert_eq!(feed::after(desk, Some(0), 100).unwrap().len(), 1);
}

fn a_question_is_asked_once_and_its_state_remembered_until_then(t: &TestStore) {
    let w = World::new(t, "example");
    let pack = Arc::new(w.pack.clone());
    let (asks, other) = (agency("pension-office"), agency("tax-office"));
    let now = days_later(0, 1);
    let desk =
        |agency| Desk { store: &w.store, keys: &w.keys, pack: &pack, numbers: &w.numbers, env: &now, agency };
    let open = |agency, id, body| transaction::open(desk(agency), id, vec!["r-1".to_owned()], body);
    for _ in 0..2 {
        open(&asks, "t-1", "who is 123").unwrap();
    }
    let reused = open(&asks, "t-1", "who is 456");
    assert!(matches!(reused, Err(PersonError::Refused(Refusal::RequestReused))), "{reused:?}");
    open(&other, "t-1", "who is 456").unwrap();
    assert!(matches!(open(&asks, "", "x"), Err(PersonError::Refused(Refusal::IdForm))));

    let jobs = due(&w, transaction::KIND, now.now);
    assert_eq!(jobs.len(), 2, "one for each agency");
    let question = |agency: &Agency| {
        let mut all = jobs.iter().filter_map(|job| transaction::question(&w.keys, job));
        all.find(|question| question.agency == agency.id).unwrap()
    };
    assert_eq!(question(&asks).body, "who is 123");
    assert!(jobs.iter().all(|job| !String::from_utf8_lossy(&job.body).contains("123")));

    let state = |agency, named| transaction::status(desk(agency), named).unwrap().map(|found| found.state);
    let correlation = transaction::correlation(&w.keys, &asks, "t-1");
    assert_eq!(state(&asks, Named::Own("t-1")), Some(State::Waiting));
    assert_eq!(state(&asks, Named::Registers(&correlation)), Some(State::Waiting));
    assert_eq!(state(&other, Named::Registers(&correlation)), None, "another agency's");
    assert_eq!(state(&asks, Named::Registers("guessed")), None);
    transaction::settle(&w.store, &w.keys, &asks, &question(&asks), State::Answered).unwrap();
    transaction::settle(&w.store, &w.keys, &asks, &question(&asks), State::GivenUp).unwrap();
    assert_eq!(state(&asks, Named::Own("t-1")), Some(State::Answered), "what is settled stays so");
    assert_eq!(state(&other, Named::Own("t-1")), Some(State::Waiting));

    let keep = pack.feed.keep_days;
    prune::prune(&w.store, &w.keys, &pack, &days_later(keep, 1), &asks).unwrap();
    assert_eq!(state(&asks, Named::Own("t-1")), Some(State::Answered));
    prune::prune(&w.store, &w.keys, &pack, &days_later(keep + 1, 1), &asks).unwrap();
    assert_eq!(state(&asks, Named::Own("t-1")), None);
    assert_eq!(state(&other, Named::Own("t-1")), Some(State::Waiting));
}

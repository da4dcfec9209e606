//! Somebody attacks the history of an entry: merges in rings, decisions taken twice, events struck again and again, a clock that runs
//! backwards. Whatever is refused, what stands always folds, and somebody always counts.

use std::sync::Barrier;

use jiff::civil::date;
use kaname_base::{Env, Instant};
use kaname_person::event::follow::follow;
use kaname_person::event::{Change, EventKind, record_event};
use kaname_person::identity::{Act, ProposalState};
use kaname_person::show::{Asking, access_log};
use kaname_person::{PersonError, Standing};
use kaname_store::jobs;
use kaname_store::{StoreError, Tx};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, PersonId};

use crate::events::{address, names};
use crate::identities::second;
use crate::world::{World, env, officer};

on_every_store!(
    merges_never_close_a_ring,
    merges_at_the_same_instant_leave_somebody_who_counts,
    a_number_leads_over_two_merges_and_back,
    the_same_proposal_twice_is_done_once,
    a_split_is_no_merge_and_each_is_undone_its_own_way,
    an_event_is_struck_once_and_for_good,
    what_is_struck_before_it_is_told_has_no_other_side,
    jobs_in_any_order_end_at_the_same,
    any_history_of_annulments_folds,
    a_clock_that_runs_backwards_loses_nothing,
);

impl World {
    /// Does the jobs that are due at `now`, the latest first: as if each had been claimed by a worker who was slower than the next.
    fn work_backwards(&self, now: Instant) {
        let mut jobs = Vec::new();
        for bucket in self.store.buckets().all() {
            let claim = move |tx: &mut Tx<'_>| jobs::claim_due(tx, now, 60, 100);
            jobs.extend(self.store.write::<_, StoreError, _>(bucket, claim).expect("claims"));
        }
        jobs.sort_by_key(|job| std::cmp::Reverse(job.due));
        for job in jobs {
            follow(&self.store, &self.keys, &self.pack, &env(78), &job).expect("follows");
            let done = move |tx: &mut Tx<'_>| jobs::done(tx, &job.id);
            self.store.write::<_, StoreError, _>(job.bucket, done).expect("says so");
        }
    }

    fn counts(&self, person: PersonId) -> bool {
        self.open(person).life.standing.is_here()
    }
}

fn merges_never_close_a_ring(t: &TestStore) {
    let w = World::new(t, "example");
    let [a, b, c] = [1, 2, 3].map(|n| w.person(n, &format!("A-{n}"), "Smith"));
    let first = w.propose(10, a, Act::Merge { survivor: b });
    let back = w.propose(11, b, Act::Merge { survivor: a });
    let on = w.propose(12, b, Act::Merge { survivor: c });
    let ring = w.propose(13, c, Act::Merge { survivor: a });
    assert_eq!(w.decide(first, second(), true), Ok(ProposalState::Done));
    assert_eq!(w.decide(back, second(), true), Err("entry-merged"));
    assert_eq!(w.decide(on, second(), true), Ok(ProposalState::Done));
    assert_eq!(w.decide(ring, second(), true), Err("entry-merged"));
    // It waits again: nothing of it is carried out one day by surprise.
    w.work();
    assert_eq!(w.decide(ring, second(), true), Err("entry-merged"));
    assert_eq!(w.decide(ring, second(), false), Ok(ProposalState::Refused));
    assert_eq!(w.decide(ring, second(), true), Err("proposal-decided"));
    assert_eq!((w.counts(a), w.counts(b), w.counts(c)), (false, false, true));
    assert_eq!(w.proposal_refused(14, c, Act::Unmerge), "not-merged");
    w.check_is_sound();
}

fn merges_at_the_same_instant_leave_somebody_who_counts(t: &TestStore) {
    let w = World::new(t, "example");
    for round in 0..8_u8 {
        let [a, b] = [0, 1].map(|n| w.person(100 + round * 2 + n, &format!("R-{round}-{n}"), "Smith"));
        let ids = [
            w.propose(10 + round * 2, a, Act::Merge { survivor: b }),
            w.propose(11 + round * 2, b, Act::Merge { survivor: a }),
        ];
        let start = Barrier::new(2);
        std::thread::scope(|scope| {
            for id in ids {
                let (w, start) = (&w, &start);
                scope.spawn(move || {
                    start.wait();
                    let _one_may_be_refused = w.decide(id, second(), true);
                });
            }
        });
        w.work();
        assert!(w.counts(a) || w.counts(b), "round {round}: nobody counts any more");
        for id in ids {
            let late = w.decide(id, second(), true);
            assert!(matches!(late, Err("proposal-decided" | "entry-merged")), "round {round}: {late:?}");
        }
    }
    w.check_is_sound();
}

fn a_number_leads_over_two_merges_and_back(t: &TestStore) {
    let w = World::new(t, "example");
    let [a, b, c] = [1, 2, 3].map(|n| w.person(n, &format!("A-{n}"), "Smith"));
    let numbers = [a, b, c].map(|person| w.number_of(person));
    let leads = |actor: &Actor| [0, 1, 2].map(|n| w.leads(&numbers[n], actor));
    let merge = |request, second_entry, survivor| {
        let id = w.propose(request, second_entry, Act::Merge { survivor });
        assert_eq!(w.decide(id, second(), true), Ok(ProposalState::Done));
    };
    // The second merge is decided before anybody was told of the first.
    merge(10, a, b);
    merge(11, b, c);
    w.work();
    assert_eq!(leads(&second()), [Some(c); 3]);
    assert_eq!(leads(&officer("payments")), [None, None, Some(c)]);
    assert_eq!((w.open(b).life.absorbed, w.open(c).life.absorbed), (vec![a], vec![b]));
    w.check_is_sound();

    let unmerge = |request, entry| {
        let id = w.propose(request, entry, Act::Unmerge);
        assert_eq!(w.decide(id, second(), true), Ok(ProposalState::Done));
        w.work();
        w.check_is_sound();
    };
    unmerge(12, b);
    assert_eq!(leads(&second()), [Some(b), Some(b), Some(c)]);
    unmerge(13, a);
    assert_eq!(leads(&officer("payments")), [Some(a), Some(b), Some(c)]);
    assert_eq!(w.count(), 3);
}

fn the_same_proposal_twice_is_done_once(t: &TestStore) {
    let w = World::new(t, "example");
    let (first, twice) = (w.person(1, "A-1", "Smith"), w.person(2, "A-2", "Smyth"));
    let merge = Act::Merge { survivor: first };
    let id = w.propose(10, twice, merge.clone());
    assert_eq!(w.proposal_refused(11, twice, merge.clone()), "proposed-already");
    // Signed in twice, at a counter and by command line, in one role and in another, she is one officer.
    for role in ["registrar", "help-desk", "administrator"] {
        let herself = officer(role);
        let wanted = if role == "registrar" { "second-officer" } else { "not-allowed" };
        assert_eq!(w.decide(id, herself, true), Err(wanted), "{role}");
    }
    assert_eq!(w.decide(id, second(), true), Ok(ProposalState::Done));
    assert_eq!(w.proposal_refused(12, twice, merge), "entry-merged");
    w.work();
    let merges = w.kinds(twice).iter().filter(|(kind, _)| *kind == EventKind::Merge).count();
    assert_eq!((merges, w.open(first).life.absorbed), (1, vec![twice]));
    w.check_is_sound();
}

fn a_split_is_no_merge_and_each_is_undone_its_own_way(t: &TestStore) {
    let w = World::new(t, "example");
    let (entry, other) = (w.person(1, "A-1", "Smith"), w.person(2, "A-2", "Smith"));
    let done = |request, person, act| {
        let id = w.propose(request, person, act);
        let state = w.decide(id, second(), true);
        w.work();
        state
    };
    assert_eq!(done(10, entry, Act::Split { other }), Ok(ProposalState::Done));
    for person in [entry, other] {
        assert_eq!(w.proposal_refused(11, person, Act::Unmerge), "not-merged");
    }
    let split = w.kinds(entry).iter().position(|(kind, _)| *kind == EventKind::Split).expect("it is split");
    let strike = Change::Annulment { of: split as i64 + 1 };
    assert_eq!(w.refused(&w.event(12, entry, date(2026, 9, 21), strike)), "recorded-otherwise");
    assert_eq!(done(13, other, Act::Merge { survivor: entry }), Ok(ProposalState::Done));
    assert_eq!(done(15, other, Act::Unmerge), Ok(ProposalState::Done));
    assert_eq!((w.counts(entry), w.counts(other)), (true, true));
    w.check_is_sound();
}

fn an_event_is_struck_once_and_for_good(t: &TestStore) {
    let w = World::new(t, "example");
    let person = w.person(1, "A-1", "Smith");
    let day = date(2020, 1, 1);
    let record = |request, change| w.record(&w.event(request, person, day, change));
    record(2, Change::Move { address: address("1 Hill") }).expect("moves");
    record(3, Change::ChangeOfName { names: names("Miller") }).expect("is renamed");
    record(4, Change::Annulment { of: 2 }).expect("is struck");
    let again = |request, of| w.refused(&w.event(request, person, day, Change::Annulment { of }));
    assert_eq!(
        [again(5, 2), again(6, 4), again(7, 1), again(8, 0), again(9, -1), again(10, i64::MAX)],
        ["no-such-event", "event-stands", "event-stands", "no-such-event", "no-such-event", "no-such-event"]
    );
    // What was struck can happen after all: it is another event.
    record(11, Change::Move { address: address("1 Hill") }).expect("moves");
    assert_eq!(w.open(person).particulars.address.line, "1 Hill");
    // The same request is the event that was struck, and brings nothing back.
    assert_eq!(record(2, Change::Move { address: address("1 Hill") }).expect("known"), 2);
    record(12, Change::Annulment { of: 5 }).expect("is struck");
    assert_eq!(w.open(person).particulars.address.line, "1 Quay Street");
    w.check_is_sound();
}

fn what_is_struck_before_it_is_told_has_no_other_side(t: &TestStore) {
    let w = World::new(t, "example");
    for round in 0..8_u8 {
        let [anna, ben] = [0, 1].map(|n| w.person(100 + round * 2 + n, &format!("R-{round}-{n}"), "Smith"));
        let day = date(2020, 5, 1);
        let wedding = Change::Marriage { with: ben, names: None };
        let n = w.record(&w.event(10 + round, anna, day, wedding)).expect("marries");
        w.record(&w.event(30 + round, anna, day, Change::Annulment { of: n })).expect("is struck");
        w.work();
        assert_eq!(w.open(ben).life.relations_now().count(), 0, "round {round}");
    }
    w.check_is_sound();
}

/// A worker dies with the job of the wedding in its hands, and the divorce, or a death, is told first.
fn jobs_in_any_order_end_at_the_same(t: &TestStore) {
    let w = World::new(t, "example");
    for round in 0..6_u8 {
        let [anna, ben] = [0, 1].map(|n| w.person(100 + round * 2 + n, &format!("R-{round}-{n}"), "Smith"));
        let wedding = Change::Marriage { with: ben, names: None };
        w.record(&w.event(10 + round, anna, date(2020, 5, 1), wedding)).expect("marries");
        let ends = match round % 3 {
            0 => (anna, Change::Divorce { from: ben, names: None }),
            1 => (anna, Change::Death),
            _ => (ben, Change::Death),
        };
        let later = Env::new(env(1).now.plus_seconds(60), [200 + round; 32]);
        let ends = w.event(30 + round, ends.0, date(2022, 5, 1), ends.1);
        record_event(&w.store, &w.keys, &w.pack, &later, &ends).expect("ends");
        w.work_backwards(later.now);
        for person in [anna, ben] {
            let now: Vec<_> = w.open(person).life.relations.iter().map(|relation| relation.until).collect();
            assert_eq!(now, [Some(date(2022, 5, 1))], "round {round}");
        }
    }
    w.check_is_sound();
}

fn any_history_of_annulments_folds(t: &TestStore) {
    let w = World::new(t, "example");
    let person = w.person(1, "A-1", "Smith");
    let mut state = 20_261_122_u64;
    let mut dice = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let (mut taken, mut refused, mut last) = (0, 0, 1);
    for request in 2..90_u8 {
        let day = date(2020, 1 + dice(12) as i8, 1 + dice(28) as i8);
        let change = match dice(8) {
            0 | 1 => Change::Move { address: address(&format!("{} Hill", dice(4))) },
            2 => Change::ChangeOfName { names: names(["Miller", "Smith", "Brown"][dice(3) as usize]) },
            3 => Change::Emigration { to: "Elsewhere".to_owned() },
            4 => Change::Return { address: None },
            5 => Change::Death,
            _ => Change::Annulment { of: 1 + dice(last) as i64 },
        };
        match w.record(&w.event(request, person, day, change)) {
            Ok(n) => {
                assert_eq!(n, last as i64 + 1, "numbered without a gap");
                last += 1;
                taken += 1;
            }
            Err(PersonError::Refused(_)) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(taken > 15 && refused > 15, "{taken} taken, {refused} refused");
    w.work();
    w.check_is_sound();
}

/// Set back by an hour, by a year: events are numbered as they came, the log has no gap, jobs wait for their time and none is lost.
fn a_clock_that_runs_backwards_loses_nothing(t: &TestStore) {
    let w = World::new(t, "example");
    let (person, ben) = (w.person(1, "A-1", "Smith"), w.person(2, "A-2", "Brown"));
    let now = env(1).now;
    for (at, back) in [0, 3_600, 86_400, 86_400 * 300].into_iter().enumerate() {
        let request = 10 + at as u8;
        let env = Env::new(now.plus_seconds(-back), [request; 32]);
        let moved = Change::Move { address: address(&format!("{at} Hill")) };
        let ask = w.event(request, person, date(2020, 1, 1 + at as i8), moved);
        let n = record_event(&w.store, &w.keys, &w.pack, &env, &ask).expect("moves");
        assert_eq!(n, 2 + at as i64);
    }
    let ahead = Env::new(now.plus_seconds(7_200), [50; 32]);
    let wedding = w.event(50, person, date(2021, 1, 1), Change::Marriage { with: ben, names: None });
    record_event(&w.store, &w.keys, &w.pack, &ahead, &wedding).expect("marries");
    w.work();
    assert_eq!(w.open(ben).life.relations_now().count(), 0, "its time has not come");
    let done = jobs::Worker::new(w.store.clone())
        .round(&|| ahead.now, &|job| follow(&w.store, &w.keys, &w.pack, &ahead.again(), job).map(drop));
    assert_eq!(done.expect("works").failed, 0);
    assert_eq!(w.open(ben).life.relations_now().count(), 1);
    assert_eq!(w.open(person).particulars.address.line, "3 Hill");
    assert!(matches!(w.open(person).life.standing, Standing::Here));

    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    let early = Env::new(Instant::from_seconds(0), [60; 32]);
    let log = w.store.write::<_, PersonError, _>(bucket_of(person, w.store.buckets()), move |tx| {
        access_log(tx, &keys, &pack, &early.again(), &Asking::herself(person), 1_000)
    });
    let counted: Vec<i64> = log.expect("shows").iter().rev().map(|entry| entry.n).collect();
    assert_eq!(counted, (1..=counted.len() as i64).collect::<Vec<_>>());
    // A number that is taken back is no day of the past either.
    assert_eq!(w.refused(&w.event(70, person, date(2027, 1, 1), Change::Death)), "event-in-future");
    w.check_is_sound();
}

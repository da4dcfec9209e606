use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use kaname_base::{Env, Instant};
use kaname_store::jobs::{self, Enqueued, JobError, MOST_ATTEMPTS, NewJob, Round, Stop, Worker};
use kaname_store::{Store, StoreError, Tx};
use kaname_testkit::{TestStore, on_every_store};

use super::{ADD, No, THINGS, count, how_many};

on_every_store!(
    asking_twice_asks_once,
    a_refused_unit_asks_for_nothing,
    a_job_waits_until_it_is_due,
    a_crash_before_done_does_it_again,
    what_fails_is_tried_later_and_dies_at_last,
    a_job_that_kills_its_worker_is_buried,
    two_workers_share_the_work,
    a_worker_stops_when_told,
    what_was_done_long_ago_is_forgotten
);

const NOON: Instant = Instant::from_seconds(1_800_000_000);

fn open(t: &TestStore) -> Store {
    t.open(&[THINGS, jobs::MIGRATIONS])
}

fn ask(t: &TestStore, store: &Store, bucket: u16, id: u8, due: Instant) -> Enqueued {
    let env = Env::new(NOON, [7; 32]);
    let work = move |tx: &mut Tx<'_>| {
        jobs::enqueue(tx, &env, &NewJob { id: [id; 16], kind: "letter.send", body: b"sealed", due })
    };
    store.write::<_, StoreError, _>(t.bucket(bucket), work).unwrap()
}

fn claim(t: &TestStore, store: &Store, bucket: u16, now: Instant, limit: u32) -> Vec<jobs::Job> {
    let work = move |tx: &mut Tx<'_>| jobs::claim_due(tx, now, 60, limit);
    store.write::<_, StoreError, _>(t.bucket(bucket), work).unwrap()
}

fn asking_twice_asks_once(t: &TestStore) {
    let store = open(t);
    assert_eq!(ask(t, &store, 3, 1, NOON), Enqueued::Added);
    assert_eq!(ask(t, &store, 3, 1, NOON), Enqueued::AlreadyThere);
    let env = Env::new(NOON, [7; 32]);
    let other = move |tx: &mut Tx<'_>| {
        jobs::enqueue(tx, &env, &NewJob { id: [1; 16], kind: "letter.send", body: b"other", due: NOON })
    };
    assert_eq!(store.write::<_, StoreError, _>(t.bucket(3), other).unwrap(), Enqueued::IdReused);
    assert_eq!(claim(t, &store, 3, NOON, 9).len(), 1);
}

fn a_refused_unit_asks_for_nothing(t: &TestStore) {
    let store = open(t);
    let env = Env::new(NOON, [7; 32]);
    let answer = store.write::<(), No, _>(t.bucket(3), move |tx| {
        let _ = jobs::enqueue(tx, &env, &NewJob { id: [1; 16], kind: "letter.send", body: b"", due: NOON })?;
        Err(No::Refused)
    });
    assert!(matches!(answer, Err(No::Refused)));
    assert!(claim(t, &store, 3, NOON, 9).is_empty());
}

fn a_job_waits_until_it_is_due(t: &TestStore) {
    let store = open(t);
    for (id, delay) in [(1, 20), (2, 10), (3, 30)] {
        let _ = ask(t, &store, 3, id, NOON.plus_seconds(delay));
    }
    assert!(claim(t, &store, 3, NOON.plus_seconds(9), 9).is_empty());
    let first = claim(t, &store, 3, NOON.plus_seconds(25), 1);
    assert_eq!(first.iter().map(|job| (job.id[0], job.attempt)).collect::<Vec<_>>(), [(2, 1)]);
    assert_eq!((first[0].kind.as_str(), first[0].body.as_slice()), ("letter.send", &b"sealed"[..]));
    let next: Vec<_> = claim(t, &store, 3, NOON.plus_seconds(25), 9).iter().map(|job| job.id[0]).collect();
    assert_eq!(next, [1], "what is leased is not given twice");
    let later: Vec<_> =
        claim(t, &store, 3, NOON.plus_seconds(85), 9).iter().map(|job| (job.id[0], job.attempt)).collect();
    assert_eq!(later, [(2, 2), (1, 2), (3, 1)], "leases run out");
    assert!(claim(t, &store, 4, NOON.plus_seconds(85), 9).is_empty());
}

fn a_crash_before_done_does_it_again(t: &TestStore) {
    let store = open(t);
    let _ = ask(t, &store, 5, 1, NOON);
    let calls = Cell::new(0);
    let handler = |job: &jobs::Job| {
        calls.set(calls.get() + 1);
        // Idempotent: the effect has an id of its own.
        let there = count(t, &store, 5, i64::from(job.id[0])).is_some();
        if !there {
            let work = |tx: &mut Tx<'_>| tx.change(ADD, &[1.into(), 1.into()]).map(drop);
            store.write::<_, StoreError, _>(job.bucket, work).map_err(|_| JobError::Later("store"))?;
        }
        Ok(())
    };
    let claimed = claim(t, &store, 5, NOON, 9);
    handler(&claimed[0]).unwrap();
    // Here the worker dies: `done` is never said, and the next program opens the store.
    let store_again = t.reopen();
    let worker = Worker::new(store_again.clone());
    assert_eq!(worker.round(&|| NOON.plus_seconds(59), &handler).unwrap(), Round::default());
    assert_eq!(worker.round(&|| NOON.plus_seconds(61), &handler).unwrap(), Round { done: 1, failed: 0 });
    assert_eq!(worker.round(&|| NOON.plus_seconds(9_999), &handler).unwrap(), Round::default());
    assert_eq!((calls.get(), how_many(t, &store_again, 5)), (2, 1));
    let forget = |tx: &mut Tx<'_>| jobs::forget_done(tx, NOON.plus_seconds(1));
    assert_eq!(store.write::<_, StoreError, _>(t.bucket(5), forget).unwrap(), 1);
}

fn what_fails_is_tried_later_and_dies_at_last(t: &TestStore) {
    let store = open(t);
    let _ = ask(t, &store, 5, 1, NOON);
    let _ = ask(t, &store, 6, 2, NOON);
    let worker = Worker::new(store.clone());
    let (now, starts) = (Cell::new(NOON), RefCell::new(Vec::new()));
    let handler = |job: &jobs::Job| match job.id[0] {
        1 => {
            starts.borrow_mut().push(now.get().seconds() - NOON.seconds());
            assert!(job.attempt != 2, "on purpose");
            Err(JobError::Later("post-closed"))
        }
        _ => Err(JobError::Never("no-address")),
    };
    let mut failed = 0;
    for _ in 0..20_000 {
        failed += worker_round(&worker, &now, &handler).failed;
        now.set(now.get().plus_seconds(if failed < 8 { 10 } else { 3_600 }));
        if failed == MOST_ATTEMPTS as u64 + 1 {
            break;
        }
    }
    assert_eq!(starts.borrow()[..5], [0, 10, 30, 70, 150], "each wait is twice the last");
    assert_eq!(starts.borrow().len(), MOST_ATTEMPTS as usize);
    now.set(now.get().plus_seconds(1_000_000));
    assert_eq!(worker_round(&worker, &now, &handler), Round::default(), "the dead are not tried");

    let dead =
        |bucket: u16| store.read::<_, StoreError, _>(t.bucket(bucket), |tx| jobs::dead(tx, 9)).unwrap();
    assert_eq!((dead(5)[0].0.id[0], dead(5)[0].1.as_str()), (1, "post-closed"));
    assert_eq!(dead(6)[0].1, "no-address");
    let again = now.get();
    let revive = move |tx: &mut Tx<'_>| jobs::revive(tx, &[2; 16], again);
    assert!(store.write::<_, StoreError, _>(t.bucket(6), revive).unwrap());
    assert_eq!(worker_round(&worker, &now, &|_| Ok(())), Round { done: 1, failed: 0 });
}

fn worker_round(
    worker: &Worker,
    now: &Cell<Instant>,
    handler: &dyn Fn(&jobs::Job) -> Result<(), JobError>,
) -> Round {
    worker.round(&|| now.get(), handler).unwrap()
}

fn a_job_that_kills_its_worker_is_buried(t: &TestStore) {
    let store = open(t);
    let _ = ask(t, &store, 5, 1, NOON);
    let mut now = NOON;
    for attempt in 1..=MOST_ATTEMPTS {
        assert_eq!(claim(t, &store, 5, now, 9)[0].attempt, attempt);
        now = now.plus_seconds(61);
    }
    assert!(claim(t, &store, 5, now, 9).is_empty());
    let dead = store.read::<_, StoreError, _>(t.bucket(5), |tx| jobs::dead(tx, 9)).unwrap();
    assert_eq!(dead[0].1, "worker-died");
}

fn two_workers_share_the_work(t: &TestStore) {
    let store = open(t);
    for bucket in 0..8 {
        for id in 0..20 {
            let _ = ask(t, &store, bucket, id, NOON);
        }
    }
    let (calls, other) = (AtomicU32::new(0), t.reopen());
    let done: Vec<u64> = std::thread::scope(|scope| {
        let work = |store: &Store| {
            let worker = Worker { batch: 3, ..Worker::new(store.clone()) };
            let count = |_: &jobs::Job| {
                calls.fetch_add(1, Ordering::SeqCst);
                Ok(())
            };
            worker.round(&|| NOON, &count).unwrap().done
        };
        let threads = [scope.spawn(move || work(&store)), scope.spawn(move || work(&other))];
        threads.map(|thread| thread.join().unwrap()).to_vec()
    });
    assert_eq!((calls.into_inner(), done.iter().sum::<u64>()), (160, 160), "{done:?}");
}

fn a_worker_stops_when_told(t: &TestStore) {
    let store = open(t);
    let _ = ask(t, &store, 5, 1, NOON);
    let (stop, done) = (Stop::default(), AtomicI64::new(0));
    std::thread::scope(|scope| {
        let (stop_of_worker, done) = (stop.clone(), &done);
        let worker = Worker { rest_ms: 60_000, ..Worker::new(store.clone()) };
        let ended = scope.spawn(move || {
            let handler = |_: &jobs::Job| {
                done.fetch_add(1, Ordering::SeqCst);
                Ok(())
            };
            worker.run(&|| NOON, &handler, &|error| panic!("{error}"), &stop_of_worker);
        });
        while done.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        stop.pull();
        ended.join().unwrap();
    });
}

fn what_was_done_long_ago_is_forgotten(t: &TestStore) {
    let (store, later) = (open(t), NOON.plus_seconds(31 * 86_400));
    let _ = ask(t, &store, 5, 1, NOON);
    let _ = ask(t, &store, 5, 2, later);
    let stop = Stop::default();
    let handler = |job: &jobs::Job| {
        if job.id[0] == 2 {
            stop.pull();
        }
        Ok(())
    };
    Worker::new(store.clone()).run(&|| later, &handler, &|error| panic!("{error}"), &stop);
    assert_eq!(ask(t, &store, 5, 2, later), Enqueued::AlreadyThere);
    assert_eq!(
        ask(t, &store, 5, 1, NOON),
        Enqueued::Added,
        "nothing is left of it, nor of whom it was about"
    );
}

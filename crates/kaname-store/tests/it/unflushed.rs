use std::sync::atomic::{AtomicI64, Ordering};

use kaname_store::{Faults, StoreConfig, StoreError};
use kaname_testkit::{TestStore, on_every_store};

use super::{THINGS, add, count, how_many};

on_every_store!(
    what_is_flushed_is_there,
    what_is_dropped_is_there,
    what_panics_leaves_no_transaction_open,
    a_caller_reads_what_it_has_not_flushed,
    what_only_reads_cannot_write,
    some_wait_and_some_do_not,
    what_is_lost_is_told_and_nothing_is_built_on_it
);

fn what_is_flushed_is_there(t: &TestStore) {
    let store = t.open(&[THINGS]);
    let other = t.reopen();
    let (_, unflushed) = store.unflushed(|| {
        add(t, &store, 1, 1, 10).unwrap();
        add(t, &store, 2, 2, 20).unwrap();
    });
    // A server's store has waited already.
    assert_eq!(unflushed.is_settled(), !t.is_sqlite());
    assert_eq!(count(t, &other, 1, 1), (!t.is_sqlite()).then_some(10));
    unflushed.flush().unwrap();
    assert_eq!((count(t, &other, 1, 1), count(t, &other, 2, 2)), (Some(10), Some(20)));
    let ((), nothing) = store.unflushed(|| ());
    assert!(nothing.is_settled());
    nothing.flush().unwrap();
}

fn what_is_dropped_is_there(t: &TestStore) {
    let store = t.open(&[THINGS]);
    drop(store.unflushed(|| add(t, &store, 1, 1, 10).unwrap()));
    assert_eq!(count(t, &t.reopen(), 1, 1), Some(10));
}

fn what_panics_leaves_no_transaction_open(t: &TestStore) {
    let store = t.open(&[THINGS]);
    let panics = || {
        add(t, &store, 1, 1, 10).unwrap();
        panic!("on purpose")
    };
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| store.unflushed(panics).0));
    assert!(outcome.is_err());
    let other = t.reopen();
    add(t, &other, 1, 2, 20).unwrap(); // would wait for a transaction that is open
    assert_eq!((count(t, &other, 1, 1), count(t, &store, 1, 2)), (Some(10), Some(20)));
}

fn a_caller_reads_what_it_has_not_flushed(t: &TestStore) {
    let store = t.open(&[THINGS]);
    let (seen, unflushed) = store.unflushed(|| {
        add(t, &store, 1, 1, 10).unwrap();
        count(t, &store, 1, 1)
    });
    assert_eq!((seen, unflushed.is_settled()), (Some(10), !t.is_sqlite()));
    unflushed.flush().unwrap();
    assert_eq!(count(t, &t.reopen(), 1, 1), Some(10));
}

/// Also where it runs on the connection that writes.
fn what_only_reads_cannot_write(t: &TestStore) {
    let store = t.open(&[THINGS]);
    let bucket = t.bucket(1);
    let write = || {
        store.read(bucket, |tx| {
            tx.change("DELETE FROM thing WHERE bucket = $1", &[])?;
            Ok::<_, StoreError>(())
        })
    };
    add(t, &store, 1, 1, 10).unwrap();
    assert!(matches!(write(), Err(StoreError::Database(_))));
    let (refused, unflushed) = store.unflushed(write);
    assert!(matches!(refused, Err(StoreError::Database(_))));
    unflushed.flush().unwrap();
    assert_eq!(count(t, &store, 1, 1), Some(10));
}

/// Nobody is forgotten, whoever commits for whom.
fn some_wait_and_some_do_not(t: &TestStore) {
    let store = t.open(&[THINGS]);
    let other = t.reopen();
    std::thread::scope(|scope| {
        for thread in 0..12 {
            let (store, other) = (&store, &other);
            scope.spawn(move || {
                for i in 0..20 {
                    let id = thread * 100 + i;
                    match thread % 3 {
                        0 => add(t, store, 1, id, id).unwrap(),
                        1 => store.unflushed(|| add(t, store, 1, id, id).unwrap()).1.flush().unwrap(),
                        _ => drop(store.unflushed(|| add(t, store, 1, id, id).unwrap())),
                    }
                    assert_eq!(count(t, other, 1, id), Some(id));
                }
            });
        }
    });
    assert_eq!(how_many(t, &store, 1), 240);
}

fn what_is_lost_is_told_and_nothing_is_built_on_it(t: &TestStore) {
    drop(t.open(&[THINGS]));
    let faults = Faults::new();
    let config = StoreConfig { faults: Some(faults.clone()), ..t.config() };
    let store = t.open_with(&config, &[THINGS]).unwrap();
    let refused = AtomicI64::new(0);
    for step in 1..12 {
        let ids = (step * 10, step * 10 + 1);
        faults.arm(step as u64, false);
        let (answers, unflushed) = store.unflushed(|| {
            let first = add(t, &store, 1, ids.0, 1);
            if step % 2 == 0 {
                // Others commit, and meet the fault, between the two.
                let _ = std::thread::scope(|scope| scope.spawn(|| add(t, &store, 2, ids.0, 1)).join());
            }
            let second = first.and_then(|()| add(t, &store, 1, ids.1, 1));
            second.map_err(|error: StoreError| drop(error))
        });
        let told = answers.is_ok() & unflushed.flush().is_ok();
        faults.disarm();
        refused.fetch_add(i64::from(!told), Ordering::SeqCst);
        let (first, second) = (count(t, &store, 1, ids.0), count(t, &store, 1, ids.1));
        assert!(!told || (first, second) == (Some(1), Some(1)), "step {step}: told as done, and is not");
        assert!(first.is_some() || second.is_none(), "step {step}: built on what was lost");
    }
    assert!(refused.into_inner() > 0, "no fault was met");
}

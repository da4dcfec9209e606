use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};

use kaname_store::{StoreError, Tx};
use kaname_testkit::{TestStore, on_every_store};

use super::{ADD, COUNT, No, SET_COUNT, THINGS, add, count, how_many};

on_every_store!(
    compare_and_set_adds_up,
    a_conflict_is_run_again_from_the_start,
    a_swallowed_conflict_is_a_conflict,
    a_swallowed_failure_keeps_nothing,
    a_duplicate_is_said_soon
);

fn one_more(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let row = tx.row(COUNT, &[1.into()])?.expect("the row was added");
    tx.change_one(SET_COUNT, &[1.into(), (row.int(0)? + 1).into(), row.int(1)?.into()])
}

fn compare_and_set_adds_up(t: &TestStore) {
    let store = t.open(&[THINGS]);
    add(t, &store, 3, 1, 0).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    store.write(t.bucket(3), one_more).unwrap();
                }
            });
        }
    });
    assert_eq!(count(t, &store, 3, 1), Some(200));
    println!("{} runs met a conflict", store.conflicts());
    assert_eq!(store.conflicts() == 0, t.is_sqlite(), "the case that the test is for did not happen");
}

/// Two units read the same row before either writes: one of them must run twice, where they can overlap at all.
fn a_conflict_is_run_again_from_the_start(t: &TestStore) {
    let store = t.open(&[THINGS]);
    add(t, &store, 3, 1, 0).unwrap();
    let runs = AtomicU32::new(0);
    let (runs, both_have_read) = (Arc::new(runs), Arc::new(Barrier::new(2)));
    let overlaps = !t.is_sqlite();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let (runs, both_have_read, mut first) =
                    (Arc::clone(&runs), Arc::clone(&both_have_read), true);
                let work = move |tx: &mut Tx<'_>| {
                    runs.fetch_add(1, Ordering::SeqCst);
                    let row = tx.row(COUNT, &[1.into()])?.expect("the row was added");
                    if std::mem::take(&mut first) && overlaps {
                        both_have_read.wait();
                    }
                    tx.change_one(SET_COUNT, &[1.into(), (row.int(0)? + 1).into(), row.int(1)?.into()])
                };
                store.write(t.bucket(3), work).unwrap();
            });
        }
    });
    assert_eq!(count(t, &store, 3, 1), Some(2));
    let again = u32::from(overlaps);
    assert_eq!((runs.load(Ordering::SeqCst), store.conflicts()), (2 + again, u64::from(again)));
}

fn a_swallowed_conflict_is_a_conflict(t: &TestStore) {
    let store = t.open(&[THINGS]);
    let answer = store.write::<_, StoreError, _>(t.bucket(2), |tx| {
        tx.change(ADD, &[7.into(), 1.into()])?;
        let _ = tx.change_one(SET_COUNT, &[1.into(), 5.into(), 99.into()]);
        Ok(())
    });
    assert!(matches!(answer, Err(StoreError::Conflict)), "{answer:?}");
    assert_eq!(how_many(t, &store, 2), 0);
}

/// PostgreSQL answers the COMMIT of a transaction that failed with a ROLLBACK and no error.
fn a_swallowed_failure_keeps_nothing(t: &TestStore) {
    let store = t.open(&[THINGS]);
    let answer = store.write::<_, No, _>(t.bucket(2), |tx| {
        tx.change(ADD, &[7.into(), 1.into()])?;
        let _ = tx.change("UPDATE thing SET version = NULL WHERE bucket = $1 AND id = $2", &[7.into()]);
        Ok(())
    });
    assert!(matches!(answer, Err(No::Store(StoreError::Database(_)))), "{answer:?}");
    assert_eq!(how_many(t, &store, 2), 0);
    add(t, &store, 2, 7, 1).unwrap();
}

fn a_duplicate_is_said_soon(t: &TestStore) {
    let store = t.open(&[THINGS]);
    add(t, &store, 2, 7, 1).unwrap();
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let answer = store.write::<_, StoreError, _>(t.bucket(2), move |tx| {
        counted.fetch_add(1, Ordering::SeqCst);
        tx.change(ADD, &[7.into(), 2.into()])
    });
    assert!(matches!(answer, Err(StoreError::Duplicate)), "{answer:?}");
    assert!(runs.load(Ordering::SeqCst) <= 3);
    assert_eq!(count(t, &store, 2, 7), Some(1));
}

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier, mpsc};

use kaname_store::{StoreConfig, StoreError};
use kaname_testkit::{TestStore, on_every_store};

use super::{ADD, No, THINGS, add, count, how_many};

on_every_store!(
    what_is_answered_is_there,
    a_refusal_undoes_only_its_own,
    a_panic_undoes_only_its_own,
    a_panicking_reply_harms_nobody,
    a_full_queue_is_busy,
    the_last_handle_may_go_on_a_store_thread,
    a_read_sees_what_was_answered
);

/// Each of many threads looks, as another process would, for what it was just told is done.
fn what_is_answered_is_there(t: &TestStore) {
    let store = t.open(&[THINGS]);
    let other = t.reopen();
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let (store, other) = (&store, &other);
            scope.spawn(move || {
                for i in 0..20 {
                    let id = thread * 100 + i;
                    add(t, store, (id % 8) as u16, id, id).unwrap();
                    assert_eq!(count(t, other, (id % 8) as u16, id), Some(id));
                }
            });
        }
    });
    drop((store, other));
    let store = t.reopen();
    assert_eq!((0..8).map(|bucket| how_many(t, &store, bucket)).sum::<i64>(), 320);
}

/// Holds the store's writer at a job until the others wait behind it, so that they share a commit where there is one.
fn all_at_once(t: &TestStore, store: &kaname_store::Store, jobs: impl Fn(i64)) {
    let gate = Arc::new(Barrier::new(2));
    let held = Arc::clone(&gate);
    let holder = move |_: &mut kaname_store::Tx<'_>| {
        held.wait();
        Ok::<_, StoreError>(())
    };
    store.submit_write(t.bucket(1), holder, |_| ()).unwrap();
    (0..12).for_each(jobs);
    gate.wait();
}

fn a_refusal_undoes_only_its_own(t: &TestStore) {
    let store = t.open(&[THINGS]);
    let (send, receive) = mpsc::channel();
    all_at_once(t, &store, |id| {
        let send = send.clone();
        let work = move |tx: &mut kaname_store::Tx<'_>| {
            tx.change(ADD, &[id.into(), id.into()])?;
            if id % 3 == 0 { Err(No::Refused) } else { Ok(id) }
        };
        store.submit_write(t.bucket(1), work, move |answer| send.send(answer).unwrap()).unwrap();
    });
    let answers: Vec<_> = receive.iter().take(12).collect();
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Err(No::Refused))).count(), 4);
    for id in 0..12 {
        assert_eq!(count(t, &store, 1, id), (id % 3 != 0).then_some(id));
    }
}

fn a_panic_undoes_only_its_own(t: &TestStore) {
    let store = t.open(&[THINGS]);
    let (send, receive) = mpsc::channel();
    all_at_once(t, &store, |id| {
        let send = send.clone();
        let work = move |tx: &mut kaname_store::Tx<'_>| {
            tx.change(ADD, &[id.into(), id.into()])?;
            assert!(id % 3 != 0, "on purpose");
            Ok::<_, StoreError>(id)
        };
        store.submit_write(t.bucket(1), work, move |answer| send.send(answer).unwrap()).unwrap();
    });
    let answers: Vec<_> = receive.iter().take(12).collect();
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Err(StoreError::Crashed))).count(), 4);
    assert_eq!(how_many(t, &store, 1), 8);
    add(t, &store, 1, 100, 1).unwrap();
}

fn a_panicking_reply_harms_nobody(t: &TestStore) {
    let store = t.open(&[THINGS]);
    let (send, receive) = mpsc::channel();
    all_at_once(t, &store, |id| {
        let send = send.clone();
        let work = move |tx: &mut kaname_store::Tx<'_>| tx.change(ADD, &[id.into(), id.into()]);
        let reply = move |answer: Result<u64, StoreError>| {
            send.send(answer).unwrap();
            assert!(id % 3 != 0, "on purpose");
        };
        store.submit_write(t.bucket(1), work, reply).unwrap();
    });
    assert!(receive.iter().take(12).all(|answer| answer.is_ok()));
    for id in 100..120 {
        add(t, &store, 1, id, 1).unwrap();
    }
    assert_eq!(how_many(t, &store, 1), 32);
}

fn a_full_queue_is_busy(t: &TestStore) {
    drop(t.open(&[THINGS]));
    let config = StoreConfig { waiting: 2, writers: 1, ..t.config() };
    let store = t.open_with(&config, &[THINGS]).unwrap();
    let (started, release) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (is_started, is_released) = (Arc::clone(&started), Arc::clone(&release));
    let holder = move |_: &mut kaname_store::Tx<'_>| {
        is_started.wait();
        is_released.wait();
        Ok::<_, StoreError>(())
    };
    store.submit_write(t.bucket(1), holder, |_| ()).unwrap();
    started.wait();
    let replies = Arc::new(AtomicU32::new(0));
    let submit = |id: i64| {
        let replies = Arc::clone(&replies);
        let work = move |tx: &mut kaname_store::Tx<'_>| tx.change(ADD, &[id.into(), id.into()]);
        let reply = move |answer: Result<u64, StoreError>| {
            answer.unwrap();
            replies.fetch_add(1, Ordering::SeqCst);
        };
        store.submit_write(t.bucket(1), work, reply)
    };
    let answers: Vec<_> = (0..4).map(submit).collect();
    release.wait();
    assert!(answers[0].is_ok() && answers[1].is_ok());
    assert!(answers[2..].iter().all(|answer| matches!(answer, Err(StoreError::Busy))), "{answers:?}");
    add(t, &store, 1, 50, 1).unwrap(); // waits for room instead
    assert_eq!((replies.load(Ordering::SeqCst), how_many(t, &store, 1)), (2, 3));
}

fn the_last_handle_may_go_on_a_store_thread(t: &TestStore) {
    let store = t.open(&[THINGS]);
    let (send, receive) = mpsc::channel();
    let (go, gone) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (may_go, is_gone, last) = (Arc::clone(&go), Arc::clone(&gone), store.clone());
    let reply = move |answer: Result<u64, StoreError>| {
        may_go.wait();
        drop(last);
        send.send(answer).unwrap();
        is_gone.wait();
    };
    store.submit_write(t.bucket(1), |tx| tx.change(ADD, &[1.into(), 1.into()]), reply).unwrap();
    drop(store);
    go.wait();
    receive.recv().unwrap().unwrap();
    gone.wait();
    let store = t.reopen();
    assert_eq!(how_many(t, &store, 1), 1);
}

/// A read that joined an older one's view would miss what its caller was told is done.
fn a_read_sees_what_was_answered(t: &TestStore) {
    drop(t.open(&[THINGS]));
    let config = StoreConfig { readers: 1, ..t.config() };
    let store = t.open_with(&config, &[THINGS]).unwrap();
    let (started, release) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (is_started, is_released) = (Arc::clone(&started), Arc::clone(&release));
    let slow_read = move |tx: &mut kaname_store::Tx<'_>| {
        let before = tx.row(super::HOW_MANY, &[])?.expect("a sum").int(0)?;
        is_started.wait();
        is_released.wait();
        // One consistent view.
        assert_eq!(tx.row(super::HOW_MANY, &[])?.expect("a sum").int(0)?, before);
        Ok::<_, StoreError>(before)
    };
    let (send, receive) = mpsc::channel();
    let (send_slow, send_next) = (send.clone(), send);
    store
        .submit_read(t.bucket(1), slow_read, move |answer| send_slow.send(answer.unwrap()).unwrap())
        .unwrap();
    started.wait();
    add(t, &store, 1, 1, 1).unwrap();
    let next_read = |tx: &mut kaname_store::Tx<'_>| tx.row(super::HOW_MANY, &[])?.expect("a sum").int(0);
    let reply = move |answer: Result<i64, StoreError>| send_next.send(answer.unwrap()).unwrap();
    store.submit_read(t.bucket(1), next_read, reply).unwrap();
    release.wait();
    assert_eq!(receive.iter().take(2).collect::<Vec<_>>(), [0, 1]);
}

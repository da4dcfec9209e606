use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use kaname_store::faults::Call;
use kaname_store::{Faults, Store, StoreConfig, StoreError, Tx};
use kaname_testkit::{Options, Postgres, TestStore, on_every_store};

use super::{ADD, COUNT, SET_COUNT, THINGS, add, count, how_many};

on_every_store!(a_lost_reply_never_does_it_twice, at_random_moments_neither);

const ACCOUNT: i64 = 1;

fn open_faulty(t: &TestStore, faults: &Faults) -> Store {
    drop(t.open(&[THINGS]));
    let config = StoreConfig { faults: Some(faults.clone()), ..t.config() };
    let store = t.open_with(&config, &[THINGS]).unwrap();
    let still = t.reopen();
    add(t, &still, 3, ACCOUNT, 0).unwrap();
    store
}

/// Adds 10 to the account once for each id, as a use case does: by the caller's id.
fn deposit(t: &TestStore, store: &Store, id: i64) -> Result<(), StoreError> {
    store.write(t.bucket(3), move |tx: &mut Tx<'_>| {
        if tx.row(COUNT, &[id.into()])?.is_some() {
            return Ok(());
        }
        let account = tx.row(COUNT, &[ACCOUNT.into()])?.expect("the account is there");
        let (balance, version) = (account.int(0)?, account.int(1)?);

        tx.change(ADD, &[id.into(), 10.into()])?;
        tx.change_one(SET_COUNT, &[ACCOUNT.into(), (balance + 10).into(), version.into()])
    })
}

fn until_it_works(t: &TestStore, store: &Store, id: i64) -> u32 {
    let mut tries = 1;
    while let Err(error) = deposit(t, store, id) {
        assert!(matches!(error, StoreError::CommitUnknown | StoreError::Unreachable(_)), "{error:?}");
        tries += 1;
        assert!(tries < 100, "{error:?}");
    }
    tries
}

fn a_lost_reply_never_does_it_twice(t: &TestStore) {
    let faults = Faults::new();
    let store = open_faulty(t, &faults);
    let mut done = 0;
    for applied in [false, true] {
        for step in 1.. {
            let before = faults.played().len();
            faults.arm(step, applied);
            until_it_works(t, &store, 100 + done);
            done += 1;
            assert_eq!(count(t, &store, 3, ACCOUNT), Some(10 * done), "after a fault at step {step}");
            if faults.played().len() == before {
                break; // past the last step
            }
        }
    }
    for call in [Call::Begin, Call::Statement, Call::Commit] {
        for applied in [false, true] {
            let is_played =
                faults.played().iter().any(|fault| (fault.call, fault.applied) == (call, applied));
            assert!(is_played, "no fault reached {call:?}, applied: {applied}");
        }
    }
}

fn at_random_moments_neither(t: &TestStore) {
    let faults = Faults::seeded(20_261_122, 9);
    let store = open_faulty(t, &faults);
    let tries = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (store, tries) = (&store, &tries);
            scope.spawn(move || {
                for i in 0..25 {
                    tries.fetch_add(until_it_works(t, store, 100 + thread * 25 + i), Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!((count(t, &store, 3, ACCOUNT), how_many(t, &store, 3)), (Some(1_000), 101));
    assert!(tries.into_inner() > 100 && faults.played().len() > 20);
}

fn cluster(options: Options) -> Option<Postgres> {
    match Postgres::start(options) {
        Ok(cluster) => Some(cluster),
        Err(message) if std::env::var_os("KANAME_REQUIRE_POSTGRES").is_some() => panic!("{message}"),
        Err(message) => {
            eprintln!("not run: {message}");
            None
        }
    }
}

fn on(cluster: &Postgres) -> (StoreConfig, Store) {
    let location = kaname_store::Location::Postgres(vec![cluster.database()]);
    let config = StoreConfig::new(location, kaname_store::Buckets::new(8).unwrap());
    let store = Store::open(&config, &[THINGS]).unwrap();
    (config, store)
}

#[test]
fn a_lost_connection_is_made_anew() {
    let Some(cluster) = cluster(Options::default()) else { return };
    let (_, store) = on(&cluster);
    let home = store.buckets().home();
    let runs = Arc::new(AtomicU32::new(0));
    for id in 0..5 {
        let counted = Arc::clone(&runs);
        let work = move |tx: &mut Tx<'_>| {
            counted.fetch_add(1, Ordering::SeqCst);
            tx.change(ADD, &[id.into(), id.into()])
        };
        store.write(home, work).expect("a unit that never reached the database is run on a new connection");
        cluster.cut_connections();
    }
    assert!(runs.load(Ordering::SeqCst) >= 5);
    cluster.stop();
    let answer = store.write(home, |tx| tx.change(ADD, &[9.into(), 9.into()]));
    assert!(matches!(answer, Err(StoreError::Unreachable(_))), "{answer:?}");
    cluster.restart();
    store.write::<_, StoreError, _>(home, |tx| tx.change(ADD, &[9.into(), 9.into()])).unwrap();
}

/// What was acknowledged is there after a kill; what was not is there whole or not at all.
#[test]
fn a_killed_server_loses_nothing_acknowledged() {
    let Some(cluster) = cluster(Options { fsync: true }) else { return };
    let (config, store) = on(&cluster);
    let home = store.buckets().home();
    let acknowledged = AtomicU32::new(0);
    let (failed, stop) = (AtomicU32::new(0), std::sync::atomic::AtomicBool::new(false));
    std::thread::scope(|scope| {
        for thread in 0..4_i64 {
            let (store, acknowledged, failed, stop) = (&store, &acknowledged, &failed, &stop);
            scope.spawn(move || {
                for i in 0..1_000_000 {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    let id = thread * 1_000_000 + i;
                    match store
                        .write::<_, StoreError, _>(home, move |tx| tx.change(ADD, &[id.into(), id.into()]))
                    {
                        Ok(_) => acknowledged.fetch_add(1, Ordering::SeqCst),
                        Err(_) => failed.fetch_add(1, Ordering::SeqCst),
                    };
                }
            });
        }
        while acknowledged.load(Ordering::SeqCst) < 200 {
            std::thread::yield_now();
        }
        cluster.kill();
        while failed.load(Ordering::SeqCst) < 4 {
            std::thread::yield_now();
        }
        stop.store(true, Ordering::SeqCst);
    });
    drop(store);
    cluster.restart();
    let store = Store::open(&config, &[THINGS]).unwrap();
    let rows = store
        .read::<_, StoreError, _>(home, |tx| tx.row(super::HOW_MANY, &[])?.expect("a sum").int(0))
        .unwrap();
    let (acknowledged, failed) = (i64::from(acknowledged.into_inner()), i64::from(failed.into_inner()));
    println!("{acknowledged} acknowledged, {failed} failed, {rows} there");
    assert!((acknowledged..=acknowledged + failed).contains(&rows));
}

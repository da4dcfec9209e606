use std::sync::Barrier;

use kaname_store::{Buckets, Location, Migration, StoreConfig, StoreError};
use kaname_testkit::{TestStore, on_every_store};

use super::{THINGS, add, how_many};

on_every_store!(
    a_store_is_upgraded_and_keeps_its_rows,
    what_does_not_fit_is_refused,
    a_failed_migration_leaves_nothing,
    many_may_open_at_once
);

const TWO: &[Migration] = &[
    THINGS[0],
    Migration {
        block: "things",
        number: 2,
        sql: "ALTER TABLE thing ADD COLUMN colour TEXT;
            CREATE TABLE stone (bucket BIGINT NOT NULL, id BIGINT NOT NULL, PRIMARY KEY (bucket, id)) WITHOUT ROWID;",
    },
];

fn version_error(answer: Result<kaname_store::Store, StoreError>) -> String {
    match answer.map(drop) {
        Err(StoreError::Version(message)) => message,
        other => panic!("expected a version error, got {other:?}"),
    }
}

fn a_store_is_upgraded_and_keeps_its_rows(t: &TestStore) {
    let store = t.open(&[THINGS]);
    add(t, &store, 3, 1, 1).unwrap();
    drop(store);
    let store = t.open(&[TWO]);
    const PAINT: &str = "UPDATE thing SET colour = $2 WHERE bucket = $1";
    assert_eq!(
        store.write::<_, StoreError, _>(t.bucket(3), |tx| tx.change(PAINT, &["red".into()])).unwrap(),
        1
    );
    drop(store);
    assert_eq!(how_many(t, &t.reopen(), 3), 1);
}

fn what_does_not_fit_is_refused(t: &TestStore) {
    drop(t.open(&[TWO]));
    let changed: &[Migration] = &[THINGS[0], Migration { sql: "SELECT 1", ..TWO[1] }];
    assert_eq!(
        version_error(t.open_with(&t.config(), &[changed])),
        "migration 2 of things was changed after it was applied"
    );
    assert_eq!(
        version_error(t.open_with(&t.config(), &[THINGS])),
        "the database has migration 2 of things, made by a newer program"
    );
    let other_count = StoreConfig { buckets: Buckets::new(16).unwrap(), ..t.config() };
    assert_eq!(
        version_error(t.open_with(&other_count, &[TWO])),
        "the data is 8 buckets, the configuration says 16 buckets"
    );
    if let Location::Postgres(urls) = t.config().location
        && urls.len() == 2
    {
        let swapped = Location::Postgres(urls.iter().rev().cloned().collect());
        let message = version_error(t.open_with(&StoreConfig { location: swapped, ..t.config() }, &[TWO]));
        assert_eq!(message, "the data is database 2 of 2, the configuration says database 1 of 2");
    }
    drop(t.reopen());
}

fn a_failed_migration_leaves_nothing(t: &TestStore) {
    drop(t.open(&[THINGS]));
    let bad: &[Migration] =
        &[TWO[0], TWO[1], Migration { block: "things", number: 3, sql: "CREATE NONSENSE" }];
    let answer = t.open_with(&t.config(), &[bad]).map(drop);
    assert!(matches!(answer, Err(StoreError::Database(_))), "{answer:?}");
    drop(t.open(&[TWO])); // which would fail if the second had been half done
}

fn many_may_open_at_once(t: &TestStore) {
    for sets in [&[THINGS][..], &[TWO]] {
        let start = Barrier::new(6);
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    start.wait();
                    drop(t.open_with(&t.config(), sets).unwrap());
                });
            }
        });
    }
    add(t, &t.open(&[TWO]), 1, 1, 1).unwrap();
}

use kaname_store::bulk::{Insert, Lookup, Type, Update};
use kaname_store::{StoreError, Value};
use kaname_testkit::{TestStore, on_every_store};

use super::{THINGS, add, count, how_many};

on_every_store!(
    many_rows_go_in,
    existing_rows_are_passed_over,
    many_rows_change,
    many_rows_are_found,
    nothing_is_no_trouble
);

const ROWS: Insert = Insert {
    table: "thing",
    columns: &[
        ("id", Type::Int),
        ("version", Type::Int),
        ("count", Type::Int),
        ("note", Type::Text),
        ("body", Type::Bytes),
    ],
    skip_existing: false,
};
const NEW_ROWS: Insert = Insert { skip_existing: true, ..ROWS };
const COUNTS: Update = Update {
    table: "thing",
    keys: &[("id", Type::Int), ("version", Type::Int)],
    columns: &[("count", Type::Int), ("note", Type::Text)],
};
const FIND: Lookup =
    Lookup { table: "thing", keys: &[("id", Type::Int)], columns: &["count", "note", "body"] };

fn row(id: i64) -> [Value<'static>; 5] {
    let body = if id % 2 == 0 { Value::Null } else { Value::Bytes(&[1, 2, 3]) };
    [id.into(), 0.into(), (id * 10).into(), "note".into(), body]
}

fn many_rows_go_in(t: &TestStore) {
    let store = t.open(&[THINGS]);
    let rows: Vec<_> = (0..5_000).map(row).collect();
    let added = store.write::<_, StoreError, _>(t.bucket(6), move |tx| tx.insert_many(&ROWS, &rows)).unwrap();
    assert_eq!((added, how_many(t, &store, 6), how_many(t, &store, 5)), (5_000, 5_000, 0));
    let again =
        store.write::<_, StoreError, _>(t.bucket(6), |tx| tx.insert_many(&ROWS, &[row(9_000), row(1)]));
    assert!(matches!(again, Err(StoreError::Duplicate)), "{again:?}");
    assert_eq!(how_many(t, &store, 6), 5_000);
}

fn existing_rows_are_passed_over(t: &TestStore) {
    let store = t.open(&[THINGS]);
    add(t, &store, 6, 1, 77).unwrap();
    let rows = [row(0), row(1), row(2), row(2)];
    let added =
        store.write::<_, StoreError, _>(t.bucket(6), move |tx| tx.insert_many(&NEW_ROWS, &rows)).unwrap();
    assert_eq!((added, how_many(t, &store, 6), count(t, &store, 6, 1)), (2, 3, Some(77)));
}

fn many_rows_change(t: &TestStore) {
    let store = t.open(&[THINGS]);
    let rows: Vec<_> = (0..1_000).map(row).collect();
    store.write::<_, StoreError, _>(t.bucket(6), move |tx| tx.insert_many(&ROWS, &rows)).unwrap();
    let changes: Vec<[Value<'_>; 4]> =
        (0..1_000).rev().map(|id| [id.into(), 0.into(), (id + 1).into(), Value::Null]).collect();
    store.write::<_, StoreError, _>(t.bucket(6), move |tx| tx.update_many(&COUNTS, &changes)).unwrap();
    assert_eq!((count(t, &store, 6, 0), count(t, &store, 6, 999)), (Some(1), Some(1_000)));

    let one_is_old: [[Value<'_>; 4]; 2] =
        [[1.into(), 0.into(), 5.into(), Value::Null], [2.into(), 9.into(), 5.into(), Value::Null]];
    let answer = store.write::<_, StoreError, _>(t.bucket(6), move |tx| tx.update_many(&COUNTS, &one_is_old));
    assert!(matches!(answer, Err(StoreError::Conflict)), "{answer:?}");
    assert_eq!(count(t, &store, 6, 1), Some(2));
}

fn many_rows_are_found(t: &TestStore) {
    let store = t.open(&[THINGS]);
    let rows: Vec<_> = (0..100).map(row).collect();
    store.write::<_, StoreError, _>(t.bucket(6), move |tx| tx.insert_many(&ROWS, &rows)).unwrap();
    let keys = [[7.into()], [1_000.into()], [2.into()], [7.into()], [Value::Null]];
    let found = store.read::<_, StoreError, _>(t.bucket(6), move |tx| tx.look_up_many(&FIND, &keys)).unwrap();
    let counts: Vec<_> = found.iter().map(|row| row.as_ref().map(|row| row.int(0).unwrap())).collect();
    assert_eq!(counts, [Some(70), None, Some(20), Some(70), None]);
    let (odd, even) = (found[0].as_ref().unwrap(), found[2].as_ref().unwrap());
    assert_eq!((odd.maybe_bytes(2).unwrap(), even.maybe_bytes(2).unwrap()), (Some(&[1, 2, 3][..]), None));
    let elsewhere =
        store.read::<_, StoreError, _>(t.bucket(4), move |tx| tx.look_up_many(&FIND, &keys)).unwrap();
    assert!(elsewhere.iter().all(Option::is_none));
}

fn nothing_is_no_trouble(t: &TestStore) {
    let store = t.open(&[THINGS]);
    let answer = store.write::<_, StoreError, _>(t.bucket(6), |tx| {
        tx.update_many::<4>(&COUNTS, &[])?;
        Ok((tx.insert_many::<5>(&ROWS, &[])?, tx.look_up_many::<1>(&FIND, &[])?.len()))
    });
    assert_eq!(answer.unwrap(), (0, 0));
}

use kaname_store::StoreError;
use kaname_testkit::{TestStore, on_every_store};

use super::{ADD, THINGS, add, count, how_many};

on_every_store!(
    a_statement_without_the_bucket_is_refused,
    a_unit_sees_only_its_bucket,
    a_reader_cannot_write
);

fn a_statement_without_the_bucket_is_refused(t: &TestStore) {
    let store = t.open(&[THINGS]);
    for sql in
        ["SELECT count FROM thing", "UPDATE thing SET count = $2", "DELETE FROM thing WHERE bucket = $2"]
    {
        let answer = store.write::<_, StoreError, _>(t.bucket(1), move |tx| tx.change(sql, &[1.into()]));
        assert!(matches!(answer, Err(StoreError::NotConfined(_))), "{sql}: {answer:?}");
    }
}

fn a_unit_sees_only_its_bucket(t: &TestStore) {
    let store = t.open(&[THINGS]);
    for bucket in 0..8 {
        add(t, &store, bucket, 1, 100 + i64::from(bucket)).unwrap();
    }
    for bucket in 0..8 {
        assert_eq!(how_many(t, &store, bucket), 1);
        assert_eq!(count(t, &store, bucket, 1), Some(100 + i64::from(bucket)));
    }
    const DELETE: &str = "DELETE FROM thing WHERE bucket = $1";
    let gone = store.write::<_, StoreError, _>(t.bucket(4), |tx| tx.change(DELETE, &[])).unwrap();
    let left: Vec<i64> = (0..8).map(|bucket| how_many(t, &store, bucket)).collect();
    assert_eq!((gone, left), (1, vec![1, 1, 1, 1, 0, 1, 1, 1]));
}

fn a_reader_cannot_write(t: &TestStore) {
    let store = t.open(&[THINGS]);
    let answer = store.read::<_, StoreError, _>(t.bucket(1), |tx| tx.change(ADD, &[1.into(), 1.into()]));
    assert!(matches!(answer, Err(StoreError::Database(_))), "{answer:?}");
    assert_eq!(how_many(t, &store, 1), 0);
}

use kaname_store::{StoreError, Value};
use kaname_testkit::{TestStore, on_every_store};

use super::THINGS;

on_every_store!(
    values_come_back_as_they_went_in,
    placeholders_have_numbers,
    what_neither_takes_is_refused,
    texts_sort_by_bytes
);

const ADD_ALL: &str =
    "INSERT INTO thing (bucket, id, version, count, note, body) VALUES ($1, $2, 0, $3, $4, $5)";
const ALL: &str = "SELECT count, note, body FROM thing WHERE bucket = $1 AND id = $2";

fn values_come_back_as_they_went_in(t: &TestStore) {
    let store = t.open(&[THINGS]);
    let texts = ["", "plain", "要 — été 🌍 'quoted' $1 ?2"];
    let bytes: [&[u8]; 3] = [b"", b"\0\xff", &[7; 70_000]];
    let numbers = [i64::MIN, 0, i64::MAX];
    store
        .write::<_, StoreError, _>(t.bucket(5), move |tx| {
            for i in 0..3 {
                tx.change(
                    ADD_ALL,
                    &[(i as i64).into(), numbers[i].into(), texts[i].into(), bytes[i].into()],
                )?;
            }
            tx.change(ADD_ALL, &[3.into(), Value::Null, Value::Null, Value::Null])
        })
        .unwrap();
    store
        .read::<_, StoreError, _>(t.bucket(5), move |tx| {
            for i in 0..3 {
                let row = tx.row(ALL, &[(i as i64).into()])?.expect("the row is there");
                assert_eq!((row.int(0)?, row.text(1)?, row.bytes(2)?), (numbers[i], texts[i], bytes[i]));
                assert!(row.text(0).is_err() && row.int(1).is_err() && row.int(9).is_err());
            }
            let row = tx.row(ALL, &[3.into()])?.expect("the row is there");
            assert_eq!((row.maybe_int(0)?, row.maybe_bytes(2)?), (None, None));
            assert!(row.text(1).is_err());
            assert!(tx.row(ALL, &[4.into()])?.is_none());
            Ok(())
        })
        .unwrap();
}

fn placeholders_have_numbers(t: &TestStore) {
    const SWAPPED: &str =
        "SELECT CAST($3 AS BIGINT) - CAST($2 AS BIGINT), CAST($3 AS BIGINT) > $2, 1 FROM thing
        WHERE id = $2 AND bucket = $1";
    let store = t.open(&[THINGS]);
    let answer = store.write::<_, StoreError, _>(t.bucket(5), |tx| {
        tx.change(ADD_ALL, &[10.into(), Value::Null, Value::Null, Value::Null])?;
        let row = tx.row(SWAPPED, &[10.into(), 30.into()])?.expect("the row is there");
        Ok((row.int(0)?, row.int(1)?, row.int(2)?))
    });
    assert_eq!(answer.unwrap(), (20, 1, 1));
}

fn what_neither_takes_is_refused(t: &TestStore) {
    let store = t.open(&[THINGS]);
    let refused: [(&str, [Value<'static>; 4]); 3] = [
        ("a NUL in a text", [1.into(), Value::Null, "a\0b".into(), Value::Null]),
        ("bytes in a text", [1.into(), Value::Null, Value::Bytes(b"abc"), Value::Null]),
        ("a missing value", [Value::Null; 4]),
    ];
    for (what, row) in refused {
        let answer = store.write::<_, StoreError, _>(t.bucket(5), move |tx| tx.change(ADD_ALL, &row));
        assert!(matches!(answer, Err(StoreError::Database(_))), "{what}: {answer:?}");
    }
    let too_few = store.write::<_, StoreError, _>(t.bucket(5), |tx| tx.change(ADD_ALL, &[1.into()]));
    assert!(too_few.is_err());
}

fn texts_sort_by_bytes(t: &TestStore) {
    const NOTES: &str = "SELECT note FROM thing WHERE bucket = $1 ORDER BY note";
    let store = t.open(&[THINGS]);
    let notes = store.write::<_, StoreError, _>(t.bucket(5), |tx| {
        for (id, note) in ["b", "a", "B", "é", "Z", "_"].into_iter().enumerate() {
            tx.change(ADD_ALL, &[(id as i64).into(), Value::Null, note.into(), Value::Null])?;
        }
        tx.query(NOTES, &[])?.iter().map(|row| row.text(0).map(str::to_owned)).collect::<Result<Vec<_>, _>>()
    });
    assert_eq!(notes.unwrap(), ["B", "Z", "_", "a", "b", "é"]);
}

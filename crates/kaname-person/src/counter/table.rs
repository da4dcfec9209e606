//! The SQL of sessions at the counter.

use kaname_store::{Row, StoreError, Tx, Value};

use crate::OfficerId;

const NEW: &str = "INSERT INTO person_counter (bucket, officer, version, wrapped) VALUES ($1, $2, 1, $3)
    ON CONFLICT DO NOTHING";
const ONE: &str = "SELECT officer, version, wrapped FROM person_counter WHERE bucket = $1 AND officer = $2";
const ALL: &str = "SELECT officer, version, wrapped FROM person_counter WHERE bucket = $1 ORDER BY officer";
const SET: &str = "UPDATE person_counter SET wrapped = $4, version = version + 1
    WHERE bucket = $1 AND officer = $2 AND version = $3";
const GONE: &str =
    "DELETE FROM person_counter WHERE bucket = $1 AND officer = $2 AND version = $3 AND wrapped = $4";

/// A session's row.
pub(super) struct CounterRow {
    pub(super) officer: OfficerId,
    pub(super) version: i64,
    pub(super) wrapped: Vec<u8>,
}

/// Inserts a row; `false` when the officer has one.
pub(super) fn insert(tx: &mut Tx<'_>, officer: OfficerId, wrapped: &[u8]) -> Result<bool, StoreError> {
    Ok(tx.change(NEW, &[Value::from(&officer), Value::Bytes(wrapped)])? == 1)
}

pub(super) fn of_officer(tx: &mut Tx<'_>, officer: OfficerId) -> Result<Option<CounterRow>, StoreError> {
    tx.row(ONE, &[Value::from(&officer)])?.as_ref().map(read).transpose()
}

pub(super) fn all(tx: &mut Tx<'_>) -> Result<Vec<CounterRow>, StoreError> {
    tx.query(ALL, &[])?.iter().map(read).collect()
}

/// Writes over the version that was read.
pub(super) fn replace(tx: &mut Tx<'_>, row: &CounterRow) -> Result<(), StoreError> {
    tx.change_one(SET, &[Value::from(&row.officer), Value::Int(row.version), Value::Bytes(&row.wrapped)])
}

/// Removes the version that was read; nothing when another process did. Versions count from 1 with each session, so that the bytes, which
/// are never the same twice, say which session it is.
pub(super) fn delete(tx: &mut Tx<'_>, row: &CounterRow) -> Result<(), StoreError> {
    let args = [Value::from(&row.officer), Value::Int(row.version), Value::Bytes(&row.wrapped)];
    tx.change(GONE, &args).map(drop)
}

fn read(row: &Row) -> Result<CounterRow, StoreError> {
    Ok(CounterRow { officer: row.id(0)?, version: row.int(1)?, wrapped: row.bytes(2)?.to_vec() })
}

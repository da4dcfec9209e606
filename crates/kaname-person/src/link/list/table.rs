//! The only SQL about lists that agencies and officers hand in.

use kaname_store::{Row, StoreError, Tx, Value};
use kaname_trust::keys::BlindIndex;

const NEW: &str = "INSERT INTO person_link_list (bucket, id, state, wrapped, version)
    VALUES ($1, $2, 1, $3, 1) ON CONFLICT (bucket, id) DO NOTHING";
const ONE: &str = "SELECT id, state, wrapped, version FROM person_link_list WHERE bucket = $1 AND id = $2";
const ALL: &str =
    "SELECT id, state, wrapped, version FROM person_link_list WHERE bucket = $1 ORDER BY id LIMIT $2";
const REPLACE: &str = "UPDATE person_link_list SET state = $4, wrapped = $5, version = version + 1
    WHERE bucket = $1 AND id = $2 AND version = $3";

/// A list's row.
#[derive(Clone)]
pub(super) struct ListRow {
    pub(super) id: BlindIndex,
    pub(super) done: bool,
    pub(super) wrapped: Vec<u8>,
    pub(super) version: i64,
}

/// Keeps a new list; `false` when it is there.
pub(super) fn insert(tx: &mut Tx<'_>, id: &BlindIndex, wrapped: &[u8]) -> Result<bool, StoreError> {
    Ok(tx.change(NEW, &[Value::from(id), Value::Bytes(wrapped)])? == 1)
}

pub(super) fn one(tx: &mut Tx<'_>, id: &BlindIndex) -> Result<Option<ListRow>, StoreError> {
    tx.row(ONE, &[Value::from(id)])?.as_ref().map(list_row).transpose()
}

pub(super) fn all(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<ListRow>, StoreError> {
    tx.query(ALL, &[Value::Int(limit)])?.iter().map(list_row).collect()
}

/// Compares and sets.
pub(super) fn replace(tx: &mut Tx<'_>, row: &ListRow) -> Result<(), StoreError> {
    let state = Value::Int(if row.done { 2 } else { 1 });
    tx.change_one(REPLACE, &[Value::from(&row.id), Value::Int(row.version), state, Value::from(&row.wrapped)])
}

fn list_row(row: &Row) -> Result<ListRow, StoreError> {
    Ok(ListRow {
        id: row.array(0)?,
        done: row.int(1)? == 2,
        wrapped: row.bytes(2)?.to_vec(),
        version: row.int(3)?,
    })
}

//! The SQL of proposals.

use kaname_store::{Row, StoreError, Tx, Value};

use super::ProposalId;

const NEW: &str =
    "INSERT INTO person_four_eyes (bucket, id, state, version, wrapped) VALUES ($1, $2, 'open', 1, $3)";
const ONE: &str = "SELECT id, state, version, wrapped FROM person_four_eyes WHERE bucket = $1 AND id = $2";
const OPEN: &str = "SELECT id, state, version, wrapped FROM person_four_eyes
    WHERE bucket = $1 AND state = 'open' ORDER BY id";
const SET: &str = "UPDATE person_four_eyes SET state = $4, wrapped = $5, version = version + 1
    WHERE bucket = $1 AND id = $2 AND version = $3";

/// A proposal's row.
pub(super) struct ProposalRow {
    pub(super) id: ProposalId,
    pub(super) open: bool,
    pub(super) version: i64,
    pub(super) wrapped: Vec<u8>,
}

pub(super) fn insert(tx: &mut Tx<'_>, id: ProposalId, wrapped: &[u8]) -> Result<(), StoreError> {
    tx.change_one(NEW, &[Value::from(&id), Value::Bytes(wrapped)])
}

pub(super) fn one(tx: &mut Tx<'_>, id: ProposalId) -> Result<Option<ProposalRow>, StoreError> {
    tx.row(ONE, &[Value::from(&id)])?.as_ref().map(read).transpose()
}

/// Those that wait, by the time they were made.
pub(super) fn open(tx: &mut Tx<'_>) -> Result<Vec<ProposalRow>, StoreError> {
    tx.query(OPEN, &[])?.iter().map(read).collect()
}

/// Writes over the version that was read.
pub(super) fn replace(tx: &mut Tx<'_>, row: &ProposalRow) -> Result<(), StoreError> {
    let state = if row.open { "open" } else { "closed" };
    let args =
        [Value::from(&row.id), Value::Int(row.version), Value::Text(state), Value::Bytes(&row.wrapped)];
    tx.change_one(SET, &args)
}

fn read(row: &Row) -> Result<ProposalRow, StoreError> {
    Ok(ProposalRow {
        id: row.id(0)?,
        open: row.text(1)? == "open",
        version: row.int(2)?,
        wrapped: row.bytes(3)?.to_vec(),
    })
}

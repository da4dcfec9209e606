//! The only SQL about proposals, and where a merged entry leads.

use kaname_store::{StoreError, Tx, Value};
use kaname_trust::PersonId;

use super::{ProposalId, ProposalState};

const INSERT: &str = "INSERT INTO person_proposal (bucket, id, person, state, version, sealed)
    VALUES ($1, $2, $3, $4, 1, $5) ON CONFLICT DO NOTHING";
const READ: &str = "SELECT person, state, version, sealed FROM person_proposal WHERE bucket = $1 AND id = $2";
const SET: &str = "UPDATE person_proposal SET state = $4, sealed = $5, version = version + 1
    WHERE bucket = $1 AND id = $2 AND version = $3";
const OPEN: &str = "SELECT id, person, state FROM person_proposal WHERE bucket = $1 AND state <> 'done' AND state <> 'refused' ORDER BY id";
const LEAD: &str = "INSERT INTO person_record (bucket, id, part, n, state, version, request, sealed)
    VALUES ($1, $2, 6, 1, 'kept', 1, $3, $4)
    ON CONFLICT (bucket, id, part, n) DO UPDATE SET request = excluded.request";
const LEADS: &str = "SELECT request FROM person_record WHERE bucket = $1 AND id = $2 AND part = 6 AND n = 1";
const LEAD_NOWHERE: &str = "DELETE FROM person_record WHERE bucket = $1 AND id = $2 AND part = 6 AND n = 1";

/// A proposal's row.
pub(crate) struct ProposalRow {
    pub(crate) person: PersonId,
    pub(crate) state: ProposalState,
    pub(crate) version: i64,
    pub(crate) sealed: Vec<u8>,
}

pub(super) fn insert(
    tx: &mut Tx<'_>,
    id: ProposalId,
    person: PersonId,
    state: ProposalState,
    sealed: &[u8],
) -> Result<(), StoreError> {
    let args = [Value::from(&id), Value::from(&person), Value::Text(state.code()), Value::Bytes(sealed)];
    tx.change(INSERT, &args).map(drop)
}

pub(super) fn read(tx: &mut Tx<'_>, id: ProposalId) -> Result<Option<ProposalRow>, StoreError> {
    let Some(row) = tx.row(READ, &[Value::from(&id)])? else { return Ok(None) };
    let state = ProposalState::of_code(row.text(1)?).expect("only our own states are written");
    Ok(Some(ProposalRow { person: row.id(0)?, state, version: row.int(2)?, sealed: row.bytes(3)?.to_vec() }))
}

pub(super) fn set(
    tx: &mut Tx<'_>,
    id: ProposalId,
    version: i64,
    state: ProposalState,
    sealed: &[u8],
) -> Result<(), StoreError> {
    let args = [Value::from(&id), Value::Int(version), Value::Text(state.code()), Value::Bytes(sealed)];
    tx.change_one(SET, &args)
}

/// Proposals of the unit's bucket that are not done.
pub(super) fn open(tx: &mut Tx<'_>) -> Result<Vec<(ProposalId, PersonId, ProposalState)>, StoreError> {
    let read = |row: &kaname_store::Row| {
        let state = ProposalState::of_code(row.text(2)?).expect("only our own states are written");
        Ok((row.id(0)?, row.id(1)?, state))
    };
    tx.query(OPEN, &[])?.iter().map(read).collect()
}

/// From now on a number of `second` leads the authority to `survivor`.
pub(super) fn lead(tx: &mut Tx<'_>, second: PersonId, survivor: PersonId) -> Result<(), StoreError> {
    let args = [Value::from(&second), Value::Bytes(survivor.bytes()), Value::Bytes(&[])];
    tx.change_one(LEAD, &args)
}

/// And leads to its own entry again.
pub(super) fn lead_nowhere(tx: &mut Tx<'_>, second: PersonId) -> Result<(), StoreError> {
    tx.change(LEAD_NOWHERE, &[Value::from(&second)]).map(drop)
}

/// Where an entry that was merged leads.
pub(crate) fn leads(tx: &mut Tx<'_>, second: PersonId) -> Result<Option<PersonId>, StoreError> {
    tx.row(LEADS, &[Value::from(&second)])?.map(|row| row.id(0)).transpose()
}

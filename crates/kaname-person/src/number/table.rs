//! The SQL of alias numbers and locks.

use kaname_base::pack::AliasKind;
use kaname_store::{Row, StoreError, Tx, Value};
use kaname_trust::PersonId;
use kaname_trust::keys::BlindIndex;

use super::alias::AliasState;

const NEW_ALIAS: &str = "INSERT INTO person_alias
    (bucket, id, n, state, version, kind, until_day, alias_index, request, sealed)
    VALUES ($1, $2, $3, 'active', 1, $4, $5, $6, $7, $8)";
const ALIASES: &str =
    "SELECT n, state, version, kind, until_day, alias_index, request, used_by, sealed, ended
    FROM person_alias WHERE bucket = $1 AND id = $2 ORDER BY n";
const END_ALIAS: &str = "UPDATE person_alias SET state = $5, used_by = $6, ended = $7, version = version + 1
    WHERE bucket = $1 AND id = $2 AND n = $3 AND version = $4";
const LOCK: &str = "SELECT state, version FROM person_number_lock WHERE bucket = $1 AND id = $2";
const FIRST_LOCK: &str = "INSERT INTO person_number_lock (bucket, id, state, version) VALUES ($1, $2, $3, 1)";
const SET_LOCK: &str = "UPDATE person_number_lock SET state = $4, version = version + 1
    WHERE bucket = $1 AND id = $2 AND version = $3";

/// A row of `person_alias`.
pub(super) struct AliasRow {
    pub(super) n: i64,
    pub(super) state: AliasState,
    pub(super) version: i64,
    pub(super) kind: AliasKind,
    /// The last day on which it holds, such as 20261122.
    pub(super) until: Option<i64>,
    pub(super) index: BlindIndex,
    pub(super) request: BlindIndex,
    pub(super) used_by: Option<BlindIndex>,
    pub(super) sealed: Vec<u8>,
    pub(super) ended: Option<Vec<u8>>,
}

/// An alias to be written.
pub(super) struct NewAlias<'a> {
    pub(super) n: i64,
    pub(super) kind: AliasKind,
    pub(super) until: Option<i64>,
    pub(super) index: &'a BlindIndex,
    pub(super) request: &'a BlindIndex,
    pub(super) sealed: &'a [u8],
}

pub(super) fn insert_alias(tx: &mut Tx<'_>, person: PersonId, new: &NewAlias<'_>) -> Result<(), StoreError> {
    let args = [
        Value::from(&person),
        Value::Int(new.n),
        Value::Text(new.kind.code()),
        Value::from(new.until),
        Value::from(new.index),
        Value::from(new.request),
        Value::Bytes(new.sealed),
    ];
    tx.change_one(NEW_ALIAS, &args)
}

/// All aliases that a person was ever given, the oldest first.
pub(super) fn aliases(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<AliasRow>, StoreError> {
    tx.query(ALIASES, &[Value::from(&person)])?.iter().map(alias_row).collect()
}

/// Compares and sets what became of an alias.
pub(super) fn end_alias(
    tx: &mut Tx<'_>,
    person: PersonId,
    row: &AliasRow,
    state: AliasState,
    used_by: Option<&BlindIndex>,
    ended: &[u8],
) -> Result<(), StoreError> {
    let args = [
        Value::from(&person),
        Value::Int(row.n),
        Value::Int(row.version),
        Value::Text(state.code()),
        used_by.map_or(Value::Null, Value::from),
        Value::Bytes(ended),
    ];
    tx.change_one(END_ALIAS, &args)
}

/// Whether a person's number is locked, and the version of the row that says so.
pub(super) fn lock(tx: &mut Tx<'_>, person: PersonId) -> Result<Option<(bool, i64)>, StoreError> {
    let row = tx.row(LOCK, &[Value::from(&person)])?;
    row.map(|row| Ok((row.text(0)? == LOCKED, row.int(1)?))).transpose()
}

/// Compares and sets whether it is.
pub(super) fn set_lock(
    tx: &mut Tx<'_>,
    person: PersonId,
    version: Option<i64>,
    locked: bool,
) -> Result<(), StoreError> {
    let state = Value::Text(if locked { LOCKED } else { "open" });
    match version {
        None => tx.change_one(FIRST_LOCK, &[Value::from(&person), state]),
        Some(version) => tx.change_one(SET_LOCK, &[Value::from(&person), Value::Int(version), state]),
    }
}

const LOCKED: &str = "locked";

fn alias_row(row: &Row) -> Result<AliasRow, StoreError> {
    let unreadable = |what: &str| StoreError::Database(format!("an alias has an unknown {what}"));
    let used_by = row.maybe_bytes(7)?.map(BlindIndex::try_from);
    Ok(AliasRow {
        n: row.int(0)?,
        state: AliasState::of_code(row.text(1)?).ok_or_else(|| unreadable("state"))?,
        version: row.int(2)?,
        kind: AliasKind::of_code(row.text(3)?).ok_or_else(|| unreadable("kind"))?,
        until: row.maybe_int(4)?,
        index: row.array(5)?,
        request: row.array(6)?,
        used_by: used_by.transpose().map_err(|_| unreadable("use"))?,
        sealed: row.bytes(8)?.to_vec(),
        ended: row.maybe_bytes(9)?.map(<[u8]>::to_vec),
    })
}

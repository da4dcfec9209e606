//! The SQL of introductions.

use kaname_store::{StoreError, Tx, Value};

const OF: &str = "SELECT n, sealed FROM person_introduction WHERE bucket = $1 AND introducer = $2 ORDER BY n";
const NEW: &str = "INSERT INTO person_introduction (bucket, introducer, n, sealed) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING";
const REPLACE: &str = "UPDATE person_introduction SET sealed = $5
    WHERE bucket = $1 AND introducer = $2 AND n = $3 AND sealed = $4";
const DELETE: &str =
    "DELETE FROM person_introduction WHERE bucket = $1 AND introducer = $2 AND n = $3 AND sealed = $4";
const COUNTS: &str = "SELECT introducer, COUNT(*) FROM person_introduction
    WHERE bucket = $1 GROUP BY introducer ORDER BY introducer LIMIT $2";
const STANDING: &str =
    "SELECT suspended, version, sealed FROM person_introducer WHERE bucket = $1 AND introducer = $2";
const NEW_STANDING: &str = "INSERT INTO person_introducer (bucket, introducer, suspended, version, sealed)
    VALUES ($1, $2, $3, 1, $4) ON CONFLICT DO NOTHING";
const SET_STANDING: &str = "UPDATE person_introducer SET suspended = $4, sealed = $5, version = version + 1
    WHERE bucket = $1 AND introducer = $2 AND version = $3";

/// A row of `person_introduction`.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) n: i64,
    pub(super) sealed: Vec<u8>,
}

/// A row of `person_introducer`.
pub(super) struct StandingRow {
    pub(super) suspended: bool,
    pub(super) version: i64,
    pub(super) sealed: Vec<u8>,
}

/// What somebody vouched for, oldest first.
pub(super) fn of(tx: &mut Tx<'_>, introducer: &[u8; 16]) -> Result<Vec<Row>, StoreError> {
    let rows = tx.query(OF, &[Value::from(introducer)])?;
    rows.iter().map(|row| Ok(Row { n: row.int(0)?, sealed: row.bytes(1)?.to_vec() })).collect()
}

/// Inserts a row; two at the same instant conflict.
pub(super) fn insert(tx: &mut Tx<'_>, introducer: &[u8; 16], row: &Row) -> Result<(), StoreError> {
    tx.change_one(NEW, &[Value::from(introducer), Value::Int(row.n), Value::Bytes(&row.sealed)])
}

/// Seals a row anew if it is still what it was; whether it was.
pub(super) fn replace(
    tx: &mut Tx<'_>,
    introducer: &[u8; 16],
    was: &Row,
    sealed: &[u8],
) -> Result<bool, StoreError> {
    let args = [Value::from(introducer), Value::Int(was.n), Value::Bytes(&was.sealed), Value::Bytes(sealed)];
    Ok(tx.change(REPLACE, &args)? == 1)
}

/// Takes a row out if it is still what it was.
pub(super) fn delete(tx: &mut Tx<'_>, introducer: &[u8; 16], was: &Row) -> Result<(), StoreError> {
    let args = [Value::from(introducer), Value::Int(was.n), Value::Bytes(&was.sealed)];
    tx.change(DELETE, &args).map(drop)
}

/// Who vouched in this bucket, and how often.
pub(super) fn counts(tx: &mut Tx<'_>, most: i64) -> Result<Vec<([u8; 16], u64)>, StoreError> {
    let rows = tx.query(COUNTS, &[Value::Int(most)])?;
    rows.iter().map(|row| Ok((row.array(0)?, row.int(1)?.unsigned_abs()))).collect()
}

/// Whether an introducer still may; none when nobody ever doubted it.
pub(super) fn standing(tx: &mut Tx<'_>, introducer: &[u8; 16]) -> Result<Option<StandingRow>, StoreError> {
    let row = tx.row(STANDING, &[Value::from(introducer)])?;
    row.map(|row| {
        Ok(StandingRow { suspended: row.int(0)? == 1, version: row.int(1)?, sealed: row.bytes(2)?.to_vec() })
    })
    .transpose()
}

/// Sets it, beside what it was.
pub(super) fn set_standing(
    tx: &mut Tx<'_>,
    introducer: &[u8; 16],
    was: Option<&StandingRow>,
    suspended: bool,
    sealed: &[u8],
) -> Result<(), StoreError> {
    let (id, to, sealed) = (Value::from(introducer), Value::Int(i64::from(suspended)), Value::Bytes(sealed));
    match was {
        None => tx.change_one(NEW_STANDING, &[id, to, sealed]),
        Some(row) => tx.change_one(SET_STANDING, &[id, Value::Int(row.version), to, sealed]),
    }
}

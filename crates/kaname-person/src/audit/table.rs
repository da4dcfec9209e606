//! The only SQL of the audit.

use kaname_store::bulk::{Lookup, Type};
use kaname_store::{Row, StoreError, Tx, Value};
use kaname_trust::PersonId;
use kaname_trust::keys::BlindIndex;

const PEOPLE: &str = "SELECT id, version FROM person_record
    WHERE bucket = $1 AND id > $2 AND part = 1 AND state <> 'closed' ORDER BY id LIMIT $3";
const SEEN: Lookup = Lookup { table: "person_audit_seen", keys: &[("id", Type::Bytes)], columns: &["mark"] };
const SET_SEEN: &str = "INSERT INTO person_audit_seen (bucket, id, mark) VALUES ($1, $2, $3)
    ON CONFLICT (bucket, id) DO UPDATE SET mark = excluded.mark";

/// People after `after`, with the version of their records.
pub(crate) fn people(tx: &mut Tx<'_>, after: &[u8], limit: i64) -> Result<Vec<(PersonId, i64)>, StoreError> {
    let rows = tx.query(PEOPLE, &[Value::Bytes(after), Value::Int(limit)])?;
    rows.iter().map(|row| Ok((row.id(0)?, row.int(1)?))).collect()
}

/// What each person was like when she was audited last.
pub(crate) fn seen(tx: &mut Tx<'_>, people: &[PersonId]) -> Result<Vec<Option<BlindIndex>>, StoreError> {
    let keys: Vec<_> = people.iter().map(|person| [Value::from(person)]).collect();
    tx.look_up_many(&SEEN, &keys)?.into_iter().map(|row| row.map(|row| row.array(0)).transpose()).collect()
}

pub(crate) fn set_seen(tx: &mut Tx<'_>, person: PersonId, mark: &BlindIndex) -> Result<(), StoreError> {
    tx.change(SET_SEEN, &[Value::from(&person), Value::from(mark)]).map(drop)
}

const NEW_FINDING: &str = "INSERT INTO person_finding (bucket, id, kind, state, wrapped, version)
    VALUES ($1, $2, $3, $4, $5, 1) ON CONFLICT (bucket, id) DO NOTHING";
const FINDING: &str =
    "SELECT id, kind, state, wrapped, version FROM person_finding WHERE bucket = $1 AND id = $2";
const OPEN: &str = "SELECT id, kind, state, wrapped, version FROM person_finding
    WHERE bucket = $1 AND state = 1 ORDER BY id LIMIT $2";
const COUNT: &str = "SELECT kind, state, COUNT(*) FROM person_finding WHERE bucket = $1 GROUP BY kind, state";
const REPLACE: &str = "UPDATE person_finding SET state = $4, wrapped = $5, version = version + 1
    WHERE bucket = $1 AND id = $2 AND version = $3";

/// A finding's row.
#[derive(Clone)]
pub(crate) struct FindingRow {
    pub(crate) id: BlindIndex,
    pub(crate) kind: String,
    pub(crate) state: i64,
    pub(crate) wrapped: Vec<u8>,
    pub(crate) version: i64,
}

/// Keeps a finding, unless it is there; whether it was not.
pub(crate) fn insert_finding(tx: &mut Tx<'_>, row: &FindingRow) -> Result<bool, StoreError> {
    let args =
        [Value::from(&row.id), Value::Text(&row.kind), Value::Int(row.state), Value::from(&row.wrapped)];
    Ok(tx.change(NEW_FINDING, &args)? == 1)
}

pub(crate) fn finding(tx: &mut Tx<'_>, id: &BlindIndex) -> Result<Option<FindingRow>, StoreError> {
    tx.row(FINDING, &[Value::from(id)])?.as_ref().map(finding_row).transpose()
}

pub(crate) fn open_findings(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<FindingRow>, StoreError> {
    tx.query(OPEN, &[Value::Int(limit)])?.iter().map(finding_row).collect()
}

/// Kind, state and how many.
pub(crate) fn count_findings(tx: &mut Tx<'_>) -> Result<Vec<(String, i64, i64)>, StoreError> {
    let count = |row: &Row| Ok((row.text(0)?.to_owned(), row.int(1)?, row.int(2)?));
    tx.query(COUNT, &[])?.iter().map(count).collect()
}

pub(crate) fn replace_finding(tx: &mut Tx<'_>, row: &FindingRow) -> Result<(), StoreError> {
    let args =
        [Value::from(&row.id), Value::Int(row.version), Value::Int(row.state), Value::from(&row.wrapped)];
    tx.change_one(REPLACE, &args)
}

fn finding_row(row: &Row) -> Result<FindingRow, StoreError> {
    Ok(FindingRow {
        id: row.array(0)?,
        kind: row.text(1)?.to_owned(),
        state: row.int(2)?,
        wrapped: row.bytes(3)?.to_vec(),
        version: row.int(4)?,
    })
}

const COUNTER: &str = "SELECT wrapped FROM person_audit_counter WHERE bucket = $1 AND id = $2 AND day = $3";
const SET_COUNTER: &str =
    "INSERT INTO person_audit_counter (bucket, id, day, wrapped) VALUES ($1, $2, $3, $4)
    ON CONFLICT (bucket, id, day) DO UPDATE SET wrapped = excluded.wrapped";
const COUNTERS: &str =
    "SELECT wrapped FROM person_audit_counter WHERE bucket = $1 AND day >= $2 ORDER BY id, day";
const FORGET_COUNTERS: &str = "DELETE FROM person_audit_counter WHERE bucket = $1 AND day < $2";

/// What an officer did on a day.
pub(crate) fn counter(tx: &mut Tx<'_>, id: &BlindIndex, day: i64) -> Result<Option<Vec<u8>>, StoreError> {
    let row = tx.row(COUNTER, &[Value::from(id), Value::Int(day)])?;
    row.map(|row| Ok(row.bytes(0)?.to_vec())).transpose()
}

pub(crate) fn set_counter(
    tx: &mut Tx<'_>,
    id: &BlindIndex,
    day: i64,
    wrapped: &[u8],
) -> Result<(), StoreError> {
    tx.change(SET_COUNTER, &[Value::from(id), Value::Int(day), Value::Bytes(wrapped)]).map(drop)
}

/// What officers did from a day on, of this bucket.
pub(crate) fn counters(tx: &mut Tx<'_>, from: i64) -> Result<Vec<Vec<u8>>, StoreError> {
    tx.query(COUNTERS, &[Value::Int(from)])?.iter().map(|row| Ok(row.bytes(0)?.to_vec())).collect()
}

pub(crate) fn forget_counters(tx: &mut Tx<'_>, before: i64) -> Result<(), StoreError> {
    tx.change(FORGET_COUNTERS, &[Value::Int(before)]).map(drop)
}

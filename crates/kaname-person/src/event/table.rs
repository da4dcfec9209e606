//! The only SQL about what follows from events. The rows of events themselves are read and written with a person's others. Two more
//! parts of `person_record` are here: 4, her record as she was entered, kept when the first event changes it; 5, a photo, where `n`
//! is the event that brought it.

use kaname_store::{StoreError, Tx, Value};
use kaname_trust::PersonId;

use crate::Standing;

const ENTERED: &str = "SELECT sealed FROM person_record WHERE bucket = $1 AND id = $2 AND part = 4 AND n = 1";
const KEEP_ENTERED: &str = "INSERT INTO person_record (bucket, id, part, n, state, version, sealed)
    VALUES ($1, $2, 4, 1, 'kept', 1, $3) ON CONFLICT DO NOTHING";
const SET_CURRENT: &str = "UPDATE person_record SET state = $4, sealed = $5, version = version + 1
    WHERE bucket = $1 AND id = $2 AND part = 1 AND n = 1 AND version = $3";
const KEEP_PHOTO: &str = "INSERT INTO person_record (bucket, id, part, n, state, version, sealed)
    VALUES ($1, $2, 5, $3, 'kept', 1, $4) ON CONFLICT DO NOTHING";
const PHOTO: &str = "SELECT sealed FROM person_record WHERE bucket = $1 AND id = $2 AND part = 5 AND n = $3";
const CHANGED: &str = "SELECT id FROM person_record
    WHERE bucket = $1 AND id > $2 AND part = 4 AND n = 1 ORDER BY id LIMIT $3";

/// The record as she was entered, once an event has changed it.
pub(super) fn entered(tx: &mut Tx<'_>, person: PersonId) -> Result<Option<Vec<u8>>, StoreError> {
    let row = tx.row(ENTERED, &[Value::from(&person)])?;
    row.map(|row| Ok(row.bytes(0)?.to_vec())).transpose()
}

/// Keeps the record as she was entered. The sealed bytes are kept as they are.
pub(super) fn keep_entered(tx: &mut Tx<'_>, person: PersonId, sealed: &[u8]) -> Result<(), StoreError> {
    tx.change(KEEP_ENTERED, &[Value::from(&person), Value::Bytes(sealed)]).map(drop)
}

/// Compares and sets what she is today.
pub(super) fn set_current(
    tx: &mut Tx<'_>,
    person: PersonId,
    version: i64,
    standing: Standing,
    sealed: &[u8],
) -> Result<(), StoreError> {
    let state = match standing {
        Standing::Here => crate::table::STATE_ACTIVE,
        Standing::Away { .. } => "away",
        Standing::Dead { .. } | Standing::Merged { .. } => crate::table::STATE_CLOSED,
    };
    let args = [Value::from(&person), Value::Int(version), Value::Text(state), Value::Bytes(sealed)];
    tx.change_one(SET_CURRENT, &args)
}

/// Keeps the photo that the event `n` brought, unless it is kept already.
pub(super) fn keep_photo(tx: &mut Tx<'_>, person: PersonId, n: i64, sealed: &[u8]) -> Result<(), StoreError> {
    tx.change(KEEP_PHOTO, &[Value::from(&person), Value::Int(n), Value::Bytes(sealed)]).map(drop)
}

/// The photo that the event `n` brought.
pub(super) fn photo(tx: &mut Tx<'_>, person: PersonId, n: i64) -> Result<Option<Vec<u8>>, StoreError> {
    let row = tx.row(PHOTO, &[Value::from(&person), Value::Int(n)])?;
    row.map(|row| Ok(row.bytes(0)?.to_vec())).transpose()
}

/// People of the unit's bucket whose record an event has changed, in no meaningful order.
pub(super) fn changed(tx: &mut Tx<'_>, after: &[u8], limit: i64) -> Result<Vec<PersonId>, StoreError> {
    tx.query(CHANGED, &[Value::Bytes(after), Value::Int(limit)])?.iter().map(|row| row.id(0)).collect()
}

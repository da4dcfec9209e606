//! The only SQL about officers' keys.

use kaname_store::{StoreError, Tx, Value};

use crate::officer::OfficerId;

const KEY: &str = "SELECT key_index FROM person_officer_key WHERE bucket = $1 AND officer = $2";
const ANY: &str = "SELECT 1 FROM person_officer_key WHERE bucket = $1 LIMIT 1";
const NEW: &str = "INSERT INTO person_officer_key (bucket, officer, key_index) VALUES ($1, $2, $3)";
const FORGET: &str = "DELETE FROM person_officer_key WHERE bucket = $1 AND officer = $2";

pub(super) fn index(tx: &mut Tx<'_>, id: OfficerId) -> Result<Option<[u8; 16]>, StoreError> {
    tx.row(KEY, &[Value::from(&id)])?.map(|row| row.array(0)).transpose()
}

pub(super) fn any(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    Ok(tx.row(ANY, &[])?.is_some())
}

pub(super) fn put(tx: &mut Tx<'_>, id: OfficerId, index: &[u8; 16]) -> Result<(), StoreError> {
    tx.change(FORGET, &[Value::from(&id)])?;
    tx.change_one(NEW, &[Value::from(&id), Value::from(index)])
}

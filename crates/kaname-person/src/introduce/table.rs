//! The SQL of introductions.

use kaname_store::{StoreError, Tx, Value};

const OF: &str = "SELECT sealed FROM person_introduction WHERE bucket = $1 AND introducer = $2 ORDER BY n";
const NEW: &str = "INSERT INTO person_introduction (bucket, introducer, n, sealed) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING";

/// What somebody vouched for, oldest first.
pub(super) fn of(tx: &mut Tx<'_>, introducer: &[u8; 16]) -> Result<Vec<Vec<u8>>, StoreError> {
    let rows = tx.query(OF, &[Value::from(introducer)])?;
    rows.iter().map(|row| Ok(row.bytes(0)?.to_vec())).collect()
}

/// Inserts the `n`th; two at the same instant conflict.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    introducer: &[u8; 16],
    n: i64,
    sealed: &[u8],
) -> Result<(), StoreError> {
    tx.change_one(NEW, &[Value::from(introducer), Value::Int(n), Value::Bytes(sealed)])
}

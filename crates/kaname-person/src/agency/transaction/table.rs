//! The only SQL of questions that are answered later.

use kaname_store::{StoreError, Tx, Value};
use kaname_trust::keys::BlindIndex;

const OPEN: &str = "INSERT INTO agency_transaction (bucket, agency, item, state, day, digest, body)
    VALUES ($1, $2, $3, 0, $4, $5, $6) ON CONFLICT (bucket, agency, item) DO NOTHING";
/// State 4: no question, but the registrations of an agency's day that wait for an officer.
const KEEP_STOPPED: &str = "INSERT INTO agency_transaction (bucket, agency, item, state, day, digest, body)
    VALUES ($1, $2, $3, 4, $4, $5, $6) ON CONFLICT (bucket, agency, item) DO NOTHING";
const REPLACE: &str = "UPDATE agency_transaction SET digest = $5, body = $6
    WHERE bucket = $1 AND agency = $2 AND item = $3 AND digest = $4";
const GET: &str =
    "SELECT state, digest, body FROM agency_transaction WHERE bucket = $1 AND agency = $2 AND item = $3";
const SETTLE: &str =
    "UPDATE agency_transaction SET state = $4 WHERE bucket = $1 AND agency = $2 AND item = $3 AND state = 0";
const FORGET: &str = "DELETE FROM agency_transaction WHERE bucket = $1 AND agency = $2 AND day < $3";

/// A question's row.
pub(crate) struct TransactionRow {
    pub(crate) state: i64,
    pub(crate) digest: BlindIndex,
    pub(crate) body: Vec<u8>,
}

/// Adds a question; whether it is new.
pub(crate) fn open(
    tx: &mut Tx<'_>,
    agency: &BlindIndex,
    item: &BlindIndex,
    day: i64,
    digest: &BlindIndex,
    body: &[u8],
) -> Result<bool, StoreError> {
    Ok(tx.change(OPEN, &[agency.into(), item.into(), day.into(), digest.into(), body.into()])? == 1)
}

/// Keeps a day's first stopped registration; whether it is the first.
pub(crate) fn keep_stopped(
    tx: &mut Tx<'_>,
    agency: &BlindIndex,
    item: &BlindIndex,
    day: i64,
    digest: &BlindIndex,
    body: &[u8],
) -> Result<bool, StoreError> {
    let row = [agency.into(), item.into(), day.into(), digest.into(), body.into()];
    Ok(tx.change(KEEP_STOPPED, &row)? == 1)
}

/// Puts another body in the place of one that has not changed since its digest was read; whether it has not.
pub(crate) fn replace(
    tx: &mut Tx<'_>,
    agency: &BlindIndex,
    item: &BlindIndex,
    before: &BlindIndex,
    digest: &BlindIndex,
    body: &[u8],
) -> Result<bool, StoreError> {
    let row = [agency.into(), item.into(), before.into(), digest.into(), body.into()];
    Ok(tx.change(REPLACE, &row)? == 1)
}

pub(crate) fn get(
    tx: &mut Tx<'_>,
    agency: &BlindIndex,
    item: &BlindIndex,
) -> Result<Option<TransactionRow>, StoreError> {
    let row = tx.row(GET, &[agency.into(), item.into()])?;
    let read = |row: kaname_store::Row| {
        Ok(TransactionRow { state: row.int(0)?, digest: row.array(1)?, body: row.bytes(2)?.to_vec() })
    };
    row.map(read).transpose()
}

pub(crate) fn settle(
    tx: &mut Tx<'_>,
    agency: &BlindIndex,
    item: &BlindIndex,
    state: i64,
) -> Result<(), StoreError> {
    tx.change(SETTLE, &[agency.into(), item.into(), Value::Int(state)]).map(drop)
}

pub(crate) fn forget(tx: &mut Tx<'_>, agency: &BlindIndex, before_day: i64) -> Result<u64, StoreError> {
    tx.change(FORGET, &[agency.into(), before_day.into()])
}

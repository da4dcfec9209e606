//! The only SQL about payees.

use kaname_store::bulk::{Insert, Lookup, Type};
use kaname_store::{Row, StoreError, Tx, Value};

use crate::ids::PayeeId;
use crate::payee::{PayeeState, Reason};

const PAYEE: Lookup = Lookup {
    table: "pay_payee",
    keys: &[("payee", Type::Bytes)],
    columns: &["state", "reason", "account", "record", "version"],
};
const PAYEES_BETWEEN: &str = "SELECT state, reason, account, record, version, payee FROM pay_payee
    WHERE bucket = $1 AND payee >= $2 AND payee <= $3 ORDER BY payee";
const NEW_PAYEES: Insert = Insert {
    table: "pay_payee",
    columns: &[
        ("payee", Type::Bytes),
        ("state", Type::Int),
        ("reason", Type::Text),
        ("account", Type::Bytes),
        ("record", Type::Bytes),
        ("version", Type::Int),
    ],
    skip_existing: false,
};
const REPLACE_PAYEE: &str =
    "UPDATE pay_payee SET state = $4, reason = $5, account = $6, record = $7, version = $3 + 1
    WHERE bucket = $1 AND payee = $2 AND version = $3";

const CLAIMS: Insert = Insert {
    table: "pay_account_index",
    columns: &[("account", Type::Bytes), ("payee", Type::Bytes), ("state", Type::Int)],
    skip_existing: true,
};
const OWNER: Lookup =
    Lookup { table: "pay_account_index", keys: &[("account", Type::Bytes)], columns: &["payee", "state"] };
const CONFIRM: &str =
    "UPDATE pay_account_index SET state = 2 WHERE bucket = $1 AND account = $2 AND payee = $3";
const RELEASE: &str = "DELETE FROM pay_account_index WHERE bucket = $1 AND account = $2 AND payee = $3";

/// A payee's row.
#[derive(Clone, Debug)]
pub(crate) struct PayeeRow {
    pub(crate) payee: PayeeId,
    pub(crate) state: PayeeState,
    pub(crate) account: [u8; 16],
    pub(crate) record: Vec<u8>,
    pub(crate) version: i64,
}

pub(crate) fn payees(tx: &mut Tx<'_>, ids: &[PayeeId]) -> Result<Vec<Option<PayeeRow>>, StoreError> {
    let keys: Vec<_> = ids.iter().map(|id| [Value::from(id)]).collect();
    let rows = tx.look_up_many(&PAYEE, &keys)?;
    ids.iter().zip(rows).map(|(id, row)| row.map(|row| payee_row(*id, &row)).transpose()).collect()
}

/// Payees in order of their id.
pub(crate) fn payees_between(
    tx: &mut Tx<'_>,
    first: PayeeId,
    last: PayeeId,
) -> Result<Vec<PayeeRow>, StoreError> {
    let rows = tx.query(PAYEES_BETWEEN, &[(&first).into(), (&last).into()])?;
    rows.iter().map(|row| payee_row(row.id(5)?, row)).collect()
}

pub(crate) fn insert_payees(tx: &mut Tx<'_>, new: &[PayeeRow]) -> Result<(), StoreError> {
    let rows: Vec<_> = new
        .iter()
        .map(|row| {
            let (state, reason) = state_columns(row.state);
            [
                Value::from(&row.payee),
                Value::Int(state),
                Value::Text(reason),
                Value::from(&row.account),
                Value::from(&row.record),
                Value::Int(row.version),
            ]
        })
        .collect();
    tx.insert_many(&NEW_PAYEES, &rows).map(drop)
}

/// Compares the version that was read, and sets all else.
pub(crate) fn replace_payee(tx: &mut Tx<'_>, row: &PayeeRow) -> Result<(), StoreError> {
    let (state, reason) = state_columns(row.state);
    let PayeeRow { payee, version, account, record, .. } = row;
    let args = [
        Value::from(payee),
        Value::Int(*version),
        Value::Int(state),
        Value::Text(reason),
        Value::from(account),
        Value::from(record),
    ];
    tx.change_one(REPLACE_PAYEE, &args)
}

/// Claims accounts that nobody has, and tells for each whether it is this payee's now.
pub(crate) fn claim(tx: &mut Tx<'_>, claims: &[([u8; 16], PayeeId)]) -> Result<Vec<bool>, StoreError> {
    let mut ordered: Vec<_> = claims.iter().collect();
    // PostgreSQL remembers in which order rows came: not in that of the register. Of two for one account the first stays first.
    ordered.sort_by_key(|(account, _)| account);
    let rows: Vec<_> =
        ordered.iter().map(|(account, payee)| [account.into(), payee.into(), Value::Int(1)]).collect();
    tx.insert_many(&CLAIMS, &rows)?;
    let keys: Vec<_> = claims.iter().map(|(account, _)| [Value::from(account)]).collect();
    let owners = tx.look_up_many(&OWNER, &keys)?;
    let is_hers = |(row, (_, payee)): (&Option<Row>, &([u8; 16], PayeeId))| match row {
        Some(row) => Ok(row.id(0).is_ok_and(|owner: PayeeId| owner == *payee)),
        None => Ok(false),
    };
    owners.iter().zip(claims).map(is_hers).collect()
}

/// Whose each account is.
pub(crate) fn owners(tx: &mut Tx<'_>, accounts: &[[u8; 16]]) -> Result<Vec<Option<PayeeId>>, StoreError> {
    let keys: Vec<_> = accounts.iter().map(|account| [Value::from(account)]).collect();
    tx.look_up_many(&OWNER, &keys)?.into_iter().map(|row| row.map(|row| row.id(0)).transpose()).collect()
}

pub(crate) fn confirm(tx: &mut Tx<'_>, account: &[u8; 16], payee: PayeeId) -> Result<(), StoreError> {
    tx.change_one(CONFIRM, &[account.into(), (&payee).into()])
}

pub(crate) fn release(tx: &mut Tx<'_>, account: &[u8; 16], payee: PayeeId) -> Result<(), StoreError> {
    tx.change(RELEASE, &[account.into(), (&payee).into()]).map(drop)
}

fn payee_row(payee: PayeeId, row: &Row) -> Result<PayeeRow, StoreError> {
    let state = match row.int(0)? {
        1 => PayeeState::Active,
        2 => PayeeState::Refused(Reason::from_code(row.text(1)?).ok_or(StoreError::Type(1))?),
        3 => PayeeState::Suspended,
        4 => PayeeState::Closed,
        _ => return Err(StoreError::Type(0)),
    };
    let (account, record, version) = (row.array(2)?, row.bytes(3)?.to_vec(), row.int(4)?);
    Ok(PayeeRow { payee, state, account, record, version })
}

fn state_columns(state: PayeeState) -> (i64, &'static str) {
    match state {
        PayeeState::Active => (1, ""),
        PayeeState::Refused(reason) => (2, reason.code()),
        PayeeState::Suspended => (3, Reason::Suspended.code()),
        PayeeState::Closed => (4, Reason::Suspended.code()),
    }
}

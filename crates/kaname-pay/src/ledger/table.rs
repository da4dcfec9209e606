//! The only SQL of the ledger.

use std::collections::{HashMap, VecDeque};

use kaname_base::{Amount, Currency, Instant};
use kaname_store::bulk::{Insert, Lookup, Type, Update};
use kaname_store::{Row, StoreError, Tx, Value};

use crate::ids::{AccountId, TransferId};
use crate::ledger::rules::{Resolution, Standing};
use crate::ledger::{Account, Kind, Limit, Side, Transfer};

const NEW_ACCOUNTS: Insert = Insert {
    table: "pay_account",
    columns: &[
        ("id", Type::Bytes),
        ("currency", Type::Int),
        ("code", Type::Int),
        ("account_limit", Type::Int),
        ("debits_posted", Type::Int),
        ("credits_posted", Type::Int),
        ("debits_pending", Type::Int),
        ("credits_pending", Type::Int),
        ("version", Type::Int),
    ],
    skip_existing: true,
};
const ACCOUNT: Lookup = Lookup {
    table: "pay_account",
    keys: &[("id", Type::Bytes)],
    columns: &[
        "currency",
        "code",
        "account_limit",
        "debits_posted",
        "credits_posted",
        "debits_pending",
        "credits_pending",
        "version",
        "closed",
        "last_transfer",
    ],
};
const BALANCES: Update = Update {
    table: "pay_account",
    keys: &[("id", Type::Bytes)],
    columns: &[
        ("debits_posted", Type::Int),
        ("credits_posted", Type::Int),
        ("debits_pending", Type::Int),
        ("credits_pending", Type::Int),
        ("version", Type::Int),
        ("closed", Type::Int),
        ("last_transfer", Type::Bytes),
    ],
};
const ACCOUNTS_AFTER: &str =
    "SELECT currency, code, account_limit, debits_posted, credits_posted, debits_pending,
    credits_pending, version, closed, last_transfer, id FROM pay_account WHERE bucket = $1 AND id > $2 ORDER BY id LIMIT $3";

const NEW_TRANSFERS: Insert = Insert {
    table: "pay_transfer",
    columns: &[
        ("id", Type::Bytes),
        ("debit", Type::Bytes),
        ("credit", Type::Bytes),
        ("amount", Type::Int),
        ("kind", Type::Int),
        ("pending", Type::Bytes),
        ("code", Type::Int),
        ("posted_at", Type::Int),
        ("expires_at", Type::Int),
        ("asked", Type::Int),
        ("debit_before", Type::Bytes),
        ("credit_before", Type::Bytes),
    ],
    skip_existing: false,
};
const TRANSFER: Lookup = Lookup {
    table: "pay_transfer",
    keys: &[("id", Type::Bytes)],
    columns: &["debit", "credit", "amount", "kind", "pending", "code", "posted_at", "expires_at", "asked"],
};
const GREATEST_TRANSFER: &str = "SELECT id FROM pay_transfer WHERE bucket = $1 ORDER BY id DESC LIMIT 1";
const TRANSFERS_AFTER: &str =
    "SELECT t.debit, t.credit, t.amount, t.kind, t.pending, t.code, t.posted_at, t.expires_at, t.asked,
    t.debit_before, t.credit_before, p.amount, p.kind, t.id, r.kind, r.resolved_by
    FROM pay_transfer AS t
    LEFT JOIN pay_transfer AS p ON p.bucket = t.bucket AND p.id = t.pending
    LEFT JOIN pay_resolution AS r ON r.bucket = t.bucket AND r.pending = t.pending
    WHERE t.bucket = $1 AND t.id > $2 ORDER BY t.id LIMIT $3";
/// A transfer, and those before it on one of its accounts, so many in all.
const LINKS: &str = "WITH RECURSIVE chain AS (
    SELECT t.id, t.debit, t.credit, t.amount, t.kind, t.pending, t.code, t.posted_at, t.expires_at, t.asked,
        t.debit_before, t.credit_before, CAST(1 AS BIGINT) AS step
    FROM pay_transfer AS t WHERE t.bucket = $1 AND t.id = $2
    UNION ALL
    SELECT t.id, t.debit, t.credit, t.amount, t.kind, t.pending, t.code, t.posted_at, t.expires_at, t.asked,
        t.debit_before, t.credit_before, chain.step + 1
    FROM chain JOIN pay_transfer AS t ON t.bucket = $1 AND t.id =
        CASE WHEN chain.debit = $3 THEN chain.debit_before ELSE chain.credit_before END
    WHERE chain.step < $4)
    SELECT c.debit, c.credit, c.amount, c.kind, c.pending, c.code, c.posted_at, c.expires_at, c.asked,
        c.debit_before, c.credit_before, p.amount, p.kind, c.id
    FROM chain AS c LEFT JOIN pay_transfer AS p ON p.bucket = $1 AND p.id = c.pending ORDER BY c.step";
const TRANSFERS_BEFORE: &str =
    "SELECT debit, credit, amount, kind, pending, code, posted_at, expires_at, asked, id FROM pay_transfer
    WHERE bucket = $1 AND id < $2 AND posted_at >= $3 AND posted_at < $4 ORDER BY id DESC LIMIT $5";

const NEW_EXPIRIES: Insert = Insert {
    table: "pay_expiry",
    columns: &[("expires_at", Type::Int), ("pending", Type::Bytes)],
    skip_existing: false,
};
const EXPIRED: &str = "SELECT expires_at, pending FROM pay_expiry WHERE bucket = $1 AND expires_at <= $2
    ORDER BY expires_at, pending LIMIT $3";
const SWEPT: &str = "DELETE FROM pay_expiry WHERE bucket = $1 AND expires_at = $2 AND pending = $3";

const NEW_RESOLUTIONS: Insert = Insert {
    table: "pay_resolution",
    columns: &[("pending", Type::Bytes), ("resolved_by", Type::Bytes), ("kind", Type::Int)],
    skip_existing: false,
};
const RESOLUTION: Lookup =
    Lookup { table: "pay_resolution", keys: &[("pending", Type::Bytes)], columns: &["kind"] };
const RESOLUTION_COUNT: &str = "SELECT COUNT(*) FROM pay_resolution WHERE bucket = $1";

const NEW_OUTBOX: Insert = Insert {
    table: "pay_outbox",
    columns: &[
        ("id", Type::Bytes),
        ("to_bucket", Type::Int),
        ("to_account", Type::Bytes),
        ("currency", Type::Int),
        ("amount", Type::Int),
        ("code", Type::Int),
    ],
    skip_existing: true,
};
const OUTBOX: &str = "SELECT id, to_bucket, to_account, currency, amount, code FROM pay_outbox
    WHERE bucket = $1 AND id > $2 ORDER BY id LIMIT $3";
const ARRIVED: &str = "DELETE FROM pay_outbox WHERE bucket = $1 AND id = $2";

pub(crate) fn insert_accounts(tx: &mut Tx<'_>, accounts: &[Account]) -> Result<(), StoreError> {
    let rows: Vec<_> = accounts
        .iter()
        .map(|account| {
            [
                Value::from(&account.id),
                Value::Int(currency_number(account.currency)),
                Value::Int(account.code.into()),
                Value::Int(limit_number(account.limit)),
                Value::Int(account.debits_posted.stored()),
                Value::Int(account.credits_posted.stored()),
                Value::Int(account.debits_pending.stored()),
                Value::Int(account.credits_pending.stored()),
                Value::Int(account.version),
            ]
        })
        .collect();
    tx.insert_many(&NEW_ACCOUNTS, &rows).map(drop)
}

/// Rows of accounts; [`crate::ledger::balance`] knows what is newer.
pub(crate) fn account_rows(tx: &mut Tx<'_>, ids: &[AccountId]) -> Result<Vec<Option<Account>>, StoreError> {
    let keys: Vec<_> = ids.iter().map(|id| [Value::from(id)]).collect();
    let rows = tx.look_up_many(&ACCOUNT, &keys)?;
    ids.iter().zip(rows).map(|(id, row)| row.map(|row| account(*id, &row)).transpose()).collect()
}

/// Rows of accounts with an id above `after`, in order.
pub(crate) fn account_rows_after(
    tx: &mut Tx<'_>,
    after: &[u8],
    most: i64,
) -> Result<Vec<Account>, StoreError> {
    let rows = tx.query(ACCOUNTS_AFTER, &[after.into(), most.into()])?;
    rows.iter().map(|row| account(row.id(10)?, row)).collect()
}

pub(crate) fn update_balances<'a>(
    tx: &mut Tx<'_>,
    accounts: impl Iterator<Item = &'a Account>,
) -> Result<(), StoreError> {
    let rows: Vec<_> = accounts
        .map(|account| {
            [
                Value::from(&account.id),
                Value::Int(account.debits_posted.stored()),
                Value::Int(account.credits_posted.stored()),
                Value::Int(account.debits_pending.stored()),
                Value::Int(account.credits_pending.stored()),
                Value::Int(account.version),
                Value::Int(account.closed.into()),
                account.last.as_ref().map_or(Value::Null, Value::from),
            ]
        })
        .collect();
    tx.update_many(&BALANCES, &rows)
}

pub(crate) fn greatest_transfer(tx: &mut Tx<'_>) -> Result<Option<TransferId>, StoreError> {
    tx.row(GREATEST_TRANSFER, &[])?.map(|row| row.id(0)).transpose()
}

/// Those of the transfers that stand in the ledger.
pub(crate) fn transfers(tx: &mut Tx<'_>, ids: &[TransferId]) -> Result<Vec<Standing>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<_> = ids.iter().map(|id| [Value::from(id)]).collect();
    let rows = tx.look_up_many(&TRANSFER, &keys)?;
    let found = ids.iter().zip(&rows).filter_map(|(id, row)| Some((*id, row.as_ref()?)));
    found.map(|(id, row)| standing(id, row)).collect()
}

/// Transfers with an id below `before` that were made in a period, the newest first.
pub(crate) fn transfers_before(
    tx: &mut Tx<'_>,
    before: &[u8],
    period: (Instant, Instant),
    most: i64,
) -> Result<Vec<Standing>, StoreError> {
    let (from, until) = (period.0.micros(), period.1.micros());
    let rows = tx.query(TRANSFERS_BEFORE, &[before.into(), from.into(), until.into(), most.into()])?;
    rows.iter().map(|row| standing(row.id(9)?, row)).collect()
}

/// A transfer as a link of the chains of its two accounts.
#[derive(Clone, Copy)]
pub(crate) struct Link {
    pub(crate) standing: Standing,
    /// The transfers before it on the account that pays, and on the one that receives.
    pub(crate) before: [Option<TransferId>; 2],
    /// Amount of the pending transfer that it names, if that is a pending one.
    pub(crate) reserved: Option<Amount>,
}

/// The transfer `last` of an account and those before it, the newest first.
pub(crate) fn links(
    tx: &mut Tx<'_>,
    account: AccountId,
    last: TransferId,
    most: i64,
) -> Result<VecDeque<Link>, StoreError> {
    let rows = tx.query(LINKS, &[(&last).into(), (&account).into(), most.into()])?;
    rows.iter().map(|row| link_of(row.id(13)?, row)).collect()
}

fn link_of(id: TransferId, row: &Row) -> Result<Link, StoreError> {
    let before = |column| row.maybe_bytes(column)?.map(|_| row.id(column)).transpose();
    let is_pending = matches!(row.maybe_int(12)?, Some(1 | 4 | 7 | 8));
    let reserved = row.maybe_int(11)?.filter(|_| is_pending).and_then(Amount::from_stored);
    Ok(Link { standing: standing(id, row)?, before: [before(9)?, before(10)?], reserved })
}

/// A transfer with what a check of the books compares it with.
pub(crate) struct Line {
    pub(crate) link: Link,
    /// Whether the resolution of what it names is its own.
    pub(crate) resolves: bool,
}

/// Transfers with an id above `after`, in order.
pub(crate) fn transfers_after(tx: &mut Tx<'_>, after: &[u8], most: i64) -> Result<Vec<Line>, StoreError> {
    let rows = tx.query(TRANSFERS_AFTER, &[after.into(), most.into()])?;
    let line = |row: &Row| {
        let link = link_of(row.id(13)?, row)?;
        let resolves = row.maybe_int(14)? == Some(kind_number(link.standing.transfer.kind))
            && row.maybe_bytes(15)? == Some(link.standing.transfer.id.bytes());
        Ok(Line { link, resolves })
    };
    rows.iter().map(line).collect()
}

pub(crate) fn insert_transfers(tx: &mut Tx<'_>, links: &[Link]) -> Result<(), StoreError> {
    if links.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = links
        .iter()
        .map(|Link { standing: Standing { transfer, moved, at }, before, .. }| {
            let (expires_at, asked) = match transfer.kind {
                Kind::PendingUntil(until) => (Value::Int(until.micros()), Value::Null),
                Kind::UpTo(_) => (Value::Null, Value::Int(transfer.amount.stored())),
                _ => (Value::Null, Value::Null),
            };
            [
                Value::from(&transfer.id),
                Value::from(&transfer.debit),
                Value::from(&transfer.credit),
                Value::Int(moved.stored()),
                Value::Int(kind_number(transfer.kind)),
                transfer.kind.named_in().map_or(Value::Null, Value::from),
                Value::Int(transfer.code.into()),
                Value::Int(at.micros()),
                expires_at,
                asked,
                before[0].as_ref().map_or(Value::Null, Value::from),
                before[1].as_ref().map_or(Value::Null, Value::from),
            ]
        })
        .collect();
    tx.insert_many(&NEW_TRANSFERS, &rows).map(drop)
}

/// Notes when the time of pending transfers is over.
pub(crate) fn insert_expiries(tx: &mut Tx<'_>, expiries: &[(Instant, TransferId)]) -> Result<(), StoreError> {
    if expiries.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = expiries.iter().map(|(at, id)| [Value::Int(at.micros()), id.into()]).collect();
    tx.insert_many(&NEW_EXPIRIES, &rows).map(drop)
}

/// Pending transfers whose time is over by `now`, whatever became of them.
pub(crate) fn expired(
    tx: &mut Tx<'_>,
    now: Instant,
    most: i64,
) -> Result<Vec<(Instant, TransferId)>, StoreError> {
    let rows = tx.query(EXPIRED, &[now.micros().into(), most.into()])?;
    rows.iter().map(|row| Ok((Instant::from_micros(row.int(0)?), row.id(1)?))).collect()
}

/// Strikes one off the list; another may have done so before.
pub(crate) fn swept(tx: &mut Tx<'_>, at: Instant, pending: TransferId) -> Result<(), StoreError> {
    tx.change(SWEPT, &[at.micros().into(), (&pending).into()]).map(drop)
}

pub(crate) fn resolutions(
    tx: &mut Tx<'_>,
    pending: &[TransferId],
) -> Result<HashMap<TransferId, Resolution>, StoreError> {
    if pending.is_empty() {
        return Ok(HashMap::new());
    }
    let keys: Vec<_> = pending.iter().map(|id| [Value::from(id)]).collect();
    let rows = tx.look_up_many(&RESOLUTION, &keys)?;
    let found = pending.iter().zip(&rows).filter_map(|(id, row)| Some((*id, row.as_ref()?)));
    let resolution = |row: &Row| match row.int(0)? {
        2 => Ok(Resolution::Posted),
        3 => Ok(Resolution::Voided),
        9 => Ok(Resolution::Expired),
        _ => Err(StoreError::Type(0)),
    };
    found.map(|(id, row)| Ok((id, resolution(row)?))).collect()
}

pub(crate) fn insert_resolutions(tx: &mut Tx<'_>, links: &[Link]) -> Result<(), StoreError> {
    let transfers = links.iter().map(|link| &link.standing.transfer);
    let rows: Vec<_> = transfers
        .filter_map(|transfer| {
            let pending = transfer.kind.named_in()?;
            Some([pending.into(), (&transfer.id).into(), Value::Int(kind_number(transfer.kind))])
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    tx.insert_many(&NEW_RESOLUTIONS, &rows).map(drop)
}

pub(crate) fn resolution_count(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    tx.row(RESOLUTION_COUNT, &[])?.map_or(Ok(0), |row| row.int(0))
}

/// Money that left for another bucket.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) id: TransferId,
    pub(crate) to_bucket: u16,
    pub(crate) to_account: AccountId,
    pub(crate) currency: Currency,
    pub(crate) amount: Amount,
    pub(crate) code: u16,
}

pub(crate) fn insert_outbox(tx: &mut Tx<'_>, outgoing: &[Outgoing]) -> Result<(), StoreError> {
    let rows: Vec<_> = outgoing
        .iter()
        .map(|out| {
            [
                Value::from(&out.id),
                Value::Int(out.to_bucket.into()),
                Value::from(&out.to_account),
                Value::Int(currency_number(out.currency)),
                Value::Int(out.amount.stored()),
                Value::Int(out.code.into()),
            ]
        })
        .collect();
    tx.insert_many(&NEW_OUTBOX, &rows).map(drop)
}

pub(crate) fn outbox(tx: &mut Tx<'_>, after: &[u8], most: i64) -> Result<Vec<Outgoing>, StoreError> {
    let rows = tx.query(OUTBOX, &[after.into(), most.into()])?;
    let outgoing = |row: &Row| {
        Ok(Outgoing {
            id: row.id(0)?,
            to_bucket: small(row, 1)?,
            to_account: row.id(2)?,
            currency: currency(row, 3)?,
            amount: amount(row, 4)?,
            code: small(row, 5)?,
        })
    };
    rows.iter().map(outgoing).collect()
}

/// Forgets what has arrived; another may have done so before.
pub(crate) fn arrived(tx: &mut Tx<'_>, id: TransferId) -> Result<(), StoreError> {
    tx.change(ARRIVED, &[(&id).into()]).map(drop)
}

fn account(id: AccountId, row: &Row) -> Result<Account, StoreError> {
    Ok(Account {
        id,
        currency: currency(row, 0)?,
        code: small(row, 1)?,
        limit: match row.int(2)? {
            0 => Limit::None,
            1 => Limit::DebitsUpToCredits,
            2 => Limit::CreditsUpToDebits,
            _ => return Err(StoreError::Type(2)),
        },
        debits_posted: amount(row, 3)?,
        credits_posted: amount(row, 4)?,
        debits_pending: amount(row, 5)?,
        credits_pending: amount(row, 6)?,
        version: row.int(7)?,
        closed: row.maybe_int(8)? == Some(1),
        last: row.maybe_bytes(9)?.map(|_| row.id(9)).transpose()?,
    })
}

fn standing(id: TransferId, row: &Row) -> Result<Standing, StoreError> {
    let kind = match row.int(3)? {
        0 => Kind::Posted,
        1 => Kind::Pending,
        2 => Kind::PostOf(row.id(4)?),
        3 => Kind::VoidOf(row.id(4)?),
        4 => Kind::PendingUntil(Instant::from_micros(row.int(7)?)),
        5 => Kind::UpTo(Side::Debit),
        6 => Kind::UpTo(Side::Credit),
        7 => Kind::Close(Side::Debit),
        8 => Kind::Close(Side::Credit),
        9 => Kind::ExpiryOf(row.id(4)?),
        _ => return Err(StoreError::Type(3)),
    };
    let moved = amount(row, 2)?;
    let asked = if matches!(kind, Kind::UpTo(_)) { amount(row, 8)? } else { moved };
    let transfer =
        Transfer { id, debit: row.id(0)?, credit: row.id(1)?, amount: asked, kind, code: small(row, 5)? };
    Ok(Standing { transfer, moved, at: Instant::from_micros(row.int(6)?) })
}

fn kind_number(kind: Kind) -> i64 {
    match kind {
        Kind::Posted => 0,
        Kind::Pending => 1,
        Kind::PostOf(_) => 2,
        Kind::VoidOf(_) => 3,
        Kind::PendingUntil(_) => 4,
        Kind::UpTo(Side::Debit) => 5,
        Kind::UpTo(Side::Credit) => 6,
        Kind::Close(Side::Debit) => 7,
        Kind::Close(Side::Credit) => 8,
        Kind::ExpiryOf(_) => 9,
    }
}

fn limit_number(limit: Limit) -> i64 {
    match limit {
        Limit::None => 0,
        Limit::DebitsUpToCredits => 1,
        Limit::CreditsUpToDebits => 2,
    }
}

/// A currency as one number: its three letters and its decimals, a byte each.
pub(crate) fn currency_number(currency: Currency) -> i64 {
    let letters = currency.code().bytes().fold(0, |number, letter| number << 8 | i64::from(letter));
    letters << 8 | i64::from(currency.exponent())
}

pub(crate) fn currency(row: &Row, column: usize) -> Result<Currency, StoreError> {
    let [.., a, b, c, exponent] = row.int(column)?.to_be_bytes();
    let code = [a, b, c];
    let currency = std::str::from_utf8(&code).ok().and_then(|code| Currency::new(code, exponent));
    currency.ok_or(StoreError::Type(column))
}

pub(crate) fn amount(row: &Row, column: usize) -> Result<Amount, StoreError> {
    Amount::from_stored(row.int(column)?).ok_or(StoreError::Type(column))
}

pub(crate) fn small(row: &Row, column: usize) -> Result<u16, StoreError> {
    row.int(column)?.try_into().map_err(|_| StoreError::Type(column))
}

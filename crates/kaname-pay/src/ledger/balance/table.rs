//! The only SQL of balances in memory.

use kaname_base::{Amount, Instant};
use kaname_store::bulk::{Insert, Lookup, Type};
use kaname_store::{Row, StoreError, Tx, Value};

use crate::ids::{AccountId, TransferId};
use crate::ledger::Account;
use crate::ledger::table::amount;

/// Takes the bucket's books for this unit of work: on a server whoever comes next waits for the row.
const TAKE: &str = "INSERT INTO pay_ledger (bucket, number, token, token_before, last_at)
    VALUES ($1, 1, $2, $2, $3) ON CONFLICT (bucket) DO UPDATE SET
    number = pay_ledger.number + 1, token = excluded.token, token_before = pay_ledger.token,
    last_at = CASE WHEN pay_ledger.last_at > excluded.last_at THEN pay_ledger.last_at ELSE excluded.last_at END
    RETURNING number, token_before, last_at";

const NEW_RUN: Insert = Insert {
    table: "pay_balance_run",
    columns: &[
        ("number", Type::Int),
        ("part", Type::Int),
        ("first_account", Type::Bytes),
        ("last_account", Type::Bytes),
        ("body", Type::Bytes),
    ],
    skip_existing: false,
};
const RUN_PARTS: &str = "SELECT number, part, first_account, last_account FROM pay_balance_run
    WHERE bucket = $1 ORDER BY number, part";
const RUN_PART: Lookup = Lookup {
    table: "pay_balance_run",
    keys: &[("number", Type::Int), ("part", Type::Int)],
    columns: &["body"],
};
const FORGET_RUNS: &str = "DELETE FROM pay_balance_run WHERE bucket = $1 AND number <= $2";

const NEW_MARKS: Insert = Insert {
    table: "pay_mark",
    columns: &[
        ("account", Type::Bytes),
        ("posted_at", Type::Int),
        ("version", Type::Int),
        ("transfer", Type::Bytes),
        ("debits_posted", Type::Int),
        ("credits_posted", Type::Int),
        ("debits_pending", Type::Int),
        ("credits_pending", Type::Int),
    ],
    skip_existing: false,
};
const MARK_AFTER: &str =
    "SELECT version, transfer, debits_posted, credits_posted, debits_pending, credits_pending, posted_at
    FROM pay_mark WHERE bucket = $1 AND account = $2 AND posted_at > $3 ORDER BY posted_at, version LIMIT 1";
const MARK: &str =
    "SELECT version, transfer, debits_posted, credits_posted, debits_pending, credits_pending, posted_at
    FROM pay_mark WHERE bucket = $1 AND account = $2 AND posted_at = $3 AND version = $4";
const MARK_COUNT: &str = "SELECT COUNT(*) FROM pay_mark WHERE bucket = $1";

/// The bucket's books, taken.
pub(crate) struct Head {
    /// Of this batch.
    pub(crate) number: i64,
    /// The token that it found.
    pub(crate) before: [u8; 16],
    /// When it takes place: never before the batch before it.
    pub(crate) at: Instant,
}

pub(crate) fn take(tx: &mut Tx<'_>, token: &[u8; 16], now: Instant) -> Result<Head, StoreError> {
    let row = tx.row(TAKE, &[token.into(), now.micros().into()])?.ok_or(StoreError::Conflict)?;
    Ok(Head { number: row.int(0)?, before: row.array(1)?, at: Instant::from_micros(row.int(2)?) })
}

/// Bytes of an account in a run: id, four sums, version (of which the top bit says closed), last transfer.
const RECORD: usize = 16 + 4 * 8 + 8 + 16;

/// Accounts in one row of a run: it is less than a quarter of SQLite's page, beyond which a row is cut in two, and far below what
/// PostgreSQL would compress.
const PART: usize = 12;

const CLOSED: u64 = 1 << 63;

/// Writes what the accounts hold; they are in order of id.
pub(crate) fn insert_run(tx: &mut Tx<'_>, number: i64, accounts: &[&Account]) -> Result<(), StoreError> {
    let bodies: Vec<Vec<u8>> = accounts
        .chunks(PART)
        .map(|accounts| accounts.iter().flat_map(|account| record(account)).collect())
        .collect();
    let rows: Vec<_> = (0i64..)
        .zip(accounts.chunks(PART).zip(&bodies))
        .map(|(part, (accounts, body))| {
            let (first, last) = (&accounts[0].id, &accounts[accounts.len() - 1].id);
            [number.into(), part.into(), first.into(), last.into(), body.into()]
        })
        .collect();
    tx.insert_many(&NEW_RUN, &rows).map(drop)
}

fn record(account: &Account) -> [u8; RECORD] {
    let mut bytes = [0; RECORD];
    bytes[..16].copy_from_slice(account.id.bytes());
    let sums =
        [account.debits_posted, account.credits_posted, account.debits_pending, account.credits_pending];
    for (place, sum) in sums.into_iter().enumerate() {
        bytes[16 + place * 8..][..8].copy_from_slice(&sum.minor().to_be_bytes());
    }
    let version = account.version as u64 | if account.closed { CLOSED } else { 0 };
    bytes[48..56].copy_from_slice(&version.to_be_bytes());
    bytes[56..].copy_from_slice(account.last.map_or([0; 16], |last| *last.bytes()).as_slice());
    bytes
}

/// What a run says of an account.
pub(crate) struct Noted {
    pub(crate) id: AccountId,
    sums: [Amount; 4],
    pub(crate) version: i64,
    closed: bool,
    last: TransferId,
}

impl Noted {
    /// The account with what is noted, unless its row is newer.
    pub(crate) fn onto(&self, account: &mut Account) {
        if self.version > account.version {
            let [debits_posted, credits_posted, debits_pending, credits_pending] = self.sums;
            let (version, closed, last) = (self.version, self.closed, Some(self.last));
            *account = Account {
                debits_posted,
                credits_posted,
                debits_pending,
                credits_pending,
                version,
                closed,
                last,
                ..*account
            };
        }
    }
}

/// Reads one record. Its only caller cuts the body into pieces of `RECORD` bytes, so that no part of one is too short.
fn noted(bytes: &[u8]) -> Result<Noted, StoreError> {
    let number = |at: usize| u64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    let id = |at: usize| bytes[at..at + 16].try_into().expect("sixteen bytes");
    let sum = |place: usize| Amount::from_minor(number(16 + place * 8)).ok_or(StoreError::Type(4));
    Ok(Noted {
        id: AccountId::from_bytes(id(0)),
        sums: [sum(0)?, sum(1)?, sum(2)?, sum(3)?],
        version: (number(48) & !CLOSED) as i64,
        closed: number(48) & CLOSED != 0,
        last: TransferId::from_bytes(id(56)),
    })
}

/// One row of a run.
pub(crate) struct Part {
    number: i64,
    part: i64,
    first: AccountId,
    last: AccountId,
}

impl Part {
    /// Whether it may say something of one of these, which are in order.
    pub(crate) fn may_have(&self, ids: &[AccountId]) -> bool {
        ids.get(ids.partition_point(|id| *id < self.first)).is_some_and(|id| *id <= self.last)
    }
}

pub(crate) fn run_parts(tx: &mut Tx<'_>) -> Result<Vec<Part>, StoreError> {
    let part =
        |row: &Row| Ok(Part { number: row.int(0)?, part: row.int(1)?, first: row.id(2)?, last: row.id(3)? });
    tx.query(RUN_PARTS, &[])?.iter().map(part).collect()
}

/// What these rows of runs say, in their order.
pub(crate) fn run_bodies(tx: &mut Tx<'_>, parts: &[Part]) -> Result<Vec<Noted>, StoreError> {
    let keys: Vec<_> = parts.iter().map(|part| [Value::Int(part.number), Value::Int(part.part)]).collect();
    let mut all = Vec::with_capacity(parts.len() * PART);
    for row in tx.look_up_many(&RUN_PART, &keys)?.into_iter().flatten() {
        let body = row.bytes(0)?;
        if body.len() % RECORD != 0 {
            return Err(StoreError::Type(0));
        }
        for bytes in body.chunks_exact(RECORD) {
            all.push(noted(bytes)?);
        }
    }
    Ok(all)
}

/// Forgets the runs up to `number`: the rows of the accounts say as much.
pub(crate) fn forget_runs(tx: &mut Tx<'_>, number: i64) -> Result<(), StoreError> {
    tx.change(FORGET_RUNS, &[number.into()]).map(drop)
}

pub(crate) fn insert_marks(tx: &mut Tx<'_>, marks: &[Account], at: Instant) -> Result<(), StoreError> {
    if marks.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = marks
        .iter()
        .map(|account| {
            [
                Value::from(&account.id),
                Value::Int(at.micros()),
                Value::Int(account.version),
                Value::from(account.last.as_ref().expect("a link of a chain has a transfer")),
                Value::Int(account.debits_posted.stored()),
                Value::Int(account.credits_posted.stored()),
                Value::Int(account.debits_pending.stored()),
                Value::Int(account.credits_pending.stored()),
            ]
        })
        .collect();
    tx.insert_many(&NEW_MARKS, &rows).map(drop)
}

/// The account as the first mark after `at` has it, or `None` when none was made after that.
pub(crate) fn mark_after(
    tx: &mut Tx<'_>,
    account: &Account,
    at: Instant,
) -> Result<Option<Account>, StoreError> {
    let row = tx.row(MARK_AFTER, &[(&account.id).into(), at.micros().into()])?;
    row.map(|row| marked(account, &row)).transpose()
}

/// The account as the mark of that moment and version has it.
pub(crate) fn mark(tx: &mut Tx<'_>, account: &Account, at: Instant) -> Result<Option<Account>, StoreError> {
    let row = tx.row(MARK, &[(&account.id).into(), at.micros().into(), account.version.into()])?;
    row.map(|row| marked(account, &row)).transpose()
}

pub(crate) fn mark_count(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    tx.row(MARK_COUNT, &[])?.map_or(Ok(0), |row| row.int(0))
}

fn marked(account: &Account, row: &Row) -> Result<Account, StoreError> {
    Ok(Account {
        version: row.int(0)?,
        last: Some(row.id(1)?),
        debits_posted: amount(row, 2)?,
        credits_posted: amount(row, 3)?,
        debits_pending: amount(row, 4)?,
        credits_pending: amount(row, 5)?,
        ..*account
    })
}

//! The only SQL of payout runs.

use kaname_base::{Amount, Currency, Instant};
use kaname_store::bulk::{Insert, Lookup, Type, Update};
use kaname_store::{Row, StoreError, Tx, Value};

use crate::ids::{PayeeId, RunId};
use crate::ledger::table::{amount, currency, currency_number};
use crate::payout::act::{Act, Step};
use crate::payout::{Programme, Run, RunState, State};

const RUN: &str =
    "SELECT id, programme, currency, amount, state, planned_by, planned_at, approved_by, approved_at,
    people, total, list_hash, version FROM pay_run WHERE bucket = $1 AND id = $2";
const RUNS: &str =
    "SELECT id, programme, currency, amount, state, planned_by, planned_at, approved_by, approved_at,
    people, total, list_hash, version FROM pay_run WHERE bucket = $1 ORDER BY id DESC LIMIT $2";
const NEW_RUN: &str =
    "INSERT INTO pay_run (bucket, id, programme, currency, amount, state, planned_by, planned_at,
    approved_by, approved_at, people, total, list_hash, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
const REPLACE_RUN: &str =
    "UPDATE pay_run SET state = $4, approved_by = $5, approved_at = $6, people = $7, total = $8,
    list_hash = $9, version = $3 + 1 WHERE bucket = $1 AND id = $2 AND version = $3";

const PART: &str =
    "SELECT run, programme, currency, amount, planned_at, people, digest, done_to, batches, version
    FROM pay_run_part WHERE bucket = $1 AND run = $2";
const PARTS: &str =
    "SELECT run, programme, currency, amount, planned_at, people, digest, done_to, batches, version
    FROM pay_run_part WHERE bucket = $1 ORDER BY run DESC LIMIT $2";
const NEW_PART: &str =
    "INSERT INTO pay_run_part (bucket, run, programme, currency, amount, planned_at, people, digest,
    done_to, batches, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const ADVANCE_PART: &str = "UPDATE pay_run_part SET done_to = $4, batches = $5, version = $3 + 1
    WHERE bucket = $1 AND run = $2 AND version = $3";

const NEW_ACT: &str = "INSERT INTO pay_run_act (bucket, run, place, step, officer, role, acted_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const ACTS: &str = "SELECT step, officer, role, acted_at FROM pay_run_act
    WHERE bucket = $1 AND run = $2 ORDER BY place";

const FORGET_LIST: &str = "DELETE FROM pay_entitlement WHERE bucket = $1 AND run = $2";
const NEW_ENTITLEMENTS: Insert = Insert {
    table: "pay_entitlement",
    columns: &[("run", Type::Bytes), ("payee", Type::Bytes), ("state", Type::Int), ("reason", Type::Text)],
    skip_existing: false,
};
const LIST_AFTER: &str = "SELECT payee, state FROM pay_entitlement
    WHERE bucket = $1 AND run = $2 AND payee > $3 ORDER BY payee LIMIT $4";
const ENTITLEMENT: Lookup = Lookup {
    table: "pay_entitlement",
    keys: &[("run", Type::Bytes), ("payee", Type::Bytes)],
    columns: &["state", "reason"],
};
const MOVE_ENTITLEMENTS: Update = Update {
    table: "pay_entitlement",
    keys: &[("run", Type::Bytes), ("payee", Type::Bytes), ("state", Type::Int)],
    columns: &[("state", Type::Int), ("reason", Type::Text)],
};
const TALLIES: &str = "SELECT state, reason, COUNT(*) FROM pay_entitlement WHERE bucket = $1 AND run = $2
    GROUP BY state, reason";

const NEW_MESSAGES: Insert = Insert {
    table: "pay_bank_message",
    columns: &[
        ("run", Type::Bytes),
        ("batch", Type::Int),
        ("bank", Type::Text),
        ("people", Type::Int),
        ("total", Type::Int),
        ("state", Type::Int),
        ("members", Type::Bytes),
        ("body", Type::Bytes),
    ],
    skip_existing: false,
};
const MESSAGES: &str = "SELECT batch, bank, state FROM pay_bank_message
    WHERE bucket = $1 AND run = $2 ORDER BY batch, bank";
const MESSAGE: &str = "SELECT state, members, body FROM pay_bank_message
    WHERE bucket = $1 AND run = $2 AND batch = $3 AND bank = $4";
const SUBMITTED: &str = "UPDATE pay_bank_message SET state = 2
    WHERE bucket = $1 AND run = $2 AND batch = $3 AND bank = $4 AND state = 1";
const ANSWERED: &str = "UPDATE pay_bank_message SET state = 3, body = $5
    WHERE bucket = $1 AND run = $2 AND batch = $3 AND bank = $4";

const NEW_VOUCHERS: Insert = Insert {
    table: "pay_voucher",
    columns: &[
        ("run", Type::Bytes),
        ("payee", Type::Bytes),
        ("code", Type::Bytes),
        ("record", Type::Bytes),
        ("valid_until", Type::Int),
    ],
    skip_existing: false,
};
const NEW_RETRIES: Insert = Insert {
    table: "pay_retry",
    columns: &[("run", Type::Bytes), ("payee", Type::Bytes), ("batch", Type::Int)],
    skip_existing: true,
};
const LATER_RETRIES: Update = Update {
    table: "pay_retry",
    keys: &[("run", Type::Bytes), ("payee", Type::Bytes)],
    columns: &[("batch", Type::Int)],
};
const RETRY: Lookup =
    Lookup { table: "pay_retry", keys: &[("run", Type::Bytes), ("payee", Type::Bytes)], columns: &["batch"] };
const REPLACE_VOUCHER: &str = "UPDATE pay_voucher SET code = $4, record = $5, valid_until = $6
    WHERE bucket = $1 AND run = $2 AND payee = $3";
const VOUCHER_WITH: &str = "SELECT run, valid_until, printed_by FROM pay_voucher
    WHERE bucket = $1 AND payee = $2 AND code = $3";
const PRINTED: &str = "UPDATE pay_voucher SET printed_by = $4 WHERE bucket = $1 AND run = $2 AND payee = $3";
const VOUCHER: &str = "SELECT record FROM pay_voucher WHERE bucket = $1 AND run = $2 AND payee = $3";

pub(crate) fn run(tx: &mut Tx<'_>, id: RunId) -> Result<Option<Run>, StoreError> {
    tx.row(RUN, &[(&id).into()])?.map(|row| run_of(&row)).transpose()
}

/// The latest runs, newest first.
pub(crate) fn runs(tx: &mut Tx<'_>, most: i64) -> Result<Vec<Run>, StoreError> {
    tx.query(RUNS, &[most.into()])?.iter().map(run_of).collect()
}

pub(crate) fn insert_run(tx: &mut Tx<'_>, run: &Run) -> Result<(), StoreError> {
    let (approved_by, approved_at) = approved_columns(run);
    let args = [
        Value::from(&run.id),
        Value::Text(&run.programme.code),
        Value::Int(currency_number(run.programme.currency)),
        Value::Int(run.programme.amount.stored()),
        Value::Int(run_state_number(run.state)),
        Value::Text(&run.planned_by),
        Value::Int(run.planned_at.micros()),
        Value::Text(approved_by),
        Value::Int(approved_at),
        Value::Int(run.people as i64),
        Value::Int(run.total.stored()),
        Value::from(&run.list_hash),
        Value::Int(run.version),
    ];
    tx.change_one(NEW_RUN, &args)
}

/// Compares the version that was read, and sets what may change.
pub(crate) fn replace_run(tx: &mut Tx<'_>, run: &Run) -> Result<(), StoreError> {
    let (approved_by, approved_at) = approved_columns(run);
    let args = [
        Value::from(&run.id),
        Value::Int(run.version),
        Value::Int(run_state_number(run.state)),
        Value::Text(approved_by),
        Value::Int(approved_at),
        Value::Int(run.people as i64),
        Value::Int(run.total.stored()),
        Value::from(&run.list_hash),
    ];
    tx.change_one(REPLACE_RUN, &args)
}

/// What officers did to a run, in order.
pub(crate) fn acts(tx: &mut Tx<'_>, run: RunId) -> Result<Vec<Act>, StoreError> {
    let act = |row: &Row| {
        let step = of_number(&STEPS, row, 0)?;
        let at = Instant::from_micros(row.int(3)?);
        Ok(Act { step, officer: row.text(1)?.to_owned(), role: row.text(2)?.to_owned(), at })
    };
    tx.query(ACTS, &[(&run).into()])?.iter().map(act).collect()
}

/// Two at once take the same place, of which one is told of a conflict.
pub(crate) fn insert_act(tx: &mut Tx<'_>, run: RunId, place: i64, act: &Act) -> Result<(), StoreError> {
    let args = [
        Value::from(&run),
        Value::Int(place),
        Value::Int(number_of(&STEPS, act.step)),
        Value::Text(&act.officer),
        Value::Text(&act.role),
        Value::Int(act.at.micros()),
    ];
    tx.change_one(NEW_ACT, &args)
}

/// One bucket's part of a run.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) run: RunId,
    pub(crate) programme: Programme,
    pub(crate) planned_at: Instant,
    pub(crate) people: u64,
    pub(crate) digest: [u8; 32],
    pub(crate) done_to: Vec<u8>,
    pub(crate) batches: i64,
    pub(crate) version: i64,
}

pub(crate) fn part(tx: &mut Tx<'_>, run: RunId) -> Result<Option<Part>, StoreError> {
    tx.row(PART, &[(&run).into()])?.map(|row| part_of(&row)).transpose()
}

/// Parts of the latest runs, newest first.
pub(crate) fn parts(tx: &mut Tx<'_>, most: i64) -> Result<Vec<Part>, StoreError> {
    tx.query(PARTS, &[most.into()])?.iter().map(part_of).collect()
}

pub(crate) fn insert_part(tx: &mut Tx<'_>, part: &Part) -> Result<(), StoreError> {
    let args = [
        Value::from(&part.run),
        Value::Text(&part.programme.code),
        Value::Int(currency_number(part.programme.currency)),
        Value::Int(part.programme.amount.stored()),
        Value::Int(part.planned_at.micros()),
        Value::Int(part.people as i64),
        Value::from(&part.digest),
        Value::from(&part.done_to),
        Value::Int(part.batches),
        Value::Int(part.version),
    ];
    tx.change_one(NEW_PART, &args)
}

pub(crate) fn advance_part(tx: &mut Tx<'_>, part: &Part) -> Result<(), StoreError> {
    let Part { run, version, done_to, batches, .. } = part;
    tx.change_one(ADVANCE_PART, &[run.into(), (*version).into(), done_to.into(), (*batches).into()])
}

pub(crate) fn forget_list(tx: &mut Tx<'_>, run: RunId) -> Result<(), StoreError> {
    tx.change(FORGET_LIST, &[(&run).into()]).map(drop)
}

pub(crate) fn insert_entitlements(tx: &mut Tx<'_>, run: RunId, payees: &[PayeeId]) -> Result<(), StoreError> {
    let rows: Vec<_> = payees
        .iter()
        .map(|payee| {
            [Value::from(&run), Value::from(payee), Value::Int(state_number(State::Planned)), Value::Text("")]
        })
        .collect();
    tx.insert_many(&NEW_ENTITLEMENTS, &rows).map(drop)
}

/// The list of the run in this bucket, in order, after `after`.
pub(crate) fn list_after(
    tx: &mut Tx<'_>,
    run: RunId,
    after: &[u8],
    most: i64,
) -> Result<Vec<(PayeeId, State)>, StoreError> {
    let rows = tx.query(LIST_AFTER, &[(&run).into(), after.into(), most.into()])?;
    rows.iter().map(|row| Ok((row.id(0)?, state(row, 1)?))).collect()
}

pub(crate) fn entitlements(
    tx: &mut Tx<'_>,
    of: &[(RunId, PayeeId)],
) -> Result<Vec<Option<(State, String)>>, StoreError> {
    let keys: Vec<_> = of.iter().map(|(run, payee)| [Value::from(run), Value::from(payee)]).collect();
    let rows = tx.look_up_many(&ENTITLEMENT, &keys)?;
    let entitlement = |row: Row| Ok((state(&row, 0)?, row.text(1)?.to_owned()));
    rows.into_iter().map(|row| row.map(entitlement).transpose()).collect()
}

/// A payee of a run goes from one state to another.
pub(crate) struct Moved<'a> {
    pub(crate) payee: PayeeId,
    pub(crate) from: State,
    pub(crate) to: State,
    pub(crate) reason: &'a str,
}

pub(crate) fn move_entitlements(tx: &mut Tx<'_>, run: RunId, moved: &[Moved<'_>]) -> Result<(), StoreError> {
    if moved.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = moved
        .iter()
        .map(|moved| {
            [
                Value::from(&run),
                Value::from(&moved.payee),
                Value::Int(state_number(moved.from)),
                Value::Int(state_number(moved.to)),
                Value::Text(moved.reason),
            ]
        })
        .collect();
    tx.update_many(&MOVE_ENTITLEMENTS, &rows)
}

pub(crate) fn tallies(tx: &mut Tx<'_>, run: RunId) -> Result<Vec<(State, String, u64)>, StoreError> {
    let rows = tx.query(TALLIES, &[(&run).into()])?;
    rows.iter().map(|row| Ok((state(row, 0)?, row.text(1)?.to_owned(), row.int(2)?.unsigned_abs()))).collect()
}

/// A message to a bank, to be kept.
pub(crate) struct NewMessage {
    pub(crate) batch: i64,
    pub(crate) bank: String,
    pub(crate) people: u64,
    pub(crate) total: Amount,
    pub(crate) members: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn insert_messages(
    tx: &mut Tx<'_>,
    run: RunId,
    messages: &[NewMessage],
) -> Result<(), StoreError> {
    let rows: Vec<_> = messages
        .iter()
        .map(|message| {
            [
                Value::from(&run),
                Value::Int(message.batch),
                Value::Text(&message.bank),
                Value::Int(message.people as i64),
                Value::Int(message.total.stored()),
                Value::Int(1),
                Value::from(&message.members),
                Value::from(&message.body),
            ]
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    tx.insert_many(&NEW_MESSAGES, &rows).map(drop)
}

/// How far a message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MessageState {
    Made,
    Submitted,
    Answered,
}

/// A message without its content.
#[derive(Clone, Debug)]
pub(crate) struct MessageHead {
    pub(crate) batch: i64,
    pub(crate) bank: String,
    pub(crate) state: MessageState,
}

pub(crate) fn messages(tx: &mut Tx<'_>, run: RunId) -> Result<Vec<MessageHead>, StoreError> {
    let head = |row: &Row| {
        Ok(MessageHead { batch: row.int(0)?, bank: row.text(1)?.to_owned(), state: message_state(row, 2)? })
    };
    tx.query(MESSAGES, &[(&run).into()])?.iter().map(head).collect()
}

/// State, members and body of a message; both wrapped.
pub(crate) fn message(
    tx: &mut Tx<'_>,
    run: RunId,
    batch: i64,
    bank: &str,
) -> Result<Option<(MessageState, Vec<u8>, Vec<u8>)>, StoreError> {
    let row = tx.row(MESSAGE, &[(&run).into(), batch.into(), bank.into()])?;
    row.map(|row| Ok((message_state(&row, 0)?, row.bytes(1)?.to_vec(), row.bytes(2)?.to_vec()))).transpose()
}

/// Another process may have handed it over too; the bank takes it for one.
pub(crate) fn mark_submitted(tx: &mut Tx<'_>, run: RunId, batch: i64, bank: &str) -> Result<(), StoreError> {
    tx.change(SUBMITTED, &[(&run).into(), batch.into(), bank.into()]).map(drop)
}

/// Nothing more is to come, so the names and accounts in it are forgotten.
pub(crate) fn mark_answered(tx: &mut Tx<'_>, run: RunId, batch: i64, bank: &str) -> Result<(), StoreError> {
    let empty: &[u8] = &[];
    tx.change_one(ANSWERED, &[(&run).into(), batch.into(), bank.into(), empty.into()])
}

/// A voucher to be kept.
pub(crate) struct NewVoucher {
    pub(crate) payee: PayeeId,
    pub(crate) code: [u8; 16],
    pub(crate) record: Vec<u8>,
    pub(crate) until: Instant,
}

pub(crate) fn insert_vouchers(
    tx: &mut Tx<'_>,
    run: RunId,
    vouchers: &[NewVoucher],
) -> Result<(), StoreError> {
    let rows: Vec<_> = vouchers
        .iter()
        .map(|voucher| {
            [
                Value::from(&run),
                Value::from(&voucher.payee),
                Value::from(&voucher.code),
                Value::from(&voucher.record),
                Value::Int(voucher.until.micros()),
            ]
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    tx.insert_many(&NEW_VOUCHERS, &rows).map(drop)
}

pub(crate) fn voucher(tx: &mut Tx<'_>, run: RunId, payee: PayeeId) -> Result<Option<Vec<u8>>, StoreError> {
    let row = tx.row(VOUCHER, &[(&run).into(), (&payee).into()])?;
    row.map(|row| Ok(row.bytes(0)?.to_vec())).transpose()
}

/// In which message each of these was sent her money last.
pub(crate) fn note_retries(
    tx: &mut Tx<'_>,
    run: RunId,
    payees: &[PayeeId],
    batch: i64,
) -> Result<(), StoreError> {
    if payees.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> =
        payees.iter().map(|payee| [Value::from(&run), Value::from(payee), Value::Int(batch)]).collect();
    tx.insert_many(&NEW_RETRIES, &rows)?;
    tx.update_many(&LATER_RETRIES, &rows)
}

/// In which message each was sent her money last, for whom there was a second one.
pub(crate) fn retries(tx: &mut Tx<'_>, of: &[(RunId, PayeeId)]) -> Result<Vec<Option<i64>>, StoreError> {
    let keys: Vec<_> = of.iter().map(|(run, payee)| [Value::from(run), Value::from(payee)]).collect();
    let rows = tx.look_up_many(&RETRY, &keys)?;
    rows.into_iter().map(|row| row.map(|row| row.int(0)).transpose()).collect()
}

/// Another code, and another last day.
pub(crate) fn replace_voucher(tx: &mut Tx<'_>, run: RunId, new: &NewVoucher) -> Result<(), StoreError> {
    let NewVoucher { payee, code, record, until } = new;
    let args = [Value::from(&run), payee.into(), code.into(), record.into(), Value::Int(until.micros())];
    tx.change_one(REPLACE_VOUCHER, &args)
}

/// A voucher that was found by its code.
pub(crate) struct FoundVoucher {
    pub(crate) run: RunId,
    pub(crate) until: Instant,
    pub(crate) printed_by: Vec<u8>,
}

pub(crate) fn voucher_with(
    tx: &mut Tx<'_>,
    payee: PayeeId,
    code: &[u8; 16],
) -> Result<Option<FoundVoucher>, StoreError> {
    let found = |row: Row| {
        // One from before there was a last day has none.
        let until = row.maybe_int(1)?.unwrap_or(i64::MAX);
        let printed_by = row.maybe_bytes(2)?.unwrap_or_default().to_vec();
        Ok(FoundVoucher { run: row.id(0)?, until: Instant::from_micros(until), printed_by })
    };
    tx.row(VOUCHER_WITH, &[(&payee).into(), code.into()])?.map(found).transpose()
}

pub(crate) fn mark_printed(
    tx: &mut Tx<'_>,
    run: RunId,
    payee: PayeeId,
    officer: &str,
) -> Result<(), StoreError> {
    tx.change_one(PRINTED, &[(&run).into(), (&payee).into(), officer.as_bytes().into()])
}

fn run_of(row: &Row) -> Result<Run, StoreError> {
    let approved_by = row.text(7)?;
    let approved_at = Instant::from_micros(row.int(8)?);
    Ok(Run {
        id: row.id(0)?,
        programme: programme(row, 1)?,
        state: run_state(row, 4)?,
        planned_by: row.text(5)?.to_owned(),
        planned_at: Instant::from_micros(row.int(6)?),
        approved: (!approved_by.is_empty()).then(|| (approved_by.to_owned(), approved_at)),
        people: row.int(9)?.unsigned_abs(),
        total: amount(row, 10)?,
        list_hash: row.array(11)?,
        version: row.int(12)?,
    })
}

fn part_of(row: &Row) -> Result<Part, StoreError> {
    Ok(Part {
        run: row.id(0)?,
        programme: programme(row, 1)?,
        planned_at: Instant::from_micros(row.int(4)?),
        people: row.int(5)?.unsigned_abs(),
        digest: row.array(6)?,
        done_to: row.bytes(7)?.to_vec(),
        batches: row.int(8)?,
        version: row.int(9)?,
    })
}

fn programme(row: &Row, column: usize) -> Result<Programme, StoreError> {
    let currency: Currency = currency(row, column + 1)?;
    Ok(Programme { code: row.text(column)?.to_owned(), currency, amount: amount(row, column + 2)? })
}

fn approved_columns(run: &Run) -> (&str, i64) {
    run.approved.as_ref().map_or(("", 0), |(by, at)| (by, at.micros()))
}

const RUN_STATES: [(RunState, i64); 6] = [
    (RunState::Planning, 1),
    (RunState::Planned, 2),
    (RunState::Approved, 3),
    (RunState::Running, 4),
    (RunState::Stopped, 5),
    (RunState::Finished, 6),
];
const STATES: [(State, i64); 7] = [
    (State::Planned, 1),
    (State::Sent, 2),
    (State::Paid, 3),
    (State::Voucher, 4),
    (State::Pending, 5),
    (State::Returned, 6),
    (State::Cash, 7),
];
const STEPS: [(Step, i64); 6] = [
    (Step::Planned, 1),
    (Step::Funded, 2),
    (Step::Approved, 3),
    (Step::Started, 4),
    (Step::Stopped, 5),
    (Step::Retried, 6),
];
const MESSAGE_STATES: [(MessageState, i64); 3] =
    [(MessageState::Made, 1), (MessageState::Submitted, 2), (MessageState::Answered, 3)];

fn run_state_number(state: RunState) -> i64 {
    number_of(&RUN_STATES, state)
}

fn state_number(state: State) -> i64 {
    number_of(&STATES, state)
}

fn run_state(row: &Row, column: usize) -> Result<RunState, StoreError> {
    of_number(&RUN_STATES, row, column)
}

fn state(row: &Row, column: usize) -> Result<State, StoreError> {
    of_number(&STATES, row, column)
}

fn message_state(row: &Row, column: usize) -> Result<MessageState, StoreError> {
    of_number(&MESSAGE_STATES, row, column)
}

fn number_of<S: PartialEq>(states: &[(S, i64)], state: S) -> i64 {
    states.iter().find(|(known, _)| *known == state).expect("each state has its number").1
}

fn of_number<S: Copy>(states: &[(S, i64)], row: &Row, column: usize) -> Result<S, StoreError> {
    let number = row.int(column)?;
    let found = states.iter().find(|(_, known)| *known == number);
    found.map(|(state, _)| *state).ok_or(StoreError::Type(column))
}

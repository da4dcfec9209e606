//! The only SQL of instant payments.

use kaname_base::Instant;
use kaname_codec::jose::JwkSet;
use kaname_store::bulk::{Insert, Lookup, Type, Update};
use kaname_store::{Row, StoreError, Tx, Value};

use super::{Participant, ParticipantKind, Payment, PaymentId, Purpose, Standing, State};
use crate::ledger::table::amount;

const PARTICIPANT: Lookup = Lookup {
    table: "pay_participant",
    keys: &[("code", Type::Text)],
    columns: &["name", "kind", "address", "jwks", "state", "cap", "version", "code"],
};
const PARTICIPANTS: &str = "SELECT name, kind, address, jwks, state, cap, version, code
    FROM pay_participant WHERE bucket = $1 ORDER BY code";
const NEW_PARTICIPANT: &str =
    "INSERT INTO pay_participant (bucket, code, name, kind, address, jwks, state, cap, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)";
const CHANGE_PARTICIPANT: &str =
    "UPDATE pay_participant SET state = $4, cap = $5, address = $6, jwks = $7, version = version + 1
    WHERE bucket = $1 AND code = $2 AND version = $3";

const PAYMENT: Lookup = Lookup {
    table: "pay_instant",
    keys: &[("id", Type::Bytes)],
    columns: &[
        "payer",
        "payee",
        "amount",
        "purpose",
        "original",
        "digest",
        "pending",
        "details",
        "reserved_at",
        "state",
        "reason",
        "due",
        "attempts",
        "ask_after",
        "told",
        "compensation",
        "refunded",
        "settle_window",
        "version",
        "id",
    ],
};
const DUE: &str =
    "SELECT payer, payee, amount, purpose, original, digest, pending, details, reserved_at, state, reason, due,
    attempts, ask_after, told, compensation, refunded, settle_window, version, id
    FROM pay_instant WHERE bucket = $1 AND due IS NOT NULL AND due <= $2 ORDER BY due LIMIT $3";
const AFTER: &str =
    "SELECT payer, payee, amount, purpose, original, digest, pending, details, reserved_at, state, reason, due,
    attempts, ask_after, told, compensation, refunded, settle_window, version, id
    FROM pay_instant WHERE bucket = $1 AND id > $2 ORDER BY id LIMIT $3";
const NEW_PAYMENTS: Insert = Insert {
    table: "pay_instant",
    columns: &[
        ("id", Type::Bytes),
        ("payer", Type::Text),
        ("payee", Type::Text),
        ("amount", Type::Int),
        ("purpose", Type::Int),
        ("original", Type::Bytes),
        ("digest", Type::Bytes),
        ("pending", Type::Bytes),
        ("details", Type::Bytes),
        ("reserved_at", Type::Int),
        ("state", Type::Int),
        ("reason", Type::Text),
        ("due", Type::Int),
        ("attempts", Type::Int),
        ("ask_after", Type::Int),
        ("told", Type::Int),
        ("compensation", Type::Int),
        ("refunded", Type::Int),
        ("settle_window", Type::Int),
        ("version", Type::Int),
    ],
    skip_existing: false,
};
const PROGRESS: Update = Update {
    table: "pay_instant",
    keys: &[("id", Type::Bytes), ("version", Type::Int)],
    columns: &[
        ("state", Type::Int),
        ("reason", Type::Text),
        ("due", Type::Int),
        ("attempts", Type::Int),
        ("ask_after", Type::Int),
        ("told", Type::Int),
        ("compensation", Type::Int),
        ("refunded", Type::Int),
        ("settle_window", Type::Int),
        ("version", Type::Int),
    ],
};

const NEW_SEEN: Insert = Insert {
    table: "pay_message_seen",
    columns: &[("message", Type::Bytes), ("until", Type::Int)],
    skip_existing: true,
};
const FORGET_SEEN: &str = "DELETE FROM pay_message_seen WHERE bucket = $1 AND until < $2";

const OPEN_WINDOW: &str =
    "SELECT number FROM pay_window WHERE bucket = $1 AND state = 1 ORDER BY number DESC LIMIT 1";
const WINDOW: &str = "SELECT number, state, opened_at, closed_at, closed_by, settled_at, settled_by, version
    FROM pay_window WHERE bucket = $1 AND number = $2";
const WINDOWS: &str = "SELECT number, state, opened_at, closed_at, closed_by, settled_at, settled_by, version
    FROM pay_window WHERE bucket = $1 ORDER BY number DESC LIMIT $2";
const NEW_WINDOW: &str = "INSERT INTO pay_window
    (bucket, number, state, opened_at, closed_at, closed_by, settled_at, settled_by, version)
    VALUES ($1, $2, 1, $3, 0, '', 0, '', 0)";
const CHANGE_WINDOW: &str =
    "UPDATE pay_window SET state = $4, closed_at = $5, closed_by = $6, settled_at = $7,
    settled_by = $8, version = version + 1 WHERE bucket = $1 AND number = $2 AND version = $3";
const NEW_NETS: Insert = Insert {
    table: "pay_window_net",
    columns: &[("number", Type::Int), ("participant", Type::Text), ("net", Type::Int)],
    skip_existing: false,
};
const NETS: &str =
    "SELECT participant, net FROM pay_window_net WHERE bucket = $1 AND number = $2 ORDER BY participant";
const UNSETTLED: &str = "SELECT n.participant, n.net FROM pay_window_net AS n
    JOIN pay_window AS w ON w.bucket = n.bucket AND w.number = n.number
    WHERE n.bucket = $1 AND w.state = 2";

pub(crate) fn participants(tx: &mut Tx<'_>, codes: &[&str]) -> Result<Vec<Option<Participant>>, StoreError> {
    let keys: Vec<_> = codes.iter().map(|code| [Value::Text(code)]).collect();
    let rows = tx.look_up_many(&PARTICIPANT, &keys)?;
    rows.iter().map(|row| row.as_ref().map(participant).transpose()).collect()
}

pub(crate) fn all_participants(tx: &mut Tx<'_>) -> Result<Vec<Participant>, StoreError> {
    tx.query(PARTICIPANTS, &[])?.iter().map(participant).collect()
}

pub(crate) fn insert_participant(tx: &mut Tx<'_>, new: &Participant, jwks: &str) -> Result<(), StoreError> {
    let kind = match new.kind {
        ParticipantKind::Bank => 1,
        ParticipantKind::Wallet => 2,
    };
    let row = [
        new.code.as_str().into(),
        new.name.as_str().into(),
        Value::Int(kind),
        new.address.as_str().into(),
        jwks.into(),
        Value::Int(standing_number(new.standing)),
        Value::Int(new.cap.stored()),
    ];
    tx.change(NEW_PARTICIPANT, &row).map(drop)
}

/// Sets standing and cap, and address and keys where they are given.
pub(crate) fn change_participant(
    tx: &mut Tx<'_>,
    changed: &Participant,
    jwks: &str,
) -> Result<(), StoreError> {
    let row = [
        changed.code.as_str().into(),
        Value::Int(changed.version),
        Value::Int(standing_number(changed.standing)),
        Value::Int(changed.cap.stored()),
        changed.address.as_str().into(),
        jwks.into(),
    ];
    tx.change_one(CHANGE_PARTICIPANT, &row)
}

pub(crate) fn payments(tx: &mut Tx<'_>, ids: &[PaymentId]) -> Result<Vec<Option<Payment>>, StoreError> {
    let keys: Vec<_> = ids.iter().map(|id| [Value::from(id)]).collect();
    let rows = tx.look_up_many(&PAYMENT, &keys)?;
    rows.iter().map(|row| row.as_ref().map(payment).transpose()).collect()
}

/// Payments that the worker should come back to by `now`, the longest waiting first.
pub(crate) fn due(tx: &mut Tx<'_>, now: Instant, most: i64) -> Result<Vec<Payment>, StoreError> {
    tx.query(DUE, &[now.micros().into(), most.into()])?.iter().map(payment).collect()
}

/// Payments with an id above `after`, in order.
pub(crate) fn after(tx: &mut Tx<'_>, after: &[u8], most: i64) -> Result<Vec<Payment>, StoreError> {
    tx.query(AFTER, &[after.into(), most.into()])?.iter().map(payment).collect()
}

pub(crate) fn insert_payments(tx: &mut Tx<'_>, payments: &[Payment]) -> Result<(), StoreError> {
    if payments.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = payments
        .iter()
        .map(|payment| {
            let (purpose, original) = match &payment.purpose {
                Purpose::Pay => (1, Value::Null),
                Purpose::Refund(original) => (2, Value::from(original)),
            };
            [
                Value::from(&payment.id),
                payment.payer.as_str().into(),
                payment.payee.as_str().into(),
                Value::Int(payment.amount.stored()),
                Value::Int(purpose),
                original,
                (&payment.digest).into(),
                Value::from(&payment.pending),
                (&payment.details).into(),
                Value::Int(payment.reserved_at.micros()),
                Value::Int(state_number(payment.state)),
                payment.reason.as_str().into(),
                payment.due.map(Instant::micros).into(),
                Value::Int(payment.attempts),
                Value::Int(payment.ask_after.micros()),
                Value::Int(payment.told),
                Value::Int(payment.compensation.stored()),
                Value::Int(payment.refunded.stored()),
                Value::Int(payment.window),
                Value::Int(payment.version),
            ]
        })
        .collect();
    tx.insert_many(&NEW_PAYMENTS, &rows).map(drop)
}

/// Writes what changes of payments, if nobody changed them meanwhile.
pub(crate) fn update_payments(tx: &mut Tx<'_>, payments: &[Payment]) -> Result<(), StoreError> {
    if payments.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = payments
        .iter()
        .map(|payment| {
            [
                Value::from(&payment.id),
                Value::Int(payment.version),
                Value::Int(state_number(payment.state)),
                payment.reason.as_str().into(),
                payment.due.map(Instant::micros).into(),
                Value::Int(payment.attempts),
                Value::Int(payment.ask_after.micros()),
                Value::Int(payment.told),
                Value::Int(payment.compensation.stored()),
                Value::Int(payment.refunded.stored()),
                Value::Int(payment.window),
                Value::Int(payment.version + 1),
            ]
        })
        .collect();
    tx.update_many(&PROGRESS, &rows)
}

/// Notes a message; whether it was not there before.
pub(crate) fn mark_seen(tx: &mut Tx<'_>, message: &[u8; 16], until: Instant) -> Result<bool, StoreError> {
    let row = [Value::from(message), Value::Int(until.micros())];
    Ok(tx.insert_many(&NEW_SEEN, &[row])? == 1)
}

pub(crate) fn forget_seen(tx: &mut Tx<'_>, now: Instant) -> Result<u64, StoreError> {
    tx.change(FORGET_SEEN, &[now.micros().into()])
}

/// A settlement window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WindowRow {
    pub(crate) number: i64,
    pub(crate) state: i64,
    pub(crate) opened_at: Instant,
    pub(crate) closed_at: Instant,
    pub(crate) closed_by: String,
    pub(crate) settled_at: Instant,
    pub(crate) settled_by: String,
    pub(crate) version: i64,
}

pub(crate) fn open_window(tx: &mut Tx<'_>) -> Result<Option<i64>, StoreError> {
    tx.row(OPEN_WINDOW, &[])?.map(|row| row.int(0)).transpose()
}

pub(crate) fn window(tx: &mut Tx<'_>, number: i64) -> Result<Option<WindowRow>, StoreError> {
    tx.row(WINDOW, &[number.into()])?.as_ref().map(window_row).transpose()
}

pub(crate) fn windows(tx: &mut Tx<'_>, most: i64) -> Result<Vec<WindowRow>, StoreError> {
    tx.query(WINDOWS, &[most.into()])?.iter().map(window_row).collect()
}

pub(crate) fn insert_window(tx: &mut Tx<'_>, number: i64, at: Instant) -> Result<(), StoreError> {
    tx.change(NEW_WINDOW, &[number.into(), at.micros().into()]).map(drop)
}

pub(crate) fn change_window(tx: &mut Tx<'_>, row: &WindowRow) -> Result<(), StoreError> {
    let row = [
        row.number.into(),
        row.version.into(),
        row.state.into(),
        row.closed_at.micros().into(),
        row.closed_by.as_str().into(),
        row.settled_at.micros().into(),
        row.settled_by.as_str().into(),
    ];
    tx.change_one(CHANGE_WINDOW, &row)
}

pub(crate) fn insert_nets(tx: &mut Tx<'_>, number: i64, nets: &[(String, i64)]) -> Result<(), StoreError> {
    let rows: Vec<_> =
        nets.iter().map(|(code, net)| [number.into(), code.as_str().into(), Value::Int(*net)]).collect();
    tx.insert_many(&NEW_NETS, &rows).map(drop)
}

pub(crate) fn nets(tx: &mut Tx<'_>, number: i64) -> Result<Vec<(String, i64)>, StoreError> {
    tx.query(NETS, &[number.into()])?.iter().map(net).collect()
}

/// The nets of all windows that are closed and not settled.
pub(crate) fn unsettled(tx: &mut Tx<'_>) -> Result<Vec<(String, i64)>, StoreError> {
    tx.query(UNSETTLED, &[])?.iter().map(net).collect()
}

fn net(row: &Row) -> Result<(String, i64), StoreError> {
    Ok((row.text(0)?.to_owned(), row.int(1)?))
}

fn window_row(row: &Row) -> Result<WindowRow, StoreError> {
    Ok(WindowRow {
        number: row.int(0)?,
        state: row.int(1)?,
        opened_at: Instant::from_micros(row.int(2)?),
        closed_at: Instant::from_micros(row.int(3)?),
        closed_by: row.text(4)?.to_owned(),
        settled_at: Instant::from_micros(row.int(5)?),
        settled_by: row.text(6)?.to_owned(),
        version: row.int(7)?,
    })
}

fn participant(row: &Row) -> Result<Participant, StoreError> {
    Ok(Participant {
        name: row.text(0)?.to_owned(),
        kind: match row.int(1)? {
            1 => ParticipantKind::Bank,
            2 => ParticipantKind::Wallet,
            _ => return Err(StoreError::Type(1)),
        },
        address: row.text(2)?.to_owned(),
        keys: JwkSet::parse(row.text(3)?.as_bytes()).map_err(|_| StoreError::Type(3))?,
        standing: match row.int(4)? {
            1 => Standing::Active,
            2 => Standing::Suspended,
            _ => return Err(StoreError::Type(4)),
        },
        cap: amount(row, 5)?,
        version: row.int(6)?,
        code: row.text(7)?.to_owned(),
    })
}

fn payment(row: &Row) -> Result<Payment, StoreError> {
    let original = row.maybe_bytes(4)?.and_then(PaymentId::from_slice);
    Ok(Payment {
        payer: row.text(0)?.to_owned(),
        payee: row.text(1)?.to_owned(),
        amount: amount(row, 2)?,
        purpose: match (row.int(3)?, original) {
            (1, None) => Purpose::Pay,
            (2, Some(original)) => Purpose::Refund(original),
            _ => return Err(StoreError::Type(3)),
        },
        digest: row.array(5)?,
        pending: row.id(6)?,
        details: row.bytes(7)?.to_vec(),
        reserved_at: Instant::from_micros(row.int(8)?),
        state: match row.int(9)? {
            1 => State::Reserved,
            2 => State::Unknown,
            3 => State::Committed,
            4 => State::Aborted,
            5 => State::Reversed,
            _ => return Err(StoreError::Type(9)),
        },
        reason: row.text(10)?.to_owned(),
        due: row.maybe_int(11)?.map(Instant::from_micros),
        attempts: row.int(12)?,
        ask_after: Instant::from_micros(row.int(13)?),
        told: row.int(14)?,
        compensation: amount(row, 15)?,
        refunded: amount(row, 16)?,
        window: row.int(17)?,
        version: row.int(18)?,
        id: row.id(19)?,
    })
}

fn state_number(state: State) -> i64 {
    match state {
        State::Reserved => 1,
        State::Unknown => 2,
        State::Committed => 3,
        State::Aborted => 4,
        State::Reversed => 5,
    }
}

fn standing_number(standing: Standing) -> i64 {
    match standing {
        Standing::Active => 1,
        Standing::Suspended => 2,
    }
}

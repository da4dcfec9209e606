//! Instant payments in the ledger: which accounts there are, and what each step moves.
//!
//! A participant's position is an account that cannot go below zero. What it may owe, its net debit cap, is lent to it from the
//! scheme's own account, so that the ledger itself refuses whatever would exceed the cap, pending money included.

use kaname_base::{Amount, Currency};

use crate::ids::{AccountId, TransferId, system_account};
use crate::ledger::{Account, Kind, Limit, Transfer};

/// What transfers of instant payments are for.
const PAYMENT: u16 = 40;
const CAP: u16 = 41;
const SETTLEMENT: u16 = 42;
const COMPENSATION: u16 = 43;

/// The account of a participant's position.
pub(super) fn position(code: &str, currency: Currency) -> AccountId {
    system_account("instant position", currency, code.as_bytes())
}

/// Where caps come from.
fn caps(currency: Currency) -> AccountId {
    system_account("instant caps", currency, b"")
}

/// What was settled outside, at the settlement bank.
fn settled(currency: Currency) -> AccountId {
    system_account("instant settled", currency, b"")
}

/// The accounts that a new participant needs.
pub(super) fn accounts(code: &str, currency: Currency) -> [Account; 3] {
    [
        Account::new(position(code, currency), currency, PAYMENT, Limit::DebitsUpToCredits),
        Account::new(caps(currency), currency, CAP, Limit::None),
        Account::new(settled(currency), currency, SETTLEMENT, Limit::None),
    ]
}

/// The amount between two participants, pending.
pub(super) fn reserve(
    id: TransferId,
    payer: &str,
    payee: &str,
    amount: Amount,
    currency: Currency,
) -> Transfer {
    let (debit, credit) = (position(payer, currency), position(payee, currency));
    Transfer { id, debit, credit, amount, kind: Kind::Pending, code: PAYMENT }
}

/// The same amount, posted or released.
pub(super) fn end(id: TransferId, kind: Kind, reserved: &Transfer) -> Transfer {
    Transfer { id, kind, ..*reserved }
}

/// Raises a cap, or lowers it.
pub(super) fn cap(id: TransferId, code: &str, by: Amount, is_raised: bool, currency: Currency) -> Transfer {
    let (caps, position) = (caps(currency), position(code, currency));
    let (debit, credit) = if is_raised { (caps, position) } else { (position, caps) };
    Transfer { id, debit, credit, amount: by, kind: Kind::Posted, code: CAP }
}

/// What a participant received (`net` above zero) or paid at the settlement bank leaves its position, or comes back to it.
pub(super) fn settle(id: TransferId, code: &str, net: i64, currency: Currency) -> Option<Transfer> {
    let amount = Amount::from_minor(net.unsigned_abs()).filter(|amount| *amount != Amount::ZERO)?;
    let (settled, position) = (settled(currency), position(code, currency));
    let (debit, credit) = if net > 0 { (position, settled) } else { (settled, position) };
    Some(Transfer { id, debit, credit, amount, kind: Kind::Posted, code: SETTLEMENT })
}

/// From the participant that did not answer to the one that waited.
pub(super) fn compensate(
    id: TransferId,
    from: &str,
    to: &str,
    amount: Amount,
    currency: Currency,
) -> Transfer {
    let (debit, credit) = (position(from, currency), position(to, currency));
    Transfer { id, debit, credit, amount, kind: Kind::Posted, code: COMPENSATION }
}

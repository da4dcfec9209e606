//! Use case: put money into the treasury; and the accounts that a run uses.

use kaname_base::{Amount, Currency, Env};
use kaname_person::{Action, policy};
use kaname_store::Tx;
use kaname_trust::Actor;

use crate::ids::{AccountId, RunId, TransferId, system_account};
use crate::ledger::{Account, Kind, Limit, Posted, Transfer, open_accounts, post};
use crate::{PayError, Refusal};

/// What an account of a run is for; its `code`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Use {
    Outside = 1,
    Treasury = 2,
    Disbursement = 3,
    Settlement = 4,
    Voucher = 5,
    Pending = 6,
    Returned = 7,
    Cash = 8,
}

/// What a transfer of this block is for; its `code`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Move {
    Appropriation = 1,
    Funding = 2,
    Payment = 3,
    Return = 4,
    Cash = 5,
}

/// The treasury's account in the home bucket.
pub fn treasury_account(currency: Currency) -> AccountId {
    system_account("treasury", currency, b"")
}

/// Puts money that was voted into the treasury, from outside the ledger. The unit is on the home bucket.
///
/// # Errors
/// [`PayError::NotAllowed`]; [`Refusal`] of the ledger, such as `overflow`, or `id-reused` when the id stands for another amount.
pub fn appropriate(
    env: &Env,
    tx: &mut Tx<'_>,
    by: &Actor,
    id: TransferId,
    currency: Currency,
    amount: Amount,
) -> Result<Posted, PayError> {
    policy::may(by, Action::FundTreasury)?;
    let outside = system_account("outside", currency, b"");
    open_accounts(
        tx,
        &[
            Account::new(outside, currency, Use::Outside as u16, Limit::None),
            Account::new(
                treasury_account(currency),
                currency,
                Use::Treasury as u16,
                Limit::DebitsUpToCredits,
            ),
        ],
    )?;
    let credit = treasury_account(currency);
    let code = Move::Appropriation as u16;
    post(env, tx, &Transfer { id, debit: outside, credit, amount, kind: Kind::Posted, code })
}

/// An account of a run in one bucket. None may go below zero.
pub(crate) fn run_account(run: RunId, purpose: Use, bank: &str, currency: Currency) -> Account {
    let name = match purpose {
        Use::Outside => "outside",
        Use::Treasury => "treasury",
        Use::Disbursement => "disbursement",
        Use::Settlement => "settlement",
        Use::Voucher => "voucher",
        Use::Pending => "pending",
        Use::Returned => "returned",
        Use::Cash => "cash",
    };
    let scope = [run.bytes(), bank.as_bytes()].concat();
    let id = system_account(name, currency, &scope);
    Account::new(id, currency, purpose as u16, Limit::DebitsUpToCredits)
}

/// The amount for so many people.
pub(crate) fn for_people(amount: Amount, people: u64) -> Result<Amount, Refusal> {
    amount.checked_mul(people).ok_or(Refusal::Overflow)
}

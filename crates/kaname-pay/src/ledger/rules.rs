//! The rules of the ledger, pure: facts in, decision out.

use kaname_base::{Amount, Instant};

use crate::Refusal;
use crate::ledger::{Account, Kind, Limit, Transfer};

/// What is known when a transfer is decided.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The transfer that stands under this id, and since when.
    pub existing: Option<(&'a Transfer, Instant)>,
    /// The account to debit.
    pub debit: Option<&'a Account>,
    /// The account to credit.
    pub credit: Option<&'a Account>,
    /// The transfer that a post or void names.
    pub pending: Option<&'a Transfer>,
    /// What became of it before.
    pub resolved: Option<Resolution>,
}

/// What became of a pending transfer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resolution {
    /// Its money was moved.
    Posted,
    /// Its money was released.
    Voided,
}

/// The answer is yes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// It stands there since then; nothing is to be done.
    Stands(Instant),
    /// The two accounts as they become.
    Move {
        /// The account that pays.
        debit: Account,
        /// The account that receives.
        credit: Account,
    },
}

/// Decides one transfer. Where several refusals hold, the first of this order is given:
///
/// 1. `id-reused` (or the old answer, when the same transfer stands there)
/// 2. `same-account` 3. `amount-zero` 4. `no-such-debit-account` 5. `no-such-credit-account` 6. `currency-differs`
/// 7. `no-such-pending` 8. `not-pending` 9. `pending-differs` 10. `pending-amount` 11. `already-posted`, `already-voided`
/// 12. `overflow` 13. `insufficient-funds` 14. `exceeds-debits`
///
/// # Errors
/// The [`Refusal`]. Nothing stands under the id then, and it may be asked again when the facts have changed.
pub fn decide(transfer: &Transfer, facts: &Facts<'_>) -> Result<Decision, Refusal> {
    if let Some((existing, at)) = facts.existing {
        return if existing == transfer { Ok(Decision::Stands(at)) } else { Err(Refusal::IdReused) };
    }
    if transfer.debit == transfer.credit {
        return Err(Refusal::SameAccount);
    }
    if transfer.amount == Amount::ZERO {
        return Err(Refusal::AmountZero);
    }
    let debit = *facts.debit.ok_or(Refusal::NoSuchDebitAccount)?;
    let credit = *facts.credit.ok_or(Refusal::NoSuchCreditAccount)?;
    if debit.currency != credit.currency {
        return Err(Refusal::CurrencyDiffers);
    }
    let (debit, credit) = match transfer.kind {
        Kind::Posted => posted(debit, credit, transfer.amount)?,
        Kind::Pending => pending(debit, credit, transfer.amount)?,
        Kind::PostOf(_) => {
            let reserved = reserved(transfer, facts)?;
            let (debit, credit) = release(debit, credit, reserved);
            posted(debit, credit, transfer.amount)?
        }
        Kind::VoidOf(_) => release(debit, credit, reserved(transfer, facts)?),
    };
    Ok(Decision::Move { debit, credit })
}

/// The amount that the named pending transfer reserves, if it may be posted or voided by `transfer`.
fn reserved(transfer: &Transfer, facts: &Facts<'_>) -> Result<Amount, Refusal> {
    let pending = facts.pending.ok_or(Refusal::NoSuchPending)?;
    if pending.kind != Kind::Pending {
        return Err(Refusal::NotPending);
    }
    let same = |t: &Transfer| (t.debit, t.credit, t.code);
    if same(pending) != same(transfer) {
        return Err(Refusal::PendingDiffers);
    }
    let fits = match transfer.kind {
        Kind::VoidOf(_) => transfer.amount == pending.amount,
        _ => transfer.amount <= pending.amount,
    };
    match facts.resolved {
        _ if !fits => Err(Refusal::PendingAmount),
        Some(Resolution::Posted) => Err(Refusal::AlreadyPosted),
        Some(Resolution::Voided) => Err(Refusal::AlreadyVoided),
        None => Ok(pending.amount),
    }
}

fn posted(mut debit: Account, mut credit: Account, amount: Amount) -> Result<(Account, Account), Refusal> {
    debit.debits_posted = sum(debit.debits_posted, amount)?;
    credit.credits_posted = sum(credit.credits_posted, amount)?;
    within_limits(&debit, &credit)?;
    Ok((debit, credit))
}

fn pending(mut debit: Account, mut credit: Account, amount: Amount) -> Result<(Account, Account), Refusal> {
    debit.debits_pending = sum(debit.debits_pending, amount)?;
    credit.credits_pending = sum(credit.credits_pending, amount)?;
    within_limits(&debit, &credit)?;
    Ok((debit, credit))
}

fn release(mut debit: Account, mut credit: Account, amount: Amount) -> (Account, Account) {
    let less = |held: Amount| held.checked_sub(amount).expect("an account holds what is pending on it");
    debit.debits_pending = less(debit.debits_pending);
    credit.credits_pending = less(credit.credits_pending);
    (debit, credit)
}

/// Posted and pending together must fit too, so that posting what is pending can never overflow.
fn within_limits(debit: &Account, credit: &Account) -> Result<(), Refusal> {
    let paid = sum(debit.debits_posted, debit.debits_pending)?;
    let received = sum(credit.credits_posted, credit.credits_pending)?;
    if debit.limit == Limit::DebitsUpToCredits && paid > debit.credits_posted {
        return Err(Refusal::InsufficientFunds);
    }
    if credit.limit == Limit::CreditsUpToDebits && received > credit.debits_posted {
        return Err(Refusal::ExceedsDebits);
    }
    Ok(())
}

fn sum(a: Amount, b: Amount) -> Result<Amount, Refusal> {
    a.checked_add(b).ok_or(Refusal::Overflow)
}

//! The rules of the ledger, pure: facts in, decision out.

use kaname_base::{Amount, Instant};

use crate::Refusal;
use crate::ledger::{Account, Kind, Limit, Side, Transfer};

/// What is known when a transfer is decided.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// When it is decided.
    pub now: Instant,
    /// What stands under this id.
    pub existing: Option<&'a Standing>,
    /// The account to debit.
    pub debit: Option<&'a Account>,
    /// The account to credit.
    pub credit: Option<&'a Account>,
    /// The transfer that a post, a void or an expiry names.
    pub pending: Option<&'a Transfer>,
    /// What became of it before.
    pub resolved: Option<Resolution>,
}

/// A transfer that stands in the ledger, as it was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// What was asked for.
    pub transfer: Transfer,
    /// How much it moved or reserved: less than was asked for when it only balances.
    pub moved: Amount,
    /// Since when it stands.
    pub at: Instant,
}

/// What became of a pending transfer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resolution {
    /// Its money was moved.
    Posted,
    /// Its money was released.
    Voided,
    /// Nobody did either in time, and its money was released.
    Expired,
}

/// The answer is yes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// It stands there since then and moved so much; nothing is to be done.
    Stands(Instant, Amount),
    /// The two accounts as they become.
    Move {
        /// The account that pays.
        debit: Account,
        /// The account that receives.
        credit: Account,
        /// How much is moved, reserved or released.
        amount: Amount,
    },
}

/// What a transfer that stands did to each of its two accounts, on its own side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Effect {
    /// So much was added to what is posted.
    pub posts: Amount,
    /// So much was added to what is pending.
    pub reserves: Amount,
    /// So much was taken from it.
    pub releases: Amount,
}

impl Effect {
    /// Of a transfer that moved `moved`; `reserved` is what the pending transfer that it names had reserved.
    pub fn of(kind: Kind, moved: Amount, reserved: Amount) -> Effect {
        let nothing = Effect { posts: Amount::ZERO, reserves: Amount::ZERO, releases: Amount::ZERO };
        match kind {
            Kind::Posted | Kind::UpTo(_) => Effect { posts: moved, ..nothing },
            Kind::Pending | Kind::PendingUntil(_) | Kind::Close(_) => Effect { reserves: moved, ..nothing },
            Kind::PostOf(_) => Effect { posts: moved, releases: reserved, ..nothing },
            Kind::VoidOf(_) | Kind::ExpiryOf(_) => Effect { releases: reserved, ..nothing },
        }
    }
}

/// Decides one transfer. Where several refusals hold, the first of this order is given:
///
/// 1. `id-reused` (or the old answer, when the same transfer stands there)
/// 2. `same-account` 3. `amount-zero` (which a closing transfer may be)
/// 4. `no-such-debit-account` 5. `no-such-credit-account` 6. `currency-differs` 7. `account-closed`
/// 8. `no-such-pending` 9. `not-pending` 10. `pending-differs` 11. `pending-amount`
/// 12. `already-posted`, `already-voided` 13. `pending-expired`, `not-expired`
/// 14. `overflow` 15. `insufficient-funds` 16. `exceeds-debits`
///
/// # Errors
/// The [`Refusal`]. Nothing stands under the id then, and it may be asked again when the facts have changed.
pub fn decide(transfer: &Transfer, facts: &Facts<'_>) -> Result<Decision, Refusal> {
    if let Some(standing) = facts.existing {
        let same = standing.transfer == *transfer;
        return if same { Ok(Decision::Stands(standing.at, standing.moved)) } else { Err(Refusal::IdReused) };
    }
    if transfer.debit == transfer.credit {
        return Err(Refusal::SameAccount);
    }
    if transfer.amount == Amount::ZERO && !may_be_nothing(transfer, facts) {
        return Err(Refusal::AmountZero);
    }
    let debit = *facts.debit.ok_or(Refusal::NoSuchDebitAccount)?;
    let credit = *facts.credit.ok_or(Refusal::NoSuchCreditAccount)?;
    if debit.currency != credit.currency {
        return Err(Refusal::CurrencyDiffers);
    }
    // What only gives money back is let through: so a closing transfer is voided, and its account opened again.
    let only_releases = matches!(transfer.kind, Kind::VoidOf(_) | Kind::ExpiryOf(_));
    if (debit.closed || credit.closed) && !only_releases {
        return Err(Refusal::AccountClosed);
    }
    let amount = match transfer.kind {
        Kind::UpTo(Side::Debit) => left_to_pay(&debit).min(transfer.amount),
        Kind::UpTo(Side::Credit) => left_to_receive(&credit).min(transfer.amount),
        _ => transfer.amount,
    };
    let (debit, credit) = match transfer.kind {
        Kind::UpTo(Side::Debit) if amount == Amount::ZERO => return Err(Refusal::InsufficientFunds),
        Kind::UpTo(Side::Credit) if amount == Amount::ZERO => return Err(Refusal::ExceedsDebits),
        Kind::Posted | Kind::UpTo(_) => posted(debit, credit, amount)?,
        Kind::PendingUntil(until) if until <= facts.now => return Err(Refusal::PendingExpired),
        Kind::Pending | Kind::PendingUntil(_) => pending(debit, credit, amount)?,
        Kind::Close(side) => {
            let (mut debit, mut credit) = pending(debit, credit, amount)?;
            match side {
                Side::Debit => debit.closed = true,
                Side::Credit => credit.closed = true,
            }
            (debit, credit)
        }
        Kind::PostOf(_) => {
            let pending = named(transfer, facts)?;
            let (debit, credit) = release(debit, credit, pending);
            posted(debit, credit, amount)?
        }
        Kind::VoidOf(_) | Kind::ExpiryOf(_) => release(debit, credit, named(transfer, facts)?),
    };
    Ok(Decision::Move { debit, credit, amount })
}

/// A closing transfer reserves what is left, which may be nothing; so its void names nothing.
fn may_be_nothing(transfer: &Transfer, facts: &Facts<'_>) -> bool {
    match transfer.kind {
        Kind::Close(_) => true,
        Kind::VoidOf(_) => facts.pending.is_some_and(|pending| matches!(pending.kind, Kind::Close(_))),
        _ => false,
    }
}

/// The pending transfer that is named, if `transfer` may post, void or expire it.
fn named<'a>(transfer: &Transfer, facts: &Facts<'a>) -> Result<&'a Transfer, Refusal> {
    let pending = facts.pending.ok_or(Refusal::NoSuchPending)?;
    let until = match pending.kind {
        Kind::Pending | Kind::Close(_) => None,
        Kind::PendingUntil(until) => Some(until),
        _ => return Err(Refusal::NotPending),
    };
    let same = |t: &Transfer| (t.debit, t.credit, t.code);
    if same(pending) != same(transfer) {
        return Err(Refusal::PendingDiffers);
    }
    let fits = match transfer.kind {
        Kind::PostOf(_) => transfer.amount <= pending.amount,
        _ => transfer.amount == pending.amount,
    };
    let is_over = until.is_some_and(|until| until <= facts.now);
    let expires = matches!(transfer.kind, Kind::ExpiryOf(_));
    match facts.resolved {
        _ if !fits => Err(Refusal::PendingAmount),
        Some(Resolution::Posted) => Err(Refusal::AlreadyPosted),
        Some(Resolution::Voided) => Err(Refusal::AlreadyVoided),
        Some(Resolution::Expired) => Err(Refusal::PendingExpired),
        None if is_over && !expires => Err(Refusal::PendingExpired),
        None if expires && !is_over => Err(Refusal::NotExpired),
        None => Ok(pending),
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

/// Gives back what `pending` reserved; an account that it closed is open again.
fn release(mut debit: Account, mut credit: Account, pending: &Transfer) -> (Account, Account) {
    let less =
        |held: Amount| held.checked_sub(pending.amount).expect("an account holds what is pending on it");
    debit.debits_pending = less(debit.debits_pending);
    credit.credits_pending = less(credit.credits_pending);
    match pending.kind {
        Kind::Close(Side::Debit) => debit.closed = false,
        Kind::Close(Side::Credit) => credit.closed = false,
        _ => {}
    }
    (debit, credit)
}

/// What an account has received and neither paid nor reserved.
fn left_to_pay(account: &Account) -> Amount {
    let used = account.debits_posted.checked_add(account.debits_pending);
    used.and_then(|used| account.credits_posted.checked_sub(used)).unwrap_or(Amount::ZERO)
}

/// What an account has paid and not been given back, nor is it on its way.
fn left_to_receive(account: &Account) -> Amount {
    let used = account.credits_posted.checked_add(account.credits_pending);
    used.and_then(|used| account.debits_posted.checked_sub(used)).unwrap_or(Amount::ZERO)
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

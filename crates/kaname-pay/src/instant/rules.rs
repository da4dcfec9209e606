//! The rules of instant payments, pure: facts in, decision out.

use kaname_base::pack::InstantTerms;
use kaname_base::{Amount, Instant};

use super::{COMPENSATED, PAYEE_KNOWS, PAYER_KNOWS, Participant, Payment, Purpose, Refusal, Standing, State};

/// What an order to pay is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The participant that sent it.
    pub payer: &'a Participant,
    /// The participant of the payee.
    pub payee: Option<&'a Participant>,
    /// Whether the quote is ours, for this order, and holds.
    pub is_quoted: bool,
    /// The payment that a refund names.
    pub original: Option<&'a Payment>,
    /// Whether a refund names the accounts of its original, the other way round.
    pub goes_back: bool,
    /// Now.
    pub now: Instant,
}

/// Judges an order. Where several refusals hold, the first of this order is given: `participant-suspended`,
/// `no-such-participant`, `one-participant`, `quote-over`, `not-refundable`, `refund-too-large`. The ledger judges the amount.
///
/// # Errors
/// The [`Refusal`].
pub fn check_order(
    terms: &InstantTerms,
    purpose: Purpose,
    amount: Amount,
    facts: &Facts<'_>,
) -> Result<(), Refusal> {
    if facts.payer.standing == Standing::Suspended {
        return Err(Refusal::ParticipantSuspended);
    }
    let payee = facts.payee.ok_or(Refusal::NoSuchParticipant)?;
    if payee.standing == Standing::Suspended {
        return Err(Refusal::ParticipantSuspended);
    }
    if payee.code == facts.payer.code {
        return Err(Refusal::OneParticipant);
    }
    match purpose {
        Purpose::Pay if !facts.is_quoted => Err(Refusal::QuoteOver),
        Purpose::Pay => Ok(()),
        // A refund goes where the money came from, and costs nothing: it needs no quote.
        Purpose::Refund(_) => check_refund(terms, amount, payee, facts),
    }
}

/// Money goes back from the participant that was paid to the one that paid, up to what was paid, for as long as the pack says.
fn check_refund(
    terms: &InstantTerms,
    amount: Amount,
    payee: &Participant,
    facts: &Facts<'_>,
) -> Result<(), Refusal> {
    let original = facts.original.ok_or(Refusal::NotRefundable)?;
    let is_theirs = original.payee == facts.payer.code && original.payer == payee.code;
    let is_payment = !matches!(original.purpose, Purpose::Refund(_));
    let until = original.reserved_at.plus_seconds(terms.refund_days.saturating_mul(86_400));
    if !is_theirs
        || !facts.goes_back
        || !is_payment
        || original.state != State::Committed
        || facts.now > until
    {
        return Err(Refusal::NotRefundable);
    }
    let all = original.refunded.checked_add(amount).ok_or(Refusal::RefundTooLarge)?;
    if all > original.amount { Err(Refusal::RefundTooLarge) } else { Ok(()) }
}

/// What the payee's participant says of a payment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It takes it.
    Accepts,
    /// It does not.
    Declines,
}

/// What follows from a verdict.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// It stands so already.
    Stands,
    /// The payment goes on to this state.
    To(State),
}

/// Judges a verdict. The first end counts: whoever says the same again is answered as before, whoever says otherwise is refused.
///
/// # Errors
/// [`Refusal::PaymentOver`].
pub fn judge(
    terms: &InstantTerms,
    payment: &Payment,
    verdict: Verdict,
    now: Instant,
) -> Result<Step, Refusal> {
    match (payment.state, verdict) {
        (State::Reserved | State::Unknown, Verdict::Declines) => Ok(Step::To(State::Aborted)),
        // Too late to be committed: it is about to be reversed, and the payer may have been told.
        (State::Reserved | State::Unknown, Verdict::Accepts) if is_overdue(terms, payment, now) => {
            Err(Refusal::PaymentOver)
        }
        (State::Reserved | State::Unknown, Verdict::Accepts) => Ok(Step::To(State::Committed)),
        (State::Committed, Verdict::Accepts) => Ok(Step::Stands),
        (State::Aborted | State::Reversed, Verdict::Declines) => Ok(Step::Stands),
        (State::Committed, Verdict::Declines) | (State::Aborted | State::Reversed, Verdict::Accepts) => {
            Err(Refusal::PaymentOver)
        }
    }
}

/// Whether the pack's time to know the end is over.
pub fn is_overdue(terms: &InstantTerms, payment: &Payment, now: Instant) -> bool {
    now >= payment.reserved_at.plus_seconds(terms.reverse_after_seconds)
}

/// What the worker does with a payment that is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Asks the payee's participant whether it takes it.
    Ask,
    /// Asks it what it has answered.
    AskAgain,
    /// Gives up: the money is released and the payer owed a compensation.
    Reverse,
    /// Tells both participants the end, and posts what is owed.
    Tell,
    /// Nothing is left to do.
    Nothing,
}

/// What is next for a payment.
pub fn next(terms: &InstantTerms, payment: &Payment, now: Instant) -> Next {
    match payment.state {
        State::Reserved | State::Unknown if is_overdue(terms, payment, now) => Next::Reverse,
        State::Reserved => Next::Ask,
        State::Unknown => Next::AskAgain,
        _ if payment.told == all_told(payment) => Next::Nothing,
        _ => Next::Tell,
    }
}

/// The bits that are set when nothing is left to do.
pub(super) fn all_told(payment: &Payment) -> i64 {
    let owed = if payment.compensation == Amount::ZERO { 0 } else { COMPENSATED };
    PAYEE_KNOWS | PAYER_KNOWS | owed
}

/// How long nobody asks again after so many attempts, in seconds: it doubles, up to the pack's longest wait.
pub fn wait_seconds(terms: &InstantTerms, attempts: i64) -> i64 {
    let doublings = attempts.clamp(1, 32) - 1;
    let wait = terms.first_status_seconds.saturating_mul(1 << doublings);
    wait.min(terms.longest_status_seconds)
}

/// What the payer is owed at `now`: the pack's amount for each day that has begun since the payment was reserved.
pub fn compensation(terms: &InstantTerms, payment: &Payment, now: Instant) -> Amount {
    let waited = now.seconds().saturating_sub(payment.reserved_at.seconds()).max(0);
    let days = waited.unsigned_abs().div_ceil(86_400).max(1);
    terms.compensation_a_day.checked_mul(days).unwrap_or(Amount::MAX)
}

/// The nets of a window: what each position is above (or below) its cap, less what earlier windows have still to settle.
///
/// Payments go from one position to another, so the nets add up to nothing.
pub fn net(balance: i64, cap: Amount, unsettled: i64) -> Option<i64> {
    balance.checked_sub(cap.stored())?.checked_sub(unsettled)
}

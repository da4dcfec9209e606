//! What may follow what in a payout run: facts in, decision out.

use crate::Refusal;
use crate::payee::{PayeeState, Reason};
use crate::payout::{Run, RunState, State};

/// How a payee is paid.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Way<A> {
    /// On her account.
    Account(A),
    /// In cash for a code: she registered no account.
    Voucher,
    /// Not yet, and why.
    Wait(Reason),
}

/// How a payee is paid, by what is known of her account: `None` when she registered none, and an account that was
/// refused or does not open never falls back to cash silently: a person must look first.
pub fn way<A>(account: Option<(PayeeState, Option<A>)>) -> Way<A> {
    match account {
        None => Way::Voucher,
        Some((PayeeState::Refused(reason), _)) => Way::Wait(reason),
        Some((PayeeState::Suspended | PayeeState::Closed, _)) => Way::Wait(Reason::Suspended),
        Some((PayeeState::Active, None)) => Way::Wait(Reason::Unreadable),
        Some((PayeeState::Active, Some(account))) => Way::Account(account),
    }
}

/// Whether `officer` may approve the run now: it is planned, and by somebody else.
///
/// # Errors
/// [`Refusal::WrongState`] first, then [`Refusal::SameOfficer`], then [`Refusal::OtherFigures`] when what the officer
/// was shown is not what is planned.
pub fn may_approve(run: &Run, officer: &str, people: u64, total_minor: u64) -> Result<(), Refusal> {
    if run.state != RunState::Planned {
        return Err(Refusal::WrongState);
    }
    if run.planned_by == officer {
        return Err(Refusal::SameOfficer);
    }
    if (run.people, run.total.minor()) != (people, total_minor) {
        return Err(Refusal::OtherFigures);
    }
    Ok(())
}

/// What a bank says of one payment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Word {
    /// It has taken it, and it is not there yet.
    Accepted,
    /// It is there.
    Settled,
    /// It is not, and why: an ISO 20022 reason code.
    Rejected(String),
}

/// Where a payee goes from `state` on a bank's word; `None` when nothing changes. What was settled may still be given
/// back later, and what was given back stays so.
///
/// # Errors
/// [`Refusal::ForeignReport`] when she was never sent to a bank.
pub fn after(state: State, word: &Word) -> Result<Option<State>, Refusal> {
    match (state, word) {
        (State::Planned | State::Voucher | State::Cash | State::Pending, _) => Err(Refusal::ForeignReport),
        (State::Sent, Word::Settled) => Ok(Some(State::Paid)),
        (State::Sent | State::Paid, Word::Rejected(_)) => Ok(Some(State::Returned)),
        (State::Sent | State::Paid, Word::Accepted) | (State::Paid, Word::Settled) | (State::Returned, _) => {
            Ok(None)
        }
    }
}

//! Whether an account becomes the one a person is paid on: facts in, decision out.

use kaname_person::matching::HolderMatch;

use crate::payee::{PayeeState, Reason};

/// What is known when a payee account is decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Facts {
    /// The account she has so far, and whether it is the one asked for now.
    pub existing: Option<(PayeeState, bool)>,
    /// Whether the deployment deals with the bank.
    pub known_bank: bool,
    /// Whether the bank knows the account.
    pub known_account: bool,
    /// Whether the account is claimed for her and for nobody else.
    pub claimed: bool,
    /// Whether its holder is she; only asked when the account is known and claimed. `None` when she is not registered.
    pub holder: Option<HolderMatch>,
    /// Whether an active account is to be replaced.
    pub replace: bool,
}

/// What becomes of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// It is the active one already; nothing changes.
    Stands,
    /// It becomes the active one.
    Activate,
    /// It does not, and the refusal is kept in place of nothing better.
    Keep(Reason),
    /// It does not, and an active account stays as it is.
    Reject(Reason),
}

/// Decides in this order: an active account stays unless it is to be replaced; then bank, account, claim, holder.
pub fn decide(facts: &Facts) -> Decision {
    let has_active = match facts.existing {
        Some((PayeeState::Active, true)) => return Decision::Stands,
        Some((PayeeState::Active, false)) if !facts.replace => return Decision::Reject(Reason::HasAccount),
        Some((PayeeState::Active, false)) => true,
        // What an officer suspended does not come back by asking again, nor what was closed with the entry.
        Some((PayeeState::Suspended | PayeeState::Closed, true)) => {
            return Decision::Reject(Reason::Suspended);
        }
        _ => false,
    };
    let reason = match facts {
        Facts { known_bank: false, .. } => Reason::NoSuchBank,
        Facts { known_account: false, .. } => Reason::NoSuchAccount,
        Facts { claimed: false, .. } => Reason::AccountTaken,
        Facts { holder: Some(HolderMatch::Same(_)), .. } => return Decision::Activate,
        Facts { holder: Some(HolderMatch::Review(doubt)), .. } => Reason::UnsureHolder(*doubt),
        Facts { holder: Some(HolderMatch::Different(difference)), .. } => Reason::OtherHolder(*difference),
        Facts { holder: None, .. } => return Decision::Reject(Reason::NotRegistered),
    };
    if has_active { Decision::Reject(reason) } else { Decision::Keep(reason) }
}

//! Use case: put into the treasury what was voted for a planned run, with four eyes.

use kaname_base::{Env, id::Id};
use kaname_person::{Action, policy};
use kaname_store::Tx;
use kaname_trust::Actor;

use crate::ids::RunId;
use crate::payout::act::{self, Step};
use crate::payout::treasury::appropriate;
use crate::payout::{Run, RunState, table};
use crate::{PayError, Refusal};

/// Puts the run's total into the treasury, once: the transfer has the run's own id. The unit is on the home bucket.
///
/// # Errors
/// [`PayError::NotAllowed`]; [`Refusal::NoSuchRun`]; [`Refusal::WrongState`] while its list is being made;
/// [`Refusal::SameOfficer`] for the officer who planned it.
pub fn fund(env: &Env, tx: &mut Tx<'_>, by: &Actor, id: RunId) -> Result<Run, PayError> {
    policy::may(by, Action::FundTreasury)?;
    let run = table::run(tx, id)?.ok_or(Refusal::NoSuchRun)?;
    if run.state == RunState::Planning {
        return Err(Refusal::WrongState.into());
    }
    if run.planned_by == by.id {
        return Err(Refusal::SameOfficer.into());
    }

    let posted = appropriate(env, tx, by, Id::from_bytes(*id.bytes()), run.programme.currency, run.total)?;
    if !posted.again {
        act::note(env, tx, id, Step::Funded, by)?;
    }
    Ok(run)
}

//! Use case: stop a payout run before its next batch. Running it again goes on.

use kaname_base::Env;
use kaname_person::{Action, policy};
use kaname_store::Tx;
use kaname_trust::Actor;

use crate::ids::RunId;
use crate::payout::act::{self, Step};
use crate::payout::{Run, RunState, table};
use crate::{PayError, Refusal};

/// Stops a run that is approved or running. The unit is on the home bucket. A batch that is being paid ends first.
///
/// # Errors
/// [`PayError::NotAllowed`]; [`Refusal::NoSuchRun`]; [`Refusal::WrongState`] when there is nothing to stop.
pub fn stop(env: &Env, tx: &mut Tx<'_>, by: &Actor, id: RunId) -> Result<Run, PayError> {
    policy::may(by, Action::RunPayout)?;
    let run = table::run(tx, id)?.ok_or(Refusal::NoSuchRun)?;
    let run = match run.state {
        RunState::Stopped => return Ok(run),
        RunState::Approved | RunState::Running => Run { state: RunState::Stopped, ..run },
        RunState::Planning | RunState::Planned | RunState::Finished => return Err(Refusal::WrongState.into()),
    };

    table::replace_run(tx, &run)?;
    act::note(env, tx, id, Step::Stopped, by)?;
    Ok(Run { version: run.version + 1, ..run })
}

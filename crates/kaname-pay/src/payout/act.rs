//! Who did what to a run, and when: a line for each step that an officer took.

use kaname_base::{Env, Instant};
use kaname_store::Tx;
use kaname_trust::Actor;

use crate::PayError;
use crate::ids::RunId;
use crate::payout::table;

/// What an officer did to a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Planned it.
    Planned,
    /// Put the money that it needs into the treasury.
    Funded,
    /// Approved it.
    Approved,
    /// Started it, or went on with it.
    Started,
    /// Stopped it.
    Stopped,
    /// Gave what waited or came back a second way.
    Retried,
}

/// One step of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Act {
    /// What was done.
    pub step: Step,
    /// By which officer, by id.
    pub officer: String,
    /// In which role.
    pub role: String,
    /// When.
    pub at: Instant,
}

impl Step {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Step::Planned => "planned",
            Step::Funded => "funded",
            Step::Approved => "approved",
            Step::Started => "started",
            Step::Stopped => "stopped",
            Step::Retried => "retried",
        }
    }
}

/// Writes down a step in the unit of work that takes it, on the home bucket.
pub(crate) fn note(env: &Env, tx: &mut Tx<'_>, run: RunId, step: Step, by: &Actor) -> Result<(), PayError> {
    let act = Act { step, officer: by.id.clone(), role: by.role.clone(), at: env.now };
    let place = table::acts(tx, run)?.len() as i64 + 1;

    Ok(table::insert_act(tx, run, place, &act)?)
}

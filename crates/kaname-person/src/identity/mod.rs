//! Entries of the register that stand for the wrong number of people, and how that is undone: two entries of one person are merged, one
//! entry of two people is split, and what was recorded with the wrong one is moved to the right one.
//!
//! - [`propose`]: an officer proposes an [`Act`], with the reason and what shows it.
//! - [`decide`]: another officer decides, where the pack asks for four eyes, and the act is carried out.
//!
//! Every act is made of life events ([`crate::event`]), so that it stands in the histories of both and is taken back by annulling
//! them: a merge is undone by an un-merge, a split by a merge, a move by moving back. What an act changes for other blocks they are
//! told like of any other event. An act spans buckets, so it is carried out in steps that may each be repeated, by a job if the
//! program is killed in between.

use kaname_base::Instant;
use kaname_trust::{Actor, PersonId, Record};
use serde::{Deserialize, Serialize};

use crate::{PackVersion, serial};

pub mod decide;
pub mod propose;
mod rules;
pub(crate) mod table;

pub use decide::{Decide, carry_out, decide};
pub use propose::{NewProposal, Waiting, proposal, propose, waiting};
pub use rules::needs_four_eyes;

kaname_base::id_types! {
    /// A proposal about an entry.
    ProposalId(ProposalKind) = "pro";
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
pub enum Act {
    /// The entry is a second one of somebody, whose other entry counts from now on.
    Merge {
        /// The other one.
        #[serde(with = "serial::person")]
        survivor: PersonId,
    },
    /// The entry is no second one after all, and counts again.
    Unmerge,
    /// Somebody else was in the entry too: the other has an entry of her own now, which was in this one before.
    Split {
        /// The other's new entry, registered before.
        #[serde(with = "serial::person")]
        other: PersonId,
    },
    /// An event happened to somebody else.
    MoveEvent {
        /// Its number among the events of the entry.
        n: i64,
        /// To whom it happened.
        #[serde(with = "serial::person")]
        to: PersonId,
    },
}

/// An act that an officer proposes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// What is to be done.
    pub act: Act,
    /// Who proposes it.
    pub by: Actor,
    /// When.
    pub at: Instant,
    /// Why.
    pub why: String,
    /// What shows it.
    pub evidence: String,
    /// The pack that it was judged by.
    pub pack: PackVersion,
    /// Who decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<Actor>,
}

/// How far a proposal is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProposalState {
    /// It waits for a decision.
    Waiting,
    /// It was decided, and is being carried out.
    Approved,
    /// It is done.
    Done,
    /// It was refused.
    Refused,
}

impl Act {
    /// The other entry that it names.
    pub fn other(&self) -> Option<PersonId> {
        match self {
            Act::Merge { survivor } => Some(*survivor),
            Act::Split { other } => Some(*other),
            Act::MoveEvent { to, .. } => Some(*to),
            Act::Unmerge => None,
        }
    }

    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Act::Merge { .. } => "merge",
            Act::Unmerge => "unmerge",
            Act::Split { .. } => "split",
            Act::MoveEvent { .. } => "move-event",
        }
    }
}

impl ProposalState {
    /// A stable word for programs and for the table.
    pub fn code(self) -> &'static str {
        match self {
            ProposalState::Waiting => "waiting",
            ProposalState::Approved => "approved",
            ProposalState::Done => "done",
            ProposalState::Refused => "refused",
        }
    }

    pub(crate) fn of_code(code: &str) -> Option<ProposalState> {
        use ProposalState::{Approved, Done, Refused, Waiting};
        [Waiting, Approved, Done, Refused].into_iter().find(|state| state.code() == code)
    }
}

impl Record for Proposal {
    const KIND: &'static str = "person.proposal";
}

/// Personal data: the debug form names the act.
impl std::fmt::Debug for Proposal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proposal({})", self.act.code())
    }
}

/// Personal data: the debug form names the act.
impl std::fmt::Debug for Act {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

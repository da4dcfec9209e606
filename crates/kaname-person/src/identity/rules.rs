//! Who may decide: pure.

use kaname_base::pack::Pack;
use kaname_trust::Actor;

use super::{Act, Proposal, ProposalState};
use crate::Refusal;

/// Whether the pack asks for a second officer.
pub fn needs_four_eyes(pack: &Pack, act: &Act) -> bool {
    match act {
        Act::Merge { .. } | Act::Unmerge => pack.identities.merge,
        Act::Split { .. } => pack.identities.split,
        Act::MoveEvent { .. } => pack.identities.move_event,
    }
}

/// Whether `by` may decide a proposal that stands so.
pub(super) fn may_decide(
    proposal: &Proposal,
    state: ProposalState,
    by: &Actor,
    pack: &Pack,
) -> Result<(), Refusal> {
    if state != ProposalState::Waiting {
        return Err(Refusal::ProposalDecided);
    }
    let is_same = (proposal.by.kind, &proposal.by.id) == (by.kind, &by.id);
    if is_same && needs_four_eyes(pack, &proposal.act) { Err(Refusal::SecondOfficer) } else { Ok(()) }
}

//! What may be proposed, and who may decide: pure.

use kaname_base::pack::Pack;
use kaname_trust::Actor;

use super::{Act, Proposal, ProposalState};
use crate::Refusal;
use crate::event::EventKind;
use crate::event::rules::Numbered;

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

/// Whether an event of somebody's may turn out to be another's: one that is neither how an entry begins nor a decision.
pub(super) fn may_be_moved(events: &[Numbered], n: i64) -> Result<&Numbered, Refusal> {
    let found = events.iter().find(|numbered| numbered.n == n).ok_or(Refusal::NoSuchEvent)?;
    let change = &found.event.change;
    let stands = change.is_beginning()
        || change.is_of_number()
        || matches!(
            change.kind(),
            EventKind::Merge | EventKind::Split | EventKind::Annulment | EventKind::Photo
        );
    if stands { Err(Refusal::EventStands) } else { Ok(found) }
}

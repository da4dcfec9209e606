//! How an outside record stands: for the authority with whose it is, for the agency that holds it in a word.

use kaname_store::StoreError;
use kaname_trust::{Actor, PersonId};

use super::table::{self, Standing};
use super::{Desk, LinkId, LinkState, outside_index};
use crate::{Action, PersonError, policy};

/// How an outside record stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stands {
    /// An officer is to look.
    Review,
    /// It is linked to this resident by this link, whatever state that is in.
    Linked(PersonId, LinkId),
    /// It was nobody's, or is nobody's any more.
    Nobody,
}

/// How the record that the source calls `reference` stands; `None` when it was never checked. Opens nobody.
///
/// # Errors
/// [`crate::Refusal::NotAllowed`], [`crate::Refusal::UnknownSource`].
pub fn standing(
    desk: &Desk,
    by: &Actor,
    source: &str,
    reference: &str,
) -> Result<Option<Stands>, PersonError> {
    policy::may(by, Action::CheckLinks)?;
    desk.source(source)?;
    let outside = outside_index(&desk.keys, source, reference);
    let bucket = desk.directory_bucket(&outside);
    let found = desk.store.read::<_, StoreError, _>(bucket, move |tx| table::entries(tx, &[outside]))?;
    Ok(found.into_iter().next().flatten().map(|entry| match (entry.standing, entry.owner) {
        (Standing::Review, _) => Stands::Review,
        (Standing::Linked | Standing::Claimed, Some((person, link))) => Stands::Linked(person, link),
        _ => Stands::Nobody,
    }))
}

/// What the agency is told of its own record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outlook {
    /// It counts.
    Linked,
    /// It waits for its holder.
    Waiting,
    /// It waits for officers.
    Review,
    /// Somebody said that it is wrong; officers look at it.
    Suspended,
    /// It is nobody's here.
    Refused,
}

impl Outlook {
    /// A stable word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Outlook::Linked => "linked",
            Outlook::Waiting => "waiting",
            Outlook::Review => "review",
            Outlook::Suspended => "suspended",
            Outlook::Refused => "refused",
        }
    }
}

/// How a record stands, in a word; `None` when it was never checked. Opens nobody.
///
/// # Errors
/// As [`standing`].
pub fn outlook(
    desk: &Desk,
    by: &Actor,
    source: &str,
    reference: &str,
) -> Result<Option<Outlook>, PersonError> {
    let (person, link) = match standing(desk, by, source, reference)? {
        None => return Ok(None),
        Some(Stands::Review) => return Ok(Some(Outlook::Review)),
        Some(Stands::Nobody) => return Ok(Some(Outlook::Refused)),
        Some(Stands::Linked(person, link)) => (person, link),
    };
    let bucket = desk.bucket_of(person);
    let row = desk.store.read::<_, StoreError, _>(bucket, move |tx| table::link(tx, person, link))?;
    Ok(Some(match row.map(|row| row.state) {
        Some(LinkState::Active) => Outlook::Linked,
        Some(LinkState::Suspended) => Outlook::Suspended,
        Some(LinkState::Severed | LinkState::Refused) => Outlook::Refused,
        // Claimed and not linked yet: the check that did so goes on.
        Some(LinkState::Proposed) | None => Outlook::Waiting,
    }))
}

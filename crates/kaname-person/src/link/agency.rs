//! What an agency's own system asks about its own records: hands in a list, and sees what became of it and of each record. It is told
//! words and counts, and nothing about anybody.

use kaname_base::Env;
use kaname_trust::keys::BlindIndex;

use super::Desk;
use super::list::{List, Listed, hand_in, one};
use super::standing::{Outlook, outlook};
use crate::agency::Agency;
use crate::import::Format;
use crate::{PersonError, Refusal};

/// Takes an agency's list of its own records.
///
/// # Errors
/// As [`hand_in`]; [`Refusal::NotForAgency`] for another agency's source.
pub fn hand_in_list(
    desk: &Desk,
    env: &Env,
    agency: &Agency,
    source: &str,
    text: &[u8],
    format: Format,
) -> Result<Listed, PersonError> {
    agency.holds(source)?;
    hand_in(desk, env, &List { source, text, format, by: agency.actor() })
}

/// A list that the agency handed in.
///
/// # Errors
/// As [`one`]; [`Refusal::NotForAgency`].
pub fn list(desk: &Desk, agency: &Agency, source: &str, id: BlindIndex) -> Result<Listed, PersonError> {
    agency.holds(source)?;
    let listed = one(desk, &agency.actor(), id)?;
    if listed.source == source { Ok(listed) } else { Err(Refusal::NoSuchLink.into()) }
}

/// What became of one of the agency's records.
///
/// # Errors
/// [`Refusal::NotAllowed`], [`Refusal::NotForAgency`], [`Refusal::UnknownSource`]; [`Refusal::NoSuchLink`] when it was never checked.
pub fn record(desk: &Desk, agency: &Agency, source: &str, reference: &str) -> Result<Outlook, PersonError> {
    agency.holds(source)?;
    outlook(desk, &agency.actor(), source, reference)?.ok_or_else(|| Refusal::NoSuchLink.into())
}

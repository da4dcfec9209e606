//! A resident in a hidden field: wrapped for one officer and for a short time, so that a page's source names nobody and a form of
//! another officer's page opens nothing.

use kaname_base::Instant;
use kaname_codec::b64;
use kaname_trust::{Keys, PersonId};

use crate::http::Problem;
use crate::http::guard::Officer;

/// How long an open page can be acted on, in seconds.
const HOLDS_SECONDS: i64 = 1_800;

/// The text for a form.
pub(super) fn write(keys: &Keys, officer: &Officer, person: PersonId, now: Instant) -> String {
    let expires = now.plus_seconds(HOLDS_SECONDS).micros().to_be_bytes();
    b64::url_encode(&keys.wrap(&context(officer), &[&person.bytes()[..], &expires].concat()))
}

/// The resident that a form names.
///
/// # Errors
/// 404 for anything that this officer was not given in the last half hour.
pub(super) fn read(keys: &Keys, officer: &Officer, text: &str, now: Instant) -> Result<PersonId, Problem> {
    let refused = |_| Problem::not_found();
    let wrapped = b64::url_decode(text).map_err(|_| Problem::not_found())?;
    let bytes = keys.unwrap(&context(officer), &wrapped).map_err(refused)?;
    let (person, expires) = bytes.split_at_checked(16).ok_or_else(Problem::not_found)?;
    let expires = i64::from_be_bytes(expires.try_into().map_err(|_| Problem::not_found())?);
    let holds = now < Instant::from_micros(expires);
    PersonId::from_slice(person).filter(|_| holds).ok_or_else(Problem::not_found)
}

fn context(officer: &Officer) -> Vec<u8> {
    [b"web.resident\0", &officer.id.bytes()[..]].concat()
}

//! Sector identifiers: what one sector of the state knows a resident by.

use aws_lc_rs::hmac;
use kaname_codec::b64;
use kaname_trust::{Keys, PersonId};

/// What `sector` (such as `tax` or `health`) knows `person` by: 43 characters of base64url, the same each time.
///
/// HMAC-SHA256 under a key of its own. Two sectors that put their lists side by side find nothing in common, and nobody but this
/// deployment can compute it.
pub fn sector_identifier(keys: &Keys, sector: &str, person: PersonId) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &*keys.derive("sector identifiers"));
    let mut context = hmac::Context::with_key(&key);
    // The person has a fixed length and comes first, so that no name of a sector runs into it.
    context.update(person.bytes());
    context.update(sector.as_bytes());
    b64::url_encode(context.sign().as_ref())
}

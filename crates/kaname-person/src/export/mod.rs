//! Use case: everything that the register holds on a person, for her.
//!
//! Other blocks add what they hold, each under a receipt of its own, in the same unit of work: so the whole is of one moment.

mod table;

use kaname_base::Env;
use kaname_base::pack::Pack;
use kaname_store::Tx;
use kaname_trust::access::{self, Entry};
use kaname_trust::held::Held;
use kaname_trust::{Keys, Receipt, TrustError};

use crate::agency::{Agency, file};
use crate::event::LifeEvent;
use crate::event::photo::Photo;
use crate::identity::Proposal;
use crate::number::{SealedNumber, alias};
use crate::show::{self, Asking};
use crate::{Action, PersonError, Resident, delegate, introduce, link};

/// A receipt for all that one block holds on a person; `fields` says in her log what that is.
///
/// # Errors
/// [`crate::Refusal::NoSuchResident`], [`crate::Refusal::NotAllowed`], [`crate::Refusal::UnknownPurpose`].
pub fn receipt<'u>(
    tx: &mut Tx<'u>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &Asking,
    fields: &[&str],
) -> Result<Receipt<'u>, PersonError> {
    show::log(tx, keys, pack, env, ask, Action::ExportHeld, fields)
}

/// What the register's receipt is for.
pub const FIELDS: &[&str] = &[
    "record",
    "number",
    "life-events",
    "photo",
    "alias",
    "mandates",
    "linked-records",
    "introduction",
    "proposals",
    "agency-file",
    "access-log",
];

/// What the register holds: record, numbers, events, photos, aliases, mandates on both sides, links, proposals, and what these
/// agencies have told of her.
///
/// # Errors
/// [`PersonError::Store`], [`PersonError::Trust`].
pub fn held(
    tx: &mut Tx<'_>,
    keys: &Keys,
    receipt: &Receipt<'_>,
    agencies: &[Agency],
) -> Result<Vec<Held>, PersonError> {
    let person = receipt.person();
    let mut all = Vec::new();
    for (part, state, sealed) in table::records(tx, person)? {
        all.push(match part {
            1 | 4 => Held::open::<Resident>(receipt, if part == 1 { &state } else { "as-entered" }, &sealed)?,
            2 => Held::open::<SealedNumber>(receipt, &state, &sealed)?,
            3 => Held::open::<LifeEvent>(receipt, &state, &sealed)?,
            5 => Held::open::<Photo>(receipt, &state, &sealed)?,
            // Where a merged entry leads: her record says so too.
            6 => continue,
            _ => return Err(TrustError::Unreadable("person_record").into()),
        });
    }
    for (state, sealed) in table::proposals(tx, person)? {
        all.push(Held::open::<Proposal>(receipt, &state, &sealed)?);
    }
    all.extend(alias::held(tx, receipt)?);
    all.extend(delegate::held_of(tx, receipt)?);
    all.extend(link::held(tx, receipt)?);
    all.extend(introduce::held(tx, receipt)?);
    for agency in agencies {
        all.extend(file::held(tx, keys, agency, receipt)?);
    }
    Ok(all)
}

/// Every line of her access log, newest first; this export is the first.
///
/// # Errors
/// [`PersonError::Trust`].
pub fn log(tx: &mut Tx<'_>, keys: &Keys, receipt: &Receipt<'_>) -> Result<Vec<Entry>, PersonError> {
    Ok(access::entries(tx, keys, receipt, i64::MAX)?)
}

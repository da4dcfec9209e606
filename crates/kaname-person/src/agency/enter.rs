//! Use case: an agency has a person entered into the register from what it has collected, and is given her number.

use std::sync::Arc;

use kaname_base::number::PersonNumber;
use kaname_trust::person::bucket_of;
use kaname_trust::{Access, PersonId, access};
use serde_json::{Map, Value};

use super::file::reference_of;
use super::{Desk, basis, stopped};
use crate::duplicate::{is_entered, register_checked};
use crate::register::Register;
use crate::{Action, Entry, Field, PersonError, Refusal, policy, show};

/// OSIA's names for fields of an entry, beside those of our own import file.
const FIELDS: &[(&str, Field)] = &[
    ("firstName", Field::GivenName),
    ("givenName", Field::GivenName),
    ("lastName", Field::FamilyName),
    ("familyName", Field::FamilyName),
    ("firstNameReading", Field::GivenReading),
    ("lastNameReading", Field::FamilyReading),
    ("firstNameLatin", Field::GivenLatin),
    ("lastNameLatin", Field::FamilyLatin),
    ("dateOfBirth", Field::BirthDate),
    ("placeOfBirth", Field::BirthPlace),
    ("gender", Field::Sex),
    ("residenceStatus", Field::Status),
    ("postalCode", Field::Postcode),
    ("addressLine", Field::Address),
    ("careOf", Field::CareOf),
    ("phoneNumber", Field::Phone),
];

/// Enters a person by an agency's document; done again with the same id and document, it is the same person. Somebody who looks like a
/// resident is not entered: an agency sees nobody whom she might be, so an officer at a counter decides, and the agency is told no more
/// than that ([`stopped`]).
///
/// # Errors
/// What [`register_checked`] refuses, but [`Refusal::OfficerDecides`] for somebody who looks like a resident.
pub fn enter(desk: Desk<'_>, id: &str, document: &Map<String, Value>) -> Result<PersonId, PersonError> {
    let Desk { store, keys, pack, numbers, env, agency } = desk;
    policy::may(&agency.actor(), Action::RegisterResident)?;
    let reference = reference_of(keys, id);
    let texts: Vec<(Field, String)> = document
        .iter()
        .filter_map(|(name, value)| {
            let named = FIELDS.iter().find(|(known, _)| known == name).map(|(_, field)| *field);
            let field = named.or_else(|| Field::ALL.into_iter().find(|field| field.name() == name))?;
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => return None,
            };
            (field != Field::Reference).then_some((field, text))
        })
        .collect();
    let mut entry = Entry { reference: &reference, ..Entry::default() };
    for (field, text) in &texts {
        entry.set(*field, text);
    }
    let request = keys.blind_index("agency.request", &[agency.id.as_bytes(), b"\0", id.as_bytes()].concat());
    let ask = Register {
        request,
        entry,
        source: &agency.id,
        by: agency.actor(),
        why: "registration by an agency",
        evidence: &agency.id,
    };
    let said = serde_json::to_vec(document).expect("a document is plain data");
    let said = [agency.id.as_bytes(), b"\0", id.as_bytes(), b"\0", &said].concat();
    let said = keys.blind_index("agency.stopped-document", &said);
    if stopped::waits(desk, &said)? && !is_entered(store, keys, pack, env, &ask)? {
        return Err(Refusal::OfficerDecides.into());
    }
    match register_checked(store, keys, pack, numbers, env, &ask, None) {
        Err(PersonError::Refused(Refusal::LooksLikeSomebody)) => {
            stopped::note(desk, &said)?;
            Err(Refusal::OfficerDecides.into())
        }
        other => other,
    }
}

/// [`enter`], and her number. The same id again gives the same number.
///
/// # Errors
/// As [`enter`].
pub fn number(desk: Desk<'_>, id: &str, document: &Map<String, Value>) -> Result<PersonNumber, PersonError> {
    let person = enter(desk, id, document)?;
    let (keys, pack, env) = (desk.keys.clone(), Arc::clone(desk.pack), desk.env.again());
    let agency = desk.agency.clone();
    desk.store.write(bucket_of(person, desk.store.buckets()), move |tx| {
        let purpose = pack.purpose("registration").ok_or(Refusal::UnknownPurpose)?;
        let (actor, basis) = (agency.actor(), basis(&pack, purpose));
        let ask = Access { person, actor: &actor, purpose: &purpose.code, basis, fields: &["number"] };
        let receipt = access::record(tx, &keys, &env.again(), &ask)?;
        show::number_with(tx, &receipt)
    })
}

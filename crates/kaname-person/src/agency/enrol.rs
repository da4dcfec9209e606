//! Use cases: an enrolment that an agency's station collects, piece by piece, until it is finished (OSIA Enrollment).

use kaname_base::hex;
use kaname_store::Tx;
use kaname_trust::{PersonId, seal};
use serde_json::{Map, Value};

use super::file::{self, Buffer, Claim, File, Folder, Listed};
use super::person::{LONGEST_ID, keep_entered};
use super::table::Part;
use super::{Desk, enter};
use crate::{Action, PersonError, Refusal, policy};

/// Begins an enrolment under an id of the agency's.
///
/// # Errors
/// [`Refusal::FileThere`] when there is one.
pub fn create(desk: Desk<'_>, id: &str, document: Map<String, Value>) -> Result<(), PersonError> {
    let person = person(desk, id)?;
    let now = desk.env.now;
    let new = Claim { id: id.to_owned(), made: now, changed: now, finished: false, document };
    desk.in_folder(person, Some(blank(id)), move |tx, folder| {
        if folder.claim(tx, Part::Enrolment, &new.id)?.is_some() {
            return Err(Refusal::FileThere.into());
        }
        folder.put_claim(tx, Part::Enrolment, &new)
    })?;
    file::enlist(desk.store, desk.keys, desk.agency, Part::Enrolment, (vec![row(id)], Vec::new()))
}

/// An enrolment as it stands.
///
/// # Errors
/// [`Refusal::NoSuchResident`].
pub fn read(desk: Desk<'_>, id: &str) -> Result<Claim, PersonError> {
    on(desk, id, |_, _, claim| Ok(claim))
}

/// Puts another document in the place of the one that is there.
///
/// # Errors
/// [`Refusal::NoSuchResident`]; [`Refusal::EnrolmentFinished`].
pub fn change(
    desk: Desk<'_>,
    id: &str,
    make: impl Fn(Map<String, Value>) -> Map<String, Value> + Send + 'static,
) -> Result<(), PersonError> {
    let now = desk.env.now;
    on(desk, id, move |tx, folder, claim| {
        let claim = open(claim)?;
        let document = make(claim.document.clone());
        folder.put_claim(tx, Part::Enrolment, &Claim { changed: now, document, ..claim })
    })
}

/// Finishes an enrolment: the person is entered into the register from what it holds, and nothing of it changes any more.
///
/// # Errors
/// [`Refusal::NoSuchResident`]; what a registration refuses: then it stays unfinished and can be mended. Finished again, it is still so.
pub fn finish(desk: Desk<'_>, id: &str) -> Result<(), PersonError> {
    let claim = read(desk, id)?;
    if claim.finished {
        return Ok(());
    }
    let biographic = claim.document.get("biographicData").and_then(Value::as_object).cloned();
    enter::enter(desk, &file_id(id), &biographic.unwrap_or_default())?;
    on(desk, id, |tx, folder, claim| {
        folder.put_claim(tx, Part::Enrolment, &Claim { finished: true, ..claim })
    })
}

/// Takes an enrolment back that was not finished.
///
/// # Errors
/// As [`change`].
pub fn delete(desk: Desk<'_>, id: &str) -> Result<(), PersonError> {
    let (keys, person) = (desk.keys.clone(), person(desk, id)?);
    on(desk, id, move |tx, folder, claim| {
        open(claim)?;
        // Killed while it was being finished, she may be entered already.
        keep_entered(tx, person)?;
        folder.clear(tx)?;
        Ok(seal::erase(tx, &keys, person)?)
    })?;
    file::enlist(desk.store, desk.keys, desk.agency, Part::Enrolment, (Vec::new(), vec![row(id)]))
}

/// Keeps a picture or paper of an enrolment; gives its id, which follows from its content.
///
/// # Errors
/// As [`change`].
pub fn add_buffer(desk: Desk<'_>, id: &str, buffer: Buffer) -> Result<String, PersonError> {
    let name = hex::encode(&desk.keys.blind_index("agency.buffer", buffer.base64.as_bytes()));
    let kept = name.clone();
    on(desk, id, move |tx, folder, claim| {
        open(claim)?;
        folder.put_buffer(tx, &kept, &buffer)
    })?;
    Ok(name)
}

/// A picture or paper of an enrolment.
///
/// # Errors
/// [`Refusal::NoSuchResident`].
pub fn buffer(desk: Desk<'_>, id: &str, of: &str) -> Result<Buffer, PersonError> {
    let of = of.to_owned();
    on(desk, id, move |tx, folder, _| folder.buffer(tx, &of)?.ok_or_else(|| Refusal::NoSuchResident.into()))
}

/// The ids of the agency's enrolments, ten thousand at most.
///
/// # Errors
/// [`PersonError::Store`].
pub fn listed(desk: Desk<'_>) -> Result<Vec<String>, PersonError> {
    policy::may(&desk.agency.actor(), Action::TellAsAgency)?;
    let rows = file::list(desk.store, desk.keys, desk.agency, Part::Enrolment)?;
    Ok(rows.into_iter().map(|row| row.person).collect())
}

fn on<T: Send + 'static>(
    desk: Desk<'_>,
    id: &str,
    work: impl for<'u> Fn(&mut Tx<'u>, &Folder<'u>, Claim) -> Result<T, PersonError> + Send + 'static,
) -> Result<T, PersonError> {
    let (person, id) = (person(desk, id)?, id.to_owned());
    let there = file::meant(desk.store, desk.keys, desk.agency, &file_id(&id))?;
    if !there.is_some_and(|meant| meant.filed && meant.person == person) {
        return Err(Refusal::NoSuchResident.into());
    }
    desk.in_folder(person, None, move |tx, folder| {
        let claim = folder.claim(tx, Part::Enrolment, &id)?.ok_or(Refusal::NoSuchResident)?;
        work(tx, folder, claim)
    })
}

fn open(claim: Claim) -> Result<Claim, Refusal> {
    if claim.finished { Err(Refusal::EnrolmentFinished) } else { Ok(claim) }
}

/// The person that an enrolment will be: her id follows from the enrolment's.
fn person(desk: Desk<'_>, id: &str) -> Result<PersonId, PersonError> {
    policy::may(&desk.agency.actor(), Action::TellAsAgency)?;
    if !(1..=LONGEST_ID).contains(&id.len()) {
        return Err(Refusal::IdForm.into());
    }
    Ok(file::person_of_id(desk.keys, desk.store.buckets(), desk.agency, &file_id(id)))
}

/// Enrolments and persons of one agency may have equal ids, and are different things.
fn file_id(id: &str) -> String {
    format!("enrolment:{id}")
}

fn blank(id: &str) -> File {
    File { id: file_id(id), active: true, alive: true, reference: None }
}

fn row(id: &str) -> Listed {
    Listed { person: id.to_owned(), identity: String::new(), gallery: String::new() }
}

//! Use cases: what an agency tells of a person, and of the identities that it claims for her (OSIA Population Registry).
//!
//! A resident's own record is the identity [`REGISTER`]: it is there to be read, and changes by life events only. What the agency
//! claims beside it is the agency's. When it makes one of them the reference of somebody who is not registered yet, she is entered.

use kaname_base::hex;
use kaname_store::Tx;
use kaname_trust::keys::random;
use kaname_trust::{PersonId, seal};
use serde_json::{Map, Value};

use super::file::{self, Claim, File, Folder, Listed, MOST_IDENTITIES, Meant};
use super::table::Part;
use super::{Desk, enter};
use crate::{Action, PersonError, Refusal, Standing, policy};

/// The id of the identity that is the register's own record.
pub const REGISTER: &str = "register";

/// The longest id that an agency may choose, in bytes.
pub const LONGEST_ID: usize = 256;

/// A person as the agency sees her.
pub struct Seen {
    /// What the agency calls her.
    pub id: String,
    /// Whether the file counts.
    pub active: bool,
    /// Whether she lives.
    pub alive: bool,
}

/// One identity of a person.
pub enum Identity {
    /// The register's own record.
    Registered,
    /// What the agency claims.
    Claimed(Claim),
}

/// Opens a file under an id of the agency's.
///
/// # Errors
/// [`Refusal::FileThere`] when the agency calls somebody so already.
pub fn create(desk: Desk<'_>, id: &str, active: bool, alive: bool) -> Result<(), PersonError> {
    may_tell(desk, id)?;
    if file::meant(desk.store, desk.keys, desk.agency, id)?.is_some() {
        return Err(Refusal::FileThere.into());
    }
    let person = file::person_of_id(desk.keys, desk.store.buckets(), desk.agency, id);
    let new = File { id: id.to_owned(), active, alive, reference: None };
    desk.in_folder(person, Some(new), |_, _| Ok(()))?;
    let listed = Listed { person: id.to_owned(), identity: String::new(), gallery: String::new() };
    file::enlist(desk.store, desk.keys, desk.agency, Part::File, (vec![listed], Vec::new()))
}

/// A person's file. Of whoever was entered the register knows it better than the agency: whether she lives, and whether she lives here.
///
/// # Errors
/// [`Refusal::NoSuchResident`].
pub fn read(desk: Desk<'_>, id: &str) -> Result<Seen, PersonError> {
    policy::may(&desk.agency.actor(), Action::ReadAsAgency)?;
    let meant = file::known(desk.store, desk.keys, desk.agency, id)?.ok_or(Refusal::NoSuchResident)?;
    let (active, alive) = match meant.entered {
        true => stands(desk, meant.person)?,
        false => {
            let file = desk.in_folder(meant.person, None, |tx, folder| folder.file(tx))?;
            file.map_or((false, true), |file| (file.active, file.alive))
        }
    };
    Ok(Seen { id: id.to_owned(), active, alive })
}

/// Whether the entry counts and its person lives here, and whether she lives at all: that of a second entry the first one tells.
fn stands(desk: Desk<'_>, person: PersonId) -> Result<(bool, bool), PersonError> {
    let standing = |of| {
        desk.in_folder(of, None, |tx, folder| {
            Ok(crate::show::record_with(tx, &folder.receipt)?.life.standing)
        })
    };
    let first = standing(person)?;
    let mut last = first;
    for _ in 0..LONGEST_CHAIN {
        let Standing::Merged { into } = last else { break };
        last = standing(into)?;
    }
    Ok((first.is_here(), !matches!(last, Standing::Dead { .. })))
}

/// How many entries may lead one to the other: more than anybody was ever entered.
const LONGEST_CHAIN: usize = 16;

/// Changes what the agency says of the file.
///
/// # Errors
/// [`Refusal::NoSuchResident`]; [`Refusal::RegisterKeeps`] when it says of a resident that she died: that is a life event.
pub fn update(desk: Desk<'_>, id: &str, active: bool, alive: bool) -> Result<(), PersonError> {
    let meant = found(desk, id)?;
    may_tell(desk, id)?;
    if meant.registered && !alive {
        return Err(Refusal::RegisterKeeps.into());
    }
    let blank = blank(id);
    desk.in_folder(meant.person, Some(blank), move |tx, folder| {
        let file = folder.file(tx)?.ok_or(Refusal::NoSuchResident)?;
        folder.put_file(tx, &File { active, alive, ..file })
    })
}

/// Takes back a file of somebody who was never registered, with all that it claims; what is sealed of her can never be opened again.
///
/// # Errors
/// [`Refusal::NoSuchResident`]; [`Refusal::RegisterKeeps`] of a resident.
pub fn delete(desk: Desk<'_>, id: &str) -> Result<(), PersonError> {
    let meant = found(desk, id)?;
    may_tell(desk, id)?;
    if meant.registered {
        return Err(Refusal::RegisterKeeps.into());
    }
    let keys = desk.keys.clone();
    let identities = desk.in_folder(meant.person, None, move |tx, folder| {
        keep_entered(tx, meant.person)?;
        let claims = folder.claims(tx, Part::Identity)?;
        folder.clear(tx)?;
        seal::erase(tx, &keys, meant.person)?;
        Ok(claims)
    })?;
    unlist(desk, id, &identities)?;
    let listed = Listed { person: id.to_owned(), identity: String::new(), gallery: String::new() };
    file::enlist(desk.store, desk.keys, desk.agency, Part::File, (Vec::new(), vec![listed]))
}

/// Whoever was entered stays in the register, whatever became of her: her key is not an agency's to destroy.
pub(super) fn keep_entered(tx: &mut Tx<'_>, person: PersonId) -> Result<(), PersonError> {
    if crate::table::resident(tx, person)?.is_some() { Err(Refusal::RegisterKeeps.into()) } else { Ok(()) }
}

/// All identities of a person.
///
/// # Errors
/// [`Refusal::NoSuchResident`].
pub fn identities(desk: Desk<'_>, id: &str) -> Result<(Meaning, Vec<Identity>), PersonError> {
    let meant = found(desk, id)?;
    let claims = desk.in_folder(meant.person, None, |tx, folder| folder.claims(tx, Part::Identity))?;
    let own = meant.registered.then_some(Identity::Registered);
    let all = own.into_iter().chain(claims.into_iter().map(Identity::Claimed)).collect();
    Ok((Meaning { person: meant.person, registered: meant.registered }, all))
}

/// Whom an id meant.
#[derive(Clone, Copy)]
pub struct Meaning {
    /// Her.
    pub person: PersonId,
    /// Whether she is registered.
    pub registered: bool,
}

/// One identity.
///
/// # Errors
/// [`Refusal::NoSuchResident`], also when there is no such identity.
pub fn identity(desk: Desk<'_>, id: &str, of: &str) -> Result<(Meaning, Identity), PersonError> {
    let meant = found(desk, id)?;
    let meaning = Meaning { person: meant.person, registered: meant.registered };
    if of == REGISTER && meant.registered {
        return Ok((meaning, Identity::Registered));
    }
    let of = of.to_owned();
    let claim =
        desk.in_folder(meant.person, None, move |tx, folder| folder.claim(tx, Part::Identity, &of))?;
    Ok((meaning, Identity::Claimed(claim.ok_or(Refusal::NoSuchResident)?)))
}

/// The reference: the register's record, or until she is registered, the identity that the agency takes for the right one.
///
/// # Errors
/// As [`identity`].
pub fn reference(desk: Desk<'_>, id: &str) -> Result<(Meaning, Identity), PersonError> {
    let meant = found(desk, id)?;
    if meant.registered {
        return identity(desk, id, REGISTER);
    }
    let file = desk.in_folder(meant.person, None, |tx, folder| folder.file(tx))?;
    let of = file.and_then(|file| file.reference).ok_or(Refusal::NoSuchResident)?;
    identity(desk, id, &of)
}

/// Claims an identity; without an id, under a new one. Gives the id.
///
/// # Errors
/// [`Refusal::NoSuchResident`]; [`Refusal::FileThere`] when there is one with this id; [`Refusal::TooMany`].
pub fn claim(
    desk: Desk<'_>,
    id: &str,
    of: Option<&str>,
    document: Map<String, Value>,
) -> Result<String, PersonError> {
    let meant = found(desk, id)?;
    let of = of.map_or_else(new_id, str::to_owned);
    may_tell(desk, &of)?;
    if of == REGISTER {
        return Err(Refusal::FileThere.into());
    }
    let now = desk.env.now;
    let new = Claim { id: of.clone(), made: now, changed: now, finished: false, document };
    let kept = new.clone();
    desk.in_folder(meant.person, Some(blank(id)), move |tx, folder| {
        if folder.claim(tx, Part::Identity, &kept.id)?.is_some() {
            return Err(Refusal::FileThere.into());
        }
        if folder.claims(tx, Part::Identity)?.len() as i64 >= MOST_IDENTITIES {
            return Err(Refusal::TooMany.into());
        }
        folder.put_claim(tx, Part::Identity, &kept)
    })?;
    relist(desk, id, None, Some(&new))?;
    Ok(of)
}

/// Puts another document in the place of an identity's, made from the one that is there.
///
/// # Errors
/// [`Refusal::NoSuchResident`]; [`Refusal::RegisterKeeps`] of the register's record.
pub fn change(
    desk: Desk<'_>,
    id: &str,
    of: &str,
    make: impl Fn(Map<String, Value>) -> Map<String, Value> + Send + 'static,
) -> Result<(), PersonError> {
    let meant = writable(desk, id, of)?;
    let (now, name) = (desk.env.now, of.to_owned());
    let (before, after) = desk.in_folder(meant.person, None, move |tx, folder| {
        let before = folder.claim(tx, Part::Identity, &name)?.ok_or(Refusal::NoSuchResident)?;
        let after = Claim { changed: now, document: make(before.document.clone()), ..before.clone() };
        folder.put_claim(tx, Part::Identity, &after)?;
        Ok((before, after))
    })?;
    relist(desk, id, Some(&before), Some(&after))
}

/// Takes an identity back.
///
/// # Errors
/// As [`change`].
pub fn withdraw(desk: Desk<'_>, id: &str, of: &str) -> Result<(), PersonError> {
    let meant = writable(desk, id, of)?;
    let name = of.to_owned();
    let before = desk.in_folder(meant.person, None, move |tx, folder| {
        let before = folder.claim(tx, Part::Identity, &name)?.ok_or(Refusal::NoSuchResident)?;
        folder.remove(tx, Part::Identity, &name)?;
        Ok(before)
    })?;
    relist(desk, id, Some(&before), None)
}

/// Makes an identity the reference. Somebody who is not registered yet is entered with it, if it keeps the country's rules.
///
/// # Errors
/// [`Refusal::NoSuchResident`]; [`Refusal::RegisterKeeps`] of a resident; what a registration refuses.
pub fn make_reference(desk: Desk<'_>, id: &str, of: &str) -> Result<(), PersonError> {
    let (meaning, identity) = identity(desk, id, of)?;
    let claim = match identity {
        Identity::Registered => return Ok(()),
        Identity::Claimed(_) if found(desk, id)?.entered => return Err(Refusal::RegisterKeeps.into()),
        Identity::Claimed(claim) => claim,
    };
    let biographic = claim.document.get("biographicData").and_then(Value::as_object).cloned();
    enter::enter(desk, id, &biographic.unwrap_or_default())?;
    let of = of.to_owned();
    desk.in_folder(meaning.person, Some(blank(id)), move |tx, folder| {
        let file = folder.file(tx)?.ok_or(Refusal::NoSuchResident)?;
        folder.put_file(tx, &File { reference: Some(of.clone()), ..file })
    })
}

/// Gives the identities of one file to another, and takes the first one back. Done again after it was cut short, it goes on.
///
/// # Errors
/// [`Refusal::NoSuchResident`]; [`Refusal::FileThere`] when both have an identity of one id; [`Refusal::RegisterKeeps`] when one of
/// them is a resident: entries of the register are merged by officers, two of them, who have seen both.
pub fn merge(desk: Desk<'_>, into: &str, from: &str) -> Result<(), PersonError> {
    let (target, source) = both(desk, into, from)?;
    let given = desk.in_folder(source.person, None, |tx, folder| folder.claims(tx, Part::Identity))?;
    give(desk, target, &given)?;
    for claim in &given {
        relist(desk, into, None, Some(claim))?;
    }
    delete(desk, from)
}

/// Gives one identity of a file to another.
///
/// # Errors
/// As [`merge`].
pub fn move_identity(desk: Desk<'_>, into: &str, from: &str, of: &str) -> Result<(), PersonError> {
    let (target, source) = both(desk, into, from)?;
    let name = of.to_owned();
    let claim =
        desk.in_folder(source.person, None, move |tx, folder| folder.claim(tx, Part::Identity, &name))?;
    let claim = claim.ok_or(Refusal::NoSuchResident)?;
    give(desk, target, std::slice::from_ref(&claim))?;
    relist(desk, into, None, Some(&claim))?;
    withdraw(desk, from, of)
}

/// The agency's galleries, by name.
///
/// # Errors
/// [`PersonError::Store`].
pub fn galleries(desk: Desk<'_>) -> Result<Vec<String>, PersonError> {
    let mut names: Vec<String> = listed(desk)?.into_iter().map(|listed| listed.gallery).collect();
    names.retain(|name| !name.is_empty());
    names.sort();
    names.dedup();
    Ok(names)
}

/// What the agency has told: rows of its own list, with galleries.
///
/// # Errors
/// [`PersonError::Store`].
pub fn listed(desk: Desk<'_>) -> Result<Vec<Listed>, PersonError> {
    policy::may(&desk.agency.actor(), Action::TellAsAgency)?;
    let mut rows = file::list(desk.store, desk.keys, desk.agency, Part::Identity)?;
    rows.sort();
    Ok(rows)
}

/// Inserts claims into a file; one that is there word for word was given before.
fn give(desk: Desk<'_>, target: Meant, given: &[Claim]) -> Result<(), PersonError> {
    let given = given.to_vec();
    desk.in_folder(target.person, None, move |tx, folder| {
        let mut new = Vec::new();
        for claim in &given {
            match folder.claim(tx, Part::Identity, &claim.id)? {
                None => new.push(claim),
                Some(there) if there == *claim => {}
                Some(_) => return Err(Refusal::FileThere.into()),
            }
        }
        for claim in new {
            folder.put_claim(tx, Part::Identity, claim)?;
        }
        Ok(())
    })
}

fn both(desk: Desk<'_>, into: &str, from: &str) -> Result<(Meant, Meant), PersonError> {
    let (target, source) = (found(desk, into)?, found(desk, from)?);
    may_tell(desk, into)?;
    if target.entered || source.entered {
        return Err(Refusal::RegisterKeeps.into());
    }
    if target.person == source.person { Err(Refusal::FileThere.into()) } else { Ok((target, source)) }
}

fn writable(desk: Desk<'_>, id: &str, of: &str) -> Result<Meant, PersonError> {
    let meant = found(desk, id)?;
    may_tell(desk, of)?;
    if of == REGISTER && meant.registered { Err(Refusal::RegisterKeeps.into()) } else { Ok(meant) }
}

fn found(desk: Desk<'_>, id: &str) -> Result<Meant, PersonError> {
    policy::may(&desk.agency.actor(), Action::ReadAsAgency)?;
    file::meant(desk.store, desk.keys, desk.agency, id)?.ok_or_else(|| Refusal::NoSuchResident.into())
}

fn may_tell(desk: Desk<'_>, id: &str) -> Result<(), PersonError> {
    policy::may(&desk.agency.actor(), Action::TellAsAgency)?;
    if (1..=LONGEST_ID).contains(&id.len()) { Ok(()) } else { Err(Refusal::IdForm.into()) }
}

fn blank(id: &str) -> File {
    File { id: id.to_owned(), active: true, alive: true, reference: None }
}

fn new_id() -> String {
    hex::encode(&random::<16>())
}

fn rows_of(id: &str, claim: &Claim) -> Vec<Listed> {
    let galleries = claim.document.get("galleries").and_then(Value::as_array);
    let galleries = galleries.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    let row = |gallery| Listed { person: id.to_owned(), identity: claim.id.clone(), gallery };
    std::iter::once(String::new()).chain(galleries).map(row).collect()
}

fn relist(
    desk: Desk<'_>,
    id: &str,
    before: Option<&Claim>,
    after: Option<&Claim>,
) -> Result<(), PersonError> {
    let rows = |claim: Option<&Claim>| claim.map(|claim| rows_of(id, claim)).unwrap_or_default();
    let (on, mut off) = (rows(after), rows(before));
    off.retain(|row| !on.contains(row));
    file::enlist(desk.store, desk.keys, desk.agency, Part::Identity, (on, off))
}

fn unlist(desk: Desk<'_>, id: &str, claims: &[Claim]) -> Result<(), PersonError> {
    let off = claims.iter().flat_map(|claim| rows_of(id, claim)).collect();
    file::enlist(desk.store, desk.keys, desk.agency, Part::Identity, (Vec::new(), off))
}

impl Desk<'_> {
    /// Runs `work` on the agency's folder of `person`. With `file`, it is begun if there is none.
    pub(crate) fn in_folder<T: Send + 'static>(
        self,
        person: PersonId,
        file: Option<File>,
        work: impl for<'u> Fn(&mut Tx<'u>, &Folder<'u>) -> Result<T, PersonError> + Send + 'static,
    ) -> Result<T, PersonError> {
        let (keys, pack, env) = (self.keys.clone(), std::sync::Arc::clone(self.pack), self.env.again());
        let agency = self.agency.clone();
        let bucket = kaname_trust::person::bucket_of(person, self.store.buckets());
        self.store.write(bucket, move |tx| {
            let folder = match &file {
                None => Folder::open(tx, &keys, &pack, &env.again(), &agency, person)?,
                Some(new) => {
                    let folder = Folder::begin(tx, &keys, &pack, &env.again(), &agency, person)?;
                    if folder.file(tx)?.is_none() {
                        folder.put_file(tx, new)?;
                    }
                    folder
                }
            };
            work(tx, &folder)
        })
    }
}

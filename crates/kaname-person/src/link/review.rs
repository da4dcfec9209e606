//! Use case: officers decide what no machine may. The record and each candidate stand side by side; one officer proposes, another one
//! agrees, where the pack asks for four eyes.

use kaname_base::{Env, Instant};
use kaname_store::StoreError;
use kaname_trust::keys::BlindIndex;
use kaname_trust::{Actor, PersonId};
use serde::{Deserialize, Serialize};

use super::case::{Case, open_case, read_case, wrap_case};
use super::make::{NewLink, link_many};
use super::table::{self, EntryRow, Standing};
use super::{Desk, Doubt, Evidence, Method, incident, link_id, lookup};
use crate::show::resident_with;
use crate::{Action, Particulars, PersonError, Refusal, Resident, policy, serial};

/// What an officer proposes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Whose it is; nobody's when `None`.
    pub choice: Option<Choice>,
    /// Who proposes.
    pub by: Actor,
    /// Why, in the officer's words.
    pub why: String,
    /// When.
    pub at: Instant,
}

/// One of the candidates of a case.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Who.
    #[serde(with = "serial::person")]
    pub person: PersonId,
}

/// A case in the list: it names nobody.
#[derive(Clone)]
pub struct Waiting {
    /// Its name: the blind index of the outside record.
    pub id: BlindIndex,
    /// Which kind of record.
    pub source: String,
    /// Why no machine decided.
    pub doubt: Doubt,
    /// How many residents come into question.
    pub candidates: usize,
    /// Since when it waits.
    pub since: Instant,
    /// Who has proposed something.
    pub proposed_by: Option<Actor>,
}

/// A case, opened.
pub struct Opened {
    /// Its name.
    pub id: BlindIndex,
    /// Which kind of record.
    pub source: String,
    /// Why no machine decided.
    pub doubt: Doubt,
    /// What the agency says.
    pub record: Particulars,
    /// Who comes into question, the most probable first; without those who have left the register.
    pub candidates: Vec<(PersonId, Evidence, Resident)>,
    /// What was proposed.
    pub proposal: Option<Proposal>,
}

/// What waits for an officer, over all buckets; at most `most`.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub fn waiting(desk: &Desk, by: &Actor, most: usize) -> Result<Vec<Waiting>, PersonError> {
    policy::may(by, Action::ReviewLink)?;
    let mut cases = Vec::new();
    for bucket in desk.store.buckets().all() {
        let left = i64::try_from(most - cases.len()).unwrap_or(i64::MAX);
        let rows = desk.store.read::<_, StoreError, _>(bucket, move |tx| table::in_review(tx, left))?;
        for (id, opened) in rows {
            let case = read_case(desk, &id, &opened)?;
            cases.push(Waiting {
                id,
                source: case.source,
                doubt: case.doubt,
                candidates: case.candidates.len(),
                since: case.at,
                proposed_by: case.proposal.map(|proposal| proposal.by),
            });
        }
        if cases.len() >= most {
            break;
        }
    }
    cases.sort_by_key(|case| case.since);
    Ok(cases)
}

/// Opens a case: each candidate finds in her log that she was looked at, and for which source.
///
/// # Errors
/// [`Refusal::NotAllowed`], [`Refusal::NoSuchCase`].
pub fn open(desk: &Desk, env: &Env, by: &Actor, id: BlindIndex) -> Result<Opened, PersonError> {
    policy::may(by, Action::ReviewLink)?;
    let (_, case) = find(desk, id)?;
    let source = desk.source(&case.source)?.clone();
    let mut candidates = Vec::with_capacity(case.candidates.len());
    for shown in &case.candidates {
        let (with, env, by, person) = (desk.clone(), env.again(), by.clone(), shown.person);
        let purpose = source.purpose.clone();
        let code = source.code.clone();
        let opened = desk.store.write(desk.bucket_of(person), move |tx| {
            let fields: Vec<&str> = lookup::COMPARED.into_iter().chain([code.as_str()]).collect();
            let receipt = lookup::log(tx, &with, &env.again(), &by, person, &purpose, &fields)?;
            resident_with(tx, &receipt)
        });
        match opened {
            Ok(resident) => candidates.push((person, shown.evidence.clone(), resident)),
            Err(PersonError::Refused(Refusal::NoSuchResident)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Opened {
        id,
        source: case.source,
        doubt: case.doubt,
        record: case.record,
        candidates,
        proposal: case.proposal,
    })
}

/// What an officer says of a case.
#[derive(Clone)]
pub struct Decide<'a> {
    /// Which case.
    pub id: BlindIndex,
    /// Whose the record is; nobody's when `None`.
    pub choice: Option<PersonId>,
    /// Who decides.
    pub by: Actor,
    /// Why.
    pub why: &'a str,
}

/// What became of a decision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decided {
    /// It waits for a second officer.
    Proposed,
    /// It was done.
    Done,
    /// The second officer says otherwise: the first proposal is taken back, and this one stands in its place.
    Differs,
}

/// Decides a case. With four eyes the first officer proposes; when another one decides the same, it is done.
///
/// # Errors
/// [`Refusal::NotAllowed`], [`Refusal::NoSuchCase`], [`Refusal::NoSuchCandidate`], [`Refusal::OwnDecision`] for the same officer
/// twice, [`Refusal::ReasonMissing`], [`Refusal::HasOne`] when she has as many records of this source as a person may have.
pub fn decide(desk: &Desk, env: &Env, ask: &Decide<'_>) -> Result<Decided, PersonError> {
    policy::may(&ask.by, Action::ReviewLink)?;
    policy::says_why(&[ask.why])?;
    let (entry, case) = find(desk, ask.id)?;
    let source = desk.source(&case.source)?.clone();
    let evidence = match ask.choice {
        None => None,
        Some(person) => {
            let shown = case.candidates.iter().find(|shown| shown.person == person);
            Some(shown.ok_or(Refusal::NoSuchCandidate)?.evidence.clone())
        }
    };
    let choice = ask.choice.map(|person| Choice { person });
    // Decided, and cut off before it was done: only that can be done.
    if entry.owner.is_some_and(|(person, _)| ask.choice != Some(person)) {
        return Err(Refusal::NoSuchCase.into());
    }
    if source.four_eyes {
        let seconded = case.proposal.as_ref();
        if seconded.is_some_and(|proposal| proposal.by.id == ask.by.id) {
            return Err(Refusal::OwnDecision.into());
        }
        if seconded.is_none_or(|proposal| proposal.choice != choice) {
            let decided = if seconded.is_none() { Decided::Proposed } else { Decided::Differs };
            let proposal = Proposal { choice, by: ask.by.clone(), why: ask.why.to_owned(), at: env.now };
            let case = Case { proposal: Some(proposal), ..case };
            let mut entry = entry;
            entry.opened = wrap_case(desk, &entry.outside, &case);
            put(desk, entry)?;
            return Ok(decided);
        }
    }
    let first = case.proposal.map_or_else(|| ask.by.clone(), |proposal| proposal.by);
    let Some((person, evidence)) = ask.choice.zip(evidence) else {
        let refused = EntryRow { standing: Standing::Refused, opened: Vec::new(), ..entry };
        put(desk, refused)?;
        return Ok(Decided::Done);
    };

    let turn = entry.turn;
    let new = NewLink {
        id: link_id(&desk.keys, &entry.outside, person, turn),
        person,
        outside: entry.outside,
        record: case.record,
        evidence,
        turn,
        method: Method::Review,
        by: first.clone(),
        approved_by: (first.id != ask.by.id).then(|| ask.by.clone()),
    };
    // Claimed before it is linked, so that of two officers at once one does it. The case stays beside the claim: killed in between, an
    // officer decides the same once more, and the same link is made.
    let owner = Some((person, new.id));
    let was_claimed = entry.standing == Standing::Claimed;
    let mut claimed = EntryRow { standing: Standing::Claimed, owner, ..entry };
    if !was_claimed {
        put(desk, claimed.clone())?;
        claimed.version += 1;
    }
    let (with, again, of, new_link) = (desk.clone(), env.again(), source, new.clone());
    let linked = desk.store.write(desk.bucket_of(person), move |tx| {
        link_many(tx, &with, &again.again(), &of, std::slice::from_ref(&new_link))
    })?;
    if linked != [true] {
        put(desk, EntryRow { standing: Standing::Review, owner: None, ..claimed })?;
        return Err(Refusal::HasOne.into());
    }
    confirm(desk, env, &claimed)?;
    Ok(Decided::Done)
}

fn find(desk: &Desk, id: BlindIndex) -> Result<(EntryRow, Case), PersonError> {
    let bucket = desk.directory_bucket(&id);
    let found = desk.store.read::<_, StoreError, _>(bucket, move |tx| table::entries(tx, &[id]))?;
    let waits = |entry: &EntryRow| match entry.standing {
        Standing::Review => true,
        Standing::Claimed => !entry.opened.is_empty(),
        _ => false,
    };
    let entry = found.into_iter().next().flatten().filter(waits).ok_or(Refusal::NoSuchCase)?;
    let case = open_case(desk, &entry)?;
    Ok((entry, case))
}

fn put(desk: &Desk, entry: EntryRow) -> Result<(), PersonError> {
    let bucket = desk.directory_bucket(&entry.outside);
    desk.store.write(bucket, move |tx| {
        // Another officer was faster: his decision stands, and this one is told.
        let there = table::entries(tx, &[entry.outside])?.pop().flatten();
        if there.map_or(0, |there| there.version) != entry.version {
            return Err(PersonError::from(Refusal::NoSuchCase));
        }
        Ok(table::put_entries(tx, std::slice::from_ref(&entry))?)
    })
}

/// Says in the directory that a claim was kept. A list that was checked in between may have made a case of the record again: the
/// officers' word stands. Where it gave the record to another resident, one record would have two links: this one is suspended.
fn confirm(desk: &Desk, env: &Env, claimed: &EntryRow) -> Result<(), PersonError> {
    let Some(owner) = claimed.owner else { return Ok(()) };
    let outside = claimed.outside;
    let is_owner = desk.store.write::<_, PersonError, _>(desk.directory_bucket(&outside), move |tx| {
        let Some(there) = table::entries(tx, &[outside])?.pop().flatten() else { return Ok(false) };
        if there.owner.is_some_and(|other| other != owner) {
            return Ok(false);
        }
        if there.standing != Standing::Linked {
            let linked =
                EntryRow { standing: Standing::Linked, owner: Some(owner), opened: Vec::new(), ..there };
            table::put_entries(tx, &[linked])?;
        }
        Ok(true)
    })?;
    if is_owner {
        return Ok(());
    }
    let by = Actor::program("link-check", policy::PROGRAM);
    let (person, link) = owner;
    incident::report(desk, env, &incident::Report { person, link, by, why: "shared-record".to_owned() })?;
    Err(Refusal::NoSuchCase.into())
}

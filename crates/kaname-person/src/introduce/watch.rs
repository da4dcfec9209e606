//! Use cases: who vouches for people without papers, how many each has brought in, and that one of them may no more.

use kaname_base::{Env, Instant};
use kaname_store::{StoreError, Tx};
use kaname_trust::access::{self, Access};
use kaname_trust::{Actor, PersonId, Receipt, Record};
use serde::{Deserialize, Serialize};

use super::table;
use super::{Introducer, Introduction, close, introductions, open};
use crate::audit::{Draft, Kind, raise};
use crate::event::basis;
use crate::link::Desk;
use crate::show::record_with;
use crate::{Action, OfficerId, PersonError, Refusal, officer, policy};

/// An introducer in the list; it opens nobody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// Who.
    pub introducer: Introducer,
    /// The name, of an officer; a resident's is opened with the rest.
    pub name: Option<String>,
    /// For how many people, over all years.
    pub brought: u64,
    /// Whether she may vouch for nobody now.
    pub suspended: bool,
}

/// An introducer with everybody whom she brought in.
pub struct Opened {
    /// Who.
    pub known: Known,
    /// Oldest first.
    pub brought: Vec<Brought>,
    /// What was decided about her.
    pub standing: Vec<Step>,
}

/// Somebody who was registered on an introducer's word.
pub struct Brought {
    /// Who.
    pub person: PersonId,
    /// Her name as it is now.
    pub name: String,
    /// When.
    pub at: Instant,
    /// The officer who registered her.
    pub by: Actor,
    /// From where the introducer knew her.
    pub how: String,
}

/// What officers decided about an introducer. Sealed beside a resident, wrapped for an officer.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Standing {
    steps: Vec<Step>,
}

/// One decision.
#[derive(Clone, Serialize, Deserialize)]
pub struct Step {
    /// Whether she may vouch for nobody since.
    pub suspended: bool,
    /// Who decided it.
    pub by: Actor,
    /// When.
    pub at: Instant,
    /// Why.
    pub why: String,
}

impl Record for Standing {
    const KIND: &'static str = "person.introducer";
}

/// Who has vouched for somebody, at most `most` of each bucket: opens nobody.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub fn list(desk: &Desk, by: &Actor, most: usize) -> Result<Vec<Known>, PersonError> {
    policy::may(by, Action::WatchIntroducers)?;
    let home = desk.store.buckets().home();
    let keys = desk.keys.clone();
    let officers = desk.store.read::<_, PersonError, _>(home, move |tx| officer::officers(tx, &keys))?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut all = Vec::new();
    for bucket in desk.store.buckets().all() {
        let found = desk.store.read::<_, StoreError, _>(bucket, move |tx| {
            let counts = table::counts(tx, most)?;
            let with = |(id, brought)| {
                let suspended = table::standing(tx, &id)?.is_some_and(|row| row.suspended);
                Ok((id, brought, suspended))
            };
            counts.into_iter().map(with).collect::<Result<Vec<_>, StoreError>>()
        })?;
        all.extend(found.into_iter().map(|(id, brought, suspended)| {
            let staff = officers.iter().find(|one| bucket == home && one.id == OfficerId::from_bytes(id));
            let introducer = Introducer::of(id, staff.is_some());
            Known { introducer, name: staff.map(|one| one.name.clone()), brought, suspended }
        }));
    }
    all.sort_by_key(|known| std::cmp::Reverse(known.brought));
    Ok(all)
}

/// Opens an introducer and everybody whom she brought in, each with a line in her log.
///
/// # Errors
/// [`Refusal::NotAllowed`], [`Refusal::NoIntroducer`] when nobody of this name ever vouched.
pub fn open_one(desk: &Desk, env: &Env, by: &Actor, introducer: Introducer) -> Result<Opened, PersonError> {
    policy::may(by, Action::WatchIntroducers)?;
    let (name, kept, standing) = look(desk, env, by, introducer)?;
    let mut brought = Vec::with_capacity(kept.len());
    for Introduction { person, at, by: registrar, how, .. } in kept {
        let (with, again, actor) = (desk.clone(), env.again(), by.clone());
        let name = desk.store.write::<_, PersonError, _>(desk.bucket_of(person), move |tx| {
            let receipt = receipt(tx, &with, &again.again(), &actor, person, &["name"])?;
            Ok(record_with(tx, &receipt)?.display_name(&with.pack))
        });
        let name = match name {
            Ok(name) => name,
            Err(PersonError::Refused(Refusal::NoSuchResident)) => String::new(),
            Err(error) => return Err(error),
        };
        brought.push(Brought { person, name, at, by: registrar, how });
    }
    let suspended = standing.steps.last().is_some_and(|step| step.suspended);
    let known = Known { introducer, name, brought: brought.len() as u64, suspended };
    Ok(Opened { known, brought, standing: standing.steps })
}

/// Ends that somebody may vouch, or lets her again. When it ends, everybody whom she brought in is listed for officers to look at, as
/// findings of the audit; asked again after a crash, the rest is listed. How many are new in that list.
///
/// # Errors
/// [`Refusal::NotAllowed`], [`Refusal::ReasonMissing`], [`Refusal::NoIntroducer`].
pub fn set_standing(
    desk: &Desk,
    env: &Env,
    by: &Actor,
    introducer: Introducer,
    suspended: bool,
    why: &str,
) -> Result<u64, PersonError> {
    policy::may(by, Action::SuspendIntroducer)?;
    policy::says_why(&[why])?;
    let step = Step { suspended, by: by.clone(), at: env.now, why: why.to_owned() };
    let bucket = introducer.bucket(&desk.store).ok_or(Refusal::NoIntroducer)?;
    let (with, again) = (desk.clone(), env.again());
    let (brought, times) = desk.store.write::<_, PersonError, _>(bucket, move |tx| {
        let id = introducer.bytes();
        let receipt = match introducer {
            Introducer::Officer(_) => None,
            Introducer::Resident(person) => {
                Some(receipt(tx, &with, &again.again(), &step.by, person, &["introduction"])?)
            }
        };
        let kept = introductions(tx, &with.keys, introducer, receipt.as_ref())?;
        if kept.is_empty() {
            return Err(Refusal::NoIntroducer.into());
        }
        let was = table::standing(tx, &id)?;
        let mut standing = match &was {
            Some(row) => open::<Standing>(&with.keys, introducer, receipt.as_ref(), &row.sealed)?,
            None => Standing::default(),
        };
        let is_so = was.as_ref().is_some_and(|row| row.suspended) == suspended;
        if !is_so {
            standing.steps.push(step.clone());
        }
        let times = standing.steps.iter().filter(|step| step.suspended).count();
        let people: Vec<PersonId> =
            kept.into_iter().filter(|(_, one)| one.registered).map(|(_, one)| one.person).collect();

        if !is_so {
            let sealed = close(tx, &with.keys, introducer, &standing)?;
            table::set_standing(tx, &id, was.as_ref(), suspended, &sealed)?;
        }
        Ok((people, times))
    })?;
    let mut new = 0;
    if suspended {
        // Whoever was suspended before, and looked at, is looked at once more.
        let detail = format!("version {times}");
        for person in brought {
            let people = match introducer {
                Introducer::Resident(introducer) => vec![person, introducer],
                Introducer::Officer(_) => vec![person],
            };
            let draft = Draft { kind: Kind::IntroducerSuspended, people, link: None, detail: detail.clone() };
            new += u64::from(raise(desk, env, &Actor::program("introducers", policy::PROGRAM), &draft)?);
        }
    }
    Ok(new)
}

/// The name of an introducer, for whom she vouched, and what was decided about her.
fn look(
    desk: &Desk,
    env: &Env,
    by: &Actor,
    introducer: Introducer,
) -> Result<(Option<String>, Vec<Introduction>, Standing), PersonError> {
    let bucket = introducer.bucket(&desk.store).ok_or(Refusal::NoIntroducer)?;
    let (with, again, by) = (desk.clone(), env.again(), by.clone());
    desk.store.write(bucket, move |tx| {
        let (receipt, name) = match introducer {
            Introducer::Officer(id) => (None, officer::officer(tx, &with.keys, id)?.name),
            Introducer::Resident(person) => {
                let receipt = receipt(tx, &with, &again.again(), &by, person, &["name", "introduction"])?;
                let name = record_with(tx, &receipt)?.display_name(&with.pack);
                (Some(receipt), name)
            }
        };
        let kept = introductions(tx, &with.keys, introducer, receipt.as_ref())?;
        if kept.is_empty() {
            return Err(Refusal::NoIntroducer.into());
        }
        let standing = match table::standing(tx, &introducer.bytes())? {
            Some(row) => open(&with.keys, introducer, receipt.as_ref(), &row.sealed)?,
            None => Standing::default(),
        };
        let kept = kept.into_iter().map(|(_, one)| one).filter(|one| one.registered).collect();
        Ok((Some(name), kept, standing))
    })
}

fn receipt<'u>(
    tx: &mut Tx<'u>,
    desk: &Desk,
    env: &Env,
    actor: &Actor,
    person: PersonId,
    fields: &[&str],
) -> Result<Receipt<'u>, PersonError> {
    if crate::table::resident(tx, person)?.is_none() {
        return Err(Refusal::NoSuchResident.into());
    }
    let purpose = policy::puts_right(&actor.role);
    let access = Access { person, actor, purpose, basis: basis(&desk.pack, purpose), fields };
    Ok(access::record(tx, &desk.keys, env, &access)?)
}

//! Use case: is this person here already? Asked before somebody is registered; whoever looks like her is opened, each with an entry in
//! her own log, and compared. A registration that finds somebody waits for an officer's decision, which stands in the event.
//!
//! People are found by the index of keyed blocking hashes ([`kept`]), which is written before the person herself: a key of somebody
//! who is not there is passed over, but somebody without keys would never be found again.

use std::collections::BTreeMap;

use kaname_base::pack::Pack;
use kaname_base::{Bucket, Env};
use kaname_store::{Store, StoreError, Tx};
use kaname_trust::access::{self, Access};
use kaname_trust::keys::BlindIndex;
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, Keys, PersonId};

use crate::event::basis;
use crate::link::lookup::past_and_present;
use crate::link::table::with_key;
use crate::linkage::{Evidence, Model, Profile, compare};
use crate::register::{Register, person_of, register};
use crate::scatter::{scatter, scatter_reads};
use crate::show::record_with;
use crate::{Action, Numbers, Particulars, PersonError, Refusal, policy, table};

pub(crate) mod kept;

/// Somebody who may be the same person.
#[derive(Clone)]
pub struct Candidate {
    /// Who.
    pub person: PersonId,
    /// What speaks for it and against it, field by field.
    pub evidence: Evidence,
}

/// What an officer decided who looked at those who look like the person before her.
#[derive(Clone)]
pub struct Decision {
    /// Who they are not.
    pub others: Vec<PersonId>,
    /// Why.
    pub why: String,
}

/// The purpose for which candidates are opened.
const PURPOSE: &str = "duplicate-check";

/// What of a candidate is read; stands in her log.
const COMPARED: [&str; 6] = ["name", "birth_date", "sex", "birth_place", "address", "phone"];

/// More people than this under one key are no evidence for any of them.
const MOST_UNDER_A_KEY: i64 = 64;

/// At most so many are opened for one question: those who share most keys.
const MOST_OPENED: usize = 32;

/// From this weight on, somebody looks like the person: one chance in seventeen, because to overlook one costs more than to look.
pub const LOOKS_LIKE: f32 = -4.0;

/// Those who may be the person of `particulars`, the likeliest first. Each who is compared has an entry in her log.
///
/// # Errors
/// [`Refusal::NotAllowed`], [`Refusal::UnknownPurpose`].
pub fn find_duplicates(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    actor: &Actor,
    particulars: &Particulars,
) -> Result<Vec<Candidate>, PersonError> {
    policy::may(actor, Action::FindDuplicates)?;
    if pack.purpose(PURPOSE).is_none() {
        return Err(Refusal::UnknownPurpose.into());
    }
    let profiles = profiles(particulars, pack);
    let people = search(store, kept::keys_of(keys, &profiles))?;
    let mut by_bucket: BTreeMap<Bucket, Vec<PersonId>> = BTreeMap::new();
    for person in people {
        by_bucket.entry(bucket_of(person, store.buckets())).or_default().push(person);
    }
    // A thousand people share a bucket, at least: enough to say how common a coincidence is.
    let model = Model::built_in(u64::from(store.buckets().count()) * kaname_base::bucket::PEOPLE_PER_BUCKET);
    let shared = std::sync::Arc::new((model, profiles, pack.clone(), actor.clone(), keys.clone()));
    let units = by_bucket.into_iter().map(|(bucket, people)| {
        let (shared, env) = (std::sync::Arc::clone(&shared), env.again());
        (bucket, move |tx: &mut Tx<'_>| {
            let (model, profiles, pack, actor, keys) = &*shared;
            open_and_compare(tx, keys, pack, &env.again(), actor, model, profiles, &people)
        })
    });
    let mut candidates: Vec<Candidate> =
        scatter(store, units.collect())?.gather()?.into_iter().flatten().collect();
    candidates.sort_by(|a, b| b.evidence.weight.total_cmp(&a.evidence.weight));
    Ok(candidates)
}

/// Registers a resident at a counter unless somebody who is here looks like her, or an officer has decided that they are others. The
/// decision stands in the event of her registration.
///
/// # Errors
/// As [`register`]; [`Refusal::LooksLikeSomebody`].
pub fn register_checked(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    numbers: &Numbers,
    env: &Env,
    ask: &Register<'_>,
    decision: Option<&Decision>,
) -> Result<PersonId, PersonError> {
    policy::may(&ask.by, Action::RegisterResident)?;
    let particulars = Particulars::check(&ask.entry, pack, env.now.date_in(&pack.time_zone))?;
    let herself = person_of(store, keys, ask, &particulars);
    let known = store.read::<_, StoreError, _>(bucket_of(herself, store.buckets()), move |tx| {
        table::origins(tx, &[herself])
    })?;
    // The same form sent twice, or a reference that is known: nobody new is entered.
    if known.iter().any(Option::is_some) {
        return register(store, keys, pack, numbers, env, ask);
    }
    let others: Vec<PersonId> = find_duplicates(store, keys, pack, env, &ask.by, &particulars)?
        .into_iter()
        .filter(|candidate| candidate.evidence.weight >= LOOKS_LIKE)
        .map(|candidate| candidate.person)
        .collect();
    let decided = |person: &PersonId| decision.is_some_and(|decision| decision.others.contains(person));
    if !others.iter().all(decided) {
        return Err(Refusal::LooksLikeSomebody.into());
    }
    match decision.filter(|_| !others.is_empty()) {
        None => register(store, keys, pack, numbers, env, ask),
        Some(decision) => {
            let evidence = format!(
                "{}; decided to be somebody else than {} who look alike: {}",
                ask.evidence,
                others.len(),
                decision.why
            );
            register(store, keys, pack, numbers, env, &Register { evidence: &evidence, ..ask.clone() })
        }
    }
}

/// The forms in which a person of these particulars is looked for: as she is, and by the name that she had.
pub(crate) fn profiles(particulars: &Particulars, pack: &Pack) -> Vec<Profile> {
    let mut profiles = vec![Profile::of(particulars, pack)];
    if let Some(former) = &particulars.former_name {
        let before = Particulars { name: former.clone(), reading: None, latin: None, ..particulars.clone() };
        profiles.push(Profile::of(&before, pack));
    }
    profiles
}

/// Those under any of the keys, those under most of them first.
fn search(store: &Store, keys: Vec<BlindIndex>) -> Result<Vec<PersonId>, PersonError> {
    let mut by_bucket: BTreeMap<Bucket, Vec<BlindIndex>> = BTreeMap::new();
    for key in keys {
        by_bucket.entry(store.buckets().of_hash(&key)).or_default().push(key);
    }
    let units = by_bucket.into_iter().map(|(bucket, keys)| {
        let work = move |tx: &mut Tx<'_>| {
            let mut found = Vec::new();
            for key in &keys {
                let people = with_key(tx, key, MOST_UNDER_A_KEY + 1)?;
                if people.len() as i64 <= MOST_UNDER_A_KEY {
                    found.extend(people);
                }
            }
            Ok::<_, PersonError>(found)
        };
        (bucket, work)
    });
    let mut times: BTreeMap<PersonId, usize> = BTreeMap::new();
    for person in scatter_reads(store, units.collect())?.gather()?.into_iter().flatten() {
        *times.entry(person).or_default() += 1;
    }
    let mut people: Vec<(usize, PersonId)> =
        times.into_iter().map(|(person, times)| (times, person)).collect();
    people.sort_by(|a, b| b.cmp(a));
    people.truncate(MOST_OPENED);
    Ok(people.into_iter().map(|(_, person)| person).collect())
}

/// Opens these people of the unit's bucket, each with an entry in her log, and compares each with the person in question.
#[expect(clippy::too_many_arguments, reason = "what one unit of work needs; a struct would name them twice")]
fn open_and_compare(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    actor: &Actor,
    model: &Model,
    profiles: &[Profile],
    people: &[PersonId],
) -> Result<Vec<Candidate>, PersonError> {
    // The index is written before the person: it may name somebody who never came to be.
    let mut here = Vec::with_capacity(people.len());
    for person in people {
        if table::resident(tx, *person)?.is_some() {
            here.push(*person);
        }
    }
    let basis = basis(pack, PURPOSE);
    let accesses: Vec<Access<'_>> = here
        .iter()
        .map(|person| Access { person: *person, actor, purpose: PURPOSE, basis, fields: &COMPARED })
        .collect();
    let receipts = access::record_many(tx, keys, env, &accesses)?;
    let mut candidates = Vec::with_capacity(receipts.len());
    for receipt in &receipts {
        let resident = record_with(tx, receipt)?;
        let forms: Vec<Profile> =
            past_and_present(&resident).iter().flat_map(|form| self::profiles(form, pack)).collect();
        let best = profiles
            .iter()
            .flat_map(|profile| forms.iter().map(move |form| compare(model, profile, form)))
            .max_by(|a, b| a.weight.total_cmp(&b.weight));
        if let Some(evidence) = best {
            candidates.push(Candidate { person: receipt.person(), evidence });
        }
    }
    Ok(candidates)
}

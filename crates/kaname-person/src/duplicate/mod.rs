//! Use case: is this person here already? Asked before somebody is registered; whoever looks like her is opened, each with an entry in
//! her own log, and compared. A registration that finds somebody waits for an officer's decision, which stands in the event.
//!
//! People are found by the index of keyed blocking hashes ([`kept`]), which is written before the person herself: a key of somebody
//! who is not there is passed over, but somebody without keys would never be found again.

use std::collections::BTreeMap;
use std::sync::Arc;

use kaname_base::pack::Pack;
use kaname_base::{Bucket, Env};
use kaname_store::{Store, StoreError, Tx};
use kaname_trust::access::{self, Access};
use kaname_trust::keys::BlindIndex;
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, Keys, PersonId};

use crate::event::basis;
use crate::link::lookup::past_and_present;
use crate::link::table::{count_seen, with_key};
use crate::linkage::{Crowd, Evidence, KeyKind, Profile, compare_found};
use crate::register::{Register, person_of, register};
use crate::scatter::{scatter, scatter_reads};
use crate::show::record_with;
use crate::{Action, Numbers, Particulars, PersonError, Refusal, policy, table};

pub(crate) mod kept;

use kept::KeysOf;

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
const COMPARED: [&str; 7] = ["name", "birth_date", "sex", "birth_place", "address", "phone", "email"];

/// More people than this under one key are no evidence for any of them.
const MOST_UNDER_A_KEY: i64 = 64;

/// At most so many are opened for one question: those who share most keys.
const MOST_OPENED: usize = 32;

/// From this weight on, somebody looks like the person: one chance in five, because to overlook one costs more than to look.
pub const LOOKS_LIKE: f32 = -2.0;

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
    look(store, keys, pack, env, actor, particulars)
}

/// [`find_duplicates`] for whoever may register somebody: nothing of those who are found is told.
fn look(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    actor: &Actor,
    particulars: &Particulars,
) -> Result<Vec<Candidate>, PersonError> {
    if pack.purpose(PURPOSE).is_none() {
        return Err(Refusal::UnknownPurpose.into());
    }
    let forms = search(store, keys, profiles(particulars, pack))?;
    let residents = count(store)?;
    let mut by_bucket: BTreeMap<Bucket, Vec<PersonId>> = BTreeMap::new();
    for person in most_shared(&forms) {
        by_bucket.entry(bucket_of(person, store.buckets())).or_default().push(person);
    }
    let shared =
        Arc::new(Question { forms, residents, keys: keys.clone(), pack: pack.clone(), actor: actor.clone() });
    let units = by_bucket.into_iter().map(|(bucket, people)| {
        let (question, env) = (Arc::clone(&shared), env.again());
        (bucket, move |tx: &mut Tx<'_>| question.open_and_compare(tx, &env.again(), &people))
    });
    let mut candidates: Vec<Candidate> =
        scatter(store, units.collect())?.gather()?.into_iter().flatten().collect();
    candidates.sort_by(|a, b| b.evidence.weight.total_cmp(&a.evidence.weight));
    Ok(candidates)
}

/// Registers a resident unless somebody who is here looks like her, or an officer has decided that they are others. The decision stands
/// in the event of her registration. Whoever comes one by one comes through here: at a counter, from an agency, out of a packet.
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
    let is_decided = |other: &PersonId| decision.is_some_and(|decision| decision.others.contains(other));
    let why = decision.map(|decision| decision.why.as_str());
    register_unless(store, keys, pack, numbers, env, ask, &is_decided, why)
}

/// As [`register_checked`], when an officer has decided that the person is nobody who is here, whoever looks like her.
///
/// # Errors
/// As [`register`].
pub(crate) fn register_as_new(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    numbers: &Numbers,
    env: &Env,
    ask: &Register<'_>,
    why: &str,
) -> Result<PersonId, PersonError> {
    register_unless(store, keys, pack, numbers, env, ask, &|_| true, Some(why))
}

#[expect(clippy::too_many_arguments, reason = "those of a registration, and the decision in two parts")]
fn register_unless(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    numbers: &Numbers,
    env: &Env,
    ask: &Register<'_>,
    is_decided: &dyn Fn(&PersonId) -> bool,
    why: Option<&str>,
) -> Result<PersonId, PersonError> {
    policy::may(&ask.by, Action::RegisterResident)?;
    let particulars = Particulars::check(&ask.entry, pack, env.now.date_in(&pack.time_zone))?;
    let herself = person_of(store, keys, ask, &particulars);
    // The same form sent twice, or a reference that is known: nobody new is entered.
    if is_here(store, herself)? {
        return register(store, keys, pack, numbers, env, ask);
    }
    let others: Vec<PersonId> = look(store, keys, pack, env, &ask.by, &particulars)?
        .into_iter()
        // The same form sent twice at once: whoever was faster has entered her by now.
        .filter(|candidate| candidate.person != herself && candidate.evidence.weight >= LOOKS_LIKE)
        .map(|candidate| candidate.person)
        .collect();
    if !others.iter().all(is_decided) {
        return Err(Refusal::LooksLikeSomebody.into());
    }
    match why.filter(|_| !others.is_empty()) {
        None => register(store, keys, pack, numbers, env, ask),
        Some(why) => {
            policy::says_why(&[why])?;
            let evidence = format!(
                "{}; decided to be somebody else than {} who look alike: {}",
                ask.evidence,
                others.len(),
                why
            );
            register(store, keys, pack, numbers, env, &Register { evidence: &evidence, ..ask.clone() })
        }
    }
}

/// Whether a registration is one that was entered before: nobody new comes of it, and nobody is looked for.
///
/// # Errors
/// [`Refusal::Invalid`]; [`PersonError::Store`].
pub(crate) fn is_entered(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &Register<'_>,
) -> Result<bool, PersonError> {
    let particulars = Particulars::check(&ask.entry, pack, env.now.date_in(&pack.time_zone))?;
    is_here(store, person_of(store, keys, ask, &particulars))
}

fn is_here(store: &Store, person: PersonId) -> Result<bool, PersonError> {
    let known = store.read::<_, StoreError, _>(bucket_of(person, store.buckets()), move |tx| {
        table::origins(tx, &[person])
    })?;
    Ok(known.iter().any(Option::is_some))
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

/// How many people are in the register: those of one bucket, times the buckets.
fn count(store: &Store) -> Result<u64, PersonError> {
    let buckets = store.buckets();
    let of_one = store.read::<_, StoreError, _>(buckets.home(), count_seen)?;
    Ok(of_one * u64::from(buckets.count()))
}

/// The person in question in one form, and who stands under the keys of it: of each at most one more than is evidence.
struct Form {
    profile: Profile,
    found: Vec<(KeyKind, Vec<PersonId>)>,
    /// Those of her names in other years; they are counted, and no candidates.
    namesakes: Vec<Vec<PersonId>>,
}

impl Form {
    /// How many share each key with the person in question, beside this one.
    fn beside(&self, person: PersonId) -> Crowd {
        let others = |people: &Vec<PersonId>| people.iter().filter(|other| **other != person).count();
        Crowd {
            under: self.found.iter().map(|(kind, people)| (*kind, others(people))).collect(),
            namesakes: self.namesakes.iter().map(others).sum(),
            years: self.namesakes.len(),
        }
    }
}

/// Looks the keys of each form up.
fn search(store: &Store, keys: &Keys, profiles: Vec<Profile>) -> Result<Vec<Form>, PersonError> {
    let made = kept::keys_by_form(keys, &profiles);
    let mut by_bucket: BTreeMap<Bucket, Vec<BlindIndex>> = BTreeMap::new();
    for key in made.iter().flat_map(|keys| keys.by_kind.iter().map(|(_, key)| key).chain(&keys.namesakes)) {
        by_bucket.entry(store.buckets().of_hash(key)).or_default().push(*key);
    }
    let units = by_bucket.into_iter().map(|(bucket, mut keys)| {
        keys.sort_unstable();
        keys.dedup();
        let work = move |tx: &mut Tx<'_>| {
            let under = |key: &BlindIndex| Ok((*key, with_key(tx, key, MOST_UNDER_A_KEY + 1)?));
            keys.iter().map(under).collect::<Result<Vec<_>, PersonError>>()
        };
        (bucket, work)
    });
    let found: BTreeMap<BlindIndex, Vec<PersonId>> =
        scatter_reads(store, units.collect())?.gather()?.into_iter().flatten().collect();
    let under = |key: &BlindIndex| found.get(key).cloned().unwrap_or_default();
    let of_form = |(profile, made): (Profile, KeysOf)| Form {
        profile,
        found: made.by_kind.iter().map(|(kind, key)| (*kind, under(key))).collect(),
        namesakes: made.namesakes.iter().map(under).collect(),
    };
    Ok(profiles.into_iter().zip(made).map(of_form).collect())
}

/// Those who share keys with the person, as many as are opened: first those who share what few have.
fn most_shared(forms: &[Form]) -> Vec<PersonId> {
    let mut shared: BTreeMap<PersonId, f64> = BTreeMap::new();
    for (_, people) in forms.iter().flat_map(|form| &form.found) {
        if people.len() as i64 <= MOST_UNDER_A_KEY {
            for person in people {
                *shared.entry(*person).or_default() += 1.0 / people.len() as f64;
            }
        }
    }
    let mut people: Vec<(f64, PersonId)> =
        shared.into_iter().map(|(person, worth)| (worth, person)).collect();
    people.sort_by(|(x, a), (y, b)| y.total_cmp(x).then(a.cmp(b)));
    people.truncate(MOST_OPENED);
    people.into_iter().map(|(_, person)| person).collect()
}

/// What is asked of each who is found.
struct Question {
    forms: Vec<Form>,
    residents: u64,
    keys: Keys,
    pack: Pack,
    actor: Actor,
}

impl Question {
    /// Opens these people of the unit's bucket, each with an entry in her log, and compares each with the person in question.
    fn open_and_compare(
        &self,
        tx: &mut Tx<'_>,
        env: &Env,
        people: &[PersonId],
    ) -> Result<Vec<Candidate>, PersonError> {
        // The index is written before the person: it may name somebody who never came to be.
        let mut here = Vec::with_capacity(people.len());
        for person in people {
            if table::resident(tx, *person)?.is_some() {
                here.push(*person);
            }
        }
        let (actor, basis) = (&self.actor, basis(&self.pack, PURPOSE));
        let accesses: Vec<Access<'_>> = here
            .iter()
            .map(|person| Access { person: *person, actor, purpose: PURPOSE, basis, fields: &COMPARED })
            .collect();
        let receipts = access::record_many(tx, &self.keys, env, &accesses)?;
        let mut candidates = Vec::with_capacity(receipts.len());
        for receipt in &receipts {
            let (person, resident) = (receipt.person(), record_with(tx, receipt)?);
            let theirs: Vec<Profile> =
                past_and_present(&resident).iter().flat_map(|form| profiles(form, &self.pack)).collect();
            let compared = self.forms.iter().flat_map(|form| {
                let beside = form.beside(person);
                theirs.iter().map(move |found| compare_found(self.residents, &beside, &form.profile, found))
            });
            if let Some(evidence) = compared.max_by(|a, b| a.weight.total_cmp(&b.weight)) {
                candidates.push(Candidate { person, evidence });
            }
        }
        Ok(candidates)
    }
}

//! Use case: register residents, one at a counter or many of a file.

use std::collections::HashMap;

use jiff::civil::Date;
use kaname_base::number::PersonNumber;
use kaname_base::pack::Pack;
use kaname_base::{Buckets, Env};
use kaname_store::{Store, StoreError, Tx};
use kaname_trust::keys::{BlindIndex, random};
use kaname_trust::person::{bucket_of, from_hash};
use kaname_trust::seal::create_data_keys;
use kaname_trust::{Actor, ActorKind, Keys, PersonId};

use crate::event::{Change, LifeEvent, follow};
use crate::number::{self, Numbers, SealedNumber};
use crate::table::Origin;
use crate::{
    Action, Entry, Life, PackVersion, Particulars, PersonError, Refusal, Resident, duplicate, policy, table,
};

/// Who registers people, and on what grounds: the same for all of a batch.
#[derive(Clone)]
pub struct Registrar {
    /// Who.
    pub by: Actor,
    /// Why.
    pub why: String,
    /// The pack that the entries were judged by.
    pub pack: PackVersion,
    /// The country's date.
    pub today: Date,
    /// Whether other blocks and agencies are told of each. Of an import they are not: who needs its people reads the file.
    pub tells: bool,
}

/// Somebody to be entered, with the number promised to her.
pub struct Admission {
    pub(crate) person: PersonId,
    pub(crate) particulars: Particulars,
    pub(crate) number: PersonNumber,
    pub(crate) number_index: BlindIndex,
    pub(crate) origin: Origin,
    pub(crate) evidence: String,
}

/// What became of an [`Admission`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// She is in the register, by this very row.
    Registered,
    /// She was there before, with the same data.
    AlreadyHere,
    /// An earlier row of the same file has her reference.
    Duplicate {
        /// The line of that row.
        first_line: i64,
    },
    /// Somebody with her reference is there, with other data.
    OtherData,
}

/// Registers one resident at a counter.
#[derive(Clone)]
pub struct Register<'a> {
    /// Chosen by the caller with [`new_request`] when the form is first shown: the same request registers once.
    pub request: [u8; 16],
    /// What was filled in. With a reference, the person is the one whom `source` calls so.
    pub entry: Entry<'a>,
    /// Whose references they are, such as a municipality's.
    pub source: &'a str,
    /// Who registers.
    pub by: Actor,
    /// Why.
    pub why: &'a str,
    /// What was shown: a birth report, a passport.
    pub evidence: &'a str,
}

/// An id for a request that must be done once.
pub fn new_request() -> [u8; 16] {
    random()
}

/// Enters a resident and gives her a number. The same request again gives the same person.
///
/// # Errors
/// [`Refusal::Invalid`], [`Refusal::NotAllowed`], [`Refusal::OtherData`] when the reference or the request stands for
/// somebody else, [`Refusal::NumbersUsedUp`].
pub fn register(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    numbers: &Numbers,
    env: &Env,
    ask: &Register<'_>,
) -> Result<PersonId, PersonError> {
    policy::may(&ask.by, Action::RegisterResident)?;
    let particulars = Particulars::check(&ask.entry, pack, env.now.date_in(&pack.time_zone))?;
    let person = person_of(store, keys, ask, &particulars);
    let origin = Origin {
        file: keys.blind_index("person.origin", &ask.request),
        line: 0,
        content: content_index(keys, &particulars),
    };
    let bucket = bucket_of(person, store.buckets());
    let found = store.read::<_, StoreError, _>(bucket, move |tx| table::origins(tx, &[person]))?;
    if let Some(found) = found.into_iter().next().flatten() {
        return settled(person, judge(&origin, &found));
    }
    let (number, number_index) = number::promise_one(store, keys, numbers, person)?;
    duplicate::kept::index(store, keys, pack, person, &particulars)?;

    let admission =
        Admission { person, particulars, number, number_index, origin, evidence: ask.evidence.to_owned() };
    let (by, why) = (ask.by.clone(), ask.why.to_owned());
    let registrar = Registrar {
        by,
        why,
        pack: PackVersion::of(pack),
        today: env.now.date_in(&pack.time_zone),
        tells: true,
    };
    let (keys, env) = (keys.clone(), env.again());
    let outcomes = store.write(bucket, move |tx| {
        register_many(tx, &keys, &env, &registrar, std::slice::from_ref(&admission))
    })?;
    settled(person, outcomes[0])
}

/// Whom a registration enters: the one of its reference, or of its request when there is none.
pub(crate) fn person_of(
    store: &Store,
    keys: &Keys,
    ask: &Register<'_>,
    particulars: &Particulars,
) -> PersonId {
    match particulars.reference.as_str() {
        "" => from_hash(&keys.blind_index("person.request", &ask.request), store.buckets()),
        reference => person_of_reference(keys, store.buckets(), ask.source, reference),
    }
}

fn settled(person: PersonId, outcome: Outcome) -> Result<PersonId, PersonError> {
    match outcome {
        Outcome::Registered | Outcome::AlreadyHere => Ok(person),
        Outcome::Duplicate { .. } | Outcome::OtherData => Err(Refusal::OtherData.into()),
    }
}

/// Enters people of this unit's bucket, in the order of their lines. Running it twice enters them once.
///
/// # Errors
/// [`PersonError::Trust`], [`PersonError::Store`].
pub fn register_many(
    tx: &mut Tx<'_>,
    keys: &Keys,
    env: &Env,
    registrar: &Registrar,
    admissions: &[Admission],
) -> Result<Vec<Outcome>, PersonError> {
    let people: Vec<PersonId> = admissions.iter().map(|admission| admission.person).collect();
    let found = table::origins(tx, &people)?;
    let mut entered: HashMap<PersonId, Origin> = HashMap::with_capacity(admissions.len());
    let mut outcomes = Vec::with_capacity(admissions.len());
    let mut new = Vec::with_capacity(admissions.len());
    for (admission, found) in admissions.iter().zip(found) {
        outcomes.push(match found.or_else(|| entered.get(&admission.person).copied()) {
            Some(found) => judge(&admission.origin, &found),
            None => {
                entered.insert(admission.person, admission.origin);
                new.push(admission);
                Outcome::Registered
            }
        });
    }

    write(tx, keys, env, registrar, &new)?;
    Ok(outcomes)
}

/// What a row is, beside the one that is there already.
pub(crate) fn judge(row: &Origin, found: &Origin) -> Outcome {
    let same_file = row.file == found.file;
    if same_file && row.line != found.line {
        Outcome::Duplicate { first_line: found.line }
    } else if row.content != found.content {
        Outcome::OtherData
    } else if same_file {
        Outcome::Registered
    } else {
        Outcome::AlreadyHere
    }
}

fn write(
    tx: &mut Tx<'_>,
    keys: &Keys,
    env: &Env,
    registrar: &Registrar,
    new: &[&Admission],
) -> Result<(), PersonError> {
    if new.is_empty() {
        return Ok(());
    }
    let people: Vec<PersonId> = new.iter().map(|admission| admission.person).collect();
    let data_keys = create_data_keys(tx, keys, &people)?;
    let sealed: Vec<[Vec<u8>; 3]> = new
        .iter()
        .zip(&data_keys)
        .map(|(admission, key)| {
            let resident = Resident {
                particulars: admission.particulars.clone(),
                pack: registrar.pack.clone(),
                registered_at: env.now,
                registered_by: registrar.by.clone(),
                life: Life::default(),
            };
            let event = LifeEvent {
                change: Change::Registration,
                on: Some(registrar.today),
                other_side: false,
                at: env.now,
                by: registrar.by.clone(),
                why: registrar.why.clone(),
                evidence: admission.evidence.clone(),
                pack: registrar.pack.clone(),
            };
            let number = SealedNumber::new(&admission.number, env.now);
            [
                key.seal(&resident).bytes().to_vec(),
                key.seal(&number).bytes().to_vec(),
                key.seal(&event).bytes().to_vec(),
            ]
        })
        .collect();

    // One person's rows one after another: they lie side by side.
    let records: Vec<_> = new
        .iter()
        .zip(&sealed)
        .flat_map(|(Admission { person: id, number_index, origin, .. }, [resident, number, event])| {
            [
                table::NewRecord::Resident { id, number_index, origin, sealed: resident },
                table::NewRecord::Number { id, n: 1, number_index, sealed: number },
                table::NewRecord::Event { id, n: 1, request: &[], sealed: event },
            ]
        })
        .collect();
    table::insert_records(tx, &records)?;
    if registrar.tells {
        for person in people {
            follow::enqueue(tx, keys, env, person, 1)?;
        }
    }
    Ok(())
}

/// The person whom `source` calls `reference`. Derived, not looked up: one reference can only ever be one person.
pub fn person_of_reference(keys: &Keys, buckets: Buckets, source: &str, reference: &str) -> PersonId {
    let value = [source.as_bytes(), b"\0", reference.as_bytes()].concat();
    from_hash(&keys.blind_index("person.reference", &value), buckets)
}

/// The resident whom `source` calls `reference`, if she is registered. An entry that is closed is found by an officer only.
///
/// # Errors
/// [`Refusal::NotAllowed`](crate::Refusal::NotAllowed).
pub fn find_by_reference(
    store: &Store,
    keys: &Keys,
    by: &Actor,
    source: &str,
    reference: &str,
) -> Result<Option<PersonId>, PersonError> {
    policy::may(by, Action::FindResident)?;
    let person = person_of_reference(keys, store.buckets(), source, reference);
    let bucket = bucket_of(person, store.buckets());
    let row = store.read::<_, StoreError, _>(bucket, move |tx| table::resident(tx, person))?;
    let is_staff = by.kind == ActorKind::Officer;
    Ok(row.filter(|row| row.active || is_staff).map(|_| person))
}

/// Whether the entry of a person of the unit's bucket is closed: she died, or it was a second one.
///
/// # Errors
/// [`StoreError`].
pub fn is_closed(tx: &mut Tx<'_>, person: PersonId) -> Result<bool, StoreError> {
    Ok(table::resident(tx, person)?.is_some_and(|row| !row.active))
}

/// What stands for a person's particulars, so that the same ones are known again without opening the seal.
pub(crate) fn content_index(keys: &Keys, particulars: &Particulars) -> BlindIndex {
    let bytes = serde_json::to_vec(particulars).expect("particulars are plain data");
    keys.blind_index("person.content", &bytes)
}

/// Residents of this unit's bucket, in no meaningful order, after `after`: for runs over everyone.
///
/// # Errors
/// [`StoreError`].
pub fn people_in_bucket(
    tx: &mut Tx<'_>,
    after: Option<PersonId>,
    limit: usize,
) -> Result<Vec<PersonId>, StoreError> {
    let after = after.map_or(Vec::new(), |person| person.bytes().to_vec());
    table::active_people(tx, &after, i64::try_from(limit).unwrap_or(i64::MAX))
}

/// How many residents this unit's bucket has.
///
/// # Errors
/// [`StoreError`].
pub fn count_in_bucket(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    table::count_active(tx).map(i64::unsigned_abs)
}

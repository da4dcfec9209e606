//! The index of who may be meant: keyed hashes of what two records of one person most likely share. It is brought up to date from the
//! sealed records before a list is checked, so that registering somebody does not wait for it; a record that changed keeps its old
//! keys beside the new ones, and is found by her former name and address too.

use std::collections::BTreeMap;

use kaname_base::{Bucket, Env};
use kaname_store::{StoreError, Tx};
use kaname_trust::access::{self, Access};
use kaname_trust::keys::BlindIndex;
use kaname_trust::{Actor, PersonId};

use super::table;
use super::{Desk, lookup};
use crate::linkage::block_keys;
use crate::scatter::{scatter, scatter_reads};
use crate::show::resident_with;
use crate::{PersonError, Refusal};

/// People opened in one unit of work.
const CHUNK: i64 = 1_000;

/// Keys that are held before they are written.
const HELD: usize = 100_000;

/// More people than this under one key are no evidence for any of them.
const MOST_UNDER_A_KEY: usize = 64;

/// The purpose for which records are opened to index them.
const PURPOSE: &str = "record-linking";

/// Which keys are searched.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Those of people born on the very day.
    SameDay,
    /// All: slips in the date, too.
    Far,
}

/// Brings the index up to date; tells how many people were looked at. `progress` is told as it goes.
///
/// # Errors
/// [`PersonError::Store`]; the next call goes on.
pub fn refresh(desk: &Desk, env: &Env, progress: &mut dyn FnMut(u64)) -> Result<u64, PersonError> {
    let mut people = 0;
    let mut held = Held::default();
    for bucket in desk.store.buckets().all() {
        let mut after: Vec<u8> = Vec::new();
        loop {
            let from = after.clone();
            let chunk =
                desk.store.read::<_, StoreError, _>(bucket, move |tx| table::unindexed(tx, &from, CHUNK))?;
            let Some((last, _)) = chunk.last() else { break };
            after = last.bytes().to_vec();
            let is_last = (chunk.len() as i64) < CHUNK;
            people += chunk.len() as u64;
            let (with, env, wanted) = (desk.clone(), env.again(), chunk.clone());
            let keys = desk.store.write(bucket, move |tx| keys_of(tx, &with, &env.again(), &wanted))?;
            held.add(desk, bucket, keys, chunk)?;
            progress(people);
            if is_last {
                break;
            }
        }
    }
    held.flush(desk)?;
    Ok(people)
}

/// Keys on their way into the index, and who is done when they are there.
#[derive(Default)]
struct Held {
    keys: BTreeMap<Bucket, Vec<(BlindIndex, PersonId)>>,
    count: usize,
    seen: Vec<(Bucket, Vec<(PersonId, i64)>)>,
}

impl Held {
    fn add(
        &mut self,
        desk: &Desk,
        bucket: Bucket,
        keys: Vec<(BlindIndex, PersonId)>,
        seen: Vec<(PersonId, i64)>,
    ) -> Result<(), PersonError> {
        self.count += keys.len();
        for (key, person) in keys {
            self.keys.entry(desk.store.buckets().of_hash(&key)).or_default().push((key, person));
        }
        self.seen.push((bucket, seen));
        if self.count >= HELD { self.flush(desk) } else { Ok(()) }
    }

    /// Writes the keys, and only then that they are there.
    fn flush(&mut self, desk: &Desk) -> Result<(), PersonError> {
        let Held { keys, seen, .. } = std::mem::take(self);
        let units = keys.into_iter().map(|(bucket, mut keys)| {
            keys.sort_unstable();
            (bucket, move |tx: &mut Tx<'_>| table::insert_keys(tx, &keys).map_err(PersonError::from))
        });
        scatter(&desk.store, units.collect())?.gather()?;
        let units = seen.into_iter().map(|(bucket, seen)| {
            (bucket, move |tx: &mut Tx<'_>| table::set_seen(tx, &seen).map_err(PersonError::from))
        });
        scatter(&desk.store, units.collect())?.gather()?;
        Ok(())
    }
}

/// The keys of these people of the unit's bucket, each opened with an entry in her log.
fn keys_of(
    tx: &mut Tx<'_>,
    desk: &Desk,
    env: &Env,
    people: &[(PersonId, i64)],
) -> Result<Vec<(BlindIndex, PersonId)>, PersonError> {
    let purpose = desk.pack.purpose(PURPOSE).ok_or(Refusal::UnknownPurpose)?;
    let basis = purpose.legal_basis.get(&desk.pack.default_language().tag);
    let actor = Actor::program("link-index", crate::policy::PROGRAM);
    let accesses: Vec<Access<'_>> = people
        .iter()
        .map(|(person, _)| Access {
            person: *person,
            actor: &actor,
            purpose: PURPOSE,
            basis,
            fields: &lookup::COMPARED,
        })
        .collect();
    let receipts = access::record_many(tx, &desk.keys, env, &accesses)?;
    let mut keys = Vec::with_capacity(people.len() * 5);
    for receipt in &receipts {
        let resident = match resident_with(tx, receipt) {
            Ok(resident) => resident,
            Err(PersonError::Refused(Refusal::NoSuchResident)) => continue,
            Err(error) => return Err(error),
        };
        for profile in lookup::profiles(desk, &resident) {
            for key in block_keys(&profile) {
                keys.push((index_of(desk, key.bytes()), receipt.person()));
            }
        }
    }
    Ok(keys)
}

/// The people whom each set of keys brings into question, and whether there were too many under one of them.
pub(crate) fn search(
    desk: &Desk,
    records: &[Vec<Vec<u8>>],
    reach: Reach,
) -> Result<Vec<lookup::Found>, PersonError> {
    let mut by_bucket: BTreeMap<Bucket, Vec<(usize, BlindIndex)>> = BTreeMap::new();
    for (place, keys) in records.iter().enumerate() {
        for key in keys.iter().filter(|key| reach == Reach::Far || is_of_one_day(key)) {
            let key = index_of(desk, key);
            by_bucket.entry(desk.store.buckets().of_hash(&key)).or_default().push((place, key));
        }
    }
    let units = by_bucket.into_iter().map(|(bucket, keys)| {
        let work = move |tx: &mut Tx<'_>| {
            let mut found = Vec::with_capacity(keys.len());
            for (place, key) in &keys {
                found.push((*place, table::with_key(tx, key, MOST_UNDER_A_KEY as i64 + 1)?));
            }
            Ok::<_, PersonError>(found)
        };
        (bucket, work)
    });
    let mut found = vec![lookup::Found::default(); records.len()];
    for (place, people) in scatter_reads(&desk.store, units.collect())?.gather()?.into_iter().flatten() {
        let found = &mut found[place];
        if people.len() > MOST_UNDER_A_KEY {
            found.too_many = true;
            continue;
        }
        for person in people {
            if !found.people.contains(&person) {
                found.people.push(person);
            }
        }
    }
    Ok(found)
}

/// The first byte of a blocking key says of what it is made; these two hold a whole date of birth.
fn is_of_one_day(key: &[u8]) -> bool {
    matches!(key.first(), Some(1 | 4))
}

fn index_of(desk: &Desk, key: &[u8]) -> BlindIndex {
    desk.keys.blind_index("person.match-key", key)
}

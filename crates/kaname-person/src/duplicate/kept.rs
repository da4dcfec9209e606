//! The index of who may be meant, kept up with the register: a few keyed hashes for each person, in the buckets of the hashes. At a
//! counter they are written one person at a time; an import gathers them and writes them in sorted runs, so that each page of the
//! index is touched once for hundreds of people.

use std::collections::BTreeMap;
use std::sync::Arc;

use kaname_base::Bucket;
use kaname_base::pack::Pack;
use kaname_store::{Store, StoreError, Tx};
use kaname_trust::keys::BlindIndex;
use kaname_trust::person::bucket_of;
use kaname_trust::{Keys, PersonId};

use super::profiles;
use crate::link::lookup::past_and_present;
use crate::link::table::{insert_keys, set_seen};
use crate::linkage::{BlockKey, KeyKind, KeyMaker, Profile};
use crate::scatter::scatter;
use crate::{Particulars, PersonError, Resident};

/// Keys that an import holds before they are written: 16 MiB of them.
const HELD: usize = 500_000;

/// The version of a record as it is first entered.
const FIRST: i64 = 1;

/// The keys of a person in one form: what each is made of, and those that only tell how common her names are.
pub(crate) struct KeysOf {
    pub(crate) by_kind: Vec<(KeyKind, BlindIndex)>,
    pub(crate) namesakes: Vec<BlindIndex>,
}

/// The keys of a person in each of these forms.
pub(crate) fn keys_by_form(keys: &Keys, profiles: &[Profile]) -> Vec<KeysOf> {
    let mut maker = KeyMaker::new();
    let of_form = |profile: &Profile| {
        let made = maker.keys_by_kind(profile).into_iter();
        KeysOf {
            by_kind: made.map(|(kind, key)| (kind, index_of(keys, &key))).collect(),
            namesakes: maker.namesakes_keys(profile).iter().map(|key| index_of(keys, key)).collect(),
        }
    };
    profiles.iter().map(of_form).collect()
}

fn index_of(keys: &Keys, key: &BlockKey) -> BlindIndex {
    keys.blind_index("person.match-key", key.bytes())
}

fn index_keys(keys: &Keys, maker: &mut KeyMaker, profiles: &[Profile]) -> Vec<BlindIndex> {
    let mut found: Vec<BlindIndex> =
        profiles.iter().flat_map(|profile| maker.keys(profile)).map(|key| index_of(keys, &key)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Puts a person into the index; before she is entered, or before her particulars change.
pub(crate) fn index(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    person: PersonId,
    particulars: &Particulars,
) -> Result<(), PersonError> {
    let mut gathered = Gathered::new();
    gathered.add(keys, pack, person, particulars);
    gathered.write(store)
}

/// A person as she is after an event, on her way into the index. Her former keys stay: she is found by her former name too.
pub(crate) struct Indexed {
    person: PersonId,
    keys: Vec<BlindIndex>,
    version: i64,
}

impl Indexed {
    /// `version` is that of the record.
    pub(crate) fn of(
        keys: &Keys,
        pack: &Pack,
        person: PersonId,
        resident: &Resident,
        version: i64,
    ) -> Indexed {
        let forms: Vec<Profile> =
            past_and_present(resident).iter().flat_map(|form| profiles(form, pack)).collect();
        Indexed { person, keys: index_keys(keys, &mut KeyMaker::new(), &forms), version }
    }

    /// Writes what is not there yet.
    pub(crate) fn write(self, store: &Store) -> Result<(), PersonError> {
        let keys = self.keys.into_iter().map(|key| (key, self.person)).collect();
        write_keys(store, keys)?;
        let seen = [(self.person, self.version)];
        Ok(store.write::<_, StoreError, _>(bucket_of(self.person, store.buckets()), move |tx| {
            set_seen(tx, &seen)
        })?)
    }
}

/// Writes keys, bucket by bucket and in their order. Gives the emptied list back, to be filled again.
fn write_keys(
    store: &Store,
    mut keys: Vec<(BlindIndex, PersonId)>,
) -> Result<Vec<(BlindIndex, PersonId)>, PersonError> {
    let buckets = store.buckets();
    keys.sort_unstable_by_key(|(key, person)| (buckets.of_hash(key), *key, *person));
    let units = keys.chunk_by(|(a, _), (b, _)| buckets.of_hash(a) == buckets.of_hash(b)).map(|part| {
        let (bucket, part) = (buckets.of_hash(&part[0].0), Arc::new(part.to_vec()));
        (bucket, move |tx: &mut Tx<'_>| insert_keys(tx, &part).map_err(PersonError::from))
    });
    scatter(store, units.collect())?.gather()?;
    keys.clear();
    Ok(keys)
}

/// Keys of many people on their way into the index.
pub(crate) struct Gathered {
    maker: KeyMaker,
    keys: Vec<(BlindIndex, PersonId)>,
    people: Vec<PersonId>,
}

impl Gathered {
    pub(crate) fn new() -> Gathered {
        Gathered { maker: KeyMaker::new(), keys: Vec::new(), people: Vec::new() }
    }

    pub(crate) fn add(&mut self, keys: &Keys, pack: &Pack, person: PersonId, particulars: &Particulars) {
        let found = index_keys(keys, &mut self.maker, &profiles(particulars, pack));
        self.keys.extend(found.into_iter().map(|key| (key, person)));
        self.people.push(person);
    }

    /// Whether it is time to write.
    pub(crate) fn is_full(&self) -> bool {
        self.keys.len() >= HELD
    }

    /// Writes the keys, bucket by bucket and in their order, and only then that they are there. Twice is the same as once.
    pub(crate) fn write(&mut self, store: &Store) -> Result<(), PersonError> {
        let buckets = store.buckets();
        self.keys = write_keys(store, std::mem::take(&mut self.keys))?;

        let mut seen: BTreeMap<Bucket, Vec<(PersonId, i64)>> = BTreeMap::new();
        for person in std::mem::take(&mut self.people) {
            seen.entry(bucket_of(person, buckets)).or_default().push((person, FIRST));
        }
        let units = seen.into_iter().map(|(bucket, mut seen)| {
            seen.sort_unstable();
            let seen = Arc::new(seen);
            (bucket, move |tx: &mut Tx<'_>| set_seen(tx, &seen).map_err(PersonError::from))
        });
        scatter(store, units.collect())?.gather()?;
        Ok(())
    }
}

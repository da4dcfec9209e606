//! Sealed records: AES-256-GCM under the data key of the person they are about.

use std::marker::PhantomData;

use aws_lc_rs::aead::LessSafeKey;
use aws_lc_rs::hmac;
use kaname_store::Tx;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::keys::{aead_key, open_bytes, random, seal_bytes};
use crate::{Keys, PersonId, Receipt, TrustError, table};

/// Something that is kept about a person, sealed.
pub trait Record: Serialize + DeserializeOwned {
    /// Names the kind of record, such as `person.resident`. Bound into the seal, so that one kind never opens as another.
    const KIND: &'static str;
}

/// The data key of one person, read in this unit of work. It seals; opening takes a [`Receipt`].
pub struct DataKey<'u> {
    person: PersonId,
    seal: LessSafeKey,
    commit: hmac::Key,
    unit: PhantomData<fn(&'u ()) -> &'u ()>,
}

/// A sealed `T`. The bytes are what a table holds.
pub struct Sealed<T> {
    bytes: Vec<u8>,
    kind: PhantomData<fn() -> T>,
}

/// A record that was opened, still tied to the person it is about. Take it out with [`Opened::of`].
pub struct Opened<T> {
    person: PersonId,
    value: T,
}

impl<T: Record> Sealed<T> {
    /// From a stored blob.
    pub fn from_bytes(bytes: &[u8]) -> Sealed<T> {
        Sealed { bytes: bytes.to_vec(), kind: PhantomData }
    }

    /// What a table holds.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Opens the record. The receipt proves that the reading was logged, in this unit of work, for this person.
    ///
    /// # Errors
    /// [`TrustError::BrokenSeal`] when the bytes were changed, or are another person's or another kind of record;
    /// [`TrustError::Unreadable`] when what is inside is not a `T`.
    pub fn open(&self, receipt: &Receipt<'_>) -> Result<Opened<T>, TrustError> {
        let key = receipt.data_key();
        let plain = key.open_bytes(T::KIND, &self.bytes)?;
        let value = serde_json::from_slice(&plain).map_err(|_| TrustError::Unreadable(T::KIND))?;
        Ok(Opened { person: key.person, value })
    }
}

impl<T> Opened<T> {
    /// The value, for whoever asked about `person`. The last check before data leave: never another person's.
    ///
    /// # Errors
    /// [`TrustError::WrongSubject`].
    pub fn of(self, person: PersonId) -> Result<T, TrustError> {
        if self.person == person { Ok(self.value) } else { Err(TrustError::WrongSubject) }
    }
}

impl<'u> DataKey<'u> {
    /// Seals a record about this key's person.
    pub fn seal<T: Record>(&self, record: &T) -> Sealed<T> {
        let plain = Zeroizing::new(serde_json::to_vec(record).expect("a record is plain data"));
        Sealed { bytes: self.seal_bytes(T::KIND, &plain), kind: PhantomData }
    }

    /// Whose key it is.
    pub fn person(&self) -> PersonId {
        self.person
    }

    pub(crate) fn seal_bytes(&self, kind: &str, plain: &[u8]) -> Vec<u8> {
        seal_bytes(&self.seal, &context(kind, self.person), plain)
    }

    /// Not public: outside this block only a [`Receipt`] opens anything.
    pub(crate) fn open_bytes(&self, kind: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, TrustError> {
        open_bytes(&self.seal, &context(kind, self.person), sealed).map(Zeroizing::new)
    }

    /// Commits to an access entry: hides it, and binds it (HMAC-SHA256 under a key that only this person's data key gives).
    pub(crate) fn commitment(&self, entry: &[u8]) -> [u8; 32] {
        hmac::sign(&self.commit, entry).as_ref().try_into().expect("HMAC-SHA256 has 32 bytes")
    }

    fn from_secret(person: PersonId, secret: &[u8; 32]) -> DataKey<'u> {
        // One secret, two uses: HMAC separates them, so that publishing a commitment key would not open a seal.
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let split = |label: &[u8]| {
            let tag = hmac::sign(&secret, label);
            Zeroizing::new(<[u8; 32]>::try_from(tag.as_ref()).expect("HMAC-SHA256 has 32 bytes"))
        };
        let commit = hmac::Key::new(hmac::HMAC_SHA256, &*split(b"commit"));
        DataKey { person, seal: aead_key(&split(b"seal")), commit, unit: PhantomData }
    }
}

/// Makes data keys for people who have none yet, all in this unit's bucket. Those who have one keep it.
///
/// # Errors
/// [`TrustError::NoSuchHolder`] when one of them was erased: an old file must not bring her back; [`TrustError::Store`].
pub fn create_data_keys<'u>(
    tx: &mut Tx<'u>,
    keys: &Keys,
    people: &[PersonId],
) -> Result<Vec<DataKey<'u>>, TrustError> {
    let fresh: Vec<_> = people
        .iter()
        .map(|person| {
            let holder = keys.pseudonym(BLOCK, *person);
            let secret = Zeroizing::new(random::<32>());
            (holder, keys.wrap_data_key(&holder, &secret), DataKey::from_secret(*person, &secret))
        })
        .collect();
    if table::insert_holders(tx, fresh.iter().map(|(holder, wrapped, _)| (holder, wrapped.as_slice())))? {
        return Ok(fresh.into_iter().map(|(_, _, key)| key).collect());
    }
    // Somebody had one: read them all back, so that the key in hand is the key that is kept.
    Ok(load(tx, keys, people)?.into_iter().map(|holder| holder.key).collect())
}

/// The data key of a person, for sealing.
///
/// # Errors
/// [`TrustError::NoSuchHolder`] when there is none: she is not registered, or was erased.
pub fn data_key<'u>(tx: &mut Tx<'u>, keys: &Keys, person: PersonId) -> Result<DataKey<'u>, TrustError> {
    Ok(load(tx, keys, &[person])?.pop().ok_or(TrustError::NoSuchHolder)?.key)
}

/// Erases a person's data key: what was sealed with it can never be opened again. The count of her entries stays, so that
/// the log remains whole. A copy of the database made before still has the key, wrapped: docs/operate/backups.md.
///
/// # Errors
/// [`TrustError::NoSuchHolder`] when there is none.
pub fn erase(tx: &mut Tx<'_>, keys: &Keys, person: PersonId) -> Result<(), TrustError> {
    match table::erase_holder(tx, &keys.pseudonym(BLOCK, person))? {
        1 => Ok(()),
        _ => Err(TrustError::NoSuchHolder),
    }
}

/// A person's row: her name in this block, her data key, and how many entries she has.
pub(crate) struct Holder<'u> {
    pub(crate) name: [u8; 16],
    pub(crate) key: DataKey<'u>,
    pub(crate) entries: i64,
}

/// The rows of these people, in the order asked.
pub(crate) fn load<'u>(
    tx: &mut Tx<'u>,
    keys: &Keys,
    people: &[PersonId],
) -> Result<Vec<Holder<'u>>, TrustError> {
    let names: Vec<[u8; 16]> = people.iter().map(|person| keys.pseudonym(BLOCK, *person)).collect();
    let rows = table::holders(tx, &names)?;
    let mut loaded = Vec::with_capacity(people.len());
    for ((person, name), row) in people.iter().zip(names).zip(rows) {
        let (wrapped, entries) =
            row.filter(|(wrapped, _)| !wrapped.is_empty()).ok_or(TrustError::NoSuchHolder)?;
        let secret = keys.unwrap_data_key(&name, &wrapped)?;
        loaded.push(Holder { name, key: DataKey::from_secret(*person, &secret), entries });
    }
    Ok(loaded)
}

/// The name under which this block knows people.
pub(crate) const BLOCK: &str = "trust";

fn context(kind: &str, person: PersonId) -> Vec<u8> {
    [kind.as_bytes(), b"\0", person.bytes()].concat()
}

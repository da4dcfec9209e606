//! The file that an agency keeps of a person here: what it claims of her, sealed with her data key.
//!
//! An agency may open one before she is registered, under an id of its own; the person id follows from that id, so that her
//! registration finds the file. What it claims is its claim: the register's own record of her is another thing, and changes by
//! life events only.

use kaname_base::pack::Pack;
use kaname_base::{Buckets, Env, Instant, hex};
use kaname_store::{Bucket, Store, StoreError, Tx};
use kaname_trust::held::Held;
use kaname_trust::keys::BlindIndex;
use kaname_trust::person::bucket_of;
use kaname_trust::seal::create_data_keys;
use kaname_trust::{Access, Keys, PersonId, Receipt, Record, Sealed, TrustError, access};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::table::{self as own, Part};
use super::{Agency, basis, name};
use crate::register::person_of_reference;
use crate::{PersonError, Refusal, table};

/// The file itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// What the agency calls her.
    pub id: String,
    /// Whether the agency says that the file counts.
    pub active: bool,
    /// Whether the agency says that she lives.
    pub alive: bool,
    /// The identity that the agency takes for the right one.
    pub reference: Option<String>,
}

/// An identity or an enrolment, as the agency's document.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// The agency's id of it.
    pub id: String,
    /// When it was first told.
    pub made: Instant,
    /// When it was told last.
    pub changed: Instant,
    /// Whether it is finished: nothing of it changes any more.
    #[serde(default)]
    pub finished: bool,
    /// The document.
    pub document: Map<String, Value>,
}

/// A picture or paper of an enrolment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buffer {
    /// Its media type.
    pub kind: String,
    /// Its bytes, in base64.
    pub base64: String,
}

impl Record for File {
    const KIND: &'static str = "person.agency-file";
}
impl Record for Claim {
    const KIND: &'static str = "person.agency-claim";
}
impl Record for Buffer {
    const KIND: &'static str = "person.agency-buffer";
}

/// The most identities that one file may have.
pub const MOST_IDENTITIES: i64 = 32;

/// The person whom an agency calls `id`, whether there is a file or not.
pub(crate) fn person_of_id(keys: &Keys, buckets: Buckets, agency: &Agency, id: &str) -> PersonId {
    person_of_reference(keys, buckets, &agency.id, &reference_of(keys, id))
}

/// The reference under which the register knows whom an agency registered as `id`: safe in a file, whatever the id is.
pub(crate) fn reference_of(keys: &Keys, id: &str) -> String {
    hex::encode(&keys.blind_index("agency.reference", id.as_bytes()))
}

/// Whom an agency means by `id` in what it tells: her of its own file, or a resident by the agency's name for her.
#[derive(Clone, Copy)]
pub(crate) struct Meant {
    pub(crate) person: PersonId,
    /// Whether the agency has a file of her.
    pub(crate) filed: bool,
    /// Whether she is registered.
    pub(crate) registered: bool,
    /// Whether she ever was: she may have died since, or her entry was a second one. What is hers is the register's to keep.
    pub(crate) entered: bool,
}

pub(crate) fn meant(
    store: &Store,
    keys: &Keys,
    agency: &Agency,
    id: &str,
) -> Result<Option<Meant>, PersonError> {
    Ok(known(store, keys, agency, id)?.filter(|meant| meant.filed || meant.registered))
}

/// As [`meant`], also of somebody of whom there is no file and whose entry is closed: whoever pays her a pension asks whether she lives.
pub(crate) fn known(
    store: &Store,
    keys: &Keys,
    agency: &Agency,
    id: &str,
) -> Result<Option<Meant>, PersonError> {
    let by_file = Some(person_of_id(keys, store.buckets(), agency, id));
    let by_name = name::person_of(keys, store.buckets(), agency, id);
    for person in [by_file, by_name].into_iter().flatten() {
        let owner = owner(keys, agency, person);
        let file = file_item(keys);
        let (filed, row) = store.read::<_, StoreError, _>(bucket_of(person, store.buckets()), move |tx| {
            let filed = own::get(tx, &owner, Part::File, &file)?.is_some();
            Ok((filed, table::resident(tx, person)?))
        })?;
        let (entered, registered) = (row.is_some(), row.is_some_and(|row| row.active));
        if filed || entered {
            return Ok(Some(Meant { person, filed, registered, entered }));
        }
    }
    Ok(None)
}

/// The files of one agency on one person, opened in a unit of her bucket. An entry of her access log says so.
pub(crate) struct Folder<'u> {
    pub(crate) receipt: Receipt<'u>,
    owner: own::Owner,
    keys: Keys,
}

impl<'u> Folder<'u> {
    pub(crate) fn open(
        tx: &mut Tx<'u>,
        keys: &Keys,
        pack: &Pack,
        env: &Env,
        agency: &Agency,
        person: PersonId,
    ) -> Result<Folder<'u>, PersonError> {
        // What it tells, it tells to have her registered; so it needs no purpose of its own.
        let purpose = pack.purpose("registration").ok_or(Refusal::UnknownPurpose)?;
        let (actor, fields) = (agency.actor(), ["agency-file"]);
        let basis = basis(pack, purpose);
        let ask = Access { person, actor: &actor, purpose: &purpose.code, basis, fields: &fields };
        let receipt = access::record(tx, keys, env, &ask)?;
        Ok(Folder { receipt, owner: owner(keys, agency, person), keys: keys.clone() })
    }

    /// The same, of somebody who may have no data key yet.
    pub(crate) fn begin(
        tx: &mut Tx<'u>,
        keys: &Keys,
        pack: &Pack,
        env: &Env,
        agency: &Agency,
        person: PersonId,
    ) -> Result<Folder<'u>, PersonError> {
        match create_data_keys(tx, keys, &[person]) {
            // An id whose file was taken back stands for nobody else later.
            Err(TrustError::NoSuchHolder) => return Err(Refusal::FileThere.into()),
            made => drop(made?),
        }
        Folder::open(tx, keys, pack, env, agency, person)
    }

    pub(crate) fn file(&self, tx: &mut Tx<'u>) -> Result<Option<File>, PersonError> {
        self.read(tx, Part::File, &file_item(&self.keys))
    }

    pub(crate) fn put_file(&self, tx: &mut Tx<'u>, file: &File) -> Result<(), PersonError> {
        self.write(tx, Part::File, &file_item(&self.keys), file)
    }

    pub(crate) fn claim(&self, tx: &mut Tx<'u>, part: Part, id: &str) -> Result<Option<Claim>, PersonError> {
        self.read(tx, part, &item(&self.keys, id))
    }

    pub(crate) fn claims(&self, tx: &mut Tx<'u>, part: Part) -> Result<Vec<Claim>, PersonError> {
        let rows = own::all(tx, &self.owner, part, MOST_IDENTITIES)?;
        rows.iter().map(|body| self.unseal(body)).collect()
    }

    pub(crate) fn put_claim(&self, tx: &mut Tx<'u>, part: Part, claim: &Claim) -> Result<(), PersonError> {
        self.write(tx, part, &item(&self.keys, &claim.id), claim)
    }

    pub(crate) fn buffer(&self, tx: &mut Tx<'u>, id: &str) -> Result<Option<Buffer>, PersonError> {
        self.read(tx, Part::Buffer, &item(&self.keys, id))
    }

    pub(crate) fn put_buffer(&self, tx: &mut Tx<'u>, id: &str, buffer: &Buffer) -> Result<(), PersonError> {
        self.write(tx, Part::Buffer, &item(&self.keys, id), buffer)
    }

    pub(crate) fn remove(&self, tx: &mut Tx<'u>, part: Part, id: &str) -> Result<(), PersonError> {
        Ok(own::remove(tx, &self.owner, part, &item(&self.keys, id))?)
    }

    pub(crate) fn clear(&self, tx: &mut Tx<'u>) -> Result<(), PersonError> {
        Ok(own::clear(tx, &self.owner)?)
    }

    fn read<T: Record>(
        &self,
        tx: &mut Tx<'u>,
        part: Part,
        item: &BlindIndex,
    ) -> Result<Option<T>, PersonError> {
        let body = own::get(tx, &self.owner, part, item)?;
        body.map(|body| self.unseal(&body)).transpose()
    }

    fn unseal<T: Record>(&self, body: &[u8]) -> Result<T, PersonError> {
        let person = self.receipt.person();
        Ok(Sealed::<T>::from_bytes(body).open(&self.receipt)?.of(person)?)
    }

    fn write<T: Record>(
        &self,
        tx: &mut Tx<'u>,
        part: Part,
        item: &BlindIndex,
        record: &T,
    ) -> Result<(), PersonError> {
        let sealed = self.receipt.data_key().seal(record);
        Ok(own::put(tx, &self.owner, part, item, sealed.bytes())?)
    }
}

/// Everything that an agency has told of a person, as it is kept.
pub(crate) fn held(
    tx: &mut Tx<'_>,
    keys: &Keys,
    agency: &Agency,
    receipt: &Receipt<'_>,
) -> Result<Vec<Held>, PersonError> {
    let owner = owner(keys, agency, receipt.person());
    let mut all = Vec::new();
    for part in [Part::File, Part::Identity, Part::Enrolment, Part::Buffer] {
        for sealed in own::all(tx, &owner, part, i64::MAX)? {
            all.push(match part {
                Part::File => Held::open::<File>(receipt, &agency.id, &sealed)?,
                Part::Identity | Part::Enrolment => Held::open::<Claim>(receipt, &agency.id, &sealed)?,
                Part::Buffer => Held::open::<Buffer>(receipt, &agency.id, &sealed)?,
            });
        }
    }
    Ok(all)
}

/// Whether an agency has a file of a person; in her bucket.
pub(crate) fn is_filed(
    tx: &mut Tx<'_>,
    keys: &Keys,
    agency: &Agency,
    person: PersonId,
) -> Result<bool, StoreError> {
    Ok(own::get(tx, &owner(keys, agency, person), Part::File, &file_item(keys))?.is_some())
}

/// What an agency finds its files by: a person's id of its own, and the id of the identity or enrolment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Listed {
    /// What the agency calls the person; of an enrolment, the enrolment.
    pub person: String,
    /// The identity.
    pub identity: String,
    /// The gallery, if the row is one of a gallery's.
    #[serde(default)]
    pub gallery: String,
}

/// The most rows of an agency's list that one question reads; none of them opens anybody.
const MOST_LISTED: i64 = 10_000;

/// The most files that one question of an agency looks into: each of them is opened, with an entry in its person's log.
pub const LOOKED_INTO: usize = 200;

pub(crate) fn list(
    store: &Store,
    keys: &Keys,
    agency: &Agency,
    part: Part,
) -> Result<Vec<Listed>, PersonError> {
    let who = keys.blind_index("agency.list", agency.id.as_bytes());
    let rows = store.read::<_, StoreError, _>(list_bucket(store, keys, agency), move |tx| {
        own::listed(tx, &who, part, MOST_LISTED)
    })?;
    let rows = rows.iter().map(|body| {
        let plain = keys.unwrap(&list_context(agency), body)?;
        Ok(serde_json::from_slice(&plain).map_err(|_| TrustError::Unreadable("agency.list"))?)
    });
    rows.collect()
}

/// Puts rows onto an agency's list, and takes others off. Done again, it changes nothing.
pub(crate) fn enlist(
    store: &Store,
    keys: &Keys,
    agency: &Agency,
    part: Part,
    (on, off): (Vec<Listed>, Vec<Listed>),
) -> Result<(), PersonError> {
    let who = keys.blind_index("agency.list", agency.id.as_bytes());
    let row = |listed: &Listed| {
        let plain = serde_json::to_vec(listed).expect("three texts are plain data");
        let item = keys.blind_index("agency.list-item", &[agency.id.as_bytes(), b"\0", &plain].concat());
        (item, keys.wrap(&list_context(agency), &plain))
    };
    let on: Vec<_> = on.iter().filter(|listed| !off.contains(listed)).map(row).collect();
    let off: Vec<_> = off.iter().map(row).collect();
    Ok(store.write::<_, StoreError, _>(list_bucket(store, keys, agency), move |tx| {
        for (item, _) in &off {
            own::strike(tx, &who, part, item)?;
        }
        for (item, body) in &on {
            own::enter(tx, &who, part, item, body)?;
        }
        Ok(())
    })?)
}

fn list_bucket(store: &Store, keys: &Keys, agency: &Agency) -> Bucket {
    store.buckets().of_hash(&keys.blind_index("agency.list", agency.id.as_bytes()))
}

fn list_context(agency: &Agency) -> Vec<u8> {
    [b"agency.list\0", agency.id.as_bytes()].concat()
}

fn owner(keys: &Keys, agency: &Agency, person: PersonId) -> own::Owner {
    keys.blind_index("agency.file", &[person.bytes().as_slice(), agency.id.as_bytes()].concat())
}

fn item(keys: &Keys, id: &str) -> BlindIndex {
    keys.blind_index("agency.item", id.as_bytes())
}

fn file_item(keys: &Keys) -> BlindIndex {
    item(keys, "")
}

//! The access log: who read what about whom, for which purpose. Appending to it is the only way to a [`Receipt`].

use kaname_base::{Env, Instant};
use kaname_store::Tx;
use serde::{Deserialize, Serialize};

use crate::seal::{BLOCK, DataKey, Record, Sealed, load};
use crate::{Keys, PersonId, TrustError, table};

/// What kind of party acts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActorKind {
    /// The person herself, or somebody with her mandate.
    Resident,
    /// A member of staff.
    Officer,
    /// A relying party: an agency's or a business's system.
    Party,
    /// The program itself, in a run that an officer started.
    Program,
}

/// Who acts, and in which role.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Actor {
    /// What kind of party.
    pub kind: ActorKind,
    /// The officer's id, the relying party's client id, or the run's name. Never a resident's number or name.
    pub id: String,
    /// The role or office in which it acts, by the pack's code.
    pub role: String,
}

impl Actor {
    /// The resident, acting for herself.
    pub fn resident() -> Actor {
        Actor { kind: ActorKind::Resident, id: "self".to_owned(), role: "self".to_owned() }
    }

    /// A part of the program, such as `payout`, acting for the officer who started it.
    pub fn program(id: &str, role: &str) -> Actor {
        Actor { kind: ActorKind::Program, id: id.to_owned(), role: role.to_owned() }
    }
}

/// One reading of a person's data that is about to happen.
#[derive(Clone, Debug)]
pub struct Access<'a> {
    /// Whose data.
    pub person: PersonId,
    /// Who reads.
    pub actor: &'a Actor,
    /// Why: a purpose code of the pack.
    pub purpose: &'a str,
    /// What allows it: a legal basis code of the pack.
    pub basis: &'a str,
    /// Which fields are read.
    pub fields: &'a [&'a str],
}

/// One line of a person's access log, as she sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Counts her entries from 1 without a gap.
    pub n: i64,
    /// When.
    pub at: Instant,
    /// Who read.
    pub actor: Actor,
    /// Why.
    pub purpose: String,
    /// What allowed it.
    pub basis: String,
    /// Which fields.
    pub fields: Vec<String>,
}

/// Proof that a reading stands in the access log. Only [`record`] makes one, in the unit of work `'u`.
///
/// It holds the person's data key, so that a [`Sealed`] record opens with it and with nothing else.
pub struct Receipt<'u> {
    key: DataKey<'u>,
    n: i64,
}

impl<'u> Receipt<'u> {
    /// Whose data it lets be opened.
    pub fn person(&self) -> PersonId {
        self.key.person()
    }

    /// The number of the entry in the person's own count.
    pub fn number(&self) -> i64 {
        self.n
    }

    /// The data key, for sealing what changed.
    pub fn data_key(&self) -> &DataKey<'u> {
        &self.key
    }
}

/// Appends an entry to the access log and gives the receipt that opens the person's records.
///
/// # Errors
/// [`TrustError::NoSuchHolder`] when the person has no data key; [`TrustError::Store`].
pub fn record<'u>(
    tx: &mut Tx<'u>,
    keys: &Keys,
    env: &Env,
    access: &Access<'_>,
) -> Result<Receipt<'u>, TrustError> {
    let mut receipts = record_many(tx, keys, env, std::slice::from_ref(access))?;
    Ok(receipts.pop().expect("one access, one receipt"))
}

/// [`record`] for many different people of this unit's bucket, at little more cost than for one.
///
/// # Errors
/// As [`record`]; nothing is appended then.
pub fn record_many<'u>(
    tx: &mut Tx<'u>,
    keys: &Keys,
    env: &Env,
    accesses: &[Access<'_>],
) -> Result<Vec<Receipt<'u>>, TrustError> {
    let people: Vec<PersonId> = accesses.iter().map(|access| access.person).collect();
    let loaded = load(tx, keys, &people)?;
    let mut rows = Vec::with_capacity(accesses.len());
    for (access, (key, entries)) in accesses.iter().zip(&loaded) {
        let entry = Entry {
            n: entries + 1,
            at: env.now,
            actor: access.actor.clone(),
            purpose: access.purpose.to_owned(),
            basis: access.basis.to_owned(),
            fields: access.fields.iter().map(|field| (*field).to_owned()).collect(),
        };
        let holder = keys.pseudonym(BLOCK, access.person);
        let body = key.seal(&entry);
        let leaf = key.commitment(&canonical(&entry));
        rows.push(table::NewEntry { holder, n: entry.n, leaf, body: body.bytes().to_vec() });
    }

    table::append_entries(tx, &rows)?;
    Ok(loaded.into_iter().map(|(key, entries)| Receipt { key, n: entries + 1 }).collect())
}

/// A person's entries, newest first. Reading them is a reading too: it takes a receipt.
///
/// # Errors
/// [`TrustError::BrokenSeal`] when an entry was tampered with.
pub fn entries(
    tx: &mut Tx<'_>,
    keys: &Keys,
    receipt: &Receipt<'_>,
    most: i64,
) -> Result<Vec<Entry>, TrustError> {
    let holder = keys.pseudonym(BLOCK, receipt.person());
    table::entry_bodies(tx, &holder, most)?
        .iter()
        .map(|body| Sealed::<Entry>::from_bytes(body).open(receipt)?.of(receipt.person()))
        .collect()
}

impl Record for Entry {
    const KIND: &'static str = "trust.entry";
}

/// The bytes that an entry's commitment is over: its JSON, in the order of the fields above.
fn canonical(entry: &Entry) -> Vec<u8> {
    serde_json::to_vec(entry).expect("an entry is plain data")
}

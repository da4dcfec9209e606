//! The access log: who read what about whom, for which purpose. Appending to it is the only way to a [`Receipt`].

use kaname_base::{Env, Instant};
use kaname_store::Tx;
use serde::{Deserialize, Serialize};

use crate::seal::{BLOCK, DataKey, load};
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
    /// The mandate under which it acts for the person whose data it is; `None` for who acts in her own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mandate: Option<Box<Mandate>>,
}

/// The power to act for one person. Her log holds it with each act, so that it names both: her, whose log it is, and the holder
/// of the mandate.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mandate {
    /// What both sides call it, such as `man_018f…`. It names nobody.
    pub id: String,
    /// What makes it one, by the pack's code, such as `parent`.
    pub kind: String,
    /// What it allows, by the pack's codes.
    pub scope: Vec<String>,
    /// For whom. Held against whose data are read, and not kept: the entry stands in her own log.
    #[serde(skip)]
    for_whom: Option<PersonId>,
}

impl Mandate {
    /// A mandate for `person`, whose row the caller has just found to be in force.
    pub fn for_person(person: PersonId, id: String, kind: String, scope: Vec<String>) -> Mandate {
        Mandate { id, kind, scope, for_whom: Some(person) }
    }

    /// Whether it is a mandate for this person.
    pub fn is_for(&self, person: PersonId) -> bool {
        self.for_whom == Some(person)
    }
}

impl Actor {
    /// The resident, acting for herself.
    pub fn resident() -> Actor {
        Actor::new(ActorKind::Resident, "self", "self")
    }

    /// Another resident, acting for the one whose data it is.
    pub fn delegate(mandate: Mandate) -> Actor {
        Actor { mandate: Some(Box::new(mandate)), ..Actor::new(ActorKind::Resident, "delegate", "delegate") }
    }

    /// A member of staff.
    pub fn officer(id: impl Into<String>, role: impl Into<String>) -> Actor {
        Actor::new(ActorKind::Officer, id, role)
    }

    /// A part of the program, such as `payout`, acting for the officer who started it.
    pub fn program(id: &str, role: &str) -> Actor {
        Actor::new(ActorKind::Program, id, role)
    }

    /// Who acts in no other's name.
    pub fn new(kind: ActorKind, id: impl Into<String>, role: impl Into<String>) -> Actor {
        Actor { kind, id: id.into(), role: role.into(), mandate: None }
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
/// It holds the person's data key, so that a [`crate::Sealed`] record opens with it and with nothing else.
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
/// [`TrustError::NoSuchHolder`] when the person has no data key; [`TrustError::WrongSubject`] when the actor's mandate is for
/// somebody else; [`TrustError::Store`].
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
    // A mandate for one person opens nobody else's data, whatever the caller has mixed up.
    let is_theirs = |access: &Access<'_>| {
        access.actor.mandate.as_ref().is_none_or(|mandate| mandate.is_for(access.person))
    };
    if !accesses.iter().all(is_theirs) {
        return Err(TrustError::WrongSubject);
    }
    let people: Vec<PersonId> = accesses.iter().map(|access| access.person).collect();
    let loaded = load(tx, keys, &people)?;
    let mut rows = Vec::with_capacity(accesses.len());
    for (access, holder) in accesses.iter().zip(&loaded) {
        let entry = Entry {
            n: holder.entries + 1,
            at: env.now,
            actor: access.actor.clone(),
            purpose: access.purpose.to_owned(),
            basis: access.basis.to_owned(),
            fields: access.fields.iter().map(|field| (*field).to_owned()).collect(),
        };
        let plain = canonical(&entry);
        let (leaf, body) = (holder.key.commitment(&plain), holder.key.seal_bytes(KIND, &plain));
        rows.push(table::Entry { holder: holder.name, n: entry.n, leaf, body });
    }
    // Callers come in the order of their own tables. Kept, it would tell which row there and which entry here are one person's.
    rows.sort_unstable_by_key(|row| row.holder);

    table::append_entries(tx, &rows)?;
    Ok(loaded.into_iter().map(|holder| Receipt { key: holder.key, n: holder.entries + 1 }).collect())
}

/// The newest `most` entries of a person, newest first. Reading them is a reading too: it takes a receipt.
///
/// Each must be the one that the log commits to, and they must count down without a gap from the newest, so that neither
/// somebody with the keys nor somebody with the database alone can show her another history than the log has.
///
/// # Errors
/// [`TrustError::BrokenEntry`] or [`TrustError::BrokenSeal`] when an entry was changed, exchanged or taken out.
pub fn entries(
    tx: &mut Tx<'_>,
    keys: &Keys,
    receipt: &Receipt<'_>,
    most: i64,
) -> Result<Vec<Entry>, TrustError> {
    let (key, most) = (receipt.data_key(), most.max(1));
    let rows = table::newest_entries(tx, keys.pseudonym(BLOCK, receipt.person()), most)?;
    let newest = rows.first().map_or(0, |row| row.n);
    if newest < receipt.number() {
        return Err(TrustError::BrokenEntry(receipt.number()));
    }
    let mut entries = Vec::with_capacity(rows.len());
    let mut rows = rows.iter();
    for n in (1..=newest).rev().take(most as usize) {
        let row = rows.next().filter(|row| row.n == n).ok_or(TrustError::BrokenEntry(n))?;
        let plain = key.open_bytes(KIND, &row.body)?;
        let entry: Entry = serde_json::from_slice(&plain).map_err(|_| TrustError::Unreadable(KIND))?;
        if entry.n != n || key.commitment(&plain) != row.leaf {
            return Err(TrustError::BrokenEntry(n));
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// What an entry is sealed as.
const KIND: &str = "trust.entry";

/// The bytes that are sealed and committed to: an entry's JSON, in the order of the fields above.
fn canonical(entry: &Entry) -> Vec<u8> {
    serde_json::to_vec(entry).expect("an entry is plain data")
}

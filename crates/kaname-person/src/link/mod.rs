//! Records that other agencies hold, linked to residents: an insurance, a pension, a licence.
//!
//! A link is a decision with evidence. [`check`] compares an agency's own list with the register: what the country's pack demands
//! is there, and nobody else is plausible, or an officer looks ([`review`]), or the answer is no. Whoever is linked sees it and can
//! object ([`holder`]); a wrong link is undone with everything that came of it ([`sever`]), by a clock ([`incident`]).
//!
//! One outside record belongs to one resident: the row of the directory says to whom, in the bucket of the record's blind index.
//! What stands in clear is a state; the source, the outside id, the evidence and who decided are sealed.

pub mod account;
pub mod agency;
mod case;
pub mod check;
pub mod close;
pub mod disclose;
pub mod file;
pub mod holder;
pub mod incident;
pub mod index;
pub mod list;
pub(crate) mod lookup;
mod make;
pub mod recall;
pub mod review;
pub mod rules;
pub mod sever;
pub mod standing;
pub mod statistics;
pub(crate) mod table;

use kaname_base::Instant;
use kaname_base::bucket::PEOPLE_PER_BUCKET;
use kaname_base::pack::Pack;
use kaname_base::pack::source::{Agreement, Source};
use kaname_store::Store;
use kaname_trust::keys::BlindIndex;
use kaname_trust::{Actor, Keys, PersonId, Record};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use crate::linkage::Model;
use crate::{PackVersion, Particulars, PersonError, Refusal, serial};
pub use rules::{Doubt, LinkState};

kaname_base::id_types! {
    /// A link between an outside record and a resident.
    LinkId(LinkKind) = "lnk";
}

/// What the orchestrations of linking work with.
#[derive(Clone)]
pub struct Desk {
    /// The data.
    pub store: Store,
    /// The keys of the deployment.
    pub keys: Keys,
    /// The country.
    pub pack: Arc<Pack>,
    /// What agreement is worth.
    pub(crate) model: Arc<Model>,
}

/// A link, as sealed for the resident it is about.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its name.
    #[serde(with = "serial::link")]
    pub id: LinkId,
    /// Which kind of record: a source of the pack.
    pub source: String,
    /// What the agency says of her. `reference` is its own id of the record.
    pub outside: Particulars,
    /// How it came about.
    pub method: Method,
    /// What agreed, and how sure that makes it.
    pub evidence: Evidence,
    /// Who made it.
    pub by: Actor,
    /// The second pair of eyes.
    pub approved_by: Option<Actor>,
    /// From when it counts; `None` while it waits for the holder.
    pub since: Option<Instant>,
    /// Until when it counted.
    pub until: Option<Instant>,
    /// When the holder said that it is hers.
    pub confirmed_at: Option<Instant>,
    /// What was done to it, oldest first.
    pub history: Vec<Step>,
    /// What was issued because of it.
    pub issued: Vec<Issued>,
    /// Who was given data through it, once it was found wrong.
    #[serde(default)]
    pub readers: Vec<recall::Reader>,
    /// Whether the record was linked to somebody else before, by mistake.
    #[serde(default)]
    pub was_anothers: bool,
    /// The officer who found that a report was mistaken, while another one has to agree.
    #[serde(default)]
    pub found_right: Option<Step>,
    /// The pack that it was judged by.
    pub pack: PackVersion,
}

/// How a link came about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// By comparison, without a person.
    Machine,
    /// Officers looked at it.
    Review,
}

/// One step in a link's life.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What it became.
    pub state: LinkState,
    /// When.
    pub at: Instant,
    /// By whom.
    pub by: Actor,
    /// Why: a code of ours, or an officer's words.
    pub why: String,
}

/// Something that was issued because of a link, such as a certificate or a payment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// What, such as `credential`.
    pub what: String,
    /// By which it is found again.
    pub reference: String,
    /// Who issued it.
    pub by: Actor,
    /// When.
    pub at: Instant,
    /// When it was marked, because the link was wrong.
    pub recalled_at: Option<Instant>,
}

/// What a comparison of an outside record with a resident gave. It holds no value of either.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// How probable it is that both are one person, of 10,000.
    pub probability: u32,
    /// The weight of the evidence in thousandths of a bit.
    pub weight: i64,
    /// Each field that was compared, and how well it agreed, in the words of the matching engine.
    pub fields: Vec<(String, String)>,
    /// Which of the fields that a pack can demand agree.
    pub agrees: Vec<String>,
    /// Whether the agency named her by her own number.
    pub number: bool,
}

impl Evidence {
    /// Whether this field agrees.
    pub fn has(&self, field: Agreement) -> bool {
        self.agrees.iter().any(|word| word == field.word())
    }
}

impl Evidence {
    /// Whether this field of the matching engine is another one altogether, and no slip or short form.
    pub(crate) fn differs(&self, field: &str) -> bool {
        self.fields.iter().any(|(found, level)| found == field && level == "differs")
    }
}

/// Every link as it is kept beside a person, the wrong ones too.
pub(crate) fn held(
    tx: &mut kaname_store::Tx<'_>,
    receipt: &kaname_trust::Receipt<'_>,
) -> Result<Vec<kaname_trust::held::Held>, crate::PersonError> {
    let rows = table::links_of(tx, receipt.person())?;
    let open = |row: &table::LinkRow| {
        Ok(kaname_trust::held::Held::open::<Link>(receipt, row.state.word(), &row.sealed)?)
    };
    rows.iter().map(open).collect()
}

impl Record for Link {
    const KIND: &'static str = "person.link";
}

/// Personal data: the debug form tells nothing.
impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Link(…)")
    }
}

impl Desk {
    /// A desk for linking.
    pub fn new(store: Store, keys: Keys, pack: Arc<Pack>) -> Desk {
        // How common a coincidence is depends on how many people there are; the buckets tell roughly.
        let people = u64::from(store.buckets().count()) * (PEOPLE_PER_BUCKET * 3 / 2);
        Desk { store, keys, pack, model: Arc::new(Model::built_in(people)) }
    }

    /// The source of the pack with this code.
    ///
    /// # Errors
    /// [`Refusal::UnknownSource`].
    pub fn source(&self, code: &str) -> Result<&Source, PersonError> {
        self.pack.source(code).ok_or_else(|| Refusal::UnknownSource.into())
    }

    /// The bucket of a person's rows.
    pub(crate) fn bucket_of(&self, person: PersonId) -> kaname_base::Bucket {
        kaname_trust::person::bucket_of(person, self.store.buckets())
    }

    /// The bucket of an outside record's row in the directory.
    pub(crate) fn directory_bucket(&self, outside: &BlindIndex) -> kaname_base::Bucket {
        self.store.buckets().of_hash(outside)
    }
}

/// What stands for an outside record.
pub(crate) fn outside_index(keys: &Keys, source: &str, reference: &str) -> BlindIndex {
    keys.blind_index("person.outside", &[source.as_bytes(), b"\0", reference.as_bytes()].concat())
}

/// What stands for "records of this source that this person has": counts them without telling which source it is.
pub(crate) fn slot_index(keys: &Keys, source: &str, person: PersonId) -> BlindIndex {
    keys.blind_index("person.link-slot", &[person.bytes(), source.as_bytes()].concat())
}

/// The name of the link between an outside record and a person, the same each time it is asked for: doing it twice links once.
/// `turn` counts the times that the record was linked before.
pub(crate) fn link_id(keys: &Keys, outside: &BlindIndex, person: PersonId, turn: i64) -> LinkId {
    let value = [&outside[..], person.bytes(), &turn.to_be_bytes()].concat();
    LinkId::from_bytes(keys.blind_index("person.link", &value))
}

/// What the access log says was read, when it was read through a link.
pub(crate) fn through(link: LinkId) -> String {
    format!("link {link}")
}

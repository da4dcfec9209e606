//! Delegates: who may act for whom, for what and until when.
//!
//! A mandate begins in one of three ways. A person names a representative, who accepts ([`give::offer`], [`accept::accept`]). An
//! officer records one on evidence, a parent by birth or a guardian by a court's order ([`give::record`]), where the country asks
//! for it under a second officer's eyes ([`accept::approve`]). An officer stands in at the counter, for the day
//! ([`give::stand_in`]). It ends by either side, by an officer, by its last day, by coming of age, by death ([`end`]).
//!
//! Two rows tell of it, each beside one of the two people: `person_mandate`. The row beside the person for whom it is is the
//! truth, and is looked at in the very unit of work that opens her data ([`in_force`]): what was ended opens nothing more.

pub mod accept;
pub mod acting;
pub mod end;
pub mod give;
mod rules;
mod table;

use jiff::civil::Date;
use kaname_base::Instant;
use kaname_base::pack::Pack;
use kaname_base::{Bucket, Env};
use kaname_store::Tx;
use kaname_trust::access::{self, Entry};
use kaname_trust::held::Held;
use kaname_trust::keys::BlindIndex;
use kaname_trust::{Actor, Keys, PersonId, Receipt, Record, Sealed};
use serde::{Deserialize, Serialize};

use crate::show::{self, Asking};
use crate::{Action, PackVersion, PersonError, Refusal};
use table::{MandateRow, Side};

pub use table::MandateState;

kaname_base::id_types! {
    /// A mandate. It says nothing of the two whom it binds.
    MandateId(MandateIdKind) = "man";
}

/// What a mandate allows, and for how long.
#[derive(Clone, PartialEq, Eq)]
pub struct Terms {
    /// A code of the pack, such as `parent`.
    pub kind: String,
    /// Codes of the pack, all of them among those of the kind.
    pub scope: Vec<String>,
    /// For so many days, today included; as long as the country allows if `None`.
    pub days: Option<u16>,
}

/// Who holds a mandate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HolderId {
    /// Another resident.
    #[serde(with = "sixteen")]
    Resident(PersonId),
    /// An officer, for the time that the person stands before her.
    #[serde(with = "sixteen")]
    Officer(crate::OfficerId),
}

/// Ids as they stand in a seal: 32 hexadecimal digits with the prefix.
mod sixteen {
    use kaname_base::id::{Id, Kind};
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<K: Kind, S: Serializer>(id: &Id<K>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(id)
    }

    pub(super) fn deserialize<'de, K: Kind, D: Deserializer<'de>>(from: D) -> Result<Id<K>, D::Error> {
        let text = String::deserialize(from)?;
        Id::parse(&text).map_err(de::Error::custom)
    }
}

/// What the person for whom a mandate is has of it, sealed with her key.
#[derive(Clone, Serialize, Deserialize)]
struct GivenMandate {
    #[serde(with = "sixteen")]
    id: MandateId,
    kind: String,
    scope: Vec<String>,
    holder: HolderId,
    #[serde(default, with = "crate::serial::maybe_date")]
    until: Option<Date>,
    evidence: String,
    by: Actor,
    at: Instant,
    pack: PackVersion,
}

impl Record for GivenMandate {
    const KIND: &'static str = "person.mandate.given";
}

/// Who its holder is, as she called herself when she accepted: sealed beside the mandate, for the person for whom it is.
#[derive(Clone, Serialize, Deserialize)]
struct HolderName {
    name: String,
    at: Instant,
}

impl Record for HolderName {
    const KIND: &'static str = "person.mandate.holder";
}

/// How it ended.
#[derive(Clone, Serialize, Deserialize)]
struct MandateEnd {
    at: Instant,
    by: Actor,
    why: String,
    /// The code of what it was until then; without, it was ended before that was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    was: Option<String>,
}

impl Record for MandateEnd {
    const KIND: &'static str = "person.mandate.end";
}

/// What its holder has of it, sealed with the holder's key.
#[derive(Clone, Serialize, Deserialize)]
struct HeldMandate {
    #[serde(with = "sixteen")]
    id: MandateId,
    #[serde(with = "sixteen")]
    for_whom: PersonId,
    name: String,
    kind: String,
    scope: Vec<String>,
    #[serde(default, with = "crate::serial::maybe_date")]
    until: Option<Date>,
    at: Instant,
}

impl Record for HeldMandate {
    const KIND: &'static str = "person.mandate.held";
}

/// A mandate as the person for whom it is sees it.
#[derive(Clone)]
pub struct Given {
    /// What names it in a form.
    pub id: MandateId,
    /// A code of the pack.
    pub kind: String,
    /// Codes of the pack.
    pub scope: Vec<String>,
    /// Whether it holds; [`Given::is_over`] says whether its last day has passed.
    pub state: MandateState,
    /// Its last day.
    pub until: Option<Date>,
    /// Who holds it; not told before it was accepted.
    pub holder: Option<String>,
    /// What showed that it is right.
    pub evidence: String,
    /// Who gave or recorded it.
    pub by: Actor,
    /// When.
    pub at: Instant,
    /// When it ended, and by whom.
    pub ended: Option<(Instant, Actor)>,
}

impl Given {
    /// Whether its last day is before `today`.
    pub fn is_over(&self, today: Date) -> bool {
        self.until.is_some_and(|until| until < today)
    }
}

/// Every mandate as it is kept beside a person: those for her, with who holds them and how they ended, and those that she holds.
pub(crate) fn held_of(tx: &mut Tx<'_>, receipt: &Receipt<'_>) -> Result<Vec<Held>, PersonError> {
    let mut all = Vec::new();
    for row in table::all(tx, receipt.person(), Side::Given)? {
        let state = row.state.code();
        all.push(Held::open::<GivenMandate>(receipt, state, &row.sealed)?);
        if let Some(holder) = &row.holder {
            all.push(Held::open::<HolderName>(receipt, state, holder)?);
        }
        if let Some(ended) = &row.ended {
            all.push(Held::open::<MandateEnd>(receipt, state, ended)?);
        }
    }
    for row in table::all(tx, receipt.person(), Side::Held)? {
        all.push(Held::open::<HeldMandate>(receipt, row.state.code(), &row.sealed)?);
    }
    Ok(all)
}

/// The mandates for a person, in no meaningful order. A reading, with its entry.
///
/// # Errors
/// As [`show::open_resident`].
pub fn given(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    asking: &Asking,
) -> Result<Vec<Given>, PersonError> {
    let receipt = show::log(tx, keys, pack, env, asking, Action::SeeMandates, &["mandates"])?;
    given_with(tx, &receipt)
}

/// [`given`] for a caller who holds a receipt already: the log of who looked names the holders.
///
/// # Errors
/// [`PersonError::Trust`], [`PersonError::Store`].
pub fn given_with(tx: &mut Tx<'_>, receipt: &Receipt<'_>) -> Result<Vec<Given>, PersonError> {
    let person = receipt.person();
    let mut all = Vec::new();
    for row in table::all(tx, person, Side::Given)? {
        let body = open_given(&row, receipt)?;
        let holder = row.holder.as_ref().map(|holder| {
            Sealed::<HolderName>::from_bytes(holder).open(receipt)?.of(person).map(|holder| holder.name)
        });
        let ended = row.ended.as_ref().map(|ended| {
            Sealed::<MandateEnd>::from_bytes(ended).open(receipt)?.of(person).map(|end| (end.at, end.by))
        });
        all.push(Given {
            id: body.id,
            kind: body.kind,
            scope: body.scope,
            state: row.state,
            until: body.until,
            holder: holder.transpose()?,
            evidence: body.evidence,
            by: body.by,
            at: body.at,
            ended: ended.transpose()?,
        });
    }
    all.sort_by_key(|mandate| std::cmp::Reverse(mandate.at));
    Ok(all)
}

/// One mandate for a person that waits for a second officer, with her name. A reading, with its entry.
///
/// # Errors
/// As [`show::open_resident`]; [`Refusal::NoSuchMandate`] when it does not wait any more.
pub fn proposed(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    asking: &Asking,
    index: &BlindIndex,
) -> Result<(String, Given), PersonError> {
    let receipt = show::log(tx, keys, pack, env, asking, Action::ApproveMandate, &["name", "mandates"])?;
    let name = show::resident_with(tx, &receipt)?.display_name(pack);
    let waits =
        |given: &Given| given.state == MandateState::Proposed && given_index(keys, given.id) == *index;
    let found = given_with(tx, &receipt)?.into_iter().find(waits).ok_or(Refusal::NoSuchMandate)?;
    Ok((name, found))
}

/// Who looked at a person's data, as [`show::access_log`] has it, with the mandates that its lines may name.
///
/// # Errors
/// As [`show::open_resident`].
pub fn access_log(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    asking: &Asking,
    most: usize,
) -> Result<(Vec<Entry>, Vec<Given>), PersonError> {
    let receipt = show::log(tx, keys, pack, env, asking, Action::SeeAccessLog, &["access-log"])?;
    let entries = access::entries(tx, keys, &receipt, i64::try_from(most).unwrap_or(i64::MAX))?;
    Ok((entries, given_with(tx, &receipt)?))
}

/// Whether the actor's mandate holds at this moment; who acts in her own name needs none. Asked in the unit of work that opens what
/// the mandate is for, so that nothing is opened after it was ended.
///
/// # Errors
/// [`Refusal::MandateOver`].
pub fn in_force(tx: &mut Tx<'_>, keys: &Keys, actor: &Actor, person: PersonId) -> Result<(), PersonError> {
    let Some(mandate) = &actor.mandate else { return Ok(()) };
    let id = MandateId::parse(&mandate.id).map_err(|_| Refusal::MandateOver)?;
    let row = table::one(tx, person, Side::Given, &given_index(keys, id))?;
    match row {
        Some(row) if row.state == MandateState::Active && mandate.is_for(person) => Ok(()),
        _ => Err(Refusal::MandateOver.into()),
    }
}

/// Mandates of this unit's bucket that wait for a second officer: for whom, and which.
///
/// # Errors
/// [`PersonError::Store`].
pub fn proposed_in_bucket(tx: &mut Tx<'_>, most: usize) -> Result<Vec<(PersonId, BlindIndex)>, PersonError> {
    Ok(table::proposed(tx, i64::try_from(most).unwrap_or(i64::MAX))?)
}

/// The bucket of a person's rows.
fn bucket_of(store: &kaname_store::Store, person: PersonId) -> Bucket {
    kaname_trust::person::bucket_of(person, store.buckets())
}

fn open_given(row: &MandateRow, receipt: &Receipt<'_>) -> Result<GivenMandate, PersonError> {
    Ok(Sealed::<GivenMandate>::from_bytes(&row.sealed).open(receipt)?.of(receipt.person())?)
}

fn open_held(row: &MandateRow, receipt: &Receipt<'_>) -> Result<HeldMandate, PersonError> {
    Ok(Sealed::<HeldMandate>::from_bytes(&row.sealed).open(receipt)?.of(receipt.person())?)
}

/// What stands for a mandate beside the person for whom it is.
fn given_index(keys: &Keys, id: MandateId) -> BlindIndex {
    keys.blind_index("person.mandate.given", id.bytes())
}

/// What stands for it beside its holder: nothing in common with the other.
fn held_index(keys: &Keys, id: MandateId) -> BlindIndex {
    keys.blind_index("person.mandate.held", id.bytes())
}

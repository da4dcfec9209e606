//! Use cases: open a resident, her number, her life events and her access log. Each reading is an entry of that log.

use kaname_base::Env;
use kaname_base::number::PersonNumber;
use kaname_base::pack::Pack;
use kaname_store::Tx;
use kaname_trust::access::{self, Entry};
use kaname_trust::{Access, Actor, ActorKind, Keys, PersonId, Receipt, Sealed};

use crate::event::LifeEvent;
use crate::number::SealedNumber;
use crate::{Action, PersonError, Refusal, Resident, policy, table};

/// Who asks about whom, and for which purpose of the pack.
#[derive(Clone)]
pub struct Asking {
    /// About whom.
    pub person: PersonId,
    /// Who asks.
    pub actor: Actor,
    /// A purpose code of the pack. Its legal basis is taken from the pack.
    pub purpose: String,
}

impl Asking {
    /// The person herself, about her own data.
    pub fn herself(person: PersonId) -> Asking {
        Asking { person, actor: Actor::resident(), purpose: OWN_ACCESS.to_owned() }
    }
}

/// The purpose of a person who looks at her own data; nobody else may name it.
const OWN_ACCESS: &str = "own-access";

/// Opens a resident's record; `fields` says in the access log what will be looked at.
///
/// # Errors
/// [`Refusal::NoSuchResident`], [`Refusal::NotAllowed`], [`Refusal::UnknownPurpose`].
pub fn open_resident(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &Asking,
    fields: &[&str],
) -> Result<Resident, PersonError> {
    let receipt = log(tx, keys, pack, env, ask, Action::OpenResident, fields)?;
    let is_staff = ask.actor.kind == ActorKind::Officer && ask.actor.mandate.is_none();
    // Somebody who died, or whose entry was a second one, is there for the authority only.
    if is_staff { record_with(tx, &receipt) } else { resident_with(tx, &receipt) }
}

/// A resident's record, for a caller who holds a receipt already: a run over many people ([`access::record_many`]).
///
/// # Errors
/// [`Refusal::NoSuchResident`]; [`PersonError::Trust`] when the seal is another person's.
pub fn resident_with(tx: &mut Tx<'_>, receipt: &Receipt<'_>) -> Result<Resident, PersonError> {
    if !table::resident(tx, receipt.person())?.is_some_and(|row| row.active) {
        return Err(Refusal::NoSuchResident.into());
    }
    record_with(tx, receipt)
}

/// As [`resident_with`], of an entry that is closed too.
pub(crate) fn record_with(tx: &mut Tx<'_>, receipt: &Receipt<'_>) -> Result<Resident, PersonError> {
    let person = receipt.person();
    let row = table::resident(tx, person)?.ok_or(Refusal::NoSuchResident)?;
    Ok(Sealed::<Resident>::from_bytes(&row.sealed).open(receipt)?.of(person)?)
}

/// Whether she is in the register, opening nothing.
pub(crate) fn is_active(tx: &mut Tx<'_>, person: PersonId) -> Result<bool, PersonError> {
    Ok(table::resident(tx, person)?.is_some_and(|row| row.active))
}

/// Opens a resident's number. An entry of its own, so that she sees who saw it.
///
/// # Errors
/// As [`open_resident`].
pub fn reveal_number(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &Asking,
) -> Result<PersonNumber, PersonError> {
    let receipt = log(tx, keys, pack, env, ask, Action::RevealNumber, &["number"])?;
    number_with(tx, &receipt)
}

/// A resident's number, for a caller who holds a receipt already.
///
/// # Errors
/// As [`resident_with`].
pub fn number_with(tx: &mut Tx<'_>, receipt: &Receipt<'_>) -> Result<PersonNumber, PersonError> {
    let person = receipt.person();
    let row = table::resident(tx, person)?.filter(|row| row.active).ok_or(Refusal::NoSuchResident)?;
    let sealed = table::given_number(tx, person, &row.number_index)?.ok_or(Refusal::NoSuchResident)?;
    Ok(Sealed::<SealedNumber>::from_bytes(&sealed).open(receipt)?.of(person)?.read()?)
}

/// Who looked at a resident's data and why, newest first. The first entry is this very look.
///
/// # Errors
/// As [`open_resident`].
pub fn access_log(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &Asking,
    most: usize,
) -> Result<Vec<Entry>, PersonError> {
    let receipt = log(tx, keys, pack, env, ask, Action::SeeAccessLog, &["access-log"])?;
    Ok(access::entries(tx, keys, &receipt, i64::try_from(most).unwrap_or(i64::MAX))?)
}

/// What happened to a resident, oldest first.
///
/// # Errors
/// As [`open_resident`].
pub fn life_events(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &Asking,
) -> Result<Vec<LifeEvent>, PersonError> {
    let receipt = log(tx, keys, pack, env, ask, Action::OpenResident, &["life-events"])?;
    let rows = table::events(tx, ask.person)?;
    rows.iter()
        .map(|row| Ok(Sealed::<LifeEvent>::from_bytes(&row.sealed).open(&receipt)?.of(ask.person)?))
        .collect()
}

/// A receipt for a person's payments, which the block that keeps them opens with it.
///
/// # Errors
/// As [`open_resident`].
pub fn payments_receipt<'u>(
    tx: &mut Tx<'u>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &Asking,
) -> Result<Receipt<'u>, PersonError> {
    log(tx, keys, pack, env, ask, Action::SeePayments, &["payments", "account"])
}

/// Checks role and purpose, and writes the entry.
pub(crate) fn log<'u>(
    tx: &mut Tx<'u>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &Asking,
    action: Action,
    fields: &[&str],
) -> Result<Receipt<'u>, PersonError> {
    policy::may(&ask.actor, action)?;
    // Whoever has her mandate stands in her place, and needs no other purpose than she does.
    let is_herself = ask.actor.kind == ActorKind::Resident || ask.actor.mandate.is_some();
    let purpose = pack.purpose(&ask.purpose).ok_or(Refusal::UnknownPurpose)?;
    if is_herself != (purpose.code == OWN_ACCESS) {
        return Err(Refusal::UnknownPurpose.into());
    }
    if table::resident(tx, ask.person)?.is_none() {
        return Err(Refusal::NoSuchResident.into());
    }
    crate::delegate::in_force(tx, keys, &ask.actor, ask.person)?;
    let basis = purpose.legal_basis.get(&pack.default_language().tag);
    let access = Access { person: ask.person, actor: &ask.actor, purpose: &purpose.code, basis, fields };
    Ok(access::record(tx, keys, env, &access)?)
}

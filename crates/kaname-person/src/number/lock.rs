//! Use case: lock a number. A locked number leads nobody outside the authority to its holder; what the register itself does for
//! her, such as paying her, goes on. Her aliases hold on too: they are what she gives in its place.

use kaname_base::Env;
use kaname_base::pack::Pack;
use kaname_store::{StoreError, Tx};
use kaname_trust::{Keys, PersonId};

use super::table;
use crate::event::{Change, LifeEvent};
use crate::show::{self, Asking};
use crate::{Action, PackVersion, PersonError, Refusal};

/// Somebody locks a number, or unlocks it.
#[derive(Clone)]
pub struct LockNumber {
    /// Chosen by the caller: the same request does it once.
    pub request: [u8; 16],
    /// Whose number, and who asks.
    pub asking: Asking,
    /// Whether it is to be locked.
    pub locked: bool,
    /// Why.
    pub why: String,
    /// What was shown, when an officer does it.
    pub evidence: String,
}

/// Locks or unlocks a number. Each change is an event of her life in the register, and a line in her log.
///
/// # Errors
/// [`Refusal::NoSuchResident`], [`Refusal::NotAllowed`], [`Refusal::UnknownPurpose`].
pub fn lock_number(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &LockNumber,
) -> Result<(), PersonError> {
    let person = ask.asking.person;
    let receipt = show::log(tx, keys, pack, env, &ask.asking, Action::LockNumber, &["number-lock"])?;
    crate::table::resident(tx, person)?.filter(|row| row.active).ok_or(Refusal::NoSuchResident)?;
    let events = crate::table::events(tx, person)?;
    let request = keys.blind_index("person.lock.request", &ask.request);
    if events.iter().any(|event| event.request == request) {
        return Ok(());
    }
    let (locked, version) = match table::lock(tx, person)? {
        Some((locked, version)) => (locked, Some(version)),
        None => (false, None),
    };
    if locked == ask.locked {
        return Ok(()); // nothing happened, so there is no event
    }

    let change = if ask.locked { Change::NumberLocked } else { Change::NumberUnlocked };
    let event = receipt.data_key().seal(&LifeEvent {
        change,
        on: None,
        other_side: false,
        at: env.now,
        by: ask.asking.actor.clone(),
        why: ask.why.clone(),
        evidence: ask.evidence.clone(),
        pack: PackVersion::of(pack),
    });
    let n = events.last().map_or(1, |event| event.n + 1);
    let record = crate::table::NewRecord::Event { id: &person, n, request: &request, sealed: event.bytes() };
    crate::table::insert_records(tx, &[record])?;
    table::set_lock(tx, person, version, ask.locked)?;
    Ok(())
}

/// Whether a person's number is locked.
///
/// # Errors
/// [`StoreError`].
pub fn is_locked(tx: &mut Tx<'_>, person: PersonId) -> Result<bool, StoreError> {
    Ok(table::lock(tx, person)?.is_some_and(|(locked, _)| locked))
}

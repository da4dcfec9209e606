//! Use cases: a mandate ends, by either side, by an officer, or by death. By its last day it ends of itself.

use kaname_base::Env;
use kaname_base::pack::Pack;
use kaname_store::{Store, Tx};
use kaname_trust::keys::BlindIndex;
use kaname_trust::{Actor, Keys, PersonId, Sealed, seal};

use super::table::{self, MandateState, Side};
use super::{HolderId, MandateEnd, MandateId, bucket_of, given_index, open_given, open_held};
use crate::show::{self, Asking};
use crate::{Action, PersonError, Refusal};

/// The person for whom it is ends a mandate, or an officer does. One that has ended stays so.
///
/// # Errors
/// [`Refusal::NoSuchMandate`], [`Refusal::NotAllowed`].
pub fn end(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    asking: &Asking,
    id: MandateId,
    why: &str,
) -> Result<(), PersonError> {
    show::log(tx, keys, pack, env, asking, Action::EndMandate, &["mandates"])?;
    end_row(tx, keys, env, asking.person, &given_index(keys, id), &asking.actor, why)
}

/// The holder gives a mandate back, or refuses one that she was offered.
///
/// # Errors
/// [`Refusal::NoSuchMandate`].
pub fn give_back(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    holder: &Asking,
    held: BlindIndex,
) -> Result<(), PersonError> {
    let body = {
        let (keys, pack, env, asking) = (keys.clone(), pack.clone(), env.again(), holder.clone());
        store.write::<_, PersonError, _>(bucket_of(store, holder.person), move |tx| {
            let env = env.again();
            let receipt = show::log(tx, &keys, &pack, &env, &asking, Action::HoldMandate, &["mandates"])?;
            let row = table::one(tx, asking.person, Side::Held, &held)?.ok_or(Refusal::NoSuchMandate)?;
            open_held(&row, &receipt)
        })?
    };
    let (keys, env) = (keys.clone(), env.again());
    store.write(bucket_of(store, body.for_whom), move |tx| {
        let by = Actor::new(kaname_trust::ActorKind::Resident, body.id.to_string(), "delegate");
        end_row(tx, &keys, &env.again(), body.for_whom, &given_index(&keys, body.id), &by, "given back")
    })
}

/// Ends every mandate for this person and every one that she holds: for the event of her death. Running it twice does nothing more.
///
/// # Errors
/// [`PersonError::Trust`], [`PersonError::Store`]; [`Refusal::NotAllowed`], [`Refusal::UnknownPurpose`].
pub fn end_all(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    asking: &Asking,
    why: &str,
) -> Result<usize, PersonError> {
    let held = {
        let (keys, pack, env, asking, why) =
            (keys.clone(), pack.clone(), env.again(), asking.clone(), why.to_owned());
        store.write::<_, PersonError, _>(bucket_of(store, asking.person), move |tx| {
            let (env, person) = (env.again(), asking.person);
            let receipt = show::log(tx, &keys, &pack, &env, &asking, Action::EndMandate, &["mandates"])?;
            let mut held = Vec::new();
            for row in table::all(tx, person, Side::Held)? {
                let body = open_held(&row, &receipt)?;
                held.push((body.for_whom, body.id));
            }
            let given = table::all(tx, person, Side::Given)?;

            for row in given.iter().filter(|row| row.state != MandateState::Ended) {
                end_row(tx, &keys, &env, person, &row.index, &asking.actor, &why)?;
            }
            Ok(held)
        })?
    };
    let count = held.len();
    for (person, id) in held {
        let (keys, env, by, why) = (keys.clone(), env.again(), asking.actor.clone(), why.to_owned());
        store.write::<_, PersonError, _>(bucket_of(store, person), move |tx| {
            match end_row(tx, &keys, &env.again(), person, &given_index(&keys, id), &by, &why) {
                // The mandate was cut short before it began, or the person was erased: there is nothing to end.
                Err(PersonError::Refused(Refusal::NoSuchMandate)) => Ok(()),
                Err(PersonError::Trust(kaname_trust::TrustError::NoSuchHolder)) => Ok(()),
                ended => ended,
            }
        })?;
    }
    Ok(count)
}

/// Takes back what [`end_all`] ended for this reason, because the death was recorded wrongly: each mandate is again what it was. One whose
/// other side is closed stays ended; so does one that somebody ended for a reason of their own. Gives how many came back.
///
/// # Errors
/// As [`end_all`].
pub fn reinstate_all(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    asking: &Asking,
    why: &str,
) -> Result<usize, PersonError> {
    let (given, held) = {
        let (keys, pack, env, asking) = (keys.clone(), pack.clone(), env.again(), asking.clone());
        store.write::<_, PersonError, _>(bucket_of(store, asking.person), move |tx| {
            let (env, person) = (env.again(), asking.person);
            let receipt = show::log(tx, &keys, &pack, &env, &asking, Action::EndMandate, &["mandates"])?;
            let mut given = Vec::new();
            for row in table::all(tx, person, Side::Given)? {
                let body = open_given(&row, &receipt)?;
                given.push((row.index, body.holder));
            }
            let mut held = Vec::new();
            for row in table::all(tx, person, Side::Held)? {
                let body = open_held(&row, &receipt)?;
                held.push((body.for_whom, given_index(&keys, body.id)));
            }
            Ok((given, held))
        })?
    };
    let mut count = 0;
    for (index, holder) in given {
        let is_there = match holder {
            HolderId::Resident(holder) => is_open(store, holder)?,
            HolderId::Officer(_) => true,
        };
        if is_there {
            count += usize::from(reinstate(store, keys, pack, env, asking, (asking.person, index), why)?);
        }
    }
    for (person, index) in held {
        if is_open(store, person)? {
            count += usize::from(reinstate(store, keys, pack, env, asking, (person, index), why)?);
        }
    }
    Ok(count)
}

fn is_open(store: &Store, person: PersonId) -> Result<bool, PersonError> {
    store.read(bucket_of(store, person), move |tx| show::is_active(tx, person))
}

/// Makes one mandate for `person` what it was before it ended for this reason; tells whether it did.
fn reinstate(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    asking: &Asking,
    (person, index): (PersonId, BlindIndex),
    why: &str,
) -> Result<bool, PersonError> {
    let (keys, pack, env, why) = (keys.clone(), pack.clone(), env.again(), why.to_owned());
    let asking = Asking { person, ..asking.clone() };
    store.write(bucket_of(store, person), move |tx| {
        let row = table::one(tx, person, Side::Given, &index)?;
        let Some(mut row) = row.filter(|row| row.state == MandateState::Ended) else { return Ok(false) };
        let Some(ended) = &row.ended else { return Ok(false) };
        let env = env.again();
        let receipt = show::log(tx, &keys, &pack, &env, &asking, Action::EndMandate, &["mandates"])?;
        let end = Sealed::<MandateEnd>::from_bytes(ended).open(&receipt)?.of(person)?;
        let Some(was) = end.was.as_deref().and_then(MandateState::of_code).filter(|_| end.why == why) else {
            return Ok(false);
        };

        (row.state, row.ended) = (was, None);
        table::replace(tx, person, &row)?;
        Ok(true)
    })
}

fn end_row(
    tx: &mut Tx<'_>,
    keys: &Keys,
    env: &Env,
    person: PersonId,
    index: &BlindIndex,
    by: &Actor,
    why: &str,
) -> Result<(), PersonError> {
    let mut row = table::one(tx, person, Side::Given, index)?.ok_or(Refusal::NoSuchMandate)?;
    if row.state == MandateState::Ended {
        return Ok(());
    }
    let key = seal::data_key(tx, keys, person)?;

    let was = Some(row.state.code().to_owned());
    let end = MandateEnd { at: env.now, by: by.clone(), why: why.to_owned(), was };
    (row.state, row.ended) = (MandateState::Ended, Some(key.seal(&end).bytes().to_vec()));
    table::replace(tx, person, &row)?;
    Ok(())
}

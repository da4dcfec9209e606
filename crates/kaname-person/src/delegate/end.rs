//! Use cases: a mandate ends, by either side, by an officer, or by death. By its last day it ends of itself.

use kaname_base::Env;
use kaname_base::pack::Pack;
use kaname_store::{Store, Tx};
use kaname_trust::keys::BlindIndex;
use kaname_trust::{Actor, Keys, PersonId, seal};

use super::table::{self, MandateState, Side};
use super::{MandateEnd, MandateId, bucket_of, given_index, open_held};
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

    let end = MandateEnd { at: env.now, by: by.clone(), why: why.to_owned() };
    (row.state, row.ended) = (MandateState::Ended, Some(key.seal(&end).bytes().to_vec()));
    table::replace(tx, person, &row)?;
    Ok(())
}

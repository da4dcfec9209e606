//! Use cases: a mandate that waits comes into force, by its holder or by a second officer.

use kaname_base::Env;
use kaname_base::pack::Pack;
use kaname_store::{Store, Tx};
use kaname_trust::Keys;
use kaname_trust::keys::BlindIndex;

use super::table::{self, MandateState, Side};
use super::{HolderName, bucket_of, given_index, open_given, open_held};
use crate::show::{self, Asking};
use crate::{Action, PersonError, Refusal};

/// The holder accepts what she was offered. From then on the person for whom it is knows her name.
///
/// # Errors
/// [`Refusal::NoSuchMandate`], [`Refusal::MandateOver`] when it was ended meanwhile or waits for an officer.
pub fn accept(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    holder: &Asking,
    held: BlindIndex,
) -> Result<(), PersonError> {
    let (body, name) = {
        let (keys, pack, env, asking) = (keys.clone(), pack.clone(), env.again(), holder.clone());
        store.write::<_, PersonError, _>(bucket_of(store, holder.person), move |tx| {
            let env = env.again();
            let fields = ["name", "mandates"];
            let receipt = show::log(tx, &keys, &pack, &env, &asking, Action::HoldMandate, &fields)?;
            let row = table::one(tx, asking.person, Side::Held, &held)?.ok_or(Refusal::NoSuchMandate)?;
            Ok((open_held(&row, &receipt)?, show::resident_with(tx, &receipt)?.display_name(&pack)))
        })?
    };
    let (keys, person, now) = (keys.clone(), body.for_whom, env.now);
    store.write(bucket_of(store, person), move |tx| {
        let index = given_index(&keys, body.id);
        let mut row = table::one(tx, person, Side::Given, &index)?.ok_or(Refusal::NoSuchMandate)?;
        match row.state {
            MandateState::Active => return Ok(()),
            MandateState::Offered => {}
            MandateState::Proposed | MandateState::Ended => return Err(Refusal::MandateOver.into()),
        }
        let key = kaname_trust::seal::data_key(tx, &keys, person)?;

        row.state = MandateState::Active;
        row.holder = Some(key.seal(&HolderName { name: name.clone(), at: now }).bytes().to_vec());
        table::replace(tx, person, &row)?;
        Ok(())
    })
}

/// A second officer approves what another recorded.
///
/// # Errors
/// [`Refusal::SameOfficer`], [`Refusal::NoSuchMandate`], [`Refusal::MandateOver`], [`Refusal::NotAllowed`].
pub fn approve(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    asking: &Asking,
    index: BlindIndex,
) -> Result<(), PersonError> {
    let receipt = show::log(tx, keys, pack, env, asking, Action::ApproveMandate, &["mandates"])?;
    let mut row = table::one(tx, asking.person, Side::Given, &index)?.ok_or(Refusal::NoSuchMandate)?;
    let body = open_given(&row, &receipt)?;
    if body.by.id == asking.actor.id {
        return Err(Refusal::SameOfficer.into());
    }
    match row.state {
        MandateState::Active => return Ok(()),
        MandateState::Proposed => {}
        MandateState::Offered | MandateState::Ended => return Err(Refusal::MandateOver.into()),
    }

    row.state = MandateState::Active;
    table::replace(tx, asking.person, &row)?;
    Ok(())
}

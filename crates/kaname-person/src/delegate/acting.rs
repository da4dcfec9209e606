//! What a holder has: the mandates that she may use, and the actor that one of them makes her.

use jiff::civil::Date;
use kaname_base::Env;
use kaname_base::pack::Pack;
use kaname_store::{Store, StoreError};
use kaname_trust::keys::BlindIndex;
use kaname_trust::{Actor, Keys, Mandate, PersonId};

use super::table::{self, MandateState, Side};
use super::{HeldMandate, bucket_of, given_index, open_held};
use crate::show::{self, Asking};
use crate::{Action, PersonError, Refusal};

/// A mandate as its holder sees it.
#[derive(Clone)]
pub struct Held {
    /// What names it in her addresses and forms. Nobody else's.
    pub index: BlindIndex,
    /// The name of the person for whom it is.
    pub name: String,
    /// A code of the pack.
    pub kind: String,
    /// Codes of the pack.
    pub scope: Vec<String>,
    /// Whether it holds.
    pub state: MandateState,
    /// Its last day.
    pub until: Option<Date>,
}

/// A holder acts.
#[derive(Clone)]
pub struct Acting {
    /// For whom.
    pub person: PersonId,
    /// Her name.
    pub name: String,
    /// What the holder is in what she does now: good for this person and for nobody else.
    pub actor: Actor,
    /// What it allows.
    pub scope: Vec<String>,
}

/// The mandates that a person holds, the newest first. A reading of what is hers, with its entry.
///
/// # Errors
/// As [`show::open_resident`].
pub fn held(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    holder: &Asking,
) -> Result<Vec<Held>, PersonError> {
    let bodies = open(store, keys, pack, env, holder, None)?;
    let mut all = Vec::new();
    for (index, body) in bodies {
        // One that has no row beside the person was cut short before it began.
        let Some(state) = state_of(store, keys, &body)? else { continue };
        let HeldMandate { name, kind, scope, until, at, .. } = body;
        all.push((at, Held { index, name, kind, scope, state, until }));
    }
    all.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    Ok(all.into_iter().map(|(_, held)| held).collect())
}

/// The actor that this mandate makes its holder, if it holds today. The use stands in the holder's own log, and what she then
/// reads in the log of the person for whom it is.
///
/// # Errors
/// [`Refusal::NoSuchMandate`] for one that is not hers, [`Refusal::MandateOver`].
pub fn act(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    holder: &Asking,
    index: BlindIndex,
) -> Result<Acting, PersonError> {
    let mut bodies = open(store, keys, pack, env, holder, Some(index))?;
    let (_, body) = bodies.pop().ok_or(Refusal::NoSuchMandate)?;
    let today = env.now.date_in(&pack.time_zone);
    let is_over = body.until.is_some_and(|until| until < today);
    if is_over || state_of(store, keys, &body)? != Some(MandateState::Active) {
        return Err(Refusal::MandateOver.into());
    }
    let mandate = Mandate::for_person(body.for_whom, body.id.to_string(), body.kind, body.scope.clone());
    Ok(Acting { person: body.for_whom, name: body.name, actor: Actor::delegate(mandate), scope: body.scope })
}

fn open(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    holder: &Asking,
    index: Option<BlindIndex>,
) -> Result<Vec<(BlindIndex, HeldMandate)>, PersonError> {
    let (keys, pack, env, asking) = (keys.clone(), pack.clone(), env.again(), holder.clone());
    store.write(bucket_of(store, holder.person), move |tx| {
        let env = env.again();
        // From the moment that her entry is closed, and not from when others have been told of it.
        if !show::is_active(tx, asking.person)? {
            return Err(Refusal::NoSuchResident.into());
        }
        let receipt = show::log(tx, &keys, &pack, &env, &asking, Action::HoldMandate, &["mandates"])?;
        let rows = match index {
            Some(index) => table::one(tx, asking.person, Side::Held, &index)?.into_iter().collect(),
            None => table::all(tx, asking.person, Side::Held)?,
        };
        rows.iter().map(|row| Ok((row.index, open_held(row, &receipt)?))).collect()
    })
}

fn state_of(store: &Store, keys: &Keys, body: &HeldMandate) -> Result<Option<MandateState>, PersonError> {
    let (person, index) = (body.for_whom, given_index(keys, body.id));
    let row = store.read::<_, StoreError, _>(bucket_of(store, person), move |tx| {
        let active = crate::table::resident(tx, person)?.is_some_and(|row| row.active);
        Ok(table::one(tx, person, Side::Given, &index)?.filter(|_| active))
    })?;
    Ok(row.map(|row| row.state))
}

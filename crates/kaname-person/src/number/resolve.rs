//! Whom a number or an alias leads to: the one way in, for a search at a counter, a command and an agency's question alike.

use kaname_base::Env;
use kaname_base::pack::Pack;
use kaname_store::Store;
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, Keys, PersonId};

use super::alias::{self, Use};
use super::{NumberState, look_up, promised_to};
use crate::{Action, PersonError, policy};

/// Somebody brings a number or an alias.
#[derive(Clone)]
pub struct Resolve<'a> {
    /// As it was typed.
    pub text: &'a str,
    /// Who brings it: a locked, replaced or ended one leads only those to its holder whom the policy names.
    pub actor: &'a Actor,
    /// Chosen by the caller for this one use: asked again with it, an alias of a single use gives the same answer.
    pub use_id: [u8; 16],
}

/// The person, or `None`: also for a text that is neither number nor alias, and for one that leads this actor nowhere. It tells
/// nothing but the person; what the actor may do with her is asked elsewhere.
///
/// An alias of a single use is used up by the first who resolves it, whoever that is, and by nobody else.
///
/// # Errors
/// [`PersonError::Store`].
pub fn resolve(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &Resolve<'_>,
) -> Result<Option<PersonId>, PersonError> {
    if let Ok(number) = pack.number.parse(ask.text) {
        let Some((person, state)) = look_up(store, keys, &number)? else { return Ok(None) };
        let leads = match state {
            NumberState::Current => true,
            NumberState::Locked => policy::may(ask.actor, Action::FindByLockedNumber).is_ok(),
            NumberState::Replaced | NumberState::Closed => {
                policy::may(ask.actor, Action::FindByReplacedNumber).is_ok()
            }
        };
        return Ok(leads.then_some(person));
    }
    let Some(alias) = pack.alias.as_ref().and_then(|rules| rules.scheme.parse(ask.text).ok()) else {
        return Ok(None);
    };
    let index = alias::index_of(keys, &alias);
    let Some(person) = promised_to(store, index)? else { return Ok(None) };

    let (bucket, today) = (bucket_of(person, store.buckets()), env.now.date_in(&pack.time_zone));
    let use_index = keys.blind_index("person.alias.use", &ask.use_id);
    let look = move |tx: &mut kaname_store::Tx<'_>| alias::look(tx, person, &index, &use_index, today);
    let good = store.read::<_, PersonError, _>(bucket, move |tx| Ok(look(tx)?.map(|(good, _)| good)))?;
    let good = match good {
        Some(Use::UsesUp) => {
            let (keys, env, actor) = (keys.clone(), env.again(), ask.actor.clone());
            store.write::<_, PersonError, _>(bucket, move |tx| match look(tx)? {
                Some((Use::UsesUp, row)) => {
                    alias::use_up(tx, &keys, &env.again(), person, &row, &use_index, &actor)?;
                    Ok(Some(Use::Leads))
                }
                found => Ok(found.map(|(good, _)| good)),
            })?
        }
        good => good,
    };
    let leads = match good {
        Some(Use::Leads) => true,
        Some(Use::Ended) => policy::may(ask.actor, Action::FindByReplacedNumber).is_ok(),
        Some(Use::UsesUp) | None => false,
    };
    Ok(leads.then_some(person))
}

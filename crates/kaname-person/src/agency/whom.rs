//! Whom an agency means: by its own name for the person, by her number, or by an alias of it.

use kaname_base::Env;
use kaname_base::pack::Pack;
use kaname_store::{Store, StoreError};
use kaname_trust::keys::random;
use kaname_trust::person::bucket_of;
use kaname_trust::{Keys, PersonId};

use super::{Agency, name};
use crate::number::resolve::{Resolve, resolve};
use crate::{PersonError, Refusal, table};

/// The resident whom `text` names.
///
/// # Errors
/// [`Refusal::NoSuchResident`]; [`PersonError::Store`].
pub fn resident(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    agency: &Agency,
    text: &str,
) -> Result<PersonId, PersonError> {
    let ask = Resolve { text, actor: &agency.actor(), use_id: random() };
    if let Some(person) = resolve(store, keys, pack, env, &ask)? {
        return Ok(person);
    }
    let person = name::person_of(keys, store.buckets(), agency, text).ok_or(Refusal::NoSuchResident)?;
    let bucket = bucket_of(person, store.buckets());
    let row = store.read::<_, StoreError, _>(bucket, move |tx| table::resident(tx, person))?;
    row.filter(|row| row.active).map(|_| person).ok_or_else(|| Refusal::NoSuchResident.into())
}

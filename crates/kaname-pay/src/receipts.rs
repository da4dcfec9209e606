//! Receipts for many people, some of whom may have left the register meanwhile.

use kaname_base::Env;
use kaname_store::Tx;
use kaname_trust::access::{self, Access};
use kaname_trust::{Actor, Keys, PersonId, Receipt, TrustError, seal};

use crate::PayError;
use crate::payee::PURPOSE;

/// A receipt for each person who has a data key, in order; none for one who was erased. `basis` is the pack's ([`crate::payee::Desk::basis`]).
pub(crate) fn receipts<'u>(
    env: &Env,
    tx: &mut Tx<'u>,
    keys: &Keys,
    actor: &Actor,
    basis: &str,
    people: &[PersonId],
    fields: &[&str],
) -> Result<Vec<Option<Receipt<'u>>>, PayError> {
    let access = |person: &PersonId| Access { person: *person, actor, purpose: PURPOSE, basis, fields };
    match access::record_many(tx, keys, env, &people.iter().map(access).collect::<Vec<_>>()) {
        Ok(receipts) => return Ok(receipts.into_iter().map(Some).collect()),
        Err(TrustError::NoSuchHolder) => {} // seldom, so it is looked for slowly
        Err(error) => return Err(error.into()),
    }
    let mut present = Vec::with_capacity(people.len());
    for person in people {
        present.push(match seal::data_key(tx, keys, *person) {
            Ok(_) => true,
            Err(TrustError::NoSuchHolder) => false,
            Err(error) => return Err(error.into()),
        });
    }
    let there: Vec<_> =
        people.iter().zip(&present).filter(|(_, there)| **there).map(|(person, _)| access(person)).collect();
    let mut receipts = access::record_many(tx, keys, env, &there)?.into_iter();
    Ok(present.iter().map(|there| if *there { receipts.next() } else { None }).collect())
}

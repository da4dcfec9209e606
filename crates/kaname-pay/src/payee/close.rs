//! Use case: an account follows its holder's entry in the register: closed with it, and open again when that was a mistake.

use kaname_person::{Action, policy};
use kaname_store::{StoreError, Tx};
use kaname_trust::{Actor, Keys, PersonId};

use crate::payee::{PayeeState, table};
use crate::{PayError, ids};

/// Pays nothing more on the account of a person of the unit's bucket whose entry was closed. Done twice, it changes nothing; nor where
/// nothing is paid anyway.
///
/// # Errors
/// [`PayError::NotAllowed`].
pub fn close(tx: &mut Tx<'_>, keys: &Keys, by: &Actor, person: PersonId) -> Result<(), PayError> {
    policy::may(by, Action::SuspendAccount)?;
    exchange(tx, keys, person, PayeeState::Active, PayeeState::Closed).map_err(PayError::from)
}

/// Pays on the account again that [`close`] closed, because the entry counts again. What an officer suspended stays suspended.
///
/// # Errors
/// [`PayError::NotAllowed`].
pub fn reopen(tx: &mut Tx<'_>, keys: &Keys, by: &Actor, person: PersonId) -> Result<(), PayError> {
    policy::may(by, Action::SuspendAccount)?;
    exchange(tx, keys, person, PayeeState::Closed, PayeeState::Active).map_err(PayError::from)
}

fn exchange(
    tx: &mut Tx<'_>,
    keys: &Keys,
    person: PersonId,
    from: PayeeState,
    to: PayeeState,
) -> Result<(), StoreError> {
    let found = table::payees(tx, &[ids::payee(keys, person)])?.pop().flatten();
    let Some(mut row) = found.filter(|row| row.state == from) else { return Ok(()) };

    row.state = to;
    table::replace_payee(tx, &row)
}

//! Use case: pay nothing more on a person's account, until another one is registered.

use kaname_person::{Action, policy};
use kaname_store::Tx;
use kaname_trust::{Actor, Keys, PersonId};

use crate::payee::{PayeeState, table};
use crate::{PayError, Refusal, ids};

/// Suspends the payee account of a person of the unit's bucket.
///
/// # Errors
/// [`PayError::NotAllowed`]; [`Refusal::NoPayee`] when there is none that is paid on.
pub fn suspend(tx: &mut Tx<'_>, keys: &Keys, by: &Actor, person: PersonId) -> Result<(), PayError> {
    policy::may(by, Action::SuspendAccount)?;
    let found = table::payees(tx, &[ids::payee(keys, person)])?.pop().flatten();
    let mut row = found.ok_or(Refusal::NoPayee)?;
    match row.state {
        // Of a closed entry too: then it does not come back with the entry.
        PayeeState::Active | PayeeState::Closed => row.state = PayeeState::Suspended,
        PayeeState::Suspended => return Ok(()),
        PayeeState::Refused(_) => return Err(Refusal::NoPayee.into()), // nothing is paid on it anyway
    }

    table::replace_payee(tx, &row)?;
    Ok(())
}

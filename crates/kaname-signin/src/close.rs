//! Use case: nobody signs in as a resident any more, because she died or her entry was a second one.

use kaname_person::{Action, policy, register};
use kaname_store::Tx;
use kaname_trust::{Actor, Keys, PersonId};

use crate::account::Account;
use crate::holder::Holder;
use crate::{Refusal, SigninError, table};

/// Ends every session of a resident, and takes her passkeys and her letter from her account. Done twice, it changes nothing. If she
/// comes back into the register, a new letter begins her account anew.
///
/// # Errors
/// [`SigninError::NotAllowed`]; [`SigninError::Store`].
pub fn close(tx: &mut Tx<'_>, keys: &Keys, by: &Actor, person: PersonId) -> Result<(), SigninError> {
    policy::may(by, Action::EndSignIn)?;
    let holder = Holder::Resident(person).row(keys);
    let sessions = table::sessions_of(tx, &holder.row)?;
    let mut account = Account::load(tx, keys, &holder)?;
    let had_means = account.letter.take().is_some() | !std::mem::take(&mut account.passkeys).is_empty();

    for (session, _) in sessions {
        table::delete_session(tx, &holder.row, &session)?;
    }
    if had_means {
        account.save(tx, keys, &holder)?;
    }
    Ok(())
}

/// Whether somebody may be given means of signing in: an officer, or a resident whose entry is not closed.
pub(crate) fn may_sign_in(tx: &mut Tx<'_>, holder: Holder) -> Result<(), SigninError> {
    match holder {
        Holder::Resident(person) if register::is_closed(tx, person)? => Err(Refusal::NoAccount.into()),
        Holder::Resident(_) | Holder::Officer(_) => Ok(()),
    }
}

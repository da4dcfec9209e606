//! Use cases: give an officer the key with which she acts by command line, and check that whoever names her has it.
//!
//! The key is a secret of 160 random bits that she alone keeps; the register keeps a keyed hash. It tells officers apart who
//! come through the program. It is no wall against somebody who reads the master key: see docs/operate/command-line.md.

mod table;

use kaname_base::hex;
use kaname_store::Tx;
use kaname_trust::keys::random;
use kaname_trust::{Actor, Keys};

use crate::officer::{Officer, OfficerId, officer};
use crate::{Action, PersonError, Refusal, policy};

/// Gives an officer a new key, in the place of an earlier one. The unit is on the home bucket. `by` is `None` for the first key
/// of a deployment only.
///
/// # Errors
/// [`Refusal::NoSuchOfficer`], [`Refusal::NotAllowed`].
pub fn give_key(
    tx: &mut Tx<'_>,
    keys: &Keys,
    by: Option<&Actor>,
    id: OfficerId,
) -> Result<String, PersonError> {
    match by {
        Some(by) => policy::may(by, Action::IssueOfficerActivation)?,
        None if !table::any(tx)? => {}
        None => {
            let action = Action::IssueOfficerActivation;
            return Err(Refusal::NotAllowed { role: "nobody".to_owned(), action }.into());
        }
    }
    officer(tx, keys, id)?;
    let secret = hex::encode(&random::<20>());

    table::put(tx, id, &index(keys, id, &secret))?;
    Ok(secret)
}

/// The officer who shows her key.
///
/// # Errors
/// [`Refusal::NoSuchOfficer`], also when she left; [`Refusal::OfficerKeyWrong`] when she has no key, or this is not hers.
pub fn prove(tx: &mut Tx<'_>, keys: &Keys, id: OfficerId, secret: &str) -> Result<Officer, PersonError> {
    let known = officer(tx, keys, id)?;
    if !known.active {
        return Err(Refusal::NoSuchOfficer.into());
    }
    // What is compared are keyed hashes: how long it takes tells nothing of the secret.
    match table::index(tx, id)? == Some(index(keys, id, secret)) {
        true => Ok(known),
        false => Err(Refusal::OfficerKeyWrong.into()),
    }
}

fn index(keys: &Keys, id: OfficerId, secret: &str) -> [u8; 16] {
    keys.blind_index("person.officer-key", &[id.bytes().as_slice(), secret.as_bytes()].concat())
}

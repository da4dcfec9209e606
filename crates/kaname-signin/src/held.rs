//! Use case: everything that the sign-in holds on a resident, for her.

use kaname_base::Instant;
use kaname_store::Tx;
use kaname_trust::held::Held;
use kaname_trust::{Keys, Receipt};
use serde::Serialize;

use crate::account::Account;
use crate::consent::Body as Consent;
use crate::history::Entry;
use crate::{Holder, Means, SigninError, session, table};

/// What the receipt is for.
pub const FIELDS: &[&str] = &["sign_ins", "connected_services", "passkeys"];

/// Her ways of signing in, without what would let anybody else use them.
#[derive(Serialize)]
struct Ways {
    letter: bool,
    passkeys: Vec<Key>,
}

#[derive(Serialize)]
struct Key {
    name: String,
    added: Instant,
    is_synced: bool,
}

#[derive(Serialize)]
struct Open {
    at: Instant,
    seen: Instant,
    means: Means,
    device: String,
}

/// Her account, her sessions, her sign-ins and the services that she has connected.
///
/// # Errors
/// [`SigninError::Store`], [`SigninError::Trust`].
pub fn held(tx: &mut Tx<'_>, keys: &Keys, receipt: &Receipt<'_>) -> Result<Vec<Held>, SigninError> {
    let holder = Holder::Resident(receipt.person()).row(keys);
    let account = Account::load(tx, keys, &holder)?;
    let key = |key: &crate::account::Passkey| Key {
        name: key.name.clone(),
        added: key.added,
        is_synced: key.backup_eligible,
    };
    let ways =
        Ways { letter: account.letter.is_some(), passkeys: account.passkeys.iter().map(key).collect() };
    let mut all = vec![Held::plain("signin.account", "", &ways)];
    for (at, seen, means, device) in session::all_of(tx, keys, holder)? {
        all.push(Held::plain("signin.session", "", &Open { at, seen, means, device }));
    }
    for sealed in table::history(tx, &holder.row)? {
        all.push(Held::open::<Entry>(receipt, "", &sealed)?);
    }
    for (_, sealed) in table::consents(tx, &holder.row)? {
        all.push(Held::open::<Consent>(receipt, "", &sealed)?);
    }
    Ok(all)
}

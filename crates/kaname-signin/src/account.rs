//! Sign-in accounts: optional, one for each holder, with passkeys and the letter that counts.

use kaname_base::{Env, Instant};
use kaname_store::Tx;
use kaname_trust::Keys;
use kaname_trust::keys::BlindIndex;
use serde::{Deserialize, Serialize};

use crate::authorize::Answer;
use crate::authorize::{Step, advance};
use crate::holder::{HolderRow, unwrap, wrap};
use crate::interaction::Requested;
use crate::provider::Provider;
use crate::session::{Cookie, Entered, Session};
use crate::{SigninError, session, table};

/// Somebody has signed in: set the cookie, then take the step.
pub struct SignedIn {
    /// The new session.
    pub session: Session,
    /// The new session's cookie, in the place of any that the browser has.
    pub cookie: Cookie,
    /// What comes next.
    pub step: Step,
}

/// A passkey of an account.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Passkey {
    #[serde(with = "crate::bytes")]
    pub(crate) id: Vec<u8>,
    #[serde(with = "crate::bytes")]
    pub(crate) key: Vec<u8>,
    pub(crate) name: String,
    pub(crate) added: Instant,
    pub(crate) sign_count: u32,
    pub(crate) backup_eligible: bool,
}

/// The letter that counts. A new letter takes its place, and the old one opens nothing any more.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct LetterInForce {
    #[serde(with = "crate::bytes")]
    pub(crate) letter: BlindIndex,
    pub(crate) activated: bool,
}

/// An account as it was read.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Account {
    #[serde(skip)]
    version: i64,
    pub(crate) letter: Option<LetterInForce>,
    pub(crate) passkeys: Vec<Passkey>,
}

const KIND: &str = "signin.account";

impl Account {
    /// The holder's account; an empty one that is not stored yet if there is none.
    pub(crate) fn load(tx: &mut Tx<'_>, keys: &Keys, holder: &HolderRow) -> Result<Account, SigninError> {
        let Some((version, body)) = table::account(tx, &holder.row)? else { return Ok(Account::default()) };
        let account: Account = unwrap(keys, KIND, &holder.row, &body)?;
        Ok(Account { version, ..account })
    }

    /// Writes it over the version that was read.
    pub(crate) fn save(&self, tx: &mut Tx<'_>, keys: &Keys, holder: &HolderRow) -> Result<(), SigninError> {
        let body = wrap(keys, KIND, &holder.row, self);
        Ok(table::replace_account(tx, &holder.row, self.version, &body)?)
    }

    pub(crate) fn passkey(&self, id: &[u8]) -> Option<usize> {
        self.passkeys.iter().position(|passkey| passkey.id == id)
    }
}

/// Goes on with the sign-in in the new session. The browser's earlier session, if it was another holder's, has ended.
pub(crate) fn go_on(
    provider: &Provider,
    env: &Env,
    requested: &Requested,
    entered: Entered,
    replaces: Option<&Session>,
) -> Result<SignedIn, SigninError> {
    let Entered { session, agreed } = entered;
    if let Some(old) = replaces.filter(|old| old.bucket() != session.bucket()) {
        session::end(provider, old)?;
    }
    let step = advance(provider, env, requested, Some(&session), Answer::Remembered(agreed))?;
    Ok(SignedIn { cookie: session.cookie(provider), session, step })
}

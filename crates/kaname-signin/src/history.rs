//! A holder's sign-ins, as she sees them: when, to which party, how.

use kaname_base::{Env, Instant};
use kaname_store::Tx;
use kaname_trust::{Access, Actor, Record, Sealed, access};
use serde::{Deserialize, Serialize};

use crate::holder::{Holder, Sealer, unwrap};
use crate::provider::Provider;
use crate::rules::Means;
use crate::session::Session;
use crate::{SigninError, table};

/// One line of the history.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Instant,
    /// The party's client id; none for our own pages.
    pub party: Option<String>,
    /// How.
    pub means: Means,
    /// Whether she signed in, or an earlier sign-in was used for one more party.
    pub new_session: bool,
    /// The passkey's counter did not advance: perhaps there is a copy of it.
    pub maybe_copied: bool,
}

impl Record for Entry {
    const KIND: &'static str = "signin.history";
}

/// How many lines are kept.
const KEPT: i64 = 100;

/// The holder's sign-ins, newest first. Reading them is logged like any other reading.
///
/// # Errors
/// [`SigninError::Trust`], [`SigninError::Store`].
pub fn list(provider: &Provider, env: &Env, session: &Session) -> Result<Vec<Entry>, SigninError> {
    let (with, env, holder, row) = (provider.clone(), env.clone(), session.holder(), session.row());
    provider.store().write(session.bucket(), move |tx| {
        let bodies = table::history(tx, &row)?;
        open_all(tx, &with, &env.again(), holder, "sign_ins", &bodies)
    })
}

/// Appends a line, and drops those that are too old.
pub(crate) fn append(
    tx: &mut Tx<'_>,
    row: &[u8; 16],
    sealer: &Sealer<'_>,
    entry: &Entry,
) -> Result<(), SigninError> {
    let n = table::last_history(tx, row)? + 1;
    table::insert_history(tx, row, n, &sealer.seal(entry))?;
    if n > KEPT {
        table::trim_history(tx, row, n - KEPT)?;
    }
    Ok(())
}

/// Opens a holder's own records for herself: under a receipt if she is a resident.
pub(crate) fn open_all<T: Record>(
    tx: &mut Tx<'_>,
    provider: &Provider,
    env: &Env,
    holder: Holder,
    field: &str,
    bodies: &[Vec<u8>],
) -> Result<Vec<T>, SigninError> {
    match holder {
        Holder::Officer(_) => bodies.iter().map(|body| unwrap(provider.keys(), T::KIND, &[], body)).collect(),
        Holder::Resident(person) => {
            let (actor, purpose) = (Actor::resident(), "own-access");
            let basis = provider.config().basis(purpose);
            let access = Access { person, actor: &actor, purpose, basis: &basis, fields: &[field] };
            let receipt = access::record(tx, provider.keys(), env, &access)?;
            let open = |body: &Vec<u8>| Ok(Sealed::<T>::from_bytes(body).open(&receipt)?.of(person)?);
            bodies.iter().map(open).collect()
        }
    }
}

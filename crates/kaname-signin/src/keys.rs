//! The keys that sign ID tokens: one signs, the next is published before it does, the one before stays until its tokens are over.

use kaname_base::{Env, Instant};
use kaname_codec::jose::Es256Key;
use kaname_store::Tx;

use crate::provider::Provider;
use crate::{SigninError, table};

/// What a key is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// Published, does not sign yet.
    Next,
    /// Signs.
    Current,
    /// Published until the tokens it signed are over.
    Previous,
}

impl Role {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Role::Next => "next",
            Role::Current => "current",
            Role::Previous => "previous",
        }
    }

    pub(crate) fn of_code(code: &str) -> Option<Role> {
        [Role::Next, Role::Current, Role::Previous].into_iter().find(|role| role.code() == code)
    }
}

/// A signing key in memory.
pub(crate) struct SigningKey {
    pub(crate) kid: String,
    pub(crate) role: Role,
    pub(crate) key: Es256Key,
}

/// How long a party may keep our key set, so how long the next key is published before it signs, and the last one after.
pub const OVERLAP_SECONDS: i64 = 3_600;

/// Makes the next key the one that signs, and publishes a new next one. Nothing is restarted: every process reads the keys
/// again within a few seconds, and until then signs with a key that is still published.
///
/// Only when the next key has been published for [`OVERLAP_SECONDS`]; before that nothing happens, and the answer is `false`.
///
/// # Errors
/// [`SigninError::Store`], [`SigninError::Trust`].
pub fn rotate(provider: &Provider, env: &Env) -> Result<bool, SigninError> {
    let (keys, now) = (provider.keys().clone(), env.now);
    let rotated = provider.store().write(provider.buckets().home(), move |tx| rotate_in(tx, &keys, now))?;
    provider.refresh(now)?;
    Ok(rotated)
}

/// The public keys (RFC 7517), with those that do not sign yet or any more.
///
/// # Errors
/// [`SigninError::Store`].
pub fn jwks(provider: &Provider, env: &Env) -> Result<serde_json::Value, SigninError> {
    let snapshot = provider.snapshot(env.now)?;
    let keys: Vec<_> = snapshot.signing.iter().map(|key| key.key.public().to_jwk(&key.kid)).collect();
    Ok(serde_json::json!({ "keys": keys }))
}

/// Makes the first two keys of a deployment.
pub(crate) fn ensure(tx: &mut Tx<'_>, keys: &kaname_trust::Keys, now: Instant) -> Result<(), SigninError> {
    if table::keys(tx)?.is_empty() {
        add(tx, keys, Role::Current, now)?;
        add(tx, keys, Role::Next, now)?;
        table::next_edition(tx)?;
    }
    Ok(())
}

/// The keys of the deployment, unwrapped.
pub(crate) fn read(tx: &mut Tx<'_>, keys: &kaname_trust::Keys) -> Result<Vec<SigningKey>, SigninError> {
    let mut read = Vec::new();
    for row in table::keys(tx)? {
        let pkcs8 = keys.unwrap(&context(&row.kid), &row.wrapped)?;
        let key =
            Es256Key::from_pkcs8(&pkcs8).map_err(|_| kaname_trust::TrustError::Unreadable("signin.key"))?;
        read.push(SigningKey { kid: row.kid, role: row.role, key });
    }
    Ok(read)
}

fn rotate_in(tx: &mut Tx<'_>, keys: &kaname_trust::Keys, now: Instant) -> Result<bool, SigninError> {
    let rows = table::keys(tx)?;
    let next = rows.iter().find(|row| row.role == Role::Next);
    let ready = next.is_some_and(|row| row.published.plus_seconds(OVERLAP_SECONDS) <= now);
    if !ready {
        return Ok(false);
    }

    for row in &rows {
        match row.role {
            Role::Next => table::set_key_role(tx, &row.kid, Role::Current, row.retires)?,
            Role::Current => {
                table::set_key_role(tx, &row.kid, Role::Previous, now.plus_seconds(2 * OVERLAP_SECONDS))?;
            }
            Role::Previous if row.retires <= now => table::delete_key(tx, &row.kid)?,
            Role::Previous => {}
        }
    }
    add(tx, keys, Role::Next, now)?;
    table::next_edition(tx)?;
    Ok(true)
}

fn add(tx: &mut Tx<'_>, keys: &kaname_trust::Keys, role: Role, now: Instant) -> Result<(), SigninError> {
    let pkcs8 = Es256Key::generate().expect("making a P-256 key needs memory and randomness only");
    let kid = Es256Key::from_pkcs8(&pkcs8).expect("the key was just made").public().thumbprint();
    let wrapped = keys.wrap(&context(&kid), &pkcs8);
    table::insert_key(
        tx,
        &table::KeyRow { kid, role, published: now, retires: Instant::from_micros(i64::MAX), wrapped },
    )?;
    Ok(())
}

fn context(kid: &str) -> Vec<u8> {
    [b"signin.key\0", kid.as_bytes()].concat()
}

//! Deletes what has expired: used assertions, sign-ins, sessions, letters. Run it every few minutes.

use kaname_base::Env;

use crate::SigninError;
use crate::provider::Provider;
use crate::table;

/// Sweeps all buckets, one unit of work each; returns how many rows went.
///
/// # Errors
/// [`SigninError::Store`].
pub fn sweep(provider: &Provider, env: &Env) -> Result<u64, SigninError> {
    let mut swept = 0;
    for bucket in provider.buckets().all() {
        let now = env.now;
        swept +=
            provider.store().write(bucket, move |tx| table::sweep(tx, now).map_err(SigninError::from))?;
    }
    Ok(swept)
}

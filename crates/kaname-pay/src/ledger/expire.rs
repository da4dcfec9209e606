//! Use case: give back what was reserved for a time that is over.

use kaname_base::{Env, Instant};
use kaname_store::{Store, StoreError, Tx};

use crate::PayError;
use crate::ids::{TransferId, digest};
use crate::ledger::{Kind, Transfer, post_batch, table};

/// How many are looked at in one unit of work.
const PAGE: i64 = 1_024;

/// Gives back what pending transfers of the unit's bucket reserved for a time that is over, some of them. Each is released by a
/// transfer of its own whose id follows from the pending one, so that it is released once however often this is run, and by
/// however many at once. Returns how many were looked at, and how many of them were released; none is left when none was looked at.
///
/// # Errors
/// [`StoreError`].
pub fn expire(env: &Env, tx: &mut Tx<'_>) -> Result<(u64, u64), StoreError> {
    let due = table::expired(tx, env.now, PAGE)?;
    if due.is_empty() {
        return Ok((0, 0));
    }
    let mut ids: Vec<TransferId> = due.iter().map(|(_, pending)| *pending).collect();
    ids.sort_unstable();
    let resolved = table::resolutions(tx, &ids)?;
    let pending = table::transfers(tx, &ids)?.into_iter().map(|standing| standing.transfer);
    let releases: Vec<Transfer> =
        pending.filter(|pending| !resolved.contains_key(&pending.id)).map(release).collect();

    let outcomes = post_batch(env, tx, &releases)?;
    for (at, pending) in &due {
        table::swept(tx, *at, *pending)?;
    }
    Ok((due.len() as u64, outcomes.iter().filter(|outcome| outcome.is_ok()).count() as u64))
}

/// Gives back what is to be given back in all buckets. Returns how many transfers were released.
///
/// # Errors
/// [`StoreError`]; what is left over is released the next time.
pub fn expire_all(store: &Store, env: &Env) -> Result<u64, PayError> {
    let mut all = 0;
    for bucket in store.buckets().all() {
        let now = env.now;
        let is_due = move |tx: &mut Tx<'_>| Ok(!table::expired(tx, now, 1)?.is_empty());
        while store.read::<_, StoreError, _>(bucket, is_due)? {
            let env = env.again();
            let (_, released) = store.write::<_, StoreError, _>(bucket, move |tx| expire(&env, tx))?;
            all += released;
        }
    }
    Ok(all)
}

fn release(pending: Transfer) -> Transfer {
    let until = match pending.kind {
        Kind::PendingUntil(until) => until,
        _ => Instant::from_micros(0),
    };
    // It sorts by the moment at which it is due, so that it stands near to what is posted then.
    let mut id = [0; 16];
    id[..6].copy_from_slice(&(until.micros().max(0) / 1_000).to_be_bytes()[2..]);
    id[6..].copy_from_slice(&digest(&[b"kaname pay expiry", pending.id.bytes()])[..10]);
    Transfer { id: TransferId::from_bytes(id), kind: Kind::ExpiryOf(pending.id), ..pending }
}

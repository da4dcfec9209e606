//! Use case: what agencies were told long ago is forgotten. The pack says after how many days.
//!
//! Whatever adds to a feed on a day asks for one job on the day when the last of it has been there long enough.

use kaname_base::pack::Pack;
use kaname_base::{Env, Instant};
use kaname_store::jobs::{self, Job, NewJob};
use kaname_store::{Store, StoreError, Tx};
use kaname_trust::Keys;

use super::table as own;
use super::{PAGE, bucket, index, unwrap};
use crate::PersonError;
use crate::agency::{Agency, transaction};

/// The kind of job that forgets.
pub const KIND: &str = "agency.prune";

const DAY_SECONDS: i64 = 24 * 3_600;

/// The day of a moment, counted from 1970.
pub(crate) fn day_of(seconds: i64) -> i64 {
    seconds.div_euclid(DAY_SECONDS)
}

/// Asks for what is added today to be forgotten in time.
pub(crate) fn plan(
    tx: &mut Tx<'_>,
    keys: &Keys,
    env: &Env,
    agency: &Agency,
    keep_days: i64,
) -> Result<(), StoreError> {
    let last = day_of(env.now.seconds()) + keep_days;
    let id = keys.blind_index("agency.prune", &[agency.id.as_bytes(), b"\0", &last.to_be_bytes()].concat());
    let body = keys.wrap(&context(&id), agency.id.as_bytes());
    let due = Instant::from_seconds((last + 1) * DAY_SECONDS);
    // Asked for already today: wrapped again it looks like another body, and is the same.
    jobs::enqueue(tx, env, &NewJob { id, kind: KIND, body: &body, due }).map(drop)
}

/// Whose feed a job prunes: known by its id alone, for it may not be registered any more.
pub fn agency(keys: &Keys, job: &Job) -> Option<Agency> {
    let id = String::from_utf8(keys.unwrap(&context(&job.id), &job.body).ok()?.to_vec()).ok()?;
    Some(Agency {
        id,
        sector: String::new(),
        attributes: Vec::new(),
        purpose: None,
        sees_numbers: false,
        sources: Vec::new(),
    })
}

/// Forgets what is older than the pack says, and remembers up to which place.
///
/// # Errors
/// [`PersonError::Store`], [`PersonError::Trust`].
pub fn prune(store: &Store, keys: &Keys, pack: &Pack, env: &Env, agency: &Agency) -> Result<(), PersonError> {
    let first_day = day_of(env.now.seconds()) - pack.feed.keep_days;
    let place = bucket(store, keys, agency);
    loop {
        let (who, with, agency) = (index(keys, agency), keys.clone(), agency.clone());
        let more = store.write::<_, PersonError, _>(place, move |tx| {
            let gone = own::gone(tx, &who)?;
            let mut last = None;
            let rows = own::after(tx, &who, gone, PAGE)?;
            for (n, body) in &rows {
                if day_of(unwrap(&with, &agency, body)?.at) >= first_day {
                    break;
                }
                last = Some(*n);
            }

            transaction::table::forget(tx, &who, first_day)?;
            let Some(last) = last else { return Ok(false) };
            own::forget(tx, &who, last)?;
            Ok(last == rows.last().map_or(last, |(n, _)| *n))
        })?;
        if !more {
            return Ok(());
        }
    }
}

fn context(id: &[u8; 16]) -> Vec<u8> {
    [KIND.as_bytes(), b"\0", id].concat()
}

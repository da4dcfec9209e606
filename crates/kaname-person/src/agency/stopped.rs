//! Registrations of an agency that were stopped because somebody looks like the person: an officer decides on them.
//!
//! That one waits tells an agency that there may be such a person, which it has no right to know of most people. So the answer says no
//! more than that an officer decides; the same document is looked at once a day; and after some in a day every other registration of
//! the agency waits, too, without being looked at: whoever tries names out learns nothing any more.

use kaname_base::hex;
use kaname_store::StoreError;
use kaname_trust::TrustError;
use kaname_trust::keys::{BlindIndex, random};
use serde::{Deserialize, Serialize};

use super::Desk;
use super::feed::{bucket, index, prune};
use super::transaction::table as own;
use crate::PersonError;

/// The most registrations of one agency that are stopped in a day because somebody looks like the person. An agency that enters
/// thousands of newborn children a day meets fewer, and one that tries names out reaches it in an hour.
pub(crate) const MOST_A_DAY: usize = 50;

#[derive(Default, Serialize, Deserialize)]
struct Body {
    /// The kind of a question, which this is not.
    kind: String,
    /// Keyed hashes of what was handed in.
    documents: Vec<String>,
}

/// Whether an agency's registration waits without being looked at: its document was stopped today, or too many others were.
pub(crate) fn waits(desk: Desk<'_>, document: &BlindIndex) -> Result<bool, PersonError> {
    let (who, item) = (index(desk.keys, desk.agency), item(desk));
    let place = bucket(desk.store, desk.keys, desk.agency);
    let row = desk.store.read::<_, StoreError, _>(place, move |tx| own::get(tx, &who, &item))?;
    let Some(row) = row else { return Ok(false) };
    let documents = read(desk, &row.body)?.documents;
    Ok(documents.len() >= MOST_A_DAY || documents.contains(&hex::encode(document)))
}

/// Notes that a registration was stopped.
pub(crate) fn note(desk: Desk<'_>, document: &BlindIndex) -> Result<(), PersonError> {
    let (who, item, document) = (index(desk.keys, desk.agency), item(desk), hex::encode(document));
    let (keys, env, agency) = (desk.keys.clone(), desk.env.again(), desk.agency.clone());
    let (keep_days, day) = (desk.pack.feed.keep_days, prune::day_of(desk.env.now.seconds()));
    let context = context(desk);
    desk.store.write(bucket(desk.store, desk.keys, desk.agency), move |tx| {
        let there = own::get(tx, &who, &item)?;
        let mut body = match &there {
            Some(row) => parse(&keys.unwrap(&context, &row.body)?)?,
            None => Body { kind: "registration".to_owned(), documents: Vec::new() },
        };
        if body.documents.contains(&document) {
            return Ok(());
        }
        body.documents.push(document.clone());
        let wrapped = keys.wrap(&context, &serde_json::to_vec(&body).expect("texts are plain data"));

        let is_kept = match there {
            Some(row) => own::replace(tx, &who, &item, &row.digest, &random(), &wrapped)?,
            None => own::keep_stopped(tx, &who, &item, day, &random(), &wrapped)?,
        };
        if !is_kept {
            return Err(StoreError::Conflict.into());
        }
        Ok(prune::plan(tx, &keys, &env.again(), &agency, keep_days)?)
    })
}

/// The row of an agency's day.
fn item(desk: Desk<'_>) -> BlindIndex {
    let day = prune::day_of(desk.env.now.seconds());
    desk.keys.blind_index("agency.stopped", &[desk.agency.id.as_bytes(), b"\0", &day.to_be_bytes()].concat())
}

fn read(desk: Desk<'_>, wrapped: &[u8]) -> Result<Body, PersonError> {
    parse(&desk.keys.unwrap(&context(desk), wrapped)?)
}

fn parse(plain: &[u8]) -> Result<Body, PersonError> {
    Ok(serde_json::from_slice(plain).map_err(|_| TrustError::Unreadable("agency.stopped"))?)
}

fn context(desk: Desk<'_>) -> Vec<u8> {
    [b"agency.stopped\0", desk.agency.id.as_bytes()].concat()
}

//! The job after a wrong link: find out from the access log who was given data through it, and tell each of them.

use std::collections::BTreeMap;

use kaname_base::{Env, Instant};
use kaname_store::jobs::Job;
use kaname_store::{StoreError, Tx};
use kaname_trust::access;
use kaname_trust::keys::BlindIndex;
use kaname_trust::{Actor, ActorKind, PersonId, TrustError};
use serde::{Deserialize, Serialize};

use super::table::{self, Standing};
use super::{Desk, LinkId, lookup, through};
use crate::{Action, PersonError, policy, serial};

/// The job that tells the readers of a wrong link.
pub const RECALL: &str = "link.recall";

/// The most entries of one person's log that are searched.
const MOST_ENTRIES: i64 = 1_000_000;

const BODY: &[u8] = b"person.link-recall";
const NOTICE: &[u8] = b"person.link-notice";

/// Somebody who was given data through a link.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reader {
    /// Who.
    pub actor: Actor,
    /// For which purpose.
    pub purpose: String,
    /// When first.
    pub first: Instant,
    /// When last.
    pub last: Instant,
    /// How often.
    pub times: u64,
}

/// What an agency is told of a wrong link.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Notice {
    /// Which kind of record.
    pub source: String,
    /// The outside record that was linked to the wrong person.
    pub reference: String,
    /// When it was read first.
    pub first: Instant,
    /// When it was read last.
    pub last: Instant,
    /// When the link was undone.
    pub undone: Instant,
}

#[derive(Serialize, Deserialize)]
struct Body {
    #[serde(with = "serial::person")]
    person: PersonId,
    #[serde(with = "serial::link")]
    link: LinkId,
}

/// What the job needs to know, wrapped.
pub(crate) fn body(desk: &Desk, person: PersonId, link: LinkId) -> Vec<u8> {
    desk.keys.wrap(BODY, &serde_json::to_vec(&Body { person, link }).expect("plain data"))
}

/// The handler of [`RECALL`]. Done twice, everybody is told once.
///
/// # Errors
/// [`PersonError::Store`], [`PersonError::Trust`].
pub fn recall(desk: &Desk, env: &Env, job: &Job) -> Result<(), PersonError> {
    let unreadable = || TrustError::Unreadable(RECALL);
    let Body { person, link } =
        serde_json::from_slice(&desk.keys.unwrap(BODY, &job.body)?).map_err(|_| unreadable())?;
    let (with, when) = (desk.clone(), env.again());
    let told = desk
        .store
        .write(desk.bucket_of(person), move |tx| find_readers(tx, &with, &when.again(), person, link))?;

    for (reader, notice) in &told.notices {
        let to = reader.actor.id.clone();
        let id = desk.keys.blind_index("person.link-notice", &[link.bytes(), to.as_bytes()].concat());
        let bytes = serde_json::to_vec(notice).expect("a notice is plain data");
        let wrapped = desk.keys.wrap(&[NOTICE, &id[..]].concat(), &bytes);
        let bucket = notice_bucket(desk, &to);
        desk.store
            .write::<_, StoreError, _>(bucket, move |tx| table::insert_notice(tx, &to, &id, &wrapped))?;
    }
    let outside = told.outside;
    desk.store.write::<_, StoreError, _>(desk.directory_bucket(&outside), move |tx| {
        let Some(mut entry) = table::entries(tx, &[outside])?.pop().flatten() else { return Ok(()) };
        if entry.owner != Some((person, link)) {
            return Ok(()); // it is somebody's again
        }
        entry.standing = Standing::Free;
        entry.owner = None;
        table::put_entries(tx, &[entry])
    })?;
    Ok(())
}

struct Told {
    outside: BlindIndex,
    notices: Vec<(Reader, Notice)>,
}

/// Lists the readers in the link itself, where its holder and the officers see them.
fn find_readers(
    tx: &mut Tx<'_>,
    desk: &Desk,
    env: &Env,
    person: PersonId,
    link: LinkId,
) -> Result<Told, PersonError> {
    let actor = Actor::program("link-recall", policy::PROGRAM);
    let mut row = table::link(tx, person, link)?.ok_or(crate::Refusal::NoSuchLink)?;
    let fields = ["access-log", "link", &through(link)];
    let receipt = lookup::log(tx, desk, env, &actor, person, lookup::CORRECTION, &fields)?;
    let mut record = lookup::link_with(&receipt, &row)?;
    let name = through(link);
    let mut readers: BTreeMap<(String, String), Reader> = BTreeMap::new();
    for entry in access::entries(tx, &desk.keys, &receipt, MOST_ENTRIES)? {
        // Who put it right, and who was asked about it, was not given her data by it.
        let given = entry.fields.contains(&name) && entry.purpose != lookup::CORRECTION;
        if !given || entry.actor.kind == ActorKind::Resident {
            continue;
        }
        let reader =
            readers.entry((entry.actor.id.clone(), entry.purpose.clone())).or_insert_with(|| Reader {
                actor: entry.actor.clone(),
                purpose: entry.purpose.clone(),
                first: entry.at,
                last: entry.at,
                times: 0,
            });
        reader.first = reader.first.min(entry.at);
        reader.last = reader.last.max(entry.at);
        reader.times += 1;
    }
    let readers: Vec<Reader> = readers.into_values().collect();
    let undone = record.until.unwrap_or(env.now);
    let notices = readers
        .iter()
        .map(|reader| {
            let notice = Notice {
                source: record.source.clone(),
                reference: record.outside.reference.clone(),
                first: reader.first,
                last: reader.last,
                undone,
            };
            (reader.clone(), notice)
        })
        .collect();

    record.readers = readers;
    lookup::keep(tx, desk, &mut row, &record)?;
    Ok(Told { outside: row.outside, notices })
}

/// What an agency has to be told and has not acknowledged.
///
/// # Errors
/// [`crate::Refusal::NotAllowed`] for anybody but the agency itself and those who watch links.
pub fn notices(
    desk: &Desk,
    by: &Actor,
    agency: &str,
    most: usize,
) -> Result<Vec<(BlindIndex, Notice)>, PersonError> {
    may_see_notices(by, agency)?;
    let (bucket, of) = (notice_bucket(desk, agency), agency.to_owned());
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = desk.store.read::<_, StoreError, _>(bucket, move |tx| table::notices(tx, &of, limit))?;
    let mut notices = Vec::with_capacity(rows.len());
    for (id, wrapped) in rows {
        let bytes = desk.keys.unwrap(&[NOTICE, &id[..]].concat(), &wrapped)?;
        let notice =
            serde_json::from_slice(&bytes).map_err(|_| TrustError::Unreadable("person.link-notice"))?;
        notices.push((id, notice));
    }
    Ok(notices)
}

/// An agency says that it deleted what it was given; whether there was such a notice.
///
/// # Errors
/// As [`notices`].
pub fn acknowledge(desk: &Desk, by: &Actor, agency: &str, id: BlindIndex) -> Result<bool, PersonError> {
    may_see_notices(by, agency)?;
    let (bucket, of) = (notice_bucket(desk, agency), agency.to_owned());
    Ok(desk.store.write::<_, StoreError, _>(bucket, move |tx| table::take_notice(tx, &of, &id))?)
}

fn may_see_notices(by: &Actor, agency: &str) -> Result<(), PersonError> {
    let own = by.kind == ActorKind::Party && by.id == agency;
    if own { Ok(()) } else { Ok(policy::may(by, Action::WatchLinks)?) }
}

fn notice_bucket(desk: &Desk, agency: &str) -> kaname_base::Bucket {
    desk.store.buckets().of_hash(&desk.keys.blind_index("person.link-agency", agency.as_bytes()))
}

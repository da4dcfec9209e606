//! What follows a wrong link: the access log tells who was given data through it, and each of them is told; so are the residents
//! whom it affects.
//!
//! One job lists the readers and keeps a notice for each. Another one for each notice puts it into the reader's own feed, from where a
//! subscription sends it, signed; who has no feed stands in the list of the office until somebody has told them. The residents see it
//! in the portal, and a letter to each waits until it is written. All of it may be done twice, and tells once.

mod letter;
mod table;

use std::collections::BTreeMap;

use kaname_base::{Env, Instant, hex};
use kaname_store::jobs::{self, Job, NewJob};
use kaname_store::{StoreError, Tx};
use kaname_trust::access;
use kaname_trust::keys::BlindIndex;
use kaname_trust::{Actor, ActorKind, PersonId, TrustError};
use serde::{Deserialize, Serialize};

use super::table::{self as links, Standing};
use super::{Desk, LinkId, lookup, through};
use crate::agency::feed::{self, Listener};
use crate::{Action, PersonError, policy, serial};
pub use letter::{Letter, Letters, letters, set_written, unseen};
pub use table::Affected;
pub(crate) use table::{insert_letter, set_seen};

/// The job that tells the readers of a wrong link.
pub const RECALL: &str = "link.recall";

/// The job that tells one reader.
pub const TELL: &str = "link.tell-reader";

/// The topic of such news in an agency's feed.
pub const TOPIC: &str = "link.undone";

/// The most entries of one person's log that are searched.
const MOST_ENTRIES: i64 = 1_000_000;

const BODY: &[u8] = b"person.link-recall";
const NOTICE: &[u8] = b"person.link-notice";
const TELLING: &[u8] = b"person.link-tell";

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
    /// How often; not at all by an agency that only issued something because of the link.
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
    /// What the reader issued because of the link, and has to look at.
    #[serde(default)]
    pub issued: Vec<String>,
}

/// A notice with whom it is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Addressed {
    /// Its name.
    pub id: BlindIndex,
    /// The reader's id: an agency's, an officer's.
    pub reader: String,
    /// Whether it stands in the reader's feed; who has none must be told in another way.
    pub sent: bool,
    /// What it says.
    pub notice: Notice,
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
    desk.keys.wrap(BODY, &serde_json::to_vec(&Body { person, link }).expect("two ids are plain data"))
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
        let tell = desk.keys.blind_index("person.link-tell", &id);
        let body = desk.keys.wrap(TELLING, &[&id[..], to.as_bytes()].concat());
        let (bucket, env) = (notice_bucket(desk, &to), env.again());
        desk.store.write::<_, StoreError, _>(bucket, move |tx| {
            if table::insert_notice(tx, &to, &id, &wrapped)? {
                let _asked =
                    jobs::enqueue(tx, &env, &NewJob { id: tell, kind: TELL, body: &body, due: env.now })?;
            }
            Ok(())
        })?;
    }
    let outside = told.outside;
    desk.store.write::<_, StoreError, _>(desk.directory_bucket(&outside), move |tx| {
        let Some(mut entry) = links::entries(tx, &[outside])?.pop().flatten() else { return Ok(()) };
        if entry.owner != Some((person, link)) {
            return Ok(()); // it is somebody's again
        }
        entry.standing = Standing::Free;
        entry.owner = None;
        links::put_entries(tx, &[entry])
    })?;
    Ok(())
}

/// The handler of [`TELL`]: what an agency hears of stands in its feed from now on, and is sent where it has subscribed. `listeners`
/// are the agencies that have a feed. Done twice, it stands there once.
///
/// # Errors
/// [`PersonError::Store`], [`PersonError::Trust`].
pub fn tell(desk: &Desk, env: &Env, listeners: &[Listener], job: &Job) -> Result<(), PersonError> {
    let unreadable = || TrustError::Unreadable(TELL);
    let body = desk.keys.unwrap(TELLING, &job.body)?;
    let (id, reader) = body.split_at_checked(16).ok_or_else(unreadable)?;
    let id: BlindIndex = id.try_into().map_err(|_| unreadable())?;
    let reader = std::str::from_utf8(reader).map_err(|_| unreadable())?.to_owned();
    let Some(listener) = listeners.iter().find(|listener| listener.agency.id == reader) else {
        return Ok(()); // the office's list has it
    };
    let (bucket, of) = (notice_bucket(desk, &reader), reader.clone());
    let found = desk.store.read::<_, StoreError, _>(bucket, move |tx| table::notice(tx, &of, &id))?;
    let Some(row) = found.filter(|row| !row.sent && !row.taken) else { return Ok(()) };
    let Notice { source, reference, first, last, undone, issued } = read(desk, &row)?;
    let day = |at: Instant| at.date_in(&desk.pack.time_zone).to_string();
    let text = serde_json::json!({
        "notice": hex::encode(&id), "source": source, "reference": reference, "firstRead": day(first),
        "lastRead": day(last), "undone": day(undone), "issued": issued,
    });
    let event = desk.keys.blind_index("agency.event", &[TELL.as_bytes(), &id[..]].concat());
    let notice = feed::Notice {
        id: hex::encode(&event),
        topic: TOPIC.to_owned(),
        subject: source,
        text: text.to_string(),
        at: env.now.seconds() / 60 * 60,
    };
    let keep_days = desk.pack.feed.keep_days;
    feed::append(&desk.store, &desk.keys, env, keep_days, &listener.agency, vec![(event, notice)])?;
    Ok(desk.store.write::<_, StoreError, _>(bucket, move |tx| table::send_notice(tx, &reader, &id))?)
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
    let mut row = links::link(tx, person, link)?.ok_or(crate::Refusal::NoSuchLink)?;
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
    // Who issued something because of it is told even if she read nothing.
    for issued in &record.issued {
        if readers.values().any(|reader| reader.actor.id == issued.by.id) {
            continue;
        }
        let (actor, purpose, at) = (issued.by.clone(), String::new(), issued.at);
        let reader = Reader { actor, purpose, first: at, last: at, times: 0 };
        readers.insert((issued.by.id.clone(), String::new()), reader);
    }
    let readers: Vec<Reader> = readers.into_values().collect();
    let undone = record.until.unwrap_or(env.now);
    let issued_by = |id: &str| {
        let own = record.issued.iter().filter(|issued| issued.by.id == id);
        own.map(|issued| format!("{} {}", issued.what, issued.reference)).collect()
    };
    let notices = readers
        .iter()
        .map(|reader| {
            let notice = Notice {
                source: record.source.clone(),
                reference: record.outside.reference.clone(),
                first: reader.first,
                last: reader.last,
                undone,
                issued: issued_by(&reader.actor.id),
            };
            (reader.clone(), notice)
        })
        .collect();

    record.readers = readers;
    lookup::keep(tx, desk, &mut row, &record)?;
    insert_letter(tx, person, link, Affected::WrongRecord)?;
    Ok(Told { outside: row.outside, notices })
}

/// What a reader has to be told and has not acknowledged: at most `most`, in the order of their ids, from the first after `after`.
///
/// # Errors
/// [`crate::Refusal::NotAllowed`] for anybody but the agency itself and those who watch links.
pub fn notices(
    desk: &Desk,
    by: &Actor,
    reader: &str,
    after: Option<BlindIndex>,
    most: i64,
) -> Result<Vec<Addressed>, PersonError> {
    may_for(by, reader, Action::WatchLinks)?;
    let (bucket, of) = (notice_bucket(desk, reader), reader.to_owned());
    let rows = desk.store.read::<_, StoreError, _>(bucket, move |tx| {
        table::notices(tx, &of, after.as_ref().map_or(&[], |id| &id[..]), most)
    })?;
    rows.iter().map(|row| addressed(desk, row)).collect()
}

/// What all readers have to be told and have not acknowledged, at most `most`; first who has no feed.
///
/// # Errors
/// [`crate::Refusal::NotAllowed`].
pub fn all_notices(desk: &Desk, by: &Actor, most: usize) -> Result<Vec<Addressed>, PersonError> {
    policy::may(by, Action::WatchLinks)?;
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let mut all = Vec::new();
    for bucket in desk.store.buckets().all() {
        let rows = desk.store.read::<_, StoreError, _>(bucket, move |tx| table::all_notices(tx, limit))?;
        for row in &rows {
            all.push(addressed(desk, row)?);
        }
        all.sort_by_key(|found: &Addressed| (found.sent, found.notice.undone, found.id));
        all.truncate(most);
    }
    Ok(all)
}

fn addressed(desk: &Desk, row: &table::NoticeRow) -> Result<Addressed, PersonError> {
    Ok(Addressed { id: row.id, reader: row.reader.clone(), sent: row.sent, notice: read(desk, row)? })
}

fn read(desk: &Desk, row: &table::NoticeRow) -> Result<Notice, PersonError> {
    let bytes = desk.keys.unwrap(&[NOTICE, &row.id[..]].concat(), &row.wrapped)?;
    serde_json::from_slice(&bytes).map_err(|_| TrustError::Unreadable("person.link-notice").into())
}

/// A reader says that what was given was deleted, or an officer that the reader was told; whether there was such a notice.
///
/// # Errors
/// [`crate::Refusal::NotAllowed`] for anybody but the agency itself and those who settle links.
pub fn acknowledge(desk: &Desk, by: &Actor, reader: &str, id: BlindIndex) -> Result<bool, PersonError> {
    may_for(by, reader, Action::SettleLink)?;
    let (bucket, of) = (notice_bucket(desk, reader), reader.to_owned());
    Ok(desk.store.write::<_, StoreError, _>(bucket, move |tx| table::take_notice(tx, &of, &id))?)
}

/// The reader itself may, and of the office who may do this.
fn may_for(by: &Actor, reader: &str, action: Action) -> Result<(), PersonError> {
    let own = by.kind == ActorKind::Party && by.id == reader;
    if own { Ok(()) } else { Ok(policy::may(by, action)?) }
}

fn notice_bucket(desk: &Desk, reader: &str) -> kaname_base::Bucket {
    desk.store.buckets().of_hash(&desk.keys.blind_index("person.link-agency", reader.as_bytes()))
}

//! What agencies are told of life events: a feed for each, in order for each person, to be fetched or sent.
//!
//! An event of a feed names the person as the agency's sector knows her, and what happened; nothing else. An agency hears of the
//! people whose record it has read, or of everybody if its registration says so.

use std::sync::Arc;

use kaname_base::pack::Pack;
use kaname_base::{Env, hex};
use kaname_store::{Bucket, Store, StoreError, Tx};
use kaname_trust::keys::BlindIndex;
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, Keys, PersonId, TrustError};
use serde::{Deserialize, Serialize};

use super::file::is_filed;
use super::{Agency, Desk, name};
use crate::event::EventKind;
use crate::event::follow::Told;
use crate::event::record::Book;
use crate::policy::{self, PROGRAM};
use crate::{Action, PersonError, Refusal};

pub mod prune;
pub mod subscription;
pub(crate) mod table;
pub mod watch;

use table as own;

/// One event of a feed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Notice {
    /// The same each time it is told.
    pub id: String,
    /// The topic's id, such as `life.death`.
    pub topic: String,
    /// What an agency published, or nothing of a life event.
    #[serde(default)]
    pub subject: String,
    /// The agency's own name for the person; of what an agency published, its text.
    pub text: String,
    /// When it was told, in seconds since 1970, to the minute.
    pub at: i64,
}

/// An event with its place in the feed, which is the cursor to go on from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placed {
    /// Its place, from 1.
    pub n: i64,
    /// The event.
    pub notice: Notice,
}

/// The most events in one answer.
pub const PAGE: i64 = 100;

/// An agency that may hear of events.
#[derive(Clone, Debug)]
pub struct Listener {
    /// As it asks.
    pub agency: Agency,
    /// Whether it hears of people whose record it has never read.
    pub everyone: bool,
}

/// The topics of life events.
pub fn life_topics() -> impl Iterator<Item = &'static str> {
    [
        EventKind::Registration,
        EventKind::Birth,
        EventKind::Arrival,
        EventKind::Move,
        EventKind::ChangeOfName,
        EventKind::ChangeOfStatus,
        EventKind::Marriage,
        EventKind::Divorce,
        EventKind::Parenthood,
        EventKind::Guardianship,
        EventKind::Household,
        EventKind::RelationEnded,
        EventKind::Emigration,
        EventKind::Return,
        EventKind::Death,
        EventKind::Correction,
        EventKind::Annulment,
        EventKind::Merge,
        EventKind::Split,
    ]
    .into_iter()
    .filter_map(topic_of)
}

/// The topic of an event; none for what is no agency's business.
fn topic_of(kind: EventKind) -> Option<&'static str> {
    Some(match kind {
        EventKind::Registration => "life.registration",
        EventKind::Birth => "life.birth",
        EventKind::Arrival => "life.arrival",
        EventKind::Move => "life.move",
        EventKind::ChangeOfName => "life.change-of-name",
        EventKind::ChangeOfStatus => "life.change-of-status",
        EventKind::Marriage => "life.marriage",
        EventKind::Divorce => "life.divorce",
        EventKind::Parenthood => "life.parenthood",
        EventKind::Guardianship => "life.guardianship",
        EventKind::Household => "life.household",
        EventKind::RelationEnded => "life.relation-ended",
        EventKind::Emigration => "life.emigration",
        EventKind::Return => "life.return",
        EventKind::Death => "life.death",
        EventKind::Correction => "life.correction",
        EventKind::Annulment => "life.annulment",
        EventKind::Merge => "life.merge",
        EventKind::Split => "life.split",
        EventKind::NumberReplaced
        | EventKind::NumberLocked
        | EventKind::NumberUnlocked
        | EventKind::ChangeOfContact
        | EventKind::Photo
        | EventKind::Bereavement => return None,
    })
}

/// The agency's feed after a place in it; without one, from the oldest event that is kept.
///
/// # Errors
/// [`Refusal::EventsGone`] when events after this place are no longer kept; [`Refusal::NotAllowed`]; [`PersonError::Store`].
pub fn after(desk: Desk<'_>, n: Option<i64>, most: i64) -> Result<Vec<Placed>, PersonError> {
    policy::may(&desk.agency.actor(), Action::ReadAsAgency)?;
    let (who, most) = (index(desk.keys, desk.agency), most.clamp(1, PAGE));
    let place = bucket(desk.store, desk.keys, desk.agency);
    let rows = desk.store.read::<_, PersonError, _>(place, move |tx| {
        let gone = own::gone(tx, &who)?;
        let from = n.unwrap_or(gone);
        if from < gone {
            return Err(Refusal::EventsGone { up_to: gone }.into());
        }
        Ok(own::after(tx, &who, from, most)?)
    })?;
    rows.into_iter()
        .map(|(n, body)| Ok(Placed { n, notice: unwrap(desk.keys, desk.agency, &body)? }))
        .collect()
}

/// The place from which an agency that has none yet is given its feed: what lay before it is gone.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub fn start(desk: Desk<'_>) -> Result<i64, PersonError> {
    policy::may(&desk.agency.actor(), Action::ReadAsAgency)?;
    let who = index(desk.keys, desk.agency);
    let place = bucket(desk.store, desk.keys, desk.agency);
    desk.store.read::<_, PersonError, _>(place, move |tx| Ok(own::gone(tx, &who)?))
}

/// Tells agencies of a person's events up to now. Done again, or by two at once, nobody hears of anything twice or out of order:
/// everyone appends a person's events in their order, and each event once.
///
/// # Errors
/// [`PersonError::Store`], [`PersonError::Trust`].
pub fn tell(
    store: &Store,
    keys: &Keys,
    pack: &Arc<Pack>,
    env: &Env,
    told: &Told,
    listeners: &[Listener],
) -> Result<(), PersonError> {
    let person = told.person;
    let home = bucket_of(person, store.buckets());
    let (with, own_pack, again, all) = (keys.clone(), Arc::clone(pack), env.again(), listeners.to_vec());
    let by = Actor::program("life-events", PROGRAM);
    let (events, hear) = store.write::<_, PersonError, _>(home, move |tx| {
        let last = own::told(tx, &with.pseudonym("agency", person))?;
        let book = Book::open(tx, &with, &own_pack, &again.again(), person, &by, "registration")?;
        let events: Vec<(i64, EventKind)> = book
            .events
            .iter()
            .filter(|numbered| numbered.n > last)
            .map(|numbered| (numbered.n, numbered.event.kind()))
            .collect();
        let mut hear = Vec::new();
        for listener in &all {
            let is_known = listener.everyone
                || own::knows(tx, &known(&with, &listener.agency, person))?
                || is_filed(tx, &with, &listener.agency, person)?;
            if is_known {
                hear.push(listener.agency.clone());
            }
        }
        Ok((events, hear))
    })?;
    for agency in hear {
        let notices: Vec<(BlindIndex, Notice)> = events
            .iter()
            .filter_map(|(n, kind)| Some((*n, topic_of(*kind)?)))
            .map(|(n, topic)| {
                let value = [person.bytes().as_slice(), &n.to_be_bytes(), agency.id.as_bytes()].concat();
                let event = keys.blind_index("agency.event", &value);
                let text = name::of_person(keys, &agency, person);
                let at = env.now.seconds() / 60 * 60;
                (
                    event,
                    Notice {
                        id: hex::encode(&event),
                        topic: topic.to_owned(),
                        subject: String::new(),
                        text,
                        at,
                    },
                )
            })
            .collect();
        append(store, keys, env, pack.feed.keep_days, &agency, notices)?;
    }
    let (with, last) = (keys.clone(), events.iter().map(|(n, _)| *n).max());
    let Some(last) = last else { return Ok(()) };
    Ok(store
        .write::<_, StoreError, _>(home, move |tx| own::tell(tx, &with.pseudonym("agency", person), last))?)
}

/// Appends to an agency's feed what is not there yet, and asks for its delivery.
pub(crate) fn append(
    store: &Store,
    keys: &Keys,
    env: &Env,
    keep_days: i64,
    agency: &Agency,
    notices: Vec<(BlindIndex, Notice)>,
) -> Result<(), PersonError> {
    let (with, agency, env) = (keys.clone(), agency.clone(), env.again());
    let who = index(keys, &agency);
    store.write(bucket(store, keys, &agency), move |tx| {
        let mut topics = Vec::new();
        for (event, notice) in &notices {
            let plain = serde_json::to_vec(notice).expect("a notice is plain data");
            if own::append(tx, &who, event, &with.wrap(&context(&agency), &plain))? {
                topics.push(notice.topic.clone());
            }
        }
        if !topics.is_empty() {
            prune::plan(tx, &with, &env.again(), &agency, keep_days)?;
        }
        subscription::wake(tx, &with, &env.again(), &agency, &topics)
    })
}

/// Notes that an agency has read a person's record: it hears of her from now on.
pub(crate) fn note_known(
    tx: &mut Tx<'_>,
    keys: &Keys,
    agency: &Agency,
    person: PersonId,
) -> Result<(), StoreError> {
    own::know(tx, &known(keys, agency, person))
}

fn known(keys: &Keys, agency: &Agency, person: PersonId) -> BlindIndex {
    keys.blind_index("agency.known", &[person.bytes().as_slice(), agency.id.as_bytes()].concat())
}

pub(crate) fn index(keys: &Keys, agency: &Agency) -> BlindIndex {
    keys.blind_index("agency.feed", agency.id.as_bytes())
}

/// Where an agency's feed and subscriptions lie.
pub fn bucket(store: &Store, keys: &Keys, agency: &Agency) -> Bucket {
    store.buckets().of_hash(&index(keys, agency))
}

fn context(agency: &Agency) -> Vec<u8> {
    [b"agency.feed\0", agency.id.as_bytes()].concat()
}

pub(crate) fn unwrap(keys: &Keys, agency: &Agency, body: &[u8]) -> Result<Notice, PersonError> {
    let plain = keys.unwrap(&context(agency), body)?;
    Ok(serde_json::from_slice(&plain).map_err(|_| TrustError::Unreadable("agency.feed"))?)
}

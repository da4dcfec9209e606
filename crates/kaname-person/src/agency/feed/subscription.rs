//! Use cases: where an agency has events sent, which topics there are, and what a worker delivers next (OSIA Notification).
//!
//! Each subscription goes through the feed at its own pace: one job delivers, in order, and ends when all has arrived. What fails is
//! tried again later and later; who has not answered to the last try is sent nothing any more until it subscribes again.

use kaname_base::{Env, hex};
use kaname_store::jobs::{self, Enqueued, Job, NewJob};
use kaname_store::{Store, StoreError, Tx};
use kaname_trust::keys::{BlindIndex, random};
use kaname_trust::{Keys, TrustError};
use serde::{Deserialize, Serialize};

use super::table::{self as own, SubscriptionRow};
use super::{Listener, Notice, Placed, append, bucket, index, life_topics, unwrap};
use crate::agency::{Agency, Desk};
use crate::{Action, PersonError, Refusal, policy};

/// The kind of job that delivers.
pub const KIND: &str = "agency.deliver";

/// The most subscriptions of one agency.
const MOST: usize = 64;

/// A topic.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    /// Its id; of life events the name too.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The agency that made it; nobody's if it is the register's.
    pub owner: String,
}

/// Where events of a topic are sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// The topic's id.
    pub topic: String,
    /// The address.
    pub address: String,
    /// What the agency asked for as a policy of delivery, as it wrote it.
    pub policy: Option<String>,
    /// Whether it was confirmed, and has not stopped.
    pub active: bool,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Body {
    topic: String,
    address: String,
    policy: Option<String>,
    /// Of one that was asked for by a signed message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signed: Option<Signed>,
}

/// What a signed message said of whom, and in which form, it wants to hear.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Signed {
    /// The agency's own names for the people; empty for all whom it hears of.
    pub(super) people: Vec<String>,
    /// What the interface needs to tell an event.
    pub(super) told: String,
}

impl Body {
    pub(super) fn signed(topic: &str, address: &str, signed: Signed) -> Body {
        let (topic, address) = (topic.to_owned(), address.to_owned());
        Body { topic, address, policy: None, signed: Some(signed) }
    }
}

/// What a worker sends next.
pub enum Next {
    /// Nothing: the subscription is gone, or all has arrived.
    Nothing,
    /// The question whether the receiver wants to be one, with the token that it answers with.
    Confirmation {
        /// Whereto.
        address: String,
        /// The topic.
        topic: String,
        /// The token.
        token: String,
    },
    /// An event.
    Event {
        /// Whereto.
        address: String,
        /// Which.
        event: Placed,
        /// The subscription's id, and what the interface left for telling; of one that was asked for by a signed message.
        signed: Option<(String, String)>,
    },
}

/// All topics that the agency may subscribe to.
///
/// # Errors
/// [`PersonError::Store`].
pub fn topics(desk: Desk<'_>) -> Result<Vec<Topic>, PersonError> {
    policy::may(&desk.agency.actor(), Action::ReadAsAgency)?;
    let own = life_topics().chain([crate::link::recall::TOPIC]);
    let own = own.map(|id| Topic { id: id.to_owned(), name: id.to_owned(), owner: String::new() });
    Ok(own.chain(made(desk.store, desk.keys)?).collect())
}

fn made(store: &Store, keys: &Keys) -> Result<Vec<Topic>, PersonError> {
    let rows = store.read::<_, StoreError, _>(store.buckets().home(), own::topics)?;
    let read = |body: &Vec<u8>| {
        let plain = keys.unwrap(b"agency.topic", body)?;
        Ok(serde_json::from_slice(&plain).map_err(|_| TrustError::Unreadable("agency.topic"))?)
    };
    rows.iter().map(read).collect()
}

/// Makes a topic, or finds the one of this name.
///
/// # Errors
/// [`Refusal::IdForm`], [`Refusal::TooMany`].
pub fn make_topic(desk: Desk<'_>, name: &str) -> Result<Topic, PersonError> {
    policy::may(&desk.agency.actor(), Action::TellAsAgency)?;
    if !(1..=256).contains(&name.len()) {
        return Err(Refusal::IdForm.into());
    }
    let all = topics(desk)?;
    let is_it =
        |topic: &&Topic| topic.name == name && [desk.agency.id.as_str(), ""].contains(&topic.owner.as_str());
    if let Some(there) = all.iter().find(is_it) {
        return Ok(there.clone());
    }
    if all.len() >= 1_000 {
        return Err(Refusal::TooMany.into());
    }
    let id =
        desk.keys.blind_index("agency.topic", &[desk.agency.id.as_bytes(), b"\0", name.as_bytes()].concat());
    let topic = Topic { id: hex::encode(&id), name: name.to_owned(), owner: desk.agency.id.clone() };
    let plain = serde_json::to_vec(&topic).expect("three texts are plain data");
    let body = desk.keys.wrap(b"agency.topic", &plain);
    let home = desk.store.buckets().home();
    desk.store.write::<_, StoreError, _>(home, move |tx| own::put_topic(tx, &id, &body))?;
    Ok(topic)
}

/// Takes back a topic of the agency's own.
///
/// # Errors
/// [`Refusal::NoSuchResident`] when there is none; [`Refusal::RegisterKeeps`] when it is somebody else's.
pub fn drop_topic(desk: Desk<'_>, id: &str) -> Result<(), PersonError> {
    let topic = topic_of(desk, id)?;
    let id =
        hex::decode(&topic.id).filter(|_| topic.owner == desk.agency.id).ok_or(Refusal::RegisterKeeps)?;
    let home = desk.store.buckets().home();
    desk.store.write::<_, StoreError, _>(home, move |tx| own::drop_topic(tx, &id))?;
    Ok(())
}

/// Tells all who subscribe to a topic of the agency's own.
///
/// # Errors
/// As [`drop_topic`].
pub fn publish(
    desk: Desk<'_>,
    id: &str,
    subject: &str,
    text: &str,
    listeners: &[Listener],
) -> Result<(), PersonError> {
    let topic = topic_of(desk, id)?;
    if topic.owner != desk.agency.id {
        return Err(Refusal::RegisterKeeps.into());
    }
    let event: BlindIndex = random();
    let at = desk.env.now.seconds() / 60 * 60;
    let (subject, text) = (subject.to_owned(), text.to_owned());
    let notice = Notice { id: hex::encode(&event), topic: topic.id.clone(), subject, text, at };
    for Listener { agency, .. } in listeners {
        let mine = list(desk.store, desk.keys, agency)?;
        if mine.iter().any(|one| one.topic == topic.id) {
            append(
                desk.store,
                desk.keys,
                desk.env,
                desk.pack.feed.keep_days,
                agency,
                vec![(event, notice.clone())],
            )?;
        }
    }
    Ok(())
}

/// Has events of a topic sent to an address, which is asked first. The same again is the same subscription.
///
/// # Errors
/// [`Refusal::NoSuchResident`] when there is no such topic; [`Refusal::TooMany`].
pub fn subscribe(
    desk: Desk<'_>,
    topic: &str,
    address: &str,
    policy: Option<&str>,
) -> Result<Subscription, PersonError> {
    let topic = topic_of(desk, topic)?.id;
    let value = [desk.agency.id.as_bytes(), b"\0", topic.as_bytes(), b"\0", address.as_bytes()].concat();
    let id = desk.keys.blind_index("agency.subscription", &value);
    let body = Body { topic, address: address.to_owned(), policy: policy.map(str::to_owned), signed: None };
    let plain = serde_json::to_vec(&body).expect("texts are plain data");
    let (who, wrapped) = (index(desk.keys, desk.agency), desk.keys.wrap(&context(desk.agency), &plain));
    let (keys, env, agency) = (desk.keys.clone(), desk.env.again(), desk.agency.clone());
    let state =
        desk.store.write::<_, PersonError, _>(bucket(desk.store, desk.keys, desk.agency), move |tx| {
            let all = own::subscriptions(tx, &who)?;
            let there = all.iter().find(|row| row.id == id);
            if there.is_some_and(|row| row.state == ACTIVE) {
                return Ok(ACTIVE);
            }
            if all.len() >= MOST && there.is_none() {
                return Err(Refusal::TooMany.into());
            }
            let position = own::head(tx, &who)?;
            let row = SubscriptionRow {
                id,
                state: PENDING,
                queued: true,
                generation: next_generation(&env, there),
                position: there.map_or(position, |row| row.position),
                body: wrapped.clone(),
            };
            own::put(tx, &who, &row)?;
            ask(tx, &keys, &env.again(), &agency, &row)?;
            Ok(PENDING)
        })?;
    Ok(shown(&id, body, state))
}

/// The agency's subscriptions.
///
/// # Errors
/// [`PersonError::Store`].
pub fn subscriptions(desk: Desk<'_>) -> Result<Vec<Subscription>, PersonError> {
    policy::may(&desk.agency.actor(), Action::ReadAsAgency)?;
    list(desk.store, desk.keys, desk.agency)
}

/// Ends a subscription.
///
/// # Errors
/// [`Refusal::NoSuchResident`] when there is none.
pub fn unsubscribe(desk: Desk<'_>, id: &str) -> Result<(), PersonError> {
    policy::may(&desk.agency.actor(), Action::TellAsAgency)?;
    let (who, id) = (index(desk.keys, desk.agency), hex::decode(id).ok_or(Refusal::NoSuchResident)?);
    let was_there =
        desk.store.write::<_, StoreError, _>(bucket(desk.store, desk.keys, desk.agency), move |tx| {
            own::unsubscribe(tx, &who, &id)
        })?;
    if was_there { Ok(()) } else { Err(Refusal::NoSuchResident.into()) }
}

/// Confirms a subscription with the token that was sent to its address.
///
/// # Errors
/// [`Refusal::IdForm`] when it is the token of none.
pub fn confirm(desk: Desk<'_>, token: &str) -> Result<(), PersonError> {
    policy::may(&desk.agency.actor(), Action::TellAsAgency)?;
    let (who, keys, env) = (index(desk.keys, desk.agency), desk.keys.clone(), desk.env.again());
    let (agency, token) = (desk.agency.clone(), token.to_owned());
    desk.store.write(bucket(desk.store, desk.keys, desk.agency), move |tx| {
        let all = own::subscriptions(tx, &who)?;
        let row = all.into_iter().find(|row| token_of(&keys, row) == token).ok_or(Refusal::IdForm)?;
        own::put(tx, &who, &SubscriptionRow { state: ACTIVE, queued: false, ..row.clone() })?;
        let topic = body_of(&keys, &agency, &row)?.topic;
        wake(tx, &keys, &env.again(), &agency, &[topic])
    })
}

/// Has events brought without a question before; gives the subscription's id, which is the same for the same again.
pub(super) fn begin_signed(
    tx: &mut Tx<'_>,
    keys: &Keys,
    env: &Env,
    agency: &Agency,
    body: &Body,
) -> Result<String, PersonError> {
    let plain = serde_json::to_vec(body).expect("texts are plain data");
    let id = keys.blind_index("agency.subscription", &[agency.id.as_bytes(), b"\0", &plain].concat());
    let who = index(keys, agency);
    let all = own::subscriptions(tx, &who)?;
    let there = all.iter().find(|row| row.id == id);
    if there.is_some_and(|row| row.state == ACTIVE) {
        return Ok(hex::encode(&id));
    }
    if all.len() >= MOST && there.is_none() {
        return Err(Refusal::TooMany.into());
    }
    let position = match there {
        Some(row) => row.position,
        None => own::head(tx, &who)?,
    };
    let (generation, wrapped) = (next_generation(env, there), keys.wrap(&context(agency), &plain));
    let row = SubscriptionRow { id, state: ACTIVE, queued: false, generation, position, body: wrapped };
    own::put(tx, &who, &row)?;
    // What it did not take while it was stopped.
    wake(tx, keys, env, agency, std::slice::from_ref(&body.topic))?;
    Ok(hex::encode(&id))
}

/// The ids of the agency's subscriptions.
pub(super) fn ids(tx: &mut Tx<'_>, keys: &Keys, agency: &Agency) -> Result<Vec<BlindIndex>, PersonError> {
    Ok(own::subscriptions(tx, &index(keys, agency))?.into_iter().map(|row| row.id).collect())
}

/// Ends a subscription of the agency's.
pub(super) fn end_one(
    tx: &mut Tx<'_>,
    keys: &Keys,
    agency: &Agency,
    id: &BlindIndex,
) -> Result<(), PersonError> {
    Ok(own::unsubscribe(tx, &index(keys, agency), id).map(drop)?)
}

/// Asks for the delivery of new events to those who wait for these topics.
pub(crate) fn wake(
    tx: &mut Tx<'_>,
    keys: &Keys,
    env: &Env,
    agency: &Agency,
    topics: &[String],
) -> Result<(), PersonError> {
    let who = index(keys, agency);
    for row in own::subscriptions(tx, &who)? {
        if row.state == ACTIVE && !row.queued && topics.contains(&body_of(keys, agency, &row)?.topic) {
            let row = SubscriptionRow { queued: true, generation: row.generation + 1, ..row };
            own::put(tx, &who, &row)?;
            ask(tx, keys, env, agency, &row)?;
        }
    }
    Ok(())
}

/// Each asking for one thing is a generation of its own, also after the subscription was ended and its row is gone: the jobs of
/// before are remembered.
fn next_generation(env: &Env, there: Option<&SubscriptionRow>) -> i64 {
    there.map_or(0, |row| row.generation + 1).max(env.now.micros())
}

fn ask(
    tx: &mut Tx<'_>,
    keys: &Keys,
    env: &Env,
    agency: &Agency,
    row: &SubscriptionRow,
) -> Result<(), PersonError> {
    let id = keys.blind_index("agency.job", &[row.id.as_slice(), &row.generation.to_be_bytes()].concat());
    let body = [&row.id, agency.id.as_bytes()].concat();
    let body = keys.wrap(&job_context(&id), &body);
    match jobs::enqueue(tx, env, &NewJob { id, kind: KIND, body: &body, due: env.now })? {
        Enqueued::Added => Ok(()),
        // Each generation asks once.
        Enqueued::AlreadyThere | Enqueued::IdReused => Err(StoreError::Conflict.into()),
    }
}

/// Which agency and subscription a job delivers to.
#[derive(Clone)]
pub struct Delivery {
    /// The agency's id.
    pub agency: String,
    id: BlindIndex,
}

/// Reads a job's body.
pub fn delivery(keys: &Keys, job: &Job) -> Option<Delivery> {
    let plain = keys.unwrap(&job_context(&job.id), &job.body).ok()?;
    let (id, agency) = plain.split_at_checked(16)?;
    Some(Delivery { agency: String::from_utf8(agency.to_vec()).ok()?, id: id.try_into().ok()? })
}

/// What is to be sent next. With nothing left, the subscription sleeps until there is.
///
/// # Errors
/// [`PersonError::Store`], [`PersonError::Trust`].
pub fn next(store: &Store, keys: &Keys, agency: &Agency, to: &Delivery) -> Result<Next, PersonError> {
    let (who, id, with, agency_of) = (index(keys, agency), to.id, keys.clone(), agency.clone());
    store.write(bucket(store, keys, agency), move |tx| {
        let found = own::subscriptions(tx, &who)?.into_iter().find(|row| row.id == id);
        let Some(mut row) = found else { return Ok(Next::Nothing) };
        let Body { topic, address, signed, .. } = body_of(&with, &agency_of, &row)?;
        let is_meant = |notice: &Notice| {
            let people = signed.as_ref().map_or(&[][..], |signed| &signed.people);
            notice.topic == topic && (people.is_empty() || people.contains(&notice.text))
        };
        if row.state == PENDING {
            let token = token_of(&with, &row);
            return Ok(Next::Confirmation { address, topic, token });
        }
        // What it slept through and is no longer kept, nobody can tell it.
        row.position = row.position.max(own::gone(tx, &who)?);
        while row.state == ACTIVE {
            let rows = own::after(tx, &who, row.position, super::PAGE)?;
            for (n, body) in &rows {
                let notice = unwrap(&with, &agency_of, body)?;
                if is_meant(&notice) {
                    own::put(tx, &who, &row)?;
                    let signed = signed.map(|signed| (hex::encode(&row.id), signed.told));
                    return Ok(Next::Event { address, event: Placed { n: *n, notice }, signed });
                }
                row.position = *n;
            }
            if rows.is_empty() {
                break;
            }
        }
        own::put(tx, &who, &SubscriptionRow { queued: false, ..row })?;
        Ok(Next::Nothing)
    })
}

/// Notes that an event has arrived.
///
/// # Errors
/// [`PersonError::Store`].
pub fn arrived(
    store: &Store,
    keys: &Keys,
    agency: &Agency,
    to: &Delivery,
    n: i64,
) -> Result<(), PersonError> {
    change(store, keys, agency, to, move |row| SubscriptionRow { position: row.position.max(n), ..row })
}

/// Notes that nobody answers there: nothing is sent any more until the agency subscribes again.
///
/// # Errors
/// [`PersonError::Store`].
pub fn stopped(store: &Store, keys: &Keys, agency: &Agency, to: &Delivery) -> Result<(), PersonError> {
    change(store, keys, agency, to, |row| SubscriptionRow { state: STOPPED, queued: false, ..row })
}

/// Has the rest delivered by a new job, which counts its attempts anew: the receiver has answered meanwhile.
///
/// # Errors
/// [`PersonError::Store`].
pub fn go_on(
    store: &Store,
    keys: &Keys,
    env: &Env,
    agency: &Agency,
    to: &Delivery,
) -> Result<(), PersonError> {
    let (who, id, with) = (index(keys, agency), to.id, keys.clone());
    let (agency_of, later) = (agency.clone(), Env::new(env.now.plus_seconds(10), random()));
    store.write(bucket(store, keys, agency), move |tx| {
        let found = own::subscriptions(tx, &who)?.into_iter().find(|row| row.id == id);
        let Some(row) = found else { return Ok(()) };
        let row = SubscriptionRow { generation: row.generation + 1, ..row };
        own::put(tx, &who, &row)?;
        ask(tx, &with, &later.again(), &agency_of, &row)
    })
}

fn change(
    store: &Store,
    keys: &Keys,
    agency: &Agency,
    to: &Delivery,
    make: impl Fn(SubscriptionRow) -> SubscriptionRow + Send + 'static,
) -> Result<(), PersonError> {
    let (who, id) = (index(keys, agency), to.id);
    Ok(store.write::<_, StoreError, _>(bucket(store, keys, agency), move |tx| {
        let found = own::subscriptions(tx, &who)?.into_iter().find(|row| row.id == id);
        found.map_or(Ok(()), |row| own::put(tx, &who, &make(row)))
    })?)
}

const PENDING: i64 = 0;
const ACTIVE: i64 = 1;
const STOPPED: i64 = 2;

fn list(store: &Store, keys: &Keys, agency: &Agency) -> Result<Vec<Subscription>, PersonError> {
    let who = index(keys, agency);
    let rows = store
        .read::<_, StoreError, _>(bucket(store, keys, agency), move |tx| own::subscriptions(tx, &who))?;
    rows.iter().map(|row| Ok(shown(&row.id, body_of(keys, agency, row)?, row.state))).collect()
}

fn topic_of(desk: Desk<'_>, id: &str) -> Result<Topic, PersonError> {
    policy::may(&desk.agency.actor(), Action::TellAsAgency)?;
    let all = topics(desk)?;
    all.into_iter()
        .find(|topic| topic.id == id || topic.name == id)
        .ok_or_else(|| Refusal::NoSuchResident.into())
}

fn shown(id: &BlindIndex, body: Body, state: i64) -> Subscription {
    let Body { topic, address, policy, .. } = body;
    Subscription { id: hex::encode(id), topic, address, policy, active: state == ACTIVE }
}

fn body_of(keys: &Keys, agency: &Agency, row: &SubscriptionRow) -> Result<Body, PersonError> {
    let plain = keys.unwrap(&context(agency), &row.body)?;
    Ok(serde_json::from_slice(&plain).map_err(|_| TrustError::Unreadable("agency.subscription"))?)
}

/// Only who receives what is sent to the address learns it, and only this deployment can make it.
fn token_of(keys: &Keys, row: &SubscriptionRow) -> String {
    hex::encode(
        &keys
            .blind_index("agency.confirmation", &[row.id.as_slice(), &row.generation.to_be_bytes()].concat()),
    )
}

fn context(agency: &Agency) -> Vec<u8> {
    [b"agency.subscription\0", agency.id.as_bytes()].concat()
}

fn job_context(id: &[u8; 16]) -> Vec<u8> {
    [KIND.as_bytes(), b"\0", id].concat()
}

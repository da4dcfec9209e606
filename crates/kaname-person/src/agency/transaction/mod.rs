//! Use cases: an agency asks something that is answered later, by a job, at an address of its own; and asks what became of it.
//!
//! A question is remembered by the agency's own id of it, so that asked twice it is answered once. What is remembered names nobody:
//! the question itself lies wrapped in the job, and goes with it.

use kaname_base::hex;
use kaname_store::jobs::{self, Enqueued, Job, NewJob};
use kaname_store::{Store, StoreError, Tx};
use kaname_trust::keys::{BlindIndex, random};
use kaname_trust::{Keys, TrustError};
use serde::{Deserialize, Serialize};

use super::feed::watch::Done;
use super::feed::{bucket, index, prune};
use super::{Agency, Desk};
use crate::{Action, PersonError, Refusal, policy};

pub(crate) mod table;

/// The kind of job that answers.
pub const KIND: &str = "agency.answer";

/// What the agency's own id of a question may be at most, in bytes.
pub const LONGEST_ID: usize = 99;

/// The kind of a question about people.
pub const SEARCH: &str = "search";

/// What became of a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Its answer is on the way.
    Waiting,
    /// Its answer was taken.
    Answered,
    /// Nobody took the answer, however often it was brought.
    GivenUp,
    /// There can be no answer: what was asked cannot be read any more, or every attempt to answer failed.
    Unanswerable,
}

/// A question, by what the agency calls it.
#[derive(Clone)]
pub struct Asked<'a> {
    /// Which kind of question, in a word of the interface's.
    pub kind: &'a str,
    /// The agency's own id of it.
    pub id: &'a str,
    /// What the agency calls its parts.
    pub references: Vec<String>,
    /// What was asked, as the interface wrote it down.
    pub body: &'a str,
}

/// A question as it is remembered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transaction {
    /// What the agency calls it.
    pub id: String,
    /// What the register calls it.
    pub correlation: String,
    /// Which kind of question it is.
    pub kind: String,
    /// What the agency calls its parts.
    pub references: Vec<String>,
    /// What became of it.
    pub state: State,
    /// When it came, in seconds since 1970, to the minute.
    pub at: i64,
}

#[derive(Serialize, Deserialize)]
struct Body {
    /// Empty of a search, which was the only kind once.
    #[serde(default)]
    kind: String,
    id: String,
    references: Vec<String>,
    at: i64,
}

/// A question that a job answers.
#[derive(Clone)]
pub struct Question {
    /// The agency's id.
    pub agency: String,
    /// What was asked, as the interface wrote it down.
    pub body: String,
    /// What was done when it was taken.
    pub done: Vec<Done>,
    item: Option<BlindIndex>,
}

#[derive(Serialize, Deserialize)]
struct Wrapped {
    agency: String,
    item: Option<String>,
    body: String,
    #[serde(default)]
    done: Vec<Done>,
}

/// What the register calls a question: the same each time for the agency's own id.
pub fn correlation(keys: &Keys, agency: &Agency, id: &str) -> String {
    hex::encode(&item_of(keys, agency, id))
}

/// Takes a question, to be answered by a job. The same again is the same question, and answered once.
///
/// # Errors
/// [`Refusal::IdForm`]; [`Refusal::RequestReused`] when the agency asked something else under this id.
pub fn open(desk: Desk<'_>, id: &str, references: Vec<String>, body: &str) -> Result<(), PersonError> {
    open_with(desk, Asked { kind: SEARCH, id, references, body }, |_| Ok(Vec::new()))
}

/// Takes a question and does what it asks for in the same unit of work, once; the job tells what was done.
pub(super) fn open_with(
    desk: Desk<'_>,
    ask: Asked<'_>,
    act: impl Fn(&mut Tx<'_>) -> Result<Vec<Done>, PersonError> + Send + 'static,
) -> Result<(), PersonError> {
    let Asked { kind, id, references, body } = ask;
    policy::may(&desk.agency.actor(), Action::ReadAsAgency)?;
    if !(1..=LONGEST_ID).contains(&id.len()) {
        return Err(Refusal::IdForm.into());
    }
    let (who, item) = (index(desk.keys, desk.agency), item_of(desk.keys, desk.agency, id));
    let digest = desk.keys.blind_index("agency.transaction.asked", body.as_bytes());
    let at = desk.env.now.seconds() / 60 * 60;
    let kept = Body { kind: kind.to_owned(), id: id.to_owned(), references, at };
    let kept = serde_json::to_vec(&kept).expect("texts are plain data");
    let kept = desk.keys.wrap(&context(desk.agency), &kept);
    let body = body.to_owned();
    let (keys, env, agency) = (desk.keys.clone(), desk.env.again(), desk.agency.clone());
    let keep_days = desk.pack.feed.keep_days;
    desk.store.write(bucket(desk.store, desk.keys, desk.agency), move |tx| {
        if let Some(there) = table::get(tx, &who, &item)? {
            return if there.digest == digest { Ok(()) } else { Err(Refusal::RequestReused.into()) };
        }

        if !table::open(tx, &who, &item, prune::day_of(at), &digest, &kept)? {
            return Err(StoreError::Conflict.into());
        }
        prune::plan(tx, &keys, &env.again(), &agency, keep_days)?;
        let job = job_body(&agency, Some(&item), &body, act(tx)?);
        enqueue(tx, &keys, &env.again(), &job_id(&keys, &item), &job)
    })
}

/// Takes a question of which nothing is remembered, to be answered by a job.
///
/// # Errors
/// [`PersonError::Store`].
pub fn ask_once(desk: Desk<'_>, body: &str) -> Result<(), PersonError> {
    policy::may(&desk.agency.actor(), Action::ReadAsAgency)?;
    let (id, job): (BlindIndex, _) = (random(), job_body(desk.agency, None, body, Vec::new()));
    let (keys, env) = (desk.keys.clone(), desk.env.again());
    desk.store.write(bucket(desk.store, desk.keys, desk.agency), move |tx| {
        enqueue(tx, &keys, &env.again(), &id, &job)
    })
}

/// What became of a question, by the agency's own id of it or by the register's.
///
/// # Errors
/// [`PersonError::Store`], [`PersonError::Trust`].
pub fn status(desk: Desk<'_>, id: Named<'_>) -> Result<Option<Transaction>, PersonError> {
    policy::may(&desk.agency.actor(), Action::ReadAsAgency)?;
    let item = match id {
        Named::Own(id) => item_of(desk.keys, desk.agency, id),
        Named::Registers(id) => match hex::decode(id) {
            Some(item) => item,
            None => return Ok(None),
        },
    };
    let who = index(desk.keys, desk.agency);
    let job = job_id(desk.keys, &item);
    let found =
        desk.store.read::<_, StoreError, _>(bucket(desk.store, desk.keys, desk.agency), move |tx| {
            let Some(row) = table::get(tx, &who, &item)? else { return Ok(None) };
            Ok(Some((row, jobs::waits(tx, &job)?)))
        })?;
    let Some((row, is_on_its_way)) = found else { return Ok(None) };
    let plain = desk.keys.unwrap(&context(desk.agency), &row.body)?;
    let Body { kind, id, references, at } =
        serde_json::from_slice(&plain).map_err(|_| TrustError::Unreadable("agency.transaction"))?;
    let kind = if kind.is_empty() { SEARCH.to_owned() } else { kind };
    let state = match row.state {
        0 if is_on_its_way => State::Waiting,
        1 => State::Answered,
        2 => State::GivenUp,
        // Also when the job is dead with its worker: nobody will answer any more.
        _ => State::Unanswerable,
    };
    Ok(Some(Transaction { id, correlation: hex::encode(&item), kind, references, state, at }))
}

/// By which of its names a question is meant.
#[derive(Clone, Copy)]
pub enum Named<'a> {
    /// The agency's own.
    Own(&'a str),
    /// The register's.
    Registers(&'a str),
}

/// Reads a job's body.
pub fn question(keys: &Keys, job: &Job) -> Option<Question> {
    let plain = keys.unwrap(&job_context(&job.id), &job.body).ok()?;
    let Wrapped { agency, item, body, done } = serde_json::from_slice(&plain).ok()?;
    let item = match item {
        Some(item) => Some(hex::decode(&item)?),
        None => None,
    };
    Some(Question { agency, body, done, item })
}

/// Notes what became of a question. Of one that is settled, or of which nothing is remembered, nothing changes.
///
/// # Errors
/// [`PersonError::Store`].
pub fn settle(
    store: &Store,
    keys: &Keys,
    agency: &Agency,
    question: &Question,
    state: State,
) -> Result<(), PersonError> {
    let Some(item) = question.item else { return Ok(()) };
    let who = index(keys, agency);
    let state = match state {
        State::Waiting => return Ok(()),
        State::Answered => 1,
        State::GivenUp => 2,
        State::Unanswerable => 3,
    };
    let place = bucket(store, keys, agency);
    Ok(store.write::<_, StoreError, _>(place, move |tx| table::settle(tx, &who, &item, state))?)
}

fn enqueue(
    tx: &mut Tx<'_>,
    keys: &Keys,
    env: &kaname_base::Env,
    id: &BlindIndex,
    body: &[u8],
) -> Result<(), PersonError> {
    let body = keys.wrap(&job_context(id), body);
    match jobs::enqueue(tx, env, &NewJob { id: *id, kind: KIND, body: &body, due: env.now })? {
        Enqueued::Added => Ok(()),
        // Each question asks once.
        Enqueued::AlreadyThere | Enqueued::IdReused => Err(StoreError::Conflict.into()),
    }
}

fn job_body(agency: &Agency, item: Option<&BlindIndex>, body: &str, done: Vec<Done>) -> Vec<u8> {
    let item = item.map(|item| hex::encode(item));
    let wrapped = Wrapped { agency: agency.id.clone(), item, body: body.to_owned(), done };
    serde_json::to_vec(&wrapped).expect("texts are plain data")
}

/// Of the job that answers a question.
fn job_id(keys: &Keys, item: &BlindIndex) -> BlindIndex {
    keys.blind_index("agency.answer", item)
}

fn item_of(keys: &Keys, agency: &Agency, id: &str) -> BlindIndex {
    keys.blind_index("agency.transaction", &[agency.id.as_bytes(), b"\0", id.as_bytes()].concat())
}

fn context(agency: &Agency) -> Vec<u8> {
    [b"agency.transaction\0", agency.id.as_bytes()].concat()
}

fn job_context(id: &[u8; 16]) -> Vec<u8> {
    [KIND.as_bytes(), b"\0", id].concat()
}

//! Use case: a list that is small enough for one request is handed in, by an agency's own system or by an officer, and checked.
//!
//! Handing it in reads every row, says at once which cannot be read, and keeps the rest, wrapped, with a job. The job checks it in
//! steps ([`check_rows`]), counts after each, and empties it at the end: what is left are counts. Killed anywhere, it goes on.

mod table;

use kaname_base::{Env, Instant};
use kaname_store::StoreError;
use kaname_store::jobs::{self, Enqueued, Job, NewJob};
use kaname_trust::keys::BlindIndex;
use kaname_trust::{Actor, ActorKind, TrustError};
use serde::{Deserialize, Serialize};

use super::check::{Check, Outcome, check_rows};
use super::file::read_text;
use super::{Desk, index};
use crate::import::rejects::Reject;
use crate::import::{Format, Rejected};
use crate::{Action, PersonError, Refusal, policy};
use table::ListRow;

/// The job that checks a list.
pub const CHECK: &str = "link.check-list";

/// The most rows of one list; longer ones are handed in as several, or checked as a file.
pub const MOST_ROWS: usize = 5_000;

/// Rows that are checked between two counts.
const STEP: usize = 1_000;

const LIST: &[u8] = b"person.link-list";

/// A list that is handed in, in our own form: the columns are called as the fields are.
#[derive(Clone)]
pub struct List<'a> {
    /// The source of the pack.
    pub source: &'a str,
    /// CSV or JSON lines.
    pub text: &'a [u8],
    /// Which of them.
    pub format: Format,
    /// Who hands it in.
    pub by: Actor,
}

/// What became of the rows of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Linked.
    pub linked: u64,
    /// Left to officers.
    pub review: u64,
    /// Nobody's here.
    pub refused: u64,
    /// Decided before, with the same data.
    pub already: u64,
}

impl Counts {
    /// Counts an outcome; a row whose id an earlier line has is not counted, and that line is told.
    pub(super) fn add(&mut self, outcome: Outcome) -> Option<i64> {
        let count = match outcome {
            Outcome::Linked => &mut self.linked,
            Outcome::Review(_) => &mut self.review,
            Outcome::Refused => &mut self.refused,
            Outcome::Already => &mut self.already,
            Outcome::Duplicate { first_line } => return Some(first_line),
        };
        *count += 1;
        None
    }
}

/// A list and how far it is. It holds no value of any row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its name.
    pub id: BlindIndex,
    /// Which kind of record.
    pub source: String,
    /// Who handed it in.
    pub by: Actor,
    /// When.
    pub at: Instant,
    /// Rows that can be read.
    pub rows: u64,
    /// What became of those that are checked.
    pub counts: Counts,
    /// Rows that cannot be read, or are there twice: line, column and rule.
    pub rejected: Vec<Rejected>,
    /// Whether all rows are checked.
    pub done: bool,
}

/// What is kept of a list, wrapped.
#[derive(Clone, Serialize, Deserialize)]
struct Body {
    source: String,
    by: Actor,
    at: Instant,
    is_jsonl: bool,
    /// Emptied when all is checked.
    text: String,
    rows: u64,
    checked: u64,
    counts: Counts,
    rejected: Vec<Rejected>,
}

/// Takes a list. Handed in again by the same agency, or by any officer, it is the same list.
///
/// # Errors
/// [`Refusal::NotAllowed`], [`Refusal::UnknownSource`]; [`Refusal::TooMany`] rows; [`Refusal::Mapping`] or [`Refusal::File`] when the
/// whole of it cannot be read.
pub fn hand_in(desk: &Desk, env: &Env, ask: &List<'_>) -> Result<Listed, PersonError> {
    policy::may(&ask.by, Action::CheckLinks)?;
    desk.source(ask.source)?;
    let today = env.now.date_in(&desk.pack.time_zone);
    let (rows, rejects) = read_text(&desk.pack, ask.text, ask.format, today)?;
    if rows.len() + rejects.len() > MOST_ROWS {
        return Err(Refusal::TooMany.into());
    }
    let text = std::str::from_utf8(ask.text).map_err(|_| Refusal::File("it is not UTF-8".to_owned()))?;
    let id = id_of(desk, ask);
    let body = Body {
        source: ask.source.to_owned(),
        by: ask.by.clone(),
        at: env.now,
        is_jsonl: ask.format == Format::Jsonl,
        text: text.to_owned(),
        rows: rows.len() as u64,
        checked: 0,
        counts: Counts::default(),
        rejected: rejects.iter().map(Reject::told).collect(),
    };

    let wrapped = wrap(desk, &id, &body);
    // Not the list's own name and bytes: the table of jobs would lead to it.
    let job = desk.keys.blind_index("person.link-list-job", &id);
    let job_body = desk.keys.wrap(LIST, &id);
    let (bucket, env) = (desk.store.buckets().of_hash(&id), env.again());
    let row = desk.store.write::<_, StoreError, _>(bucket, move |tx| {
        if table::insert(tx, &id, &wrapped)? {
            let new = NewJob { id: job, kind: CHECK, body: &job_body, due: env.now };
            match jobs::enqueue(tx, &env, &new)? {
                Enqueued::Added => {}
                // Both are written in one unit of work.
                Enqueued::AlreadyThere | Enqueued::IdReused => return Err(StoreError::Conflict),
            }
        }
        table::one(tx, &id)?.ok_or(StoreError::Conflict)
    })?;
    listed(desk, &row)
}

/// The handler of [`CHECK`]. Done twice, each row is decided and counted once.
///
/// # Errors
/// [`PersonError::Store`], [`PersonError::Trust`].
pub fn check_list(desk: &Desk, env: &Env, job: &Job) -> Result<(), PersonError> {
    let id = desk.keys.unwrap(LIST, &job.body)?;
    let id: BlindIndex = id.as_slice().try_into().map_err(|_| TrustError::Unreadable(CHECK))?;
    let bucket = desk.store.buckets().of_hash(&id);
    let found = desk.store.read::<_, StoreError, _>(bucket, move |tx| table::one(tx, &id))?;
    let Some(mut row) = found.filter(|row| !row.done) else { return Ok(()) };
    let mut body = read(desk, &row)?;
    index::refresh(desk, env, &mut |_| {})?;
    let format = if body.is_jsonl { Format::Jsonl } else { Format::Csv };
    let today = body.at.date_in(&desk.pack.time_zone);
    let (rows, _) = read_text(&desk.pack, body.text.as_bytes(), format, today)?;
    let check = Check { source: &body.source.clone(), run: id, by: body.by.clone() };
    for step in rows.chunks(STEP).skip(usize::try_from(body.checked).unwrap_or(usize::MAX) / STEP) {
        let outcomes = check_rows(desk, env, &check, step)?;
        for (row, outcome) in step.iter().zip(outcomes) {
            if let Some(first_line) = body.counts.add(outcome) {
                let column = crate::Field::Reference.name().to_owned();
                body.rejected.push(Reject::duplicate(row.line.cast_signed(), column, first_line).told());
            }
        }
        body.checked += step.len() as u64;
        keep(desk, &mut row, &body)?;
    }
    row.done = true;
    body.text.clear();
    keep(desk, &mut row, &body)
}

/// A list: for whoever handed it in, and for officers.
///
/// # Errors
/// [`Refusal::NotAllowed`]; [`Refusal::NoSuchLink`] when there is none, or it is another agency's.
pub fn one(desk: &Desk, by: &Actor, id: BlindIndex) -> Result<Listed, PersonError> {
    policy::may(by, Action::CheckLinks)?;
    let bucket = desk.store.buckets().of_hash(&id);
    let found = desk.store.read::<_, StoreError, _>(bucket, move |tx| table::one(tx, &id))?;
    let listed = listed(desk, &found.ok_or(Refusal::NoSuchLink)?)?;
    let is_own = by.kind != ActorKind::Party || (listed.by.kind, &listed.by.id) == (by.kind, &by.id);
    if is_own { Ok(listed) } else { Err(Refusal::NoSuchLink.into()) }
}

/// The lists that were handed in last, at most `most`.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub fn newest(desk: &Desk, by: &Actor, most: usize) -> Result<Vec<Listed>, PersonError> {
    policy::may(by, Action::WatchLinks)?;
    let mut lists = Vec::new();
    for bucket in desk.store.buckets().all() {
        let rows = desk.store.read::<_, StoreError, _>(bucket, |tx| table::all(tx, MOST_OF_A_BUCKET))?;
        for row in &rows {
            lists.push(listed(desk, row)?);
        }
        lists.sort_by_key(|list| std::cmp::Reverse(list.at));
        lists.truncate(most);
    }
    Ok(lists)
}

/// Lists of one bucket that are looked at.
const MOST_OF_A_BUCKET: i64 = 1_000;

/// An agency's list is its own; officers hand in one list together.
fn id_of(desk: &Desk, ask: &List<'_>) -> BlindIndex {
    let agency = if ask.by.kind == ActorKind::Party { ask.by.id.as_str() } else { "" };
    let what = format!("{agency}\0{}\0{}\0{}\0", ask.source, desk.pack.id, desk.pack.version);
    let form: &[u8] = if ask.format == Format::Jsonl { b"jsonl\0" } else { b"csv\0" };
    desk.keys.blind_index("person.link-list", &[what.as_bytes(), form, ask.text].concat())
}

fn listed(desk: &Desk, row: &ListRow) -> Result<Listed, PersonError> {
    let Body { source, by, at, rows, counts, rejected, .. } = read(desk, row)?;
    Ok(Listed { id: row.id, source, by, at, rows, counts, rejected, done: row.done })
}

fn keep(desk: &Desk, row: &mut ListRow, body: &Body) -> Result<(), PersonError> {
    row.wrapped = wrap(desk, &row.id, body);
    let (bucket, to) = (desk.store.buckets().of_hash(&row.id), row.clone());
    desk.store.write::<_, StoreError, _>(bucket, move |tx| table::replace(tx, &to))?;
    row.version += 1;
    Ok(())
}

fn wrap(desk: &Desk, id: &BlindIndex, body: &Body) -> Vec<u8> {
    let bytes = serde_json::to_vec(body).expect("a list is plain data");
    desk.keys.wrap(&[LIST, &id[..]].concat(), &bytes)
}

fn read(desk: &Desk, row: &ListRow) -> Result<Body, PersonError> {
    let bytes = desk.keys.unwrap(&[LIST, &row.id[..]].concat(), &row.wrapped)?;
    serde_json::from_slice(&bytes).map_err(|_| TrustError::Unreadable("person.link-list").into())
}

//! Use case: what follows from an event for others. It is a job, so it is done at least once; each step may be repeated.
//!
//! The job's body is a reference that only this deployment can read, in another form each time: no two jobs, and no job and no other
//! table, can be joined by it.

use kaname_base::Env;
use kaname_base::pack::Pack;
use kaname_store::jobs::{self, Enqueued, Job, JobError, NewJob};
use kaname_store::{Store, StoreError, Tx};
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, Keys, PersonId, TrustError};

use super::record::{Book, NewEvent, Side, record};
use super::rules::Numbered;
use super::{Change, EventKind};
use crate::duplicate::kept::Indexed;
use crate::{PersonError, Refusal, Standing, table};

/// The kind of job that is asked for with each event.
pub const KIND: &str = "person.event";

/// What an event means for other blocks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// With whom it was recorded.
    pub person: PersonId,
    /// Its number among her events.
    pub n: i64,
    /// What happened.
    pub kind: EventKind,
    /// What she is after everything that is recorded now, so that jobs done in any order end at the same.
    pub standing: Standing,
}

/// Records the other sides of an event, puts the person as she is now into the index by which she is found, and says what other blocks
/// should be told. Done twice, it changes nothing.
///
/// # Errors
/// [`JobError::Never`] when another side cannot be recorded: an officer must look, and [`super::check`] lists it.
pub fn follow(store: &Store, keys: &Keys, pack: &Pack, env: &Env, job: &Job) -> Result<Told, JobError> {
    let (person, n) = read_body(keys, &job.id, &job.body).ok_or(JobError::Never("unreadable"))?;
    let Follows { told, others, indexed } =
        read(store, keys, pack, env, person, n).map_err(|error| failed(&error))?;
    indexed.write(store).map_err(|error| failed(&error))?;
    for other in others {
        for late in tell_other(store, keys, pack, env, person, other)? {
            let _none = tell_other(store, keys, pack, env, late.0, late.1)?;
        }
    }
    Ok(told)
}

/// What follows from an event.
struct Follows {
    told: Told,
    others: Vec<NewEvent>,
    indexed: Indexed,
}

/// Whose event it is, and what is to be recorded of it with another.
type OtherSide = (PersonId, NewEvent);

/// Records the other side of an event of `person`. Gives what must follow from that: whom the other's death is told to only now, because
/// they were not related as far as her book told when she died.
fn tell_other(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    person: PersonId,
    other: NewEvent,
) -> Result<Vec<OtherSide>, JobError> {
    let (keys, pack, env) = (keys.clone(), pack.clone(), env.again());
    let bucket = bucket_of(other.person, store.buckets());
    let recorded = store.write(bucket, move |tx| {
        // An annulment names the event by its number with the other, which only her own book tells.
        let mut ask = other.clone();
        if let Change::Annulment { .. } = ask.change {
            let book = Book::open(tx, &keys, &pack, &env, ask.person, &program(), "correction")?;
            let first_request = request_of_other(&keys, person, annulled(&ask), ask.person);
            let Some(found) = book.of_request(&first_request) else { return Ok(Vec::new()) };
            ask.change = Change::Annulment { of: found.n };
        }
        record(tx, &keys, &pack, &env.again(), &ask, Side::Others)?;
        mourners(tx, &keys, &pack, &env, ask.person)
    });
    match recorded {
        Ok(late) => Ok(late),
        // Recorded from her side too, by somebody who did not know of this one.
        Err(PersonError::Refused(Refusal::AlreadyRelated | Refusal::NotRelated)) => Ok(Vec::new()),
        Err(error) => Err(failed(&error)),
    }
}

/// Who is told of the death of somebody who died; nobody while she lives.
fn mourners(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    person: PersonId,
) -> Result<Vec<OtherSide>, PersonError> {
    if table::resident(tx, person)?.is_none_or(|row| row.active) {
        return Ok(Vec::new());
    }
    let book = Book::open(tx, keys, pack, env, person, &program(), "registration")?;
    let death = |numbered: &&Numbered| {
        matches!(numbered.event.change, Change::Death) && !is_struck(&book.events, numbered.n)
    };
    let told =
        book.events.iter().filter(death).flat_map(|death| other_sides(keys, person, death, &book.events));
    Ok(told.map(|other| (person, other)).collect())
}

/// Whether an event counts for nothing any more.
pub(crate) fn is_struck(all: &[Numbered], n: i64) -> bool {
    all.iter().any(|later| matches!(later.event.change, Change::Annulment { of } if of == n))
}

/// Opens the event, and says what is to be recorded with whom.
fn read(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    person: PersonId,
    n: i64,
) -> Result<Follows, PersonError> {
    let (with, pack, env) = (keys.clone(), pack.clone(), env.again());
    let keys = keys.clone();
    store.write(bucket_of(person, store.buckets()), move |tx| {
        let book = Book::open(tx, &with, &pack, &env.again(), person, &program(), "registration")?;
        let found = book.events.iter().find(|numbered| numbered.n == n).ok_or(Refusal::NoSuchEvent)?;
        let now = book.current()?;
        let told = Told { person, n, kind: found.event.kind(), standing: now.life.standing };
        let indexed = Indexed::of(&keys, &pack, person, &now, book.version());
        // A job may be done before an earlier one, whose worker died with it: what that one has to tell is told first. What was struck
        // before anybody was told of it has no other side.
        let mut others = Vec::new();
        for numbered in book.events.iter().filter(|numbered| numbered.n <= n) {
            let is_due = numbered.n == n || jobs::waits(tx, &job_id(&keys, person, numbered.n))?;
            if is_due && !is_struck(&book.events, numbered.n) {
                others.extend(other_sides(&keys, person, numbered, &book.events));
            }
        }
        Ok(Follows { told, others, indexed })
    })
}

/// The events that others have by this one.
fn other_sides(
    keys: &Keys,
    person: PersonId,
    Numbered { n, event }: &Numbered,
    all: &[Numbered],
) -> Vec<NewEvent> {
    if event.other_side {
        return Vec::new();
    }
    let with = |other: PersonId, change: Change| NewEvent {
        request: request_of_other(keys, person, *n, other),
        person: other,
        change,
        on: event.day(),
        by: event.by.clone(),
        why: event.why.clone(),
        evidence: event.evidence.clone(),
    };
    match &event.change {
        // Whoever was ever related to her: her side knows what has ended, and a repeated end changes nothing.
        Change::Death => {
            let mut others: Vec<PersonId> =
                all.iter().filter_map(|other| related(&other.event.change)).collect();
            others.sort_unstable();
            others.dedup();
            others.into_iter().map(|other| with(other, Change::Bereavement { of: person })).collect()
        }
        Change::Annulment { of } => {
            let Some(struck) = all.iter().find(|numbered| numbered.n == *of) else { return Vec::new() };
            let others = other_sides(keys, person, struck, all);
            others.into_iter().map(|other| with(other.person, Change::Annulment { of: *of })).collect()
        }
        change => change
            .other()
            .zip(change.other_side(person))
            .map(|(other, change)| with(other, change))
            .into_iter()
            .collect(),
    }
}

/// To whom an event relates her in a way that ends with a death.
fn related(change: &Change) -> Option<PersonId> {
    match change {
        Change::Marriage { .. } => change.other(),
        Change::RelationBegins { relation, .. } => {
            use crate::RelationKind::{Child, Parent};
            change.other().filter(|_| !matches!(relation, Parent | Child))
        }
        _ => None,
    }
}

fn annulled(ask: &NewEvent) -> i64 {
    match ask.change {
        Change::Annulment { of } => of,
        _ => 0,
    }
}

/// The request under which the other side of `person`'s event `n` is recorded with `other`: always the same.
fn request_of_other(keys: &Keys, person: PersonId, n: i64, other: PersonId) -> [u8; 16] {
    let value = [person.bytes().as_slice(), &n.to_be_bytes(), other.bytes()].concat();
    keys.blind_index("person.other-side", &value)
}

/// The program, when it does what an officer's event asks for.
pub(crate) fn program() -> Actor {
    Actor::program("life-events", "program")
}

/// Asks for the job of an event, in the unit of work that records it.
pub(crate) fn enqueue(
    tx: &mut Tx<'_>,
    keys: &Keys,
    env: &Env,
    person: PersonId,
    n: i64,
) -> Result<(), StoreError> {
    let id = job_id(keys, person, n);
    let body = body(keys, &id, person, n);
    match jobs::enqueue(tx, env, &NewJob { id, kind: KIND, body: &body, due: env.now })? {
        Enqueued::Added => Ok(()),
        // The event's number is new, so nobody can have asked for its job.
        Enqueued::AlreadyThere | Enqueued::IdReused => Err(StoreError::Conflict),
    }
}

/// The id of an event's job.
fn job_id(keys: &Keys, person: PersonId, n: i64) -> [u8; 16] {
    keys.blind_index("person.event-job", &[person.bytes().as_slice(), &n.to_be_bytes()].concat())
}

/// A reference to an event, wrapped anew each time.
fn body(keys: &Keys, id: &[u8; 16], person: PersonId, n: i64) -> Vec<u8> {
    keys.wrap(&context(id), &[person.bytes().as_slice(), &n.to_be_bytes()].concat())
}

fn read_body(keys: &Keys, id: &[u8; 16], body: &[u8]) -> Option<(PersonId, i64)> {
    let plain = keys.unwrap(&context(id), body).ok()?;
    let (person, n) = plain.split_at_checked(16)?;
    Some((PersonId::from_slice(person)?, i64::from_be_bytes(n.try_into().ok()?)))
}

fn context(id: &[u8; 16]) -> Vec<u8> {
    [KIND.as_bytes(), b"\0", id].concat()
}

/// What a handler says of an error: the world failing may pass; a refusal stays.
pub fn failed(error: &PersonError) -> JobError {
    match error {
        PersonError::Refused(refusal) => JobError::Never(refusal.code()),
        // The log and the keys lie in the same database, which may be well again.
        PersonError::Trust(TrustError::Store(_)) => JobError::Later("store"),
        PersonError::Trust(_) => JobError::Never("trust"),
        PersonError::Store(StoreError::Busy) => JobError::Later("busy"),
        PersonError::Store(_) => JobError::Later("store"),
    }
}

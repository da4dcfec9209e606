//! Jobs: effects outside the database. A job is a row written in the same unit of work as the decision that asks for it,
//! and done later, at least once, by a worker that may be killed at any point. So every handler is idempotent.
//!
//! - The caller chooses the job's id, so that a unit of work which is run again asks once.
//! - A worker claims a job by a lease, in one unit of work; does it outside any; and says so in another. If it dies in
//!   between, the lease runs out and the job is done again. A handler that can write its effect in a unit of work of its
//!   own calls [`done`] there, and then the two cannot come apart.
//! - What fails is tried again later, and later still; after [`MOST_ATTEMPTS`] it is dead and waits for a person.
//! - A body that names a person is sealed by whoever writes it; the store does not look.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use kaname_base::{Bucket, Env, Instant};

use crate::{Dialect, Migration, Store, StoreError, Tx, Value};

/// The table of jobs; a program that uses them opens its store with this.
pub const MIGRATIONS: &[Migration] = &[Migration {
    block: "store",
    number: 1,
    sql: "CREATE TABLE store_job (
        bucket BIGINT NOT NULL, id BYTEA NOT NULL, kind TEXT NOT NULL, body BYTEA NOT NULL,
        state BIGINT NOT NULL, made BIGINT NOT NULL, due BIGINT NOT NULL, attempts BIGINT NOT NULL,
        leased_until BIGINT NOT NULL, error TEXT,
        PRIMARY KEY (bucket, id)) WITHOUT ROWID;
    CREATE INDEX store_job_due ON store_job (bucket, due) WHERE state = 0;",
}];

/// How often a job is tried before it is dead.
pub const MOST_ATTEMPTS: i64 = 12;

/// The wait after the first failure; it doubles with each, up to [`LONGEST_WAIT_SECONDS`].
const FIRST_WAIT_SECONDS: i64 = 10;
const LONGEST_WAIT_SECONDS: i64 = 6 * 3_600;

// The states in the table: 0 waits (or is leased), 1 is done, 2 is dead.
const ADD: &str = "INSERT INTO store_job (bucket, id, kind, body, state, made, due, attempts, leased_until)
    VALUES ($1, $2, $3, $4, 0, $5, $6, 0, 0) ON CONFLICT (bucket, id) DO NOTHING";
const THERE: &str = "SELECT kind, body FROM store_job WHERE bucket = $1 AND id = $2";
const IS_DUE: &str = "SELECT 1 FROM store_job
    WHERE bucket = $1 AND state = 0 AND due <= $2 AND leased_until <= $2 LIMIT 1";
/// SQLite has one writer, who is never in his own way, and does not know FOR UPDATE.
const CLAIM_SQLITE: &str = "UPDATE store_job SET attempts = attempts + 1, leased_until = $3
    WHERE bucket = $1 AND id IN (
        SELECT id FROM store_job WHERE bucket = $1 AND state = 0 AND due <= $2 AND leased_until <= $2
        ORDER BY due, id LIMIT $4)
    RETURNING id, kind, body, due, attempts";
/// ARRAY, so that the inner statement runs once: joined, it would be asked again and lock more than its limit.
const CLAIM_POSTGRES: &str = "UPDATE store_job SET attempts = attempts + 1, leased_until = $3
    WHERE bucket = $1 AND id = ANY(ARRAY(
        SELECT id FROM store_job WHERE bucket = $1 AND state = 0 AND due <= $2 AND leased_until <= $2
        ORDER BY due, id LIMIT $4 FOR UPDATE SKIP LOCKED))
    RETURNING id, kind, body, due, attempts";
const DONE: &str =
    "UPDATE store_job SET state = 1, error = NULL WHERE bucket = $1 AND id = $2 AND state <> 1";
const ATTEMPTS: &str = "SELECT attempts FROM store_job WHERE bucket = $1 AND id = $2 AND state = 0";
const LATER: &str = "UPDATE store_job SET due = $3, leased_until = 0, error = $4
    WHERE bucket = $1 AND id = $2 AND state = 0 AND attempts = $5";
const BURY: &str = "UPDATE store_job SET state = 2, error = $3 WHERE bucket = $1 AND id = $2 AND state = 0";
const REVIVE: &str = "UPDATE store_job SET state = 0, attempts = 0, due = $3, leased_until = 0
    WHERE bucket = $1 AND id = $2 AND state = 2";
const WAITS: &str = "SELECT 1 FROM store_job WHERE bucket = $1 AND id = $2 AND state = 0";
const DEAD: &str = "SELECT id, kind, body, due, attempts, error FROM store_job
    WHERE bucket = $1 AND state = 2 ORDER BY due, id LIMIT $2";
const HAS_OLD: &str = "SELECT id FROM store_job WHERE bucket = $1 AND state = 1 AND due < $2 LIMIT 1";
const FORGET: &str = "DELETE FROM store_job WHERE bucket = $1 AND state = 1 AND due < $2";

/// A job to be done.
#[derive(Clone, Copy, Debug)]
pub struct NewJob<'a> {
    /// Chosen by the caller: asking twice with one id asks once.
    pub id: [u8; 16],
    /// Which handler it is for, such as `notice.send`.
    pub kind: &'static str,
    /// What the handler needs; sealed if it names a person.
    pub body: &'a [u8],
    /// Not before this.
    pub due: Instant,
}

/// A job that a worker holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Where it lies; the handler's own units of work are opened there.
    pub bucket: Bucket,
    /// The caller's id.
    pub id: [u8; 16],
    /// Which handler it is for.
    pub kind: String,
    /// What the handler needs.
    pub body: Vec<u8>,
    /// When it was due.
    pub due: Instant,
    /// Which attempt this is, from 1.
    pub attempt: i64,
}

/// What became of asking.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "a job with this id and another content was not asked for"]
pub enum Enqueued {
    /// It will be done.
    Added,
    /// It was asked for before, word for word.
    AlreadyThere,
    /// The id belongs to a job of another kind or body; nothing was written.
    IdReused,
}

/// Asks for a job, in the same unit of work as the reason for it. Idempotent by id.
///
/// # Errors
/// [`StoreError`] as the engine has it; so for the functions below.
pub fn enqueue(tx: &mut Tx<'_>, env: &Env, job: &NewJob<'_>) -> Result<Enqueued, StoreError> {
    let id = Value::Bytes(&job.id);
    let row = [id, job.kind.into(), job.body.into(), env.now.micros().into(), job.due.micros().into()];
    if tx.change(ADD, &row)? == 1 {
        return Ok(Enqueued::Added);
    }
    let Some(there) = tx.row(THERE, &[id])? else { return Err(StoreError::Conflict) };
    let same = there.text(0)? == job.kind && there.bytes(1)? == job.body;
    Ok(if same { Enqueued::AlreadyThere } else { Enqueued::IdReused })
}

/// Takes up to `limit` jobs that are due in the unit's bucket, oldest first, for `lease_seconds`: until then nobody else
/// gets them. Those whose attempts are used up (their workers died) are buried instead.
pub fn claim_due(
    tx: &mut Tx<'_>,
    now: Instant,
    lease_seconds: i64,
    limit: u32,
) -> Result<Vec<Job>, StoreError> {
    let sql = match tx.dialect() {
        Dialect::Sqlite => CLAIM_SQLITE,
        Dialect::Postgres => CLAIM_POSTGRES,
    };
    let until = now.plus_seconds(lease_seconds).micros();
    let rows = tx.query(sql, &[now.micros().into(), until.into(), i64::from(limit).into()])?;
    let mut jobs = rows.iter().map(|row| job_of(tx.bucket(), row)).collect::<Result<Vec<_>, _>>()?;
    jobs.sort_by_key(|job| (job.due, job.id)); // RETURNING promises no order
    let (alive, used_up): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.attempt <= MOST_ATTEMPTS);
    for job in used_up {
        tx.change(BURY, &[(&job.id).into(), "worker-died".into()])?;
    }
    Ok(alive)
}

/// Says that a job was done. Saying it twice, or of a job that is gone, changes nothing.
pub fn done(tx: &mut Tx<'_>, id: &[u8; 16]) -> Result<(), StoreError> {
    tx.change(DONE, &[id.into()]).map(drop)
}

/// Whether a job was asked for and is not done yet: it waits for its time, or for a worker who holds it and may be dead.
pub fn waits(tx: &mut Tx<'_>, id: &[u8; 16]) -> Result<bool, StoreError> {
    Ok(tx.row(WAITS, &[id.into()])?.is_some())
}

/// Says that a job failed: it is tried again later, or dead when its attempts are used up. `error_code` is ours, not the
/// text of whoever failed.
pub fn failed(tx: &mut Tx<'_>, id: &[u8; 16], now: Instant, error_code: &str) -> Result<(), StoreError> {
    let Some(row) = tx.row(ATTEMPTS, &[id.into()])? else { return Ok(()) };
    let attempts = row.int(0)?;
    if attempts >= MOST_ATTEMPTS {
        return bury(tx, id, error_code);
    }
    let due = now.plus_seconds(wait_seconds(attempts)).micros();
    tx.change(LATER, &[id.into(), due.into(), error_code.into(), attempts.into()]).map(drop)
}

/// Says that trying again cannot help.
pub fn bury(tx: &mut Tx<'_>, id: &[u8; 16], error_code: &str) -> Result<(), StoreError> {
    tx.change(BURY, &[id.into(), error_code.into()]).map(drop)
}

/// Gives a dead job all its attempts again, after a person has looked; whether there was one.
pub fn revive(tx: &mut Tx<'_>, id: &[u8; 16], now: Instant) -> Result<bool, StoreError> {
    Ok(tx.change(REVIVE, &[id.into(), now.micros().into()])? == 1)
}

/// Up to `limit` dead jobs of the unit's bucket, with the code of their last failure.
pub fn dead(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<(Job, String)>, StoreError> {
    let rows = tx.query(DEAD, &[i64::from(limit).into()])?;
    rows.iter().map(|row| Ok((job_of(tx.bucket(), row)?, row.text(5)?.to_owned()))).collect()
}

/// Forgets the jobs that are done and were due before `before`; from then on their ids could be used again. How many.
pub fn forget_done(tx: &mut Tx<'_>, before: Instant) -> Result<u64, StoreError> {
    tx.change(FORGET, &[before.micros().into()])
}

fn job_of(bucket: Bucket, row: &crate::Row) -> Result<Job, StoreError> {
    let (id, kind, body) = (row.array(0)?, row.text(1)?.to_owned(), row.bytes(2)?.to_vec());
    Ok(Job { bucket, id, kind, body, due: Instant::from_micros(row.int(3)?), attempt: row.int(4)? })
}

fn wait_seconds(attempts: i64) -> i64 {
    let doublings = attempts.clamp(1, 20) - 1;
    (FIRST_WAIT_SECONDS << doublings).min(LONGEST_WAIT_SECONDS)
}

/// Why a handler did not do a job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JobError {
    /// Try again later. The code is ours: short, stable, and about nobody.
    Later(&'static str),
    /// Trying again cannot help.
    Never(&'static str),
}

/// What a worker did in one round.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Round {
    /// Jobs done.
    pub done: u64,
    /// Jobs that failed, and are tried again or dead.
    pub failed: u64,
}

/// Does jobs. Any number of workers, in any number of processes, may share a store.
#[derive(Clone)]
pub struct Worker {
    /// Where the jobs lie.
    pub store: Store,
    /// How long a job may take before another worker gets it.
    pub lease_seconds: i64,
    /// How many jobs of one bucket are claimed together.
    pub batch: u32,
    /// How long the worker rests when nothing is due.
    pub rest_ms: u64,
    /// How long a job that is done is remembered, so that asking for it again does nothing. Its body may say whom it was about.
    pub remember_seconds: i64,
}

/// How often a worker forgets the jobs that were remembered for long enough.
const FORGET_EVERY_SECONDS: i64 = 86_400;

impl Worker {
    /// A worker with the usual settings: jobs are remembered for a month.
    pub fn new(store: Store) -> Worker {
        Worker { store, lease_seconds: 300, batch: 16, rest_ms: 1_000, remember_seconds: 30 * 86_400 }
    }

    /// Visits every bucket once and does what is due there. `now` is asked again before each step.
    ///
    /// # Errors
    /// [`StoreError`] when a bucket cannot be reached; jobs claimed so far come back when their lease runs out.
    pub fn round(
        &self,
        now: &dyn Fn() -> Instant,
        handler: &dyn Fn(&Job) -> Result<(), JobError>,
    ) -> Result<Round, StoreError> {
        let mut round = Round::default();
        for bucket in self.store.buckets().all() {
            loop {
                let jobs = self.claim(bucket, now())?;
                let claimed = jobs.len();
                for job in jobs {
                    self.work_on(&job, now, handler, &mut round)?;
                }
                if claimed < self.batch as usize {
                    break;
                }
            }
        }
        Ok(round)
    }

    /// Goes round until `stop` is pulled; what is begun is finished. Failures of the store go to `alarm`.
    pub fn run(
        &self,
        now: &dyn Fn() -> Instant,
        handler: &dyn Fn(&Job) -> Result<(), JobError>,
        alarm: &dyn Fn(&StoreError),
        stop: &Stop,
    ) {
        let mut forgets = now();
        while !stop.is_pulled() {
            let round = self.round(now, handler).inspect_err(|error| alarm(error)).unwrap_or_default();
            if now() >= forgets {
                forgets = now().plus_seconds(FORGET_EVERY_SECONDS);
                self.forget(now()).unwrap_or_else(|error| alarm(&error));
            }
            if round.done == 0 {
                stop.wait(Duration::from_millis(self.rest_ms));
            }
        }
    }

    /// Forgets the jobs of every bucket that are done and were due long enough ago.
    fn forget(&self, now: Instant) -> Result<(), StoreError> {
        let before = now.plus_seconds(-self.remember_seconds);
        for bucket in self.store.buckets().all() {
            // Most buckets have none; seeing that should cost no write.
            let has_old = self.store.read(bucket, move |tx| tx.row(HAS_OLD, &[before.micros().into()]))?;
            if has_old.is_some() {
                self.store.write(bucket, move |tx| forget_done(tx, before))?;
            }
        }
        Ok(())
    }

    fn claim(&self, bucket: Bucket, now: Instant) -> Result<Vec<Job>, StoreError> {
        // Most buckets have nothing to do; seeing that should cost no write.
        let is_due = self.store.read(bucket, move |tx| tx.row(IS_DUE, &[now.micros().into()]))?.is_some();
        if !is_due {
            return Ok(Vec::new());
        }
        let (lease_seconds, batch) = (self.lease_seconds, self.batch);
        self.store.write(bucket, move |tx| claim_due(tx, now, lease_seconds, batch))
    }

    fn work_on(
        &self,
        job: &Job,
        now: &dyn Fn() -> Instant,
        handler: &dyn Fn(&Job) -> Result<(), JobError>,
        round: &mut Round,
    ) -> Result<(), StoreError> {
        let outcome =
            catch_unwind(AssertUnwindSafe(|| handler(job))).unwrap_or(Err(JobError::Later("panicked")));
        // If we crash here the job is done again: hence idempotent handlers.
        let (id, now) = (job.id, now());
        match outcome {
            Ok(()) => round.done += 1,
            Err(_) => round.failed += 1,
        }
        self.store.write(job.bucket, move |tx| match outcome {
            Ok(()) => done(tx, &id),
            Err(JobError::Later(code)) => failed(tx, &id, now, code),
            Err(JobError::Never(code)) => bury(tx, &id, code),
        })
    }
}

/// Ends a worker's [`Worker::run`], from another thread.
#[derive(Clone, Default)]
pub struct Stop {
    pulled: Arc<(Mutex<bool>, Condvar)>,
}

impl Stop {
    /// Ends it, at once if it rests, else after the round it is in.
    pub fn pull(&self) {
        *self.pulled.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.pulled.1.notify_all();
    }

    /// Whether it was pulled.
    pub fn is_pulled(&self) -> bool {
        *self.pulled.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is pulled, at most so long.
    pub fn wait(&self, most: Duration) {
        let pulled = self.pulled.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.pulled.1.wait_timeout_while(pulled, most, |pulled| !*pulled));
    }
}

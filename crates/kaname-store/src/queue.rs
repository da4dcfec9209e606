//! Work that nobody's own thread runs waits in a bounded queue, for the threads of the store.
//!
//! On SQLite one thread takes whatever waits and runs it through the writer, so that it shares a commit (`writer.rs`).
//! Everywhere else each unit has its own transaction; a read must see what was answered before it was asked, so it never
//! joins an older one.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};

use kaname_base::Bucket;

use crate::StoreError;
use crate::tx::{Engine, Tx};

/// How often a unit of work that meets a conflict is run before the conflict is reported.
const TRIES: u32 = 24;

/// The same when a row with its key was there already. The second run sees that row; if it inserts again, so will the tenth.
const TRIES_OF_DUPLICATE: u32 = 3;

/// A unit of work.
pub(crate) trait Work {
    /// The bucket it works on.
    fn bucket(&self) -> Bucket;
    /// Runs the work once, keeping its answer. What it tells decides whether its changes are kept.
    fn run(&mut self, engine: &mut dyn Engine) -> Ran;
    /// Drops the answer of a run that does not count.
    fn forget(&mut self);
}

/// A unit of work in the queue, with somebody who waits for its answer.
pub(crate) trait Job: Work + Send {
    /// Gives the answer to whoever waits, now that it is known whether the commit worked.
    fn answer(self: Box<Self>, commit: Result<(), StoreError>);
}

/// How a run went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ran {
    /// Its changes are to be kept.
    Done,
    /// The use case said no, or the database did.
    Refused,
    /// Somebody else was first; running it again may help.
    Conflict,
    /// A row with this key is there; running it again may help once.
    Duplicate,
    /// The connection was lost. Nothing was committed, so it may be run again on another.
    Lost,
    /// It panicked.
    Crashed,
}

/// One unit of work, and what it answered.
pub(crate) struct Unit<T, E, W> {
    bucket: Bucket,
    work: W,
    reads_only: bool,
    answer: Option<Result<T, E>>,
}

impl<T, E: From<StoreError>, W> Unit<T, E, W> {
    pub(crate) fn new(bucket: Bucket, work: W) -> Unit<T, E, W> {
        Unit { bucket, work, reads_only: false, answer: None }
    }

    pub(crate) fn reading(bucket: Bucket, work: W) -> Unit<T, E, W> {
        Unit { reads_only: true, ..Unit::new(bucket, work) }
    }

    /// The answer, now that it is known whether the commit worked.
    pub(crate) fn conclude(self, commit: Result<(), StoreError>) -> Result<T, E> {
        match (commit, self.answer) {
            (Ok(()), Some(answer)) => answer,
            // A refusal stands whether or not the others' commit worked: it wrote nothing.
            (Err(_), Some(Err(refusal))) => Err(refusal),
            (Err(error), _) => Err(error.into()),
            (Ok(()), None) => Err(StoreError::Crashed.into()),
        }
    }
}

impl<T, E, W> Work for Unit<T, E, W>
where
    E: From<StoreError>,
    W: for<'u> FnMut(&mut Tx<'u>) -> Result<T, E>,
{
    fn bucket(&self) -> Bucket {
        self.bucket
    }

    fn run(&mut self, engine: &mut dyn Engine) -> Ran {
        let open = if self.reads_only { Tx::reading } else { Tx::new };
        let mut tx = open(engine, self.bucket);
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(&mut tx)));
        let Ok(result) = outcome else {
            self.answer = Some(Err(StoreError::Crashed.into()));
            return Ran::Crashed;
        };
        // What the database said is remembered even if the use case swallowed it: PostgreSQL has given the transaction up
        // by then, and would answer the COMMIT with a polite ROLLBACK.
        let failure = tx.failure();
        let ran = match &failure {
            None if result.is_ok() => Ran::Done,
            None => Ran::Refused,
            Some(StoreError::Duplicate) => Ran::Duplicate,
            Some(StoreError::Conflict) => Ran::Conflict,
            Some(StoreError::Unreachable(_)) => Ran::Lost,
            Some(_) => Ran::Refused,
        };
        self.answer = Some(match failure {
            None => result,
            Some(error) => result.and(Err(error.into())),
        });
        ran
    }

    fn forget(&mut self) {
        self.answer = None;
    }
}

/// One unit of work with its reply.
pub(crate) struct Replying<U, R> {
    pub(crate) unit: U,
    pub(crate) reply: R,
}

impl<U: Work, R> Work for Replying<U, R> {
    fn bucket(&self) -> Bucket {
        self.unit.bucket()
    }

    fn run(&mut self, engine: &mut dyn Engine) -> Ran {
        self.unit.run(engine)
    }

    fn forget(&mut self) {
        self.unit.forget();
    }
}

impl<T, E, W, R> Job for Replying<Unit<T, E, W>, R>
where
    T: Send,
    E: From<StoreError> + Send,
    W: for<'u> FnMut(&mut Tx<'u>) -> Result<T, E> + Send,
    R: FnOnce(Result<T, E>) + Send,
{
    fn answer(self: Box<Self>, commit: Result<(), StoreError>) {
        (self.reply)(self.unit.conclude(commit));
    }
}

/// Answers, and survives a reply that panics: the others in the group still wait for theirs.
pub(crate) fn answer(job: Box<dyn Job>, commit: Result<(), StoreError>) {
    let _ = catch_unwind(AssertUnwindSafe(|| job.answer(commit)));
}

/// The queue that threads take from.
pub(crate) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    room: Condvar,
    capacity: usize,
    /// Held for reading by a first run, for writing by a run after a conflict: nobody of this process is faster then.
    turns: [RwLock<()>; 64],
    /// Runs that met a conflict and were run again.
    pub(crate) conflicts: AtomicU64,
}

struct State {
    waiting: VecDeque<Box<dyn Job>>,
    open: bool,
    /// Threads that wait for work, and callers that wait for room: nobody is woken who does not sleep.
    idle: usize,
    blocked: usize,
}

impl Queue {
    pub(crate) fn new(capacity: usize) -> Arc<Queue> {
        let state = Mutex::new(State { waiting: VecDeque::new(), open: true, idle: 0, blocked: 0 });
        Arc::new(Queue {
            state,
            arrived: Condvar::new(),
            room: Condvar::new(),
            capacity,
            turns: [const { RwLock::new(()) }; 64],
            conflicts: AtomicU64::new(0),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job, waiting for room.
    pub(crate) fn push(&self, job: Box<dyn Job>) {
        let mut state = self.lock();
        while state.open && state.waiting.len() >= self.capacity {
            state.blocked += 1;
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.blocked -= 1;
        }
        self.add(state, job);
    }

    /// Adds a job if there is room; else gives it back.
    pub(crate) fn offer(&self, job: Box<dyn Job>) -> Result<(), Box<dyn Job>> {
        let state = self.lock();
        if !state.open || state.waiting.len() >= self.capacity {
            return Err(job);
        }
        self.add(state, job);
        Ok(())
    }

    fn add(&self, mut state: MutexGuard<'_, State>, job: Box<dyn Job>) {
        state.waiting.push_back(job);
        let wakes = state.idle > 0;
        drop(state);
        if wakes {
            self.arrived.notify_one();
        }
    }

    /// The next job, waiting for one; `None` when the queue is closed and empty.
    pub(crate) fn take(&self) -> Option<Box<dyn Job>> {
        let mut state = self.lock();
        while state.waiting.is_empty() {
            if !state.open {
                return None;
            }
            state.idle += 1;
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
        let job = state.waiting.pop_front();
        self.made_room(state);
        job
    }

    /// Moves up to `most` of the jobs that wait now to `jobs`.
    pub(crate) fn take_waiting(&self, jobs: &mut VecDeque<Box<dyn Job>>, most: usize) {
        let mut state = self.lock();
        let count = state.waiting.len().min(most);
        if count > 0 {
            jobs.extend(state.waiting.drain(..count));
            self.made_room(state);
        }
    }

    fn made_room(&self, state: MutexGuard<'_, State>) {
        let wakes = state.blocked > 0;
        drop(state);
        if wakes {
            self.room.notify_all();
        }
    }

    /// No more jobs; the threads end when the queue is empty.
    pub(crate) fn close(&self) {
        self.lock().open = false;
        self.arrived.notify_all();
        self.room.notify_all();
    }
}

/// Makes a connection: when one is first needed, and anew after a failure.
pub(crate) type Connect = Arc<dyn Fn() -> Result<Box<dyn Engine>, StoreError> + Send + Sync>;

/// Serves the queue until it is closed, each unit of work in its own transaction.
pub(crate) fn serve(queue: &Queue, connect: &Connect) {
    let mut engine: Option<Box<dyn Engine>> = None;
    while let Some(mut job) = queue.take() {
        let outcome = run_alone(&mut engine, connect, queue, &mut *job);
        answer(job, outcome);
    }
}

/// The connection, made anew if the last one failed.
pub(crate) fn connected<'e>(
    engine: &'e mut Option<Box<dyn Engine>>,
    connect: &Connect,
) -> Result<&'e mut dyn Engine, StoreError> {
    let there = match engine.take() {
        Some(there) => there,
        None => connect()?,
    };
    Ok(&mut **engine.insert(there))
}

/// How one run of a job in a transaction of its own ended.
enum Ended {
    /// It is over; the connection is good.
    Well,
    /// It is over, and so is the connection.
    Broken(StoreError),
    /// It met a conflict.
    Again(Ran),
    /// The connection was lost before the commit.
    Lost(StoreError),
}

/// Runs one job in a transaction of its own, again from the start after a conflict, and once on a new connection after
/// the old one was lost on the way: before the commit is sent, nothing can have been done.
pub(crate) fn run_alone(
    engine: &mut Option<Box<dyn Engine>>,
    connect: &Connect,
    queue: &Queue,
    job: &mut dyn Work,
) -> Result<(), StoreError> {
    let turn = &queue.turns[usize::from(job.bucket().index()) % queue.turns.len()];
    let mut may_reconnect = true;
    let mut attempt = 0;
    loop {
        attempt += 1;
        let ended = {
            let _among_others = (attempt == 1).then(|| turn.read().unwrap_or_else(PoisonError::into_inner));
            let _alone = (attempt > 1).then(|| turn.write().unwrap_or_else(PoisonError::into_inner));
            match connected(engine, connect) {
                Ok(engine) => run_once(engine, job),
                Err(error) => Ended::Broken(error),
            }
        };
        let outcome = match ended {
            Ended::Well => Ok(()),
            Ended::Again(ran) if attempt < tries(ran) => {
                job.forget();
                queue.conflicts.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            Ended::Again(_) => Err(StoreError::Conflict),
            Ended::Lost(error) => {
                job.forget();
                *engine = None;
                if std::mem::take(&mut may_reconnect) {
                    continue;
                }
                Err(error)
            }
            Ended::Broken(error) => {
                *engine = None;
                Err(error)
            }
        };
        return outcome;
    }
}

fn tries(ran: Ran) -> u32 {
    if ran == Ran::Duplicate { TRIES_OF_DUPLICATE } else { TRIES }
}

fn run_once(engine: &mut dyn Engine, job: &mut dyn Work) -> Ended {
    if let Err(error) = engine.begin() {
        return Ended::Lost(error);
    }
    match job.run(engine) {
        Ran::Done => match engine.commit() {
            Ok(()) => Ended::Well,
            Err(StoreError::Conflict) => match engine.rollback() {
                Ok(()) => Ended::Again(Ran::Conflict),
                Err(error) => Ended::Lost(error),
            },
            Err(error) => Ended::Broken(error),
        },
        Ran::Lost => Ended::Lost(StoreError::Unreachable("the connection was lost".to_owned())),
        ran @ (Ran::Conflict | Ran::Duplicate) => match engine.rollback() {
            Ok(()) => Ended::Again(ran),
            Err(error) => Ended::Lost(error),
        },
        Ran::Refused | Ran::Crashed => engine.rollback().map_or_else(Ended::Broken, |()| Ended::Well),
    }
}

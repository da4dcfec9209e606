//! Work waits in a bounded queue for the threads that own a connection each.
//!
//! On SQLite one thread writes. It takes whatever waits, runs each unit of work inside a mark of its own, and commits them
//! together: one flush of the disk for all, and an answer to nobody before it. On PostgreSQL each unit has its own transaction.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use kaname_base::Bucket;

use crate::StoreError;
use crate::tx::{Dialect, Engine, Tx};

/// The most units of work that share one commit.
const GROUP: usize = 512;

/// How often a unit of work that meets a conflict is run before the conflict is reported.
const TRIES: u32 = 24;

/// A waiting unit of work.
pub(crate) trait Job: Send {
    /// Runs the work once, keeping its answer. What it tells decides whether its changes are kept.
    fn run(&mut self, engine: &mut dyn Engine) -> Ran;
    /// Gives the answer to whoever waits, now that it is known whether the commit worked.
    fn answer(self: Box<Self>, commit: Result<(), StoreError>);
}

/// How a run went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ran {
    Done,
    Refused,
    Conflict,
    Crashed,
}

/// One unit of work with its reply.
pub(crate) struct Unit<T, E, W, R> {
    pub(crate) bucket: Bucket,
    pub(crate) work: W,
    pub(crate) reply: Option<R>,
    pub(crate) answer: Option<Result<T, E>>,
}

impl<T, E, W, R> Job for Unit<T, E, W, R>
where
    T: Send,
    E: From<StoreError> + Send,
    W: for<'u> FnMut(&mut Tx<'u>) -> Result<T, E> + Send,
    R: FnOnce(Result<T, E>) + Send,
{
    fn run(&mut self, engine: &mut dyn Engine) -> Ran {
        let mut tx = Tx::new(engine, self.bucket);
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(&mut tx)));
        let conflict = tx.met_conflict();
        match outcome {
            Err(_) => {
                self.answer = Some(Err(StoreError::Crashed.into()));
                Ran::Crashed
            }
            Ok(result) if conflict => {
                // Remembered even if the use case swallowed it.
                self.answer = Some(result.and(Err(StoreError::Conflict.into())));
                Ran::Conflict
            }
            Ok(result) => {
                let ran = if result.is_ok() { Ran::Done } else { Ran::Refused };
                self.answer = Some(result);
                ran
            }
        }
    }

    fn answer(mut self: Box<Self>, commit: Result<(), StoreError>) {
        let Some(reply) = self.reply.take() else { return };
        reply(match (commit, self.answer.take()) {
            (Ok(()), Some(answer)) => answer,
            // A refusal stands whether or not the others' commit worked: it wrote nothing.
            (Err(_), Some(Err(refusal))) => Err(refusal),
            (Err(error), _) => Err(error.into()),
            (Ok(()), None) => Err(StoreError::Crashed.into()),
        });
    }
}

/// The queue that threads take from.
pub(crate) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    room: Condvar,
    capacity: usize,
}

struct State {
    waiting: VecDeque<Box<dyn Job>>,
    open: bool,
}

impl Queue {
    pub(crate) fn new(capacity: usize) -> Arc<Queue> {
        let state = Mutex::new(State { waiting: VecDeque::new(), open: true });
        Arc::new(Queue { state, arrived: Condvar::new(), room: Condvar::new(), capacity })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Adds a job, waiting for room.
    pub(crate) fn push(&self, job: Box<dyn Job>) {
        let mut state = self.lock();
        while state.open && state.waiting.len() >= self.capacity {
            state = self.room.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
        state.waiting.push_back(job);
        self.arrived.notify_one();
    }

    /// Adds a job if there is room; else gives it back.
    pub(crate) fn offer(&self, job: Box<dyn Job>) -> Result<(), Box<dyn Job>> {
        let mut state = self.lock();
        if !state.open || state.waiting.len() >= self.capacity {
            return Err(job);
        }
        state.waiting.push_back(job);
        self.arrived.notify_one();
        Ok(())
    }

    /// The next job, waiting for one; `None` when the queue is closed and empty.
    fn take(&self) -> Option<Box<dyn Job>> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.waiting.pop_front() {
                self.room.notify_one();
                return Some(job);
            }
            if !state.open {
                return None;
            }
            state = self.arrived.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
    }

    /// The next job if one is waiting now.
    fn take_now(&self) -> Option<Box<dyn Job>> {
        let job = self.lock().waiting.pop_front();
        if job.is_some() {
            self.room.notify_one();
        }
        job
    }

    /// No more jobs; the threads end when the queue is empty.
    pub(crate) fn close(&self) {
        self.lock().open = false;
        self.arrived.notify_all();
        self.room.notify_all();
    }
}

/// A connection that is made when first needed and made anew after a failure.
pub(crate) type Connect = Box<dyn Fn() -> Result<Box<dyn Engine>, StoreError> + Send>;

/// Serves the queue until it is closed.
pub(crate) fn serve(queue: &Queue, connect: &Connect) {
    let mut engine: Option<Box<dyn Engine>> = None;
    while let Some(job) = queue.take() {
        let connected = match engine.take().map_or_else(connect, Ok) {
            Ok(connected) => connected,
            Err(error) => {
                job.answer(Err(error));
                continue;
            }
        };
        engine = match connected.dialect() {
            Dialect::Sqlite => run_group(connected, queue, job),
            Dialect::Postgres => run_alone(connected, job),
        };
    }
}

/// Runs `first` and whatever else waits under one commit. Gives the connection back unless it failed.
fn run_group(mut engine: Box<dyn Engine>, queue: &Queue, first: Box<dyn Job>) -> Option<Box<dyn Engine>> {
    if let Err(error) = engine.begin() {
        first.answer(Err(error));
        return None;
    }
    let mut group = Vec::new();
    let mut next = Some(first);
    let mut broken = None;
    while let Some(mut job) = next {
        match run_marked(&mut *engine, &mut *job) {
            Ok(()) => group.push(job),
            Err(error) => {
                group.push(job);
                broken = Some(error);
                break;
            }
        }
        next = if group.len() < GROUP { queue.take_now() } else { None };
    }
    let outcome = match broken {
        None => engine.commit(),
        Some(error) => {
            let _ = engine.rollback();
            Err(error)
        }
    };
    let healthy = outcome.is_ok();
    for job in group {
        job.answer(outcome.clone());
    }
    healthy.then_some(engine)
}

fn run_marked(engine: &mut dyn Engine, job: &mut dyn Job) -> Result<(), StoreError> {
    engine.mark()?;
    match job.run(engine) {
        Ran::Done => engine.keep(),
        Ran::Refused | Ran::Conflict | Ran::Crashed => engine.undo(),
    }
}

/// Runs one job in a transaction of its own, again from the start after a conflict.
fn run_alone(mut engine: Box<dyn Engine>, mut job: Box<dyn Job>) -> Option<Box<dyn Engine>> {
    for attempt in 1.. {
        if let Err(error) = engine.begin() {
            job.answer(Err(error));
            return None;
        }
        let ended = match job.run(&mut *engine) {
            Ran::Done => engine.commit(),
            Ran::Conflict if attempt < TRIES => {
                if let Err(error) = engine.rollback() {
                    job.answer(Err(error));
                    return None;
                }
                continue;
            }
            Ran::Refused | Ran::Conflict | Ran::Crashed => engine.rollback(),
        };
        match ended {
            Ok(()) => {
                job.answer(Ok(()));
                return Some(engine);
            }
            Err(StoreError::Conflict) if attempt < TRIES => {
                let _ = engine.rollback();
            }
            Err(error) => {
                job.answer(Err(error));
                return None;
            }
        }
    }
    unreachable!("the loop only ends by returning")
}

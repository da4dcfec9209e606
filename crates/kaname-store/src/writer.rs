//! SQLite's one connection that writes. Whoever has a unit of work takes a turn at it and runs it on his own thread; many
//! share a commit, and so one flush of the disk.
//!
//! A turn opens a transaction, or finds one open, and runs a unit of work inside a mark of its own. The last of those who
//! wait for a turn commits for all, and nobody is answered before it. A thread that has better to do than to wait for the disk
//! goes on without an answer and flushes later ([`Unflushed`]): whoever has other units of work ready meanwhile joins the group.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use crate::StoreError;
use crate::copy_back::Copier;
use crate::queue::{Connect, Queue, Ran, Unit, Work, answer, connected};
use crate::tx::{Engine, Tx};

/// The most units of work that share one commit.
const GROUP: usize = 512;

/// The connection and what is open on it.
pub(crate) struct Writer {
    turns: Mutex<Turns>,
    connect: Connect,
    pub(crate) copier: Arc<Copier>,
    /// Those who wait for a turn, and will commit if nobody else waits.
    waiting: AtomicUsize,
    /// Those who may take long: they wait for a turn or have it, and commit before they go.
    slow: AtomicUsize,
    /// Until when the disk, or another process that writes, is taken for slow; in milliseconds since `start`.
    slow_until: AtomicU64,
    start: Instant,
}

/// From when on a begin or a commit is slow, and for how long it is remembered, in milliseconds.
const SLOW_MS: u64 = 20;
const REMEMBERED_MS: u64 = 1_000;

struct Turns {
    engine: Option<Box<dyn Engine>>,
    /// Whose transaction is open.
    group: Option<Arc<Group>>,
    copier: Arc<Copier>,
}

/// Units of work that share a commit.
struct Group {
    units: AtomicUsize,
    outcome: OnceLock<Result<(), StoreError>>,
    asleep: Mutex<()>,
    ended: Condvar,
}

/// Units of work that have run and are not durable yet. They become so when this is flushed, or dropped.
#[must_use = "nobody may be told before it is flushed"]
pub struct Unflushed {
    of: Option<(Arc<Writer>, Arc<Group>)>,
}

thread_local! {
    /// While [`unflushed`] runs on this thread: for which writer, and what is to be flushed.
    static OWN: RefCell<Option<(Arc<Writer>, Option<Arc<Group>>)>> = const { RefCell::new(None) };
}

impl Writer {
    #[expect(
        clippy::disallowed_methods,
        reason = "measures how long others keep us waiting; no use case sees it"
    )]
    pub(crate) fn new(connect: Connect) -> Writer {
        let copier = Arc::new(Copier::default());
        let turns = Mutex::new(Turns { engine: None, group: None, copier: Arc::clone(&copier) });
        Writer {
            turns,
            connect,
            copier,
            waiting: AtomicUsize::new(0),
            slow: AtomicUsize::new(0),
            slow_until: AtomicU64::new(0),
            start: Instant::now(),
        }
    }

    /// Whether a turn would most likely come at once, or after others as short.
    pub(crate) fn is_at_hand(&self) -> bool {
        let is_alone = self.slow.load(Ordering::Relaxed) == 0;
        is_alone && self.milliseconds() >= self.slow_until.load(Ordering::Relaxed)
    }

    fn milliseconds(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    /// Does something that may wait for the disk or for another process, and remembers if it did.
    fn watched<T>(&self, wait: impl FnOnce() -> T) -> T {
        let before = self.milliseconds();
        let result = wait();
        let after = self.milliseconds();
        if after - before >= SLOW_MS {
            self.slow_until.store(after + REMEMBERED_MS, Ordering::Relaxed);
        }
        result
    }

    /// Serves those who do not wait themselves, until the queue is closed.
    pub(crate) fn serve(&self, queue: &Queue) {
        let mut waiting = VecDeque::new();
        loop {
            if waiting.is_empty() {
                let Some(first) = queue.take() else { return };
                waiting.push_back(first);
            }
            let _slow = Counted::new(&self.slow);
            let mut turn = self.turn();
            let group = self.watched(|| turn.open(&self.connect));
            let mut ran = Vec::new();
            while !group.is_full() && group.outcome.get().is_none() {
                if waiting.is_empty() {
                    queue.take_waiting(&mut waiting, GROUP);
                }
                let Some(mut job) = waiting.pop_front() else { break };
                turn.run(&group, &mut *job);
                ran.push(job);
            }
            turn.commit(&group);
            let outcome = group.wait();
            if outcome.is_err() {
                ran.extend(waiting.drain(..));
            }
            for job in ran {
                answer(job, outcome.clone());
            }
        }
    }

    fn turn(&self) -> MutexGuard<'_, Turns> {
        let _waiting = Counted::new(&self.waiting);
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a unit of work and commits it, or leaves that to somebody who waits; tells when it is durable.
    fn run(&self, work: &mut dyn Work) -> Result<(), StoreError> {
        let _slow = Counted::new(&self.slow);
        let mut turn = self.turn();
        let group = self.watched(|| turn.open(&self.connect));
        turn.run(&group, work);
        if group.is_full() || self.waiting.load(Ordering::SeqCst) == 0 {
            self.watched(|| turn.commit(&group));
        }
        drop(turn);
        group.wait()
    }

    /// Runs a unit of work whose thread goes on; `earlier` is the group of the one before.
    fn run_unflushed(&self, work: &mut dyn Work, earlier: Option<Arc<Group>>) -> Arc<Group> {
        let mut turn = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        // What builds on a unit that was lost must not be kept.
        if let Some(lost) = earlier.filter(|group| matches!(group.outcome.get(), Some(Err(_)))) {
            return lost;
        }
        let group = self.watched(|| turn.open(&self.connect));
        turn.run(&group, work);
        if group.is_full() {
            turn.commit(&group);
        }
        group
    }

    fn flush(&self, group: &Arc<Group>) -> Result<(), StoreError> {
        if group.outcome.get().is_none() {
            self.watched(|| self.turns.lock().unwrap_or_else(PoisonError::into_inner).commit(group));
        }
        group.wait()
    }
}

impl Turns {
    /// The group whose transaction is open; a new one if there is none.
    fn open(&mut self, connect: &Connect) -> Arc<Group> {
        if let Some(group) = &self.group {
            return Arc::clone(group);
        }
        let group = Arc::new(Group::default());
        self.group = Some(Arc::clone(&group));
        if let Err(error) = connected(&mut self.engine, connect).and_then(|engine| engine.begin()) {
            self.end(Err(error));
        }
        group
    }

    /// Runs a unit of work in the open transaction of `group`. A failure of the connection is the end of the group.
    fn run(&mut self, group: &Group, work: &mut dyn Work) {
        if self.group.is_none() {
            return;
        }
        group.units.fetch_add(1, Ordering::Relaxed);
        let ran = match &mut self.engine {
            Some(engine) => run_marked(&mut **engine, work),
            None => Err(StoreError::Unreachable("the connection was lost".to_owned())),
        };
        if let Err(error) = ran {
            self.end(Err(error));
        }
    }

    /// Commits for all of `group`, unless that was done.
    fn commit(&mut self, group: &Arc<Group>) {
        if self.group.as_ref().is_some_and(|open| Arc::ptr_eq(open, group)) {
            let outcome =
                self.engine.as_mut().map_or(Err(StoreError::CommitUnknown), |engine| engine.commit());
            self.copier.note(group.units.load(Ordering::Relaxed));
            self.end(outcome);
        }
    }

    /// Tells everybody. A connection that failed is thrown away.
    fn end(&mut self, outcome: Result<(), StoreError>) {
        if outcome.is_err() {
            self.engine = None;
        }
        if let Some(group) = self.group.take() {
            group.end(outcome);
        }
    }
}

fn run_marked(engine: &mut dyn Engine, work: &mut dyn Work) -> Result<(), StoreError> {
    engine.mark()?;
    match work.run(engine) {
        Ran::Done => engine.keep(),
        Ran::Refused | Ran::Conflict | Ran::Duplicate | Ran::Lost | Ran::Crashed => engine.undo(),
    }
}

impl Default for Group {
    fn default() -> Group {
        Group {
            units: AtomicUsize::new(0),
            outcome: OnceLock::new(),
            asleep: Mutex::new(()),
            ended: Condvar::new(),
        }
    }
}

impl Group {
    fn is_full(&self) -> bool {
        self.units.load(Ordering::Relaxed) >= GROUP
    }

    fn end(&self, outcome: Result<(), StoreError>) {
        let asleep = self.asleep.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self.outcome.set(outcome);
        drop(asleep);
        self.ended.notify_all();
    }

    fn wait(&self) -> Result<(), StoreError> {
        let mut asleep = self.asleep.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(outcome) = self.outcome.get() {
                return outcome.clone();
            }
            asleep = self.ended.wait(asleep).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Runs a unit of work on this thread. It is durable at the end, unless [`unflushed`] runs here.
pub(crate) fn write<T, E, W>(writer: &Arc<Writer>, mut unit: Unit<T, E, W>) -> Result<T, E>
where
    E: From<StoreError>,
    W: for<'u> FnMut(&mut Tx<'u>) -> Result<T, E>,
{
    let Some(earlier) = own_group(writer) else {
        let outcome = writer.run(&mut unit);
        return unit.conclude(outcome);
    };
    let group = writer.run_unflushed(&mut unit, earlier);
    let outcome = group.outcome.get().cloned().unwrap_or(Ok(()));
    OWN.with_borrow_mut(|own| *own = Some((Arc::clone(writer), Some(group))));
    unit.conclude(outcome)
}

/// Whether [`unflushed`] runs on this thread for this writer.
pub(crate) fn is_unflushed(writer: &Arc<Writer>) -> bool {
    own_group(writer).is_some()
}

/// Whether [`unflushed`] runs on this thread for this writer, and the group of what it has not flushed.
fn own_group(writer: &Arc<Writer>) -> Option<Option<Arc<Group>>> {
    OWN.with_borrow(|own| {
        own.as_ref().filter(|(of, _)| Arc::ptr_eq(of, writer)).map(|(_, group)| group.clone())
    })
}

/// Runs `work`, whose units of work do not wait for the disk.
pub(crate) fn unflushed<R>(writer: Option<&Arc<Writer>>, work: impl FnOnce() -> R) -> (R, Unflushed) {
    /// Leaves also when `work` panics: what it has written by then is flushed when this is dropped.
    struct Scope;
    impl Scope {
        fn leave() -> Unflushed {
            Unflushed { of: OWN.take().and_then(|(writer, group)| Some((writer, group?))) }
        }
    }
    impl Drop for Scope {
        fn drop(&mut self) {
            drop(Scope::leave());
        }
    }
    debug_assert!(OWN.with_borrow(Option::is_none), "one inside another");
    OWN.set(writer.map(|writer| (Arc::clone(writer), None)));
    let scope = Scope;
    let result = work();
    let unflushed = Scope::leave();
    drop(scope);
    (result, unflushed)
}

impl Unflushed {
    /// Whether there is nothing to wait for: others have flushed it, or there was nothing.
    pub fn is_settled(&self) -> bool {
        self.of.as_ref().is_none_or(|(_, group)| group.outcome.get().is_some())
    }

    /// How many units of work will be flushed together, those of others among them.
    pub fn units(&self) -> usize {
        self.of.as_ref().map_or(0, |(_, group)| group.units.load(Ordering::Relaxed))
    }

    /// Makes the units of work durable, with all others of their group.
    ///
    /// # Errors
    /// As a commit fails: none of them may be told as done.
    pub fn flush(mut self) -> Result<(), StoreError> {
        self.of.take().map_or(Ok(()), |(writer, group)| writer.flush(&group))
    }
}

/// An open transaction would keep others out for ever.
impl Drop for Unflushed {
    fn drop(&mut self) {
        if let Some((writer, group)) = self.of.take() {
            let _ = writer.flush(&group);
        }
    }
}

/// One more, until it is dropped.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Counted<'a> {
        count.fetch_add(1, Ordering::SeqCst);
        Counted(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

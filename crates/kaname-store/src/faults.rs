//! Faults on purpose, for tests: a connection that is lost at a step that the test chooses, with the commit applied or not.
//!
//! Each call of a writing connection (begin, statement, commit) is a step, counted over all connections of the store. At
//! the chosen step the connection is lost, and stays so until the store makes another. In `commit` there are two fates, and
//! whoever asked cannot tell them apart: that is what [`StoreError::CommitUnknown`] means.
//!
//! It is part of the ordinary build, because other crates' tests and the simulated world use it; nothing sets
//! [`crate::StoreConfig::faults`] outside them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kaname_base::Bucket;

use crate::bulk::{Insert, Lookup, Update};
use crate::{Dialect, Engine, Row, StoreError, Value};

/// What a connection was doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// Opening a transaction.
    Begin,
    /// A statement, or the mark before one.
    Statement,
    /// Committing.
    Commit,
}

/// A fault that was played.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The step at which it was, counted from 1.
    pub step: u64,
    /// What the connection was doing.
    pub call: Call,
    /// Whether the database did it before the connection was lost.
    pub applied: bool,
}

/// A plan of faults. Clones share it: a test keeps one and gives one to [`crate::StoreConfig::faults`].
#[derive(Clone, Debug, Default)]
pub struct Faults {
    plan: Arc<Mutex<Plan>>,
}

#[derive(Debug, Default)]
struct Plan {
    steps: u64,
    when: When,
    played: Vec<Fault>,
}

#[derive(Debug, Default)]
enum When {
    #[default]
    Never,
    /// Once, at this step.
    At { step: u64, applied: bool },
    /// At one step in so many, by a generator with this state.
    Often { one_in: u64, state: u64 },
}

impl Faults {
    /// No faults yet; see [`Faults::arm`].
    pub fn new() -> Faults {
        Faults::default()
    }

    /// Loses the connection at about one step in `one_in`, the same ones for the same seed. Prints the seed, so that a
    /// failed test can be run again.
    pub fn seeded(seed: u64, one_in: u64) -> Faults {
        println!("faults: seed {seed}, one step in {one_in}");
        let faults = Faults::new();
        faults.lock().when = When::Often { one_in, state: seed };
        faults
    }

    /// Counts from now, and loses the connection once, at step `step`, after (`applied`) or before doing it.
    pub fn arm(&self, step: u64, applied: bool) {
        let mut plan = self.lock();
        (plan.steps, plan.when) = (0, When::At { step, applied });
    }

    /// Plays no more faults.
    pub fn disarm(&self) {
        self.lock().when = When::Never;
    }

    /// The faults played so far.
    pub fn played(&self) -> Vec<Fault> {
        self.lock().played.clone()
    }

    pub(crate) fn wrap(&self, engine: Box<dyn Engine>) -> Box<dyn Engine> {
        Box::new(Faulty { dialect: engine.dialect(), engine: Some(engine), faults: self.clone() })
    }

    /// Counts a step; whether it fails, and how.
    fn step(&self, call: Call) -> Option<Fault> {
        let mut plan = self.lock();
        plan.steps += 1;
        let step = plan.steps;
        let applied = match &mut plan.when {
            When::At { step: at, applied } if *at == step => Some(*applied),
            When::Never | When::At { .. } => None,
            When::Often { one_in, state } => {
                let number = next(state);
                number.is_multiple_of(*one_in).then_some(number >> 32 & 1 == 1)
            }
        };
        let fault = applied.map(|applied| Fault { step, call, applied });
        plan.played.extend(fault);
        fault
    }

    fn lock(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A connection that may be lost. Losing it drops the real one, as the operating system would.
struct Faulty {
    engine: Option<Box<dyn Engine>>,
    dialect: Dialect,
    faults: Faults,
}

impl Faulty {
    fn play<T>(
        &mut self,
        call: Call,
        work: impl FnOnce(&mut dyn Engine) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let lost = || match call {
            Call::Commit => StoreError::CommitUnknown,
            Call::Begin | Call::Statement => StoreError::Unreachable("a fault on purpose".to_owned()),
        };
        let Some(engine) = &mut self.engine else { return Err(lost()) };
        let Some(fault) = self.faults.step(call) else { return work(&mut **engine) };
        if fault.applied {
            work(&mut **engine)?;
        }
        self.engine = None;
        Err(lost())
    }
}

impl Engine for Faulty {
    fn dialect(&self) -> Dialect {
        self.dialect
    }
    fn begin(&mut self) -> Result<(), StoreError> {
        self.play(Call::Begin, |engine| engine.begin())
    }
    fn commit(&mut self) -> Result<(), StoreError> {
        self.play(Call::Commit, |engine| engine.commit())
    }
    fn rollback(&mut self) -> Result<(), StoreError> {
        self.play(Call::Statement, |engine| engine.rollback())
    }
    fn mark(&mut self) -> Result<(), StoreError> {
        self.play(Call::Statement, |engine| engine.mark())
    }
    fn keep(&mut self) -> Result<(), StoreError> {
        self.play(Call::Statement, |engine| engine.keep())
    }
    fn undo(&mut self) -> Result<(), StoreError> {
        self.play(Call::Statement, |engine| engine.undo())
    }
    fn query(
        &mut self,
        sql: &'static str,
        bucket: Bucket,
        args: &[Value<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        self.play(Call::Statement, |engine| engine.query(sql, bucket, args))
    }
    fn change(&mut self, sql: &'static str, bucket: Bucket, args: &[Value<'_>]) -> Result<u64, StoreError> {
        self.play(Call::Statement, |engine| engine.change(sql, bucket, args))
    }
    fn insert_many(&mut self, spec: &Insert, bucket: Bucket, cells: &[Value<'_>]) -> Result<u64, StoreError> {
        self.play(Call::Statement, |engine| engine.insert_many(spec, bucket, cells))
    }
    fn update_many(&mut self, spec: &Update, bucket: Bucket, cells: &[Value<'_>]) -> Result<u64, StoreError> {
        self.play(Call::Statement, |engine| engine.update_many(spec, bucket, cells))
    }
    fn look_up_many(
        &mut self,
        spec: &Lookup,
        bucket: Bucket,
        cells: &[Value<'_>],
    ) -> Result<Vec<Option<Row>>, StoreError> {
        self.play(Call::Statement, |engine| engine.look_up_many(spec, bucket, cells))
    }
    fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        self.play(Call::Statement, |engine| engine.script(sql))
    }
}

//! The unit of work's view of the database.

use std::marker::PhantomData;

use kaname_base::Bucket;

use crate::bulk::{Insert, Lookup, Update};
use crate::confine::is_confined;
use crate::{Row, StoreError, Value};

/// Which SQL the engine speaks, for the few places where the texts must differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// SQLite 3, bundled.
    Sqlite,
    /// PostgreSQL 15 or later, Citus included.
    Postgres,
}

/// One connection to one database. SQLite and PostgreSQL each implement this.
pub trait Engine: Send {
    /// Which SQL it speaks.
    fn dialect(&self) -> Dialect;
    /// Opens a transaction.
    fn begin(&mut self) -> Result<(), StoreError>;
    /// Commits it. After an error the connection is thrown away: what was applied is unknown.
    fn commit(&mut self) -> Result<(), StoreError>;
    /// Gives it up.
    fn rollback(&mut self) -> Result<(), StoreError>;
    /// Marks a point inside the transaction to which [`Engine::undo`] returns.
    fn mark(&mut self) -> Result<(), StoreError>;
    /// Keeps what was done since the mark.
    fn keep(&mut self) -> Result<(), StoreError>;
    /// Undoes what was done since the mark.
    fn undo(&mut self) -> Result<(), StoreError>;
    /// Runs a statement that answers with rows. The bucket is `$1`; `args` are `$2` and on.
    fn query(
        &mut self,
        sql: &'static str,
        bucket: Bucket,
        args: &[Value<'_>],
    ) -> Result<Vec<Row>, StoreError>;
    /// Runs a statement that changes rows; returns how many. The bucket is `$1`; `args` are `$2` and on.
    fn change(&mut self, sql: &'static str, bucket: Bucket, args: &[Value<'_>]) -> Result<u64, StoreError>;
    /// Inserts many rows; `cells` holds them one after another, without the bucket. Returns how many went in.
    fn insert_many(&mut self, spec: &Insert, bucket: Bucket, cells: &[Value<'_>]) -> Result<u64, StoreError>;
    /// Updates many rows by key; `cells` holds keys and then new values. Returns how many were hit.
    fn update_many(&mut self, spec: &Update, bucket: Bucket, cells: &[Value<'_>]) -> Result<u64, StoreError>;
    /// Finds many rows by key; the answer has one place for each key, in order.
    fn look_up_many(
        &mut self,
        spec: &Lookup,
        bucket: Bucket,
        cells: &[Value<'_>],
    ) -> Result<Vec<Option<Row>>, StoreError>;
    /// Runs a script of schema statements, outside any unit of work.
    fn script(&mut self, sql: &str) -> Result<(), StoreError>;
}

/// One unit of work on one bucket.
///
/// `'u` is the unit's own lifetime and equal to no other: what is branded with it (a receipt) cannot outlive
/// the unit of work, nor be used in another.
pub struct Tx<'u> {
    engine: &'u mut dyn Engine,
    bucket: Bucket,
    reads_only: bool,
    failure: Option<StoreError>,
    brand: PhantomData<fn(&'u ()) -> &'u ()>,
}

impl<'u> Tx<'u> {
    pub(crate) fn new(engine: &'u mut dyn Engine, bucket: Bucket) -> Tx<'u> {
        Tx { engine, bucket, reads_only: false, failure: None, brand: PhantomData }
    }

    /// One that may not write, whatever its connection could.
    pub(crate) fn reading(engine: &'u mut dyn Engine, bucket: Bucket) -> Tx<'u> {
        Tx { reads_only: true, ..Tx::new(engine, bucket) }
    }

    /// The bucket this unit of work is opened on.
    pub fn bucket(&self) -> Bucket {
        self.bucket
    }

    /// Which SQL the engine speaks.
    pub fn dialect(&self) -> Dialect {
        self.engine.dialect()
    }

    /// Rows of a statement. The bucket is `$1`; `args` are `$2` and on.
    ///
    /// # Errors
    /// [`StoreError`] as the engine has it; so for the methods below.
    pub fn query(&mut self, sql: &'static str, args: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        self.confine(sql)?;
        if !["SELECT", "WITH"].iter().any(|word| sql.trim_start().starts_with(word)) {
            self.check_may_write()?;
        }
        let answer = self.engine.query(sql, self.bucket, args);
        self.note(answer)
    }

    /// The first row of a statement, if there is one.
    pub fn row(&mut self, sql: &'static str, args: &[Value<'_>]) -> Result<Option<Row>, StoreError> {
        Ok(self.query(sql, args)?.into_iter().next())
    }

    /// Changes rows; returns how many. The bucket is `$1`; `args` are `$2` and on.
    pub fn change(&mut self, sql: &'static str, args: &[Value<'_>]) -> Result<u64, StoreError> {
        self.confine(sql)?;
        self.check_may_write()?;
        let answer = self.engine.change(sql, self.bucket, args);
        self.note(answer)
    }

    /// Changes exactly one row, or the unit of work has met a conflict and is run again.
    pub fn change_one(&mut self, sql: &'static str, args: &[Value<'_>]) -> Result<(), StoreError> {
        match self.change(sql, args)? {
            1 => Ok(()),
            _ => self.note(Err(StoreError::Conflict)),
        }
    }

    /// Inserts many rows; returns how many went in (fewer only when the spec skips those that are there).
    pub fn insert_many<const N: usize>(
        &mut self,
        spec: &Insert,
        rows: &[[Value<'_>; N]],
    ) -> Result<u64, StoreError> {
        debug_assert_eq!(spec.columns.len(), N, "a row of {} has another width", spec.table);
        self.check_may_write()?;
        let answer = self.engine.insert_many(spec, self.bucket, rows.as_flattened());
        self.note(answer)
    }

    /// Updates many rows by key. Hitting fewer rows than asked is a conflict. No key may stand there twice: the engines
    /// differ in what they make of it.
    pub fn update_many<const N: usize>(
        &mut self,
        spec: &Update,
        rows: &[[Value<'_>; N]],
    ) -> Result<(), StoreError> {
        debug_assert_eq!(
            spec.keys.len() + spec.columns.len(),
            N,
            "a row of {} has another width",
            spec.table
        );
        debug_assert!(
            has_no_twins(rows.iter().map(|row| &row[..spec.keys.len()])),
            "a key of {} stands there twice",
            spec.table
        );
        self.check_may_write()?;
        let answer = self.engine.update_many(spec, self.bucket, rows.as_flattened());
        match self.note(answer)? {
            hit if hit == rows.len() as u64 => Ok(()),
            _ => self.note(Err(StoreError::Conflict)),
        }
    }

    /// Finds many rows by key, in the order of the keys.
    pub fn look_up_many<const N: usize>(
        &mut self,
        spec: &Lookup,
        keys: &[[Value<'_>; N]],
    ) -> Result<Vec<Option<Row>>, StoreError> {
        debug_assert_eq!(spec.keys.len(), N, "a key of {} has another width", spec.table);
        let answer = self.engine.look_up_many(spec, self.bucket, keys.as_flattened());
        self.note(answer)
    }

    /// What went wrong first in the database, even if the use case swallowed it.
    pub(crate) fn failure(self) -> Option<StoreError> {
        self.failure
    }

    fn confine(&self, sql: &'static str) -> Result<(), StoreError> {
        if is_confined(sql) { Ok(()) } else { Err(StoreError::NotConfined(sql)) }
    }

    fn check_may_write(&mut self) -> Result<(), StoreError> {
        match self.reads_only {
            false => Ok(()),
            true => {
                self.note(Err(StoreError::Database("a unit of work that only reads would write".to_owned())))
            }
        }
    }

    fn note<T>(&mut self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &answer {
            self.failure.get_or_insert_with(|| error.clone());
        }
        answer
    }
}

fn has_no_twins<'a>(keys: impl Iterator<Item = &'a [Value<'a>]>) -> bool {
    let mut seen = std::collections::HashSet::new();
    keys.into_iter().all(|key| seen.insert(format!("{key:?}")))
}

//! Migrations: numbered, forward only, each kept word for word in the database that it was applied to.

use std::collections::BTreeMap;

use kaname_base::Buckets;

use crate::tx::{Engine, Tx};
use crate::{Dialect, StoreError, Value};

/// One step of a block's schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The block it belongs to.
    pub block: &'static str,
    /// 1, 2, 3 … within the block.
    pub number: i64,
    /// The statements, in the shared subset; tables end in `) WITHOUT ROWID;`.
    pub sql: &'static str,
}

const OWN_TABLE: &str = "CREATE TABLE IF NOT EXISTS store_migration (
    bucket BIGINT NOT NULL, block TEXT NOT NULL, number BIGINT NOT NULL, sql TEXT NOT NULL,
    PRIMARY KEY (bucket, block, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS store_setting (
    bucket BIGINT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (bucket, name)) WITHOUT ROWID;";

const APPLIED: &str = "SELECT block, number, sql FROM store_migration WHERE bucket = $1";
const REMEMBER: &str = "INSERT INTO store_migration (bucket, block, number, sql) VALUES ($1, $2, $3, $4)";
const SETTING: &str = "SELECT value FROM store_setting WHERE bucket = $1 AND name = $2";
const SET: &str = "INSERT INTO store_setting (bucket, name, value) VALUES ($1, $2, $3)";

/// The next who opens waits here until the first is done. Not an advisory lock: those are one node's own on Citus.
const WAIT_FOR_OTHERS: &str = "LOCK TABLE store_migration IN SHARE ROW EXCLUSIVE MODE";

/// How often two who open at once may meet before it is reported.
const TRIES: u32 = 20;

/// Which part of a deployment a database holds.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) buckets: Buckets,
    pub(crate) shard: usize,
    pub(crate) shards: usize,
}

/// Applies what is missing, all or nothing, and checks that what is there is what this program knows.
pub(crate) fn apply(engine: &mut dyn Engine, sets: &[&[Migration]], place: Place) -> Result<(), StoreError> {
    // Even CREATE TABLE IF NOT EXISTS fails when several run it at once, in more than one way; the next time whoever was
    // late finds the table.
    again(|error| !matches!(error, StoreError::Unreachable(_)), || engine.script(OWN_TABLE))?;
    again(StoreError::is_conflict, || apply_once(engine, sets, place))
}

fn again(
    may_help: impl Fn(&StoreError) -> bool,
    mut work: impl FnMut() -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for _ in 1..TRIES {
        match work() {
            Err(error) if may_help(&error) => {}
            ended => return ended,
        }
    }
    work()
}

fn apply_once(engine: &mut dyn Engine, sets: &[&[Migration]], place: Place) -> Result<(), StoreError> {
    engine.begin()?;
    let locked = match engine.dialect() {
        Dialect::Sqlite => Ok(()), // a writing transaction is alone
        Dialect::Postgres => engine.script(WAIT_FOR_OTHERS),
    };
    match locked.and_then(|()| apply_in_transaction(engine, sets, place)) {
        Ok(()) => engine.commit(),
        Err(error) => {
            engine.rollback()?;
            Err(error)
        }
    }
}

fn apply_in_transaction(
    engine: &mut dyn Engine,
    sets: &[&[Migration]],
    place: Place,
) -> Result<(), StoreError> {
    let home = place.buckets.home();
    let mut tx = Tx::new(engine, home);
    let mut applied = BTreeMap::new();
    for row in tx.query(APPLIED, &[])? {
        applied.insert((row.text(0)?.to_owned(), row.int(1)?), row.text(2)?.to_owned());
    }
    let count = format!("{} buckets", place.buckets.count());
    let part = format!("database {} of {}", place.shard + 1, place.shards);
    for (name, value) in [("buckets", count), ("part", part)] {
        match tx.row(SETTING, &[Value::Text(name)])? {
            None => drop(tx.change(SET, &[Value::Text(name), Value::Text(&value)])?),
            Some(row) if row.text(0)? == value => {}
            Some(row) => {
                let has = row.text(0)?;
                return Err(StoreError::Version(format!(
                    "the data is {has}, the configuration says {value}"
                )));
            }
        }
    }
    let mut missing = Vec::new();
    for migration in sets.iter().copied().flatten() {
        match applied.remove(&(migration.block.to_owned(), migration.number)) {
            None => missing.push(*migration),
            Some(text) if text == migration.sql => {}
            Some(_) => {
                let Migration { block, number, .. } = migration;
                return Err(StoreError::Version(format!(
                    "migration {number} of {block} was changed after it was applied"
                )));
            }
        }
    }
    if let Some((block, number)) = applied.into_keys().next() {
        return Err(StoreError::Version(format!(
            "the database has migration {number} of {block}, made by a newer program"
        )));
    }
    for migration in missing {
        engine.script(migration.sql)?;
        let args = [Value::Text(migration.block), Value::Int(migration.number), Value::Text(migration.sql)];
        Tx::new(engine, home).change(REMEMBER, &args)?;
    }
    Ok(())
}

//! Migrations: numbered, forward only, each kept word for word in the database that it was applied to.

use std::collections::BTreeMap;

use kaname_base::Buckets;

use crate::tx::{Engine, Tx};
use crate::{StoreError, Value};

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

/// Applies what is missing, all or nothing, and checks that what is there is what this program knows.
pub(crate) fn apply(
    engine: &mut dyn Engine,
    sets: &[&[Migration]],
    buckets: Buckets,
) -> Result<(), StoreError> {
    engine.script(OWN_TABLE).or_else(|_| engine.script(OWN_TABLE))?; // two processes may start at once
    engine.begin()?;
    match apply_in_transaction(engine, sets, buckets) {
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
    buckets: Buckets,
) -> Result<(), StoreError> {
    let mut tx = Tx::new(engine, buckets.home());
    let mut applied = BTreeMap::new();
    for row in tx.query(APPLIED, &[])? {
        applied.insert((row.text(0)?.to_owned(), row.int(1)?), row.text(2)?.to_owned());
    }
    let count = buckets.count().to_string();
    match tx.row(SETTING, &[Value::Text("buckets")])? {
        None => drop(tx.change(SET, &[Value::Text("buckets"), Value::Text(&count)])?),
        Some(row) if row.text(0)? == count => {}
        Some(row) => {
            let has = row.text(0)?;
            return Err(StoreError::Version(format!(
                "the database has {has} buckets, the configuration says {count}"
            )));
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
        Tx::new(engine, buckets.home()).change(REMEMBER, &args)?;
    }
    Ok(())
}

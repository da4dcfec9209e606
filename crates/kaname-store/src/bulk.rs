//! One statement for many rows. The specification names table and columns; each driver makes its own text of it:
//! a prepared loop on SQLite, one statement over arrays (`UNNEST`) on PostgreSQL.

use crate::Dialect;

/// The type of a column in a bulk statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Type {
    /// `BIGINT`.
    Int,
    /// `TEXT`.
    Text,
    /// `BYTEA`.
    Bytes,
}

impl Type {
    fn array(self) -> &'static str {
        match self {
            Type::Int => "bigint[]",
            Type::Text => "text[]",
            Type::Bytes => "bytea[]",
        }
    }
}

/// A column and its type.
pub type Column = (&'static str, Type);

/// Many rows into one table.
pub struct Insert {
    /// The table.
    pub table: &'static str,
    /// Its columns without the bucket.
    pub columns: &'static [Column],
    /// Whether a row whose key is there already is passed over instead of refused.
    pub skip_existing: bool,
}

/// New values for many rows of one table, each found by its key.
pub struct Update {
    /// The table.
    pub table: &'static str,
    /// Key columns without the bucket; a version compared and set belongs here too.
    pub keys: &'static [Column],
    /// Columns that get new values.
    pub columns: &'static [Column],
}

/// Many rows of one table, each found by its key: key columns that name one row at most.
pub struct Lookup {
    /// The table.
    pub table: &'static str,
    /// Key columns without the bucket.
    pub keys: &'static [Column],
    /// Columns to answer with.
    pub columns: &'static [&'static str],
}

impl Insert {
    pub(crate) fn sql(&self, dialect: Dialect) -> String {
        let Insert { table, columns, skip_existing } = self;
        let names = join(columns.iter().map(|(name, _)| (*name).to_owned()), ", ");
        let skip = if *skip_existing { " ON CONFLICT DO NOTHING" } else { "" };
        match dialect {
            Dialect::Sqlite => {
                let places = join((2..=columns.len() + 1).map(|n| format!("?{n}")), ", ");
                format!("INSERT INTO {table} (bucket, {names}) VALUES (?1, {places}){skip}")
            }
            Dialect::Postgres => {
                let arrays = unnest(columns.iter());
                format!(
                    "INSERT INTO {table} (bucket, {names}) SELECT $1::bigint, u.* FROM {arrays} AS u{skip}"
                )
            }
        }
    }
}

impl Update {
    pub(crate) fn sql(&self, dialect: Dialect) -> String {
        let Update { table, keys, columns } = self;
        match dialect {
            Dialect::Sqlite => {
                let sets = columns
                    .iter()
                    .enumerate()
                    .map(|(i, (name, _))| format!("{name} = ?{}", i + keys.len() + 2));
                let wheres = keys.iter().enumerate().map(|(i, (name, _))| format!("{name} = ?{}", i + 2));
                format!(
                    "UPDATE {table} SET {} WHERE bucket = ?1 AND {}",
                    join(sets, ", "),
                    join(wheres, " AND ")
                )
            }
            Dialect::Postgres => {
                let both = || keys.iter().chain(columns.iter());
                let (arrays, names) = (unnest(both()), aliases(both().count()));
                let sets = columns
                    .iter()
                    .enumerate()
                    .map(|(i, (name, _))| format!("{name} = u.c{}", i + keys.len()));
                let wheres = keys.iter().enumerate().map(|(i, (name, _))| format!("t.{name} = u.c{i}"));
                format!(
                    "UPDATE {table} AS t SET {} FROM {arrays} AS u({names}) WHERE t.bucket = $1 AND {}",
                    join(sets, ", "),
                    join(wheres, " AND ")
                )
            }
        }
    }
}

impl Lookup {
    pub(crate) fn sql(&self, dialect: Dialect) -> String {
        let Lookup { table, keys, columns } = self;
        match dialect {
            Dialect::Sqlite => {
                let wheres = keys.iter().enumerate().map(|(i, (name, _))| format!("{name} = ?{}", i + 2));
                format!(
                    "SELECT {} FROM {table} WHERE bucket = ?1 AND {}",
                    columns.join(", "),
                    join(wheres, " AND ")
                )
            }
            Dialect::Postgres => {
                let (arrays, names) = (unnest(keys.iter()), aliases(keys.len()));
                let wheres = keys.iter().enumerate().map(|(i, (name, _))| format!("t.{name} = u.c{i}"));
                let wanted = join(columns.iter().map(|name| format!("t.{name}")), ", ");
                format!(
                    "SELECT u.place, {wanted} FROM {} AS u({names}, place) JOIN {table} AS t ON t.bucket = $1 AND {}",
                    arrays + " WITH ORDINALITY",
                    join(wheres, " AND ")
                )
            }
        }
    }
}

fn unnest<'a>(columns: impl Iterator<Item = &'a Column>) -> String {
    let arrays = columns.enumerate().map(|(i, (_, kind))| format!("${}::{}", i + 2, kind.array()));
    format!("UNNEST({})", join(arrays, ", "))
}

fn aliases(count: usize) -> String {
    join((0..count).map(|i| format!("c{i}")), ", ")
}

fn join(parts: impl Iterator<Item = String>, between: &str) -> String {
    parts.collect::<Vec<_>>().join(between)
}

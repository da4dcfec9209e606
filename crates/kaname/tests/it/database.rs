//! The database behind a deployment, read without the program, and the rules that its catalogue keeps.

use std::path::Path;

use kaname_store::{Buckets, Location, Store, StoreConfig, lint};
use kaname_testkit::Postgres;
use rusqlite::types::ValueRef;

/// A value of any column.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Cell {
    Null,
    Int(i64),
    Bytes(Vec<u8>),
}

impl Cell {
    pub(crate) fn int(&self) -> i64 {
        match self {
            Cell::Int(number) => *number,
            other => panic!("{other:?} is not a whole number"),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Cell::Bytes(bytes) => bytes,
            other => panic!("{other:?} has no bytes"),
        }
    }
}

/// A database of a deployment.
pub(crate) enum Database {
    Sqlite(rusqlite::Connection),
    Postgres(Box<postgres::Client>),
}

/// What of a query came back: the names of the columns, and rows.
pub(crate) type Answer = (Vec<String>, Vec<Vec<Cell>>);

impl Database {
    /// The SQLite database in a deployment's folder.
    pub(crate) fn sqlite(folder: &Path) -> Database {
        let connection = rusqlite::Connection::open(folder.join("kaname.sqlite")).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        Database::Sqlite(connection)
    }

    /// The PostgreSQL database that a connection string names.
    pub(crate) fn postgres(url: &str) -> Database {
        Database::Postgres(Box::new(postgres::Client::connect(url, postgres::NoTls).unwrap()))
    }

    pub(crate) fn query(&mut self, sql: &str) -> Answer {
        match self {
            Database::Sqlite(connection) => {
                let mut statement = connection.prepare(sql).unwrap();
                let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
                let mut rows = statement.query([]).unwrap();
                let mut found = Vec::new();
                while let Some(row) = rows.next().unwrap() {
                    found.push((0..names.len()).map(|i| cell(row.get_ref(i).unwrap())).collect());
                }
                (names, found)
            }
            Database::Postgres(client) => {
                let rows = client.query(sql, &[]).unwrap();
                let names = rows.first().map_or_else(Vec::new, |row| {
                    row.columns().iter().map(|column| column.name().to_owned()).collect()
                });
                (
                    names,
                    rows.iter().map(|row| (0..row.len()).map(|i| postgres_cell(row, i)).collect()).collect(),
                )
            }
        }
    }

    pub(crate) fn rows(&mut self, sql: &str) -> Vec<Vec<Cell>> {
        self.query(sql).1
    }

    pub(crate) fn number(&mut self, sql: &str) -> i64 {
        self.rows(sql)[0][0].int()
    }

    pub(crate) fn execute(&mut self, sql: &str) -> u64 {
        match self {
            Database::Sqlite(connection) => connection.execute(sql, []).unwrap() as u64,
            Database::Postgres(client) => client.execute(sql, &[]).unwrap(),
        }
    }

    /// The tables of the blocks.
    pub(crate) fn tables(&mut self) -> Vec<String> {
        let sql = match self {
            Database::Sqlite(_) => "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
            Database::Postgres(_) => {
                "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
            }
        };
        let names = self.rows(sql).into_iter().map(|row| String::from_utf8(row[0].bytes().to_vec()).unwrap());
        names.filter(|name| !name.starts_with("sqlite_") && !name.starts_with("store_")).collect()
    }

    /// Everything in the blocks' tables, row by row.
    pub(crate) fn content(&mut self) -> Vec<(String, Vec<Vec<Cell>>)> {
        let tables = self.tables();
        let read = tables.into_iter().map(|table| {
            let mut rows = self.rows(&format!("SELECT * FROM {table}"));
            rows.sort();
            (table, rows)
        });
        read.collect()
    }
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Int(number),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
        ValueRef::Real(_) => panic!("no column holds a fraction"),
    }
}

fn postgres_cell(row: &postgres::Row, i: usize) -> Cell {
    match row.columns()[i].type_().name() {
        "int8" => row.get::<_, Option<i64>>(i).map_or(Cell::Null, Cell::Int),
        "bytea" => row.get::<_, Option<Vec<u8>>>(i).map_or(Cell::Null, Cell::Bytes),
        "text" => row.get::<_, Option<String>>(i).map_or(Cell::Null, |text| Cell::Bytes(text.into_bytes())),
        other => panic!("a column of type {other}"),
    }
}

/// What the program migrates.
pub(crate) const BLOCKS: &[&[kaname_store::Migration]] = &[
    kaname_store::jobs::MIGRATIONS,
    kaname_trust::MIGRATIONS,
    kaname_person::MIGRATIONS,
    kaname_pay::MIGRATIONS,
    kaname_signin::MIGRATIONS,
];

#[test]
fn every_table_of_every_block_can_be_distributed() {
    let place = crate::program::Place::with_deployment("example", &[]);
    let findings = |location| {
        let store = Store::open(&StoreConfig::new(location, Buckets::new(512).unwrap()), BLOCKS).unwrap();
        lint::catalogue(&store).unwrap()
    };
    assert_eq!(findings(Location::Sqlite(place.folder().join("kaname.sqlite"))), []);
    let mut database = Database::sqlite(&place.folder());
    let tables = database.tables();
    let blocks = ["person_", "pay_", "signin_", "trust_"];
    for block in blocks {
        assert!(tables.iter().any(|table| table.starts_with(block)), "{block} has no table in {tables:?}");
    }

    let Some(postgres) = cluster() else { return };
    let url = postgres.database();
    let _place = crate::program::Place::with_deployment("example", &["--postgres", &url]);
    assert_eq!(Database::postgres(&url).tables(), tables, "both databases have the same tables");
    assert_eq!(findings(Location::Postgres(vec![url])), []);
}

/// The PostgreSQL that the tests share. Without one they say so and pass, unless it is required.
pub(crate) fn cluster() -> Option<&'static Postgres> {
    match Postgres::shared() {
        Ok(postgres) => Some(postgres),
        Err(why) if std::env::var_os("KANAME_REQUIRE_POSTGRES").is_some_and(|value| value == "1") => {
            panic!("{why}")
        }
        Err(why) => {
            eprintln!("not tested on PostgreSQL: {why}");
            None
        }
    }
}

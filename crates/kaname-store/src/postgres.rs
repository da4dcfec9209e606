//! PostgreSQL 15 or later, through the synchronous driver: one connection is one thread's.

use std::collections::HashMap;

use ::postgres::error::SqlState;
use ::postgres::types::{IsNull, ToSql, Type as PgType, to_sql_checked};
use ::postgres::{Client, NoTls, Statement};
use kaname_base::Bucket;

use crate::bulk::{Column, Insert, Lookup, Type, Update};
use crate::value::Cell;
use crate::{Dialect, Engine, Row, StoreError, Value};

/// One connection.
pub(crate) struct Postgres {
    client: Client,
    prepared: HashMap<(usize, usize), Statement>,
    prepared_bulk: HashMap<String, Statement>,
    read_only: bool,
}

impl Postgres {
    /// Connects to `url` (`host=/run/postgresql dbname=kaname`, or `postgres://…`).
    pub(crate) fn connect(url: &str, read_only: bool) -> Result<Postgres, StoreError> {
        let client = Client::connect(url, NoTls)?;
        Ok(Postgres { client, prepared: HashMap::new(), prepared_bulk: HashMap::new(), read_only })
    }

    fn statement(&mut self, sql: &'static str) -> Result<Statement, StoreError> {
        let key = (sql.as_ptr() as usize, sql.len());
        if let Some(statement) = self.prepared.get(&key) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql)?;
        self.prepared.insert(key, statement.clone());
        Ok(statement)
    }

    fn bulk(&mut self, sql: String) -> Result<Statement, StoreError> {
        if let Some(statement) = self.prepared_bulk.get(&sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(&sql)?;
        self.prepared_bulk.insert(sql, statement.clone());
        Ok(statement)
    }
}

impl Engine for Postgres {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        // READ COMMITTED on purpose: units of work compare and set (docs/adr/0003), which means the same on every engine.
        let sql = if self.read_only { "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" } else { "BEGIN" };
        Ok(self.client.batch_execute(sql)?)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        match self.client.batch_execute("COMMIT") {
            Ok(()) => Ok(()),
            Err(error) => match StoreError::from(error) {
                conflict @ StoreError::Conflict => Err(conflict),
                _ => Err(StoreError::CommitUnknown),
            },
        }
    }

    fn rollback(&mut self) -> Result<(), StoreError> {
        Ok(self.client.batch_execute("ROLLBACK")?)
    }

    fn mark(&mut self) -> Result<(), StoreError> {
        Ok(self.client.batch_execute("SAVEPOINT unit")?)
    }

    fn keep(&mut self) -> Result<(), StoreError> {
        Ok(self.client.batch_execute("RELEASE SAVEPOINT unit")?)
    }

    fn undo(&mut self) -> Result<(), StoreError> {
        Ok(self.client.batch_execute("ROLLBACK TO SAVEPOINT unit; RELEASE SAVEPOINT unit")?)
    }

    fn query(
        &mut self,
        sql: &'static str,
        bucket: Bucket,
        args: &[Value<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        let statement = self.statement(sql)?;
        let rows = self.client.query(&statement, &references(&bucket_value(bucket), args))?;
        rows.iter().map(row_of).collect()
    }

    fn change(&mut self, sql: &'static str, bucket: Bucket, args: &[Value<'_>]) -> Result<u64, StoreError> {
        let statement = self.statement(sql)?;
        Ok(self.client.execute(&statement, &references(&bucket_value(bucket), args))?)
    }

    fn insert_many(&mut self, spec: &Insert, bucket: Bucket, cells: &[Value<'_>]) -> Result<u64, StoreError> {
        let statement = self.bulk(spec.sql(Dialect::Postgres))?;
        let arrays = Arrays::of(&[spec.columns], cells);
        Ok(self.client.execute(&statement, &arrays.arguments(&bucket_value(bucket)))?)
    }

    fn update_many(&mut self, spec: &Update, bucket: Bucket, cells: &[Value<'_>]) -> Result<u64, StoreError> {
        let statement = self.bulk(spec.sql(Dialect::Postgres))?;
        let arrays = Arrays::of(&[spec.keys, spec.columns], cells);
        Ok(self.client.execute(&statement, &arrays.arguments(&bucket_value(bucket)))?)
    }

    fn look_up_many(
        &mut self,
        spec: &Lookup,
        bucket: Bucket,
        cells: &[Value<'_>],
    ) -> Result<Vec<Option<Row>>, StoreError> {
        let statement = self.bulk(spec.sql(Dialect::Postgres))?;
        let arrays = Arrays::of(&[spec.keys], cells);
        let found = self.client.query(&statement, &arrays.arguments(&bucket_value(bucket)))?;
        let mut answer = vec![None; cells.len() / spec.keys.len()];
        for row in &found {
            let Row(mut cells) = row_of(row)?;
            let Cell::Int(place) = cells.remove(0) else { return Err(StoreError::Type(0)) };
            answer[place as usize - 1] = Some(Row(cells));
        }
        Ok(answer)
    }

    fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        // Byte order, as SQLite has it, and no index that breaks when the system's collation changes.
        let text = sql
            .replace(") WITHOUT ROWID", ")")
            .replace(" TEXT", " TEXT COLLATE \"C\"")
            .replace("AS TEXT COLLATE \"C\"", "AS TEXT");
        Ok(self.client.batch_execute(&text)?)
    }
}

/// The cells of many rows, turned into one array for each column.
struct Arrays<'a>(Vec<Array<'a>>);

#[derive(Debug)]
enum Array<'a> {
    Ints(Vec<Option<i64>>),
    Texts(Vec<Option<&'a str>>),
    Bytes(Vec<Option<&'a [u8]>>),
}

impl<'a> Arrays<'a> {
    fn of(columns: &[&[Column]], cells: &[Value<'a>]) -> Arrays<'a> {
        let kinds: Vec<Type> = columns.iter().flat_map(|some| some.iter().map(|(_, kind)| *kind)).collect();
        let column = |i: usize| cells.iter().skip(i).step_by(kinds.len());
        Arrays(
            kinds
                .iter()
                .enumerate()
                .map(|(i, kind)| match kind {
                    Type::Int => Array::Ints(
                        column(i).map(|c| if let Value::Int(v) = c { Some(*v) } else { None }).collect(),
                    ),
                    Type::Text => Array::Texts(
                        column(i).map(|c| if let Value::Text(v) = c { Some(*v) } else { None }).collect(),
                    ),
                    Type::Bytes => Array::Bytes(
                        column(i).map(|c| if let Value::Bytes(v) = c { Some(*v) } else { None }).collect(),
                    ),
                })
                .collect(),
        )
    }

    fn arguments<'b>(&'b self, bucket: &'b Value<'b>) -> Vec<&'b (dyn ToSql + Sync)> {
        std::iter::once(bucket as &(dyn ToSql + Sync))
            .chain(self.0.iter().map(|array| match array {
                Array::Ints(some) => some as &(dyn ToSql + Sync),
                Array::Texts(some) => some,
                Array::Bytes(some) => some,
            }))
            .collect()
    }
}

fn bucket_value(bucket: Bucket) -> Value<'static> {
    Value::Int(i64::from(bucket.index()))
}

fn references<'a>(bucket: &'a Value<'a>, args: &'a [Value<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    std::iter::once(bucket).chain(args).map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        kind: &PgType,
        out: &mut ::postgres::types::private::BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Value::Null => Ok(IsNull::Yes),
            Value::Int(value) => value.to_sql_checked(kind, out),
            Value::Text(value) => value.to_sql_checked(kind, out),
            Value::Bytes(value) => value.to_sql_checked(kind, out),
        }
    }

    fn accepts(kind: &PgType) -> bool {
        [PgType::INT8, PgType::TEXT, PgType::BYTEA].contains(kind)
    }

    to_sql_checked!();
}

fn row_of(row: &::postgres::Row) -> Result<Row, StoreError> {
    let cell = |column: usize, kind: &PgType| -> Result<Cell, StoreError> {
        let wrong = |_| StoreError::Type(column);
        Ok(match *kind {
            PgType::INT8 => {
                row.try_get::<_, Option<i64>>(column).map_err(wrong)?.map_or(Cell::Null, Cell::Int)
            }
            // A literal, or the answer of a comparison; SQLite has but one kind of whole number.
            PgType::INT4 => row
                .try_get::<_, Option<i32>>(column)
                .map_err(wrong)?
                .map_or(Cell::Null, |value| Cell::Int(i64::from(value))),
            PgType::BOOL => row
                .try_get::<_, Option<bool>>(column)
                .map_err(wrong)?
                .map_or(Cell::Null, |value| Cell::Int(i64::from(value))),
            PgType::TEXT => {
                row.try_get::<_, Option<String>>(column).map_err(wrong)?.map_or(Cell::Null, Cell::Text)
            }
            PgType::BYTEA => {
                row.try_get::<_, Option<Vec<u8>>>(column).map_err(wrong)?.map_or(Cell::Null, Cell::Bytes)
            }
            // SUM of bigint is numeric: statements cast it back, so anything else is a mistake in the statement.
            _ => return Err(StoreError::Type(column)),
        })
    };
    row.columns()
        .iter()
        .enumerate()
        .map(|(i, column)| cell(i, column.type_()))
        .collect::<Result<_, _>>()
        .map(Row)
}

impl From<::postgres::Error> for StoreError {
    fn from(error: ::postgres::Error) -> StoreError {
        match error.code() {
            Some(code) if *code == SqlState::UNIQUE_VIOLATION => StoreError::Duplicate,
            Some(code)
                if *code == SqlState::T_R_SERIALIZATION_FAILURE
                    || *code == SqlState::T_R_DEADLOCK_DETECTED
                    || code.code().starts_with("55") =>
            {
                StoreError::Conflict
            }
            // Connection exceptions, and a server that is going down or not up yet.
            Some(code) if code.code().starts_with("08") || code.code().starts_with("57P") => {
                StoreError::Unreachable(first_line(&error))
            }
            Some(code) => StoreError::Database(format!("{} (SQLSTATE {})", first_line(&error), code.code())),
            // Without a code it is the driver who speaks: of the network, or of a value that it cannot bind.
            None if error.is_closed() || is_of_network(&error) => StoreError::Unreachable(first_line(&error)),
            None => StoreError::Database(first_line(&error)),
        }
    }
}

fn is_of_network(error: &::postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<std::io::Error>())
}

/// The message without its detail, which may quote a row.
fn first_line(error: &::postgres::Error) -> String {
    let text = error.as_db_error().map_or_else(|| error.to_string(), |db| db.message().to_owned());
    text.lines().next().unwrap_or_default().to_owned()
}

//! SQLite: one file, write-ahead log, full synchronous. One connection writes, any number read.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use kaname_base::Bucket;
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, Statement, ToSql};

use crate::bulk::{Insert, Lookup, Update};
use crate::value::Cell;
use crate::{Dialect, Engine, Row, StoreError, Value};

/// How long a second process waits for the first one's transaction.
const BUSY_WAIT: Duration = Duration::from_secs(60);

/// Pages of the write-ahead log before it is copied back: 32 MiB. Larger groups random page writes better.
const CHECKPOINT_PAGES: i64 = 8_192;

/// One connection.
pub(crate) struct Sqlite {
    connection: Connection,
    /// `$N` rewritten to `?N`, by the address of the text: SQLite would number `$2, $1` by first appearance.
    texts: Texts,
    /// What bulk statements were made into, by the addresses of what they name.
    bulk: Bulk,
    writes: bool,
}

type Texts = HashMap<(usize, usize), String>;
type Bulk = HashMap<(&'static str, [(usize, usize); 3]), String>;

impl Sqlite {
    /// Opens (and makes) the file for writing.
    pub(crate) fn writer(path: &Path, cache_mib: u32) -> Result<Sqlite, StoreError> {
        make_private(path)?;
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_WAIT)?;
        use_write_ahead_log(&connection)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        connection.pragma_update(None, "journal_size_limit", 67_108_864)?;
        Sqlite::with(connection, cache_mib, true)
    }

    /// Opens the file for reading only.
    pub(crate) fn reader(path: &Path, cache_mib: u32) -> Result<Sqlite, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_WAIT)?;
        connection.pragma_update(None, "query_only", true)?;
        Sqlite::with(connection, cache_mib, false)
    }

    fn with(connection: Connection, cache_mib: u32, writes: bool) -> Result<Sqlite, StoreError> {
        connection.pragma_update(None, "cache_size", -i64::from(cache_mib) * 1_024)?;
        // Not in memory: what a unit of work needs to be undone is kept there, and grows with it beyond any cache.
        connection.pragma_update(None, "temp_store", "FILE")?;
        // Else a statement that compares a parameter while it is planned would be planned anew with every value.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(512);
        Ok(Sqlite { connection, texts: HashMap::new(), bulk: HashMap::new(), writes })
    }

    fn plain(&self, sql: &str) -> Result<(), StoreError> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }
}

/// A connection that copies the write-ahead log back into the file while others write, so that whoever commits finds little left to
/// copy and need not wait for it.
pub(crate) struct CopyBack(Connection);

impl CopyBack {
    pub(crate) fn open(path: &Path) -> Result<CopyBack, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        Ok(CopyBack(connection))
    }

    /// Copies what is committed by now, as far as no reader needs what it would replace.
    pub(crate) fn run(&self) -> Result<(), StoreError> {
        Ok(self.0.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?)
    }
}

/// Who changes the way of writing while another does so too is told at once that the file is busy: for this SQLite does not wait.
#[expect(clippy::disallowed_methods, reason = "nothing tells when the other process is through")]
fn use_write_ahead_log(connection: &Connection) -> Result<(), StoreError> {
    const PAUSE: Duration = Duration::from_millis(20);
    let mut left = BUSY_WAIT.as_millis() / PAUSE.as_millis();
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL").map_err(StoreError::from) {
            Err(StoreError::Conflict) if left > 0 => std::thread::sleep(PAUSE),
            done => return done,
        }
        left -= 1;
    }
}

/// Makes an empty file that only its owner can read, unless there is one. SQLite gives `-wal` and `-shm` the rights of the file.
fn make_private(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::OpenOptionsExt;
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(StoreError::Database(format!("{}: {error}", path.display())))
        }
        _ => Ok(()),
    }
}

impl Engine for Sqlite {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        self.plain(if self.writes { "BEGIN IMMEDIATE" } else { "BEGIN" })
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.plain("COMMIT").map_err(|_| StoreError::CommitUnknown)
    }

    fn rollback(&mut self) -> Result<(), StoreError> {
        self.plain("ROLLBACK")
    }

    fn mark(&mut self) -> Result<(), StoreError> {
        self.plain("SAVEPOINT unit")
    }

    fn keep(&mut self) -> Result<(), StoreError> {
        self.plain("RELEASE unit")
    }

    fn undo(&mut self) -> Result<(), StoreError> {
        self.plain("ROLLBACK TO unit")?;
        self.plain("RELEASE unit")
    }

    fn query(
        &mut self,
        sql: &'static str,
        bucket: Bucket,
        args: &[Value<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        let mut statement = self.connection.prepare_cached(text(&mut self.texts, sql))?;
        bind(&mut statement, bucket, args)?;
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        let mut answer = Vec::new();
        while let Some(row) = rows.next()? {
            answer.push(row_of(row, columns)?);
        }
        Ok(answer)
    }

    fn change(&mut self, sql: &'static str, bucket: Bucket, args: &[Value<'_>]) -> Result<u64, StoreError> {
        let mut statement = self.connection.prepare_cached(text(&mut self.texts, sql))?;
        bind(&mut statement, bucket, args)?;
        Ok(statement.raw_execute()? as u64)
    }

    fn insert_many(&mut self, spec: &Insert, bucket: Bucket, cells: &[Value<'_>]) -> Result<u64, StoreError> {
        let skips = (usize::from(spec.skip_existing), 0);
        let places = [address(spec.table.as_bytes()), address(spec.columns), skips];
        let sql = self.bulk.entry(("insert", places)).or_insert_with(|| spec.sql(Dialect::Sqlite));
        loop_over(&self.connection, sql, spec.columns.len(), bucket, cells)
    }

    fn update_many(&mut self, spec: &Update, bucket: Bucket, cells: &[Value<'_>]) -> Result<u64, StoreError> {
        let places = [address(spec.table.as_bytes()), address(spec.keys), address(spec.columns)];
        let sql = self.bulk.entry(("update", places)).or_insert_with(|| spec.sql(Dialect::Sqlite));
        loop_over(&self.connection, sql, spec.keys.len() + spec.columns.len(), bucket, cells)
    }

    fn look_up_many(
        &mut self,
        spec: &Lookup,
        bucket: Bucket,
        cells: &[Value<'_>],
    ) -> Result<Vec<Option<Row>>, StoreError> {
        let places = [address(spec.table.as_bytes()), address(spec.keys), address(spec.columns)];
        let sql = self.bulk.entry(("look up", places)).or_insert_with(|| spec.sql(Dialect::Sqlite));
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut answer = Vec::with_capacity(cells.len() / spec.keys.len());
        for key in cells.chunks_exact(spec.keys.len()) {
            bind(&mut statement, bucket, key)?;
            let mut rows = statement.raw_query();
            let row = rows.next()?.map(|row| row_of(row, spec.columns.len())).transpose()?;
            answer.push(row);
        }
        Ok(answer)
    }

    fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        let text = sql
            .replace("BIGINT", "INTEGER")
            .replace("BYTEA", "BLOB")
            .replace(") WITHOUT ROWID", ") WITHOUT ROWID, STRICT");
        Ok(self.connection.execute_batch(&text)?)
    }
}

fn loop_over(
    connection: &Connection,
    sql: &str,
    width: usize,
    bucket: Bucket,
    cells: &[Value<'_>],
) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut changed = 0;
    for row in cells.chunks_exact(width) {
        bind(&mut statement, bucket, row)?;
        changed += statement.raw_execute()? as u64;
    }
    Ok(changed)
}

/// Where something static lies: it stands for what it says.
fn address<T>(of: &'static [T]) -> (usize, usize) {
    (of.as_ptr() as usize, of.len())
}

fn text<'a>(texts: &'a mut Texts, sql: &'static str) -> &'a str {
    texts.entry((sql.as_ptr() as usize, sql.len())).or_insert_with(|| sql.replace('$', "?"))
}

/// The bucket is `?1`; a statement with another number of parameters than values is refused, as PostgreSQL does.
fn bind(statement: &mut Statement<'_>, bucket: Bucket, cells: &[Value<'_>]) -> Result<(), StoreError> {
    let (wanted, given) = (statement.parameter_count(), cells.len() + 1);
    if wanted != given {
        return Err(StoreError::Database(format!("expected {wanted} parameters, got {given}")));
    }
    statement.raw_bind_parameter(1, i64::from(bucket.index()))?;
    for (i, cell) in cells.iter().enumerate() {
        statement.raw_bind_parameter(i + 2, cell)?;
    }
    Ok(())
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Int(value) => ValueRef::Integer(*value),
            // PostgreSQL has no such texts, so neither engine takes them.
            Value::Text(value) if value.contains('\0') => {
                return Err(rusqlite::Error::ToSqlConversionFailure("a text with a NUL character".into()));
            }
            Value::Text(value) => ValueRef::Text(value.as_bytes()),
            Value::Bytes(value) => ValueRef::Blob(value),
        }))
    }
}

fn row_of(row: &rusqlite::Row<'_>, columns: usize) -> Result<Row, StoreError> {
    let mut cells = Vec::with_capacity(columns);
    for column in 0..columns {
        cells.push(match row.get_ref(column)? {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(value) => Cell::Int(value),
            ValueRef::Real(_) => return Err(StoreError::Type(column)),
            ValueRef::Text(value) => {
                Cell::Text(String::from_utf8(value.to_vec()).map_err(|_| StoreError::Type(column))?)
            }
            ValueRef::Blob(value) => Cell::Bytes(value.to_vec()),
        });
    }
    Ok(Row(cells))
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        use rusqlite::ErrorCode::{ConstraintViolation, DatabaseBusy, DatabaseLocked};
        use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};
        match &error {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                DatabaseBusy | DatabaseLocked => StoreError::Conflict,
                ConstraintViolation
                    if [SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE]
                        .contains(&failure.extended_code) =>
                {
                    StoreError::Duplicate
                }
                _ => StoreError::Database(error.to_string()),
            },
            _ => StoreError::Database(error.to_string()),
        }
    }
}

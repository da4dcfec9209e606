//! A reading of the database's own catalogue: whether the schema can be distributed by bucket, and says the same on both
//! engines. The program's tests run it over the migrations of all blocks.

use std::collections::BTreeMap;
use std::fmt;

use kaname_base::Buckets;

use crate::tx::Engine;
use crate::{Dialect, Row, Store, StoreError};

/// Something in the schema that would not work on every rung.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Finding {
    /// The table, or what else it is about.
    pub table: String,
    /// What is wrong.
    pub fault: Fault,
    /// Which column, index or trigger.
    pub name: String,
}

/// What can be wrong with a schema.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fault {
    /// No column `bucket BIGINT NOT NULL`.
    NoBucket,
    /// No primary key.
    NoKey,
    /// A primary key, a unique constraint or a unique index that does not start with the bucket.
    KeyWithoutBucket,
    /// A foreign key that does not go from bucket to bucket.
    ReferenceWithoutBucket,
    /// A column that fills itself; the program binds every value.
    Default,
    /// A sequence or an identity column; ids come from the program.
    Sequence,
    /// A trigger.
    Trigger,
    /// A column of another type than `BIGINT`, `TEXT` and `BYTEA`.
    ColumnType,
    /// A text whose order depends on the system's language.
    Collation,
    /// A table that was not made by a migration in our form (`WITHOUT ROWID`, strict types).
    Form,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?} ({})", self.table, self.fault, self.name)
    }
}

/// What is wrong with the schema; empty when nothing is. On several databases, each is read.
///
/// # Errors
/// [`StoreError`] when the catalogue cannot be read.
pub fn catalogue(store: &Store) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::new();
    for mut engine in store.engines()? {
        findings.extend(match engine.dialect() {
            // INTEGER is what our BIGINT becomes there; PostgreSQL's has 32 bits.
            Dialect::Sqlite => read(&mut *engine, &SQLITE, ["INTEGER", "TEXT", "BLOB"])?,
            Dialect::Postgres => read(&mut *engine, &POSTGRES, ["BIGINT", "TEXT", "BYTEA"])?,
        });
    }
    findings.sort();
    findings.dedup();
    Ok(findings)
}

/// The same six questions to both catalogues.
struct Questions {
    /// table, column, type, is not null, is filled by itself, is an identity, is ordered by language
    columns: &'static str,
    /// table, key, position, column, is primary
    keys: &'static str,
    /// table, reference, from column, to column
    references: &'static str,
    /// table, name
    triggers: &'static str,
    /// table, name
    sequences: &'static str,
    /// table, what
    form: &'static str,
}

// A parameter that every statement gets and none needs: `$1` is the bucket, and the catalogue has none.
const SQLITE: Questions = Questions {
    columns: "SELECT t.name, c.name, c.type, c.\"notnull\" OR c.pk > 0, c.dflt_value IS NOT NULL, 0, 0
        FROM pragma_table_list AS t, pragma_table_xinfo(t.name) AS c
        WHERE t.type = 'table' AND t.schema = 'main' AND t.name NOT LIKE 'sqlite^_%' ESCAPE '^' AND $1 = $1",
    keys: "SELECT t.name, i.name, c.seqno, c.name, i.origin = 'pk'
        FROM pragma_table_list AS t, pragma_index_list(t.name) AS i, pragma_index_info(i.name) AS c
        WHERE t.type = 'table' AND t.schema = 'main' AND i.\"unique\" = 1 AND $1 = $1
        UNION ALL SELECT t.name, 'primary key', c.pk - 1, c.name, 1
        FROM pragma_table_list AS t, pragma_table_info(t.name) AS c
        WHERE t.type = 'table' AND t.schema = 'main' AND c.pk > 0 AND t.wr = 0",
    references: "SELECT t.name, t.name || ' reference ' || r.id, r.\"from\", COALESCE(r.\"to\", r.\"from\")
        FROM pragma_table_list AS t, pragma_foreign_key_list(t.name) AS r
        WHERE t.type = 'table' AND t.schema = 'main' AND $1 = $1",
    triggers: "SELECT tbl_name, name FROM sqlite_schema WHERE type = 'trigger' AND $1 = $1",
    sequences: "SELECT name, name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%' AND $1 = $1",
    form: "SELECT name, CASE WHEN wr = 0 THEN 'has a rowid' ELSE 'is not strict' END FROM pragma_table_list
        WHERE type = 'table' AND schema = 'main' AND name NOT LIKE 'sqlite^_%' ESCAPE '^'
        AND (wr = 0 OR strict = 0) AND $1 = $1",
};

const POSTGRES: Questions = Questions {
    columns: "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, NULL)::text, a.attnotnull,
            a.atthasdef AND a.attgenerated = '', a.attidentity <> '',
            a.attcollation <> 0 AND l.collname <> 'C'
        FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        JOIN pg_namespace AS n ON n.oid = c.relnamespace LEFT JOIN pg_collation AS l ON l.oid = a.attcollation
        WHERE c.relkind IN ('r', 'p') AND n.nspname = current_schema() AND $1 = $1::bigint",
    keys: "SELECT c.relname::text, i.relname::text, k.place - 1, COALESCE(a.attname::text, 'expression'), x.indisprimary
        FROM pg_index AS x JOIN pg_class AS c ON c.oid = x.indrelid JOIN pg_class AS i ON i.oid = x.indexrelid
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        CROSS JOIN LATERAL UNNEST(x.indkey) WITH ORDINALITY AS k(number, place)
        LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.number AND k.number > 0
        WHERE (x.indisunique OR x.indisexclusion) AND n.nspname = current_schema() AND $1 = $1::bigint",
    references: "SELECT c.relname::text, k.conname::text, f.attname::text, t.attname::text
        FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
        CROSS JOIN LATERAL UNNEST(k.conkey, k.confkey) AS p(f, t)
        JOIN pg_attribute AS f ON f.attrelid = k.conrelid AND f.attnum = p.f
        JOIN pg_attribute AS t ON t.attrelid = k.confrelid AND t.attnum = p.t
        WHERE k.contype = 'f' AND n.nspname = current_schema() AND $1 = $1::bigint",
    triggers: "SELECT c.relname::text, t.tgname::text FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE NOT t.tgisinternal AND n.nspname = current_schema() AND $1 = $1::bigint",
    sequences: "SELECT c.relname::text, c.relname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind = 'S' AND n.nspname = current_schema() AND $1 = $1::bigint",
    form: "SELECT c.relname::text, 'is not an ordinary table'::text FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE (c.relkind IN ('f', 'm') OR c.relpersistence <> 'p' AND c.relkind = 'r')
        AND n.nspname = current_schema() AND $1 = $1::bigint",
};

fn read(
    engine: &mut dyn Engine,
    questions: &Questions,
    types: [&str; 3],
) -> Result<Vec<Finding>, StoreError> {
    let no_bucket = Buckets::new(1).expect("1 is a power of two").home();
    let mut ask = |question| engine.query(question, no_bucket, &[]);
    let mut findings = Vec::new();
    let mut tables = BTreeMap::new(); // each with: has a bucket, has a key
    for row in ask(questions.columns)? {
        let (table, column) = (row.text(0)?, row.text(1)?);
        let kind = row.text(2)?.to_ascii_uppercase();
        let (has_bucket, _) = tables.entry(table.to_owned()).or_insert((false, false));
        *has_bucket |= column == "bucket" && kind == types[0] && row.int(3)? == 1;
        let faults = [
            (!types.contains(&kind.as_str()), Fault::ColumnType),
            (row.int(4)? == 1, Fault::Default),
            (row.int(5)? == 1, Fault::Sequence),
            (row.int(6)? == 1, Fault::Collation),
        ];
        findings.extend(faults.iter().filter(|(is, _)| *is).map(|(_, fault)| finding(table, *fault, column)));
    }
    for row in ask(questions.keys)? {
        let (table, key) = (row.text(0)?, row.text(1)?);
        if row.int(4)? == 1 {
            tables.entry(table.to_owned()).or_insert((false, false)).1 = true;
        }
        if row.int(2)? == 0 && row.text(3).ok() != Some("bucket") {
            findings.push(finding(table, Fault::KeyWithoutBucket, key));
        }
    }
    let mut references = BTreeMap::new();
    for row in ask(questions.references)? {
        let from_bucket_to_bucket = row.text(2)? == "bucket" && row.text(3)? == "bucket";
        *references.entry((row.text(0)?.to_owned(), row.text(1)?.to_owned())).or_insert(false) |=
            from_bucket_to_bucket;
    }
    for ((table, reference), _) in references.into_iter().filter(|(_, confined)| !confined) {
        findings.push(finding(&table, Fault::ReferenceWithoutBucket, &reference));
    }
    for (question, fault) in [
        (questions.triggers, Fault::Trigger),
        (questions.sequences, Fault::Sequence),
        (questions.form, Fault::Form),
    ] {
        let named = |row: &Row| Ok::<_, StoreError>(finding(row.text(0)?, fault, row.text(1)?));
        findings.extend(ask(question)?.iter().map(named).collect::<Result<Vec<_>, _>>()?);
    }
    for (table, (has_bucket, has_key)) in tables {
        if !has_bucket {
            findings.push(finding(&table, Fault::NoBucket, "bucket"));
        }
        if !has_key {
            findings.push(finding(&table, Fault::NoKey, "primary key"));
        }
    }
    Ok(findings)
}

fn finding(table: &str, fault: Fault, name: &str) -> Finding {
    Finding { table: table.to_owned(), fault, name: name.to_owned() }
}

use kaname_store::lint::{Fault, catalogue};
use kaname_store::{Migration, jobs};
use kaname_testkit::{TestStore, on_every_store};

use super::THINGS;

on_every_store!(our_tables_are_clean, each_fault_is_found);

fn our_tables_are_clean(t: &TestStore) {
    let store = t.open(&[THINGS, jobs::MIGRATIONS]);
    assert_eq!(catalogue(&store).unwrap(), []);
}

const BAD: &str = "
CREATE TABLE good (bucket BIGINT NOT NULL, id BIGINT NOT NULL, PRIMARY KEY (bucket, id)) WITHOUT ROWID;
CREATE TABLE no_bucket (id BIGINT NOT NULL, PRIMARY KEY (id)) WITHOUT ROWID;
CREATE TABLE nullable (bucket BIGINT, id BIGINT NOT NULL, note TEXT DEFAULT 'x', part REAL);
CREATE TABLE late (id BIGINT NOT NULL, bucket BIGINT NOT NULL, alias BIGINT NOT NULL UNIQUE,
    PRIMARY KEY (id, bucket)) WITHOUT ROWID;
CREATE TABLE refers (bucket BIGINT NOT NULL, id BIGINT NOT NULL, other BIGINT NOT NULL, FOREIGN KEY (id, other) REFERENCES good (bucket, id),
    PRIMARY KEY (bucket, id)) WITHOUT ROWID;
CREATE TABLE fine (bucket BIGINT NOT NULL, id BIGINT NOT NULL, FOREIGN KEY (bucket, id) REFERENCES good (bucket, id),
    PRIMARY KEY (bucket, id)) WITHOUT ROWID;
CREATE UNIQUE INDEX late_by_id ON late (id);
";
const SQLITE_ONLY: &str = "
CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT);
CREATE TRIGGER watch AFTER INSERT ON good BEGIN DELETE FROM late; END;
";
const POSTGRES_ONLY: &str = "
CREATE TABLE counted (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER watch AFTER INSERT ON good FOR EACH ROW EXECUTE FUNCTION watch();
CREATE TABLE languages (bucket BIGINT NOT NULL, name VARCHAR NOT NULL, PRIMARY KEY (bucket, name));
CREATE UNLOGGED TABLE volatile (bucket BIGINT NOT NULL, PRIMARY KEY (bucket));
";

fn each_fault_is_found(t: &TestStore) {
    let sql = format!("{BAD}{}", if t.is_sqlite() { SQLITE_ONLY } else { POSTGRES_ONLY });
    let migrations: &'static [Migration] =
        vec![Migration { block: "bad", number: 1, sql: sql.leak() }].leak();
    let findings = catalogue(&t.open(&[migrations])).unwrap();
    let has = |table: &str, fault: Fault| findings.iter().any(|f| f.table == table && f.fault == fault);
    for (table, fault) in [
        ("no_bucket", Fault::NoBucket),
        ("no_bucket", Fault::KeyWithoutBucket),
        ("nullable", Fault::NoBucket),
        ("nullable", Fault::NoKey),
        ("nullable", Fault::Default),
        ("nullable", Fault::ColumnType),
        ("late", Fault::KeyWithoutBucket),
        ("refers", Fault::ReferenceWithoutBucket),
        ("counted", Fault::Sequence),
        ("good", Fault::Trigger),
    ] {
        assert!(has(table, fault), "{table}: {fault:?} not found in {findings:#?}");
    }
    let own = if t.is_sqlite() { ("nullable", Fault::Form) } else { ("volatile", Fault::Form) };
    assert!(has(own.0, own.1), "{findings:#?}");
    if !t.is_sqlite() {
        assert!(has("languages", Fault::ColumnType) && has("languages", Fault::Collation), "{findings:#?}");
    }
    // The key, the alias and the index of `late`, and nothing against what is in order.
    assert_eq!(
        findings.iter().filter(|f| f.table == "late" && f.fault == Fault::KeyWithoutBucket).count(),
        3
    );
    let innocent = |table: &str| ["fine", "store_migration", "store_setting"].contains(&table);
    assert!(!findings.iter().any(|f| innocent(&f.table)), "{findings:#?}");
}

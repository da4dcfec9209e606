//! What every store keeps, on SQLite, on one PostgreSQL and on two.

mod it {
    mod confinement;
    mod conflicts;
    mod faults;
    mod files;
    mod jobs;
    mod lint;
    mod many;
    mod migrations;
    mod threads;
    mod unflushed;
    mod values;

    use kaname_store::{Migration, Store, StoreError, Value};
    use kaname_testkit::TestStore;

    pub(crate) const THINGS: &[Migration] = &[Migration {
        block: "things",
        number: 1,
        sql: "CREATE TABLE thing (
            bucket BIGINT NOT NULL, id BIGINT NOT NULL, version BIGINT NOT NULL, count BIGINT, note TEXT, body BYTEA,
            PRIMARY KEY (bucket, id)) WITHOUT ROWID;",
    }];
    pub(crate) const ADD: &str = "INSERT INTO thing (bucket, id, version, count) VALUES ($1, $2, 0, $3)";
    pub(crate) const COUNT: &str = "SELECT count, version FROM thing WHERE bucket = $1 AND id = $2";
    pub(crate) const SET_COUNT: &str =
        "UPDATE thing SET count = $3, version = version + 1 WHERE bucket = $1 AND id = $2 AND version = $4";
    pub(crate) const HOW_MANY: &str = "SELECT COUNT(*) FROM thing WHERE bucket = $1";

    /// A refusal as a block has it.
    #[derive(Debug)]
    pub(crate) enum No {
        Refused,
        Store(StoreError),
    }
    impl From<StoreError> for No {
        fn from(error: StoreError) -> No {
            No::Store(error)
        }
    }

    pub(crate) fn add(
        t: &TestStore,
        store: &Store,
        bucket: u16,
        id: i64,
        count: i64,
    ) -> Result<(), StoreError> {
        store.write(t.bucket(bucket), move |tx| tx.change(ADD, &[id.into(), count.into()]).map(drop))
    }

    pub(crate) fn count(t: &TestStore, store: &Store, bucket: u16, id: i64) -> Option<i64> {
        let read = store.read::<_, StoreError, _>(t.bucket(bucket), move |tx| {
            tx.row(COUNT, &[Value::Int(id)])?.map(|row| row.int(0)).transpose()
        });
        read.expect("the count is read")
    }

    pub(crate) fn how_many(t: &TestStore, store: &Store, bucket: u16) -> i64 {
        let read = store
            .read::<_, StoreError, _>(t.bucket(bucket), |tx| tx.row(HOW_MANY, &[])?.expect("a sum").int(0));
        read.expect("the rows are counted")
    }
}

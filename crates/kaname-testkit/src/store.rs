//! What a contract test is given.

use std::sync::Mutex;

use kaname_store::{Bucket, Buckets, Location, Migration, Store, StoreConfig, StoreError};
use tempfile::TempDir;

use crate::Postgres;

/// A place for one test's data, on one of the engines.
pub struct TestStore {
    config: StoreConfig,
    opened: Mutex<Vec<&'static [Migration]>>,
    clusters: Vec<&'static Postgres>,
    _folder: Option<TempDir>,
}

impl TestStore {
    /// SQLite in a temporary folder.
    ///
    /// # Panics
    /// When there is no room for it.
    pub fn sqlite() -> TestStore {
        let folder = tempfile::Builder::new().prefix("kaname-test-").tempdir().expect("a temporary folder");
        let location = Location::Sqlite(folder.path().join("kaname.sqlite"));
        TestStore::at(location, Vec::new(), Some(folder))
    }

    /// One new database on each cluster.
    pub fn postgres(clusters: Vec<&'static Postgres>) -> TestStore {
        let urls = clusters.iter().map(|cluster| cluster.database()).collect();
        TestStore::at(Location::Postgres(urls), clusters, None)
    }

    fn at(location: Location, clusters: Vec<&'static Postgres>, folder: Option<TempDir>) -> TestStore {
        let buckets = Buckets::new(8).expect("8 is a power of two");
        let config = StoreConfig { writers: 4, readers: 2, ..StoreConfig::new(location, buckets) };
        TestStore { config, opened: Mutex::new(Vec::new()), clusters, _folder: folder }
    }

    /// How the store will be opened; a test may change a copy and give it to [`TestStore::open_with`].
    pub fn config(&self) -> StoreConfig {
        self.config.clone()
    }

    /// Whether the data lies in SQLite.
    pub fn is_sqlite(&self) -> bool {
        matches!(self.config.location, Location::Sqlite(_))
    }

    /// Bucket number `index` of the 8.
    ///
    /// # Panics
    /// When there is no such bucket.
    pub fn bucket(&self, index: u16) -> Bucket {
        self.config.buckets.get(index).expect("a test store has 8 buckets")
    }

    /// Opens the store, with 8 buckets.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub fn open(&self, migrations: &[&'static [Migration]]) -> Store {
        *self.opened.lock().expect("no test panics while it opens") = migrations.to_vec();
        self.open_with(&self.config, migrations).expect("the test store opens")
    }

    /// Opens the same data once more, with the migrations of the last [`TestStore::open`]: drop the store before, and
    /// it is a restart; keep it, and it is a second process.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub fn reopen(&self) -> Store {
        let migrations = self.opened.lock().expect("no test panics while it opens").clone();
        self.open_with(&self.config, &migrations).expect("the test store opens again")
    }

    /// Opens the same data with another configuration, or migrations that may be refused.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(&self, config: &StoreConfig, migrations: &[&[Migration]]) -> Result<Store, StoreError> {
        Store::open(config, migrations)
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        if let Location::Postgres(urls) = &self.config.location {
            for (cluster, url) in self.clusters.iter().zip(urls) {
                cluster.remove(url);
            }
        }
    }
}

/// Runs a contract test on SQLite.
pub fn on_sqlite(test: fn(&TestStore)) {
    test(&TestStore::sqlite());
}

/// Runs a contract test on one PostgreSQL database.
pub fn on_postgres(test: fn(&TestStore)) {
    on_clusters(Postgres::shared().map(|first| vec![first]), test);
}

/// Runs a contract test on two PostgreSQL databases of two clusters; even buckets lie in one, odd ones in the other.
pub fn on_two_postgres(test: fn(&TestStore)) {
    let both = Postgres::shared().and_then(|first| Ok(vec![first, Postgres::second()?]));
    on_clusters(both, test);
}

fn on_clusters(clusters: Result<Vec<&'static Postgres>, String>, test: fn(&TestStore)) {
    match clusters {
        Ok(clusters) => test(&TestStore::postgres(clusters)),
        Err(message) if std::env::var_os("KANAME_REQUIRE_POSTGRES").is_some_and(|value| value == "1") => {
            panic!("{message}")
        }
        Err(message) => eprintln!("not run: {message}"),
    }
}

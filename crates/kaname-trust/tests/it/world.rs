//! A small deployment to test in: keys in a folder, a store, some people.

use std::path::PathBuf;

use kaname_base::{Env, Instant};
use kaname_store::{Store, StoreError, Value};
use kaname_testkit::TestStore;
use kaname_trust::log::Log;
use kaname_trust::{
    Access, Actor, Keys, MIGRATIONS, PersonId, Record, Sealed, TrustError, access, person, seal,
};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

/// The log's name in these tests.
pub(crate) const ORIGIN: &str = "test.example/log";

/// A record as a block would keep it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Note(pub(crate) String);

impl Record for Note {
    const KIND: &'static str = "test.note";
}

/// A deployment with four people in each of two buckets, which lie in two databases where there are two.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) keys: Keys,
    pub(crate) people: Vec<PersonId>,
    folder: TempDir,
    _data: Option<TestStore>,
}

impl World {
    /// In a SQLite of its own.
    pub(crate) fn new() -> World {
        let data = TestStore::sqlite();
        let world = World::on(&data);
        World { _data: Some(data), ..world }
    }

    pub(crate) fn on(data: &TestStore) -> World {
        let folder = tempfile::tempdir().unwrap();
        let store = data.open(&[MIGRATIONS]);
        let keys = Keys::create(&folder.path().join("keys")).unwrap();
        let env = env(7);
        let mut people = Vec::new();
        for bucket in store.buckets().all().take(2) {
            let here: Vec<PersonId> = (0..4).map(|_| env.id(bucket)).collect();
            people.extend_from_slice(&here);
            let keys = keys.clone();
            store
                .write(bucket, move |tx| seal::create_data_keys(tx, &keys, &here).map(drop))
                .unwrap_or_else(|error: TrustError| panic!("{error}"));
        }
        World { store, keys, people, folder, _data: None }
    }

    /// The same folder, keys and people over other data.
    pub(crate) fn with_store(self, store: Store) -> World {
        World { store, ..self }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn bucket_of(&self, who: PersonId) -> kaname_store::Bucket {
        person::bucket_of(who, self.store.buckets())
    }

    /// A unit of work in the bucket of `who`.
    pub(crate) fn unit<T: Send + 'static>(
        &self,
        who: PersonId,
        work: impl for<'u> Fn(&mut kaname_store::Tx<'u>, &Keys, &Env) -> Result<T, TrustError> + Send + 'static,
    ) -> Result<T, TrustError> {
        let (keys, env) = (self.keys.clone(), env(8));
        self.store.write(self.bucket_of(who), move |tx| work(tx, &keys, &env.again()))
    }

    /// One statement of an attacker who has the database but not the program, in the bucket of `who`.
    pub(crate) fn tamper(&self, who: PersonId, sql: &'static str, args: &[i64]) -> u64 {
        let args = args.to_vec();
        self.store
            .write(self.bucket_of(who), move |tx| {
                let args: Vec<_> = args.iter().copied().map(Value::Int).collect();
                tx.change(sql, &args)
            })
            .unwrap_or_else(|error: StoreError| panic!("{error}"))
    }

    pub(crate) fn seal(&self, who: PersonId, text: &str) -> Vec<u8> {
        let note = Note(text.to_owned());
        self.unit(who, move |tx, keys, _| Ok(seal::data_key(tx, keys, who)?.seal(&note).bytes().to_vec()))
            .unwrap()
    }

    /// Opens `sealed` as a `T` of `who`, with a receipt of her.
    pub(crate) fn open<T: Record + Send + 'static>(
        &self,
        who: PersonId,
        sealed: &[u8],
    ) -> Result<T, TrustError> {
        let sealed = sealed.to_vec();
        self.unit(who, move |tx, keys, env| {
            let receipt = access::record(tx, keys, env, &reading(who, &Actor::resident()))?;
            Sealed::<T>::from_bytes(&sealed).open(&receipt)?.of(who)
        })
    }

    /// One reading of each person, `times` over.
    pub(crate) fn read_all(&self, times: usize) {
        for _ in 0..times {
            for half in self.people.chunks(4) {
                let here = half.to_vec();
                self.unit(half[0], move |tx, keys, env| {
                    let actor = Actor::program("test", "tester");
                    let all: Vec<_> = here.iter().map(|who| reading(*who, &actor)).collect();
                    access::record_many(tx, keys, env, &all).map(drop)
                })
                .unwrap();
            }
        }
    }

    pub(crate) fn log(&self) -> Log {
        self.log_in("log")
    }

    pub(crate) fn log_in(&self, folder: &str) -> Log {
        Log::open(self.store.clone(), &self.keys, &self.path(folder), ORIGIN).unwrap()
    }
}

/// The time and seed of a test; people are made with seed 7.
pub(crate) fn env(seed: u8) -> Env {
    Env::new(Instant::from_seconds(1_800_000_000), [seed; 32])
}

pub(crate) fn reading(person: PersonId, actor: &Actor) -> Access<'_> {
    Access { person, actor, purpose: "test", basis: "test-act", fields: &["name", "address"] }
}

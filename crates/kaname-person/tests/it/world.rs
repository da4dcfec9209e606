//! What most tests need: a deployment with a pack, keys and a store.

use std::path::{Path, PathBuf};

use kaname_base::pack::Pack;
use kaname_base::{Env, Instant};
use kaname_person::import::{Import, Mapping, Progress, Report, import};
use kaname_person::register::{Register, register};
use kaname_person::show::Asking;
use kaname_person::{Entry, Numbers, PersonError, register as people};
use kaname_store::{Store, StoreError};
use kaname_testkit::TestStore;
use kaname_trust::{Actor, Keys, PersonId};
use tempfile::TempDir;

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) keys: Keys,
    pub(crate) pack: Pack,
    pub(crate) numbers: Numbers,
    pub(crate) folder: TempDir,
}

impl World {
    pub(crate) fn new(t: &TestStore, country: &str) -> World {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let keys = Keys::create(folder.path()).expect("new keys");
        World::with(
            t.open(&[kaname_store::jobs::MIGRATIONS, kaname_trust::MIGRATIONS, kaname_person::MIGRATIONS]),
            keys,
            country,
            folder,
        )
    }

    fn with(store: Store, keys: Keys, country: &str, folder: TempDir) -> World {
        let pack = Pack::load_shipped(country).expect("the pack is shipped");
        let numbers = Numbers::new(&keys, &pack);
        World { store, keys, pack, numbers, folder }
    }

    /// The register at a counter.
    pub(crate) fn register(&self, request: u8, entry: Entry<'_>) -> Result<PersonId, PersonError> {
        let ask = Register {
            request: [request; 16],
            entry,
            source: "town",
            by: registrar(),
            why: "birth",
            evidence: "birth report 7",
        };
        register(&self.store, &self.keys, &self.pack, &self.numbers, &env(request), &ask)
    }

    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("the file is written");
        path
    }

    pub(crate) fn import(&self, file: &Path, mapping: &Mapping, batch: usize) -> Result<Report, PersonError> {
        self.import_watched(file, mapping, batch, &mut |_| {})
    }

    pub(crate) fn import_watched(
        &self,
        file: &Path,
        mapping: &Mapping,
        batch: usize,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<Report, PersonError> {
        let rejects = rejects_of(file);
        let ask = Import { file, rejects: &rejects, mapping, by: registrar(), why: "first import", batch };
        import(&self.store, &self.keys, &self.pack, &self.numbers, &env(9), &ask, progress)
    }

    /// How many residents there are.
    pub(crate) fn count(&self) -> u64 {
        let count = |bucket| self.store.read::<_, StoreError, _>(bucket, people::count_in_bucket);
        self.store.buckets().all().map(|bucket| count(bucket).expect("counts")).sum()
    }
}

pub(crate) fn rejects_of(file: &Path) -> PathBuf {
    file.with_extension("rejects.csv")
}

pub(crate) fn env(seed: u8) -> Env {
    Env::new(Instant::from_seconds(1_790_000_000), [seed; 32])
}

pub(crate) fn registrar() -> Actor {
    officer("registrar")
}

pub(crate) fn officer(role: &str) -> Actor {
    Actor::officer("off_1", role)
}

pub(crate) fn asking(person: PersonId, role: &str, purpose: &str) -> Asking {
    Asking { person, actor: officer(role), purpose: purpose.to_owned() }
}

pub(crate) fn jane() -> Entry<'static> {
    Entry {
        reference: "A-1",
        family_name: "Smith",
        given_name: "Jane",
        birth_date: "1980-04-21",
        sex: "F",
        status: "citizen",
        postcode: "1000",
        city: "Harbour",
        address: "1 Quay Street",
        phone: "+44 20 7946 0958",
        email: "jane@example.org",
        ..Entry::default()
    }
}

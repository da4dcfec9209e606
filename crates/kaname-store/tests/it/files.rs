//! What others on the machine see of a database's files.

use std::os::unix::fs::PermissionsExt;

use kaname_store::Location;
use kaname_testkit::TestStore;

use super::{THINGS, add};

#[test]
fn only_its_owner_reads_a_database() {
    let t = TestStore::sqlite();
    let store = t.open(&[THINGS]);
    add(&t, &store, 1, 1, 1).unwrap();
    let Location::Sqlite(path) = t.config().location else { unreachable!("it is SQLite") };
    for end in ["", "-wal", "-shm"] {
        let mut file = path.clone().into_os_string();
        file.push(end);
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file:?} has {mode:o}");
    }
}

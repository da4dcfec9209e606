//! The published log: what a stop at any point leaves, and what a check from outside finds.

use std::collections::BTreeMap;
use std::path::Path;

use kaname_codec::tlog::{
    Checkpoint, Frontier, NoteSigner, Tile, TileKind, decode_entry_bundle, grow, sign_note,
};
use kaname_store::{Location, Store, StoreConfig};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::log::{check_database, verify_published};
use kaname_trust::{MIGRATIONS, TrustError};

use crate::world::{ORIGIN, World};

on_every_store!(
    each_step_continues_the_one_before,
    a_stop_between_any_two_writes_changes_nothing_in_the_end,
    publishers_at_once_make_one_log
);

/// The files of a published log by their paths, without the lock.
type Files = BTreeMap<String, Vec<u8>>;

#[test]
fn an_empty_log_is_published_and_verifies() {
    let world = World::new();
    let log = world.log();
    assert_eq!(log.publish().unwrap().size, 0);
    assert_eq!(verify_published(&world.path("log"), &log.vkey(), None).unwrap().size, 0);
    assert_eq!(check_database(&world.store, &world.path("log"), &log.vkey()).unwrap(), 0);
}

fn each_step_continues_the_one_before(data: &TestStore) {
    let world = World::on(data);
    let log = world.log();
    let mut seen = Vec::new();
    for times in [1, 3, 30, 40, 0, 1] {
        world.read_all(times);
        let published = log.publish().unwrap();
        assert_eq!(published.added, 8 * times as u64);
        assert_eq!(check_database(&world.store, &world.path("log"), &log.vkey()).unwrap(), published.size);
        seen.push((published.size, checkpoint(&world.path("log"))));
    }
    for (size, note) in &seen {
        let verified = verify_published(&world.path("log"), &log.vkey(), Some(note)).unwrap();
        assert_eq!((verified.size, verified.continues), (600, Some(*size)));
    }
}

#[test]
fn another_folder_gets_the_same_tiles_whatever_the_steps() {
    let world = World::new();
    for times in [1, 3, 30, 41] {
        world.read_all(times);
        world.log().publish().unwrap();
    }
    world.log_in("mirror").publish().unwrap();
    let (stepwise, at_once) = (files(&world.path("log")), files(&world.path("mirror")));
    assert!(at_once.len() > 5, "{:?}", at_once.keys());
    for (path, bytes) in &at_once {
        assert_eq!(stepwise.get(path), Some(bytes), "{path}");
    }
}

fn a_stop_between_any_two_writes_changes_nothing_in_the_end(data: &TestStore) {
    let world = World::on(data);
    let folder = world.path("log");
    world.read_all(20);
    world.log().publish().unwrap();
    let before = files(&folder);
    world.read_all(50);
    world.log().publish().unwrap();
    let undisturbed = files(&folder);
    let new: Vec<&String> =
        undisturbed.keys().filter(|path| path.starts_with("tile/") && !before.contains_key(*path)).collect();
    assert!(new.len() >= 5, "{new:?}");

    // From "the head moved, no tile yet" to "all tiles, no checkpoint"; each time once more with the next file half written.
    for written in 0..=new.len() {
        for half_written in [false, true] {
            let mut files_at_stop = before.clone();
            for path in &new[..written] {
                files_at_stop.insert((*path).clone(), undisturbed[*path].clone());
            }
            if half_written {
                let next = new.get(written).map_or("checkpoint", |path| path.as_str());
                let half = &undisturbed[next][..undisturbed[next].len() / 2];
                let beside = Path::new(next).with_extension("new");
                files_at_stop.insert(beside.to_str().unwrap().to_owned(), half.to_vec());
            }
            restore(&folder, &files_at_stop);
            assert_eq!(world.log().publish().unwrap().size, 560);
            assert_eq!(files(&folder), undisturbed, "stopped after {written} tiles");
        }
    }
}

#[test]
fn a_stop_before_the_first_checkpoint_changes_nothing_in_the_end() {
    let world = World::new();
    let folder = world.path("log");
    world.read_all(40);
    world.log().publish().unwrap();
    let undisturbed = files(&folder);
    let mut tiles_only = undisturbed.clone();
    tiles_only.remove("checkpoint");
    for left in [Files::new(), tiles_only] {
        restore(&folder, &left);
        world.log().publish().unwrap();
        assert_eq!(files(&folder), undisturbed);
    }
}

fn publishers_at_once_make_one_log(data: &TestStore) {
    let world = World::on(data);
    std::thread::scope(|scope| {
        for number in 0..4 {
            let folder = if number % 2 == 0 { "log" } else { "mirror" };
            let log = world.log_in(folder);
            scope.spawn(move || {
                for _ in 0..8 {
                    log.publish().unwrap();
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(|| world.read_all(20));
        }
    });
    let (log, mirror) = (world.log(), world.log_in("mirror"));
    let published = log.publish().unwrap();
    assert_eq!(published.size, 320, "every entry once");
    assert_eq!(mirror.publish().unwrap().root, published.root);
    for folder in ["log", "mirror"] {
        assert_eq!(check_database(&world.store, &world.path(folder), &log.vkey()).unwrap(), 320);
    }
}

#[test]
fn a_database_restored_from_an_old_copy_is_not_published_on_top() {
    let data = TestStore::sqlite();
    let world = World::on(&data);
    let copy = world.path("copy.sqlite");
    let Location::Sqlite(original) = data.config().location else { panic!("this one is about SQLite") };
    world.read_all(2);
    world.log().publish().unwrap();
    for end in ["", "-wal"] {
        let from = format!("{}{end}", original.display());
        std::fs::copy(from, world.path(&format!("copy.sqlite{end}"))).unwrap();
    }
    world.read_all(2);
    world.log().publish().unwrap();

    let config = StoreConfig { location: Location::Sqlite(copy), ..data.config() };
    let old = world.with_store(Store::open(&config, &[MIGRATIONS]).unwrap());
    let message = failure(old.log().publish());
    assert!(message.contains("old copy"), "{message}");
    // It goes on by itself, past the size that was published.
    old.read_all(4);
    let message = failure(old.log().publish());
    assert!(message.contains("other entries than the log published"), "{message}");
}

#[test]
fn a_change_of_the_files_is_found() {
    let attacks: [(&str, fn(&mut Vec<Vec<u8>>)); 5] = [
        ("changed", |entries| entries[3][0] ^= 1),
        ("dropped", |entries| drop(entries.remove(3))),
        ("dropped at the end", |entries| drop(entries.pop())),
        ("reordered", |entries| entries.swap(3, 4)),
        ("inserted", |entries| entries.insert(3, vec![9; 32])),
    ];
    for (what, attack) in attacks {
        let (world, vkey) = published(300);
        let folder = world.path("log");
        let genuine = checkpoint(&folder);
        let mut entries = entries_of(&folder, 304);
        attack(&mut entries);

        // Tiles that fit each other, under the genuine checkpoint.
        forge(&folder, &entries, None);
        let message = failure(verify_published(&folder, &vkey, None));
        assert!(!message.is_empty(), "{what}");
        assert!(check_database(&world.store, &folder, &vkey).is_err(), "{what}");

        // Signed with a key of the attacker's own, under the true name.
        let own = NoteSigner::from_seed(ORIGIN, &[1; 32]).unwrap();
        forge(&folder, &entries, Some(&own));
        let message = failure(verify_published(&folder, &vkey, None));
        assert!(message.contains("not to be trusted"), "{what}: {message}");

        // Signed with the true key: the log alone looks whole, and whoever saw it before, or has the database, is not fooled.
        let stolen = true_signer(&world);
        forge(&folder, &entries, Some(&stolen));
        verify_published(&folder, &vkey, None).unwrap();
        let message = failure(verify_published(&folder, &vkey, Some(&genuine)));
        assert!(message.contains("forked") || message.contains("shrank"), "{what}: {message}");
        if what != "dropped at the end" {
            assert!(check_database(&world.store, &folder, &vkey).is_err(), "{what}");
        }
    }
}

#[test]
fn one_changed_tile_is_found_in_every_place() {
    let (world, vkey) = published(300);
    let folder = world.path("log");
    let genuine = files(&folder);
    for path in genuine.keys().filter(|path| path.starts_with("tile/")) {
        for at in [0, genuine[path].len() / 2, genuine[path].len() - 1] {
            let mut changed = genuine.clone();
            changed.get_mut(path).unwrap()[at] ^= 1;
            restore(&folder, &changed);
            assert!(verify_published(&folder, &vkey, None).is_err(), "{path}, byte {at}");
        }
        let mut missing = genuine.clone();
        missing.remove(path);
        restore(&folder, &missing);
        assert!(verify_published(&folder, &vkey, None).is_err(), "{path} is missing");
    }
    restore(&folder, &genuine);
    verify_published(&folder, &vkey, None).unwrap();
}

#[test]
fn a_shrunken_log_is_found_by_whoever_saw_more() {
    let world = World::new();
    let (log, folder) = (world.log(), world.path("log"));
    world.read_all(2);
    log.publish().unwrap();
    let small = checkpoint(&folder);
    world.read_all(2);
    log.publish().unwrap();
    let large = checkpoint(&folder);
    std::fs::write(folder.join("checkpoint"), &small).unwrap();
    let message = failure(verify_published(&folder, &log.vkey(), Some(&large)));
    assert!(message.contains("shrank"), "{message}");
}

#[test]
fn a_file_without_an_end_is_not_read_to_its_end() {
    let (world, vkey) = published(8);
    let folder = world.path("log");
    let good = checkpoint(&folder);
    assert_eq!(verify_published(&folder, &vkey, None).unwrap().note, good);
    // As long as the disk says, with nothing in it.
    for path in ["checkpoint", "tile/entries/000.p/8", "tile/0/000.p/8"] {
        let (path, kept) = (folder.join(path), std::fs::read(folder.join(path)).unwrap());
        std::fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
        let message = failure(verify_published(&folder, &vkey, None));
        assert!(message.contains("longer than"), "{message}");
        std::fs::write(&path, kept).unwrap();
    }
    verify_published(&folder, &vkey, None).unwrap();
}

#[test]
fn a_checkpoint_of_another_key_or_name_is_refused() {
    let (world, vkey) = published(8);
    let folder = world.path("log");
    let entries = entries_of(&folder, 8);
    let other_key = NoteSigner::from_seed(ORIGIN, &[1; 32]).unwrap();
    assert!(verify_published(&folder, &other_key.verifier().to_vkey(), None).is_err());

    // The true key, under another name.
    let seed = world.keys.file_secret("log.key", || unreachable!("the log has its key")).unwrap();
    let other_name = NoteSigner::from_seed("other.example/log", seed.as_slice().try_into().unwrap()).unwrap();
    forge(&folder, &entries, Some(&other_name));
    assert!(verify_published(&folder, &vkey, None).is_err());

    // The true key and key name, about another log.
    let genuine = true_signer(&world);
    let about = Checkpoint::new("other.example/log", 8, [0; 32]);
    std::fs::write(folder.join("checkpoint"), sign_note(&about.to_text(), &[&genuine]).unwrap()).unwrap();
    let message = failure(verify_published(&folder, &vkey, None));
    assert!(message.contains("another log"), "{message}");
}

#[test]
fn no_changed_byte_of_a_checkpoint_passes() {
    let (world, vkey) = published(8);
    let folder = world.path("log");
    let genuine = std::fs::read(folder.join("checkpoint")).unwrap();
    for at in 0..genuine.len() {
        for bit in 0..8 {
            let mut changed = genuine.clone();
            changed[at] ^= 1 << bit;
            std::fs::write(folder.join("checkpoint"), &changed).unwrap();
            assert!(verify_published(&folder, &vkey, None).is_err(), "byte {at}, bit {bit}");
        }
    }
    for length in 0..genuine.len() {
        std::fs::write(folder.join("checkpoint"), &genuine[..length]).unwrap();
        assert!(verify_published(&folder, &vkey, None).is_err(), "{length} bytes");
    }
}

#[test]
fn a_change_of_the_database_is_found() {
    let attacks: [(&str, &[&'static str]); 12] = [
        (
            "changed",
            &["UPDATE trust_entry SET leaf = (SELECT o.leaf FROM trust_entry AS o WHERE o.bucket = $1
               AND o.place = 4) WHERE bucket = $1 AND place = 3"],
        ),
        ("dropped", &["DELETE FROM trust_entry WHERE bucket = $1 AND place = 3"]),
        ("the last one dropped", &["DELETE FROM trust_entry WHERE bucket = $1 AND place = 11"]),
        ("all dropped", &["DELETE FROM trust_entry WHERE bucket = $1"]),
        (
            "reordered",
            &[
                "UPDATE trust_entry SET place = -1 WHERE bucket = $1 AND place = 3",
                "UPDATE trust_entry SET place = 3 WHERE bucket = $1 AND place = 4",
                "UPDATE trust_entry SET place = 4 WHERE bucket = $1 AND place = -1",
            ],
        ),
        (
            "dropped and closed up",
            &[
                "DELETE FROM trust_entry WHERE bucket = $1 AND place = 3",
                "UPDATE trust_entry SET place = -place WHERE bucket = $1 AND place > 3",
                "UPDATE trust_entry SET place = -place - 1 WHERE bucket = $1 AND place < 0",
                "UPDATE trust_entry_count SET entries = entries - 1 WHERE bucket = $1",
            ],
        ),
        (
            "inserted behind the others",
            &["INSERT INTO trust_entry (bucket, place, holder, n, leaf, body)
               SELECT $1, 12, holder, 99, leaf, body FROM trust_entry WHERE bucket = $1 AND place = 0"],
        ),
        (
            "inserted for nobody",
            &["INSERT INTO trust_entry (bucket, place, holder, n, leaf, body)
               SELECT $1, 12, leaf, 1, leaf, body FROM trust_entry WHERE bucket = $1 AND place = 0"],
        ),
        ("counted down", &["UPDATE trust_holder SET entries = entries - 1 WHERE bucket = $1"]),
        ("counted from nought", &["UPDATE trust_entry SET n = 0 WHERE bucket = $1 AND n = 1"]),
        ("a person forgotten", &["DELETE FROM trust_holder WHERE bucket = $1"]),
        ("an order forgotten", &["DELETE FROM trust_log_range WHERE bucket = $1 AND first_index = 0"]),
    ];
    for (what, statements) in attacks {
        let (world, vkey) = published(24);
        for sql in statements {
            assert!(world.tamper(world.people[0], sql, &[]) > 0, "{what}");
        }
        let found = check_database(&world.store, &world.path("log"), &vkey);
        assert!(matches!(found, Err(TrustError::Log(_))), "{what}: {found:?}");
        verify_published(&world.path("log"), &vkey, None).unwrap();
    }
}

/// A world whose log has been published with at least `entries` entries, eight at a time; and its public key.
fn published(entries: usize) -> (World, String) {
    let world = World::new();
    world.read_all(entries.div_ceil(8));
    let log = world.log();
    log.publish().unwrap();
    let vkey = log.vkey();
    (world, vkey)
}

fn checkpoint(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("checkpoint")).unwrap()
}

fn true_signer(world: &World) -> NoteSigner {
    let seed = world.keys.file_secret("log.key", || unreachable!("the log has its key")).unwrap();
    NoteSigner::from_seed(ORIGIN, seed.as_slice().try_into().unwrap()).unwrap()
}

fn entries_of(folder: &Path, size: u64) -> Vec<Vec<u8>> {
    let bundles = (0..).map_while(|index| Tile::of(TileKind::Entries, index, size));
    bundles
        .flat_map(|tile| {
            let bytes = std::fs::read(folder.join(tile.path())).unwrap();
            let entries = decode_entry_bundle(&tile, &bytes).unwrap();
            entries.into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>()
        })
        .collect()
}

/// Makes all tiles anew over `entries`, and a checkpoint if there is somebody to sign it.
fn forge(folder: &Path, entries: &[Vec<u8>], signer: Option<&NoteSigner>) {
    let mut nothing =
        |tile: Tile| -> Result<Vec<u8>, TrustError> { panic!("{tile} is asked from an empty log") };
    let grown = grow(&Frontier::new(), entries, &mut nothing).unwrap();
    std::fs::remove_dir_all(folder.join("tile")).unwrap();
    for (tile, bytes) in &grown.tiles {
        let path = folder.join(tile.path());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    if let Some(signer) = signer {
        let made = Checkpoint::new(signer.verifier().name(), grown.frontier.size(), grown.frontier.root());
        let note = sign_note(&made.to_text(), &[signer]).unwrap();
        std::fs::write(folder.join("checkpoint"), note).unwrap();
    }
}

fn files(folder: &Path) -> Files {
    let mut found = Files::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(here) = folders.pop() {
        for entry in std::fs::read_dir(here).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            match path.is_dir() {
                true => folders.push(path),
                false if name == "lock" => {}
                false => drop(found.insert(name, std::fs::read(&path).unwrap())),
            }
        }
    }
    found
}

fn restore(folder: &Path, files: &Files) {
    std::fs::remove_dir_all(folder).unwrap();
    for (name, bytes) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

fn failure<T: std::fmt::Debug>(answer: Result<T, TrustError>) -> String {
    answer.expect_err("this must be found").to_string()
}

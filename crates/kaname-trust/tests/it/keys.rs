//! The key folder, and what is derived from it.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::sync::Barrier;

use kaname_base::{Env, Instant};
use kaname_trust::keys::random;
use kaname_trust::{Keys, PersonId, TrustError};

use crate::world::World;

#[test]
fn a_key_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    Keys::create(folder.path()).unwrap();
    let file = folder.path().join("master.key");
    for mode in [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let message = refused(Keys::load(folder.path()));
        assert!(message.contains("can be read by other users") && message.contains("chmod 600"), "{message}");
    }
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o400)).unwrap();
    Keys::load(folder.path()).unwrap();
}

#[test]
fn a_key_is_made_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("keys");
    let keys = Keys::create(&inner).unwrap();
    keys.file_secret("other.key", || vec![1; 32]).unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&inner), 0o700);
    assert_eq!(mode(&inner.join("master.key")), 0o600);
    assert_eq!(mode(&inner.join("other.key")), 0o600);
    assert_eq!(std::fs::read_dir(&inner).unwrap().count(), 2, "nothing is left beside the keys");
}

#[test]
fn a_key_of_another_length_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    Keys::create(folder.path()).unwrap();
    for length in [0, 31, 33] {
        std::fs::write(folder.path().join("master.key"), vec![0; length]).unwrap();
        assert!(refused(Keys::load(folder.path())).contains("not a key of 32 bytes"), "{length} bytes");
    }
}

#[test]
fn a_missing_key_is_refused_and_a_present_one_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    assert!(refused(Keys::load(folder.path())).contains("cannot read"));
    Keys::create(folder.path()).unwrap();
    let before = std::fs::read(folder.path().join("master.key")).unwrap();
    assert!(refused(Keys::create(folder.path())).contains("cannot write"));
    assert_eq!(std::fs::read(folder.path().join("master.key")).unwrap(), before);
}

#[test]
fn of_several_who_make_a_secret_at_once_one_wins_for_all() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::create(folder.path()).unwrap();
    let start = Barrier::new(8);
    let secrets: BTreeSet<Vec<u8>> = std::thread::scope(|scope| {
        let make = || {
            start.wait();
            keys.file_secret("shared.key", || random::<32>().to_vec()).unwrap().to_vec()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(secrets.len(), 1);
}

#[test]
fn the_same_folder_gives_the_same_names_and_another_gives_others() {
    let folder = tempfile::tempdir().unwrap();
    let one = Keys::create(&folder.path().join("one")).unwrap();
    let again = Keys::load(&folder.path().join("one")).unwrap();
    let other = Keys::create(&folder.path().join("other")).unwrap();
    let who = PersonId::from_bytes([3; 16]);
    assert_eq!(one.pseudonym("pay", who), again.pseudonym("pay", who));
    assert_ne!(one.pseudonym("pay", who), other.pseudonym("pay", who));
    assert_eq!(one.blind_index("pay.phone", b"1"), again.blind_index("pay.phone", b"1"));
    assert_ne!(one.blind_index("pay.phone", b"1"), other.blind_index("pay.phone", b"1"));
}

#[test]
fn a_pseudonym_is_one_to_one_and_differs_by_block() {
    let world = World::new();
    let env = Env::new(Instant::from_seconds(1_800_000_000), random());
    let bucket = world.store.buckets().home();
    let people: Vec<PersonId> = (0..5_000).map(|_| env.id(bucket)).collect();
    let mut seen = BTreeSet::new();
    for who in &people {
        for block in ["person", "pay", "signin"] {
            let name = world.keys.pseudonym(block, *who);
            assert_eq!(world.keys.person_of(block, name), *who);
            assert!(seen.insert(name), "two people, or two blocks, share a name");
        }
    }
    assert!(people.iter().all(|who| !seen.contains(who.bytes())), "a name is not the id itself");
}

#[test]
fn two_blind_indexes_share_nothing() {
    let world = World::new();
    let values: BTreeSet<_> = ["person.number", "signin.number", "person.phone"]
        .into_iter()
        .flat_map(|label| (0_u32..1_000).map(move |n| (label, n.to_be_bytes())))
        .map(|(label, value)| world.keys.blind_index(label, &value))
        .collect();
    assert_eq!(values.len(), 3_000);
}

#[test]
fn a_wrapped_secret_needs_its_context() {
    let world = World::new();
    let wrapped = world.keys.wrap(b"signin.totp", b"secret");
    assert_eq!(world.keys.unwrap(b"signin.totp", &wrapped).unwrap().as_slice(), b"secret");
    assert!(matches!(world.keys.unwrap(b"signin.code", &wrapped), Err(TrustError::BrokenSeal)));
    assert!(matches!(world.keys.unwrap(b"signin.totp", &wrapped[1..]), Err(TrustError::BrokenSeal)));
}

#[test]
fn what_unwraps_secrets_does_not_unwrap_data_keys() {
    let world = World::new();
    let who = world.people[0];
    let holder = world.keys.pseudonym("trust", who);
    let wrapped = world.unit(who, move |tx, _, _| {
        let sql = "SELECT wrapped FROM trust_holder WHERE bucket = $1 AND holder = $2";
        let row = tx.row(sql, &[kaname_store::Value::from(&holder)])?.unwrap();
        Ok(row.bytes(0)?.to_vec())
    });
    let unwrapped = world.keys.unwrap(&holder, &wrapped.unwrap());
    assert!(matches!(unwrapped, Err(TrustError::BrokenSeal)), "a data key was had without a receipt");
}

fn refused(loaded: Result<Keys, TrustError>) -> String {
    loaded.err().expect("the key is refused").to_string()
}

#[test]
fn a_handout_comes_back_whole_or_not_at_all() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let keys = Keys::create(folder.path()).unwrap();
    let handout = keys.hand_out(b"a purpose", b"what was handed out");
    assert_eq!(handout.len(), b"what was handed out".len() + 40);
    assert_eq!(keys.take_back(b"a purpose", &handout).unwrap().as_slice(), b"what was handed out");
    assert_ne!(handout, keys.hand_out(b"a purpose", b"what was handed out"), "each has a key of its own");
    assert!(keys.take_back(b"another purpose", &handout).is_none());
    let others = Keys::create(other.path()).unwrap();
    assert!(others.take_back(b"a purpose", &handout).is_none());
    for at in 0..handout.len() {
        let mut changed = handout.clone();
        changed[at] ^= 1;
        assert!(keys.take_back(b"a purpose", &changed).is_none(), "changed at {at}");
        assert!(keys.take_back(b"a purpose", &handout[..at]).is_none(), "cut at {at}");
    }
    // What is wrapped for keeping is not a handout, nor the other way round.
    assert!(keys.take_back(b"a purpose", &keys.wrap(b"a purpose", b"secret")).is_none());
    assert!(keys.unwrap(b"a purpose", &handout).is_err());
}

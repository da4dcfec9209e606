//! A seal opens for its person, its kind and unchanged, or not at all.

use kaname_store::{StoreError, Value};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::{Actor, Record, Sealed, TrustError, access, seal};
use serde::{Deserialize, Serialize};

use crate::world::{Note, World, reading};

on_every_store!(
    a_seal_put_into_anothers_row_does_not_open,
    a_data_key_put_into_anothers_row_does_not_unwrap,
    a_key_is_made_once_and_kept
);

/// The same shape as a [`Note`], of another kind: what a confused block would open by mistake.
#[derive(Debug, Serialize, Deserialize)]
struct Other(String);

impl Record for Other {
    const KIND: &'static str = "test.other";
}

/// A kind and a person's bytes must not run into each other: `test.note` and `test.not` + `e…` differ.
#[derive(Debug, Serialize, Deserialize)]
struct Prefix(String);

impl Record for Prefix {
    const KIND: &'static str = "test.not";
}

#[test]
fn what_was_sealed_opens_with_a_receipt() {
    let world = World::new();
    let who = world.people[0];
    let sealed = world.seal(who, "山田 花子");
    assert_eq!(world.open::<Note>(who, &sealed).unwrap(), Note("山田 花子".to_owned()));
    assert!(!sealed.windows(6).any(|part| part == "山田".as_bytes()), "the text stands in the seal");
}

#[test]
fn no_changed_bit_opens() {
    let world = World::new();
    let who = world.people[0];
    let sealed = world.seal(who, "x");
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut changed = sealed.clone();
            changed[at] ^= 1 << bit;
            assert!(is_broken(world.open::<Note>(who, &changed)), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn no_shorter_or_longer_seal_opens() {
    let world = World::new();
    let who = world.people[0];
    let sealed = world.seal(who, "x");
    for length in 0..sealed.len() {
        assert!(is_broken(world.open::<Note>(who, &sealed[..length])), "{length} bytes");
        assert!(is_broken(world.open::<Note>(who, &sealed[sealed.len() - length..])), "last {length} bytes");
    }
    assert!(is_broken(world.open::<Note>(who, &[&sealed[..], b"\0"].concat())));
}

fn a_seal_put_into_anothers_row_does_not_open(data: &TestStore) {
    let world = World::on(data);
    let (hers, his) = (world.people[0], world.people[1]);
    let sealed = world.seal(hers, "x");
    assert!(is_broken(world.open::<Note>(his, &sealed)));
    assert!(is_broken(world.open::<Note>(world.people[5], &sealed)), "of another bucket");
}

#[test]
fn a_seal_of_one_kind_does_not_open_as_another() {
    let world = World::new();
    let who = world.people[0];
    let sealed = world.seal(who, "x");
    assert!(is_broken(world.open::<Other>(who, &sealed)));
    assert!(is_broken(world.open::<Prefix>(who, &sealed)));
}

#[test]
fn halves_of_two_seals_do_not_make_a_third() {
    let world = World::new();
    let who = world.people[0];
    let (one, two) = (world.seal(who, "one"), world.seal(who, "two"));
    for cut in [12, one.len() / 2, one.len() - 16] {
        let spliced = [&one[..cut], &two[cut..]].concat();
        assert!(is_broken(world.open::<Note>(who, &spliced)), "cut at {cut}");
    }
}

#[test]
fn the_same_record_never_seals_to_the_same_bytes() {
    let world = World::new();
    let who = world.people[0];
    assert_ne!(world.seal(who, "x"), world.seal(who, "x"));
}

fn a_data_key_put_into_anothers_row_does_not_unwrap(data: &TestStore) {
    let world = World::on(data);
    let who = world.people[0];
    let holder = world.keys.pseudonym("trust", who);
    // Hers only: SQLite changes row after row, and the second would read from the first what came from itself.
    let changed = world.store.write::<_, StoreError, _>(world.bucket_of(who), move |tx| {
        tx.change(
            "UPDATE trust_holder SET wrapped = (SELECT o.wrapped FROM trust_holder AS o WHERE o.bucket = $1
             AND o.holder <> $2 ORDER BY o.holder LIMIT 1) WHERE bucket = $1 AND holder = $2",
            &[Value::from(&holder)],
        )
    });
    assert_eq!(changed.unwrap(), 1);
    assert!(is_broken(world.unit(who, move |tx, keys, _| seal::data_key(tx, keys, who).map(drop))));
}

fn a_key_is_made_once_and_kept(data: &TestStore) {
    let world = World::on(data);
    let who = world.people[0];
    let sealed = world.seal(who, "before");
    let (first, second) = (world.people[0], world.people[1]);
    let again = world.unit(who, move |tx, keys, _| {
        let made = seal::create_data_keys(tx, keys, &[first, second])?;
        Ok(made[0].seal(&Note("after".to_owned())).bytes().to_vec())
    });
    assert_eq!(world.open::<Note>(who, &again.unwrap()).unwrap().0, "after");
    assert_eq!(world.open::<Note>(who, &sealed).unwrap().0, "before");
}

#[test]
fn what_is_opened_leaves_only_to_its_own_person() {
    let world = World::new();
    let (hers, his) = (world.people[0], world.people[1]);
    let sealed = world.seal(hers, "x");
    let left = world.unit(hers, move |tx, keys, env| {
        let receipt = access::record(tx, keys, env, &reading(hers, &Actor::resident()))?;
        Sealed::<Note>::from_bytes(&sealed).open(&receipt)?.of(his)
    });
    assert!(matches!(left, Err(TrustError::WrongSubject)), "{left:?}");
}

fn is_broken<T>(opened: Result<T, TrustError>) -> bool {
    matches!(opened, Err(TrustError::BrokenSeal))
}

//! No receipt without an entry, no entry without its unit of work, and each person's entries count without a gap.

use kaname_store::{StoreError, Value};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::{Access, Actor, Mandate, PersonId, Sealed, TrustError, access};

use crate::world::{Note, World, env, reading};

on_every_store!(
    a_unit_that_refuses_leaves_no_entry,
    a_unit_that_crashes_leaves_no_entry,
    a_unit_that_only_reads_gets_no_receipt,
    one_unknown_person_leaves_all_of_a_batch_unrecorded,
    entries_count_without_a_gap_however_many_read_at_once
);

#[test]
fn a_receipt_for_one_person_does_not_open_anothers_record() {
    let world = World::new();
    let (hers, his) = (world.people[0], world.people[1]);
    let sealed = world.seal(hers, "x");
    let opened = world.unit(his, move |tx, keys, env| {
        let receipt = access::record(tx, keys, env, &reading(his, &Actor::resident()))?;
        Sealed::<Note>::from_bytes(&sealed).open(&receipt)?.of(hers)
    });
    assert!(matches!(opened, Err(TrustError::BrokenSeal)), "{opened:?}");
}

#[test]
fn a_mandate_for_one_person_reads_nothing_of_another() {
    let world = World::new();
    let (hers, his) = (world.people[0], world.people[1]);
    let mother = move || {
        let scope = vec!["see-data".to_owned()];
        Actor::delegate(Mandate::for_person(hers, "man_1".to_owned(), "parent".to_owned(), scope))
    };
    let refused = world.unit(his, move |tx, keys, env| {
        access::record(tx, keys, env, &reading(his, &mother())).map(|receipt| receipt.number())
    });
    assert!(matches!(refused, Err(TrustError::WrongSubject)), "{refused:?}");

    let shown = world.unit(hers, move |tx, keys, env| {
        let receipt = access::record(tx, keys, env, &reading(hers, &mother()))?;
        access::entries(tx, keys, &receipt, 10)
    });
    let actor = shown.unwrap().remove(0).actor;
    let mandate = actor.mandate.expect("the entry names the mandate");
    assert_eq!((mandate.id.as_str(), mandate.kind.as_str()), ("man_1", "parent"));
    assert_eq!(mandate.scope, ["see-data"]);
    // What was kept lets nobody act again.
    assert!(!mandate.is_for(hers));
}

#[test]
fn an_entry_says_who_why_and_what() {
    let world = World::new();
    let who = world.people[0];
    let shown = world.unit(who, move |tx, keys, env| {
        let actor = Actor::officer("off_1", "registrar");
        let asked = Access {
            person: who,
            actor: &actor,
            purpose: "correction",
            basis: "register-act-12",
            fields: &["name"],
        };
        let receipt = access::record(tx, keys, env, &asked)?;
        assert_eq!((receipt.person(), receipt.number()), (who, 1));
        access::entries(tx, keys, &receipt, 10)
    });
    let shown = shown.unwrap();
    assert_eq!(shown.len(), 1);
    assert_eq!((shown[0].n, shown[0].at), (1, env(8).now));
    assert_eq!((shown[0].actor.id.as_str(), shown[0].actor.role.as_str()), ("off_1", "registrar"));
    assert_eq!((shown[0].purpose.as_str(), shown[0].basis.as_str()), ("correction", "register-act-12"));
    assert_eq!(shown[0].fields, ["name"]);
}

#[test]
fn the_order_in_which_people_are_asked_about_is_not_kept() {
    let places = |turned: bool| {
        let world = World::new();
        let mut people: Vec<PersonId> = world.people[..4].to_vec();
        // As another block's table has them.
        people.sort_by_key(|person| world.keys.pseudonym("other", *person));
        if turned {
            people.reverse();
        }
        let asked = people.clone();
        let holders = world.unit(people[0], move |tx, keys, env| {
            let actor = Actor::resident();
            let asked: Vec<Access<'_>> = asked.iter().map(|person| reading(*person, &actor)).collect();
            let receipts = access::record_many(tx, keys, env, &asked)?;
            let of: Vec<PersonId> = receipts.iter().map(|receipt| receipt.person()).collect();
            assert_eq!(of, asked.iter().map(|access| access.person).collect::<Vec<_>>());
            let rows = tx.query("SELECT holder FROM trust_entry WHERE bucket = $1 ORDER BY place", &[])?;
            Ok(rows.iter().map(|row| row.bytes(0).unwrap().to_vec()).collect::<Vec<_>>())
        });
        holders.unwrap()
    };
    for turned in [false, true] {
        let holders = places(turned);
        assert!(holders.len() == 4 && holders.is_sorted(), "turned: {turned}");
    }
}

fn a_unit_that_refuses_leaves_no_entry(data: &TestStore) {
    let world = World::on(data);
    let who = world.people[0];
    let refused: Result<(), TrustError> = world.unit(who, move |tx, keys, env| {
        access::record(tx, keys, env, &reading(who, &Actor::resident()))?;
        Err(TrustError::WrongSubject)
    });
    assert!(matches!(refused, Err(TrustError::WrongSubject)));
    assert_eq!(counted(&world, who), (0, 0));
    world.read_all(1);
    assert_eq!(counted(&world, who), (1, 1));
}

fn a_unit_that_crashes_leaves_no_entry(data: &TestStore) {
    let world = World::on(data);
    let who = world.people[0];
    let crashed: Result<(), TrustError> = world.unit(who, move |tx, keys, env| {
        access::record(tx, keys, env, &reading(who, &Actor::resident()))?;
        panic!("half-way, as this test wants it");
    });
    assert!(matches!(crashed, Err(TrustError::Store(StoreError::Crashed))), "{crashed:?}");
    assert_eq!(counted(&world, who), (0, 0));
}

fn a_unit_that_only_reads_gets_no_receipt(data: &TestStore) {
    let world = World::on(data);
    let (who, keys, env) = (world.people[0], world.keys.clone(), env(8));
    let read: Result<(), TrustError> = world.store.read(world.bucket_of(who), move |tx| {
        access::record(tx, &keys, &env, &reading(who, &Actor::resident())).map(drop)
    });
    assert!(matches!(read, Err(TrustError::Store(_))), "{read:?}");
    assert_eq!(counted(&world, who), (0, 0));
}

fn one_unknown_person_leaves_all_of_a_batch_unrecorded(data: &TestStore) {
    let world = World::on(data);
    let known = world.people[0];
    let stranger: PersonId = env(9).id(world.bucket_of(known));
    let recorded = world.unit(known, move |tx, keys, env| {
        let actor = Actor::resident();
        access::record_many(tx, keys, env, &[reading(known, &actor), reading(stranger, &actor)]).map(drop)
    });
    assert!(matches!(recorded, Err(TrustError::NoSuchHolder)), "{recorded:?}");
    assert_eq!(counted(&world, known), (0, 0));
}

fn entries_count_without_a_gap_however_many_read_at_once(data: &TestStore) {
    let world = World::on(data);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| world.read_all(10));
        }
    });
    for who in world.people.clone() {
        assert_eq!(counted(&world, who), (80, 80), "{who}");
        let seen = world.unit(who, move |tx, keys, env| {
            let receipt = access::record(tx, keys, env, &reading(who, &Actor::resident()))?;
            access::entries(tx, keys, &receipt, 1_000)
        });
        let numbers: Vec<i64> = seen.unwrap().iter().map(|entry| entry.n).collect();
        assert_eq!(numbers, (1..=81).rev().collect::<Vec<_>>());
    }
}

#[test]
fn the_newest_entries_are_shown_first_and_no_more_than_asked() {
    let world = World::new();
    world.read_all(5);
    let who = world.people[0];
    let seen = world.unit(who, move |tx, keys, env| {
        let receipt = access::record(tx, keys, env, &reading(who, &Actor::resident()))?;
        access::entries(tx, keys, &receipt, 3)
    });
    assert_eq!(seen.unwrap().iter().map(|entry| entry.n).collect::<Vec<_>>(), [6, 5, 4]);
}

#[test]
fn a_person_is_not_shown_a_history_with_an_entry_missing_or_exchanged() {
    let attacks: [(&str, &'static str); 6] = [
        ("one in the middle dropped", "DELETE FROM trust_entry WHERE bucket = $1 AND n = 2"),
        ("the oldest dropped", "DELETE FROM trust_entry WHERE bucket = $1 AND n = 1"),
        (
            "one shown twice",
            "UPDATE trust_entry SET body = (SELECT o.body FROM trust_entry AS o WHERE o.bucket = $1
             AND o.holder = trust_entry.holder AND o.n = 1) WHERE bucket = $1 AND n = 2",
        ),
        (
            "one replaced with its commitment",
            "UPDATE trust_entry SET
             body = (SELECT o.body FROM trust_entry AS o WHERE o.bucket = $1
                     AND o.holder = trust_entry.holder AND o.n = 1),
             leaf = (SELECT o.leaf FROM trust_entry AS o WHERE o.bucket = $1
                     AND o.holder = trust_entry.holder AND o.n = 1) WHERE bucket = $1 AND n = 2",
        ),
        (
            "a commitment exchanged",
            "UPDATE trust_entry SET leaf = (SELECT o.leaf FROM trust_entry AS o WHERE o.bucket = $1
             AND o.holder = trust_entry.holder AND o.n = 1) WHERE bucket = $1 AND n = 2",
        ),
        ("a gap hidden", "UPDATE trust_entry SET n = 0 WHERE bucket = $1 AND n = 1"),
    ];
    for (what, sql) in attacks {
        let world = World::new();
        world.read_all(3);
        let who = world.people[0];
        assert!(world.tamper(who, sql, &[]) > 0, "{what}");
        let seen = world.unit(who, move |tx, keys, env| {
            let receipt = access::record(tx, keys, env, &reading(who, &Actor::resident()))?;
            access::entries(tx, keys, &receipt, 100).map(|entries| entries.len())
        });
        assert!(matches!(seen, Err(TrustError::BrokenEntry(_))), "{what}: {seen:?}");
    }
}

/// How many entries a person's count says, and how many rows there are.
fn counted(world: &World, who: PersonId) -> (i64, i64) {
    let holder = world.keys.pseudonym("trust", who);
    let counts = world.unit(who, move |tx, _, _| {
        let one = |row: Option<kaname_store::Row>| row.unwrap().int(0);
        let args = [Value::from(&holder)];
        let said = tx.row("SELECT entries FROM trust_holder WHERE bucket = $1 AND holder = $2", &args)?;
        let rows = tx.row("SELECT COUNT(*) FROM trust_entry WHERE bucket = $1 AND holder = $2", &args)?;
        Ok((one(said)?, one(rows)?))
    });
    counts.unwrap()
}

//! Somebody who can write to the database, or holds a receipt for one person, gets nothing of another.

use kaname_person::show::{number_with, open_resident, resident_with, reveal_number};
use kaname_person::{Entry, PersonError, Refusal, Resident};
use kaname_store::{StoreError, Value};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::person::bucket_of;
use kaname_trust::{Access, PersonId, Sealed, TrustError, access, seal};

use crate::numbers::reveal;
use crate::world::{World, asking, env, jane, registrar};

on_every_store!(a_swapped_seal_is_refused, a_receipt_opens_one_person, a_swapped_directory_row_finds_nobody);

/// Two people of one bucket.
fn neighbours(w: &World) -> (PersonId, PersonId) {
    let first = w.register(1, jane()).expect("registers");
    let bucket = bucket_of(first, w.store.buckets());
    let near = (2..).find_map(|n| {
        let reference = format!("A-{n}");
        let person = w.register(n, Entry { reference: &reference, ..jane() }).expect("registers");
        (bucket_of(person, w.store.buckets()) == bucket).then_some(person)
    });
    (first, near.expect("with 8 buckets somebody comes soon"))
}

fn a_swapped_seal_is_refused(t: &TestStore) {
    let w = World::new(t, "example");
    let (victim, thief) = neighbours(&w);
    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    w.store
        .write::<_, PersonError, _>(bucket_of(victim, w.store.buckets()), move |tx| {
            let ask = asking(thief, "registrar", "registration");
            open_resident(tx, &keys, &pack, &env(1), &ask, &["name"])?;
            let read = "SELECT sealed FROM person_record WHERE bucket = $1 AND id = $2 AND part = 1";
            let sealed = tx.row(read, &[Value::from(&victim)])?.expect("a row").bytes(0)?.to_vec();
            let write = "UPDATE person_record SET sealed = $3 WHERE bucket = $1 AND id = $2 AND part = 1";
            tx.change_one(write, &[Value::from(&thief), Value::from(&sealed)])?;
            let opened = open_resident(tx, &keys, &pack, &env(1), &ask, &["name"]);
            assert!(matches!(opened, Err(PersonError::Trust(TrustError::BrokenSeal))));

            // Her own number's seal where her record should be is another kind, and does not open either.
            let read = "SELECT sealed FROM person_record WHERE bucket = $1 AND id = $2 AND part = 2";
            let number = tx.row(read, &[Value::from(&thief)])?.expect("a row").bytes(0)?.to_vec();
            tx.change_one(write, &[Value::from(&thief), Value::from(&number)])?;
            let opened = open_resident(tx, &keys, &pack, &env(1), &ask, &["name"]);
            assert!(matches!(opened, Err(PersonError::Trust(TrustError::BrokenSeal))));
            // A number of somebody else, pointed at from her row, is not hers.
            let point =
                "UPDATE person_record SET number_index = $3 WHERE bucket = $1 AND id = $2 AND part = 1";
            let read = "SELECT number_index FROM person_record WHERE bucket = $1 AND id = $2 AND part = 1";
            let index = tx.row(read, &[Value::from(&victim)])?.expect("a row").bytes(0)?.to_vec();
            tx.change_one(point, &[Value::from(&thief), Value::from(&index)])?;
            let shown = reveal_number(tx, &keys, &pack, &env(1), &ask);
            assert!(matches!(shown, Err(PersonError::Refused(Refusal::NoSuchResident))));
            Ok(())
        })
        .expect("works");
}

fn a_receipt_opens_one_person(t: &TestStore) {
    let w = World::new(t, "example");
    let (victim, thief) = neighbours(&w);
    let keys = w.keys.clone();
    w.store
        .write::<_, PersonError, _>(bucket_of(victim, w.store.buckets()), move |tx| {
            let actor = registrar();
            let access = Access {
                person: thief,
                actor: &actor,
                purpose: "registration",
                basis: "law",
                fields: &["name"],
            };
            let receipt = access::record(tx, &keys, &env(1), &access)?;
            assert!(!resident_with(tx, &receipt)?.particulars.reference.is_empty());
            number_with(tx, &receipt)?;
            let read = "SELECT sealed FROM person_record WHERE bucket = $1 AND id = $2 AND part = 1";
            let sealed = tx.row(read, &[Value::from(&victim)])?.expect("a row").bytes(0)?.to_vec();
            let opened = Sealed::<Resident>::from_bytes(&sealed).open(&receipt);
            assert!(matches!(opened, Err(TrustError::BrokenSeal)));
            let own = tx.row(read, &[Value::from(&thief)])?.expect("a row").bytes(0)?.to_vec();
            let opened = Sealed::<Resident>::from_bytes(&own).open(&receipt)?;
            assert!(matches!(opened.of(victim), Err(TrustError::WrongSubject)));
            // Erased, she cannot be opened by anybody.
            seal::erase(tx, &keys, victim)?;
            let access = Access { person: victim, ..access };
            let erased = access::record(tx, &keys, &env(1), &access);
            assert!(matches!(erased, Err(TrustError::NoSuchHolder)));
            Ok(())
        })
        .expect("works");
}

fn a_swapped_directory_row_finds_nobody(t: &TestStore) {
    let w = World::new(t, "example");
    let (victim, thief) = neighbours(&w);
    let number = reveal(&w, victim);
    let swap = "UPDATE person_number SET id = $2 WHERE bucket = $1 AND id = $3";
    let swapped = w.store.buckets().all().map(|bucket| {
        let values = move |tx: &mut kaname_store::Tx<'_>| {
            tx.change(swap, &[Value::from(&thief), Value::from(&victim)])
        };
        w.store.write::<_, StoreError, _>(bucket, values).expect("works")
    });
    assert_eq!(swapped.sum::<u64>(), 1);
    let found = crate::aliases::found(&w, &env(2), number.as_str(), &registrar(), 1);
    assert_eq!(found, None, "the person's own bucket has the last word");
}

//! Two requests for two people at the same instant never mix: many threads look up, register, move and marry people at once over the
//! real store, and every answer is held against the one it must be.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::civil::date;
use kaname_base::number::PersonNumber;
use kaname_base::{Env, Instant};
use kaname_person::event::{Change, NewEvent, record_event};
use kaname_person::number::find_by_number;
use kaname_person::register::{Register, register};
use kaname_person::show::{open_resident, reveal_number};
use kaname_person::{Entry, PersonError};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::PersonId;
use kaname_trust::person::bucket_of;

use crate::events::address;
use crate::world::{World, asking, jane, registrar};

on_every_store!(people_are_never_mixed);

const PEOPLE: u64 = 64;
const THREADS: u64 = 16;
const STEPS: u64 = 200;

/// What is known of one resident from outside, by which every answer is judged.
struct Known {
    person: PersonId,
    number: PersonNumber,
    reference: String,
}

fn people_are_never_mixed(t: &TestStore) {
    let w = World::new(t, "example");
    let known: Vec<Known> = (0..PEOPLE).map(|n| enter(&w, n, n)).collect();
    let (looked, entered, moved) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (w, known, looked, entered, moved) = (&w, &known, &looked, &entered, &moved);
            scope.spawn(move || {
                for step in 0..STEPS {
                    let seed = 1_000 + thread * STEPS + step;
                    // A walk of its own for each thread, so that any two are at any two people at some time.
                    let at = &known[((step * (2 * thread + 1) + thread) % PEOPLE) as usize];
                    match step % 20 {
                        7 => {
                            look_up(w, seed, &enter(w, seed, seed));
                            entered.fetch_add(1, Ordering::Relaxed);
                        }
                        13 => {
                            move_to_her_own(w, seed, at);
                            moved.fetch_add(1, Ordering::Relaxed);
                        }
                        _ => {
                            look_up(w, seed, at);
                            looked.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    let (looked, entered) = (looked.into_inner(), entered.into_inner());
    assert_eq!((looked, entered, moved.into_inner()), (THREADS * STEPS * 18 / 20, THREADS * STEPS / 20, 160));
    assert_eq!(w.count(), PEOPLE + entered);
    // Nobody ended with another's address, whoever moved beside her.
    for one in &known {
        let line = w.open(one.person).particulars.address.line;
        assert!(line == "1 Quay Street" || line.starts_with(&one.reference), "{line}");
    }
    w.check_is_sound();
}

fn at(seed: u64) -> Env {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    Env::new(Instant::from_seconds(1_790_000_000), bytes)
}

fn request(seed: u64) -> [u8; 16] {
    let mut request = [9; 16];
    request[..8].copy_from_slice(&seed.to_le_bytes());
    request
}

/// Registers somebody and learns her number.
fn enter(w: &World, n: u64, seed: u64) -> Known {
    let reference = format!("P-{n}");
    let entry = Entry { reference: &reference, family_name: &reference, ..jane() };
    let (by, why, evidence) = (registrar(), "birth", "birth report 7");
    let ask = Register { request: request(seed), entry, source: "town", by, why, evidence };
    let person = register(&w.store, &w.keys, &w.pack, &w.numbers, &at(seed), &ask).expect("registers");
    let (keys, pack, asking) = (w.keys.clone(), w.pack.clone(), asking(person, "registrar", "registration"));
    let number = w.store.write::<_, PersonError, _>(bucket_of(person, w.store.buckets()), move |tx| {
        reveal_number(tx, &keys, &pack, &at(seed), &asking)
    });
    Known { person, number: number.expect("reveals"), reference }
}

/// By number to the person, and to her record: nobody else's.
fn look_up(w: &World, seed: u64, known: &Known) {
    let found = find_by_number(&w.store, &w.keys, &registrar(), &known.number).expect("looks");
    assert_eq!(found, Some(known.person));
    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    let asking = asking(known.person, "registrar", "registration");
    let opened = w.store.write::<_, PersonError, _>(bucket_of(known.person, w.store.buckets()), move |tx| {
        open_resident(tx, &keys, &pack, &at(seed), &asking, &["name"])
    });
    let particulars = opened.expect("opens").particulars;
    assert_eq!((&particulars.reference, &particulars.name.family), (&known.reference, &known.reference));
}

/// Moves her to an address that names her. Two who do it at once are two moves, one after the other.
fn move_to_her_own(w: &World, seed: u64, known: &Known) {
    let line = format!("{} road {seed}", known.reference);
    let (why, evidence) = ("report".to_owned(), "paper".to_owned());
    let change = Change::Move { address: address(&line) };
    let (person, on, by) = (known.person, date(2025, 1, 1), registrar());
    let ask = NewEvent { request: request(seed), person, change, on, by, why, evidence };
    record_event(&w.store, &w.keys, &w.pack, &at(seed), &ask).expect("moves");
}

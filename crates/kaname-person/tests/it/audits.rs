//! The audit: what is wrong is found once, what changed is looked at and nothing else, and officers settle what was found.

use std::sync::Arc;

use kaname_person::audit::{Audit, Audited, Counters, Kind, audit, count, open, settle};
use kaname_person::link::Desk;
use kaname_person::link::LinkState;
use kaname_person::link::file::{CheckFile, LinkMapping, check_file};
use kaname_person::link::holder::linked_to;
use kaname_person::show::Asking;
use kaname_person::{Entry, PersonError, Refusal};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::Actor;

use crate::world::{World, env, jane, officer, rejects_of};

on_every_store!(
    a_link_whose_evidence_has_changed_is_found_once,
    one_person_who_stands_twice_is_found,
    only_what_changed_is_looked_at,
);

const HEADER: &str = "reference,family_name,given_name,birth_date,sex,postcode,city,address\n";
const JANE: &str = "H-0001,Smith,Jane,1980-04-21,F,1000,Harbour,1 Quay Street\n";

fn desk(w: &World) -> Desk {
    Desk::new(w.store.clone(), w.keys.clone(), Arc::new(w.pack.clone()))
}

fn check(w: &World, name: &str, rows: &str) {
    let file = w.file(name, format!("{HEADER}{rows}"));
    let (rejects, mapping) = (rejects_of(&file), LinkMapping::own());
    let by = officer("registrar");
    let ask = CheckFile {
        source: "health-insurer",
        file: &file,
        rejects: &rejects,
        mapping: &mapping,
        by,
        batch: 10,
    };
    check_file(&desk(w), &env(20), &ask, &mut |_| {}).expect("the list is checked");
}

fn run(w: &World, seed: u8, full: bool) -> Audited {
    let ask = Audit { by: Actor::program("audit", "auditor"), full };
    audit(&desk(w), &env(seed), &ask, &mut |_| {}).expect("the audit runs")
}

fn kinds(w: &World) -> Vec<Kind> {
    let found = open(&desk(w), &officer("auditor"), 100).expect("findings");
    found.into_iter().map(|finding| finding.kind).filter(|kind| *kind != Kind::CounterPattern).collect()
}

fn a_link_whose_evidence_has_changed_is_found_once(t: &TestStore) {
    let w = World::new(t, "example");
    let jane_id = w.register(1, jane()).expect("registered");
    check(&w, "list.csv", JANE);
    run(&w, 30, false);
    assert_eq!(kinds(&w), []);
    // The insurer has another address by now; the person is the same, the evidence is thinner than the pack demands.
    check(&w, "moved.csv", "H-0001,Smith,Jane,1980-04-21,F,2000,Hill,77 Long Lane\n");
    assert_eq!(run(&w, 31, false).opened, 1);
    assert_eq!(kinds(&w), [Kind::EvidenceChanged]);
    assert_eq!(run(&w, 32, true).new_findings, 0, "found once");

    let auditor = officer("auditor");
    let finding = open(&desk(&w), &auditor, 100)
        .expect("findings")
        .into_iter()
        .find(|finding| finding.kind == Kind::EvidenceChanged)
        .expect("the finding");
    assert_eq!(finding.people, [jane_id]);
    let say = |is_error| settle(&desk(&w), &env(33), &auditor, finding.id, is_error, "asked her");
    say(true).expect("settled");
    assert!(matches!(say(true), Err(PersonError::Refused(Refusal::NoSuchFinding))));
    let links = linked_to(&desk(&w), &env(34), &Asking::herself(jane_id)).expect("her links");
    assert_eq!(links[0].state, LinkState::Suspended, "what is confirmed is suspended, and its clock runs");
    let counts = count(&desk(&w)).expect("counts");
    assert_eq!(counts["evidence-changed"], [0, 1, 0]);
}

fn one_person_who_stands_twice_is_found(t: &TestStore) {
    let w = World::new(t, "example");
    w.register(1, jane()).expect("registered");
    w.register(2, Entry { reference: "A-2", phone: "", ..jane() }).expect("registered");
    w.register(3, Entry { reference: "A-3", given_name: "Ann", birth_date: "2011-02-01", ..jane() })
        .expect("registered");
    assert_eq!(run(&w, 30, true).people, 3);
    assert_eq!(kinds(&w), [Kind::SamePersonTwice]);
    let auditor = officer("auditor");
    for finding in open(&desk(&w), &auditor, 100).expect("findings") {
        settle(&desk(&w), &env(31), &auditor, finding.id, false, "twins").expect("dismissed");
    }
    run(&w, 32, true);
    assert_eq!(kinds(&w), [], "what was dismissed stays so");
    assert!(matches!(
        open(&desk(&w), &officer("payments"), 100),
        Err(PersonError::Refused(Refusal::NotAllowed { .. }))
    ));
}

fn only_what_changed_is_looked_at(t: &TestStore) {
    let w = World::new(t, "example");
    for n in 0..6u8 {
        let (reference, born) = (format!("P-{n}"), format!("19{}-03-11", 50 + n));
        w.register(10 + n, Entry { reference: &reference, birth_date: &born, ..jane() }).expect("registered");
    }
    assert_eq!(run(&w, 30, false).opened, 6);
    assert_eq!(run(&w, 31, false).opened, 0);
    w.register(20, jane()).expect("registered");
    assert_eq!(run(&w, 32, false).opened, 1, "who is new");
    check(&w, "list.csv", JANE);
    assert_eq!(run(&w, 33, false).opened, 1, "whose links changed");
    assert_eq!(run(&w, 34, true).opened, 7, "everybody");
}

#[test]
fn counters_that_are_faster_than_people_are_told() {
    let start = env(1).now;
    let mut counters = Counters::default();
    for n in 0..30 {
        counters.note("off_slow", start.plus_seconds(n * 300));
        counters.note("off_fast", start.plus_seconds(n * 4));
    }
    counters.note("off_twice", start);
    counters.note("off_twice", start.plus_seconds(3));
    let told: Vec<(String, &str)> =
        counters.unusual().into_iter().map(|(officer, word, _)| (officer, word)).collect();
    let expected = [
        ("off_fast", "many-in-a-minute"),
        ("off_fast", "two-people-at-once"),
        ("off_twice", "two-people-at-once"),
    ];
    assert_eq!(told, expected.map(|(officer, word)| (officer.to_owned(), word)));
}

//! The audit: what is wrong is found once, what changed is looked at and nothing else, and officers settle what was found.

use std::sync::Arc;

use kaname_base::Env;
use kaname_person::audit::{Act, Audit, Audited, Counters, Kind, audit, count, open, raise_patterns, settle};
use kaname_person::event::{Change, Corrected, NewEvent, record_event};
use kaname_person::link::LinkState;
use kaname_person::link::file::{CheckFile, LinkMapping, check_file};
use kaname_person::link::holder::linked_to;
use kaname_person::link::{Desk, account};
use kaname_person::show::Asking;
use kaname_person::{Entry, Field, PersonError, Refusal};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::{Actor, PersonId};

use crate::world::{World, env, jane, officer, rejects_of};

on_every_store!(
    a_link_whose_evidence_has_changed_is_found_once,
    one_person_who_stands_twice_is_found,
    only_what_changed_is_looked_at,
    twins_are_not_one_person_and_no_rivals,
    a_linked_account_is_held_against_its_bank_and_the_payments,
    corrections_and_links_are_counted_too,
    what_officers_did_is_counted_across_audits,
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
    run_asking(w, seed, full, &|_, _| None)
}

fn run_asking(w: &World, seed: u8, full: bool, holder: &dyn Fn(&str, &str) -> Option<String>) -> Audited {
    let by = Actor::program("audit", "auditor");
    let (desk, env) = (desk(w), env(seed));
    let ask = Audit { by: by.clone(), full, holder };
    let mut audited = audit(&desk, &env, &ask, &mut |_| {}).expect("the audit runs");
    audited.new_findings += raise_patterns(&desk, &env, &by, Counters::before(env.now)).expect("patterns");
    audited
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
    let silent = settle(&desk(&w), &env(33), &auditor, finding.id, true, " ");
    assert!(matches!(silent, Err(PersonError::Refused(Refusal::ReasonMissing))));
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

/// Twins share the day, the family name and the address, and are two.
fn twins_are_not_one_person_and_no_rivals(t: &TestStore) {
    let w = World::new(t, "example");
    w.register(1, jane()).expect("registered");
    check(&w, "list.csv", JANE);
    w.register(2, Entry { reference: "A-2", given_name: "Thomasina", phone: "", email: "", ..jane() })
        .expect("registered");
    run(&w, 30, true);
    assert_eq!(kinds(&w), []);
    // Her namesake in the same house is another matter.
    w.register(3, Entry { reference: "A-3", phone: "", email: "", ..jane() }).expect("registered");
    run(&w, 31, true);
    let found = kinds(&w);
    assert!(found.contains(&Kind::SamePersonTwice) && found.contains(&Kind::RivalAppeared), "{found:?}");
}

/// An account that is linked to one resident: her bank says whose it is now, and who else is paid on it is told.
fn a_linked_account_is_held_against_its_bank_and_the_payments(t: &TestStore) {
    let w = World::new(t, "example");
    let jane_id = w.register(1, jane()).expect("registered");
    let other =
        w.register(2, Entry { reference: "A-2", birth_date: "1950-01-01", ..jane() }).expect("registered");
    let file = w.file("accounts.csv", format!("{HEADER}9901-1234567{}", &JANE["H-0001".len()..]));
    let (rejects, mapping) = (rejects_of(&file), LinkMapping::own());
    let by = officer("registrar");
    let ask = CheckFile {
        source: account::SOURCE,
        file: &file,
        rejects: &rejects,
        mapping: &mapping,
        by,
        batch: 10,
    };
    let done = check_file(&desk(&w), &env(20), &ask, &mut |_| {}).expect("checked").progress;
    assert_eq!(done.linked, 1);

    let asked = std::cell::RefCell::new(Vec::new());
    let holder = |bank: &str, number: &str| {
        asked.borrow_mut().push(format!("{bank} {number}"));
        Some("SMITH JANE".to_owned())
    };
    run_asking(&w, 30, true, &holder);
    assert_eq!(kinds(&w), []);
    assert_eq!(*asked.borrow(), ["9901 1234567"], "the bank is asked for this account and no other");
    run_asking(&w, 31, true, &|_, _| Some("TANAKA HANAKO".to_owned()));
    assert_eq!(kinds(&w), [Kind::HolderDiffers]);

    let (desk, auditor) = (desk(&w), officer("auditor"));
    let paid = |person| [(person, account::reference_of("9901", "1234567"))];
    let shared = |person| account::linked_to_others(&desk, &auditor, &paid(person)).expect("looked up");
    assert!(shared(jane_id).is_empty(), "she is paid on her own account");
    let links = linked_to(&desk, &env(34), &Asking::herself(jane_id)).expect("her links");
    assert_eq!(shared(other), [(other, jane_id, links[0].id)]);
    assert!(account::linked_to_others(&desk, &officer("payments"), &paid(other)).is_err());
}

/// What officers correct and decide about links is counted like what they enter.
fn corrections_and_links_are_counted_too(t: &TestStore) {
    let w = World::new(t, "example");
    let start = env(1).now;
    let mut people = Vec::new();
    for n in 0..2u8 {
        let reference = format!("P-{n}");
        let born = format!("19{}-03-11", 50 + n);
        people.push(
            w.register(10 + n, Entry { reference: &reference, birth_date: &born, ..jane() })
                .expect("registered"),
        );
    }
    for (n, person) in people.iter().enumerate() {
        let set = vec![Corrected { field: Field::Sex, text: "M".to_owned() }];
        let ask = NewEvent {
            request: [40 + n as u8; 16],
            person: *person,
            change: Change::Correction { set },
            on: start.date_in("UTC"),
            by: Actor::officer("off_hasty", "registrar"),
            why: "typing error".to_owned(),
            evidence: "birth certificate".to_owned(),
        };
        let later = Env::new(start.plus_seconds(n as i64), [50 + n as u8; 32]);
        record_event(&w.store, &w.keys, &w.pack, &later, &ask).expect("corrected");
    }
    run(&w, 30, true);
    let found = open(&desk(&w), &officer("auditor"), 100).expect("findings");
    let detail: Vec<&str> = found.iter().map(|finding| finding.detail.as_str()).collect();
    assert!(
        detail.iter().any(|text| text.starts_with("correction two-people-at-once off_hasty")),
        "{detail:?}"
    );
}

/// Each audit opens one of the two people; together they are a pattern, told once.
fn what_officers_did_is_counted_across_audits(t: &TestStore) {
    let w = World::new(t, "example");
    let start = env(1).now;
    let correct = |n: u8, born: &str, seconds: i64| {
        let reference = format!("P-{n}");
        let entry = Entry { reference: &reference, birth_date: born, ..jane() };
        let person = w.register(10 + n, entry).expect("registered");
        let ask = NewEvent {
            request: [40 + n; 16],
            person,
            change: Change::Correction { set: vec![Corrected { field: Field::Sex, text: "M".to_owned() }] },
            on: start.date_in("UTC"),
            by: Actor::officer("off_hasty", "registrar"),
            why: "typing error".to_owned(),
            evidence: "birth certificate".to_owned(),
        };
        let at = Env::new(start.plus_seconds(seconds), [50 + n; 32]);
        record_event(&w.store, &w.keys, &w.pack, &at, &ask).expect("corrected");
    };
    let patterns = || {
        let found = open(&desk(&w), &officer("auditor"), 100).expect("findings");
        let hasty = |text: &String| text.starts_with("correction two-people-at-once off_hasty");
        found.into_iter().map(|finding| finding.detail).filter(hasty).count()
    };
    correct(0, "1950-03-11", 0);
    assert_eq!((run(&w, 30, false).opened, patterns()), (1, 0), "one correction is no pattern");
    correct(1, "1951-03-11", 3);
    assert_eq!((run(&w, 31, false).opened, patterns()), (1, 1), "the first one was not forgotten");
    run(&w, 32, true);
    assert_eq!(patterns(), 1, "seen again, nothing counts twice");
}

#[test]
fn counters_that_are_faster_than_people_or_busier_than_usual_are_told() {
    let start = env(1).now;
    let mut counters = Counters::before(start.plus_seconds(30 * 86_400));
    let mut who = 0_u128;
    let mut note = |act, officer: &str, seconds| {
        who += 1;
        counters.note(act, officer, PersonId::from_bytes(who.to_be_bytes()), start.plus_seconds(seconds));
    };
    for n in 0..30 {
        note(Act::Registration, "off_slow", n * 300);
        note(Act::Registration, "off_fast", n * 4);
    }
    note(Act::Registration, "off_twice", 0);
    note(Act::Registration, "off_twice", 3);
    // Fifty accounts on one day, where others register ten.
    for n in 0..50 {
        note(Act::Account, "off_busy", n * 60);
    }
    for (day, officer) in
        [(1, "off_slow"), (1, "off_fast"), (2, "off_slow"), (3, "off_busy"), (4, "off_slow"), (5, "off_slow")]
    {
        for n in 0..10 {
            note(Act::Account, officer, day * 86_400 + n * 60);
        }
    }
    note(Act::Link, "off_old", -100 * 86_400);
    note(Act::Link, "off_old", -100 * 86_400 + 1);
    let office_of = [("off_busy", "north"), ("off_slow", "south"), ("off_fast", "south")];
    let office_of = office_of.map(|(officer, office)| (officer.to_owned(), office.to_owned()));
    let told = counters.unusual(&office_of.into());
    let told: Vec<(Act, &str, &str)> =
        told.iter().map(|pattern| (pattern.act, pattern.who.as_str(), pattern.word)).collect();
    let expected = [
        (Act::Registration, "off_fast", "many-in-a-minute"),
        (Act::Registration, "off_fast", "two-people-at-once"),
        (Act::Registration, "off_twice", "two-people-at-once"),
        (Act::Account, "north", "busy-office"),
        (Act::Account, "off_busy", "many-in-a-day"),
    ];
    assert_eq!(told, expected);
}

//! The audit: what is wrong is found once, what changed is looked at and nothing else, and officers settle what was found.

use std::sync::Arc;

use jiff::civil::date;
use kaname_base::Env;
use kaname_person::audit::{
    About, Act, Audit, Audited, Counters, Finding, Kind, audit, count, open, open_one, raise_patterns, settle,
};
use kaname_person::event::check::check as check_events;
use kaname_person::event::{Change, Corrected, NewEvent, record_event};
use kaname_person::link::LinkState;
use kaname_person::link::file::{CheckFile, LinkMapping, check_file};
use kaname_person::link::holder::linked_to;
use kaname_person::link::{Desk, account};
use kaname_person::show::{Asking, access_log};
use kaname_person::{Entry, Field, PersonError, Refusal, RelationKind};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::person::bucket_of;
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
    what_two_people_cannot_be_to_each_other_is_found,
    a_finding_is_opened_with_a_line_in_the_log_of_each,
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

/// What was recorded when it was possible, and is not any more: a corrected date of birth, a law that changed, a death of which the other
/// side was never told.
fn what_two_people_cannot_be_to_each_other_is_found(t: &TestStore) {
    let w = World::new(t, "example");
    let born = |request, reference, date| {
        let entry =
            Entry { reference, birth_date: date, given_name: reference, phone: "", email: "", ..jane() };
        w.register(request, entry).expect("registers")
    };
    let mother = born(1, "Ann", "1950-01-01");
    let child = born(2, "Bea", "1980-01-01");
    let husband = born(3, "Carl", "1951-01-01");
    let other = born(4, "Dan", "1952-01-01");
    let on = date(2000, 5, 1);
    let is_child = Change::RelationBegins { relation: RelationKind::Child, to: child };
    w.record(&w.event(10, mother, on, is_child)).expect("she is her child");
    w.record(&w.event(11, mother, on, Change::Marriage { with: husband, names: None })).expect("married");
    w.work();
    run(&w, 30, true);
    assert_eq!(kinds(&w), [], "all of it is possible");
    w.check_is_sound();

    let later = Corrected { field: Field::BirthDate, text: "1990-01-01".to_owned() };
    w.record(&w.event(12, mother, on, Change::Correction { set: vec![later] })).expect("corrected");
    w.work();
    run(&w, 31, false);
    let words = |w: &World| {
        let found = open(&desk(w), &officer("auditor"), 100).expect("findings");
        let of = found.into_iter().filter(|finding| finding.kind == Kind::ImpossibleRelation);
        let mut words: Vec<String> = of.map(|finding| finding.detail).collect();
        words.sort();
        words
    };
    // She was ten when she married; the child is older than she.
    assert_eq!(words(&w), ["married-as-child", "parent-younger"]);
    assert_eq!(run(&w, 32, true).new_findings, 0, "from both sides it is one finding");
    let found = check_events(&w.store, &w.keys, &w.pack, &env(9), &officer("auditor")).expect("checks");
    let mut checked: Vec<&str> = found.impossible_relations.iter().map(|(_, word, _)| *word).collect();
    checked.sort_unstable();
    assert_eq!(checked, ["married-as-child", "parent-younger"]);
    assert!(!found.is_sound() && found.half.is_empty() && found.differ.is_empty(), "{found:?}");

    // Two at once, under a law that allowed it; and a death that only her own book knows.
    let mut lax = w;
    lax.pack.person.marriage.spouses = 2;
    let second = Change::Marriage { with: other, names: None };
    lax.record(&lax.event(13, husband, date(2010, 5, 1), second)).expect("the law allows it");
    lax.work();
    lax.record(&lax.event(14, other, date(2015, 5, 1), Change::Death)).expect("dies");
    run(&lax, 33, true);
    assert_eq!(words(&lax), ["married-as-child", "other-dead", "parent-younger"]);
    lax.pack.person.marriage.spouses = 1;
    run(&lax, 34, true);
    assert_eq!(words(&lax), ["married-as-child", "other-dead", "parent-younger", "too-many-spouses"]);
    lax.work();
    let found = check_events(&lax.store, &lax.keys, &lax.pack, &env(9), &officer("auditor")).expect("checks");
    let dead = found.impossible_relations.iter().any(|(_, word, _)| *word == "other-dead");
    assert!(!dead, "told of it, his side has ended: {found:?}");
}

fn a_finding_is_opened_with_a_line_in_the_log_of_each(t: &TestStore) {
    let w = World::new(t, "example");
    let one = w.register(1, jane()).expect("registered");
    let other = w.register(2, Entry { reference: "A-2", phone: "", ..jane() }).expect("registered");
    run(&w, 30, true);
    let finding = open(&desk(&w), &officer("auditor"), 100)
        .expect("findings")
        .into_iter()
        .find(|finding| finding.kind == Kind::SamePersonTwice)
        .expect("the finding");
    let lines = |person| {
        let (keys, pack) = (w.keys.clone(), w.pack.clone());
        let log = w.store.write::<_, PersonError, _>(bucket_of(person, w.store.buckets()), move |tx| {
            access_log(tx, &keys, &pack, &env(40), &Asking::herself(person), 50)
        });
        log.expect("her log").into_iter().filter(|line| line.fields.len() == 7).count()
    };
    let before = (lines(one), lines(other));
    let opened = open_one(&desk(&w), &env(31), &officer("registrar"), finding.id).expect("opens");
    let mut people: Vec<PersonId> = opened.people.iter().map(|(person, _)| *person).collect();
    people.sort_unstable();
    let mut both = [one, other];
    both.sort_unstable();
    assert_eq!(people, both);
    let evidence = opened.evidence.expect("what speaks for it");
    assert!(evidence.agrees.iter().any(|field| field == "birth_date"), "{:?}", evidence.agrees);
    assert_eq!((lines(one), lines(other)), (before.0 + 1, before.1 + 1));
    let payer = open_one(&desk(&w), &env(31), &officer("payments"), finding.id);
    assert!(matches!(payer, Err(PersonError::Refused(Refusal::NotAllowed { .. }))));

    settle(&desk(&w), &env(32), &officer("auditor"), finding.id, false, "twins").expect("dismissed");
    let again = open_one(&desk(&w), &env(33), &officer("registrar"), finding.id);
    assert!(matches!(again, Err(PersonError::Refused(Refusal::NoSuchFinding))), "settled");
}

#[test]
fn a_pattern_is_told_in_parts() {
    let finding = |kind, detail: &str| Finding {
        id: [0; 16],
        kind,
        people: Vec::new(),
        link: None,
        detail: detail.to_owned(),
        found_at: env(1).now,
    };
    let pattern = finding(Kind::CounterPattern, "correction two-people-at-once off_1 day 20000");
    let About::Pattern { act, word, who, day } = pattern.about() else { panic!("{:?}", pattern.about()) };
    assert_eq!((act, word, who), ("correction", "two-people-at-once", "off_1"));
    assert_eq!(day.date_in("UTC"), date(2024, 10, 4));
    assert_eq!(finding(Kind::EvidenceChanged, "version 3").about(), About::Nothing);
    assert_eq!(finding(Kind::ImpossibleDate, "dead-before-born").about(), About::Word("dead-before-born"));
    assert_eq!(finding(Kind::SamePersonTwice, "").about(), About::Nothing);
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

//! Outside records: linked with evidence, decided by two officers, refused by their holder, undone with everything that came of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use kaname_base::{Env, Instant};
use kaname_person::link::check::{Check, Outcome, OutsideRow, check_rows};
use kaname_person::link::disclose::{ReadThrough, read_through};
use kaname_person::link::file::{CheckFile, LinkMapping, check_file};
use kaname_person::link::holder::{Held, confirm, linked_to};
use kaname_person::link::incident::{ESCALATE, Report, escalate, open_incidents, report};
use kaname_person::link::recall::{RECALL, acknowledge, notices, recall};
use kaname_person::link::review::{Decide, Decided, decide, open, waiting};
use kaname_person::link::rules::Shown;
use kaname_person::link::sever::{Settle, note_issued, settle};
use kaname_person::link::statistics::figures;
use kaname_person::link::{Desk, Doubt, LinkState};
use kaname_person::show::Asking;
use kaname_person::{Entry, PersonError, Refusal};
use kaname_store::StoreError;
use kaname_store::jobs::{self, Worker};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::{Actor, ActorKind, PersonId, access};

use crate::world::{World, env, jane, officer, rejects_of};

on_every_store!(
    what_a_source_demands_is_linked_and_nothing_else,
    the_same_list_twice_changes_nothing,
    a_list_that_was_cut_off_goes_on_where_it_was,
    two_plausible_residents_are_decided_by_two_officers,
    a_wrong_link_is_undone_with_all_that_came_of_it,
    a_report_that_nobody_settles_goes_up_by_itself,
    a_record_whose_agency_says_otherwise_is_suspended,
);

const HEADER: &str = "reference,number,family_name,given_name,birth_date,sex,postcode,city,address\n";

fn desk(w: &World) -> Desk {
    Desk::new(w.store.clone(), w.keys.clone(), Arc::new(w.pack.clone()))
}

fn named(officer_id: &str, role: &str) -> Actor {
    Actor { id: officer_id.to_owned(), ..officer(role) }
}

fn check(w: &World, name: &str, rows: &str, batch: usize) -> kaname_person::link::file::Report {
    let file = w.file(name, format!("{HEADER}{rows}"));
    let rejects = rejects_of(&file);
    let mapping = LinkMapping::own();
    let ask = CheckFile {
        source: "health-insurer",
        file: &file,
        rejects: &rejects,
        mapping: &mapping,
        by: named("off_1", "registrar"),
        batch,
    };
    check_file(&desk(w), &env(20), &ask, &mut |_| {}).expect("the list is checked")
}

fn held(w: &World, person: PersonId) -> Vec<Held> {
    linked_to(&desk(w), &env(21), &Asking::herself(person)).expect("she sees what is linked to her")
}

/// Does what is due at `now`; tells how many jobs were done.
fn work(w: &World, now: Instant) -> u64 {
    let desk = desk(w);
    let handler = |job: &jobs::Job| {
        let env = Env::new(now, [33; 32]);
        let done = match job.kind.as_str() {
            ESCALATE => escalate(&desk, &env, job),
            RECALL => recall(&desk, &env, job),
            other => panic!("an unknown job: {other}"),
        };
        done.map_err(|error| {
            eprintln!("{error}");
            jobs::JobError::Later("failed")
        })
    };
    let round = Worker::new(w.store.clone()).round(&|| now, &handler).expect("a round of work");
    assert_eq!(round.failed, 0);
    round.done
}

fn jane_and_john(w: &World) -> (PersonId, PersonId) {
    let jane_id = w.register(1, jane()).expect("registered");
    let john = Entry { reference: "A-2", given_name: "John", sex: "M", birth_date: "1979-12-02", ..jane() };
    (jane_id, w.register(2, john).expect("registered"))
}

const JANE: &str = "H-0001,,Smith,Jane,1980-04-21,F,1000,Harbour,1 Quay Street\n";
const JANE_ELSEWHERE: &str = "H-0009,,Smith,Jane,1980-04-21,F,2000,Hill,77 Long Lane\n";

fn what_a_source_demands_is_linked_and_nothing_else(t: &TestStore) {
    let w = World::new(t, "example");
    let (jane_id, _) = jane_and_john(&w);
    let rows = format!(
        "{JANE}{JANE_ELSEWHERE}\
         H-0002,,Nobody,Here,1955-01-01,M,9999,Nowhere,5 Void\n\
         H-0003,,Smith,Jane,1980-02-30,F,1000,Harbour,1 Quay Street\n\
         H-0001,,Smith,Jane,1980-04-21,F,1000,Harbour,1 Quay Street\n"
    );
    let done = check(&w, "list.csv", &rows, 100).progress;
    assert_eq!((done.linked, done.review, done.refused, done.rejected), (1, 1, 1, 2));
    let links = held(&w, jane_id);
    assert_eq!(links.len(), 1);
    assert_eq!((links[0].state, links[0].source.as_str()), (LinkState::Active, "health-insurer"));
    assert_eq!(links[0].reference_end, "001", "only the end of the agency's id is shown");
    let rejects = std::fs::read_to_string(w.folder.path().join("list.rejects.csv")).expect("rejects");
    let codes: Vec<&str> = rejects.lines().skip(1).filter_map(|line| line.split(',').nth(2)).collect();
    assert_eq!(codes, ["no-such-day", "duplicate"]);

    let desk = desk(&w);
    let cases = waiting(&desk, &named("off_1", "registrar"), 10).expect("cases");
    assert_eq!(cases.len(), 1);
    assert_eq!(cases[0].doubt, Doubt::FieldDiffers, "the address is another: a namesake, or she moved");
    assert!(matches!(
        waiting(&desk, &named("off_1", "payments"), 10),
        Err(PersonError::Refused(Refusal::NotAllowed { .. }))
    ));

    // Her log says that she was compared, and for which source.
    let keys = w.keys.clone();
    let entries = w.store.write::<_, PersonError, _>(
        kaname_trust::person::bucket_of(jane_id, w.store.buckets()),
        move |tx| {
            let actor = Actor::resident();
            let access = access::Access {
                person: jane_id,
                actor: &actor,
                purpose: "own-access",
                basis: "",
                fields: &[],
            };
            let receipt = access::record(tx, &keys, &env(40), &access)?;
            Ok(access::entries(tx, &keys, &receipt, 100)?)
        },
    );
    let entries = entries.expect("entries");
    let compared =
        entries.iter().filter(|entry| entry.purpose == "record-linking" && entry.actor.id != "link-index");
    assert!(compared.clone().count() >= 1);
    assert!(compared.clone().all(|entry| entry.fields.contains(&"health-insurer".to_owned())));
}

fn the_same_list_twice_changes_nothing(t: &TestStore) {
    let w = World::new(t, "example");
    let (jane_id, _) = jane_and_john(&w);
    let rows = format!("{JANE}{JANE_ELSEWHERE}H-0002,,Nobody,Here,1955-01-01,M,9999,Nowhere,5 Void\n");
    let first = check(&w, "list.csv", &rows, 2);
    let again = check(&w, "list.csv", &rows, 2);
    assert!(again.nothing_new && !first.nothing_new);
    assert_eq!(again.progress, first.progress);
    // The same rows in another file: known, but for the one that was nobody's, who may have come since.
    let other = check(&w, "other.csv", &format!("{rows}\n"), 100).progress;
    assert_eq!((other.linked, other.review, other.refused, other.already), (0, 0, 1, 2));
    assert_eq!(held(&w, jane_id).len(), 1);
    let linked = figures(&desk(&w)).expect("figures");
    let insurer = linked.iter().find(|figures| figures.source == "health-insurer").expect("the source");
    assert_eq!(insurer.total.linked, Shown::Few, "one link is not shown in public");
    assert_eq!(insurer.total.wrong, Shown::Exactly(0));
}

fn a_list_that_was_cut_off_goes_on_where_it_was(t: &TestStore) {
    let w = World::new(t, "example");
    let people: Vec<(PersonId, String)> = (0..12)
        .map(|n| {
            let (reference, given, line) =
                (format!("P-{n}"), format!("Given{}", ["a", "ee", "o", "u"][n % 4]), format!("{n} Road"));
            let born = format!("19{}-0{}-11", 50 + n, 1 + n % 9);
            let entry = Entry {
                reference: &reference,
                given_name: &given,
                birth_date: &born,
                address: &line,
                phone: "",
                email: "",
                ..jane()
            };
            let person = w.register(50 + n as u8, entry).expect("registered");
            (person, format!("H-{n},,Smith,{given},{born},F,1000,Harbour,{line}\n"))
        })
        .collect();
    let rows: String = people.iter().map(|(_, row)| row.as_str()).collect();
    let file = w.file("list.csv", format!("{HEADER}{rows}"));
    let (rejects, mapping) = (rejects_of(&file), LinkMapping::own());
    let ask = CheckFile {
        source: "health-insurer",
        file: &file,
        rejects: &rejects,
        mapping: &mapping,
        by: named("off_1", "registrar"),
        batch: 2,
    };
    let mut stops = 0;
    for stop_after in 1..=2 {
        let mut batches = 0;
        let cut = catch_unwind(AssertUnwindSafe(|| {
            check_file(&desk(&w), &env(20), &ask, &mut |_| {
                batches += 1;
                assert!(batches < stop_after, "cut off");
            })
        }));
        stops += i32::from(cut.is_err());
    }
    assert_eq!(stops, 2, "it was cut off twice");
    let done = check_file(&desk(&w), &env(20), &ask, &mut |_| {}).expect("goes on");
    assert_eq!((done.progress.linked, done.progress.review), (12, 0));
    for (person, _) in &people {
        assert_eq!(held(&w, *person).len(), 1);
    }
}

fn two_plausible_residents_are_decided_by_two_officers(t: &TestStore) {
    let w = World::new(t, "example");
    let jane_id = w.register(1, jane()).expect("registered");
    // Her namesake, born on the same day, in the same house.
    let other = w.register(2, Entry { reference: "A-2", ..jane() }).expect("registered");
    let done = check(&w, "list.csv", JANE, 100).progress;
    assert_eq!((done.linked, done.review), (0, 1), "no machine decides between two");
    let desk = desk(&w);
    let (first, second) = (named("off_1", "registrar"), named("off_2", "registrar"));
    let case = waiting(&desk, &first, 10).expect("cases").remove(0);
    assert_eq!((case.doubt, case.candidates), (Doubt::SeveralPlausible, 2));
    let opened = open(&desk, &env(22), &first, case.id).expect("opened");
    assert_eq!(opened.candidates.len(), 2);
    assert_eq!(opened.record.reference, "H-0001");

    let say = |by: &Actor, choice| {
        decide(&desk, &env(23), &Decide { id: case.id, choice, by: by.clone(), why: "asked the insurer" })
    };
    assert_eq!(say(&first, Some(other)).expect("proposed"), Decided::Proposed);
    assert!(matches!(say(&first, Some(other)), Err(PersonError::Refused(Refusal::OwnDecision))));
    assert!(held(&w, other).is_empty(), "one pair of eyes links nobody");
    let stranger =
        w.register(3, Entry { reference: "A-3", birth_date: "1950-01-01", ..jane() }).expect("registered");
    assert!(matches!(say(&second, Some(stranger)), Err(PersonError::Refused(Refusal::NoSuchCandidate))));
    assert_eq!(say(&second, Some(other)).expect("done"), Decided::Done);
    assert!(matches!(say(&second, Some(other)), Err(PersonError::Refused(Refusal::NoSuchCase))));

    // What officers decided counts when its holder says so.
    let link = held(&w, other).remove(0);
    assert_eq!(link.state, LinkState::Proposed);
    let through = ReadThrough {
        source: "health-insurer",
        reference: "H-0001",
        by: named("off_1", "registrar"),
        purpose: "registration",
        fields: &["name"],
    };
    assert!(matches!(
        read_through(&desk, &env(24), &through),
        Err(PersonError::Refused(Refusal::NoSuchLink))
    ));
    confirm(&desk, &env(25), &Actor::resident(), other, link.id).expect("confirmed");
    assert_eq!(held(&w, other)[0].state, LinkState::Active);
    let (person, _, _) = read_through(&desk, &env(26), &through).expect("read");
    assert_eq!(person, other);
    assert!(held(&w, jane_id).is_empty());
}

fn a_wrong_link_is_undone_with_all_that_came_of_it(t: &TestStore) {
    let w = World::new(t, "example");
    let (jane_id, _) = jane_and_john(&w);
    check(&w, "list.csv", JANE, 100);
    let desk = desk(&w);
    let link = held(&w, jane_id).remove(0);
    let by = named("off_7", "help-desk");
    let through = ReadThrough {
        source: "health-insurer",
        reference: "H-0001",
        by: by.clone(),
        purpose: "help-desk",
        fields: &["name", "birth_date"],
    };
    for seed in 26..28 {
        read_through(&desk, &env(seed), &through).expect("read");
    }
    let registrar = named("off_2", "registrar");
    note_issued(&desk, &env(28), &registrar, jane_id, link.id, "card", "C-1").expect("noted");

    // One click, and nothing is read through it any more.
    let says = Report { person: jane_id, link: link.id, by: Actor::resident(), why: "not-mine".to_owned() };
    report(&desk, &env(29), &says).expect("reported");
    report(&desk, &env(30), &says).expect("twice is once");
    assert_eq!(held(&w, jane_id)[0].state, LinkState::Suspended);
    assert!(matches!(
        read_through(&desk, &env(31), &through),
        Err(PersonError::Refused(Refusal::NoSuchLink))
    ));
    let incidents = open_incidents(&desk, &registrar, 10).expect("incidents");
    assert_eq!(incidents.len(), 1);
    assert_eq!((incidents[0].person, incidents[0].reporter), (jane_id, ActorKind::Resident));

    let undo = |by: &Actor| {
        let why = "the insurer mixed up two people".to_owned();
        settle(&desk, &env(32), &Settle { person: jane_id, link: link.id, wrong: true, by: by.clone(), why })
    };
    assert!(matches!(undo(&named("off_1", "registrar")), Err(PersonError::Refused(Refusal::OwnDecision))));
    undo(&registrar).expect("undone");
    assert!(open_incidents(&desk, &registrar, 10).expect("incidents").is_empty(), "its clock stands still");
    assert_eq!(work(&w, env(32).now), 1, "the recall; the clock is not due");
    let undone = held(&w, jane_id).remove(0);
    assert_eq!(undone.state, LinkState::Severed);
    assert_eq!(undone.readers.len(), 1);
    assert_eq!((undone.readers[0].actor.id.as_str(), undone.readers[0].times), ("off_7", 2));
    let told = notices(&desk, &registrar, "off_7", 10).expect("notices");
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].1.reference.as_str(), told[0].1.source.as_str()), ("H-0001", "health-insurer"));
    assert!(acknowledge(&desk, &registrar, "off_7", told[0].0).expect("taken"));
    assert!(notices(&desk, &registrar, "off_7", 10).expect("notices").is_empty());

    // The record is free for whoever it belongs to.
    let again = check(&w, "again.csv", &format!("{JANE}\n"), 100).progress;
    assert_eq!((again.linked, again.already), (1, 0));
}

fn a_report_that_nobody_settles_goes_up_by_itself(t: &TestStore) {
    let w = World::new(t, "example");
    let (jane_id, _) = jane_and_john(&w);
    check(&w, "list.csv", JANE, 100);
    let desk = desk(&w);
    let link = held(&w, jane_id).remove(0);
    let says = Report { person: jane_id, link: link.id, by: Actor::resident(), why: "not-mine".to_owned() };
    report(&desk, &env(29), &says).expect("reported");
    let start = env(29).now;
    let auditor = named("off_3", "auditor");
    assert_eq!(work(&w, start.plus_seconds(23 * 3_600)), 0, "the pack gives 24 hours");
    for level in 1..=3 {
        assert_eq!(work(&w, start.plus_seconds(level * 26 * 3_600)), 1);
        let incident = open_incidents(&desk, &auditor, 10).expect("incidents").remove(0);
        assert_eq!((incident.level, incident.escalated_to.as_deref()), (level, Some("auditor")));
    }
    let by = named("off_2", "registrar");
    settle(
        &desk,
        &env(32),
        &Settle { person: jane_id, link: link.id, wrong: false, by, why: "hers".to_owned() },
    )
    .expect("reinstated");
    assert_eq!(held(&w, jane_id)[0].state, LinkState::Active);
    assert_eq!(work(&w, start.plus_seconds(90 * 86_400)), 1, "the last deadline comes, and finds it settled");
    assert_eq!(work(&w, start.plus_seconds(900 * 86_400)), 0);
}

fn a_record_whose_agency_says_otherwise_is_suspended(t: &TestStore) {
    let w = World::new(t, "example");
    let (jane_id, john_id) = jane_and_john(&w);
    check(&w, "list.csv", JANE, 100);
    // The insurer's record H-0001 is John's all at once.
    let changed = "H-0001,,Smith,John,1979-12-02,M,1000,Harbour,1 Quay Street\n";
    let done = check(&w, "changed.csv", changed, 100).progress;
    assert_eq!((done.linked, done.review), (0, 1));
    assert_eq!(held(&w, jane_id)[0].state, LinkState::Suspended);
    assert!(held(&w, john_id).is_empty());
    let again = check(&w, "changed2.csv", &format!("{changed}\n"), 100).progress;
    assert_eq!(again.already, 1);
}

/// A number with a slip in it is another person's, or nobody's; either way an officer looks.
#[test]
fn a_number_of_somebody_else_is_never_taken_for_hers() {
    let t = TestStore::sqlite();
    let w = World::new(&t, "example");
    let (jane_id, john_id) = jane_and_john(&w);
    let number = |person| w.pack.number.show(&crate::numbers::reveal(&w, person));
    let row = |reference: &str, number: &str| {
        format!("{reference},{number},Smith,Jane,1980-04-21,F,1000,Harbour,1 Quay Street\n")
    };
    let rows =
        [row("H-1", &number(john_id)), row("H-2", "000000000000"), row("H-3", &number(jane_id))].concat();
    let done = check(&w, "list.csv", &rows, 100).progress;
    assert_eq!((done.linked, done.review), (1, 2));
    assert_eq!(held(&w, jane_id).len(), 1);
    assert!(held(&w, john_id).is_empty());
}

/// Twins share the day, the address and the family name; the given name tells them apart, unless it could be a slip.
#[test]
fn twins_are_told_apart_by_their_given_names() {
    let t = TestStore::sqlite();
    let w = World::new(&t, "example");
    let jane_id = w.register(1, jane()).expect("registered");
    let twin =
        w.register(2, Entry { reference: "A-2", given_name: "Thomasina", ..jane() }).expect("registered");
    let done = check(&w, "list.csv", JANE, 10).progress;
    assert_eq!((done.linked, done.review), (1, 0));
    assert_eq!((held(&w, jane_id).len(), held(&w, twin).len()), (1, 0));
    let near = w.register(3, Entry { reference: "A-3", given_name: "Janet", ..jane() }).expect("registered");
    let other = "H-0002,,Smith,Jane,1980-04-21,F,1000,Harbour,1 Quay Street\n";
    let done = check(&w, "other.csv", other, 10).progress;
    assert_eq!((done.linked, done.review), (0, 1), "Jane may be Janet in short");
    assert!(held(&w, near).is_empty());
}

/// Two checks of one record at the same moment link it once.
#[test]
fn one_record_is_linked_to_one_resident_whoever_asks_at_once() {
    let t = TestStore::sqlite();
    let w = World::new(&t, "example");
    let (jane_id, _) = jane_and_john(&w);
    let record = kaname_person::link::file::outside_record(
        &Entry { reference: "H-1", phone: "", email: "", ..jane() },
        &w.pack,
        env(1).now.date_in("UTC"),
    )
    .expect("a record");
    let row = OutsideRow { line: 1, record, number: None };
    kaname_person::link::index::refresh(&desk(&w), &env(59), &mut |_| {}).expect("the index");
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..8u8)
            .map(|n| {
                let (desk, row) = (desk(&w), row.clone());
                scope.spawn(move || {
                    let ask =
                        Check { source: "health-insurer", run: [n; 16], by: named("off_1", "registrar") };
                    check_rows(&desk, &env(60 + n), &ask, &[row])
                })
            })
            .collect();
        asked.into_iter().filter_map(|asked| asked.join().ok()?.ok()).flatten().collect()
    });
    assert!(outcomes.contains(&Outcome::Linked));
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Linked | Outcome::Already)));
    assert_eq!(held(&w, jane_id).len(), 1);
}

#[test]
fn a_dump_of_the_links_tells_nothing() {
    let t = TestStore::sqlite();
    let w = World::new(&t, "example");
    let (jane_id, _) = jane_and_john(&w);
    check(&w, "list.csv", &format!("{JANE}{JANE_ELSEWHERE}"), 100);
    let desk = desk(&w);
    let link = held(&w, jane_id).remove(0);
    let says = Report { person: jane_id, link: link.id, by: Actor::resident(), why: "not-mine".to_owned() };
    report(&desk, &env(29), &says).expect("reported");
    w.store.read::<_, StoreError, _>(w.store.buckets().home(), |_| Ok(())).expect("flushed");
    let kaname_store::Location::Sqlite(path) = t.config().location else { panic!("SQLite") };
    let mut bytes = Vec::new();
    for file in std::fs::read_dir(path.parent().expect("a folder")).expect("a folder") {
        bytes.extend(std::fs::read(file.expect("a file").path()).expect("read"));
    }
    for needle in ["Smith", "Jane", "H-0001", "H-0009", "Long Lane", "not-mine", "1980-04-21"] {
        let found = bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
        assert!(!found, "{needle} stands in the database");
    }
    assert!(bytes.windows(14).any(|window| window == b"health-insurer"), "the counts name the source");
}

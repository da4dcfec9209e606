//! Outside records: linked with evidence, decided by two officers, refused by their holder, undone with everything that came of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kaname_base::{Env, Instant};
use kaname_person::agency::Agency;
use kaname_person::agency::facts::Fact;
use kaname_person::agency::feed::{self, Listener};
use kaname_person::agency::read::Withheld;
use kaname_person::event::follow;
use kaname_person::import::Format;
use kaname_person::link::agency::{hand_in_list, list, record};
use kaname_person::link::check::{Check, Outcome, OutsideRow, check_rows};
use kaname_person::link::disclose::{ReadThrough, note_issued, read_through};
use kaname_person::link::file::{CheckFile, LinkMapping, check_file};
use kaname_person::link::holder::{Held, confirm, linked_to};
use kaname_person::link::incident::{ESCALATE, Report, escalate, open_incidents, report};
use kaname_person::link::list::{CHECK, Counts, MOST_ROWS, check_list, newest};
use kaname_person::link::recall::{
    Affected, RECALL, TELL, TOPIC, acknowledge, all_notices, letters, notices, recall, set_written, tell,
    unseen,
};
use kaname_person::link::review::{Decide, Decided, decide, open, waiting};
use kaname_person::link::rules::Shown;
use kaname_person::link::sever::{Settle, Settled, settle};
use kaname_person::link::standing::Outlook;
use kaname_person::link::statistics::figures;
use kaname_person::link::{Desk, Doubt, LinkState};
use kaname_person::show::Asking;
use kaname_person::{Entry, PersonError, Refusal};
use kaname_store::StoreError;
use kaname_store::jobs::{self, Worker};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, ActorKind, PersonId, access};

use crate::world::{World, env, jane, officer, rejects_of};

on_every_store!(
    what_a_source_demands_is_linked_and_nothing_else,
    the_same_list_twice_changes_nothing,
    a_list_that_was_cut_off_goes_on_where_it_was,
    two_plausible_residents_are_decided_by_two_officers,
    a_wrong_link_is_undone_with_all_that_came_of_it,
    a_record_that_was_anothers_is_told_to_its_holder,
    a_list_is_handed_in_and_checked_by_a_job,
    a_report_that_nobody_settles_goes_up_by_itself,
    a_record_whose_agency_says_otherwise_is_suspended,
    a_record_that_has_another_name_now_is_suspended,
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

/// Does what is due at `now`; tells how many jobs about links were done.
fn work(w: &World, now: Instant) -> u64 {
    let desk = desk(w);
    let of_links = AtomicU64::new(0);
    let handler = |job: &jobs::Job| {
        let env = Env::new(now, [33; 32]);
        let done = match job.kind.as_str() {
            ESCALATE => escalate(&desk, &env, job),
            RECALL => recall(&desk, &env, job),
            TELL => tell(&desk, &env, &[Listener { agency: agency("health-fund"), everyone: false }], job),
            CHECK => check_list(&desk, &env, job),
            follow::KIND => return follow::follow(&w.store, &w.keys, &w.pack, &env, job).map(drop),
            other => panic!("an unknown job: {other}"),
        };
        of_links.fetch_add(1, Ordering::Relaxed);
        done.map_err(|error| {
            eprintln!("{error}");
            jobs::JobError::Later("failed")
        })
    };
    let worker = Worker::new(w.store.clone());
    loop {
        let round = worker.round(&|| now, &handler).expect("a round of work");
        assert_eq!(round.failed, 0);
        if round.done == 0 {
            return of_links.load(Ordering::Relaxed);
        }
    }
}

/// An agency that holds the insurer's records.
fn agency(id: &str) -> Agency {
    Agency {
        id: id.to_owned(),
        sector: "health".to_owned(),
        attributes: vec![("name".to_owned(), "public-service".to_owned())],
        purpose: None,
        sees_numbers: true,
        sources: vec!["health-insurer".to_owned()],
    }
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
    let fund = agency("health-fund");
    let through = ReadThrough { agency: &fund, source: "health-insurer", reference: "H-0001" };
    let names = ["firstName".to_owned()];
    assert!(matches!(
        read_through(&desk, &env(24), through, &names),
        Err(PersonError::Refused(Refusal::NoSuchLink))
    ));
    confirm(&desk, &env(25), &Actor::resident(), other, link.id).expect("confirmed");
    assert_eq!(held(&w, other)[0].state, LinkState::Active);
    let read = read_through(&desk, &env(26), through, &names).expect("read");
    assert!(read["firstName"] == Ok(Fact::Text("Jane".to_owned())));
    assert!(held(&w, jane_id).is_empty());
}

fn a_wrong_link_is_undone_with_all_that_came_of_it(t: &TestStore) {
    let w = World::new(t, "example");
    let (jane_id, _) = jane_and_john(&w);
    check(&w, "list.csv", JANE, 100);
    let desk = desk(&w);
    let link = held(&w, jane_id).remove(0);
    let fund = agency("health-fund");
    let through = ReadThrough { agency: &fund, source: "health-insurer", reference: "H-0001" };
    let names = ["firstName", "personId", "uin"].map(str::to_owned);
    for seed in 26..28 {
        let read = read_through(&desk, &env(seed), through, &names).expect("read");
        assert!(read["firstName"] == Ok(Fact::Text("Jane".to_owned())));
        for name in ["personId", "uin"] {
            assert!(
                read[name] == Err(Withheld::NotAllowed),
                "nothing by which she could be read without the link"
            );
        }
    }
    let stranger = Agency { sources: vec!["pension".to_owned()], ..fund.clone() };
    let foreign = ReadThrough { agency: &stranger, ..through };
    assert!(matches!(
        read_through(&desk, &env(28), foreign, &names),
        Err(PersonError::Refused(Refusal::NotForAgency))
    ));
    for seed in 28..30 {
        note_issued(&desk, &env(seed), through, "card", "C-1").expect("noted, and noted once");
    }
    let registrar = named("off_2", "registrar");

    // One click, and nothing is read through it any more.
    let says = Report { person: jane_id, link: link.id, by: Actor::resident(), why: "not-mine".to_owned() };
    report(&desk, &env(29), &says).expect("reported");
    report(&desk, &env(30), &says).expect("twice is once");
    assert_eq!(held(&w, jane_id)[0].state, LinkState::Suspended);
    assert!(matches!(
        read_through(&desk, &env(31), through, &names),
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
    assert_eq!(unseen(&desk, jane_id).expect("counted"), 0);
    assert_eq!(work(&w, env(32).now), 2, "the recall and the reader; the clock is not due");

    // The agency hears of it in its feed, once, with what it issued; and says when it has dealt with it.
    let feed = kaname_person::agency::Desk {
        store: &w.store,
        keys: &w.keys,
        pack: &desk.pack,
        numbers: &w.numbers,
        env: &env(33),
        agency: &fund,
    };
    let events = feed::after(feed, Some(0), 10).expect("the feed");
    assert_eq!(events.len(), 1);
    assert_eq!(
        (events[0].notice.topic.as_str(), events[0].notice.subject.as_str()),
        (TOPIC, "health-insurer")
    );
    assert!(events[0].notice.text.contains("H-0001") && events[0].notice.text.contains("card C-1"));
    let told = notices(&desk, &fund.actor(), "health-fund", None, 10).expect("notices");
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].sent, told[0].notice.reference.as_str()), (true, "H-0001"));
    let next = notices(&desk, &fund.actor(), "health-fund", Some(told[0].id), 10).expect("notices");
    assert!(next.is_empty(), "a page begins after what was told");
    assert_eq!(all_notices(&desk, &registrar, 10).expect("notices"), told);
    assert!(matches!(
        notices(&desk, &agency("pension-office").actor(), "health-fund", None, 10),
        Err(PersonError::Refused(Refusal::NotAllowed { .. }))
    ));
    assert!(acknowledge(&desk, &fund.actor(), "health-fund", told[0].id).expect("taken"));
    assert!(!acknowledge(&desk, &fund.actor(), "health-fund", told[0].id).expect("once"));
    assert!(all_notices(&desk, &registrar, 10).expect("notices").is_empty());

    // She sees it in the portal, and a letter waits until it is written.
    assert_eq!(unseen(&desk, jane_id).expect("counted"), 1);
    let undone = held(&w, jane_id).remove(0);
    assert_eq!(undone.state, LinkState::Severed);
    assert_eq!(undone.readers.len(), 1);
    assert_eq!((undone.readers[0].actor.id.as_str(), undone.readers[0].times), ("health-fund", 2));
    assert_eq!(unseen(&desk, jane_id).expect("counted"), 0, "she has looked");
    let letters_now = || letters(&desk, &env(34), &registrar, 10).expect("letters").letters;
    let letter = letters_now().remove(0);
    assert_eq!((letter.person, letter.link.id, letter.what), (jane_id, link.id, Affected::WrongRecord));
    set_written(&desk, &registrar, jane_id, link.id).expect("written");
    assert!(letters_now().is_empty());

    // The record is free for whoever it belongs to.
    let again = check(&w, "again.csv", &format!("{JANE}\n"), 100).progress;
    assert_eq!((again.linked, again.already), (1, 0));
}

/// Who is linked to a record that was somebody else's is told too, and a reader without a feed stays in the office's list.
fn a_record_that_was_anothers_is_told_to_its_holder(t: &TestStore) {
    let w = World::new(t, "example");
    let (jane_id, john_id) = jane_and_john(&w);
    check(&w, "list.csv", JANE, 100);
    let desk = desk(&w);
    let link = held(&w, jane_id).remove(0);
    let paper_office = agency("paper-office");
    let through = ReadThrough { agency: &paper_office, source: "health-insurer", reference: "H-0001" };
    note_issued(&desk, &env(28), through, "card", "C-1").expect("noted");
    let says = Report { person: jane_id, link: link.id, by: Actor::resident(), why: "not-mine".to_owned() };
    report(&desk, &env(29), &says).expect("reported");
    let registrar = named("off_2", "registrar");
    let why = "it was John's".to_owned();
    let undo = Settle { person: jane_id, link: link.id, wrong: true, by: registrar.clone(), why };
    settle(&desk, &env(32), &undo).expect("undone");
    assert_eq!(work(&w, env(32).now), 2);
    let told = all_notices(&desk, &registrar, 10).expect("notices");
    assert_eq!(told.len(), 1, "an office that issued something is told even if it read nothing");
    assert_eq!((told[0].sent, told[0].reader.as_str()), (false, "paper-office"));
    assert_eq!(told[0].notice.issued, ["card C-1"]);

    let right = "H-0001,,Smith,John,1979-12-02,M,1000,Harbour,1 Quay Street\n";
    let done = check(&w, "right.csv", right, 100).progress;
    assert_eq!((done.linked, done.review), (1, 0));
    let whom: Vec<(PersonId, Affected)> = letters(&desk, &env(34), &registrar, 10)
        .expect("letters")
        .letters
        .into_iter()
        .map(|letter| (letter.person, letter.what))
        .collect();
    assert_eq!(whom.len(), 2);
    assert!(
        whom.contains(&(jane_id, Affected::WrongRecord)) && whom.contains(&(john_id, Affected::WasAnothers))
    );
    assert!(held(&w, john_id)[0].was_anothers);

    // Who only watches may not say that a reader was told.
    let auditor = named("off_3", "auditor");
    assert!(matches!(
        acknowledge(&desk, &auditor, "paper-office", told[0].id),
        Err(PersonError::Refused(Refusal::NotAllowed { .. }))
    ));
    assert!(acknowledge(&desk, &registrar, "paper-office", told[0].id).expect("told"));

    // Jane is gone for good: her letter cannot be written, and John's is.
    let keys = w.keys.clone();
    w.store
        .write::<_, PersonError, _>(bucket_of(jane_id, w.store.buckets()), move |tx| {
            Ok(kaname_trust::seal::erase(tx, &keys, jane_id)?)
        })
        .expect("erased");
    let now = letters(&desk, &env(35), &registrar, 10).expect("letters");
    assert_eq!((now.letters.len(), now.skipped), (1, 1));
    assert_eq!(now.letters[0].person, john_id);
    assert_eq!(
        letters(&desk, &env(36), &registrar, 10).expect("letters").skipped,
        0,
        "it is not asked for again"
    );
}

/// A list that an agency hands in is checked by a job, once, whoever asks how often; what is left of it are counts.
fn a_list_is_handed_in_and_checked_by_a_job(t: &TestStore) {
    let w = World::new(t, "example");
    let (jane_id, _) = jane_and_john(&w);
    let (desk, fund) = (desk(&w), agency("health-fund"));
    let text = format!(
        "{HEADER}{JANE}{JANE_ELSEWHERE}H-0002,,Nobody,Here,1955-01-01,M,9999,Nowhere,5 Void\n\
         H-0003,,Smith,Jane,1980-02-30,F,1000,Harbour,1 Quay Street\n\
         H-0001,,Smith,Jane,1980-04-21,F,1000,Harbour,1 Quay Street\n"
    );
    let hand_in = |agency: &Agency, source: &str, text: &str| {
        hand_in_list(&desk, &env(20), agency, source, text.as_bytes(), Format::Csv)
    };
    let listed = hand_in(&fund, "health-insurer", &text).expect("taken");
    assert_eq!((listed.rows, listed.done, listed.counts), (4, false, Counts::default()));
    let rejected: Vec<(u64, &str)> =
        listed.rejected.iter().map(|reject| (reject.line, reject.code.as_str())).collect();
    assert_eq!(rejected, [(5, "no-such-day")], "what cannot be read is said at once");
    assert_eq!(hand_in(&fund, "health-insurer", &text).expect("again").id, listed.id);
    assert!(matches!(hand_in(&fund, "pension", &text), Err(PersonError::Refused(Refusal::NotForAgency))));
    assert!(matches!(
        hand_in(&fund, "health-insurer", "what,is,this\n1,2,3\n"),
        Err(PersonError::Refused(Refusal::Mapping(_)))
    ));
    let many = format!("{HEADER}{}", JANE.repeat(MOST_ROWS + 1));
    assert!(matches!(hand_in(&fund, "health-insurer", &many), Err(PersonError::Refused(Refusal::TooMany))));

    assert_eq!(work(&w, env(20).now), 1);
    let done = list(&desk, &fund, "health-insurer", listed.id).expect("done");
    assert_eq!(done.counts, Counts { linked: 1, review: 1, refused: 1, already: 0 });
    assert!(done.done);
    let rejected: Vec<&str> = done.rejected.iter().map(|reject| reject.code.as_str()).collect();
    assert_eq!(rejected, ["no-such-day", "duplicate"]);
    assert_eq!(hand_in(&fund, "health-insurer", &text).expect("again"), done, "nothing is asked for again");
    assert_eq!(work(&w, env(20).now), 0);
    let told = |reference: &str| record(&desk, &fund, "health-insurer", reference);
    assert_eq!(told("H-0001").expect("known"), Outlook::Linked);
    assert_eq!(told("H-0009").expect("known"), Outlook::Review);
    assert_eq!(told("H-0002").expect("known"), Outlook::Refused);
    assert!(matches!(told("H-0077"), Err(PersonError::Refused(Refusal::NoSuchLink))));
    assert_eq!(held(&w, jane_id).len(), 1);

    // Another agency with the same source sees neither this list nor that it is there.
    let other = agency("other-fund");
    assert!(matches!(
        list(&desk, &other, "health-insurer", listed.id),
        Err(PersonError::Refused(Refusal::NoSuchLink))
    ));
    let registrar = named("off_2", "registrar");
    assert_eq!(newest(&desk, &registrar, 10).expect("lists"), [done]);

    // A job that died after the last step counts nothing twice.
    let again = jobs::Job {
        bucket: w.store.buckets().home(),
        id: [1; 16],
        kind: CHECK.to_owned(),
        body: w.keys.wrap(b"person.link-list", &listed.id),
        due: env(20).now,
        attempt: 2,
    };
    check_list(&desk, &env(21), &again).expect("nothing is left to do");
    assert_eq!(newest(&desk, &registrar, 10).expect("lists")[0].counts.linked, 1);
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
    for officer in ["off_2", "off_4"] {
        let (by, why) = (named(officer, "registrar"), "hers".to_owned());
        let right = Settle { person: jane_id, link: link.id, wrong: false, by, why };
        settle(&desk, &env(32), &right).expect("found right");
    }
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

/// What the source demands agreed when the link was made, and does not any more. An address is no such thing: people move.
fn a_record_that_has_another_name_now_is_suspended(t: &TestStore) {
    let w = World::new(t, "example");
    let (jane_id, _) = jane_and_john(&w);
    check(&w, "list.csv", JANE, 100);
    let moved = "H-0001,,Smith,Jane,1980-04-21,F,2000,Hill,77 Long Lane\n";
    let done = check(&w, "moved.csv", moved, 100).progress;
    assert_eq!((done.already, done.review), (1, 0));
    assert_eq!(held(&w, jane_id)[0].state, LinkState::Active);
    let renamed = "H-0001,,Smith,Gertrude,1980-04-21,F,1000,Harbour,1 Quay Street\n";
    let done = check(&w, "renamed.csv", renamed, 100).progress;
    assert_eq!((done.already, done.review), (0, 1));
    assert_eq!(held(&w, jane_id)[0].state, LinkState::Suspended);
    let registrar = named("off_2", "registrar");
    assert_eq!(open_incidents(&desk(&w), &registrar, 10).expect("reports").len(), 1);

    // Officers have seen the other name: the same again is no news, a third one is.
    let link = held(&w, jane_id)[0].id;
    let why = "she goes by it".to_owned();
    let right = Settle { person: jane_id, link, wrong: false, by: registrar, why };
    assert_eq!(settle(&desk(&w), &env(32), &right).expect("one of two"), Settled::Proposed);
    assert_eq!(held(&w, jane_id)[0].state, LinkState::Suspended);
    assert!(matches!(settle(&desk(&w), &env(33), &right), Err(PersonError::Refused(Refusal::OwnDecision))));
    let second = Settle { by: named("off_3", "registrar"), ..right };
    assert_eq!(settle(&desk(&w), &env(34), &second).expect("it is right"), Settled::Done);
    assert_eq!(held(&w, jane_id)[0].found_right, Some(env(34).now), "she sees what was found");
    check(&w, "again.csv", &renamed.replace("Quay Street", "Quay Street, left"), 100);
    assert_eq!(held(&w, jane_id)[0].state, LinkState::Active);
    check(&w, "third.csv", &renamed.replace("Gertrude", "Wilhelmina"), 100);
    assert_eq!(held(&w, jane_id)[0].state, LinkState::Suspended);
}

/// Two officers decide one record for two residents at the same moment: one of them is told that it is done, and one link counts.
#[test]
fn two_officers_at_once_make_one_link() {
    let t = TestStore::sqlite();
    let mut w = World::new(&t, "example");
    let source = w.pack.sources.iter_mut().find(|source| source.code == "health-insurer").expect("a source");
    (source.four_eyes, source.records_each) = (false, 20);
    let jane_id = w.register(1, jane()).expect("registered");
    let near = w.register(2, Entry { reference: "A-2", given_name: "Janet", ..jane() }).expect("registered");
    let rows: String =
        (0..8).map(|n| format!("H-{n:04},,Smith,Jane,1980-04-21,F,1000,Harbour,1 Quay Street\n")).collect();
    assert_eq!(check(&w, "list.csv", &rows, 100).progress.review, 8);
    let desk = desk(&w);
    let cases = waiting(&desk, &named("off_1", "registrar"), 100).expect("cases");
    for (n, case) in (0u8..).zip(&cases) {
        let at_once = std::sync::Barrier::new(2);
        let done = std::thread::scope(|scope| {
            let decided = [("off_1", jane_id), ("off_2", near)].map(|(by, person)| {
                let (desk, at_once, id) = (desk.clone(), &at_once, case.id);
                scope.spawn(move || {
                    let by = named(by, "registrar");
                    let ask = Decide { id, choice: Some(person), by, why: "compared" };
                    at_once.wait();
                    decide(&desk, &env(60 + n), &ask)
                })
            });
            decided
                .map(|officer| officer.join().expect("an answer"))
                .iter()
                .filter(|done| done.is_ok())
                .count()
        });
        assert_eq!(done, 1, "one of them decides");
    }
    let links = held(&w, jane_id).len() + held(&w, near).len();
    assert_eq!(links, 8, "each record is linked once");
    assert!(waiting(&desk, &named("off_1", "registrar"), 100).expect("cases").is_empty());
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

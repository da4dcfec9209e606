//! Is this person here already? Asked of a register on every store.

use std::sync::Arc;

use jiff::civil::date;
use kaname_person::duplicate::{Candidate, Decision, find_duplicates, register_checked};
use kaname_person::event::Change;
use kaname_person::import::Mapping;
use kaname_person::link::Desk;
use kaname_person::link::index::refresh;
use kaname_person::linkage::{Level, Rival};
use kaname_person::register::{Register, find_by_reference};
use kaname_person::show::{access_log, life_events};
use kaname_person::{Address, Entry, Field, Name, Names, Particulars, PersonError, Refusal};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::PersonId;
use kaname_trust::person::bucket_of;

use crate::world::{World, asking, env, jane, officer, registrar};

on_every_store!(
    whoever_looks_like_her_is_found_and_told,
    a_look_alike_waits_for_an_officer,
    an_import_is_searched_too_and_a_kill_loses_nobody,
    a_change_is_searched_as_soon_as_its_job_is_done,
    whoever_shares_a_telephone_only_is_no_second_entry,
    nobody_else_may_ask,
);

fn particulars(w: &World, entry: &Entry<'_>) -> Particulars {
    let today = env(1).now.date_in(&w.pack.time_zone);
    Particulars::check(entry, &w.pack, today).expect("a good entry")
}

fn ask(w: &World, entry: &Entry<'_>) -> Vec<Candidate> {
    let wanted = particulars(w, entry);
    find_duplicates(&w.store, &w.keys, &w.pack, &env(7), &registrar(), &wanted).expect("an answer")
}

fn register(
    w: &World,
    n: u8,
    entry: Entry<'_>,
    decision: Option<&Decision>,
) -> Result<PersonId, PersonError> {
    let ask = Register {
        request: [n; 16],
        entry,
        source: "town",
        by: registrar(),
        why: "birth",
        evidence: "birth report 7",
    };
    register_checked(&w.store, &w.keys, &w.pack, &w.numbers, &env(n), &ask, decision)
}

fn whoever_looks_like_her_is_found_and_told(t: &TestStore) {
    let w = World::new(t, "example");
    let person = w.register(1, jane()).expect("jane is registered");
    let is_jane = |found: &[Candidate]| found.first().is_some_and(|first| first.person == person);

    for other in [
        Entry { reference: "B-1", ..jane() },
        Entry { reference: "B-1", given_name: "Jaen", phone: "", ..jane() },
        Entry { reference: "B-1", family_name: "Jane", given_name: "Smith", ..jane() },
        Entry { reference: "B-1", birth_date: "1981-04-21", address: "7 Hill Road", ..jane() },
        Entry { reference: "B-1", family_name: "Baker", ..jane() },
        Entry { reference: "B-1", family_name: "Baker", former_family_name: "Smith", phone: "", ..jane() },
    ] {
        let found = ask(&w, &other);
        assert!(is_jane(&found), "{} candidates", found.len());
        assert!(found[0].evidence.probability > 0.5, "{:?}", found[0].evidence);
    }
    // A twin is found, and told from her.
    let twin = ask(&w, &Entry { reference: "B-1", given_name: "Susan", phone: "", email: "", ..jane() });
    assert!(is_jane(&twin));
    assert!(twin[0].evidence.probability < 0.2 && twin[0].evidence.rival == Rival::Twin);
    assert!(twin[0].evidence.fields.iter().any(|field| field.level == Level::Differs));
    // A stranger finds nobody, and nobody is opened.
    let stranger = Entry {
        reference: "C-1",
        given_name: "Olu",
        family_name: "Adeyemi",
        birth_date: "1951-01-30",
        phone: "",
        email: "",
        ..jane()
    };
    assert!(ask(&w, &stranger).is_empty());

    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    let entries = w
        .store
        .write::<_, PersonError, _>(bucket_of(person, w.store.buckets()), move |tx| {
            access_log(tx, &keys, &pack, &env(8), &asking(person, "auditor", "audit"), 50)
        })
        .expect("her log");
    let checks = entries.iter().filter(|entry| entry.purpose == "duplicate-check").count();
    assert_eq!(checks, 7, "each who compared her stands in her log");
}

fn a_look_alike_waits_for_an_officer(t: &TestStore) {
    let w = World::new(t, "example");
    let first = register(&w, 1, jane(), None).expect("nobody is here yet");
    // The same form sent twice is the same registration, and asks nothing.
    assert_eq!(register(&w, 1, jane(), None).expect("once"), first);

    let namesake = || Entry { reference: "A-2", phone: "", email: "", ..jane() };
    let refused = register(&w, 2, namesake(), None);
    assert!(matches!(refused, Err(PersonError::Refused(Refusal::LooksLikeSomebody))));
    assert_eq!(w.count(), 1);
    // A decision about somebody else decides nothing.
    let beside = Decision { others: vec![], why: "two passports".to_owned() };
    let refused = register(&w, 2, namesake(), Some(&beside));
    assert!(matches!(refused, Err(PersonError::Refused(Refusal::LooksLikeSomebody))));

    let decision = Decision { others: vec![first], why: "two passports".to_owned() };
    let second = register(&w, 2, namesake(), Some(&decision)).expect("an officer decided");
    assert!(second != first && w.count() == 2);
    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    let events = w
        .store
        .write::<_, PersonError, _>(bucket_of(second, w.store.buckets()), move |tx| {
            life_events(tx, &keys, &pack, &env(8), &asking(second, "registrar", "registration"))
        })
        .expect("her events");
    assert!(events[0].evidence.contains("two passports"), "the decision stands in the event");
}

fn an_import_is_searched_too_and_a_kill_loses_nobody(t: &TestStore) {
    let w = World::new(t, "example");
    let header = "reference,family_name,given_name,birth_date,sex,status,postcode,city,address\n";
    let one = |i: usize| {
        let family = ["Abbot", "Brook", "Cole", "Drake", "Ellis"][i % 5];
        let given = ["Mary", "Olive", "Petra", "Quinn", "Ruth", "Selma", "Tilda", "Ursula"][i / 5];
        (family, given, format!("1970-{:02}-{:02}", i % 12 + 1, i % 28 + 1))
    };
    let row = |i: usize| {
        let (family, given, born) = one(i);
        format!("R{i},{family},{given},{born},F,citizen,1000,Harbour,{i} Quay Street\n")
    };
    let rows: String = (0..40).map(row).collect();
    let file = w.file("people.csv", format!("{header}{rows}"));
    // Killed after some batches: what was gathered for the index is lost with the process.
    let killed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut batches = 0;
        let _ = w.import_watched(&file, &Mapping::own(), 8, &mut |_| {
            batches += 1;
            assert!(batches < 3, "killed");
        });
    }));
    assert!(killed.is_err());
    assert!(w.count() >= 16, "some were registered");
    w.import(&file, &Mapping::own(), 8).expect("the rest");
    assert_eq!(w.count(), 40);

    for i in 0..40 {
        let (family, given, born) = one(i);
        let again = Entry {
            reference: "",
            family_name: family,
            given_name: given,
            birth_date: &born,
            address: "moved",
            phone: "",
            email: "",
            ..jane()
        };
        let person =
            find_by_reference(&w.store, &w.keys, &registrar(), "residents", &format!("R{i}")).expect("asked");
        let found = ask(&w, &again);
        assert!(
            person.is_some() && found.first().map(|first| first.person) == person,
            "row {i} is not found"
        );
    }
}

fn a_change_is_searched_as_soon_as_its_job_is_done(t: &TestStore) {
    let w = World::new(t, "example");
    let person = register(&w, 1, jane(), None).expect("nobody is here yet");
    w.work();
    let names = Names {
        name: Name { family: "Abernathy".to_owned(), given: "Joan".to_owned() },
        reading: None,
        latin: None,
    };
    let renamed = w.event(2, person, date(2020, 1, 1), Change::ChangeOfName { names });
    w.record(&renamed).expect("her name changes");
    let moved = Change::Move {
        address: Address {
            postcode: "9000".to_owned(),
            line: "7 Hill Road".to_owned(),
            ..Address::default()
        },
    };
    w.record(&w.event(3, person, date(2021, 1, 1), moved)).expect("she moves");
    let today = w.open(person).particulars;
    let right =
        today.corrected(&[(Field::BirthDate, "1979-11-30")], &w.pack, date(2026, 1, 1)).expect("right");
    w.record(&w.event(4, person, date(2022, 1, 1), Change::Correction { set: right })).expect("corrected");
    // Under another telephone, what she is by now shares no key with what she was.
    let by_now = Entry {
        reference: "",
        given_name: "Joan",
        family_name: "Abernathy",
        birth_date: "1979-11-30",
        postcode: "9000",
        address: "7 Hill Road",
        phone: "",
        email: "",
        ..jane()
    };
    assert!(ask(&w, &by_now).is_empty());
    w.work();
    assert_eq!(ask(&w, &by_now).first().map(|found| found.person), Some(person));
    assert_eq!(ask(&w, &jane()).first().map(|found| found.person), Some(person), "as she was, too");
    // Nothing is left for the next check of a list.
    let desk = Desk::new(w.store.clone(), w.keys.clone(), Arc::new(w.pack.clone()));
    assert_eq!(refresh(&desk, &env(9), &mut |_| {}).expect("looks"), 0);
}

fn whoever_shares_a_telephone_only_is_no_second_entry(t: &TestStore) {
    let w = World::new(t, "example");
    let mother = register(&w, 1, jane(), None).expect("nobody is here yet");
    // A child at home under its mother's telephone is compared with her, and registered.
    let child =
        Entry { reference: "A-2", given_name: "Thomas", sex: "M", birth_date: "2012-06-03", ..jane() };
    let found = ask(&w, &child);
    assert_eq!(found.iter().map(|found| found.person).collect::<Vec<_>>(), [mother]);
    assert!(found[0].evidence.probability < 0.01, "{:?}", found[0].evidence);
    assert_eq!(found[0].evidence.rival, Rival::Household);
    register(&w, 2, child, None).expect("somebody else");
    // She herself, whose name and day of birth are both miswritten, is found by it.
    let miswritten =
        Entry { reference: "", given_name: "Jaen", family_name: "Smyht", birth_date: "1981-04-20", ..jane() };
    let found = ask(&w, &miswritten);
    assert_eq!(found.first().map(|found| found.person), Some(mother));
    assert!(found[0].evidence.probability > 0.5, "{:?}", found[0].evidence);
}

fn nobody_else_may_ask(t: &TestStore) {
    let w = World::new(t, "example");
    let wanted = particulars(&w, &jane());
    for role in ["payments", "help-desk", "auditor", "administrator"] {
        let answer = find_duplicates(&w.store, &w.keys, &w.pack, &env(7), &officer(role), &wanted);
        assert!(matches!(answer, Err(PersonError::Refused(Refusal::NotAllowed { .. }))), "{role}");
    }
}

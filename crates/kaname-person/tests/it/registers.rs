//! The register at a counter, and what is shown of it.

use jiff::civil::date;
use kaname_person::event::{EventKind, Filled};
use kaname_person::import::Mapping;
use kaname_person::register::find_by_reference;
use kaname_person::show::{Asking, access_log, life_events, open_resident, reveal_number};
use kaname_person::{Entry, Field, PersonError, Reason, Refusal, number};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::person::bucket_of;

use crate::world::{World, asking, env, jane, registrar};

on_every_store!(
    a_resident_is_registered_once,
    a_name_is_kept_as_written,
    who_looks_is_seen,
    whoever_has_no_door_of_her_own_is_registered_moved_and_found,
);

fn a_resident_is_registered_once(t: &TestStore) {
    let w = World::new(t, "example");
    let person = w.register(1, jane()).expect("registers");
    assert_eq!(w.register(1, jane()).expect("the same request"), person);
    assert_eq!(w.register(2, jane()).expect("another request, the same data"), person);
    let other = Entry { given_name: "Janet", ..jane() };
    assert!(matches!(w.register(3, other), Err(PersonError::Refused(Refusal::OtherData))));

    let nameless = Entry { reference: "", ..jane() };
    let twin = w.register(4, nameless).expect("without a reference");
    assert_ne!(twin, person);
    assert_eq!(w.register(4, nameless).expect("the same request"), twin);
    assert_eq!(w.count(), 2);
    assert_eq!(
        find_by_reference(&w.store, &w.keys, &registrar(), "town", "A-1").expect("looks"),
        Some(person)
    );
    assert_eq!(find_by_reference(&w.store, &w.keys, &registrar(), "city", "A-1").expect("looks"), None);
}

fn a_name_is_kept_as_written(t: &TestStore) {
    let w = World::new(t, "japan");
    let entry = Entry {
        reference: "R1",
        family_name: "髙橋",
        given_name: "葛\u{E0100}子",
        family_reading: "たかはし",
        given_reading: "ｶﾂｺ",
        birth_date: "19800421",
        sex: "F",
        status: "citizen",
        ..Entry::default()
    };
    let person = w.register(1, entry).expect("registers");
    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    let resident = w
        .store
        .write::<_, PersonError, _>(bucket_of(person, w.store.buckets()), move |tx| {
            open_resident(tx, &keys, &pack, &env(2), &Asking::herself(person), &["name"])
        })
        .expect("opens");
    assert_eq!(resident.display_name(&w.pack), "髙橋 葛\u{E0100}子");
    let reading = resident.particulars.reading.expect("a reading");
    assert_eq!((reading.family.as_str(), reading.given.as_str()), ("タカハシ", "カツコ"));
    assert_eq!((resident.pack.id.as_str(), resident.pack.version), ("japan", 1));
}

/// No fixed address in a town, as the country writes it; then with a shelter, where letters reach her; then at home.
fn whoever_has_no_door_of_her_own_is_registered_moved_and_found(t: &TestStore) {
    let w = World::new(t, "example");
    let homeless = |reference, given_name| Entry {
        reference,
        given_name,
        postcode: "",
        address: "  nfa ",
        phone: "",
        email: "",
        ..jane()
    };
    let nowhere = w.register(9, Entry { city: "", ..homeless("A-9", "Ann") });
    let Err(PersonError::Refused(Refusal::Invalid(fault))) = nowhere else {
        panic!("no office is responsible")
    };
    assert_eq!(fault, Field::City.fault(Reason::Missing));
    let ann = w.register(1, homeless("A-1", "Ann")).expect("registers");
    let home = w.open(ann).particulars.address;
    assert_eq!(home.lines(&w.pack), ["Harbour", "No fixed address"]);
    assert!(home.is_unfixed(&w.pack) && !home.takes_letters(&w.pack));
    assert_eq!(find_by_reference(&w.store, &w.keys, &registrar(), "town", "A-1").expect("looks"), Some(ann));

    let moves = |request, entry: Entry<'_>| {
        let now = w.open(ann).particulars;
        let filled = Filled { entry, ..Filled::default() };
        let change = filled.change(EventKind::Move, &now, &w.pack, date(2026, 9, 1))?;
        w.record(&w.event(request, ann, date(2026, 8, i8::try_from(request).unwrap()), change))
    };
    let shelter = Entry {
        city: "Harbour",
        address: "3 Quay Street",
        postcode: "1000",
        care_of: "Harbour Shelter",
        ..Entry::default()
    };
    moves(10, shelter).expect("moves to a shelter");
    let home = w.open(ann).particulars.address;
    assert_eq!(home.lines(&w.pack), ["c/o Harbour Shelter", "1000", "Harbour", "3 Quay Street"]);
    assert!(home.takes_letters(&w.pack));
    // She loses it, with everything that a home has.
    let lost = Entry { city: "Hilltown", address: "of NO fixed abode", ..Entry::default() };
    moves(11, lost).expect("has no home any more");
    assert_eq!(w.open(ann).particulars.address.lines(&w.pack), ["Hilltown", "No fixed address"]);
    w.check_is_sound();

    let header = "reference,family_name,given_name,birth_date,sex,status,city,address,care_of\n";
    let file =
        w.file("people.csv", format!("{header}H-1,Smith,Zoe,1951-01-01,F,citizen,Harbour,NFA,Town Hall\n"));
    let report = w.import(&file, &Mapping::own(), 10).expect("imports");
    assert_eq!(report.progress.registered, 1, "{report:?}");
}

fn who_looks_is_seen(t: &TestStore) {
    let w = World::new(t, "example");
    let person = w.register(1, jane()).expect("registers");
    let bucket = bucket_of(person, w.store.buckets());
    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    let number = w
        .store
        .write::<_, PersonError, _>(bucket, move |tx| {
            let ask = asking(person, "registrar", "registration");
            let number = reveal_number(tx, &keys, &pack, &env(2), &ask)?;
            let events = life_events(tx, &keys, &pack, &env(2), &ask)?;
            assert_eq!((events.len(), events[0].why.as_str()), (1, "birth"));
            // What is not allowed leaves no entry and opens nothing.
            for (role, purpose, code) in [
                ("payments", "payout", "not-allowed"),
                ("registrar", "own-access", "unknown-purpose"),
                ("registrar", "curiosity", "unknown-purpose"),
                ("self", "own-access", "not-allowed"),
                ("program", "payout", "not-allowed"),
            ] {
                let ask = asking(person, role, purpose);
                match open_resident(tx, &keys, &pack, &env(2), &ask, &["name"]) {
                    Err(PersonError::Refused(refusal)) => {
                        assert_eq!(refusal.code(), code, "{role} {purpose}")
                    }
                    _ => panic!("{role} opened it for {purpose}"),
                }
            }
            let log = access_log(tx, &keys, &pack, &env(3), &Asking::herself(person), 10)?;
            let seen: Vec<_> =
                log.iter().map(|e| (e.n, e.actor.role.as_str(), e.fields[0].as_str())).collect();
            assert_eq!(
                seen,
                [(3, "self", "access-log"), (2, "registrar", "life-events"), (1, "registrar", "number")]
            );
            assert_eq!(log[1].basis, "Register Act, part 2");
            Ok(number)
        })
        .expect("shows");
    assert_eq!(
        number::find_by_number(&w.store, &w.keys, &registrar(), &number).expect("looks"),
        Some(person)
    );
}

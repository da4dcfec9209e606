//! Life events: what they make of an entry, any day of the past, and the other side of a relation.

use jiff::civil::{Date, date};
use kaname_base::pack::Pack;
use kaname_base::{Env, Instant};
use kaname_person::event::check::check;
use kaname_person::event::follow::{self, Told};
use kaname_person::event::photo::{Photo, keep_photo, open_photo};
use kaname_person::event::rules::Until;
use kaname_person::event::{
    Change, EventAsked, EventKind, Filled, NewEvent, as_of, asked_of_two, history, record_agreed,
    record_event,
};
use kaname_person::four_eyes;
use kaname_person::identity::{ProposalId, carry_out, decide};
use kaname_person::register::{Register, register};
use kaname_person::show::{Asking, open_resident};
use kaname_person::{
    Address, Entry, Field, Name, Names, Particulars, PersonError, Refusal, RelationKind, Resident, Standing,
};
use kaname_store::jobs::{JobError, Worker};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, PersonId};

use crate::world::{World, asking, env, jane, officer, registrar};

on_every_store!(
    a_life_is_told_and_any_day_of_it_can_be_asked,
    a_marriage_has_two_sides_and_ends,
    a_death_ends_what_ends,
    a_request_records_once,
    a_photo_is_sealed_on_its_own,
    half_a_relation_is_found,
    nothing_happens_without_a_reason,
    two_people_are_related_as_people_can_be,
    a_registration_holds_from_the_countrys_day,
    a_guardian_is_recorded_by_two_where_the_country_asks,
);

impl World {
    pub(crate) fn person(&self, request: u8, reference: &str, family: &str) -> PersonId {
        let entry = Entry { reference, family_name: family, ..jane() };
        self.register(request, entry).expect("registers")
    }

    pub(crate) fn event(&self, request: u8, person: PersonId, on: Date, change: Change) -> NewEvent {
        let (why, evidence) = ("report".to_owned(), "paper 7".to_owned());
        NewEvent { request: [request; 16], person, change, on, by: registrar(), why, evidence }
    }

    pub(crate) fn record(&self, ask: &NewEvent) -> Result<i64, PersonError> {
        record_event(&self.store, &self.keys, &self.pack, &env(ask.request[0]), ask)
    }

    pub(crate) fn refused(&self, ask: &NewEvent) -> &'static str {
        match self.record(ask) {
            Err(PersonError::Refused(refusal)) => refusal.code(),
            Err(error) => panic!("{error}"),
            Ok(_) => "taken",
        }
    }

    /// Does the jobs that are due, each twice: they may be done again.
    pub(crate) fn work(&self) -> Vec<Told> {
        let told = std::cell::RefCell::new(Vec::new());
        let handler = |job: &kaname_store::jobs::Job| -> Result<(), JobError> {
            for _ in 0..2 {
                if job.kind == decide::KIND {
                    let id = ProposalId::from_bytes(job.id);
                    carry_out(&self.store, &self.keys, &self.pack, &env(77), id)
                        .map_err(|error| follow::failed(&error))?;
                    continue;
                }
                let one = follow::follow(&self.store, &self.keys, &self.pack, &env(77), job)?;
                told.borrow_mut().push(one);
            }
            Ok(())
        };
        let worker = Worker::new(self.store.clone());
        while worker.round(&|| env(1).now, &handler).expect("works").done > 0 {}
        told.into_inner()
    }

    pub(crate) fn open(&self, person: PersonId) -> Resident {
        let (keys, pack) = (self.keys.clone(), self.pack.clone());
        let ask = asking(person, "registrar", "registration");
        self.store
            .write::<_, PersonError, _>(bucket_of(person, self.store.buckets()), move |tx| {
                open_resident(tx, &keys, &pack, &env(5), &ask, &["name"])
            })
            .expect("opens")
    }

    fn on_day(&self, person: PersonId, until: Until) -> Result<Resident, PersonError> {
        let (keys, pack) = (self.keys.clone(), self.pack.clone());
        let ask = asking(person, "registrar", "registration");
        let found = self.store.write(bucket_of(person, self.store.buckets()), move |tx| {
            as_of(tx, &keys, &pack, &env(5), &ask, until, &["name"])
        });
        Ok(found?.resident)
    }

    pub(crate) fn check_is_sound(&self) {
        let found = check(&self.store, &self.keys, &self.pack, &env(9), &officer("auditor")).expect("checks");
        assert!(found.is_sound(), "{found:?}");
    }
}

/// The pack asks for two officers: one proposes the event, another agrees to exactly that.
fn a_guardian_is_recorded_by_two_where_the_country_asks(t: &TestStore) {
    let w = World::new(t, "example");
    let (ward, guardian) = (w.person(1, "A-1", "Smith"), w.person(2, "A-2", "Brown"));
    let begins = Change::RelationBegins { relation: RelationKind::Guardian, to: guardian };
    let ask = w.event(3, ward, date(2020, 3, 1), begins.clone());
    assert_eq!(w.refused(&ask), "two-officers");
    let agree = |second: &str| {
        let (keys, asked, by, second) =
            (w.keys.clone(), EventAsked::of(&ask), ask.by.clone(), Actor::officer(second, "registrar"));
        let action = asked_of_two(&ask.change).expect("an action of its own");
        w.store.write::<_, PersonError, _>(w.store.buckets().home(), move |tx| {
            let id = four_eyes::propose(tx, &keys, &env(20), &by, action, &asked)?;
            four_eyes::approve(tx, &keys, &env(20), &second, id, &[action])
        })
    };
    assert!(matches!(agree("off_1"), Err(PersonError::Refused(Refusal::SameOfficer))), "not the same one");
    let approved = agree("off_2").expect("agrees");
    for _ in 0..2 {
        let n = record_agreed(&w.store, &w.keys, &w.pack, &env(4), &approved).expect("is recorded once");
        assert_eq!(n, 2);
    }
    w.work();
    w.check_is_sound();
    let related: Vec<_> = w.open(guardian).life.relations_now().map(|of| (of.kind, of.to)).collect();
    assert_eq!(related, [(RelationKind::Ward, ward)]);
    // It ends by one officer's hand, and a country that does not ask takes one for both.
    let ends = Change::RelationEnds { relation: RelationKind::Guardian, to: guardian };
    w.record(&w.event(5, ward, date(2021, 3, 1), ends)).expect("ends");
    let mut lax = w;
    lax.pack.four_eyes.clear();
    lax.record(&lax.event(6, ward, date(2022, 3, 1), begins)).expect("one officer is enough");
}

pub(crate) fn address(line: &str) -> Address {
    Address {
        postcode: "2000".to_owned(),
        city: "Hilltown".to_owned(),
        line: line.to_owned(),
        ..Address::default()
    }
}

pub(crate) fn names(family: &str) -> Names {
    let name = Name { family: family.to_owned(), given: "Jane".to_owned() };
    Names { name, ..Names::default() }
}

fn day(day: Date) -> Until {
    Until { day: Some(day), known: None }
}

fn a_life_is_told_and_any_day_of_it_can_be_asked(t: &TestStore) {
    let w = World::new(t, "example");
    let person = w.person(1, "A-1", "Smith");
    let moved =
        |request, on, line: &str| w.event(request, person, on, Change::Move { address: address(line) });
    assert_eq!(w.record(&moved(2, date(2020, 3, 1), "1 Hill")).expect("moves"), 2);
    let named = Change::ChangeOfName { names: names("Miller") };
    w.record(&w.event(3, person, date(2022, 6, 1), named.clone())).expect("is renamed");
    // Recorded late: it lies between the other two.
    w.record(&moved(4, date(2021, 1, 1), "2 Hill")).expect("moves");
    w.record(&w.event(5, person, date(2023, 1, 1), Change::Emigration { to: "Elsewhere".to_owned() }))
        .expect("leaves");
    let back = Change::Return { address: Some(address("3 Hill")) };
    w.record(&w.event(6, person, date(2024, 1, 1), back.clone())).expect("returns");

    let at = |on| w.on_day(person, day(on)).expect("there").particulars;
    let too_early = w.on_day(person, day(date(2020, 2, 29)));
    let since = date(2020, 3, 1);
    assert!(
        matches!(too_early, Err(PersonError::Refused(Refusal::NotKnownThen { since: first })) if first == since)
    );
    let ahead = w.on_day(person, day(date(2100, 1, 1)));
    assert!(matches!(ahead, Err(PersonError::Refused(Refusal::DayToCome))));
    assert_eq!(at(date(2020, 3, 1)).address.line, "1 Hill");
    assert_eq!(
        (at(date(2021, 1, 1)).address.line.as_str(), at(date(2021, 1, 1)).name.family.as_str()),
        ("2 Hill", "Smith")
    );
    assert_eq!(at(date(2022, 6, 1)).name.family, "Miller");
    assert!(matches!(
        w.on_day(person, day(date(2023, 5, 5))).expect("there").life.standing,
        Standing::Away { .. }
    ));
    let now = w.open(person);
    assert_eq!((now.particulars.address.line.as_str(), now.life.standing.is_here()), ("3 Hill", true));
    let lived: Vec<_> =
        now.life.former_addresses.iter().map(|was| (was.address.line.as_str(), was.until)).collect();
    assert_eq!(
        lived,
        [("1 Quay Street", date(2020, 3, 1)), ("1 Hill", date(2021, 1, 1)), ("2 Hill", date(2024, 1, 1)),]
    );
    assert_eq!(now.life.former_names[0].names.name.family, "Smith");

    // What cannot be.
    for (request, on, change, code) in [
        (20, date(2025, 1, 1), Change::Move { address: address("3 Hill") }, "same-address"),
        (21, date(2025, 1, 1), named, "nothing-changes"),
        (22, date(2025, 1, 1), back, "not-away"),
        (23, date(2023, 6, 1), Change::Move { address: address("4 Hill") }, "not-here"),
        (24, date(1970, 1, 1), Change::Death, "event-before-birth"),
        (25, date(2100, 1, 1), Change::Death, "event-in-future"),
        (26, date(2022, 1, 1), Change::Death, "later-event"),
        (27, date(2025, 1, 1), Change::Annulment { of: 1 }, "event-stands"),
        (28, date(2025, 1, 1), Change::Annulment { of: 99 }, "no-such-event"),
        (
            29,
            date(2025, 1, 1),
            Change::Divorce { from: PersonId::from_bytes([9; 16]), names: None },
            "unknown-relation",
        ),
        (30, date(2025, 1, 1), Change::Marriage { with: person, names: None }, "related-to-herself"),
        (31, date(2025, 1, 1), Change::MergedInto { survivor: person }, "recorded-otherwise"),
    ] {
        assert_eq!(w.refused(&w.event(request, person, on, change)), code, "{request}");
    }
    let mut desk = moved(40, date(2025, 1, 1), "9 Hill");
    desk.by = officer("help-desk");
    assert_eq!(w.refused(&desk), "not-allowed");

    // A correction and an annulment; what was known before them is still known.
    let before = env(1).now;
    let later = Env::new(Instant::from_seconds(before.seconds() + 3_600), [9; 32]);
    let right = now
        .particulars
        .corrected(&[(Field::BirthDate, "1981-04-21")], &w.pack, date(2026, 1, 1))
        .expect("right");
    let correct = w.event(50, person, date(2020, 1, 1), Change::Correction { set: right });
    record_event(&w.store, &w.keys, &w.pack, &later, &correct).expect("corrects");
    let annul = w.event(51, person, date(2022, 6, 1), Change::Annulment { of: 3 });
    record_event(&w.store, &w.keys, &w.pack, &later, &annul).expect("annuls");
    let now = w.open(person);
    assert_eq!(
        (now.particulars.born.to_string().as_str(), now.particulars.name.family.as_str()),
        ("1981-04-21", "Smith")
    );
    let then = w.on_day(person, Until { day: None, known: Some(before) }).expect("there");
    assert_eq!(
        (then.particulars.born.to_string().as_str(), then.particulars.name.family.as_str()),
        ("1980-04-21", "Miller")
    );
    w.check_is_sound();

    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    let lines = w
        .store
        .write::<_, PersonError, _>(bucket_of(person, w.store.buckets()), move |tx| {
            history(tx, &keys, &pack, &env(5), &Asking::herself(person))
        })
        .expect("her own history");
    let told: Vec<_> = lines.iter().map(|line| (line.n, line.event.kind(), line.annulled_by)).collect();
    assert_eq!(
        told[..3],
        [
            (1, EventKind::Registration, None),
            (2, EventKind::Move, None),
            (3, EventKind::ChangeOfName, Some(8))
        ]
    );
    assert_eq!(
        (lines.len(), lines[1].event.evidence.as_str(), lines[1].event.pack.version),
        (8, "paper 7", w.pack.version)
    );
}

fn a_marriage_has_two_sides_and_ends(t: &TestStore) {
    let w = World::new(t, "example");
    let (anna, ben) = (w.person(1, "A-1", "Smith"), w.person(2, "A-2", "Brown"));
    let wedding = Change::Marriage { with: ben, names: Some(names("Brown")) };
    w.record(&w.event(3, anna, date(2020, 5, 1), wedding.clone())).expect("marries");
    let told: Vec<EventKind> = w.work().iter().map(|told| told.kind).collect();
    // Each job is done twice: two registrations, and the two sides of one marriage.
    assert_eq!(told.iter().filter(|kind| **kind == EventKind::Registration).count(), 4);
    assert_eq!(told.iter().filter(|kind| **kind == EventKind::Marriage).count(), 4);
    assert_eq!(told.len(), 8);
    for (me, other) in [(anna, ben), (ben, anna)] {
        let now: Vec<_> = w.open(me).life.relations_now().copied().collect();
        assert_eq!(
            (now.len(), now[0].kind, now[0].to, now[0].from),
            (1, RelationKind::Spouse, other, date(2020, 5, 1))
        );
    }
    assert_eq!(w.open(anna).particulars.name.family, "Brown");
    assert_eq!(w.refused(&w.event(4, anna, date(2021, 5, 1), wedding)), "already-related");
    w.check_is_sound();

    w.record(&w.event(5, ben, date(2022, 5, 1), Change::Divorce { from: anna, names: None }))
        .expect("divorces");
    w.work();
    for me in [anna, ben] {
        let life = w.open(me).life;
        assert_eq!((life.relations.len(), life.relations[0].until), (1, Some(date(2022, 5, 1))));
    }
    // The divorce was recorded by mistake: they were married all along, on both sides.
    let n = 3;
    w.record(&w.event(6, ben, date(2022, 5, 1), Change::Annulment { of: n })).expect("annuls");
    w.work();
    for me in [anna, ben] {
        assert_eq!(w.open(me).life.relations_now().count(), 1);
    }
    w.check_is_sound();
}

fn a_death_ends_what_ends(t: &TestStore) {
    let mut w = World::new(t, "example");
    w.pack.four_eyes.clear();
    let (anna, ben, child) =
        (w.person(1, "A-1", "Smith"), w.person(2, "A-2", "Smith"), w.person(3, "A-3", "Smith"));
    w.record(&w.event(4, anna, date(2010, 5, 1), Change::Marriage { with: ben, names: None }))
        .expect("marries");
    let child_of = Change::RelationBegins { relation: RelationKind::Child, to: child };
    w.record(&w.event(5, anna, date(2012, 1, 1), child_of)).expect("has a child");
    let guards = Change::RelationBegins { relation: RelationKind::Ward, to: child };
    w.record(&w.event(6, anna, date(2012, 1, 1), guards)).expect("guards it");
    w.work();
    w.record(&w.event(7, anna, date(2024, 2, 2), Change::Death)).expect("dies");
    let told = w.work();
    assert!(told.iter().any(|told| told.person == anna && told.standing.is_closed()));

    assert!(matches!(w.open(anna).life.standing, Standing::Dead { on } if on == date(2024, 2, 2)));
    assert_eq!(w.open(ben).life.relations_now().count(), 0);
    let left: Vec<_> = w.open(child).life.relations_now().map(|relation| relation.kind).collect();
    assert_eq!(left, [RelationKind::Parent]);
    w.check_is_sound();
    let moved = Change::Move { address: address("1 Hill") };
    assert_eq!(w.refused(&w.event(8, anna, date(2025, 1, 1), moved.clone())), "after-death");
    // Nobody but staff opens a closed entry, and she is counted and paid no more.
    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    let own = w.store.write::<_, PersonError, _>(bucket_of(anna, w.store.buckets()), move |tx| {
        open_resident(tx, &keys, &pack, &env(5), &Asking::herself(anna), &["name"])
    });
    assert!(matches!(own, Err(PersonError::Refused(Refusal::NoSuchResident))));
    assert_eq!(w.count(), 2);

    // It was somebody else who died.
    let n = w.record(&w.event(9, anna, date(2024, 2, 2), Change::Annulment { of: 5 })).expect("annuls");
    let told = w.work();
    assert!(told.iter().any(|told| told.n == n && told.standing.is_here()));
    assert_eq!(
        (w.count(), w.open(ben).life.relations_now().count(), w.open(child).life.relations_now().count()),
        (3, 1, 2)
    );
    w.check_is_sound();
    w.record(&w.event(10, anna, date(2025, 1, 1), moved)).expect("lives on");
}

fn a_request_records_once(t: &TestStore) {
    let w = World::new(t, "example");
    let person = w.person(1, "A-1", "Smith");
    let ask = w.event(2, person, date(2020, 3, 1), Change::Move { address: address("1 Hill") });
    let first = w.record(&ask).expect("moves");
    assert_eq!(w.record(&ask).expect("the same request"), first);
    let other = NewEvent { on: date(2020, 3, 2), ..ask };
    assert_eq!(w.refused(&other), "request-reused");
}

/// The smallest file that has the header of a picture.
pub(crate) fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let ([w1, w0], [h1, h0]) = (width.to_be_bytes(), height.to_be_bytes());
    let frame = [0xFF, 0xC0, 0, 11, 8, h1, h0, w1, w0, 1, 1, 0x11, 0];
    [&[0xFF, 0xD8, 0xFF, 0xE0, 0, 4, b'J', b'F'][..], &frame, &[0xFF, 0xDA, 0, 2, 1, 2, 3], &[0xFF, 0xD9]]
        .concat()
}

/// The same of a PNG file; the check sums of its chunks are not asked for.
fn png(width: u32, height: u32) -> Vec<u8> {
    let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let end = b"\0\0\0\0IEND\xAE\x42\x60\x82";
    [&b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR"[..], &sides, &[8, 2, 0, 0, 0, 0, 0, 0, 0], end].concat()
}

fn a_photo_is_sealed_on_its_own(t: &TestStore) {
    let w = World::new(t, "example");
    let person = w.person(1, "A-1", "Smith");
    let keep = |request, bytes: &[u8]| {
        let photo = Photo::read(bytes)?;
        let ask = w.event(request, person, date(2020, 3, 1), Change::Photo);
        keep_photo(&w.store, &w.keys, &w.pack, &env(2), &ask, &photo)
    };
    for _ in 0..2 {
        assert_eq!(keep(2, &jpeg(350, 450)).expect("kept"), 2);
    }
    let opened = || {
        let (keys, pack) = (w.keys.clone(), w.pack.clone());
        let photo = w.store.write::<_, PersonError, _>(bucket_of(person, w.store.buckets()), move |tx| {
            open_photo(tx, &keys, &pack, &env(3), &Asking::herself(person))
        });
        let photo = photo.expect("opens").expect("a photo");
        (photo.media_type(), photo.file())
    };
    assert_eq!(opened(), ("image/jpeg", jpeg(350, 450)));
    for bad in [
        &b"GIF89a"[..],
        &[],
        &jpeg(20, 450),
        &jpeg(350, 5_000),
        &jpeg(350, 450)[..20],
        &vec![0; 300_000],
        &png(20, 450),
        &png(350, 70_000),
        &png(350, 450)[..30],
    ] {
        assert!(matches!(keep(3, bad), Err(PersonError::Refused(Refusal::BadPhoto))));
    }
    assert_eq!(keep(4, &png(350, 450)).expect("kept"), 3);
    assert_eq!(opened(), ("image/png", png(350, 450)));
}

/// Killed before the other side was recorded: the check finds it, and the job mends it.
fn half_a_relation_is_found(t: &TestStore) {
    let w = World::new(t, "example");
    let (anna, ben) = (w.person(1, "A-1", "Smith"), w.person(2, "A-2", "Brown"));
    w.record(&w.event(3, anna, date(2020, 5, 1), Change::Marriage { with: ben, names: None }))
        .expect("marries");
    let found = check(&w.store, &w.keys, &w.pack, &env(9), &officer("auditor")).expect("checks");
    assert_eq!((found.half, found.folded, found.relations), (vec![(anna, RelationKind::Spouse, ben)], 1, 1));
    w.work();
    w.check_is_sound();
}

fn nothing_happens_without_a_reason(t: &TestStore) {
    let w = World::new(t, "example");
    let person = w.person(1, "A-1", "Smith");
    let death = w.event(2, person, date(2025, 1, 1), Change::Death);
    assert_eq!(w.refused(&NewEvent { why: String::new(), ..death.clone() }), "reason-missing");
    assert_eq!(w.refused(&NewEvent { evidence: " ".to_owned(), ..death }), "reason-missing");
    assert!(w.open(person).life.standing.is_here());
}

#[test]
fn a_move_gives_the_whole_address() {
    let pack = Pack::load_shipped("example").expect("the pack is shipped");
    let today = date(2026, 9, 21);
    let before = Particulars::check(&jane(), &pack, today).expect("is right");
    let to = |entry: Entry<'_>| {
        let filled = Filled { entry, ..Filled::default() };
        filled.change(EventKind::Move, &before, &pack, today)
    };
    let in_part = to(Entry { city: "Hilltown", ..Entry::default() });
    let Err(PersonError::Refused(refusal)) = in_part else { panic!("the rest of it would be lost") };
    assert_eq!(refusal, Refusal::AddressInPart { missing: "postcode, address".to_owned() });
    assert!(refusal.to_string().contains("correction"), "{refusal}");
    let whole = Entry { postcode: "2000", city: "Hilltown", address: "1 Hill", ..Entry::default() };
    assert!(to(whole).is_ok());
}

fn two_people_are_related_as_people_can_be(t: &TestStore) {
    let mut w = World::new(t, "example");
    w.pack.four_eyes.clear();
    let born = |request, reference, birth_date| {
        w.register(request, Entry { reference, birth_date, ..jane() }).expect("registers")
    };
    let (anna, ben) = (born(1, "A-1", "1980-04-21"), born(2, "A-2", "1978-01-01"));
    let (child, carl) = (born(3, "A-3", "2012-06-01"), born(4, "A-4", "1975-01-01"));
    let dead = born(5, "A-5", "1970-01-01");
    w.record(&w.event(6, dead, date(2010, 1, 1), Change::Death)).expect("dies");
    let marry = |with| Change::Marriage { with, names: None };
    let is = |relation, to| Change::RelationBegins { relation, to };
    w.record(&w.event(7, anna, date(2005, 5, 1), marry(ben))).expect("marries");
    w.record(&w.event(8, anna, date(2012, 6, 1), is(RelationKind::Child, child))).expect("has a child");
    w.work();
    for (request, person, change, code) in [
        (20, carl, marry(dead), "other-dead"),
        (21, carl, marry(anna), "married-already"),
        (22, ben, marry(carl), "married-already"),
        (23, carl, marry(child), "too-young"),
        (24, child, marry(carl), "too-young"),
        (25, child, marry(anna), "close-kin"),
        (26, carl, is(RelationKind::Guardian, child), "too-young"),
        (27, child, is(RelationKind::Ward, carl), "too-young"),
        (28, child, is(RelationKind::Guardian, dead), "other-dead"),
        (29, carl, is(RelationKind::Parent, child), "parent-younger"),
        (30, child, is(RelationKind::Child, carl), "parent-younger"),
        (31, anna, is(RelationKind::Parent, ben), "close-kin"),
    ] {
        assert_eq!(w.refused(&w.event(request, person, date(2020, 5, 1), change)), code, "{request}");
    }
    // What was so before, and what may be found out after a death.
    w.record(&w.event(40, carl, date(2000, 5, 1), marry(dead))).expect("both lived");
    w.record(&w.event(41, child, date(2012, 6, 1), is(RelationKind::Parent, dead))).expect("her father");
    w.record(&w.event(42, child, date(2020, 5, 1), is(RelationKind::Guardian, carl))).expect("a guardian");
    w.work();
    w.check_is_sound();
}

fn a_registration_holds_from_the_countrys_day(t: &TestStore) {
    let w = World::new(t, "japan");
    let latin = Entry { family_latin: "Smith", given_latin: "Jane", status: "foreign", ..jane() };
    let late = Env::new(Instant::from_seconds(1_790_000_000 / 86_400 * 86_400 + 20 * 3_600), [3; 32]);
    let ask = Register {
        request: [1; 16],
        entry: latin,
        source: "town",
        by: registrar(),
        why: "arrival",
        evidence: "passport",
    };
    let person = register(&w.store, &w.keys, &w.pack, &w.numbers, &late, &ask).expect("registers");
    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    let lines = w.store.write::<_, PersonError, _>(bucket_of(person, w.store.buckets()), move |tx| {
        history(tx, &keys, &pack, &late.again(), &Asking::herself(person))
    });
    let day = lines.expect("her history")[0].event.day();
    // Eight in the evening of Greenwich is the next morning in Tokyo.
    assert_eq!(day, ask_day(1));
    assert_ne!(day, ask_day(0));
}

fn ask_day(after: i64) -> Date {
    Instant::from_seconds(1_790_000_000 + after * 86_400).date_in("UTC")
}

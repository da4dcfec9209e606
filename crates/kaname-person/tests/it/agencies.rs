//! Agencies' own systems, on every store: what one reads, files, enrols and hears of, and what none of them can do.

use std::sync::Arc;

use jiff::civil::date;
use kaname_base::Env;
use kaname_base::pack::Pack;
use kaname_person::agency::facts::Fact;
use kaname_person::agency::feed::subscription::{self, Next};
use kaname_person::agency::feed::{self, Listener, tell};
use kaname_person::agency::person::{self, Identity};
use kaname_person::agency::read::{self, Operator, Statement, Withheld};
use kaname_person::agency::search::{Condition, FAN_OUT, Search, search};
use kaname_person::agency::transaction::{self, Named};
use kaname_person::agency::{Agency, Desk, enrol, enter, name};
use kaname_person::event::follow::Told;
use kaname_person::event::{Change, EventKind};
use kaname_person::identity::Act;
use kaname_person::show::{Asking, access_log};
use kaname_person::{PersonError, Standing};
use kaname_store::jobs::Worker;
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::access::{self, Access};
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, PersonId};
use serde_json::{Map, Value, json};

use crate::events::{address, names};
use crate::identities::second;
use crate::world::{World, env};

on_every_store!(
    an_agency_reads_what_it_is_registered_for,
    a_file_is_one_agencys_and_becomes_a_resident_once,
    an_enrolment_is_collected_and_finished_once,
    whoever_was_entered_is_nobodys_to_erase,
    a_feed_is_in_order_and_tells_once,
    a_subscription_goes_on_where_it_was,
    a_question_is_asked_once_and_names_no_more_than_it_may,
    who_tries_names_out_by_registering_them_learns_nothing,
);

struct Office {
    w: World,
    pack: Arc<Pack>,
}

fn office(t: &TestStore) -> Office {
    let w = World::new(t, "example");
    let pack = Arc::new(w.pack.clone());
    Office { w, pack }
}

fn agency(id: &str) -> Agency {
    let attributes = ["name", "birth_date", "address"];
    Agency {
        id: id.to_owned(),
        sector: format!("sector of {id}"),
        attributes: attributes.map(|code| (code.to_owned(), "public-service".to_owned())).to_vec(),
        purpose: None,
        sees_numbers: false,
        sources: Vec::new(),
    }
}

impl Office {
    fn desk<'a>(&'a self, agency: &'a Agency, env: &'a Env) -> Desk<'a> {
        let World { store, keys, numbers, .. } = &self.w;
        Desk { store, keys, pack: &self.pack, numbers, env, agency }
    }

    fn reads(&self, agency: &Agency, who: &str, wanted: &[&str]) -> Result<read::Answer, PersonError> {
        let wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
        read::attributes(&self.w.store, &self.w.keys, &self.pack, &env(40), agency, who, &wanted)
    }

    /// Tells the agencies of a person's event, as the worker does.
    fn tells(&self, person: PersonId, n: i64, kind: EventKind, listeners: &[Listener]) {
        let told = Told { person, n, kind, standing: Standing::Here };
        tell(&self.w.store, &self.w.keys, &self.pack, &env(41), &told, listeners).expect("tells");
    }

    fn heard(&self, agency: &Agency) -> Vec<(String, String)> {
        let env = env(42);
        let placed = feed::after(self.desk(agency, &env), None, 100).expect("is read");
        let places: Vec<i64> = placed.iter().map(|placed| placed.n).collect();
        assert_eq!(places, (1..=places.len() as i64).collect::<Vec<_>>(), "no gap");
        placed.into_iter().map(|placed| (placed.notice.text, placed.notice.topic)).collect()
    }
}

fn code<T>(answer: Result<T, PersonError>) -> &'static str {
    match answer {
        Err(PersonError::Refused(refusal)) => refusal.code(),
        Err(error) => panic!("{error}"),
        Ok(_) => "done",
    }
}

fn document(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

fn child(given: &str) -> Value {
    json!({
        "firstName": given, "lastName": "Newborn", "dateOfBirth": "2026-09-01", "gender": "F",
        "residenceStatus": "citizen", "city": "Harbour",
    })
}

fn an_agency_reads_what_it_is_registered_for(t: &TestStore) {
    let o = office(t);
    let her = o.w.person(1, "A-1", "Smith");
    let (pensions, taxes) = (agency("pension-office"), agency("tax-office"));
    let number = o.w.number_of(her);
    let answer = o.reads(&pensions, &number, &["lastName", "phoneNumber", "uin", "shoeSize"]).expect("reads");
    assert!(matches!(&answer["lastName"], Ok(Fact::Text(text)) if text == "Smith"));
    assert_eq!(answer["phoneNumber"].as_ref().err(), Some(&Withheld::NotAllowed));
    assert_eq!(answer["uin"].as_ref().err(), Some(&Withheld::NotAllowed));
    assert_eq!(answer["shoeSize"].as_ref().err(), Some(&Withheld::Unknown));

    // Each has a name of its own for her, and the other's leads nowhere.
    let [by_pensions, by_taxes] = [&pensions, &taxes].map(|of| name::of_person(&o.w.keys, of, her));
    assert_ne!(by_pensions, by_taxes);
    assert_eq!(code(o.reads(&pensions, &by_pensions, &["lastName"])), "done");
    assert_eq!(code(o.reads(&taxes, &by_pensions, &["lastName"])), "no-such-resident");
    // A purpose that it is not registered for gives nothing, and leaves nothing.
    let emergency = Agency { purpose: Some("emergency".to_owned()), ..pensions.clone() };
    let answer = o.reads(&emergency, &number, &["lastName"]).expect("answers");
    assert_eq!(answer["lastName"].as_ref().err(), Some(&Withheld::NotAllowed));

    let statement = |name: &str, operator, value: &str| Statement {
        name: name.to_owned(),
        operator,
        value: Fact::Text(value.to_owned()),
    };
    let World { store, keys, .. } = &o.w;
    let judged = |said: &[Statement]| read::verdict(store, keys, &o.pack, &env(43), &pensions, &number, said);
    let born = statement("dateOfBirth", Operator::Less, "1990-01-01");
    assert!(judged(&[born.clone(), statement("lastName", Operator::Equal, "Smith")]).expect("judges"));
    assert!(!judged(&[born, statement("lastName", Operator::Equal, "Brown")]).expect("judges"));
    assert_eq!(code(judged(&[statement("phoneNumber", Operator::Equal, "1")])), "not-for-agency");

    let (keys, pack) = (o.w.keys.clone(), o.w.pack.clone());
    let log = o.w.store.write::<_, PersonError, _>(bucket_of(her, o.w.store.buckets()), move |tx| {
        access_log(tx, &keys, &pack, &env(44), &Asking::herself(her), 100)
    });
    let by_pensions = log.expect("shows").into_iter().filter(|entry| entry.actor.id == "pension-office");
    assert_eq!(by_pensions.count(), 4, "two readings and two judgements");
}

fn a_file_is_one_agencys_and_becomes_a_resident_once(t: &TestStore) {
    let o = office(t);
    let (civil, taxes, now) = (agency("civil-registry"), agency("tax-office"), env(50));
    let desk = o.desk(&civil, &now);
    person::create(desk, "b-1", true, true).expect("opens a file");
    assert_eq!(code(person::create(desk, "b-1", true, true)), "file-there");
    let claim = document(json!({ "galleries": ["G1"], "biographicData": child("Ada") }));
    person::claim(desk, "b-1", Some("birth"), claim.clone()).expect("claims");
    assert_eq!(code(person::claim(desk, "b-1", Some("birth"), claim)), "file-there");
    assert_eq!(person::galleries(desk).expect("lists"), ["G1"]);
    for of_other in
        [person::read(o.desk(&taxes, &now), "b-1").err(), person::delete(o.desk(&taxes, &now), "b-1").err()]
    {
        assert_eq!(of_other.map(|error| code::<()>(Err(error))), Some("no-such-resident"));
    }
    assert_eq!((o.w.count(), person::galleries(o.desk(&taxes, &now)).expect("lists").len()), (0, 0));

    for _ in 0..2 {
        person::make_reference(desk, "b-1", "birth")
            .map_or_else(|error| assert_eq!(code::<()>(Err(error)), "register-keeps"), drop);
    }
    assert_eq!(o.w.count(), 1);
    let (meaning, found) = person::reference(desk, "b-1").expect("is there");
    assert!(meaning.registered && matches!(found, Identity::Registered));
    assert_eq!(code(person::delete(desk, "b-1")), "register-keeps");
    assert_eq!(o.w.open(meaning.person).particulars.name.given, "Ada");

    // Files of nobody who is entered are merged and taken back, and leave nothing that opens.
    for id in ["b-2", "b-3"] {
        person::create(desk, id, true, true).expect("opens a file");
        person::claim(desk, id, Some(&format!("of-{id}")), document(json!({}))).expect("claims");
    }
    person::merge(desk, "b-3", "b-2").expect("merges");
    assert_eq!(code(person::read(desk, "b-2")), "no-such-resident");
    assert_eq!(person::identities(desk, "b-3").expect("lists").1.len(), 2);
    person::delete(desk, "b-3").expect("takes back");
    assert_eq!(code(person::create(desk, "b-3", true, true)), "file-there", "its key is gone for ever");
}

fn an_enrolment_is_collected_and_finished_once(t: &TestStore) {
    let o = office(t);
    let (civil, now) = (agency("civil-registry"), env(51));
    let desk = o.desk(&civil, &now);
    enrol::create(desk, "e-1", document(json!({ "biographicData": child("Ada") }))).expect("begins");
    assert_eq!(code(enrol::create(desk, "e-1", Map::new())), "file-there");
    let photo = enrol::add_buffer(
        desk,
        "e-1",
        kaname_person::agency::file::Buffer { kind: "image/png".to_owned(), base64: "AAAA".to_owned() },
    );
    let photo = photo.expect("keeps");
    assert_eq!(enrol::buffer(desk, "e-1", &photo).expect("is there").kind, "image/png");

    // Killed between the entry and the note that it is finished: nothing is lost by going on, and nothing by giving up.
    let entered = enter::enter(desk, "enrolment:e-1", &document(child("Ada"))).expect("enters");
    assert_eq!(code(enrol::delete(desk, "e-1")), "register-keeps");
    assert_eq!(o.w.open(entered).particulars.name.given, "Ada");
    for _ in 0..2 {
        enrol::finish(desk, "e-1").expect("finishes");
    }
    assert_eq!(o.w.count(), 1);
    assert_eq!(code(enrol::change(desk, "e-1", |document| document)), "enrolment-finished");
    assert_eq!(code(enrol::delete(desk, "e-1")), "enrolment-finished");
    assert_eq!(enrol::listed(desk).expect("lists"), ["e-1"]);
    // Eight at once finish another one, of somebody who looks like nobody who is here.
    let other = json!({
        "firstName": "Bea", "lastName": "Late", "dateOfBirth": "1951-02-11", "gender": "F",
        "residenceStatus": "citizen", "city": "Hilltown",
    });
    enrol::create(desk, "e-2", document(json!({ "biographicData": other }))).expect("begins");
    std::thread::scope(|scope| {
        for seed in 60..68 {
            let (o, civil) = (&o, &civil);
            scope.spawn(move || enrol::finish(o.desk(civil, &env(seed)), "e-2").expect("finishes"));
        }
    });
    assert_eq!(o.w.count(), 2);
}

/// Who died, or whose entry was a second one, is no resident any more; but her record is the register's, with her log and her history.
/// No agency that has a file of her can have it destroyed, nor enter her anew under it.
fn whoever_was_entered_is_nobodys_to_erase(t: &TestStore) {
    let o = office(t);
    let (pensions, now) = (agency("pension-office"), env(52));
    let desk = o.desk(&pensions, &now);
    let [dead, twice, first] = [1, 2, 3].map(|n| o.w.person(n, &format!("A-{n}"), "Smith"));
    let names = [dead, twice].map(|person| name::of_person(&o.w.keys, &pensions, person));
    for name in &names {
        let claim = document(json!({ "biographicData": child("Eve") }));
        person::claim(desk, name, Some("claimed"), claim).expect("claims");
    }
    o.w.record(&o.w.event(10, dead, date(2026, 9, 1), Change::Death)).expect("dies");
    let merge = o.w.propose(11, twice, Act::Merge { survivor: first });
    o.w.decide(merge, second(), true).expect("merges");
    o.w.work();
    person::create(desk, "mine", true, true).expect("opens a file");

    // What is true of them, whatever an agency said: also of who is in no file, because a pension ends with a life.
    let unfiled = o.w.person(4, "A-4", "Brown");
    let away = o.w.person(5, "A-5", "Green");
    o.w.record(&o.w.event(12, unfiled, date(2026, 9, 1), Change::Death)).expect("dies");
    o.w.record(&o.w.event(13, away, date(2026, 9, 1), Change::Emigration { to: "Abroad".to_owned() }))
        .expect("leaves");
    for (who, active, alive) in [
        (dead, false, false),
        (twice, false, true),
        (first, true, true),
        (unfiled, false, false),
        (away, false, true),
    ] {
        let seen = person::read(desk, &name::of_person(&o.w.keys, &pensions, who)).expect("is known");
        assert_eq!((seen.active, seen.alive), (active, alive));
    }
    // The first entry's person dies: so did whoever was entered twice.
    o.w.record(&o.w.event(14, first, date(2026, 9, 2), Change::Death)).expect("dies");
    assert!(!person::read(desk, &names[1]).expect("is known").alive);

    for name in &names {
        assert_eq!(code(person::delete(desk, name)), "register-keeps");
        assert_eq!(code(person::make_reference(desk, name, "claimed")), "register-keeps");
        for (into, from) in [("mine", name.as_str()), (name.as_str(), "mine")] {
            assert_eq!(code(person::merge(desk, into, from)), "register-keeps");
            assert_eq!(code(person::move_identity(desk, into, from, "claimed")), "register-keeps");
        }
        person::withdraw(desk, name, "claimed").expect("takes its own claim back");
    }
    assert_eq!(o.w.count(), 0, "nobody was entered anew");
    for person in [dead, twice] {
        assert_eq!(o.w.open(person).particulars.name.family, "Smith");
    }
}

fn a_feed_is_in_order_and_tells_once(t: &TestStore) {
    let o = office(t);
    let (pensions, all, taxes) = (agency("pension-office"), agency("statistics"), agency("tax-office"));
    let listeners = [
        Listener { agency: pensions.clone(), everyone: false },
        Listener { agency: all.clone(), everyone: true },
        Listener { agency: taxes.clone(), everyone: false },
    ];
    let people = [o.w.person(1, "A-1", "Smith"), o.w.person(2, "A-2", "Brown")];
    // Pensions reads the first of them; nobody reads as taxes.
    let number = o.w.number_of(people[0]);
    o.reads(&pensions, &number, &["lastName"]).expect("reads");
    for (at, person) in people.iter().enumerate() {
        for (n, change) in [
            Change::Move { address: address("1 Hill") },
            Change::ChangeOfName { names: names("Miller") },
            Change::Emigration { to: "Elsewhere".to_owned() },
            Change::Return { address: None },
        ]
        .into_iter()
        .enumerate()
        {
            let request = 10 + (at * 10 + n) as u8;
            o.w.record(&o.w.event(request, *person, date(2020 + n as i16, 1, 1), change))
                .expect("is recorded");
        }
    }
    // The worker of each of ten processes tells of each event, in no order.
    std::thread::scope(|scope| {
        for worker in 0..10_i64 {
            let (o, people, listeners) = (&o, &people, &listeners);
            scope.spawn(move || {
                for step in 0..5 {
                    let n = 1 + (step * 3 + worker) % 5;
                    o.tells(people[(worker % 2) as usize], n, EventKind::Move, listeners);
                }
            });
        }
    });
    let order = ["life.registration", "life.move", "life.change-of-name", "life.emigration", "life.return"];
    for (of, people) in [(&pensions, &people[..1]), (&all, &people[..]), (&taxes, &people[..0])] {
        let heard = o.heard(of);
        assert_eq!(heard.len(), people.len() * order.len(), "{}", of.id);
        for person in people {
            let called = name::of_person(&o.w.keys, of, *person);
            let of_her = heard.iter().filter(|(text, _)| *text == called).map(|(_, topic)| topic.as_str());
            assert_eq!(of_her.collect::<Vec<_>>(), order, "{}", of.id);
        }
    }
}

fn a_subscription_goes_on_where_it_was(t: &TestStore) {
    let o = office(t);
    let (all, now) = (agency("statistics"), env(53));
    let desk = o.desk(&all, &now);
    let listeners = [Listener { agency: all.clone(), everyone: true }];
    let person = o.w.person(1, "A-1", "Smith");
    let made = subscription::subscribe(desk, "life.move", "https://statistics.example/events", None);
    assert!(!made.expect("subscribes").active);

    // What one job sends until the receiver, after `answers` of them, does not answer any more.
    let deliver = |after: i64, answers: usize| {
        let sent = std::cell::RefCell::new(Vec::new());
        let handler = |job: &kaname_store::jobs::Job| {
            let to = subscription::delivery(&o.w.keys, job)
                .ok_or(kaname_store::jobs::JobError::Never("unreadable"))?;
            let later = |_| kaname_store::jobs::JobError::Later("store");
            loop {
                let sending = sent.borrow().len() < answers;
                match subscription::next(&o.w.store, &o.w.keys, &all, &to).map_err(later)? {
                    Next::Nothing => return Ok(()),
                    Next::Confirmation { token, .. } => {
                        sent.borrow_mut().push(token);
                        return Ok(());
                    }
                    Next::Event { .. } if !sending => {
                        return Err(kaname_store::jobs::JobError::Later("receiver"));
                    }
                    Next::Event { event, .. } => {
                        sent.borrow_mut().push(event.notice.id);
                        subscription::arrived(&o.w.store, &o.w.keys, &all, &to, event.n).map_err(later)?;
                    }
                }
            }
        };
        // The jobs of the events themselves are the feed's own concern.
        let handler = |job: &kaname_store::jobs::Job| {
            if job.kind == subscription::KIND { handler(job) } else { Ok(()) }
        };
        let time = now.now.plus_seconds(after);
        Worker::new(o.w.store.clone()).round(&|| time, &handler).expect("works");
        sent.into_inner()
    };
    let token = deliver(0, 9).pop().expect("it is asked first");
    assert_eq!(code(subscription::confirm(desk, "guessed")), "id-form");
    let other = agency("tax-office");
    assert_eq!(code(subscription::confirm(o.desk(&other, &now), &token)), "id-form", "another agency's");
    subscription::confirm(desk, &token).expect("confirms");

    let move_to = |request: u8| {
        let moved = Change::Move { address: address(&format!("{request} Hill")) };
        let n = o.w.record(&o.w.event(request, person, date(2020, 1, request as i8), moved)).expect("moves");
        o.tells(person, n, EventKind::Move, &listeners);
    };
    (2..8).for_each(move_to);
    let placed = feed::after(desk, Some(0), 100).expect("is read");
    let moves: Vec<String> = placed
        .into_iter()
        .filter(|placed| placed.notice.topic == "life.move")
        .map(|placed| placed.notice.id)
        .collect();
    assert_eq!(moves.len(), 6);
    let mut arrived = deliver(1, 2);
    assert_eq!(arrived.len(), 2);
    assert_eq!(deliver(1, 9), Vec::<String>::new(), "it is tried again later");
    (8..10).for_each(move_to);
    arrived.extend(deliver(3_600, 3));
    arrived.extend(deliver(7_200, 9));
    assert_eq!(arrived.len(), 8);
    assert_eq!(arrived[..6], moves[..], "in order, each once");
    assert_eq!(deliver(86_400, 9), Vec::<String>::new());
    let ids = subscription::subscriptions(desk).expect("lists");
    assert_eq!(code(subscription::unsubscribe(o.desk(&other, &now), &ids[0].id)), "no-such-resident");
    subscription::unsubscribe(desk, &ids[0].id).expect("ends");
    assert_eq!(code(subscription::unsubscribe(desk, &ids[0].id)), "no-such-resident");

    let later = Env::new(now.now.plus_seconds(60), [54; 32]);
    let again =
        subscription::subscribe(o.desk(&all, &later), "life.move", "https://statistics.example/events", None);
    assert!(!again.expect("subscribes again").active, "it is asked whether it wants that, as the first time");
}

fn a_question_is_asked_once_and_names_no_more_than_it_may(t: &TestStore) {
    let o = office(t);
    let (pensions, taxes, now) = (agency("pension-office"), agency("tax-office"), env(54));
    let desk = o.desk(&pensions, &now);
    let people = [o.w.person(1, "A-1", "Smith"), o.w.person(2, "A-2", "Brown")];
    let called = people.map(|person| name::of_person(&o.w.keys, &pensions, person));
    let is = |family: &str| {
        Condition::Is(Statement {
            name: "lastName".to_owned(),
            operator: Operator::Equal,
            value: Fact::Text(family.to_owned()),
        })
    };
    let ask = |who: Vec<String>, condition: Condition| {
        let ask = Search { who, condition, names: vec!["lastName".to_owned()] };
        search(desk, &ask).map(|found| found.len())
    };
    assert_eq!(ask(called.to_vec(), is("Smith")).expect("answers"), 1);
    assert_eq!(ask(vec![called[0].clone(); FAN_OUT], Condition::All(Vec::new())).expect("answers"), 1);
    // Another agency's name for her, more than the limit, and what it is not registered for give nothing.
    let of_taxes = name::of_person(&o.w.keys, &taxes, people[0]);
    assert_eq!(ask(vec![of_taxes], Condition::All(Vec::new())).expect("answers"), 0);
    assert_eq!(code(ask(vec![called[0].clone(); FAN_OUT + 1], is("Smith"))), "too-many");
    let phone = Condition::Not(Box::new(Condition::Is(Statement {
        name: "phoneNumber".to_owned(),
        operator: Operator::Equal,
        value: Fact::Text("1".to_owned()),
    })));
    assert_eq!(code(ask(vec![called[0].clone()], phone)), "not-for-agency");

    for _ in 0..2 {
        transaction::open(desk, "q-1", vec!["r-1".to_owned()], "who?").expect("is taken");
    }
    assert_eq!(code(transaction::open(desk, "q-1", Vec::new(), "who else?")), "request-reused");
    let found = transaction::status(desk, Named::Own("q-1")).expect("looks").expect("is there");
    assert_eq!(found.references, ["r-1"]);
    let other = o.desk(&taxes, &now);
    for named in [Named::Own("q-1"), Named::Registers(&found.correlation)] {
        assert_eq!(transaction::status(other, named).expect("looks"), None, "another agency's question");
    }
}

/// An agency that tries out whether somebody is in the register, by registering people: it is told that an officer decides and no more;
/// the same is looked at once a day; and after fifty in a day it is told so of everybody, looked at or not.
fn who_tries_names_out_by_registering_them_learns_nothing(t: &TestStore) {
    let o = office(t);
    let (curious, other, now) = (agency("curious-office"), agency("civil-registry"), env(70));
    let (desk, civil) = (o.desk(&curious, &now), o.desk(&other, &now));
    let hers = enter::number(civil, "c-1", &document(child("Ada"))).expect("enters");
    let ada = enter::enter(civil, "c-1", &document(child("Ada"))).expect("is there");
    let looked_at = || {
        let (keys, by) = (o.w.keys.clone(), Actor::program("test", "test"));
        let number = o.w.store.write::<_, PersonError, _>(bucket_of(ada, o.w.store.buckets()), move |tx| {
            let ask = Access { person: ada, actor: &by, purpose: "audit", basis: "test", fields: &[] };
            Ok(access::record(tx, &keys, &env(71), &ask)?.number())
        });
        number.expect("is counted")
    };
    let elder = json!({
        "firstName": "Cem", "lastName": "Elder", "dateOfBirth": "1938-06-24", "gender": "M",
        "residenceStatus": "citizen", "city": "Hilltown",
    });
    let own = enter::number(desk, "own", &document(elder.clone())).expect("enters");

    let before = looked_at();
    for n in 0..50 {
        let tried = enter::number(desk, &format!("try-{n}"), &document(child("Ada")));
        assert_eq!(code(tried), "officer-decides");
    }
    assert_eq!(looked_at() - before, 51, "each finds in her log that she was compared");
    // Once more the same, one more, and somebody whom nobody looks like: all alike, and nobody is looked at.
    let before = looked_at();
    let nobody = document(json!({
        "firstName": "Bea", "lastName": "Late", "dateOfBirth": "1951-02-11", "gender": "F",
        "residenceStatus": "citizen", "city": "Hilltown",
    }));
    let (known, more) = (document(child("Ada")), document(child("Ada")));
    let said = [("try-0", &known), ("try-50", &more), ("new", &nobody)].map(|(id, document)| {
        let refused = enter::number(desk, id, document);
        format!("{refused:?}")
    });
    assert!(said.iter().all(|one| one == &said[0] && one.contains("OfficerDecides")), "{said:?}");
    assert_eq!(looked_at() - before, 1);
    // Whom it has entered it still finds, and another agency goes on.
    assert_eq!(enter::number(desk, "own", &document(elder)).expect("is there"), own);
    assert_eq!(enter::number(civil, "c-1", &document(child("Ada"))).expect("is there"), hers);
    assert_eq!(code(enter::number(civil, "c-2", &document(child("Ada")))), "officer-decides");

    // The next day begins anew.
    let tomorrow = Env::new(now.now.plus_seconds(24 * 3_600), [72; 32]);
    let desk = o.desk(&curious, &tomorrow);
    assert_eq!(code(enter::number(desk, "new", &nobody)), "done");
    assert_eq!(code(enter::number(desk, "try-0", &document(child("Ada")))), "officer-decides");
}

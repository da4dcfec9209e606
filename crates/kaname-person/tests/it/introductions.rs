//! People without papers, for whom somebody vouches: so many a year, with a second officer from some on, seen by the introducer; and an
//! introducer who may vouch no more.

use std::sync::Arc;

use kaname_base::Env;
use kaname_person::audit::{Kind, open};
use kaname_person::event::LifeEvent;
use kaname_person::four_eyes::{self, Approved};
use kaname_person::introduce::watch::{list, open_one, set_standing};
use kaname_person::introduce::{Introducer, Vouch, VouchAsked, Word, register_introduced};
use kaname_person::link::Desk;
use kaname_person::register::Register;
use kaname_person::show::{Asking, access_log, life_events};
use kaname_person::{Action, Entry, OfficerId, PersonError, Refusal};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, PersonId};

use crate::world::{World, asking, env, jane, officer, registrar};

on_every_store!(
    a_resident_vouches_for_so_many_and_sees_each,
    an_officer_vouches_in_a_role_that_the_country_names,
    a_registration_that_is_refused_costs_the_introducer_nothing,
    whom_a_suspended_introducer_brought_in_is_looked_at,
);

const HOW: &str = "neighbours for ten years";

fn ask(request: u8, introducer: Introducer, by: Actor) -> Vouch {
    Vouch { request: [request; 16], introducer, how: HOW.to_owned(), by }
}

const NAMES: [&str; 12] = [
    "Adamu",
    "Bronwyn",
    "Cipriano",
    "Dzifa",
    "Eleftheria",
    "Fumiko",
    "Gwendal",
    "Hortensia",
    "Ifeoma",
    "Jorma",
    "Kwabena",
    "Ludmila",
];

impl World {
    /// Registers somebody of her own name and year, on that word.
    fn introduced(&self, at: &Env, second: Option<&Approved>, ask: &Vouch) -> Result<PersonId, PersonError> {
        let n = ask.request[0];
        let (given, family) = (NAMES[usize::from(n) % 12], NAMES[(usize::from(n) + 5) % 12]);
        let (reference, born) = (format!("N-{n}"), format!("{}-0{}-11", 1930 + i32::from(n), 1 + n % 9));
        let entry = Entry {
            reference: &reference,
            given_name: given,
            family_name: family,
            birth_date: &born,
            phone: "",
            email: "",
            address: "",
            postcode: "",
            city: "",
            ..jane()
        };
        self.enters(at, second, ask, entry)
    }

    fn events_of(&self, person: PersonId) -> Vec<LifeEvent> {
        let (keys, pack) = (self.keys.clone(), self.pack.clone());
        let events =
            self.store.write::<_, PersonError, _>(bucket_of(person, self.store.buckets()), move |tx| {
                life_events(tx, &keys, &pack, &env(8), &asking(person, "registrar", "registration"))
            });
        events.expect("her events")
    }

    fn enters(
        &self,
        at: &Env,
        second: Option<&Approved>,
        ask: &Vouch,
        entry: Entry<'_>,
    ) -> Result<PersonId, PersonError> {
        let by = ask.by.clone();
        let new =
            Register { request: ask.request, entry, source: "town", by, why: "registration", evidence: "" };
        register_introduced(&self.store, &self.keys, &self.pack, &self.numbers, at, second, ask, &new, None)
    }
}

fn desk(w: &World) -> Desk {
    Desk::new(w.store.clone(), w.keys.clone(), Arc::new(w.pack.clone()))
}

fn refused<T>(answer: Result<T, PersonError>) -> Refusal {
    match answer {
        Err(PersonError::Refused(refusal)) => refusal,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was not refused"),
    }
}

fn agree(w: &World, ask: &Vouch) -> Approved {
    let (keys, asked, by) = (w.keys.clone(), VouchAsked::of(ask), ask.by.clone());
    let second = Actor::officer("off_second", "registrar");
    // Another moment for each, or two proposals would have one id.
    let moment = 20 + ask.request[0];
    let agreed = w.store.write::<_, PersonError, _>(w.store.buckets().home(), move |tx| {
        let id = four_eyes::propose(tx, &keys, &env(moment), &by, Action::RegisterResident, &asked)?;
        assert!(
            four_eyes::mine(tx, &keys, env(moment).now, &by, Action::RegisterResident, &asked)?.is_some()
        );
        four_eyes::approve(tx, &keys, &env(moment), &second, id, &[Action::RegisterResident])?;
        let mine = four_eyes::mine(tx, &keys, env(moment).now, &by, Action::RegisterResident, &asked)?;
        Ok(mine.and_then(|(_, approved)| approved))
    });
    agreed.expect("agrees").expect("is approved")
}

/// The pack lets one vouch for five a year, and asks two officers from the third on.
fn a_resident_vouches_for_so_many_and_sees_each(t: &TestStore) {
    let w = World::new(t, "example");
    let margaret = w.register(100, jane()).expect("registers");
    let by = |request| ask(request, Introducer::Resident(margaret), registrar());
    let silent = Vouch { how: "  ".to_owned(), ..by(1) };
    assert_eq!(refused(w.introduced(&env(3), None, &silent)), Refusal::ReasonMissing);
    for request in [1, 2] {
        let person = w.introduced(&env(3), None, &by(request)).expect("is registered");
        assert_eq!(w.introduced(&env(3), None, &by(request)).expect("the same form again"), person);
        let evidence = w.events_of(person)[0].evidence.clone();
        assert!(!evidence.contains(&margaret.to_string()), "no id of the register: {evidence}");
        assert!(!evidence.contains("introduced by"), "no sentence: {evidence}");
        let word = Word::read(&w.keys, &evidence).expect("this deployment reads who vouched");
        assert!(word.introducer == Introducer::Resident(margaret) && word.how == HOW);
    }
    for request in [3, 4, 5] {
        assert_eq!(refused(w.introduced(&env(3), None, &by(request))), Refusal::TwoOfficers);
        let approved = agree(&w, &by(request));
        let other = Vouch { how: "a stranger".to_owned(), ..by(request) };
        let another = refused(w.introduced(&env(3), Some(&approved), &other));
        assert_eq!(another, Refusal::TwoOfficers, "they agreed on another");
        w.introduced(&env(3), Some(&approved), &by(request)).expect("is registered");
    }
    let approved = agree(&w, &by(6));
    assert_eq!(refused(w.introduced(&env(3), Some(&approved), &by(6))), Refusal::TooManyIntroduced);
    // Another year, she may again; and what she has done is the same request still.
    let next_year = Env::new(env(3).now.plus_seconds(370 * 86_400), [9; 32]);
    w.introduced(&next_year, None, &by(7)).expect("is registered");
    w.introduced(&next_year, None, &by(1)).expect("the same form again");

    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    let log = w.store.write::<_, PersonError, _>(bucket_of(margaret, w.store.buckets()), move |tx| {
        access_log(tx, &keys, &pack, &env(9), &Asking::herself(margaret), 50)
    });
    let lines = log.expect("shows").iter().filter(|entry| entry.fields == ["introduction"]).count();
    assert!(lines >= 6, "only {lines} lines");
}

fn an_officer_vouches_in_a_role_that_the_country_names(t: &TestStore) {
    let w = World::new(t, "example");
    let id = OfficerId::from_bytes([7; 16]);
    let actor = Actor::officer(id.to_string(), "registrar");
    let vouches = |ask: &Vouch| w.introduced(&env(3), None, ask);
    let person = vouches(&ask(1, Introducer::Officer(id), actor.clone())).expect("is registered");
    let word = Word::read(&w.keys, &w.events_of(person)[0].evidence).expect("who vouched");
    assert!(word.introducer == Introducer::Officer(id));
    vouches(&ask(2, Introducer::Officer(id), actor.clone())).expect("is registered");
    assert_eq!(refused(vouches(&ask(3, Introducer::Officer(id), actor.clone()))), Refusal::TwoOfficers);
    // In nobody else's name.
    let other = OfficerId::from_bytes([8; 16]);
    assert_eq!(refused(vouches(&ask(4, Introducer::Officer(other), actor))), Refusal::NoIntroducer);
    let agency = Actor::new(kaname_trust::ActorKind::Party, "agency", "agency");
    assert_eq!(refused(vouches(&ask(4, Introducer::Officer(id), agency))), Refusal::NoIntroducer);
}

fn a_registration_that_is_refused_costs_the_introducer_nothing(t: &TestStore) {
    let w = World::new(t, "example");
    let margaret = w.register(100, jane()).expect("registers");
    let by = |request| ask(request, Introducer::Resident(margaret), registrar());
    // Wrong data, and somebody who is here already: as often as one likes.
    for request in 10..20 {
        let wrong = Entry { sex: "nobody", ..jane() };
        let fault = refused(w.enters(&env(3), None, &by(request), wrong));
        assert!(matches!(fault, Refusal::Invalid(_)), "{fault:?}");
        let again = Entry { reference: "A-2", ..jane() };
        let twice = refused(w.enters(&env(3), None, &by(request), again));
        assert_eq!(twice, Refusal::LooksLikeSomebody);
    }
    assert_eq!(list(&desk(&w), &registrar(), 10).expect("lists"), [], "nothing is kept of it");
    for request in [1, 2] {
        w.introduced(&env(3), None, &by(request)).expect("both places of one officer are there");
    }
    assert_eq!(refused(w.introduced(&env(3), None, &by(3))), Refusal::TwoOfficers);
    assert_eq!(list(&desk(&w), &registrar(), 10).expect("lists")[0].brought, 2);
}

fn whom_a_suspended_introducer_brought_in_is_looked_at(t: &TestStore) {
    let w = World::new(t, "example");
    let (desk, auditor) = (desk(&w), officer("auditor"));
    let margaret = w.register(100, jane()).expect("registers");
    let by = |request| ask(request, Introducer::Resident(margaret), registrar());
    let brought: Vec<PersonId> =
        [1, 2].map(|request| w.introduced(&env(3), None, &by(request)).expect("is registered")).to_vec();
    assert!(matches!(refused(list(&desk, &officer("payments"), 10)), Refusal::NotAllowed { .. }));
    let known = list(&desk, &auditor, 10).expect("lists");
    assert_eq!(known.len(), 1);
    assert!(known[0].introducer == Introducer::Resident(margaret) && known[0].name.is_none());
    assert_eq!((known[0].brought, known[0].suspended), (2, false));
    let opened = open_one(&desk, &env(30), &auditor, known[0].introducer).expect("opens");
    assert_eq!(opened.known.name.as_deref(), Some("Jane Smith"));
    let people: Vec<PersonId> = opened.brought.iter().map(|one| one.person).collect();
    assert_eq!(people, brought);
    assert!(opened.brought.iter().all(|one| one.how == HOW && !one.name.is_empty()));

    let set = |suspended, why| {
        set_standing(&desk, &env(31), &auditor, Introducer::Resident(margaret), suspended, why)
    };
    assert_eq!(refused(set(true, " ")), Refusal::ReasonMissing);
    let stranger = Introducer::Resident(brought[0]);
    assert_eq!(refused(set_standing(&desk, &env(31), &auditor, stranger, true, "?")), Refusal::NoIntroducer);
    assert_eq!(set(true, "sold her word").expect("suspends"), 2);
    assert_eq!(set(true, "sold her word").expect("again"), 0, "each is listed once");
    assert_eq!(refused(w.introduced(&env(3), None, &by(4))), Refusal::NoIntroducer);
    let found = open(&desk, &auditor, 10).expect("findings");
    assert_eq!(found.len(), 2);
    for finding in &found {
        assert_eq!(finding.kind, Kind::IntroducerSuspended);
        assert!(brought.contains(&finding.people[0]) && finding.people[1] == margaret);
    }
    let opened = open_one(&desk, &env(32), &auditor, Introducer::Resident(margaret)).expect("opens");
    assert!(
        opened.known.suspended && opened.standing.len() == 1 && opened.standing[0].why == "sold her word"
    );

    set(false, "it was another").expect("restores");
    assert_eq!(refused(w.introduced(&env(3), None, &by(4))), Refusal::TwoOfficers, "she may again");
    assert_eq!(set(true, "it was not").expect("suspends"), 2, "they are looked at once more");
}

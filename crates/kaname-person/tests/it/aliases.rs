//! Aliases and locks: who is led to a person by what she gave, and who is not any more.

use std::collections::HashSet;

use jiff::ToSpan;
use kaname_base::number::PersonNumber;
use kaname_base::pack::AliasKind;
use kaname_base::{Env, Instant};
use kaname_person::number::alias::{Alias, AliasState, MakeAlias, aliases_of, make_alias, revoke_alias};
use kaname_person::number::find_by_number;
use kaname_person::number::lock::{LockNumber, lock_number};
use kaname_person::number::resolve::{Resolve, resolve};
use kaname_person::show::{Asking, access_log, life_events};
use kaname_person::{Numbers, PersonError, Refusal};
use kaname_store::Faults;
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, ActorKind, PersonId};

use crate::numbers::reveal;
use crate::world::{World, asking, env, jane, officer};

on_every_store!(
    an_alias_leads_to_its_holder_until_it_ends,
    a_single_use_is_used_once_however_many_try,
    a_request_that_is_repeated_makes_one_alias,
    a_person_has_no_more_than_the_country_says,
    a_locked_number_leads_nobody_outside,
    a_hundred_at_once_use_it_once,
    an_alias_outlives_her_number_and_not_her_entry
);

fn agency() -> Actor {
    Actor::new(ActorKind::Party, "insurer", "relying-party")
}

fn make(w: &World, request: u8, ask: MakeAlias) -> Result<PersonNumber, PersonError> {
    let aliases = Numbers::aliases(&w.keys, &w.pack).expect("the country has aliases");
    make_alias(&w.store, &w.keys, &w.pack, &aliases, &env(request), &ask)
}

fn asked(person: PersonId, request: u8, kind: AliasKind, days: i64) -> MakeAlias {
    let today = env(1).now.date_in("Etc/UTC");
    let until = (kind == AliasKind::Temporary).then(|| today.checked_add(days.days()).expect("a day"));
    MakeAlias { request: [request; 16], asking: Asking::herself(person), kind, until }
}

/// Whom the text leads this actor to.
pub(crate) fn found(w: &World, env: &Env, text: &str, actor: &Actor, use_id: u8) -> Option<PersonId> {
    let ask = Resolve { text, actor, use_id: [use_id; 16] };
    resolve(&w.store, &w.keys, &w.pack, env, &ask).expect("looks")
}

fn listed(w: &World, person: PersonId) -> Vec<Alias> {
    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    let work =
        move |tx: &mut kaname_store::Tx<'_>| aliases_of(tx, &keys, &pack, &env(8), &Asking::herself(person));
    w.store.write::<_, PersonError, _>(bucket_of(person, w.store.buckets()), work).expect("lists")
}

fn revoke(w: &World, asking: Asking, n: i64) -> Result<(), PersonError> {
    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    w.store.write(bucket_of(asking.person, w.store.buckets()), move |tx| {
        revoke_alias(tx, &keys, &pack, &env(8), &asking, n)
    })
}

fn an_alias_leads_to_its_holder_until_it_ends(t: &TestStore) {
    let w = World::new(t, "example");
    let person = w.register(1, jane()).expect("registers");
    let number = reveal(&w, person);
    let permanent = make(&w, 1, asked(person, 1, AliasKind::Permanent, 0)).expect("makes");
    let temporary = make(&w, 2, asked(person, 2, AliasKind::Temporary, 7)).expect("makes");
    assert_eq!(permanent.as_str().len(), 16);
    assert_eq!([permanent, temporary, number].iter().collect::<HashSet<_>>().len(), 3);

    let (now, after) = (env(1), Env::new(Instant::from_seconds(1_790_000_000 + 8 * 86_400), [1; 32]));
    for alias in [&permanent, &temporary] {
        let rules = w.pack.alias.as_ref().expect("there are aliases");
        let shown = rules.scheme.show(alias);
        assert_eq!(found(&w, &now, &shown, &agency(), 1), Some(person), "as it is written in groups");
        // Nothing that takes numbers alone takes an alias for one.
        assert!(w.pack.number.parse(alias.as_str()).is_err());
    }
    assert_eq!(found(&w, &now, number.as_str(), &agency(), 1), Some(person));
    assert_eq!(found(&w, &after, permanent.as_str(), &agency(), 1), Some(person));
    assert_eq!(found(&w, &after, temporary.as_str(), &agency(), 1), None, "its last day has passed");
    assert_eq!(found(&w, &after, temporary.as_str(), &officer("registrar"), 1), Some(person));

    let first = listed(&w, person).pop().expect("she has two");
    assert_eq!((first.n, first.alias, first.state), (1, permanent, AliasState::Active));
    let other = w.register(2, kaname_person::Entry { reference: "A-2", ..jane() }).expect("registers");
    assert!(matches!(revoke(&w, Asking::herself(other), 1), Err(PersonError::Refused(Refusal::NoSuchAlias))));
    revoke(&w, Asking::herself(person), 1).expect("takes back");
    revoke(&w, Asking::herself(person), 1).expect("again does nothing");
    assert_eq!(found(&w, &now, permanent.as_str(), &agency(), 1), None);
    assert_eq!(found(&w, &now, permanent.as_str(), &officer("payments"), 1), None);
    assert_eq!(found(&w, &now, permanent.as_str(), &officer("registrar"), 1), Some(person));
    assert_eq!(listed(&w, person)[1].ended.as_ref().map(|(_, by)| by.id.as_str()), Some("self"));

    for text in ["", "1", "1234 5678 9012 3456", "٩٩٩٩", "\u{0}", &"9".repeat(10_000)] {
        assert_eq!(found(&w, &now, text, &officer("registrar"), 1), None, "{text}");
    }
}

fn a_single_use_is_used_once_however_many_try(t: &TestStore) {
    let w = World::new(t, "example");
    let person = w.register(1, jane()).expect("registers");
    let mut uses = 0;
    for round in 0..6_u8 {
        let alias = make(&w, round, asked(person, round, AliasKind::SingleUse, 0)).expect("makes");
        let wins: Vec<u8> = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..8_u8)
                .map(|try_| {
                    let (w, alias) = (&w, &alias);
                    scope.spawn(move || {
                        found(w, &env(1), alias.as_str(), &agency(), 100 + try_).map(|_| 100 + try_)
                    })
                })
                .collect();
            tries.into_iter().filter_map(|thread| thread.join().expect("ends")).collect()
        });
        assert_eq!(wins.len(), 1, "round {round}: {wins:?}");
        // Whose answer was lost asks again, and gets it; nobody else does.
        assert_eq!(found(&w, &env(1), alias.as_str(), &agency(), wins[0]), Some(person));
        let other = if wins[0] == 107 { 100 } else { wins[0] + 1 };
        assert_eq!(found(&w, &env(1), alias.as_str(), &agency(), other), None);
        uses += wins.len();
    }
    assert_eq!(uses, 6);
    let used = listed(&w, person);
    assert!(used.iter().all(|alias| alias.state == AliasState::Used));
    assert_eq!(used[0].ended.as_ref().map(|(_, by)| by.id.as_str()), Some("insurer"));
}

fn a_request_that_is_repeated_makes_one_alias(t: &TestStore) {
    let w = World::new(t, "example");
    let person = w.register(1, jane()).expect("registers");
    let first = make(&w, 1, asked(person, 1, AliasKind::Permanent, 0)).expect("makes");
    assert_eq!(make(&w, 2, asked(person, 1, AliasKind::Permanent, 0)).expect("again"), first);
    assert_eq!(listed(&w, person).len(), 1);

    let wrong = [
        asked(person, 3, AliasKind::Temporary, -1),
        asked(person, 3, AliasKind::Temporary, 367),
        MakeAlias { until: None, ..asked(person, 3, AliasKind::Temporary, 1) },
        MakeAlias { kind: AliasKind::Permanent, ..asked(person, 3, AliasKind::Temporary, 1) },
    ];
    for ask in wrong {
        let refused = make(&w, 3, ask);
        assert!(matches!(refused, Err(PersonError::Refused(Refusal::AliasPeriod { .. }))), "{refused:?}");
    }
    let stranger = MakeAlias {
        asking: asking(person, "payments", "help-desk"),
        ..asked(person, 3, AliasKind::Permanent, 0)
    };
    assert!(matches!(make(&w, 3, stranger), Err(PersonError::Refused(Refusal::NotAllowed { .. }))));
    assert_eq!(listed(&w, person).len(), 1);
}

fn a_person_has_no_more_than_the_country_says(t: &TestStore) {
    let w = World::new(t, "example");
    let person = w.register(1, jane()).expect("registers");
    let most = w.pack.alias.as_ref().expect("there are aliases").most as u8;
    for request in 0..most {
        make(&w, request, asked(person, request, AliasKind::SingleUse, 0)).expect("makes");
    }
    let one_more = || make(&w, most, asked(person, most, AliasKind::SingleUse, 0));
    assert!(matches!(one_more(), Err(PersonError::Refused(Refusal::TooManyAliases))));
    revoke(&w, Asking::herself(person), 1).expect("takes back");
    one_more().expect("there is room again");
}

fn a_locked_number_leads_nobody_outside(t: &TestStore) {
    let w = World::new(t, "example");
    let person = w.register(1, jane()).expect("registers");
    let number = reveal(&w, person);
    let alias = make(&w, 1, asked(person, 1, AliasKind::Permanent, 0)).expect("makes");
    let change = |request: u8, asking: Asking, locked| {
        let (keys, pack) = (w.keys.clone(), w.pack.clone());
        let (why, evidence) = ("a letter was stolen".to_owned(), "report 3".to_owned());
        let ask = LockNumber { request: [request; 16], asking, locked, why, evidence };
        w.store.write::<_, PersonError, _>(bucket_of(person, w.store.buckets()), move |tx| {
            lock_number(tx, &keys, &pack, &env(4), &ask)
        })
    };
    let leads = |actor: &Actor| found(&w, &env(1), number.as_str(), actor, 1).is_some();
    for round in 0..2 {
        change(10 + round, Asking::herself(person), true).expect("locks");
        change(10 + round, Asking::herself(person), true).expect("the same request does nothing");
        assert!(!leads(&agency()) && !leads(&officer("payments")) && !leads(&Actor::resident()));
        assert_eq!(
            find_by_number(&w.store, &w.keys, &crate::world::registrar(), &number).expect("looks"),
            None
        );
        assert!(leads(&officer("registrar")) && leads(&officer("help-desk")));
        // What she gives in its place goes on.
        assert_eq!(found(&w, &env(1), alias.as_str(), &agency(), 1), Some(person));
        change(20 + round, asking(person, "registrar", "help-desk"), false).expect("unlocks");
        assert!(leads(&agency()));
    }
    let refused = change(30, asking(person, "payments", "help-desk"), true);
    assert!(matches!(refused, Err(PersonError::Refused(Refusal::NotAllowed { .. }))));

    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    let (events, log) = w
        .store
        .write::<_, PersonError, _>(bucket_of(person, w.store.buckets()), move |tx| {
            let her = Asking::herself(person);
            let events = life_events(tx, &keys, &pack, &env(5), &her)?;
            Ok((events, access_log(tx, &keys, &pack, &env(5), &her, 50)?))
        })
        .expect("shows");
    let kinds: Vec<String> = events.iter().map(|event| format!("{:?}", event.kind())).collect();
    let expected = ["Registration", "NumberLocked", "NumberUnlocked", "NumberLocked", "NumberUnlocked"];
    assert_eq!(kinds, expected);
    let of_locks = log.iter().filter(|entry| entry.fields == ["number-lock"]).count();
    assert_eq!(of_locks, 6, "each asking is a line of her log, also one that changed nothing");
}

#[test]
fn every_country_has_aliases_that_are_never_numbers() {
    let mut made = 0;
    for country in kaname_base::pack::Pack::shipped() {
        let t = TestStore::sqlite();
        let w = World::new(&t, country);
        let aliases = Numbers::aliases(&w.keys, &w.pack).expect("the country has aliases");
        let some = aliases.take(&w.store, 2_000).expect("takes");
        let rules = w.pack.alias.as_ref().expect("there are aliases");
        assert_eq!(some.iter().collect::<HashSet<_>>().len(), some.len());
        for alias in &some {
            assert_eq!(rules.scheme.parse(&rules.scheme.show(alias)), Ok(*alias), "{country}");
            assert!(w.pack.number.parse(alias.as_str()).is_err(), "{country}");
            made += 1;
        }
        // Numbers go on from their own count.
        assert_eq!(w.numbers.take(&w.store, 10).expect("takes").len(), 10);
    }
    assert_eq!(made, 12_000);
}

/// Every step may fail before or after it was done: an alias of a single use is never good for two uses, and never for none.
#[test]
fn a_use_survives_any_failure() {
    let t = TestStore::sqlite();
    let w = World::new(&t, "example");
    let person = w.register(1, jane()).expect("registers");
    let (mut failed, mut kept) = (0, 0);
    for step in 1..=12_u64 {
        for applied in [false, true] {
            let request = 100 + (step * 2 + u64::from(applied)) as u8;
            let alias = make(&w, request, asked(person, request, AliasKind::SingleUse, 0)).expect("makes");
            let faults = Faults::new();
            let config = kaname_store::StoreConfig { faults: Some(faults.clone()), ..t.config() };
            let migrations =
                [kaname_store::jobs::MIGRATIONS, kaname_trust::MIGRATIONS, kaname_person::MIGRATIONS];
            let broken = t.open_with(&config, &migrations).expect("opens");
            faults.arm(step, applied);
            let ask = Resolve { text: alias.as_str(), actor: &agency(), use_id: [1; 16] };
            let answer = resolve(&broken, &w.keys, &w.pack, &env(1), &ask);
            drop(broken);
            failed += usize::from(answer.is_err());
            let used = listed(&w, person)[0].state == AliasState::Used;
            kept += usize::from(answer.is_err() && used);
            assert!(answer.is_err() || used, "step {step}");
            assert_eq!(found(&w, &env(1), alias.as_str(), &agency(), 1), Some(person), "step {step}");
            assert_eq!(found(&w, &env(1), alias.as_str(), &agency(), 2), None, "step {step}");
        }
    }
    assert!(failed > 0 && kept > 0, "{failed} failures, {kept} of them after the commit");
}

/// One alias, a hundred users at the same instant, while its holder takes it back: good for one of them, or for none.
fn a_hundred_at_once_use_it_once(t: &TestStore) {
    let w = World::new(t, "example");
    let person = w.register(1, jane()).expect("registers");
    let (mut used, mut taken_back) = (0, 0);
    for round in 0..4_u8 {
        let alias = make(&w, round, asked(person, round, AliasKind::SingleUse, 0)).expect("makes");
        let n = listed(&w, person)[0].n;
        let start = std::sync::Barrier::new(101);
        let good = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..100_u8)
                .map(|user| {
                    let (w, alias, start) = (&w, &alias, &start);
                    scope.spawn(move || {
                        start.wait();
                        found(w, &env(1), alias.as_str(), &agency(), user).is_some()
                    })
                })
                .collect();
            start.wait();
            if round % 2 == 1 {
                revoke(&w, Asking::herself(person), n).expect("takes back");
            }
            tries.into_iter().map(|user| user.join().expect("ends")).filter(|good| *good).count()
        });
        let state = listed(&w, person)[0].state;
        match state {
            AliasState::Used => used += 1,
            AliasState::Revoked => taken_back += 1,
            AliasState::Active => panic!("round {round}: nothing became of it"),
        }
        assert_eq!(good, usize::from(state == AliasState::Used), "round {round}");
    }
    assert!(used >= 2 && used + taken_back == 4, "{used} used, {taken_back} taken back");
}

fn an_alias_outlives_her_number_and_not_her_entry(t: &TestStore) {
    use kaname_person::event::Change;
    use kaname_person::identity::Act;
    use kaname_person::number::{ReplaceNumber, replace_number};
    let w = World::new(t, "example");
    let (person, other) = (w.person(1, "A-1", "Smith"), w.person(2, "A-2", "Smyth"));
    let number = reveal(&w, person);
    let alias = make(&w, 1, asked(person, 1, AliasKind::Permanent, 0)).expect("makes");
    let replace = ReplaceNumber {
        request: [9; 16],
        person,
        by: officer("registrar"),
        why: "leaked".to_owned(),
        evidence: "report 4".to_owned(),
    };
    // A country in which one officer may: who agrees with whom is asked elsewhere.
    let mut pack = w.pack.clone();
    pack.four_eyes.clear();
    replace_number(&w.store, &w.keys, &pack, &w.numbers, &env(9), None, &replace).expect("replaces");
    let leads = |text: &str, actor: &Actor| found(&w, &env(1), text, actor, 1);
    // The old number leads the authority alone; what she gave in its place goes on.
    assert_eq!(
        (leads(number.as_str(), &agency()), leads(number.as_str(), &officer("registrar"))),
        (None, Some(person))
    );
    assert_eq!(leads(alias.as_str(), &agency()), Some(person));
    let new_number = reveal(&w, person);
    assert_eq!(leads(new_number.as_str(), &agency()), Some(person));

    // Merged into another entry, hers leads nobody outside, by no name of hers.
    let id = w.propose(20, person, Act::Merge { survivor: other });
    w.decide(id, crate::identities::second(), true).expect("merges");
    for text in [number.as_str(), new_number.as_str(), alias.as_str()] {
        assert_eq!(leads(text, &agency()), None);
        assert_eq!(leads(text, &Actor::resident()), None);
    }
    assert_eq!(leads(new_number.as_str(), &officer("registrar")), Some(other));
    let refused = make(&w, 30, asked(person, 30, AliasKind::Permanent, 0));
    assert!(matches!(refused, Err(PersonError::Refused(Refusal::NoSuchResident))));
    let undo = w.propose(21, person, Act::Unmerge);
    w.decide(undo, crate::identities::second(), true).expect("is undone");
    assert_eq!(leads(alias.as_str(), &agency()), Some(person));
    w.record(&w.event(40, person, jiff::civil::date(2026, 9, 1), Change::Death)).expect("dies");
    assert_eq!((leads(alias.as_str(), &agency()), leads(new_number.as_str(), &agency())), (None, None));
}

//! The fold of events, tried on very many histories.

use jiff::ToSpan;
use std::sync::OnceLock;

use jiff::civil::{Date, date};
use kaname_base::Instant;
use kaname_base::pack::Pack;
use kaname_person::event::rules::{Numbered, Until, admit, fold};
use kaname_person::event::{Change, EventKind, LifeEvent};
use kaname_person::{PackVersion, Particulars, RelationKind, Resident};
use kaname_trust::PersonId;
use proptest::prelude::*;

use crate::events::address;
use crate::world::{jane, registrar};

const TODAY: Date = date(2026, 1, 1);

fn entered() -> Resident {
    static ENTERED: OnceLock<Resident> = OnceLock::new(); // reading a pack takes longer than folding a life
    ENTERED.get_or_init(enter).clone()
}

fn enter() -> Resident {
    let pack = Pack::load_shipped("example").expect("shipped");
    Resident {
        particulars: Particulars::check(&jane(), &pack, TODAY).expect("a good entry"),
        pack: PackVersion::of(&pack),
        registered_at: Instant::from_seconds(1_000),
        registered_by: registrar(),
        life: Default::default(),
    }
}

fn event(change: Change, on: Date, at: i64) -> LifeEvent {
    LifeEvent {
        change,
        on: Some(on),
        at: Instant::from_seconds(at),
        by: registrar(),
        why: String::new(),
        evidence: String::new(),
        pack: entered().pack,
        other_side: false,
    }
}

fn changes() -> impl Strategy<Value = Change> {
    let person = |n: u8| PersonId::from_bytes([n; 16]);
    let relation = (0..RelationKind::ALL.len()).prop_map(|at| RelationKind::ALL[at]);
    prop_oneof![
        (0..4_u8).prop_map(|house| Change::Move { address: address(&house.to_string()) }),
        Just(Change::Emigration { to: "Elsewhere".to_owned() }),
        Just(Change::Return { address: None }),
        Just(Change::Death),
        (1..4_u8).prop_map(move |n| Change::Marriage { with: person(n), names: None }),
        (1..4_u8).prop_map(move |n| Change::Divorce { from: person(n), names: None }),
        (relation.clone(), 1..4_u8)
            .prop_map(move |(relation, n)| Change::RelationBegins { relation, to: person(n) }),
        (relation, 1..4_u8).prop_map(move |(relation, n)| Change::RelationEnds { relation, to: person(n) }),
        (1..4_u8).prop_map(move |n| Change::Bereavement { of: person(n) }),
        (1..12_i64).prop_map(|of| Change::Annulment { of }),
    ]
}

/// What was offered, and the history that the rules let through.
fn history(offered: &[(Change, u16)]) -> Vec<Numbered> {
    let entered = entered();
    let mut events: Vec<Numbered> = Vec::new();
    for (at, (change, days)) in offered.iter().enumerate() {
        let on = date(1985, 1, 1).saturating_add(i64::from(*days).days());
        let new = event(change.clone(), on, 2_000 + at as i64);
        if admit(&entered, &events, &new, TODAY).is_ok() {
            events.push(Numbered { n: events.len() as i64 + 1, event: new });
        }
    }
    events
}

proptest! {
    #[test]
    fn what_was_admitted_folds_on_every_day_and_as_known_at_every_time(
        offered in prop::collection::vec((changes(), 0..15_000_u16), 0..24),
        day in 0..15_000_u16,
        known in 1_990..2_030_i64,
    ) {
        let (entered, events) = (entered(), history(&offered));
        let state = fold(&entered, &events, Until::default()).expect("folds");
        // As known now is as known at the end of time; any other view folds too, or the events before it were never valid together.
        let end = Until { day: Some(Date::MAX), known: Some(Instant::from_micros(i64::MAX)) };
        prop_assert!(fold(&entered, &events, end).expect("folds") == state);
        let day = date(1985, 1, 1).saturating_add(i64::from(day).days());
        let then = fold(&entered, &events, Until { day: Some(day), known: None }).expect("folds on any day");
        prop_assert!(then.life.former_addresses.len() <= state.life.former_addresses.len());
        let known = Until { day: None, known: Some(Instant::from_seconds(known)) };
        fold(&entered, &events, known).expect("folds as known at any time");

        // No two relations of one kind to one person hold at once, none ends before it begins, none but kinship outlives her.
        let now: Vec<_> = state.life.relations_now().map(|relation| (relation.kind, relation.to)).collect();
        let mut once = now.clone();
        once.sort();
        once.dedup();
        prop_assert_eq!(once.len(), now.len());
        prop_assert!(state.life.relations.iter().all(|relation| relation.until.is_none_or(|until| until >= relation.from)));
        if state.life.standing.is_closed() {
            let kin = [RelationKind::Parent, RelationKind::Child];
            prop_assert!(now.iter().all(|(kind, _)| kin.contains(kind)));
        }
    }

    #[test]
    fn an_annulment_leaves_what_would_have_been_without(offered in prop::collection::vec((changes(), 0..15_000_u16), 1..16)) {
        let (entered, events) = (entered(), history(&offered));
        for struck in &events {
            let annul = event(Change::Annulment { of: struck.n }, struck.event.day(), 9_000);
            let Ok(state) = admit(&entered, &events, &annul, TODAY) else { continue };
            let others: Vec<Numbered> = events.iter().filter(|other| other.n != struck.n).cloned().collect();
            prop_assert!(fold(&entered, &others, Until::default()).expect("folds") == state);
        }
    }

    #[test]
    fn an_event_opens_as_it_was_sealed(change in changes()) {
        let sealed = event(change, TODAY, 5);
        let text = serde_json::to_string(&sealed).expect("plain data");
        prop_assert!(serde_json::from_str::<LifeEvent>(&text).expect("opens") == sealed);
    }
}

#[test]
fn an_event_of_before_still_opens() {
    let old = r#"{"kind":"number-replaced","at":1790000000000000,"by":{"kind":"officer","id":"off_1","role":"registrar"},
        "why":"leak","evidence":"police report","pack":{"id":"example","version":1}}"#;
    let event: LifeEvent = serde_json::from_str(old).expect("opens");
    assert_eq!(
        (event.kind(), event.day(), event.other_side),
        (EventKind::NumberReplaced, date(2026, 9, 21), false)
    );
}

#[test]
fn each_kind_of_event_and_relation_has_a_word_of_its_own() {
    let mut codes: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), EventKind::ALL.len());
    for kind in RelationKind::ALL {
        assert_eq!(kind.other_way().other_way(), kind);
        assert_eq!(RelationKind::of_code(kind.code()), Some(kind));
    }
}

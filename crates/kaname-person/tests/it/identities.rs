//! Entries that stand for the wrong number of people: merged, split, moved, and all of it undone.

use jiff::civil::date;
use kaname_person::event::{Change, EventKind, history};
use kaname_person::identity::{
    Act, Decide, NewProposal, ProposalId, ProposalState, decide, propose, waiting,
};
use kaname_person::number::resolve::{Resolve, resolve};
use kaname_person::show::reveal_number;
use kaname_person::{PersonError, Refusal, RelationKind, Standing};
use kaname_store::{Faults, StoreConfig};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, PersonId};

use crate::events::address;
use crate::world::{World, asking, env, officer};

on_every_store!(
    a_merge_takes_two_officers_and_is_undone,
    a_split_gives_each_her_own,
    an_event_is_moved_with_its_other_side,
    what_is_proposed_is_possible_as_things_stand,
    a_decision_that_fails_leaves_the_proposal,
);

impl World {
    pub(crate) fn propose(&self, request: u8, person: PersonId, act: Act) -> ProposalId {
        let by = officer("registrar");
        let (why, evidence) = ("looked again".to_owned(), "fingerprints".to_owned());
        let ask = NewProposal { request: [request; 16], person, act, by, why, evidence };
        let id = propose(&self.store, &self.keys, &self.pack, &env(request), &ask).expect("proposes");
        assert_eq!(propose(&self.store, &self.keys, &self.pack, &env(request), &ask).expect("again"), id);
        id
    }

    pub(crate) fn proposal_refused(&self, request: u8, person: PersonId, act: Act) -> &'static str {
        let (why, evidence) = ("looked again".to_owned(), "fingerprints".to_owned());
        let ask =
            NewProposal { request: [request; 16], person, act, by: officer("registrar"), why, evidence };
        match propose(&self.store, &self.keys, &self.pack, &env(request), &ask) {
            Err(PersonError::Refused(refusal)) => refusal.code(),
            Err(error) => panic!("{error}"),
            Ok(_) => "proposed",
        }
    }

    pub(crate) fn decide(
        &self,
        id: ProposalId,
        by: Actor,
        approve: bool,
    ) -> Result<ProposalState, &'static str> {
        match decide(&self.store, &self.keys, &self.pack, &env(9), &Decide { id, approve, by }) {
            Ok(state) => Ok(state),
            Err(PersonError::Refused(refusal)) => Err(refusal.code()),
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn number_of(&self, person: PersonId) -> String {
        let (keys, pack) = (self.keys.clone(), self.pack.clone());
        let ask = asking(person, "registrar", "registration");
        let number =
            self.store.write::<_, PersonError, _>(bucket_of(person, self.store.buckets()), move |tx| {
                reveal_number(tx, &keys, &pack, &env(5), &ask)
            });
        number.expect("reveals").as_str().to_owned()
    }

    pub(crate) fn leads(&self, number: &str, actor: &Actor) -> Option<PersonId> {
        let ask = Resolve { text: number, actor, use_id: [1; 16] };
        resolve(&self.store, &self.keys, &self.pack, &env(1), &ask).expect("resolves")
    }

    pub(crate) fn kinds(&self, person: PersonId) -> Vec<(EventKind, bool)> {
        let (keys, pack) = (self.keys.clone(), self.pack.clone());
        let ask = asking(person, "registrar", "registration");
        let lines = self.store.write(bucket_of(person, self.store.buckets()), move |tx| {
            history(tx, &keys, &pack, &env(5), &ask)
        });
        lines.expect("history").iter().map(|line| (line.event.kind(), line.annulled_by.is_some())).collect()
    }
}

const MIGRATIONS: &[&[kaname_store::Migration]] =
    &[kaname_store::jobs::MIGRATIONS, kaname_trust::MIGRATIONS, kaname_person::MIGRATIONS];

pub(crate) fn second() -> Actor {
    Actor { id: "off_2".to_owned(), ..officer("registrar") }
}

fn a_merge_takes_two_officers_and_is_undone(t: &TestStore) {
    let w = World::new(t, "example");
    let (first, twice) = (w.person(1, "A-1", "Smith"), w.person(2, "A-2", "Smyth"));
    let (number, other_number) = (w.number_of(first), w.number_of(twice));
    let id = w.propose(3, twice, Act::Merge { survivor: first });
    assert_eq!(waiting(&w.store, &second()).expect("lists").len(), 1);
    assert_eq!(w.decide(id, officer("registrar"), true), Err("second-officer"));
    assert_eq!(w.decide(id, officer("auditor"), true), Err("not-allowed"));
    assert!(w.open(twice).life.standing.is_here());
    assert_eq!(w.decide(id, second(), true), Ok(ProposalState::Done));
    assert_eq!(w.decide(id, second(), true), Err("proposal-decided"));
    let told = w.work();
    assert!(told.iter().any(|told| told.person == twice && told.standing.is_closed()));

    assert!(matches!(w.open(twice).life.standing, Standing::Merged { into } if into == first));
    assert_eq!(w.open(first).life.absorbed, [twice]);
    assert_eq!(w.count(), 1);
    // Both numbers lead the authority to the one entry; nobody else is led by the second.
    let desk = officer("help-desk");
    assert_eq!(w.leads(&other_number, &second()), Some(first));
    assert_eq!((w.leads(&other_number, &desk), w.leads(&number, &desk)), (None, Some(first)));
    let moved = Change::Move { address: address("1 Hill") };
    assert_eq!(w.refused(&w.event(4, twice, date(2025, 1, 1), moved)), "entry-merged");
    let struck = Change::Annulment { of: 2 };
    assert_eq!(w.refused(&w.event(5, twice, date(2026, 9, 21), struck)), "recorded-otherwise");
    // An entry that was merged counts for nothing, and so nothing is merged into it.
    let third = w.person(6, "A-3", "Smithe");
    assert_eq!(w.proposal_refused(7, third, Act::Merge { survivor: twice }), "entry-merged");
    w.check_is_sound();

    let undo = w.propose(8, twice, Act::Unmerge);
    assert_eq!(w.decide(undo, second(), true), Ok(ProposalState::Done));
    w.work();
    assert!(w.open(twice).life.standing.is_here());
    assert!(w.open(first).life.absorbed.is_empty());
    assert_eq!(w.leads(&other_number, &desk), Some(twice));
    assert_eq!(
        w.kinds(twice),
        [(EventKind::Registration, false), (EventKind::Merge, true), (EventKind::Annulment, false)]
    );
    w.check_is_sound();

    let refused = w.propose(9, twice, Act::Merge { survivor: first });
    assert_eq!(w.decide(refused, second(), false), Ok(ProposalState::Refused));
    assert_eq!((w.work().len(), w.count()), (0, 3));
}

fn a_split_gives_each_her_own(t: &TestStore) {
    let w = World::new(t, "example");
    let entry = w.person(1, "A-1", "Smith");
    let moved = Change::Move { address: address("1 Hill") };
    let n = w.record(&w.event(2, entry, date(2020, 1, 1), moved)).expect("moves");
    let other = w.person(3, "A-2", "Smith");
    let split = w.propose(4, entry, Act::Split { other });
    assert_eq!(w.decide(split, second(), true), Ok(ProposalState::Done));
    // The move was the other's; the example's pack lets one officer move an event.
    let mine = w.propose(5, entry, Act::MoveEvent { n, to: other });
    assert_eq!(w.decide(mine, officer("registrar"), true), Ok(ProposalState::Done));
    w.work();
    assert_eq!(w.open(other).particulars.address.line, "1 Hill");
    assert_eq!(w.open(entry).particulars.address.line, "1 Quay Street");
    let split = |person| w.kinds(person).iter().any(|(kind, _)| *kind == EventKind::Split);
    assert!(split(entry) && split(other));
    w.check_is_sound();

    // And back: the move first, then the two are one again.
    let back = w.propose(6, other, Act::MoveEvent { n: 3, to: entry });
    assert_eq!(w.decide(back, second(), true), Ok(ProposalState::Done));
    let merge = w.propose(7, other, Act::Merge { survivor: entry });
    assert_eq!(w.decide(merge, second(), true), Ok(ProposalState::Done));
    w.work();
    assert_eq!(w.open(entry).particulars.address.line, "1 Hill");
    w.check_is_sound();
}

fn an_event_is_moved_with_its_other_side(t: &TestStore) {
    let w = World::new(t, "example");
    let (wrong, right) = (w.person(1, "A-1", "Smith"), w.person(2, "A-2", "Smith"));
    let ben = w.person(3, "A-3", "Brown");
    let wedding = Change::Marriage { with: ben, names: None };
    let n = w.record(&w.event(4, wrong, date(2020, 5, 1), wedding)).expect("marries");
    w.work();
    let id = w.propose(5, wrong, Act::MoveEvent { n, to: right });
    assert_eq!(w.decide(id, second(), true), Ok(ProposalState::Done));
    w.work();
    let related = |person| -> Vec<_> {
        w.open(person)
            .life
            .relations_now()
            .map(|relation| (relation.kind, relation.to, relation.from))
            .collect()
    };
    assert_eq!(related(wrong), []);
    assert_eq!(related(right), [(RelationKind::Spouse, ben, date(2020, 5, 1))]);
    assert_eq!(related(ben), [(RelationKind::Spouse, right, date(2020, 5, 1))]);
    w.check_is_sound();
    assert_eq!(w.proposal_refused(6, wrong, Act::MoveEvent { n: 1, to: right }), "event-stands");
    assert_eq!(w.proposal_refused(7, wrong, Act::MoveEvent { n, to: right }), "no-such-event");
}

fn what_is_proposed_is_possible_as_things_stand(t: &TestStore) {
    let w = World::new(t, "example");
    let (first, twice) = (w.person(1, "A-1", "Smith"), w.person(2, "A-2", "Smyth"));
    let merge = Act::Merge { survivor: first };
    assert_eq!(w.proposal_refused(3, twice, Act::Unmerge), "not-merged");
    let id = w.propose(4, twice, merge.clone());
    assert_eq!(w.proposal_refused(4, twice, Act::Split { other: first }), "request-reused");
    assert_eq!(w.proposal_refused(5, twice, merge.clone()), "proposed-already");
    assert_eq!(waiting(&w.store, &second()).expect("lists").len(), 1);
    assert_eq!(w.decide(id, second(), true), Ok(ProposalState::Done));
    assert_eq!(w.proposal_refused(6, twice, merge), "entry-merged");
    let silent = NewProposal {
        request: [7; 16],
        person: twice,
        act: Act::Unmerge,
        by: officer("registrar"),
        why: "looked again".to_owned(),
        evidence: " ".to_owned(),
    };
    let silent = propose(&w.store, &w.keys, &w.pack, &env(7), &silent);
    assert!(matches!(silent, Err(PersonError::Refused(Refusal::ReasonMissing))));
}

/// Two officers ask for an event of hers to be moved to two people; the one who is decided second comes too late.
fn a_decision_that_fails_leaves_the_proposal(t: &TestStore) {
    let w = World::new(t, "example");
    let [entry, one, other] = [(1, "A-1"), (2, "A-2"), (3, "A-3")].map(|(n, of)| w.person(n, of, "Smith"));
    let moved = Change::Move { address: address("1 Hill") };
    let n = w.record(&w.event(4, entry, date(2020, 1, 1), moved)).expect("moves");
    let early = w.propose(5, entry, Act::MoveEvent { n, to: one });
    let late = w.propose(6, entry, Act::MoveEvent { n, to: other });
    assert_eq!(w.decide(early, second(), true), Ok(ProposalState::Done));
    assert_eq!(w.decide(late, second(), true), Err("no-such-event"));
    let merge = w.propose(7, other, Act::Merge { survivor: one });
    let into_it = w.propose(8, entry, Act::Merge { survivor: other });
    assert_eq!(w.decide(merge, second(), true), Ok(ProposalState::Done));
    assert_eq!(w.decide(into_it, second(), true), Err("entry-merged"));
    let mut left: Vec<_> =
        waiting(&w.store, &second()).expect("lists").iter().map(|left| (left.id, left.state)).collect();
    left.sort_by_key(|(id, _)| *id);
    let mut expected = [(late, ProposalState::Waiting), (into_it, ProposalState::Waiting)];
    expected.sort_by_key(|(id, _)| *id);
    assert_eq!(left, expected);
    assert_eq!(w.decide(late, second(), false), Ok(ProposalState::Refused));
    assert_eq!(w.decide(into_it, second(), false), Ok(ProposalState::Refused));
    w.work();
    w.check_is_sound();
}

/// Every step of the writer may fail before or after it was done: killed anywhere, the job or the next run ends at the same.
#[test]
fn a_merge_survives_any_failure() {
    let t = TestStore::sqlite();
    let mut interrupted = 0;
    let w = World::new(&t, "example");
    for step in 1..=24_u64 {
        for applied in [false, true] {
            let at = (step * 2 + u64::from(applied)) as u8;
            let (first, twice) =
                (w.person(at, &format!("F-{at}"), "Smith"), w.person(at + 100, &format!("S-{at}"), "Smyth"));
            let id = w.propose(at, twice, Act::Merge { survivor: first });
            let faults = Faults::new();
            let config = StoreConfig { faults: Some(faults.clone()), ..t.config() };
            let broken = t.open_with(&config, MIGRATIONS).expect("opens");
            faults.arm(step, applied);
            let ask = Decide { id, approve: true, by: second() };
            interrupted += usize::from(decide(&broken, &w.keys, &w.pack, &env(9), &ask).is_err());
            drop(broken);

            w.work();
            let state = match w.decide(id, second(), true) {
                Err("proposal-decided") => ProposalState::Done,
                state => state.expect("decides"),
            };
            assert_eq!(state, ProposalState::Done);
            w.work();
            assert!(
                matches!(w.open(twice).life.standing, Standing::Merged { into } if into == first),
                "{step}"
            );
            assert_eq!(w.open(first).life.absorbed, [twice], "{step}");
        }
    }
    assert!(interrupted > 10, "only {interrupted} runs were interrupted");
    w.check_is_sound();
}

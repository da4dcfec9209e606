//! Numbers: a permutation is a permutation, and nobody is ever given another's.

use std::collections::HashSet;

use kaname_person::Numbers;
use kaname_person::four_eyes::{self, Approved};
use kaname_person::number::{Permutation, ReplaceAsked, ReplaceNumber, find_by_number, replace_number};
use kaname_person::show::{Asking, reveal_number};
use kaname_person::{Action, Entry, PersonError, Refusal};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, PersonId};
use proptest::prelude::*;

use crate::world::{World, env, jane, officer, registrar};

proptest! {
    #[test]
    fn every_value_comes_once(key: [u8; 16], size in 1_u64..3_000) {
        let mut values: Vec<u64> = (0..size).collect();
        let permutation = Permutation::new(&key, size);
        permutation.apply(&mut values);
        let mut one_by_one: Vec<u64> = (0..size).collect();
        one_by_one.chunks_mut(1).for_each(|value| permutation.apply(value));
        prop_assert_eq!(&values, &one_by_one);
        values.sort_unstable();
        prop_assert!(values.into_iter().eq(0..size));
    }

    #[test]
    fn large_spaces_do_not_repeat_either(key: [u8; 16], size in 1_u64..30_000_000_000_000_000, from: u64) {
        let from = from % size;
        let mut values: Vec<u64> = (from..size.min(from + 5_000)).collect();
        let count = values.len();
        Permutation::new(&key, size).apply(&mut values);
        prop_assert!(values.iter().all(|value| *value < size));
        prop_assert_eq!(values.into_iter().collect::<HashSet<_>>().len(), count);
    }
}

#[test]
fn neighbours_land_anywhere() {
    // 20 bins, 20,000 values: each bin is near 1,000 (5 standard deviations are 154).
    let size = 10_000_000;
    let mut values: Vec<u64> = (0..20_000).collect();
    Permutation::new(&[7; 16], size).apply(&mut values);
    for bin in 0..20 {
        let here = values.iter().filter(|value| **value * 20 / size == bin).count();
        assert!((846..1_154).contains(&here), "bin {bin} holds {here}");
    }
    let steps = values.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) < size / 1_000).count();
    assert!(steps < 100, "{steps} neighbours stayed near each other");
}

on_every_store!(processes_never_take_the_same_number, the_space_can_be_used_up, a_leaked_number_is_replaced);

fn processes_never_take_the_same_number(t: &TestStore) {
    let w = World::new(t, "example");
    let second = t.reopen();
    let take = |store: &kaname_store::Store| {
        // Dropped at once, as if killed: what it had leased is lost.
        let numbers = Numbers::new(&w.keys, &w.pack);
        numbers.take(store, 700).expect("takes")
    };
    let mut all = Vec::new();
    std::thread::scope(|scope| {
        let threads: Vec<_> = [&w.store, &second, &w.store, &second]
            .into_iter()
            .map(|store| scope.spawn(move || (0..3).flat_map(|_| take(store)).collect::<Vec<_>>()))
            .collect();
        for thread in threads {
            all.extend(thread.join().expect("ends"));
        }
    });
    assert_eq!(all.len(), 12 * 700);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    assert!(all.iter().all(|number| w.pack.number.parse(number.as_str()) == Ok(*number)));
}

fn the_space_can_be_used_up(t: &TestStore) {
    let w = World::new(t, "example");
    let files = kaname_base::pack::Pack::shipped_files("example").expect("shipped");
    let small: std::collections::BTreeMap<String, String> = files
        .into_iter()
        .map(|(name, text)| match name.as_str() {
            "number.toml" => (
                name,
                "body_digits = 3\nfirst_digits = \"12\"\ngroups = [4]\n[check]\nkind = \"verhoeff\"\n"
                    .to_owned(),
            ),
            _ => (name, text),
        })
        .collect();
    let pack = kaname_base::pack::Pack::parse(&small).expect("a small scheme");
    let numbers = Numbers::new(&w.keys, &pack);
    let all = numbers.take(&w.store, 200).expect("the whole space");
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 200);
    assert!(matches!(numbers.take(&w.store, 1), Err(PersonError::Refused(Refusal::NumbersUsedUp))));
    let again = Numbers::new(&w.keys, &pack);
    assert!(matches!(again.take(&w.store, 1), Err(PersonError::Refused(Refusal::NumbersUsedUp))));
}

fn a_leaked_number_is_replaced(t: &TestStore) {
    let w = World::new(t, "example");
    let person = w.register(1, jane()).expect("registers");
    let old = reveal(&w, person);
    let ask = ReplaceNumber {
        request: [7; 16],
        person,
        by: registrar(),
        why: "leak".to_owned(),
        evidence: "report 12".to_owned(),
    };
    let replace_with = |second: Option<&Approved>, ask: &ReplaceNumber| {
        replace_number(&w.store, &w.keys, &w.pack, &w.numbers, &env(5), second, ask)
    };
    // The country asks two officers, who agree on this person and on no other.
    let alone = replace_with(None, &ask);
    assert!(matches!(alone, Err(PersonError::Refused(Refusal::TwoOfficers))), "{alone:?}");
    let (keys, asked) = (w.keys.clone(), ReplaceAsked::of(&ask));
    let second = Actor::officer("off_second", "registrar");
    let approved = w.store.write::<_, PersonError, _>(w.store.buckets().home(), move |tx| {
        let id = four_eyes::propose(tx, &keys, &env(4), &registrar(), Action::ReplaceNumber, &asked)?;
        // Where it cannot be carried out it is not approved: the approval would be lost.
        let elsewhere = four_eyes::approve(tx, &keys, &env(4), &second, id, &[Action::ManageOfficers]);
        assert!(matches!(elsewhere, Err(PersonError::Refused(Refusal::NoSuchProposal))), "{elsewhere:?}");
        four_eyes::approve(tx, &keys, &env(4), &second, id, &[Action::ReplaceNumber])
    });
    let approved = approved.expect("approves");
    let other = w.register(2, Entry { reference: "R-2", ..jane() }).expect("registers");
    let of_other = replace_with(Some(&approved), &ReplaceNumber { person: other, ..ask.clone() });
    assert!(matches!(of_other, Err(PersonError::Refused(Refusal::TwoOfficers))), "{of_other:?}");
    let replace = |ask: &ReplaceNumber| replace_with(Some(&approved), ask);
    replace(&ask).expect("replaces");
    let new = reveal(&w, person);
    replace(&ask).expect("the same request does nothing");
    assert_eq!(reveal(&w, person), new);
    assert_ne!(old, new);

    let find = |number| find_by_number(&w.store, &w.keys, &registrar(), number).expect("looks");
    assert_eq!((find(&old), find(&new)), (None, Some(person)));
    let by = |actor: &_, number: &kaname_base::number::PersonNumber| {
        crate::aliases::found(&w, &env(7), number.as_str(), actor, 1)
    };
    assert_eq!(by(&registrar(), &old), Some(person), "the authority still knows whose it was");
    assert_eq!(by(&officer("help-desk"), &old), None, "and nobody else");

    let nobody = w.numbers.take(&w.store, 1).expect("takes")[0];
    assert_eq!(by(&registrar(), &nobody), None);
    let stranger = ReplaceNumber { by: officer("payments"), ..ask };
    assert!(matches!(replace_with(None, &stranger), Err(PersonError::Refused(Refusal::NotAllowed { .. }))));
}

pub(crate) fn reveal(w: &World, person: PersonId) -> kaname_base::number::PersonNumber {
    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    let shown = w.store.write::<_, PersonError, _>(bucket_of(person, w.store.buckets()), move |tx| {
        reveal_number(tx, &keys, &pack, &env(6), &Asking::herself(person))
    });
    shown.expect("shows")
}

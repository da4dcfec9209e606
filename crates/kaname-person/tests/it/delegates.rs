//! Delegates: who may act for whom, seen from both sides, and over when it is over.

use jiff::ToSpan;
use kaname_base::{Env, Instant};
use kaname_person::delegate::accept::{accept, approve};
use kaname_person::delegate::acting::{Acting, Held, act, held};
use kaname_person::delegate::end::{end, end_all, give_back, reinstate_all};
use kaname_person::delegate::give::{Give, offer, record, stand_in};
use kaname_person::delegate::{Given, MandateId, MandateState, Terms, given, proposed_in_bucket};
use kaname_person::show::{Asking, access_log, open_resident, reveal_number};
use kaname_person::{Entry, OfficerId, PersonError, Refusal};
use kaname_store::{StoreError, Tx};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, PersonId};

use crate::world::{World, asking, env, jane, officer, registrar};

on_every_store!(
    a_chosen_representative_acts_within_her_scope,
    a_guardian_takes_two_officers,
    a_parents_mandate_ends_with_childhood,
    an_officer_stands_in_for_a_day,
    death_ends_what_was_given_and_what_was_held,
    a_death_that_was_a_mistake_gives_back_what_it_ended,
    a_mandate_survives_being_cut_short,
    what_was_approved_reaches_nobody_else,
    nobody_hands_on_what_she_holds,
    the_dead_act_no_more,
    no_resident_ever_holds_the_mandate_of_the_counter,
    one_mandate_of_a_kind_is_enough
);

struct Two {
    w: World,
    her: PersonId,
    mother: PersonId,
}

fn two(t: &TestStore, born: &str) -> Two {
    let w = World::new(t, "example");
    let her = w.register(1, Entry { birth_date: born, ..jane() }).expect("registers");
    let entry = Entry { reference: "A-2", given_name: "Margaret", birth_date: "1955-01-01", ..jane() };
    let mother = w.register(2, entry).expect("registers");
    Two { w, her, mother }
}

impl Two {
    fn unit<T: Send + 'static>(
        &self,
        person: PersonId,
        work: impl Fn(&mut Tx<'_>, &kaname_trust::Keys, &kaname_base::pack::Pack) -> Result<T, PersonError>
        + Send
        + 'static,
    ) -> Result<T, PersonError> {
        let (keys, pack) = (self.w.keys.clone(), self.w.pack.clone());
        self.w.store.write(bucket_of(person, self.w.store.buckets()), move |tx| work(tx, &keys, &pack))
    }

    fn give(&self, request: u8, kind: &str, scope: &[&str], by: Actor) -> Give {
        let purpose =
            if by.kind == kaname_trust::ActorKind::Resident { "own-access" } else { "registration" };
        Give {
            request: [request; 16],
            asking: Asking { person: self.her, actor: by, purpose: purpose.to_owned() },
            holder: self.mother,
            terms: Terms { kind: kind.to_owned(), scope: strings(scope), days: None },
            evidence: "birth report 7".to_owned(),
        }
    }

    fn offered(&self, scope: &[&str]) -> MandateId {
        let ask = self.give(1, "representative", scope, Actor::resident());
        offer(&self.w.store, &self.w.keys, &self.w.pack, &env(1), &ask).expect("offers")
    }

    fn recorded(&self, kind: &str) -> Result<MandateId, PersonError> {
        let ask = self.give(2, kind, &["see-data"], registrar());
        record(&self.w.store, &self.w.keys, &self.w.pack, &env(1), &ask)
    }

    fn held(&self) -> Vec<Held> {
        let w = &self.w;
        held(&w.store, &w.keys, &w.pack, &env(2), &Asking::herself(self.mother)).expect("lists")
    }

    fn given(&self) -> Vec<Given> {
        let her = Asking::herself(self.her);
        self.unit(self.her, move |tx, keys, pack| given(tx, keys, pack, &env(2), &her)).expect("lists")
    }

    fn act_at(&self, env: &Env) -> Result<Acting, PersonError> {
        let (w, index) = (&self.w, self.held()[0].index);
        act(&w.store, &w.keys, &w.pack, env, &Asking::herself(self.mother), index)
    }

    fn opens(&self, actor: &Actor, person: PersonId) -> Result<String, PersonError> {
        let ask = Asking { person, actor: actor.clone(), purpose: "own-access".to_owned() };
        self.unit(person, move |tx, keys, pack| {
            Ok(open_resident(tx, keys, pack, &env(3), &ask, &["name"])?.display_name(pack))
        })
    }
}

fn strings(codes: &[&str]) -> Vec<String> {
    codes.iter().map(|code| (*code).to_owned()).collect()
}

fn days_later(days: i64) -> Env {
    Env::new(Instant::from_seconds(1_790_000_000 + days * 86_400), [9; 32])
}

fn refused<T>(answer: Result<T, PersonError>, wanted: &Refusal) {
    match answer {
        Err(PersonError::Refused(refusal)) => assert_eq!(&refusal, wanted),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was not refused"),
    }
}

fn a_chosen_representative_acts_within_her_scope(t: &TestStore) {
    let two = two(t, "1980-04-21");
    let id = two.offered(&["see-data"]);
    assert_eq!(two.offered(&["see-data"]), id, "the same request gives one mandate");
    let w = &two.w;

    // Before she accepts, nobody is told her name, and it allows nothing.
    let mine = two.given();
    assert_eq!((mine.len(), mine[0].state, mine[0].holder.clone()), (1, MandateState::Offered, None));
    assert_eq!(two.held()[0].name, "Jane Smith");
    refused(two.act_at(&env(2)), &Refusal::MandateOver);
    // It is nobody else's to accept.
    let index = two.held()[0].index;
    let stranger = accept(&w.store, &w.keys, &w.pack, &env(2), &Asking::herself(two.her), index);
    refused(stranger, &Refusal::NoSuchMandate);
    for _ in 0..2 {
        accept(&w.store, &w.keys, &w.pack, &env(2), &Asking::herself(two.mother), index).expect("accepts");
    }
    assert_eq!(two.given()[0].holder.as_deref(), Some("Margaret Smith"));

    let acting = two.act_at(&env(2)).expect("acts");
    assert_eq!((acting.person, acting.name.as_str()), (two.her, "Jane Smith"));
    assert_eq!(two.opens(&acting.actor, two.her).expect("opens"), "Jane Smith");
    // Not for anybody else, not more than was given, not herself under it.
    let elsewhere = two.opens(&acting.actor, two.mother);
    assert!(elsewhere.is_err());
    let ask = Asking { person: two.her, actor: acting.actor.clone(), purpose: "own-access".to_owned() };
    let number = two.unit(two.her, {
        let ask = ask.clone();
        move |tx, keys, pack| reveal_number(tx, keys, pack, &env(3), &ask)
    });
    assert!(matches!(number, Err(PersonError::Refused(Refusal::NotAllowed { .. }))));
    let sub = Give { asking: ask, ..two.give(9, "representative", &["see-data"], acting.actor.clone()) };
    let given_on = offer(&w.store, &w.keys, &w.pack, &env(1), &sub);
    assert!(matches!(given_on, Err(PersonError::Refused(Refusal::NotAllowed { .. }))));

    // Both are named: her log has the mandate, and the holder's has its use.
    let log = |person| {
        two.unit(person, move |tx, keys, pack| {
            access_log(tx, keys, pack, &env(4), &Asking::herself(person), 50)
        })
        .expect("shows")
    };
    let hers: Vec<_> = log(two.her).into_iter().filter_map(|entry| entry.actor.mandate).collect();
    assert_eq!(hers.len(), 1, "what was refused opened nothing");
    assert_eq!((hers[0].id.clone(), hers[0].kind.as_str()), (id.to_string(), "representative"));
    assert!(log(two.mother).iter().any(|entry| entry.fields == ["mandates"]));

    // Ended, it opens nothing more, not even with what is in hand.
    let her = Asking::herself(two.her);
    two.unit(two.her, move |tx, keys, pack| end(tx, keys, pack, &env(5), &her, id, "no need")).expect("ends");
    refused(two.opens(&acting.actor, two.her), &Refusal::MandateOver);
    refused(two.act_at(&env(2)), &Refusal::MandateOver);
    assert_eq!(two.held()[0].state, MandateState::Ended);
    let again = accept(&w.store, &w.keys, &w.pack, &env(2), &Asking::herself(two.mother), index);
    refused(again, &Refusal::MandateOver);

    for (kind, scope, days) in [
        ("representative", &["number"][..], None),
        ("representative", &[], None),
        ("representative", &["see-data"], Some(1_097)),
        ("representative", &["see-data"], Some(0)),
        ("parent", &["see-data"], None),
        ("king", &["see-data"], None),
    ] {
        let ask = two.give(7, kind, scope, Actor::resident());
        let ask = Give { terms: Terms { days, ..ask.terms.clone() }, ..ask };
        refused(offer(&w.store, &w.keys, &w.pack, &env(1), &ask), &Refusal::MandateTerms);
    }
    let ask = Give { holder: two.her, ..two.give(7, "representative", &["see-data"], Actor::resident()) };
    refused(offer(&w.store, &w.keys, &w.pack, &env(1), &ask), &Refusal::SamePerson);
}

fn a_guardian_takes_two_officers(t: &TestStore) {
    let two = two(t, "1980-04-21");
    let id = two.recorded("guardian").expect("records");
    assert_eq!(two.recorded("guardian").expect("again"), id);
    refused(two.act_at(&env(2)), &Refusal::MandateOver);
    // The holder cannot accept what waits for an officer.
    let (w, index) = (&two.w, two.held()[0].index);
    let own = accept(&w.store, &w.keys, &w.pack, &env(2), &Asking::herself(two.mother), index);
    refused(own, &Refusal::MandateOver);

    let waiting: Vec<_> = w
        .store
        .buckets()
        .all()
        .flat_map(|bucket| w.store.read(bucket, |tx| proposed_in_bucket(tx, 10)).expect("lists"))
        .collect();
    assert_eq!(waiting.len(), 1);
    let (person, row) = waiting[0];
    assert_eq!(person, two.her);
    let approve_as = |id: &str| {
        let actor = Actor::officer(id, "registrar");
        let ask = Asking { person, actor, purpose: "registration".to_owned() };
        two.unit(person, move |tx, keys, pack| approve(tx, keys, pack, &env(3), &ask, row))
    };
    refused(approve_as("off_1"), &Refusal::SameOfficer);
    approve_as("off_2").expect("approves");
    approve_as("off_2").expect("again does nothing");
    let acting = two.act_at(&env(2)).expect("acts");
    assert_eq!(two.opens(&acting.actor, two.her).expect("opens"), "Jane Smith");
    assert_eq!(two.given()[0].holder.as_deref(), Some("Margaret Smith"));

    give_back(&w.store, &w.keys, &w.pack, &env(4), &Asking::herself(two.mother), index).expect("gives back");
    refused(two.opens(&acting.actor, two.her), &Refusal::MandateOver);
    let payments = Give { ..two.give(5, "guardian", &["see-data"], officer("payments")) };
    let refused_role = record(&w.store, &w.keys, &w.pack, &env(1), &payments);
    assert!(matches!(refused_role, Err(PersonError::Refused(Refusal::NotAllowed { .. }))));
}

fn a_parents_mandate_ends_with_childhood(t: &TestStore) {
    let today = env(1).now.date_in("Etc/UTC");
    // Of age in ten days.
    let born = today.checked_sub(18.years()).and_then(|day| day.checked_add(10.days())).expect("a day");
    let two = two(t, &born.to_string());
    two.recorded("parent").expect("records");
    let given = two.given();
    assert_eq!(given[0].until, today.checked_add(9.days()).ok());
    let acting = two.act_at(&days_later(9)).expect("the last day");
    assert_eq!(two.opens(&acting.actor, two.her).expect("opens"), "Jane Smith");
    refused(two.act_at(&days_later(10)), &Refusal::MandateOver);
    assert!(given[0].is_over(today.checked_add(10.days()).expect("a day")));

    let grown = self::two(t, "1980-04-21");
    refused(grown.recorded("parent"), &Refusal::MandateTerms);
    assert!(grown.given().is_empty());
}

fn an_officer_stands_in_for_a_day(t: &TestStore) {
    let two = two(t, "1980-04-21");
    let clerk = OfficerId::from_bytes([3; 16]);
    let ask = asking(two.her, "help-desk", "help-desk");
    let actor = two
        .unit(two.her, move |tx, keys, pack| {
            stand_in(tx, keys, pack, &env(3), &ask, (clerk, "C. Lerk"), &["see-data"], "passport")
        })
        .expect("stands in");
    assert_eq!(two.opens(&actor, two.her).expect("opens"), "Jane Smith");
    assert!(two.opens(&actor, two.mother).is_err());
    let given = two.given();
    assert_eq!((given[0].holder.as_deref(), given[0].state), (Some("C. Lerk"), MandateState::Active));
    let log = two
        .unit(two.her, {
            let her = Asking::herself(two.her);
            move |tx, keys, pack| access_log(tx, keys, pack, &env(4), &her, 50)
        })
        .expect("shows");
    let entry = log.iter().find(|entry| entry.fields == ["name"]).expect("the reading");
    assert_eq!(entry.actor.id, "off_1");
    assert_eq!(entry.actor.mandate.as_ref().map(|mandate| mandate.kind.as_str()), Some("counter"));

    let (id, her) = (given[0].id, Asking::herself(two.her));
    two.unit(two.her, move |tx, keys, pack| end(tx, keys, pack, &env(5), &her, id, "")).expect("ends");
    refused(two.opens(&actor, two.her), &Refusal::MandateOver);
}

fn death_ends_what_was_given_and_what_was_held(t: &TestStore) {
    for dead_holds in [true, false] {
        let two = two(t, "1980-04-21");
        two.offered(&["see-data"]);
        let (w, index) = (&two.w, two.held()[0].index);
        accept(&w.store, &w.keys, &w.pack, &env(2), &Asking::herself(two.mother), index).expect("accepts");
        let acting = two.act_at(&env(2)).expect("acts");
        let dead = if dead_holds { two.mother } else { two.her };
        let ask = Asking {
            person: dead,
            actor: Actor::program("death", "program"),
            purpose: "registration".to_owned(),
        };
        for _ in 0..2 {
            let ended = end_all(&w.store, &w.keys, &w.pack, &env(6), &ask, "death").expect("ends");
            assert_eq!(ended, usize::from(dead_holds));
        }
        refused(two.opens(&acting.actor, two.her), &Refusal::MandateOver);
        assert_eq!(two.given()[0].state, MandateState::Ended);
    }
}

fn a_death_that_was_a_mistake_gives_back_what_it_ended(t: &TestStore) {
    for dead_holds in [true, false] {
        let two = two(t, "1980-04-21");
        two.offered(&["see-data"]);
        let (w, index) = (&two.w, two.held()[0].index);
        accept(&w.store, &w.keys, &w.pack, &env(2), &Asking::herself(two.mother), index).expect("accepts");
        let acting = two.act_at(&env(2)).expect("acts");
        // A second one, which she has taken back herself before anybody died.
        two.recorded("guardian").expect("records");
        let own = two.given().into_iter().find(|given| given.kind == "guardian").expect("recorded").id;
        let her = Asking::herself(two.her);
        two.unit(two.her, move |tx, keys, pack| end(tx, keys, pack, &env(3), &her, own, "her own wish"))
            .expect("ends");

        let dead = if dead_holds { two.mother } else { two.her };
        let ask = Asking {
            person: dead,
            actor: Actor::program("life-events", "program"),
            purpose: "registration".to_owned(),
        };
        end_all(&w.store, &w.keys, &w.pack, &env(6), &ask, "death").expect("ends");
        refused(two.opens(&acting.actor, two.her), &Refusal::MandateOver);
        let other = reinstate_all(&w.store, &w.keys, &w.pack, &env(7), &ask, "merge").expect("looks");
        assert_eq!(other, 0, "what a death ended comes back with the dead only");
        for count in [1, 0] {
            let back = reinstate_all(&w.store, &w.keys, &w.pack, &env(7), &ask, "death").expect("gives back");
            assert_eq!(back, count);
        }
        assert_eq!(two.opens(&acting.actor, two.her).expect("opens"), "Jane Smith");
        let states: Vec<MandateState> = two.given().iter().map(|given| given.state).collect();
        assert!(
            states.contains(&MandateState::Active) && states.contains(&MandateState::Ended),
            "{states:?}"
        );
    }
}

/// Each write may be the last one that was made: what is half there allows nothing, and the same request finishes it.
fn a_mandate_survives_being_cut_short(t: &TestStore) {
    let two = two(t, "1980-04-21");
    let faults = kaname_store::Faults::new();
    let config = kaname_store::StoreConfig { faults: Some(faults.clone()), ..t.config() };
    let broken = t
        .open_with(
            &config,
            &[kaname_store::jobs::MIGRATIONS, kaname_trust::MIGRATIONS, kaname_person::MIGRATIONS],
        )
        .expect("opens");
    let mut failed = 0;
    for step in 1..=30_u64 {
        for applied in [false, true] {
            let request = (step * 2) as u8 + u8::from(applied);
            let ask = two.give(request, "guardian", &["see-data"], registrar());
            faults.arm(step, applied);
            let first = record(&broken, &two.w.keys, &two.w.pack, &env(1), &ask);
            faults.disarm();
            failed += usize::from(first.is_err());
            for held in two.held() {
                assert_ne!(held.state, MandateState::Active, "step {step}");
            }
            let id = record(&two.w.store, &two.w.keys, &two.w.pack, &env(1), &ask).expect("finishes");
            assert!(first.is_err() || first.expect("checked") == id);
            let of_it = two.given().into_iter().filter(|given| given.id == id).count();
            assert_eq!(of_it, 1, "step {step}");
            let her = asking(two.her, "registrar", "registration");
            let ends =
                two.unit(two.her, move |tx, keys, pack| end(tx, keys, pack, &env(6), &her, id, "over"));
            ends.expect("ends, so that the next may begin");
        }
    }
    assert_eq!(two.given().len(), 60);
    assert_eq!(two.held().len(), 60);
    // A server's statement that was lost is run again; what stays unknown is a commit.
    assert!(failed >= 6, "only {failed} failures");
}

/// The two rows of a mandate share nothing by which they could be joined.
#[test]
fn the_two_sides_share_no_value() {
    let t = TestStore::sqlite();
    let two = two(&t, "1980-04-21");
    two.offered(&["see-data"]);
    let kaname_store::Location::Sqlite(path) = t.config().location else { panic!("a file") };
    let rows: Vec<Vec<u8>> = two
        .w
        .store
        .buckets()
        .all()
        .flat_map(|bucket| {
            two.w
                .store
                .read::<_, StoreError, _>(bucket, |tx| {
                    let rows = tx.query(
                        "SELECT id, mandate_index, sealed FROM person_mandate WHERE bucket = $1",
                        &[],
                    )?;
                    rows.iter()
                        .map(|row| {
                            Ok([row.bytes(0)?, row.bytes(1)?, row.bytes(2)?].map(<[u8]>::to_vec).to_vec())
                        })
                        .collect::<Result<Vec<_>, StoreError>>()
                })
                .expect("reads")
        })
        .flatten()
        .collect();
    assert_eq!(rows.len(), 6, "{}", path.display());
    let distinct: std::collections::HashSet<&Vec<u8>> = rows.iter().collect();
    assert_eq!(distinct.len(), 6);
}

/// Two officers agreed on one holder and one scope: the same request sent again, for another holder or more, gives nothing.
fn what_was_approved_reaches_nobody_else(t: &TestStore) {
    let two = two(t, "1980-04-21");
    let w = &two.w;
    let entry = Entry { reference: "A-3", given_name: "Mallory", birth_date: "1970-01-01", ..jane() };
    let mallory = w.register(3, entry).expect("registers");
    two.recorded("guardian").expect("records");
    let row = w
        .store
        .buckets()
        .all()
        .find_map(|bucket| w.store.read(bucket, |tx| proposed_in_bucket(tx, 1)).expect("lists").pop());
    let (person, row) = row.expect("it waits");
    let ask =
        Asking { actor: Actor::officer("off_2", "registrar"), ..asking(person, "registrar", "registration") };
    two.unit(person, move |tx, keys, pack| approve(tx, keys, pack, &env(3), &ask, row)).expect("approves");

    let same = two.give(2, "guardian", &["see-data"], registrar());
    let widened = Terms { scope: strings(&["see-data", "payments"]), ..same.terms.clone() };
    for again in [Give { holder: mallory, ..same.clone() }, Give { terms: widened, ..same.clone() }] {
        let answer = record(&w.store, &w.keys, &w.pack, &env(4), &again);
        refused(answer, &Refusal::RequestReused);
    }
    record(&w.store, &w.keys, &w.pack, &env(4), &same).expect("word for word it is the same mandate");
    let of_mallory = held(&w.store, &w.keys, &w.pack, &env(5), &Asking::herself(mallory)).expect("lists");
    assert_eq!((of_mallory.len(), two.held().len(), two.given().len()), (0, 1, 1));
    assert_eq!(two.act_at(&env(5)).expect("acts").scope, ["see-data"]);
}

/// A delegate of a delegate is nobody's delegate.
fn nobody_hands_on_what_she_holds(t: &TestStore) {
    let two = two(t, "1980-04-21");
    let w = &two.w;
    two.offered(&["see-data"]);
    let index = two.held()[0].index;
    accept(&w.store, &w.keys, &w.pack, &env(2), &Asking::herself(two.mother), index).expect("accepts");
    let entry = Entry { reference: "A-3", given_name: "Theo", birth_date: "1990-01-01", ..jane() };
    let third = w.register(3, entry).expect("registers");
    let give = Give {
        asking: Asking::herself(two.mother),
        holder: third,
        ..two.give(4, "representative", &["see-data"], Actor::resident())
    };
    offer(&w.store, &w.keys, &w.pack, &env(3), &give).expect("offers");
    let thirds = || held(&w.store, &w.keys, &w.pack, &env(4), &Asking::herself(third)).expect("lists");
    let of_mother = thirds()[0].index;
    accept(&w.store, &w.keys, &w.pack, &env(4), &Asking::herself(third), of_mother).expect("accepts");
    let acting = act(&w.store, &w.keys, &w.pack, &env(5), &Asking::herself(third), of_mother).expect("acts");
    assert_eq!(two.opens(&acting.actor, two.mother).expect("opens"), "Margaret Smith");

    // In the mother's place he holds nothing of hers, neither listed nor by its index, and opens nothing of her daughter.
    let in_her_place =
        Asking { person: two.mother, actor: acting.actor.clone(), purpose: "own-access".to_owned() };
    let listed = held(&w.store, &w.keys, &w.pack, &env(6), &in_her_place);
    assert!(matches!(listed, Err(PersonError::Refused(Refusal::NotAllowed { .. }))));
    let acts = act(&w.store, &w.keys, &w.pack, &env(6), &in_her_place, index);
    assert!(matches!(acts, Err(PersonError::Refused(Refusal::NotAllowed { .. }))));
    refused(
        act(&w.store, &w.keys, &w.pack, &env(6), &Asking::herself(third), index),
        &Refusal::NoSuchMandate,
    );
    assert!(two.opens(&acting.actor, two.her).is_err());
    // What he has in hand says itself what it allows, and for whom: changed, it is somebody else's word.
    let mine = two.act_at(&env(7)).expect("acts").actor;
    let mandate = mine.mandate.as_deref().expect("a mandate");
    let scope = strings(&["see-data", "number", "see-log", "payments"]);
    let forged =
        kaname_trust::Mandate::for_person(two.mother, mandate.id.clone(), mandate.kind.clone(), scope);
    refused(two.opens(&Actor::delegate(forged), two.mother), &Refusal::MandateOver);
}

/// Closed is closed from that moment on, and not when the worker comes by.
fn the_dead_act_no_more(t: &TestStore) {
    for holder_dies in [true, false] {
        let two = two(t, "1980-04-21");
        let w = &two.w;
        two.offered(&["see-data"]);
        let index = two.held()[0].index;
        accept(&w.store, &w.keys, &w.pack, &env(2), &Asking::herself(two.mother), index).expect("accepts");
        two.act_at(&env(3)).expect("acts");
        let dead = if holder_dies { two.mother } else { two.her };
        let death = kaname_person::event::Change::Death;
        w.record(&w.event(9, dead, jiff::civil::date(2026, 9, 1), death)).expect("dies");
        let acts = act(&w.store, &w.keys, &w.pack, &env(4), &Asking::herself(two.mother), index);
        refused(acts, if holder_dies { &Refusal::NoSuchResident } else { &Refusal::MandateOver });
        if !holder_dies {
            let offered = offer(
                &w.store,
                &w.keys,
                &w.pack,
                &env(5),
                &Give { request: [8; 16], ..two.give(8, "representative", &["see-data"], Actor::resident()) },
            );
            refused(offered, &Refusal::NoSuchResident);
        }
    }
}

/// One officer's word would open anybody's data to anybody.
fn no_resident_ever_holds_the_mandate_of_the_counter(t: &TestStore) {
    let two = two(t, "1980-04-21");
    refused(two.recorded("counter"), &Refusal::MandateTerms);
    let ask = two.give(1, "counter", &["see-data"], Actor::resident());
    refused(offer(&two.w.store, &two.w.keys, &two.w.pack, &env(1), &ask), &Refusal::MandateTerms);
    assert!(two.given().is_empty() && two.held().is_empty());
}

fn one_mandate_of_a_kind_is_enough(t: &TestStore) {
    let two = two(t, "2015-04-21");
    let w = &two.w;
    let by = |request, days: i64| {
        let ask = two.give(request, "parent", &["see-data"], registrar());
        record(&w.store, &w.keys, &w.pack, &days_later(days), &ask)
    };
    let id = by(2, 0).expect("records");
    assert_eq!(by(2, 0).expect("the same request"), id);
    refused(by(3, 1), &Refusal::MandateThere);
    assert_eq!(two.given().len(), 1);
    let more = two.give(4, "parent", &["see-data", "number"], registrar());
    record(&w.store, &w.keys, &w.pack, &env(1), &more).expect("another scope is another mandate");
    let silent = Give { evidence: " ".to_owned(), ..two.give(5, "parent", &["payments"], registrar()) };
    refused(record(&w.store, &w.keys, &w.pack, &env(1), &silent), &Refusal::ReasonMissing);

    let her = asking(two.her, "registrar", "registration");
    two.unit(two.her, move |tx, keys, pack| end(tx, keys, pack, &env(6), &her, id, "by mistake"))
        .expect("ends");
    by(7, 1).expect("what was ended may begin anew");
}

//! A payout run from plan to books.

use std::collections::{BTreeMap, BTreeSet};

use kaname_pay::payout::{
    Approve, Payment, PlanRun, Programme, Run, RunState, State, approve, earlier_runs, payments_of, plan,
    report, run, stop, told, voucher_of,
};
use kaname_pay::{PayError, Refusal, RunId, ids};
use kaname_store::StoreError;
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::{Access, Actor, access, seal};

use super::world::{AMOUNT, World, amount, approval, auditor, currency, env, go_on, payments, run_id, start};

on_every_store!(
    everyone_is_paid_once_and_the_books_balance,
    a_run_needs_four_eyes_and_money,
    a_changed_list_is_not_paid,
    another_persons_record_does_not_open,
    who_left_the_register_waits,
    a_stopped_run_goes_on,
    nobody_is_told_of_a_payment_that_is_only_planned,
    a_person_sees_her_payment_and_her_voucher,
    two_who_run_it_at_once_pay_once,
);

fn refused<T: std::fmt::Debug>(result: Result<T, PayError>) -> Refusal {
    match result {
        Err(PayError::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn everyone_is_paid_once_and_the_books_balance(t: &TestStore) {
    let world = World::new(t, 40);
    world.register_everyone();
    let run = world.approved();
    assert_eq!((run.people, run.total.minor()), (40, 40 * AMOUNT));
    let before = report(&world.desk, &auditor(), run.id).unwrap();
    assert!(before.is_sound() && before.books.in_transit == 40 * AMOUNT, "{before:?}");

    let outcome = world.pay(run.id).unwrap();
    assert_eq!(outcome.run.state, RunState::Finished, "{outcome:?}");
    world.assert_all_is_paid(run.id);
    let report = report(&world.desk, &auditor(), run.id).unwrap();
    let people =
        [State::Paid, State::Voucher, State::Pending, State::Returned].map(|state| report.people(state));
    assert_eq!(people, [26, 13, 0, 1], "two in three have an account, and one account closed");
    let returned = report.tallies.iter().find(|tally| tally.state == State::Returned).unwrap();
    assert_eq!(returned.reason, "AC04");
    let books = report.books;
    assert_eq!(books.out_of_treasury, books.received + books.vouchers + books.pending + books.returned);
    assert_eq!(books.received, 26 * AMOUNT);

    let submissions = || world.banks.iter().map(|wire| wire.submissions.lock().unwrap().len()).sum::<usize>();
    let (credits, sent) = (world.credits(), submissions());
    assert!(sent > 2);
    assert_eq!(world.pay(run.id).unwrap().run.state, RunState::Finished);
    assert_eq!((world.credits(), submissions()), (credits, sent), "a second run does nothing");
    let buckets = world.store().buckets();
    let parts: BTreeSet<_> = world.people.iter().map(|person| person.bucket(buckets)).collect();
    // The appropriation, two legs to fund each bucket that has people, a payment each, and one that came back.
    assert_eq!(world.books().transfers, 1 + 2 * parts.len() as u64 + 40 + 1);
}

fn a_run_needs_four_eyes_and_money(t: &TestStore) {
    let world = World::new(t, 12);
    let plain = Programme { code: "grant".to_owned(), currency: currency(), amount: amount(AMOUNT) };
    let command = |programme: Programme| PlanRun { id: run_id(1), programme, by: payments("planner") };
    let nothing = Programme { amount: amount(0), ..plain.clone() };
    assert_eq!(refused(plan(&world.desk, &env(2), &command(nothing), &mut go_on)), Refusal::AmountZero);
    let run = world.plan(run_id(1));
    assert_eq!(world.plan(run_id(1)), run, "asked again, it is the same plan");
    let other = Programme { code: "other".to_owned(), ..plain };
    assert_eq!(refused(plan(&world.desk, &env(2), &command(other), &mut go_on)), Refusal::RunIdReused);

    assert_eq!(refused(world.pay(run.id)), Refusal::WrongState, "not before it is approved");
    assert_eq!(refused(world.pay(run_id(9))), Refusal::NoSuchRun);
    let ask = |command: Approve| approve(&world.desk, &env(4), &command);
    assert_eq!(refused(ask(Approve { by: payments("planner"), ..approval(&run) })), Refusal::SameOfficer);
    assert_eq!(refused(ask(Approve { people: 13, ..approval(&run) })), Refusal::OtherFigures);
    assert_eq!(refused(ask(Approve { run: run_id(9), ..approval(&run) })), Refusal::NoSuchRun);
    assert_eq!(refused(ask(approval(&run))), Refusal::NoSuchDebitAccount, "there is no treasury yet");
    world.fund_treasury(run.total.minor() - 1);
    assert_eq!(refused(ask(approval(&run))), Refusal::InsufficientFunds);
    assert_eq!(world.books().net_minor.values().sum::<i128>(), 0);
    let report = report(&world.desk, &auditor(), run.id).unwrap();
    assert_eq!(
        (report.run.state, report.books.out_of_treasury),
        (RunState::Planned, 0),
        "a refusal leaves no trace"
    );
}

fn a_changed_list_is_not_paid(t: &TestStore) {
    const ADD: &str =
        "INSERT INTO pay_entitlement (bucket, run, payee, state, reason) VALUES ($1, $2, $3, 1, '')";
    let world = World::new(t, 16);
    let run = world.approved();
    let bucket = world.people[0].bucket(world.store().buckets()).unwrap();
    let (id, friend) = (run.id, [0xEE; 16]);
    world
        .store()
        .write::<_, StoreError, _>(bucket, move |tx| tx.change_one(ADD, &[(&id).into(), (&friend).into()]))
        .unwrap();
    assert_eq!(refused(world.pay(run.id)), Refusal::ListChanged);

    const PART: &str = "UPDATE pay_run_part SET people = people + 1 WHERE bucket = $1";
    let t = TestStore::sqlite();
    let world = World::new(&t, 16);
    let run = world.plan(run_id(1));
    world.fund_treasury(2 * run.total.minor());
    world.store().write::<_, StoreError, _>(bucket, move |tx| tx.change_one(PART, &[])).unwrap();
    assert_eq!(refused(approve(&world.desk, &env(4), &approval(&run))), Refusal::ListChanged);
}

/// Whoever can write the database puts another person's account in place of hers: it is not paid on.
fn another_persons_record_does_not_open(t: &TestStore) {
    const RECORD: &str = "SELECT record FROM pay_payee WHERE bucket = $1 AND payee = $2";
    const SWAP: &str = "UPDATE pay_payee SET record = $3 WHERE bucket = $1 AND payee = $2";
    let world = World::new(t, 12);
    world.register_everyone();
    let buckets = world.store().buckets();
    let place = |number: usize| {
        (world.people[number].bucket(buckets).unwrap(), ids::payee(&world.desk.keys, world.people[number]))
    };
    let ((bucket, victim), (thiefs_bucket, thief)) = (place(0), place(1));
    let record = world
        .store()
        .read::<_, StoreError, _>(thiefs_bucket, move |tx| {
            tx.row(RECORD, &[(&thief).into()])?.unwrap().bytes(0).map(<[u8]>::to_vec)
        })
        .unwrap();
    world
        .store()
        .write::<_, StoreError, _>(bucket, move |tx| {
            tx.change_one(SWAP, &[(&victim).into(), (&record).into()])
        })
        .unwrap();
    let run = world.approved();
    world.pay(run.id).unwrap();
    world.assert_all_is_paid(run.id);
    let report = report(&world.desk, &auditor(), run.id).unwrap();
    let waiting: Vec<_> = report.tallies.iter().filter(|tally| tally.state == State::Pending).collect();
    assert_eq!(waiting.len(), 1);
    assert_eq!((waiting[0].reason.as_str(), waiting[0].people), ("account-unreadable", 1));
}

fn who_left_the_register_waits(t: &TestStore) {
    let world = World::new(t, 12);
    world.register_everyone();
    let run = world.approved();
    let (keys, gone) = (world.desk.keys.clone(), world.people[3]);
    let bucket = gone.bucket(world.store().buckets()).unwrap();
    world.store().write::<_, PayError, _>(bucket, move |tx| Ok(seal::erase(tx, &keys, gone)?)).unwrap();
    world.pay(run.id).unwrap();
    world.assert_all_is_paid(run.id);
    let report = report(&world.desk, &auditor(), run.id).unwrap();
    let waiting: BTreeMap<_, _> = report
        .tallies
        .iter()
        .filter(|tally| tally.state == State::Pending)
        .map(|tally| (tally.reason.clone(), tally.people))
        .collect();
    assert_eq!(waiting, BTreeMap::from([("not-registered".to_owned(), 1)]));
}

fn a_stopped_run_goes_on(t: &TestStore) {
    let world = World::new(t, 24);
    world.register_everyone();
    let run = world.approved();
    let home = world.store().buckets().home();
    assert!(matches!(world.pay_some(run.id, 4), Err(PayError::Halted)));
    let id = run.id;
    let stopped = world
        .store()
        .write::<_, PayError, _>(home, move |tx| stop(&env(6), tx, &payments("approver"), id))
        .unwrap();
    assert_eq!(stopped.state, RunState::Stopped);
    let paid_before = report(&world.desk, &auditor(), id).unwrap().people(State::Planned);
    assert!(paid_before > 0, "it was stopped in the middle");

    // Stopped while it runs: it ends before the next batch.
    let store = world.store().clone();
    let mut steps = 0;
    let outcome = run_with(&world, id, &mut || {
        steps += 1;
        if steps == 3 {
            store
                .write::<_, PayError, _>(home, move |tx| stop(&env(6), tx, &payments("approver"), id))
                .unwrap();
        }
    });
    assert_eq!(outcome, RunState::Stopped);
    assert!(report(&world.desk, &auditor(), id).unwrap().people(State::Planned) > 0);
    assert_eq!(world.pay(id).unwrap().run.state, RunState::Finished);
    world.assert_all_is_paid(id);
    assert_eq!(
        refused(world.store().write::<_, PayError, _>(home, move |tx| stop(
            &env(6),
            tx,
            &payments("approver"),
            id
        ))),
        Refusal::WrongState
    );
}

fn run_with(world: &World, id: RunId, before: &mut dyn FnMut()) -> RunState {
    let outcome = run(&world.desk, &env(5), &start(id), &mut |progress| {
        before();
        go_on(progress)
    });
    outcome.unwrap().run.state
}

fn nobody_is_told_of_a_payment_that_is_only_planned(t: &TestStore) {
    let world = World::new(t, 6);
    let home = world.store().buckets().home();
    let run = world.plan(run_id(1));
    let payment = |id, state| Payment {
        run: id,
        programme: run.programme.clone(),
        planned_at: run.planned_at,
        state,
        reason: String::new(),
    };
    let told_of = |payments: Vec<Payment>| {
        world.store().read::<_, PayError, _>(home, move |tx| told(tx, &payments)).unwrap()
    };
    let waits = payment(run.id, State::Planned);
    assert_eq!(told_of(vec![waits.clone()]), Vec::new());

    world.fund_treasury(run.total.minor());
    approve(&world.desk, &env(4), &approval(&run)).unwrap();
    let again = world.plan(run_id(2));
    let promised = payment(again.id, State::Planned);
    assert_eq!(told_of(vec![promised, waits.clone()]), vec![waits], "the second run is a plan only");
    let earlier = |run: Run| {
        let by = payments("planner");
        let found = world.store().read::<_, PayError, _>(home, move |tx| earlier_runs(tx, &by, &run, 10));
        found.unwrap().iter().map(|run| run.id).collect::<Vec<_>>()
    };
    assert_eq!((earlier(again), earlier(run)), (vec![run_id(1)], Vec::new()));
}

fn a_person_sees_her_payment_and_her_voucher(t: &TestStore) {
    let world = World::new(t, 9);
    world.register_everyone();
    let run = world.approved();
    world.pay(run.id).unwrap();
    let mut codes = Vec::new();
    for (number, person) in world.people.iter().copied().enumerate() {
        let keys = world.desk.keys.clone();
        let bucket = person.bucket(world.store().buckets()).unwrap();
        let (payments, voucher, entries) = world
            .store()
            .write::<_, PayError, _>(bucket, move |tx| {
                let actor = Actor::resident();
                let asked = Access {
                    person,
                    actor: &actor,
                    purpose: "own-access",
                    basis: "own-access",
                    fields: &["payments"],
                };
                let receipt = access::record(tx, &keys, &env(30), &asked)?;
                let payments = payments_of(tx, &keys, &receipt, 10)?;
                let voucher = voucher_of(tx, &keys, &receipt, run_id(1))?;
                Ok((payments, voucher, access::entries(tx, &keys, &receipt, 10)?))
            })
            .unwrap();
        let expected = match number {
            4 => State::Returned,
            _ if number % 3 == 2 => State::Voucher,
            _ => State::Paid,
        };
        assert_eq!(payments.len(), 1);
        assert_eq!((payments[0].state, payments[0].programme.amount.minor()), (expected, AMOUNT));
        assert_eq!(voucher.is_some(), expected == State::Voucher);
        codes.extend(voucher.map(|voucher| voucher.code));
        // Her log names the run's officer: once for the payout, and once before it when her account was compared.
        let payouts = entries.iter().filter(|entry| entry.actor.id == "payout for approver").count();
        assert_eq!((payouts, entries.len()), (1, if number % 3 == 2 { 2 } else { 3 }));
    }
    assert_eq!(codes.len(), 3);
    assert!(codes.iter().all(|code| code.len() == 14 && code.as_bytes()[4] == b'-'));
    codes.dedup();
    assert_eq!(codes.len(), 3);
}

fn two_who_run_it_at_once_pay_once(t: &TestStore) {
    let world = World::new(t, 32);
    world.register_everyone();
    let run = world.approved();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            // One of them may be told that the other was first; nothing is done twice then.
            scope.spawn(|| drop(world.pay(run.id)));
        }
    });
    assert_eq!(world.pay(run.id).unwrap().run.state, RunState::Finished);
    world.assert_all_is_paid(run.id);
}

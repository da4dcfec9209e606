//! A second way for money that waits or came back.

use kaname_pay::payee::{RegisterPayee, Registration, register_many, suspend};
use kaname_pay::payout::{RunPayout, RunState, State, Step, To, report, retry};
use kaname_pay::{PayError, Refusal};
use kaname_sim::bank::SimAccount;
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::Actor;

use super::world::{AMOUNT, World, account, auditor, clerk, env, go_on, name, payments, run_id, start};

on_every_store!(money_that_came_back_goes_to_another_account_once, what_waits_becomes_a_voucher);

/// Nine people: 4's account closes, 2, 5 and 8 have none, and 1's is suspended before the run.
fn world(t: &TestStore) -> World {
    let world = World::new(t, 9);
    world.register_everyone();
    let (keys, person) = (world.desk.keys.clone(), world.people[1]);
    let bucket = person.bucket(world.store().buckets()).unwrap();
    let work = move |tx: &mut kaname_store::Tx<'_>| suspend(tx, &keys, &payments("clerk"), person);
    world.store().write::<_, PayError, _>(bucket, work).unwrap();
    let run = world.approved();
    assert!(matches!(again(&world, To::Voucher), Err(PayError::Refused(Refusal::WrongState))));
    assert_eq!(world.pay(run.id).unwrap().run.state, RunState::Finished);
    world
}

fn again(world: &World, to: To) -> Result<(u64, u64, u64), PayError> {
    let retried = retry(&world.desk, &env(40), &start(run_id(1)), to, &mut go_on)?;
    Ok((retried.sent, retried.vouchers, retried.left))
}

fn counts(world: &World) -> [u64; 4] {
    let report = report(&world.desk, &auditor(), run_id(1)).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert!(world.books().is_sound());
    [State::Paid, State::Voucher, State::Pending, State::Returned].map(|state| report.people(state))
}

fn register(world: &World, number: u64, as_number: u64) {
    let second = SimAccount { holder: name(number), ..account(as_number) };
    world.open_at_bank(std::slice::from_ref(&second));
    let command = RegisterPayee {
        person: world.people[number as usize],
        account: second.account,
        evidence: "form".to_owned(),
        replace: true,
    };
    let answers = register_many(&world.desk, &env(30), &clerk(), &[command]).unwrap();
    assert_eq!(answers, [Registration::Active]);
}

fn money_that_came_back_goes_to_another_account_once(t: &TestStore) {
    let world = world(t);
    assert_eq!(counts(&world), [4, 3, 1, 1]);
    assert_eq!(again(&world, To::Account).unwrap(), (0, 0, 2), "not to the account that it came back from");
    register(&world, 4, 104);
    register(&world, 1, 101);
    assert_eq!(again(&world, To::Account).unwrap(), (2, 0, 0));
    assert_eq!(counts(&world), [6, 3, 0, 0]);
    assert_eq!(again(&world, To::Account).unwrap(), (0, 0, 0), "asked again, nothing is sent again");
    world.assert_all_is_paid(run_id(1));
    let numbers: Vec<String> = world.credits().into_iter().map(|credit| credit.number).collect();
    for second in [104, 101] {
        assert_eq!(numbers.iter().filter(|number| **number == account(second).account.number).count(), 1);
    }
    let report = report(&world.desk, &auditor(), run_id(1)).unwrap();
    assert_eq!(report.run.state, RunState::Finished);
    assert_eq!(report.acts.iter().filter(|act| act.step == Step::Retried).count(), 3);
    let registrar = RunPayout { by: Actor::officer("x", "registrar"), ..start(run_id(1)) };
    let refused = retry(&world.desk, &env(41), &registrar, To::Account, &mut go_on);
    assert!(matches!(refused, Err(PayError::NotAllowed(_))));
}

fn what_waits_becomes_a_voucher(t: &TestStore) {
    let world = world(t);
    assert_eq!(again(&world, To::Voucher).unwrap(), (0, 2, 0));
    assert_eq!(counts(&world), [4, 5, 0, 0], "nobody is left waiting");
    let books = report(&world.desk, &auditor(), run_id(1)).unwrap().books;
    assert_eq!((books.vouchers, books.pending + books.returned), (5 * AMOUNT, 0));
    assert_eq!(again(&world, To::Voucher).unwrap(), (0, 0, 0));
}

/// The second account closes too: the first report, read again, says nothing about the second payment.
#[test]
fn a_second_payment_that_comes_back_waits_again() {
    let t = TestStore::sqlite();
    let world = world(&t);
    let closed = SimAccount { holder: name(4), closes: true, ..account(104) };
    world.open_at_bank(std::slice::from_ref(&closed));
    let command = RegisterPayee { person: world.people[4], replace: true, ..world.command(&account(4)) };
    let command = RegisterPayee { account: closed.account, ..command };
    assert_eq!(register_many(&world.desk, &env(30), &clerk(), &[command]).unwrap(), [Registration::Active]);
    assert_eq!(again(&world, To::Account).unwrap().0, 1);
    assert_eq!(counts(&world), [4, 3, 1, 1], "it came back once more, and is counted once");
    assert_eq!(again(&world, To::Voucher).unwrap(), (0, 2, 0));
    assert_eq!(counts(&world), [4, 5, 0, 0]);
}

//! Registering where people are paid.

use kaname_pay::payee::{PayeeState, Reason, RegisterPayee, Registration, payee_of, register_many, suspend};
use kaname_pay::{PayError, Refusal};
use kaname_person::matching::Difference;
use kaname_sim::bank::SimAccount;
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::{Access, Actor, PersonId, access};

use super::world::{World, account, clerk, env, name, payments};

on_every_store!(
    an_account_is_active_only_when_its_holder_is_the_person,
    one_account_is_never_two_peoples,
    an_active_account_is_replaced_only_on_demand,
    asking_again_changes_nothing,
);

fn register(world: &World, commands: &[RegisterPayee]) -> Vec<Registration> {
    register_many(&world.desk, &env(20), &clerk(), commands).unwrap()
}

/// The state of a person's account, its number, and how many entries her access log has then.
fn payee(world: &World, person: PersonId) -> Option<(PayeeState, String, i64)> {
    let keys = world.desk.keys.clone();
    let bucket = person.bucket(world.store().buckets()).unwrap();
    let read = move |tx: &mut kaname_store::Tx<'_>| {
        let actor = Actor::resident();
        let asked = Access {
            person,
            actor: &actor,
            purpose: "own-access",
            basis: "own-access",
            fields: &["account"],
        };
        let receipt = access::record(tx, &keys, &env(21), &asked)?;
        let found = payee_of(tx, &keys, &receipt)?;
        Ok(found.map(|payee| (payee.state, payee.account.account.number, receipt.number())))
    };
    world.store().write::<_, PayError, _>(bucket, read).unwrap()
}

fn an_account_is_active_only_when_its_holder_is_the_person(t: &TestStore) {
    let world = World::new(t, 6);
    let others = SimAccount { holder: name(5), is_other_persons: true, ..account(1) };
    world.open_at_bank(&[account(0), others]);
    let mut no_bank = world.command(&account(3));
    no_bank.account.bank = "NONE".to_owned();
    let commands = [
        world.command(&account(0)),
        world.command(&account(1)),
        world.command(&account(2)), // the bank does not know it
        no_bank,
    ];
    let different = Reason::OtherHolder(Difference::Name);
    let expected = [
        Registration::Active,
        Registration::Refused(different),
        Registration::Refused(Reason::NoSuchAccount),
        Registration::Refused(Reason::NoSuchBank),
    ];
    assert_eq!(register(&world, &commands), expected);
    assert_eq!(payee(&world, world.people[0]), Some((PayeeState::Active, account(0).account.number, 2)));
    assert_eq!(payee(&world, world.people[1]).unwrap().0, PayeeState::Refused(different));
    assert!(different.to_string().contains("held by another person"));
    assert_eq!(payee(&world, world.people[4]), None);
    // The refused claim was given back: whose account it is can register it.
    let hers = RegisterPayee { person: world.people[5], ..world.command(&account(1)) };
    assert_eq!(register(&world, &[hers]), [Registration::Active]);
}

fn one_account_is_never_two_peoples(t: &TestStore) {
    let world = World::new(t, 12);
    // A shared name, so that the bank's holder is no help: the directory decides.
    let shared = SimAccount { holder: name(0), ..account(0) };
    world.open_at_bank(&[shared]);
    let commands: Vec<_> = world
        .people
        .iter()
        .map(|person| RegisterPayee { person: *person, ..world.command(&account(0)) })
        .collect();
    let answers = register(&world, &commands);
    let active = answers.iter().filter(|answer| **answer == Registration::Active).count();
    assert!(active <= 1, "{answers:?}");
    assert_eq!(
        register(&world, &commands[..1]),
        [if active == 1 && answers[0] == Registration::Active {
            Registration::Stands
        } else {
            Registration::Active
        }]
    );
    let answers = register(&world, &commands[1..]);
    assert!(
        answers.iter().all(|answer| *answer == Registration::Refused(Reason::AccountTaken)),
        "{answers:?}"
    );
}

fn an_active_account_is_replaced_only_on_demand(t: &TestStore) {
    let world = World::new(t, 2);
    let second = SimAccount { holder: name(0), ..account(8) };
    world.open_at_bank(&[account(0), second]);
    let person = world.people[0];
    let first = world.command(&account(0));
    let other = RegisterPayee { account: account(8).account, ..first.clone() };
    assert_eq!(register(&world, std::slice::from_ref(&first)), [Registration::Active]);
    assert_eq!(register(&world, std::slice::from_ref(&other)), [Registration::Refused(Reason::HasAccount)]);
    assert_eq!(payee(&world, person).unwrap().1, account(0).account.number, "the latest does not win");
    let replace = RegisterPayee { replace: true, ..other };
    assert_eq!(register(&world, std::slice::from_ref(&replace)), [Registration::Active]);
    assert_eq!(payee(&world, person).unwrap().1, account(8).account.number);

    // Suspended, it does not come back by asking, and another person cannot take it.
    let (keys, bucket) = (world.desk.keys.clone(), person.bucket(world.store().buckets()).unwrap());
    world
        .store()
        .write::<_, PayError, _>(bucket, move |tx| suspend(tx, &keys, &payments("clerk"), person))
        .unwrap();
    assert_eq!(register(&world, std::slice::from_ref(&replace)), [Registration::Refused(Reason::Suspended)]);
    let taken = RegisterPayee { person: world.people[1], ..replace };
    assert_eq!(register(&world, &[taken]), [Registration::Refused(Reason::AccountTaken)]);
    // The replaced one is free again, for herself.
    assert_eq!(register(&world, &[first]), [Registration::Active]);
    let (keys, nobody) = (world.desk.keys.clone(), world.people[1]);
    let bucket = nobody.bucket(world.store().buckets()).unwrap();
    let refused = world
        .store()
        .write::<_, PayError, _>(bucket, move |tx| suspend(tx, &keys, &payments("clerk"), nobody));
    assert!(matches!(refused, Err(PayError::Refused(Refusal::NoPayee))));
}

fn asking_again_changes_nothing(t: &TestStore) {
    let world = World::new(t, 30);
    world.register_everyone();
    let accounts: Vec<_> = (0..30).filter(|number| number % 3 != 2).map(account).collect();
    let mut commands: Vec<_> = accounts.iter().map(|account| world.command(account)).collect();
    commands.extend(commands.clone());
    let answers = register(&world, &commands);
    assert_eq!(answers.len(), 40);
    assert!(answers.iter().all(|answer| *answer == Registration::Stands), "{answers:?}");
}

//! Who may touch money, asked where it moves; and what a resident's log says of it.

use kaname_pay::ledger::fsck;
use kaname_pay::payee::{register_many, suspend};
use kaname_pay::payout::{
    Approve, PlanRun, Programme, RunPayout, RunState, Step, appropriate, approve, fund, going_on, plan,
    report, run, run_of, runs, stop,
};
use kaname_pay::{PayError, Refusal, TransferId};
use kaname_person::Refusal as Policy;
use kaname_store::Tx;
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::access::Entry;
use kaname_trust::{Access, Actor, ActorKind, PersonId, access};

use super::world::{
    AMOUNT, World, account, amount, approval, auditor, currency, env, go_on, payments, run_id, start,
};

on_every_store!(
    nobody_moves_money_without_the_role,
    whoever_planned_a_run_does_not_fund_it_and_each_step_has_a_name,
    a_residents_log_names_the_law_and_nobody_who_was_not_there,
);

fn in_role(role: &str) -> Actor {
    Actor::officer("somebody", role)
}

fn is_refused<T>(result: Result<T, PayError>) -> bool {
    matches!(result, Err(PayError::NotAllowed(Policy::NotAllowed { .. })))
}

fn refused_within(
    world: &World,
    by: &Actor,
    mut work: impl FnMut(&mut Tx<'_>, &Actor) -> Result<(), PayError> + Send + 'static,
) -> bool {
    let by = by.clone();
    let home = world.store().buckets().home();
    is_refused(world.store().write::<_, PayError, _>(home, move |tx| work(tx, &by)))
}

fn nobody_moves_money_without_the_role(t: &TestStore) {
    let world = World::new(t, 6);
    world.register_everyone();
    let planned = world.plan(run_id(1));
    let id = planned.id;
    let command = [world.command(&account(1))];
    let programme = Programme { code: "grant".to_owned(), currency: currency(), amount: amount(AMOUNT) };
    let money = TransferId::from_bytes([9; 16]);
    let mut asked = 0;
    for role in ["registrar", "help-desk", "auditor", "administrator", "program", "self", ""] {
        let by = in_role(role);
        let (keys, person) = (world.desk.keys.clone(), world.people[0]);
        let plan_it = PlanRun { id: run_id(2), programme: programme.clone(), by: by.clone() };
        let refusals = [
            is_refused(register_many(&world.desk, &env(1), &by, &command)),
            is_refused(plan(&world.desk, &env(2), &plan_it, &mut go_on)),
            is_refused(approve(&world.desk, &env(4), &Approve { by: by.clone(), ..approval(&planned) })),
            is_refused(run(&world.desk, &env(5), &RunPayout { by: by.clone(), ..start(id) }, &mut go_on)),
            refused_within(&world, &by, move |tx, by| fund(&env(3), tx, by, id).map(drop)),
            refused_within(&world, &by, move |tx, by| {
                appropriate(&env(3), tx, by, money, currency(), amount(1)).map(drop)
            }),
            refused_within(&world, &by, move |tx, by| stop(&env(6), tx, by, id).map(drop)),
            refused_within(&world, &by, move |tx, by| suspend(tx, &keys, by, person).map(drop)),
        ];
        assert_eq!(refusals, [true; 8], "{role}");
        let may_look = role == "auditor";
        let looks = [
            is_refused(report(&world.desk, &by, id)),
            refused_within(&world, &by, move |tx, by| runs(tx, by, 9).map(drop)),
            refused_within(&world, &by, move |tx, by| run_of(tx, by, id).map(drop)),
            is_refused(fsck(world.store(), &by)),
        ];
        assert_eq!(looks, [!may_look; 4], "{role}");
        asked += 1;
    }
    assert_eq!(asked, 7);
    assert!(is_refused(fsck(world.store(), &payments("planner"))), "who pays does not audit");
    let now = report(&world.desk, &auditor(), id).unwrap();
    assert_eq!((now.run.state, now.acts.len()), (RunState::Planned, 1), "none of it left a trace");
    assert!(report(&world.desk, &auditor(), run_id(2)).is_err());
}

fn whoever_planned_a_run_does_not_fund_it_and_each_step_has_a_name(t: &TestStore) {
    let world = World::new(t, 6);
    world.register_everyone();
    let planned = world.plan(run_id(1));
    let (home, id) = (world.store().buckets().home(), planned.id);
    let fund_by = |officer: &'static str| {
        world
            .store()
            .write::<_, PayError, _>(home, move |tx| fund(&env(3), tx, &payments(officer), id).map(drop))
    };
    assert!(matches!(fund_by("planner"), Err(PayError::Refused(Refusal::SameOfficer))));
    fund_by("approver").unwrap();
    fund_by("third").unwrap(); // said twice, it is done once
    approve(&world.desk, &env(4), &approval(&planned)).unwrap();
    assert_eq!(world.pay(id).unwrap().run.state, RunState::Finished);
    world.assert_all_is_paid(id);
    let acts = report(&world.desk, &auditor(), id).unwrap().acts;
    let lines: Vec<_> = acts.iter().map(|act| (act.step, act.officer.as_str(), act.at)).collect();
    let expected = [
        (Step::Planned, "planner", env(2).now),
        (Step::Funded, "approver", env(3).now),
        (Step::Approved, "approver", env(4).now),
        (Step::Started, "approver", env(5).now),
    ];
    assert_eq!(lines, expected);
    assert!(acts.iter().all(|act| act.role == "payments"));
}

fn a_residents_log_names_the_law_and_nobody_who_was_not_there(t: &TestStore) {
    let world = World::new(t, 2);
    world.register_everyone();
    let run_it = world.approved();
    let command = RunPayout { by: going_on("approver"), ..start(run_it.id) };
    assert_eq!(run(&world.desk, &env(5), &command, &mut go_on).unwrap().run.state, RunState::Finished);

    let law = world.desk.pack.purpose("payout").unwrap().legal_basis.get("en").to_owned();
    assert_ne!(law, "payout");
    let entries: Vec<Entry> =
        log_of(&world, world.people[0]).into_iter().filter(|entry| entry.purpose == "payout").collect();
    assert_eq!(entries.len(), 2, "her account was compared, and paid on");
    assert!(entries.iter().all(|entry| entry.basis == law), "{entries:?}");
    let paid = entries.iter().find(|entry| entry.actor.id == "payout for approver").unwrap();
    // Whoever started it may have lost her role since: the program invents none for her.
    assert_eq!((paid.actor.kind, paid.actor.role.as_str()), (ActorKind::Program, "program"));
}

fn log_of(world: &World, person: PersonId) -> Vec<Entry> {
    let keys = world.desk.keys.clone();
    let bucket = person.bucket(world.store().buckets()).unwrap();
    world
        .store()
        .write::<_, PayError, _>(bucket, move |tx| {
            let actor = Actor::resident();
            let fields = &["access-log"];
            let ask = Access { person, actor: &actor, purpose: "own-access", basis: "own-access", fields };
            let receipt = access::record(tx, &keys, &env(30), &ask)?;
            Ok(access::entries(tx, &keys, &receipt, 10)?)
        })
        .unwrap()
}

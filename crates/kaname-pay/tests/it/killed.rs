//! A run that is killed between any two units of work, for every place where it can be, and started again.

use kaname_pay::PayError;
use kaname_pay::payout::{Go, PlanRun, Programme, RunState, State, approve, plan, report};
use kaname_testkit::TestStore;

use super::world::{AMOUNT, World, amount, approval, auditor, currency, env, go_on, payments, run_id};

#[test]
fn a_run_killed_after_any_step_pays_everyone_once() {
    let mut halted_at = 0;
    for steps in 0.. {
        let t = TestStore::sqlite();
        let world = World::new(&t, 18);
        world.register_everyone();
        let run = world.approved();
        match world.pay_some(run.id, steps) {
            Err(PayError::Halted) => halted_at += 1,
            Ok(outcome) => {
                assert_eq!(outcome.run.state, RunState::Finished);
                break;
            }
            Err(error) => panic!("after {steps} steps: {error}"),
        }
        let books = world.books();
        assert!(books.is_sound(), "after {steps} steps: {:?}", books.wrong);
        assert!(report(&world.desk, &auditor(), run.id).unwrap().is_sound(), "after {steps} steps");
        assert_eq!(world.pay(run.id).unwrap().run.state, RunState::Finished, "after {steps} steps");
        world.assert_all_is_paid(run.id);
    }
    assert!(halted_at > 20, "the run was halted at {halted_at} places");
}

#[test]
fn a_run_killed_after_each_step_still_ends() {
    let t = TestStore::sqlite();
    let world = World::new(&t, 18);
    world.register_everyone();
    let run = world.approved();
    // Each time it comes a little further: what was done is not done again, so few steps are enough.
    let mut rounds = 0;
    while let Err(PayError::Halted) = world.pay_some(run.id, 10 + rounds) {
        rounds += 1;
        assert!(rounds < 100);
    }
    assert!(rounds > 0);
    world.assert_all_is_paid(run.id);
}

#[test]
fn a_plan_killed_after_any_step_lists_everyone_once() {
    let mut halted_at = 0;
    for steps in 0.. {
        let t = TestStore::sqlite();
        let world = World::new(&t, 20);
        let programme = Programme { code: "grant".to_owned(), currency: currency(), amount: amount(AMOUNT) };
        let command = PlanRun { id: run_id(1), programme, by: payments("planner") };
        let mut left = steps;
        let planned = plan(&world.desk, &env(2), &command, &mut |_| match left {
            0 => Go::Halt,
            _ => {
                left -= 1;
                Go::On
            }
        });
        match planned {
            Ok(run) => {
                assert_eq!(run.people, 20);
                break;
            }
            Err(PayError::Halted) => halted_at += 1,
            Err(error) => panic!("after {steps} steps: {error}"),
        }
        // Somebody moves in meanwhile: on the list when her bucket's was not frozen yet, and never half.
        world.newcomer(1_000);
        let run = plan(&world.desk, &env(3), &command, &mut go_on).unwrap();
        let listed = report(&world.desk, &auditor(), run.id).unwrap().people(State::Planned);
        assert!(run.people == 20 || run.people == 21);
        assert_eq!(listed, run.people);
        world.fund_treasury(run.total.minor());
        approve(&world.desk, &env(4), &approval(&run)).unwrap();
        world.pay(run.id).unwrap();
        world.assert_all_is_paid(run.id);
    }
    assert!(halted_at > 5, "the plan was halted at {halted_at} places");
}

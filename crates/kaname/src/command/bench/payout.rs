//! Residents paid, from a frozen list to the banks' reports and a signed log.

use kaname_pay::payout::{BATCH, RunState, report};
use kaname_person::Action;

use super::{Measured, Place, import};
use crate::clock;
use crate::command::{demo, officer, payout, sim};
use crate::error::Failure;

pub(super) fn measure(place: &Place, count: u64, quiet: bool) -> Result<Measured, Failure> {
    let deployment = place.deployment(count, 0)?;
    let file = place.file("residents.csv");
    sim::write_people("example", 1, count, &file)?;
    import::import(place, &deployment, count, quiet)?;
    let staff = demo::world::staff(&deployment)?;
    demo::register_accounts(&deployment, &file, 1, quiet)?;
    deployment.log()?.publish()?;
    let planner = officer::acting(&deployment, &staff.planner.to_string(), Action::PlanPayout)?;
    let approver = officer::acting(&deployment, &staff.approver.to_string(), Action::ApprovePayout)?;
    let home = deployment.store.buckets().home();
    let id = clock::env().id(home);
    let programme = payout::programme(&deployment, None)?;

    let measured = super::measure(place, "payout", "residents", || {
        let run = payout::plan_with_progress(&deployment, id, programme, &planner, quiet)?;
        payout::vote_money(&deployment, &run, &approver)?;
        payout::approve_and_run(&deployment, id, &approver, BATCH, quiet)?;
        deployment.log()?.publish()?;
        Ok(run.people)
    })?;
    let report = report(&deployment.desk()?, &planner, id)?;
    match report.is_sound() && report.run.state == RunState::Finished && report.run.people == count {
        true => Ok(measured),
        false => Err(Failure::refused("the payout's books do not add up")),
    }
}

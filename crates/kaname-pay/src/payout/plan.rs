//! Use case: freeze the list of a payout run.
//!
//! Bucket for bucket, everyone who is active gets one row. When a bucket's list is complete its part of the run is written,
//! with the digest of the list, in the same unit of work as its last rows; from then on nothing is added to it. A plan that
//! was killed and is asked for again under the same id makes anew only those buckets that have no part yet.

use std::sync::Arc;

use kaname_base::{Amount, Bucket, Env};
use kaname_person::{Action, policy};
use kaname_store::{StoreError, Tx};
use kaname_trust::Actor;

use crate::ids::{self, PayeeId, RunId, digest};
use crate::ledger::open_accounts;
use crate::payee::Desk;
use crate::payout::act::{self, Step};
use crate::payout::table::{self, Part};
use crate::payout::treasury::{Use, for_people, run_account};
use crate::payout::{Phase, Programme, Run, RunState, Steps, step};
use crate::{PayError, Refusal};

/// Residents read at once, and rows written in one unit of work.
const PAGE: usize = 8_192;

/// Plans a run.
#[derive(Clone, Debug)]
pub struct PlanRun {
    /// Chosen by the caller: asked for again, it is the same run.
    pub id: RunId,
    /// What is paid.
    pub programme: Programme,
    /// Who plans it.
    pub by: Actor,
}

/// Makes the list, and tells how many people are on it, what they get in all, and the hash that commits to it.
///
/// # Errors
/// [`PayError::NotAllowed`]; [`Refusal::RunIdReused`] when the id stands for another run; [`Refusal::AmountZero`]; [`Refusal::Overflow`].
pub fn plan(desk: &Desk, env: &Env, command: &PlanRun, steps: &mut Steps<'_>) -> Result<Run, PayError> {
    policy::may(&command.by, Action::PlanPayout)?;
    if command.programme.amount == Amount::ZERO {
        return Err(Refusal::AmountZero.into());
    }
    let home = desk.store.buckets().home();
    let (asked, start_env) = (command.clone(), env.again());
    let run = desk.store.write::<_, PayError, _>(home, move |tx| begin(&start_env, tx, &asked))?;
    if run.state != RunState::Planning {
        return Ok(run);
    }
    let mut parts = Vec::new();
    let mut people = 0;
    for bucket in desk.store.buckets().all() {
        step(steps, Phase::Planning, people, 0)?;
        let part = plan_bucket(desk, bucket, &run, steps, people)?;
        people += part.people;
        parts.push((bucket, part));
    }
    let total = for_people(run.programme.amount, people)?;
    let list_hash = list_hash(run.id, &parts);
    step(steps, Phase::Planning, people, people)?;
    desk.store.write::<_, PayError, _>(home, move |tx| finish(tx, run.id, people, total, list_hash))
}

/// Commits to the lists of all buckets.
pub(crate) fn list_hash(run: RunId, parts: &[(Bucket, Part)]) -> [u8; 32] {
    let mut lines = Vec::with_capacity(parts.len() * 42);
    for (bucket, part) in parts {
        lines.extend_from_slice(&bucket.index().to_be_bytes());
        lines.extend_from_slice(&part.people.to_be_bytes());
        lines.extend_from_slice(&part.digest);
    }
    digest(&[b"kaname payout list", run.bytes(), &lines])
}

/// Commits to the list of one bucket: its payees in order.
pub(crate) fn part_digest(run: RunId, payees: &[PayeeId]) -> [u8; 32] {
    let bytes: Vec<u8> = payees.iter().flat_map(|payee| *payee.bytes()).collect();
    digest(&[b"kaname payout part", run.bytes(), &bytes])
}

fn begin(env: &Env, tx: &mut Tx<'_>, command: &PlanRun) -> Result<Run, PayError> {
    if let Some(run) = table::run(tx, command.id)? {
        let same = run.programme == command.programme && run.planned_by == command.by.id;
        return if same { Ok(run) } else { Err(Refusal::RunIdReused.into()) };
    }
    let run = Run {
        id: command.id,
        programme: command.programme.clone(),
        state: RunState::Planning,
        planned_by: command.by.id.clone(),
        planned_at: env.now,
        approved: None,
        people: 0,
        total: Amount::ZERO,
        list_hash: [0; 32],
        version: 0,
    };

    table::insert_run(tx, &run)?;
    act::note(env, tx, run.id, Step::Planned, &command.by)?;
    Ok(run)
}

fn plan_bucket(
    desk: &Desk,
    bucket: Bucket,
    run: &Run,
    steps: &mut Steps<'_>,
    before: u64,
) -> Result<Part, PayError> {
    let id = run.id;
    if let Some(part) = desk.store.read::<_, StoreError, _>(bucket, move |tx| table::part(tx, id))? {
        return Ok(part);
    }
    let (keys, residents) = (desk.keys.clone(), Arc::clone(&desk.residents));
    let payees = desk.store.read::<_, PayError, _>(bucket, move |tx| {
        let mut payees = Vec::new();
        let mut after = None;
        loop {
            let page = residents.active(tx, after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = Some(*last);
            payees.extend(page.iter().map(|person| ids::payee(&keys, *person)));
        }
        // In order of the payee's own name: rows are appended, and the register's order is not repeated here.
        payees.sort_unstable();
        payees.dedup();
        Ok(payees)
    })?;
    let part = Part {
        run: id,
        programme: run.programme.clone(),
        planned_at: run.planned_at,
        people: payees.len() as u64,
        digest: part_digest(id, &payees),
        done_to: Vec::new(),
        batches: 0,
        version: 0,
    };
    let payees = Arc::new(payees);
    let pages = payees.len().div_ceil(PAGE).max(1);
    for page in 0..pages {
        if page > 0 {
            step(steps, Phase::Planning, before + (page * PAGE) as u64, 0)?;
        }
        let (payees, part) = (Arc::clone(&payees), part.clone());
        desk.store.write::<_, StoreError, _>(bucket, move |tx| {
            if page == 0 {
                table::forget_list(tx, id)?; // what an earlier, killed plan left here
            }
            let rows = &payees[page * PAGE..payees.len().min((page + 1) * PAGE)];
            table::insert_entitlements(tx, id, rows)?;
            if page + 1 == pages {
                let currency = part.programme.currency;
                let uses = [Use::Disbursement, Use::Voucher, Use::Pending, Use::Returned];
                open_accounts(tx, &uses.map(|purpose| run_account(id, purpose, "", currency)))?;
                table::insert_part(tx, &part)?;
            }
            Ok(())
        })?;
    }
    Ok(part)
}

fn finish(
    tx: &mut Tx<'_>,
    id: RunId,
    people: u64,
    total: Amount,
    list_hash: [u8; 32],
) -> Result<Run, PayError> {
    let run = table::run(tx, id)?.ok_or(Refusal::NoSuchRun)?;
    if run.state != RunState::Planning {
        return Ok(run);
    }
    let planned = Run { state: RunState::Planned, people, total, list_hash, ..run };

    table::replace_run(tx, &planned)?;
    Ok(Run { version: planned.version + 1, ..planned })
}

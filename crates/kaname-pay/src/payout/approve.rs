//! Use case: approve a payout run, with four eyes, and fund it out of the treasury.

use std::sync::Arc;

use kaname_base::{Bucket, Env};
use kaname_person::{Action, policy};
use kaname_store::{StoreError, Tx};
use kaname_trust::Actor;

use crate::ids::{RunId, derived_transfer};
use crate::ledger::clearing::{Send, send};
use crate::payee::Desk;
use crate::payout::act::{self, Step};
use crate::payout::plan::list_hash;
use crate::payout::table::{self, Part};
use crate::payout::treasury::{Move, Use, for_people, run_account, treasury_account};
use crate::payout::{Run, RunState, rules};
use crate::{PayError, Refusal};

/// Approves a run.
#[derive(Clone, Debug)]
pub struct Approve {
    /// Which.
    pub run: RunId,
    /// The officer; not the one who planned it.
    pub by: Actor,
    /// How many people the officer was shown.
    pub people: u64,
    /// The total the officer was shown, in minor units.
    pub total_minor: u64,
}

/// Approves the run, and sends each bucket's share on its way. All of it happens in one unit of work on the home bucket.
///
/// # Errors
/// [`PayError::NotAllowed`]; [`rules::may_approve`]'s refusals; [`Refusal::ListChanged`] when a list is not the one that was planned;
/// [`Refusal::InsufficientFunds`] when the treasury has not enough.
pub fn approve(desk: &Desk, env: &Env, command: &Approve) -> Result<Run, PayError> {
    policy::may(&command.by, Action::ApprovePayout)?;
    let mut parts = Vec::new();
    for bucket in desk.store.buckets().all() {
        let id = command.run;
        if let Some(part) = desk.store.read::<_, StoreError, _>(bucket, move |tx| table::part(tx, id))? {
            parts.push((bucket, part));
        }
    }
    let (parts, command, env) = (Arc::new(parts), command.clone(), env.again());
    let keys = desk.keys.clone();
    let home = desk.store.buckets().home();
    desk.store
        .write::<_, PayError, _>(home, move |tx| approve_home(&env.again(), tx, &keys, &command, &parts))
}

fn approve_home(
    env: &Env,
    tx: &mut Tx<'_>,
    keys: &kaname_trust::Keys,
    command: &Approve,
    parts: &[(Bucket, Part)],
) -> Result<Run, PayError> {
    let run = table::run(tx, command.run)?.ok_or(Refusal::NoSuchRun)?;
    rules::may_approve(&run, &command.by.id, command.people, command.total_minor)?;
    if list_hash(run.id, parts) != run.list_hash {
        return Err(Refusal::ListChanged.into());
    }
    let currency = run.programme.currency;
    let mut shares = Vec::with_capacity(parts.len());
    for (bucket, part) in parts.iter().filter(|(_, part)| part.people > 0) {
        shares.push(Send {
            id: share_id(keys, &run, *bucket),
            from: treasury_account(currency),
            to_bucket: *bucket,
            to: run_account(run.id, Use::Disbursement, "", currency).id,
            currency,
            amount: for_people(run.programme.amount, part.people)?,
            code: Move::Funding as u16,
        });
    }
    let approved = Some((command.by.id.clone(), env.now));
    let run = Run { state: RunState::Approved, approved, ..run };

    send(env, tx, &shares)?;
    table::replace_run(tx, &run)?;
    act::note(env, tx, run.id, Step::Approved, &command.by)?;
    Ok(Run { version: run.version + 1, ..run })
}

/// The id of the transfer that funds a bucket's part.
pub(crate) fn share_id(keys: &kaname_trust::Keys, run: &Run, bucket: Bucket) -> crate::TransferId {
    let index = u32::from(bucket.index()).to_be_bytes();
    derived_transfer(keys, run.planned_at, &index, &[run.id.bytes(), &index, b"share"])
}

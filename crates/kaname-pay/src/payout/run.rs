//! Use case: carry out an approved payout run, or go on with one that was stopped or killed.

use kaname_base::{Bucket, Env};
use kaname_person::{Action, policy};
use kaname_store::{StoreError, Tx};
use kaname_trust::Actor;

use crate::ids::RunId;
use crate::ledger::clearing::carry;
use crate::payee::Desk;
use crate::payout::act::{self, Step};
use crate::payout::collect::apply_report;
use crate::payout::message::{MessageKey, open_body};
use crate::payout::pay_batch::pay_batch;
use crate::payout::table::{self, MessageHead, MessageState};
use crate::payout::{Counter, Phase, Run, RunState, Steps, step};
use crate::{BankError, PayError, Refusal};

/// Who pays, as it stands in the messages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Payer {
    /// The authority's name, at most 140 characters.
    pub name: String,
    /// Its account at the banks, at most 34 characters.
    pub account: String,
    /// What the receiver reads on a statement, at most 140 characters.
    pub remittance: String,
}

/// Carries out a run.
#[derive(Clone, Debug)]
pub struct RunPayout {
    /// Which.
    pub run: RunId,
    /// The officer who starts it, or the program that goes on with it after a restart ([`going_on`]).
    pub by: Actor,
    /// Who pays.
    pub payer: Payer,
    /// How many people are paid in one unit of work; some thousands are best.
    pub batch: usize,
}

/// How many people are paid in one unit of work, unless somebody says otherwise.
pub const BATCH: usize = 4_096;

/// How it ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The run as it stands now: finished, stopped, or running while a bank has not answered.
    pub run: Run,
    /// Messages whose report was refused: nothing of it was applied.
    pub refused_reports: Vec<(String, Refusal)>,
    /// Banks that could not be asked; run again later.
    pub unreachable: Vec<BankError>,
}

/// The program, going on with a run that an officer started before the program was stopped. It has the program's rights and
/// no role of hers: she may have lost it meanwhile.
pub fn going_on(officer: &str) -> Actor {
    Actor::program(officer, policy::PROGRAM)
}

/// Pays everyone on the list who is not paid yet, hands the messages to the banks, and applies their reports. It may be
/// killed at any moment and called again; two at once do not pay twice, for each batch is compared and set.
///
/// # Errors
/// [`PayError::NotAllowed`]; [`Refusal::NoSuchRun`]; [`Refusal::WrongState`] before it is approved; [`Refusal::ListChanged`]; [`PayError::Halted`].
pub fn run(desk: &Desk, env: &Env, command: &RunPayout, steps: &mut Steps<'_>) -> Result<Outcome, PayError> {
    policy::may(&command.by, Action::RunPayout)?;
    let home = desk.store.buckets().home();
    let id = command.run;
    let (by, start_env) = (command.by.clone(), env.again());
    let run = desk.store.write::<_, PayError, _>(home, move |tx| begin(&start_env, tx, &by, id))?;
    let mut outcome = Outcome { run, refused_reports: Vec::new(), unreachable: Vec::new() };
    if outcome.run.state == RunState::Finished {
        return Ok(outcome);
    }
    let people = outcome.run.people;
    step(steps, Phase::Funding, 0, people)?;
    carry(&desk.store, env, home)?;
    let mut paid = 0;
    for bucket in desk.store.buckets().all() {
        loop {
            step(steps, Phase::Paying, paid, people)?;
            if is_stopped(desk, id)? {
                outcome.run = current(desk, id)?;
                return Ok(outcome);
            }
            match pay_next(desk, env, command, bucket)? {
                0 => break,
                more => paid += more,
            }
        }
    }
    let (mut messages, mut answered) = (0, 0);
    for bucket in desk.store.buckets().all() {
        let heads = desk.store.read::<_, StoreError, _>(bucket, move |tx| table::messages(tx, id))?;
        submit(desk, id, bucket, &heads, steps, messages, &mut outcome)?;
        messages += heads.len() as u64;
        answered += collect(desk, env, id, bucket, &heads, steps, answered, &mut outcome)?;
    }
    step(steps, Phase::Collecting, answered, messages)?;
    let is_done = answered == messages;
    outcome.run = desk.store.write::<_, PayError, _>(home, move |tx| end(tx, id, is_done))?;
    Ok(outcome)
}

fn begin(env: &Env, tx: &mut Tx<'_>, by: &Actor, id: RunId) -> Result<Run, PayError> {
    let run = table::run(tx, id)?.ok_or(Refusal::NoSuchRun)?;
    match run.state {
        RunState::Planning | RunState::Planned => Err(Refusal::WrongState.into()),
        RunState::Running | RunState::Finished => Ok(run),
        RunState::Approved | RunState::Stopped => {
            let run = Run { state: RunState::Running, ..run };
            table::replace_run(tx, &run)?;
            act::note(env, tx, id, Step::Started, by)?;
            Ok(Run { version: run.version + 1, ..run })
        }
    }
}

fn end(tx: &mut Tx<'_>, id: RunId, is_done: bool) -> Result<Run, PayError> {
    let run = table::run(tx, id)?.ok_or(Refusal::NoSuchRun)?;
    if run.state != RunState::Running || !is_done {
        return Ok(run);
    }
    let run = Run { state: RunState::Finished, ..run };
    table::replace_run(tx, &run)?;
    Ok(Run { version: run.version + 1, ..run })
}

fn current(desk: &Desk, id: RunId) -> Result<Run, PayError> {
    let home = desk.store.buckets().home();
    desk.store.read::<_, PayError, _>(home, move |tx| Ok(table::run(tx, id)?.ok_or(Refusal::NoSuchRun)?))
}

fn is_stopped(desk: &Desk, id: RunId) -> Result<bool, PayError> {
    Ok(current(desk, id)?.state == RunState::Stopped)
}

fn pay_next(desk: &Desk, env: &Env, command: &RunPayout, bucket: Bucket) -> Result<u64, PayError> {
    let (keys, env, payer, run) = (desk.keys.clone(), env.again(), command.payer.clone(), command.run);
    let most = command.batch.clamp(1, 8_192);
    // The program reads, in a run that this officer started.
    let (by, basis, until) = (&command.by, desk.basis(), Counter::of(desk).until(env.now));
    let actor = Actor::program(&format!("payout for {}", by.id), &by.role);
    desk.store.write::<_, PayError, _>(bucket, move |tx| {
        pay_batch(&env.again(), tx, &keys, (&actor, &basis, until), &payer, run, most)
    })
}

/// Hands over what was made. Killed between the bank and our note of it, the message is handed over again: for the bank it
/// is the same message.
fn submit(
    desk: &Desk,
    run: RunId,
    bucket: Bucket,
    heads: &[MessageHead],
    steps: &mut Steps<'_>,
    before: u64,
    outcome: &mut Outcome,
) -> Result<(), PayError> {
    let mut handed_over = Vec::new();
    for (place, head) in heads.iter().enumerate().filter(|(_, head)| head.state == MessageState::Made) {
        step(steps, Phase::Sending, before + place as u64, 0)?;
        let (batch, bank) = (head.batch, head.bank.clone());
        let asked = bank.clone();
        let message =
            desk.store.read::<_, StoreError, _>(bucket, move |tx| table::message(tx, run, batch, &asked))?;
        let Some((_, _, body)) = message else { continue };
        let key = MessageKey { run, bucket, batch, bank: &bank };
        let body = open_body(&desk.keys, &key, &body)?;
        let sent = desk.banks.get(&bank).and_then(|to| to.submit(&key.id(&desk.keys), &body));
        match sent {
            Ok(()) => handed_over.push((batch, bank)),
            Err(error) => outcome.unreachable.push(error),
        }
    }
    if handed_over.is_empty() {
        return Ok(());
    }
    step(steps, Phase::Sending, before + heads.len() as u64, 0)?;
    desk.store.write::<_, PayError, _>(bucket, move |tx| {
        for (batch, bank) in &handed_over {
            table::mark_submitted(tx, run, *batch, bank)?;
        }
        Ok(())
    })
}

/// Applies what the banks report; returns how many messages of the bucket need nothing more.
#[expect(clippy::too_many_arguments, reason = "the parts of one loop, called once")]
fn collect(
    desk: &Desk,
    env: &Env,
    run: RunId,
    bucket: Bucket,
    heads: &[MessageHead],
    steps: &mut Steps<'_>,
    before: u64,
    outcome: &mut Outcome,
) -> Result<u64, PayError> {
    let mut answered = 0;
    for head in heads {
        if head.state == MessageState::Answered {
            answered += 1;
            continue;
        }
        step(steps, Phase::Collecting, before + answered, 0)?;
        let (batch, bank) = (head.batch, head.bank.clone());
        let id = MessageKey { run, bucket, batch, bank: &bank }.id(&desk.keys);
        let report = match desk.banks.get(&bank).and_then(|at| at.status(&id)) {
            Ok(Some(report)) => report,
            Ok(None) => continue, // not yet
            Err(error) => {
                outcome.unreachable.push(error);
                continue;
            }
        };
        let (keys, env) = (desk.keys.clone(), env.again());
        let applied = desk.store.write::<_, PayError, _>(bucket, move |tx| {
            apply_report(&env.again(), tx, &keys, run, batch, &bank, &report)
        });
        match applied {
            Ok(is_final) => answered += u64::from(is_final),
            Err(PayError::Refused(refusal)) => outcome.refused_reports.push((id, refusal)),
            Err(error) => return Err(error),
        }
    }
    Ok(answered)
}

//! `kaname payout`: plan a payout run, carry it out, watch it, report on it.

mod account;
mod voucher;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use kaname_base::hex;
use kaname_pay::payout::{
    Approve, BATCH, Go, Outcome, Phase, PlanRun, Programme, Progress, Run, RunPayout, RunState, To, approve,
    earlier_runs, fund, plan, report, retry, run as carry_out, run_of,
};
use kaname_pay::{PayError, Refusal, RunId};
use kaname_person::Action;
use kaname_trust::Actor;
use serde::Serialize;

pub(crate) use account::Account;
use account::People;

use super::{On, officer, program};
use crate::clock;
use crate::deployment::Deployment;
use crate::error::Failure;
use crate::{serve, show};

/// Plan a payout run, carry it out, watch it, report on it
#[derive(Subcommand)]
pub(crate) enum Payout {
    /// Freeze the list of everybody who is paid
    Plan(Plan),
    /// Put what a planned run needs into the treasury, as voted; said twice it is done once
    Fund(Pay),
    /// Approve a planned run (by another officer) and pay; goes on with a run that was stopped
    Run(Carry),
    /// Give money that waits or came back a second way: an account registered since, or a voucher
    Retry(Again),
    /// Print the vouchers of those without an account, and pay them out in cash
    #[command(subcommand)]
    Voucher(voucher::Voucher),
    /// How far a run is
    Status(Which),
    /// The books of a run: what left the treasury, and where it is
    Report(Which),
}

#[derive(Args)]
pub(crate) struct Plan {
    /// The programme, by the pack's code [default: the pack's first]
    #[arg(long)]
    programme: Option<String>,
    /// The officer who plans
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct Carry {
    /// The run
    run: String,
    /// The officer who approves and starts it: not the one who planned it
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    /// How many people are paid in one unit of work, at most 8192
    #[arg(long, default_value_t = BATCH, value_name = "N")]
    batch: usize,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct Pay {
    /// The run
    run: String,
    /// The officer who does it: not the one who planned the run
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct Again {
    /// The run
    run: String,
    /// Where the money goes now
    #[arg(long, value_enum)]
    to: Goal,
    /// The officer who does it
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    #[command(flatten)]
    on: On,
}

/// Where money goes that waits or came back.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Goal {
    /// To the account that each has now
    Account,
    /// To a voucher for each
    Voucher,
}

#[derive(Args)]
pub(crate) struct Which {
    /// The run
    run: String,
    #[command(flatten)]
    on: On,
}

pub(crate) fn run(command: &Payout) -> Result<ExitCode, Failure> {
    match command {
        Payout::Plan(plan) => run_plan(plan),
        Payout::Fund(ask) => run_fund(ask),
        Payout::Run(carry) => run_carry(carry),
        Payout::Retry(ask) => run_retry(ask),
        Payout::Voucher(voucher) => voucher::run(voucher),
        Payout::Status(which) => run_status(which),
        Payout::Report(which) => run_report(which),
    }
}

#[derive(Serialize)]
struct Planned {
    run: String,
    programme: String,
    count: u64,
    total: String,
    currency: String,
    list_hash: String,
    /// Runs that were approved before and pay the same programme.
    earlier: Vec<String>,
}

/// Among how many of the latest runs a plan looks for others of its programme.
const EARLIER: i64 = 50;

fn run_plan(ask: &Plan) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let actor = officer::acting(&deployment, &ask.officer, Action::PlanPayout)?;
    let programme = programme(&deployment, ask.programme.as_deref())?;
    let id = clock::env().id(deployment.store.buckets().home());
    let run = plan_with_progress(&deployment, id, programme, &actor, ask.on.json)?;
    let currency = run.programme.currency;
    let (of, by) = (run.clone(), actor.clone());
    let home = deployment.store.buckets().home();
    let earlier =
        deployment.store.read::<_, PayError, _>(home, move |tx| earlier_runs(tx, &by, &of, EARLIER))?;
    let planned = Planned {
        run: run.id.to_string(),
        programme: run.programme.code.clone(),
        count: run.people,
        total: run.total.to_decimal(currency),
        currency: currency.code().to_owned(),
        list_hash: hex::encode(&run.list_hash),
        earlier: earlier.iter().map(|other| other.id.to_string()).collect(),
    };
    if ask.on.json {
        show::json(&planned);
    } else {
        let Planned { run, count, total, currency, list_hash, .. } = &planned;
        let on = ask.on.again();
        println!(
            "Planned {run}: {}, {total} {currency}; the list is frozen ({list_hash})",
            show::people(*count)
        );
        for other in &earlier {
            let day = other.planned_at.date_in(&deployment.pack.time_zone);
            println!(
                "LOOK: {} of {day} pays the same programme to {} ({}): whoever is on both lists is paid twice",
                other.id,
                show::people(other.people),
                other.state.code()
            );
        }
        println!(
            "Next: when the money is voted, another officer: kaname payout fund {run} --officer OFFICER{on}"
        );
        println!("      then approves and starts it: kaname payout run {run} --officer OFFICER{on}");
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Funded {
    run: String,
    total: String,
    currency: String,
}

fn run_fund(ask: &Pay) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = officer::acting(&deployment, &ask.officer, Action::FundTreasury)?;
    let id = run_id(&ask.run)?;
    let home = deployment.store.buckets().home();
    let asks = by.clone();
    let run = deployment.store.read::<_, PayError, _>(home, move |tx| run_of(tx, &asks, id))?;
    if run.state == RunState::Planning {
        return Err(
            Failure::refused(Refusal::WrongState).mend("its list is not frozen yet: plan the payout again")
        );
    }
    vote_money(&deployment, &run, &by)?;
    let currency = run.programme.currency;
    let funded = Funded {
        run: id.to_string(),
        total: run.total.to_decimal(currency),
        currency: currency.code().to_owned(),
    };
    if ask.on.json {
        show::json(&funded);
    } else {
        println!("{} {} for {} are in the treasury", funded.total, funded.currency, funded.run);
        println!(
            "Next: an officer who did not plan it approves and starts it: kaname payout run {} --officer OFFICER{}",
            funded.run,
            ask.on.again()
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Puts what the run needs into the treasury, once.
pub(crate) fn vote_money(deployment: &Deployment, run: &Run, by: &Actor) -> Result<(), Failure> {
    let (id, by, env) = (run.id, by.clone(), clock::env());
    let home = deployment.store.buckets().home();
    deployment.store.write::<_, PayError, _>(home, move |tx| fund(&env.again(), tx, &by, id))?;
    Ok(())
}

/// The pack's programme with this code, or its first.
pub(crate) fn programme(deployment: &Deployment, code: Option<&str>) -> Result<Programme, Failure> {
    let pack = &deployment.pack;
    let found = match code {
        Some(code) => pack.programme(code),
        None => pack.programmes.first(),
    };
    let codes: Vec<&str> = pack.programmes.iter().map(|programme| programme.code.as_str()).collect();
    let found = found.ok_or_else(|| {
        Failure::usage("the pack has no such programme").mend(format!("choose one of: {}", codes.join(", ")))
    })?;
    Ok(Programme { code: found.code.clone(), currency: pack.currency, amount: found.amount })
}

/// Freezes the list of a run and shows a progress bar.
pub(crate) fn plan_with_progress(
    deployment: &Deployment,
    id: RunId,
    programme: Programme,
    by: &Actor,
    quiet: bool,
) -> Result<Run, Failure> {
    let bar = show::progress("planning the payout", 0, quiet);
    let mut steps = |progress: &Progress| {
        bar.set_position(progress.done);
        Go::On
    };
    let command = PlanRun { id, programme, by: by.clone() };
    let run = plan(&deployment.desk()?, &clock::env(), &command, &mut steps)?;
    bar.finish_and_clear();
    Ok(run)
}

#[derive(Serialize)]
struct Carried {
    run: String,
    state: &'static str,
    residents_per_second: f64,
    report: Account,
    unreachable: Vec<String>,
    refused_reports: Vec<String>,
}

fn run_carry(ask: &Carry) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let actor = officer::acting(&deployment, &ask.officer, Action::ApprovePayout)?;
    let id = run_id(&ask.run)?;
    let watch = clock::Stopwatch::start();
    let outcome = approve_and_run(&deployment, id, &actor, ask.batch, ask.on.json)?;
    deployment.log()?.publish()?;
    let found = report(&deployment.desk()?, &actor, id)?;
    let carried = Carried {
        run: id.to_string(),
        state: outcome.run.state.code(),
        residents_per_second: found.run.people as f64 / watch.seconds(),
        report: Account::of(&found),
        unreachable: outcome.unreachable.iter().map(ToString::to_string).collect(),
        refused_reports: outcome.refused_reports.iter().map(|(id, why)| format!("{id}: {why}")).collect(),
    };
    if ask.on.json {
        show::json(&carried);
    } else {
        carried.report.print();
        for bank in &carried.unreachable {
            println!("  {bank}");
        }
        if outcome.run.state != RunState::Finished {
            println!(
                "Next: run it again when the banks have answered: kaname payout run {id} --officer {}{}",
                ask.officer,
                ask.on.again()
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct PaidAgain {
    sent: u64,
    vouchers: u64,
    left: u64,
    report: Account,
}

fn run_retry(ask: &Again) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = officer::acting(&deployment, &ask.officer, Action::RunPayout)?;
    let (id, desk, asks) = (run_id(&ask.run)?, deployment.desk()?, by.clone());
    let home = desk.store.buckets().home();
    let run = desk.store.read::<_, PayError, _>(home, move |tx| run_of(tx, &asks, id))?;
    let payer = serve::payer(&deployment.authority(), &run.programme);
    let command = RunPayout { run: id, by: by.clone(), payer, batch: BATCH };
    let to = match ask.to {
        Goal::Account => To::Account,
        Goal::Voucher => To::Voucher,
    };
    let retried = retry(&desk, &clock::env(), &command, to, &mut |_: &Progress| Go::On)?;
    deployment.log()?.publish()?;
    let report = Account::of(&report(&desk, &by, id)?);
    let shown = PaidAgain { sent: retried.sent, vouchers: retried.vouchers, left: retried.left, report };
    if ask.on.json {
        show::json(&shown);
    } else {
        let PaidAgain { sent, vouchers, left, .. } = &shown;
        println!("Sent again to {sent} people, a voucher for {vouchers}; {left} still wait");
        shown.report.print();
    }
    Ok(ExitCode::SUCCESS)
}

/// Approves a run that is only planned, and carries it out, with a progress bar.
pub(crate) fn approve_and_run(
    deployment: &Deployment,
    id: RunId,
    by: &Actor,
    batch: usize,
    quiet: bool,
) -> Result<Outcome, Failure> {
    let desk = deployment.desk()?;
    let home = desk.store.buckets().home();
    let asks = by.clone();
    let run = desk.store.read::<_, PayError, _>(home, move |tx| run_of(tx, &asks, id))?;
    if run.state == RunState::Planned {
        let command = Approve { run: id, by: by.clone(), people: run.people, total_minor: run.total.minor() };
        approve(&desk, &clock::env(), &command).map_err(|error| not_funded(error, id))?;
    }
    let bar = show::progress("paying", run.people, quiet);
    let mut steps = |progress: &Progress| {
        let what = match progress.phase {
            Phase::Planning | Phase::Funding => "funding",
            Phase::Paying => "paying",
            Phase::Sending => "sending to the banks",
            Phase::Collecting => "reading the banks' reports",
        };
        bar.set_message(what);
        bar.set_length(progress.of.max(progress.done));
        bar.set_position(progress.done);
        Go::On
    };
    let payer = serve::payer(&deployment.authority(), &run.programme);
    let command = RunPayout { run: id, by: by.clone(), payer, batch };
    let outcome =
        carry_out(&desk, &clock::env(), &command, &mut steps).map_err(|error| not_funded(error, id))?;
    bar.finish_and_clear();
    Ok(outcome)
}

/// Says what to do when the ledger refuses because the treasury is empty.
fn not_funded(error: PayError, id: RunId) -> Failure {
    match error {
        PayError::Refused(Refusal::NoSuchDebitAccount | Refusal::InsufficientFunds) => Failure::refused(
            "the treasury has not enough money for this run",
        )
        .mend(format!("when it is voted: kaname payout fund {id} --officer OFFICER; then run it again")),
        other => other.into(),
    }
}

fn run_status(ask: &Which) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let found = report(&deployment.desk()?, &program(), run_id(&ask.run)?)?;
    let account = Account::of(&found);
    if ask.on.json {
        show::json(&account);
    } else {
        let People { planned, sent, paid, voucher, cash, pending, returned } = &account.people;
        println!("{} is {}", account.run, account.state);
        println!(
            "  planned {planned}, sent {sent}, paid {paid}, voucher {voucher}, cash {cash}, pending {pending}, returned {returned}"
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn run_report(ask: &Which) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let found = report(&deployment.desk()?, &program(), run_id(&ask.run)?)?;
    let account = Account::of(&found);
    if ask.on.json {
        show::json(&account);
    } else {
        account.print();
    }
    match account.sound {
        true => Ok(ExitCode::SUCCESS),
        false => {
            Err(Failure::refused("the books of this run do not add up")
                .mend("find out why: kaname ledger fsck"))
        }
    }
}

fn run_id(text: &str) -> Result<RunId, Failure> {
    RunId::parse(text).map_err(|error| Failure::usage(format!("'{text}' names no payout run: {error}")))
}

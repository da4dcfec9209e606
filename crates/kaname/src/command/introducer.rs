//! `kaname introducer`: who vouches for people without papers, and that one of them may no more.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use kaname_person::introduce::Introducer;
use kaname_person::introduce::watch::{list, set_standing};
use kaname_person::{Action, OfficerId};
use kaname_trust::PersonId;
use serde::Serialize;

use super::link::desk;
use super::{On, officer};
use crate::error::Failure;
use crate::{clock, show};

/// See who vouches for people without papers, and end that somebody may
#[derive(Subcommand)]
pub(crate) enum IntroducerCommand {
    /// List introducers and how many people each has brought in; opens nobody
    List(List),
    /// End that somebody may vouch; whom she brought in is listed under the audit's findings
    Suspend(Decide),
    /// Let somebody vouch again
    Restore(Decide),
}

#[derive(Args)]
pub(crate) struct List {
    /// The registrar or auditor who looks
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    /// How many at most of each part of the register
    #[arg(long, default_value_t = 100)]
    most: usize,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct Decide {
    /// The introducer, as `introducer list` shows it
    introducer: String,
    /// Why
    #[arg(long)]
    why: String,
    /// The registrar or auditor who decides it
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    #[command(flatten)]
    on: On,
}

pub(crate) fn run(command: &IntroducerCommand) -> Result<ExitCode, Failure> {
    match command {
        IntroducerCommand::List(ask) => run_list(ask),
        IntroducerCommand::Suspend(ask) => run_decide(ask, true),
        IntroducerCommand::Restore(ask) => run_decide(ask, false),
    }
}

#[derive(Serialize)]
struct Line {
    introducer: String,
    name: Option<String>,
    brought: u64,
    suspended: bool,
}

fn run_list(ask: &List) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = officer::acting(&deployment, &ask.officer, Action::WatchIntroducers)?;
    let known = list(&desk(&deployment), &by, ask.most)?;
    let lines: Vec<Line> = known
        .into_iter()
        .map(|known| Line {
            introducer: match known.introducer {
                Introducer::Resident(person) => person.to_string(),
                Introducer::Officer(officer) => officer.to_string(),
            },
            name: known.name,
            brought: known.brought,
            suspended: known.suspended,
        })
        .collect();
    let line = |line: &Line| {
        let state = if line.suspended { "suspended" } else { "may vouch" };
        format!(
            "{}  {} person(s), {state} {}",
            line.introducer,
            line.brought,
            line.name.as_deref().unwrap_or("")
        )
    };
    show::list(ask.on.json, &lines, line, &format!("{} introducer(s)", lines.len()));
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Decided<'a> {
    introducer: &'a str,
    suspended: bool,
    new_findings: u64,
}

fn run_decide(ask: &Decide, suspended: bool) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = officer::acting(&deployment, &ask.officer, Action::SuspendIntroducer)?;
    let resident = PersonId::parse(&ask.introducer).map(Introducer::Resident).ok();
    let introducer = resident
        .or_else(|| OfficerId::parse(&ask.introducer).map(Introducer::Officer).ok())
        .ok_or_else(|| Failure::usage(format!("'{}' names no introducer", ask.introducer)))?;
    let new_findings = set_standing(&desk(&deployment), &clock::env(), &by, introducer, suspended, &ask.why)?;
    deployment.log()?.publish()?;
    if ask.on.json {
        show::json(&Decided { introducer: &ask.introducer, suspended, new_findings });
    } else if suspended {
        println!(
            "May vouch no more; {new_findings} person(s) to look at: kaname audit findings{}",
            ask.on.again()
        );
    } else {
        println!("May vouch again");
    }
    Ok(ExitCode::SUCCESS)
}

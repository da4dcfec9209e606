//! `kaname audit`: the register searched for errors, and what officers make of them.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use kaname_base::hex;
use kaname_pay::payee::audit::{AccountFault, Opened, audit_bucket};
use kaname_person::Action;
use kaname_person::audit::{
    Act, Audit, Counters, Draft, Kind, audit, count, open, raise, raise_patterns, settle,
};
use kaname_person::link::account;
use kaname_trust::Actor;
use serde::Serialize;

use super::link::desk;
use super::{On, officer};
use crate::clock::{self, Stopwatch};
use crate::deployment::Deployment;
use crate::error::Failure;
use crate::show;

/// Search for errors
#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Search the register, its links and accounts for errors: what changed since the last time, or everything
    Registry(Registry),
    /// Show what was found and nobody has settled
    Findings(Findings),
    /// Confirm or dismiss a finding; confirming one about a link suspends the link
    Settle(Settle),
}

#[derive(Args)]
pub(crate) struct Registry {
    /// Everybody, not only who changed since the last time
    #[arg(long)]
    full: bool,
    /// The officer who audits; without one it is the program that does
    #[arg(long, value_name = "OFFICER")]
    officer: Option<String>,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct Findings {
    /// The officer who looks
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    /// How many at most
    #[arg(long, default_value_t = 100)]
    most: usize,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct Settle {
    /// The finding, as `audit findings` shows it
    finding: String,
    /// Whether it is an error
    #[arg(long, value_parser = ["confirmed", "dismissed"])]
    r#as: String,
    /// Why
    #[arg(long)]
    why: String,
    /// The officer who settles it
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    #[command(flatten)]
    on: On,
}

pub(crate) fn run(command: &AuditCommand) -> Result<ExitCode, Failure> {
    match command {
        AuditCommand::Registry(ask) => run_registry(ask),
        AuditCommand::Findings(ask) => run_findings(ask),
        AuditCommand::Settle(ask) => run_settle(ask),
    }
}

/// What an audit saw, and what stands in the list of findings now.
#[derive(Serialize)]
pub(crate) struct Answer {
    people: u64,
    pub(crate) opened: u64,
    links: u64,
    accounts: u64,
    banks_not_asked: u64,
    pub(crate) new_findings: u64,
    findings: BTreeMap<String, States>,
    seconds: f64,
}

#[derive(Serialize)]
struct States {
    open: u64,
    confirmed: u64,
    dismissed: u64,
}

fn run_registry(ask: &Registry) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = match &ask.officer {
        Some(id) => officer::acting(&deployment, id, Action::AuditRegistry)?,
        None => Actor::program("audit", "auditor"),
    };
    let answer = audit_everything(&deployment, &by, ask.full, ask.on.json)?;
    deployment.log()?.publish()?;
    if ask.on.json {
        show::json(&answer);
    } else {
        println!(
            "Looked at {} of {} people, {} link(s), {} account(s): {} new finding(s)",
            show::grouped(answer.opened),
            show::grouped(answer.people),
            show::grouped(answer.links),
            show::grouped(answer.accounts),
            show::grouped(answer.new_findings)
        );
        for (kind, States { open, confirmed, dismissed }) in &answer.findings {
            println!("{kind:18} {open:>8} open {confirmed:>8} confirmed {dismissed:>8} dismissed");
        }
        if answer.new_findings > 0 {
            println!("Next: kaname audit findings --officer OFFICER, or in the office under 'Findings'");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Audits the register and, through their block's own functions, the accounts: no table is joined with another block's.
pub(crate) fn audit_everything(
    deployment: &Deployment,
    by: &Actor,
    full: bool,
    quiet: bool,
) -> Result<Answer, Failure> {
    let watch = Stopwatch::start();
    let linking = desk(deployment);
    let bar = show::progress("auditing the register", 0, quiet);
    let paying = deployment.desk()?;
    let env = clock::env();
    let mut counters = Counters::before(env.now);
    let holder = |bank: &str, number: &str| paying.banks.get(bank).ok()?.holder(number).ok()?;
    let ask = Audit { by: by.clone(), full, holder: &holder };
    let audited = audit(&linking, &env, &ask, &mut |people| {
        bar.set_length(people);
        bar.set_position(people);
    })?;
    bar.finish_and_clear();
    let mut new_findings = audited.new_findings;
    let (mut accounts, mut banks_not_asked) = (0, 0);
    for bucket in deployment.store.buckets().all() {
        let (mut drafts, mut paid) = (Vec::new(), Vec::new());
        let mut opened = |Opened { person, account, by, since }: Opened| {
            if let Some(officer) = by {
                counters.note(Act::Account, &officer.id, person, since);
            }
            paid.push((person, account::reference_of(&account.bank, &account.number)));
        };
        let seen = audit_bucket(&paying, &env, by, bucket, &mut opened, &mut |doubtful| {
            let kind = match doubtful.fault {
                AccountFault::Shared => Kind::SharedAccount,
                AccountFault::Holder(_) => Kind::HolderDiffers,
            };
            let detail = doubtful.fault.code().to_owned();
            drafts.push(Draft { kind, people: vec![doubtful.person], link: None, detail });
        })?;
        accounts += seen.accounts;
        banks_not_asked += seen.not_asked;
        // Whose link it is stands first: confirming the finding suspends it.
        for (payee, person, link) in account::linked_to_others(&linking, by, &paid)? {
            let (people, detail) = (vec![person, payee], "account-linked".to_owned());
            drafts.push(Draft { kind: Kind::SharedAccount, people, link: Some(link), detail });
        }
        for draft in drafts {
            new_findings += u64::from(raise(&linking, &env, by, &draft)?);
        }
    }
    new_findings += raise_patterns(&linking, &env, by, counters)?;
    let findings = count(&linking)?
        .into_iter()
        .map(|(kind, [open, confirmed, dismissed])| (kind, States { open, confirmed, dismissed }))
        .collect();
    Ok(Answer {
        people: audited.people,
        opened: audited.opened,
        links: audited.links,
        accounts,
        banks_not_asked,
        new_findings,
        findings,
        seconds: watch.seconds(),
    })
}

#[derive(Serialize)]
struct Line {
    finding: String,
    kind: &'static str,
    people: usize,
    link: Option<String>,
    detail: String,
    found_at: String,
}

fn run_findings(ask: &Findings) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = officer::acting(&deployment, &ask.officer, Action::SettleFinding)?;
    let lines: Vec<Line> = open(&desk(&deployment), &by, ask.most)?
        .into_iter()
        .map(|found| Line {
            finding: hex::encode(&found.id),
            kind: found.kind.code(),
            people: found.people.len(),
            link: found.link.map(|link| link.to_string()),
            detail: found.detail,
            found_at: found.found_at.timestamp().to_string(),
        })
        .collect();
    let line =
        |line: &Line| format!("{}  {} ({} person(s)) {}", line.finding, line.kind, line.people, line.detail);
    show::list(ask.on.json, &lines, line, &format!("{} finding(s) to settle", lines.len()));
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct SettledAnswer<'a> {
    finding: &'a str,
    settled: &'a str,
}

fn run_settle(ask: &Settle) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = officer::acting(&deployment, &ask.officer, Action::SettleFinding)?;
    let id = hex::decode(&ask.finding)
        .ok_or_else(|| Failure::usage(format!("'{}' names no finding", ask.finding)))?;
    settle(&desk(&deployment), &clock::env(), &by, id, ask.r#as == "confirmed", &ask.why)?;
    deployment.log()?.publish()?;
    if ask.on.json {
        show::json(&SettledAnswer { finding: &ask.finding, settled: &ask.r#as });
    } else {
        println!("The finding is {}", ask.r#as);
    }
    Ok(ExitCode::SUCCESS)
}

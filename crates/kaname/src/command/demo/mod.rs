//! `kaname demo`: an invented country in one command, from a file of residents to a payout that lands and pages to look at.
//!
//! It uses the very code behind the other commands. Every step may be repeated: on a deployment that has been through it, nothing
//! changes.

mod summary;
pub(crate) mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use kaname_base::hex;
use kaname_pay::payee::{RegisterPayee, Registration, register_many};
use kaname_pay::payout::{BATCH as PAID_AT_ONCE, RunState, report, runs};
use kaname_pay::{PayError, RunId};
use kaname_person::import::{BATCH, Mapping};
use kaname_person::{Action, OfficerId};
use kaname_trust::Actor;
use kaname_web::ImportNote;

use super::{officer, payout, resident};
use crate::clock::{self, Stopwatch};
use crate::deployment::{CONFIG_FILE, Deployment, NewDeployment};
use crate::error::Failure;
use crate::{serve, show};
use summary::{Accounts, Refused, Residents, Summary};

/// Make an invented country, pay everybody in it, and serve it
#[derive(Args)]
pub(crate) struct Demo {
    /// The country: japan, india, singapore, uk, jordan or example
    #[arg(long, default_value = "japan")]
    country: String,
    /// How many invented residents, or a CSV file of one's own
    #[arg(long, default_value = "10000", value_name = "N or FILE.csv")]
    residents: String,
    /// The deployment's folder [default: a new temporary one]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The port to serve on; the library is on the next one [default: 8080, or where the deployment is already]
    #[arg(long)]
    port: Option<u16>,
    /// The same seed invents the same people
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A PostgreSQL connection string instead of SQLite
    #[arg(long)]
    postgres: Vec<String>,
    /// Speak TLS on loopback, with an authority of the deployment's own (DIR/tls/ca.pem)
    #[arg(long)]
    tls: bool,
    /// Ask officers for a passkey, as a deployment that `kaname init` makes; otherwise their letters open the office of the
    /// demonstration too
    #[arg(long)]
    passkeys: bool,
    /// Stop after the summary instead of serving
    #[arg(long)]
    exit: bool,
    /// Print the summary as JSON (docs/demo-summary.md)
    #[arg(long)]
    json: bool,
}

/// Where a demonstration is served when nobody says otherwise.
const DEFAULT_PORT: u16 = 8080;

/// Where the invented people come from.
enum People {
    Invented(u64),
    File(PathBuf),
}

pub(crate) fn run(ask: &Demo) -> Result<ExitCode, Failure> {
    let watch = Stopwatch::start();
    let people = match ask.residents.parse::<u64>() {
        Ok(count) => People::Invented(count),
        Err(_) => People::File(PathBuf::from(&ask.residents)),
    };
    let folder = match &ask.data {
        Some(folder) => folder.clone(),
        None => temporary_folder()?,
    };
    let (deployment, is_new) = open(ask, &folder, &people)?;
    let port = deployment.port();
    if !ask.exit {
        serve::check_ports(&deployment, port)?;
    }
    let file = residents_file(&deployment, &people, ask, &folder)?;
    let mut steps = Steps { quiet: ask.json, watch, marks: Vec::new() };

    let note = resident::note(&file);
    let rejects = ImportNote::rejects(&deployment.imports_folder(), &note.id);
    let imported = resident::import_with_progress(
        &deployment,
        &file,
        &rejects,
        &Mapping::own(),
        &note,
        BATCH,
        ask.json,
    )?;
    steps.done("import");
    let staff = world::staff(&deployment)?;
    let letters = world::letters(&deployment, &file)?;
    steps.done("letters");
    let accounts = match world::checked_accounts(&folder) {
        Some(known) if imported.nothing_new => known,
        _ => {
            let checked = register_accounts(&deployment, &file, ask.seed, ask.json)?;
            world::remember_accounts(&folder, &checked)?;
            checked
        }
    };
    steps.done("accounts");
    let (run, paid_now) = pay(&deployment, staff.planner, staff.approver, ask.json)?;
    steps.done("payout");
    let published = deployment.log()?.publish()?;
    steps.done("log");

    let report = report(&deployment.desk()?, &super::program(), run)?;
    let progress = imported.progress;
    let summary = Summary {
        folder: folder.clone(),
        country: deployment.pack.id.clone(),
        residents: Residents {
            file,
            registered: progress.registered,
            already_here: progress.already_here,
            rejected: progress.rejected,
        },
        letters,
        accounts,
        payout: payout::Account::of(&report),
        log: summary::LogState { entries: published.size, root: hex::encode(&published.root) },
        nothing_new: !is_new && imported.nothing_new && !paid_now && published.added == 0,
        seconds: watch.seconds(),
        steps: steps.marks,
        addresses: summary::Addresses::of(&deployment.config.serve.issuer, port),
    };
    let sound = summary.payout.sound;
    if ask.json {
        show::json(&summary);
    } else {
        summary.print();
    }
    if !sound {
        return Err(Failure::refused("the books do not add up").mend("find out why: kaname ledger fsck"));
    }
    if ask.exit {
        return Ok(ExitCode::SUCCESS);
    }
    serve::demo(&deployment, port)
}

/// Opens the deployment in the folder, or makes one there.
fn open(ask: &Demo, folder: &Path, people: &People) -> Result<(Deployment, bool), Failure> {
    if folder.join(CONFIG_FILE).exists() {
        let mut deployment = Deployment::open(folder)?;
        if deployment.pack.id != ask.country {
            let (has, wants) = (&deployment.pack.id, &ask.country);
            return Err(Failure::usage(format!(
                "{} is a deployment for {has}, not {wants}",
                folder.display()
            ))
            .mend(format!("add --country {has}, or use another folder")));
        }
        if let Some(port) = ask.port.filter(|port| *port != deployment.port()) {
            deployment.move_to(port)?;
        }
        return Ok((deployment, false));
    }
    let population = match people {
        People::Invented(count) => *count,
        // A line of a file of residents is some two hundred bytes.
        People::File(file) => std::fs::metadata(file).map_or(0, |data| data.len() / 200),
    };
    let deployment = Deployment::create(&NewDeployment {
        folder,
        country: &ask.country,
        population,
        postgres: ask.postgres.clone(),
        port: ask.port.unwrap_or(DEFAULT_PORT),
        tls: ask.tls,
        simulated_banks: true,
        office_by_letter: !ask.passkeys,
    })?;
    Ok((deployment, true))
}

/// The file of residents beside the configuration; invented, or the one that was given.
fn residents_file(
    deployment: &Deployment,
    people: &People,
    ask: &Demo,
    folder: &Path,
) -> Result<PathBuf, Failure> {
    match people {
        People::File(file) => Ok(file.clone()),
        People::Invented(count) => {
            let file = folder.join("residents.csv");
            if !file.exists() {
                super::sim::write_people(&deployment.pack.id, ask.seed, *count, &file)?;
            }
            Ok(file)
        }
    }
}

/// Opens accounts at the simulated banks for nine in ten, and registers them as where their holders are paid.
pub(crate) fn register_accounts(
    deployment: &Deployment,
    file: &Path,
    seed: u64,
    quiet: bool,
) -> Result<Accounts, Failure> {
    let accounts = world::accounts(deployment, file, seed)?;
    let desk = deployment.desk()?;
    let bar = show::progress("checking account holders", accounts.len() as u64, quiet);
    let actor = Actor::program("account-check", "program");
    let mut answer = Accounts { asked: accounts.len() as u64, ..Accounts::default() };
    for batch in accounts.chunks(world::ACCOUNTS_AT_ONCE) {
        let commands: Vec<RegisterPayee> = batch
            .iter()
            .map(|(person, account)| RegisterPayee {
                person: *person,
                account: account.account.clone(),
                evidence: "application".to_owned(),
                replace: false,
            })
            .collect();
        let registrations = register_many(&desk, &clock::env(), &actor, &commands)?;
        for ((_, account), registration) in batch.iter().zip(registrations) {
            match registration {
                Registration::Active | Registration::Stands => answer.active += 1,
                Registration::Refused(reason) => answer.refused.push(Refused {
                    application: account.reference.clone(),
                    bank: account.account.bank.clone(),
                    reason: reason.code().to_owned(),
                    words: reason.to_string(),
                }),
            }
            answer.held_by_another += u64::from(account.is_other_persons);
        }
        bar.inc(batch.len() as u64);
    }
    bar.finish_and_clear();
    Ok(answer)
}

/// Plans the pack's first programme, approves it with another officer, and pays. A run that is there is gone on with.
fn pay(
    deployment: &Deployment,
    planner: OfficerId,
    approver: OfficerId,
    quiet: bool,
) -> Result<(RunId, bool), Failure> {
    let home = deployment.store.buckets().home();
    let known = deployment.store.read::<_, PayError, _>(home, |tx| runs(tx, &super::program(), 1))?;
    if let Some(run) = known.first()
        && run.state == RunState::Finished
    {
        return Ok((run.id, false));
    }
    let programme = payout::programme(deployment, None)?;
    let planner = officer::acting(deployment, &planner.to_string(), Action::PlanPayout)?;
    let approver = officer::acting(deployment, &approver.to_string(), Action::ApprovePayout)?;
    let id = known.first().map_or_else(|| clock::env().id(home), |run| run.id);
    let run = payout::plan_with_progress(deployment, id, programme, &planner, quiet)?;
    if run.state == RunState::Planned {
        payout::vote_money(deployment, &run, &approver)?;
    }
    payout::approve_and_run(deployment, id, &approver, PAID_AT_ONCE, quiet)?;
    Ok((id, true))
}

fn temporary_folder() -> Result<PathBuf, Failure> {
    let name = format!("kaname-demo-{}", hex::encode(&kaname_trust::keys::random::<6>()));
    let folder = std::env::temp_dir().join(name);
    crate::deployment::make_private(&folder)?;
    Ok(folder)
}

/// Tells how long each step took.
struct Steps {
    quiet: bool,
    watch: Stopwatch,
    marks: Vec<summary::Step>,
}

impl Steps {
    fn done(&mut self, name: &'static str) {
        let before: f64 = self.marks.iter().map(|step| step.seconds).sum();
        let seconds = self.watch.seconds() - before;
        if !self.quiet {
            eprintln!("{name:>10}  {seconds:.1} s");
        }
        self.marks.push(summary::Step { name, seconds });
    }
}

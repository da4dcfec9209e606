//! `kaname participant`: the banks and wallets that take part in instant payments.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use kaname_pay::PayError;
use kaname_pay::instant::{Change, NewParticipant, Standing, change, participants, position, register};
use kaname_person::four_eyes::{self, Approved, ProposalId};
use kaname_person::{Action, PersonError, Refusal};
use kaname_trust::Actor;
use serde::{Deserialize, Serialize};

use super::{On, officer};
use crate::clock;
use crate::deployment::Deployment;
use crate::error::Failure;
use crate::show;

/// Let banks and wallets take part in instant payments, suspend one, see their positions
#[derive(Subcommand)]
pub(crate) enum Participant {
    /// Let a bank or wallet take part
    Add(Add),
    /// Change the cap, the keys or the address of one
    Change(ChangeAsk),
    /// Let one begin no more payments
    Suspend(One),
    /// Let a suspended one go on
    Resume(One),
    /// Approve what another administrator proposed, and do it
    Approve(Approve),
    /// Who takes part, with positions
    List(On),
}

#[derive(Args)]
pub(crate) struct Add {
    /// What it is called in messages: small letters, digits and hyphens
    code: String,
    /// Its name, for people
    #[arg(long)]
    name: String,
    /// It is a wallet, no bank
    #[arg(long)]
    wallet: bool,
    /// Where it is asked and told
    #[arg(long, value_name = "URL")]
    address: String,
    /// A file with its signing keys (a JWK set)
    #[arg(long, value_name = "FILE")]
    keys: PathBuf,
    /// The most that it may owe the others between two settlements, in minor units
    #[arg(long, value_name = "MINOR")]
    cap: u64,
    /// The administrator who adds it
    #[arg(long, value_name = "OFFICER")]
    by: String,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct ChangeAsk {
    /// Which one
    code: String,
    /// Another cap, in minor units
    #[arg(long, value_name = "MINOR")]
    cap: Option<u64>,
    /// A file with other keys (a JWK set)
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Another address
    #[arg(long, value_name = "URL")]
    address: Option<String>,
    /// The administrator who changes it
    #[arg(long, value_name = "OFFICER")]
    by: String,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct One {
    /// Which one
    code: String,
    /// The administrator who does it
    #[arg(long, value_name = "OFFICER")]
    by: String,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct Approve {
    /// What was proposed
    proposal: String,
    /// The administrator who approves it
    #[arg(long, value_name = "OFFICER")]
    by: String,
    #[command(flatten)]
    on: On,
}

/// What is proposed, and done when another administrator approves.
#[derive(Clone, Serialize, Deserialize)]
enum Asked {
    Add(NewParticipant),
    Change(Change),
}

#[derive(Serialize)]
struct Shown {
    code: String,
    name: String,
    kind: &'static str,
    standing: &'static str,
    address: String,
    cap_minor: String,
    position_minor: String,
    may_pay_minor: String,
}

pub(crate) fn run(command: &Participant) -> Result<ExitCode, Failure> {
    match command {
        Participant::Add(ask) => {
            let new = NewParticipant {
                code: ask.code.clone(),
                name: ask.name.clone(),
                is_wallet: ask.wallet,
                address: ask.address.clone(),
                jwks: read(&ask.keys)?,
                cap_minor: ask.cap,
            };
            attempt(&ask.on, &ask.by, Asked::Add(new))
        }
        Participant::Change(ask) => {
            let jwks = ask.keys.as_deref().map(read).transpose()?;
            let (code, address) = (ask.code.clone(), ask.address.clone());
            let change = Change { code, suspended: None, cap_minor: ask.cap, jwks, address };
            attempt(&ask.on, &ask.by, Asked::Change(change))
        }
        Participant::Suspend(ask) => attempt(&ask.on, &ask.by, standing(&ask.code, true)),
        Participant::Resume(ask) => attempt(&ask.on, &ask.by, standing(&ask.code, false)),
        Participant::Approve(ask) => approve(ask),
        Participant::List(on) => list(on),
    }
}

fn standing(code: &str, suspended: bool) -> Asked {
    Asked::Change(Change { code: code.to_owned(), suspended: Some(suspended), ..Change::default() })
}

/// Does it, or proposes it where the country asks for two.
fn attempt(on: &On, by: &str, asked: Asked) -> Result<ExitCode, Failure> {
    let deployment = on.open()?;
    let by = officer::acting(&deployment, by, Action::ManageParticipants)?;
    match carry_out(&deployment, &by, None, &asked) {
        Err(PayError::NotAllowed(Refusal::TwoOfficers)) => {}
        done => return tell(&deployment, on, done, code_of(&asked)),
    }
    let (keys, env) = (deployment.keys.clone(), clock::env());
    let id = deployment.store.write::<_, PersonError, _>(deployment.store.buckets().home(), move |tx| {
        four_eyes::propose(tx, &keys, &env.again(), &by, Action::ManageParticipants, &asked)
    })?;
    if on.json {
        show::json(&serde_json::json!({ "proposal": id.to_string() }));
    } else {
        println!("Two administrators do this together. Proposed as {id}");
        println!("Next: another one approves it: kaname participant approve {id} --by OFFICER{}", on.again());
    }
    Ok(ExitCode::SUCCESS)
}

fn approve(ask: &Approve) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = officer::acting(&deployment, &ask.by, Action::ManageParticipants)?;
    let proposal = ProposalId::parse(&ask.proposal)
        .map_err(|error| Failure::usage(format!("'{}' is no proposal: {error}", ask.proposal)))?;
    let home = deployment.store.buckets().home();
    let (keys, env) = (deployment.keys.clone(), clock::env());
    let approved = deployment.store.write::<_, PersonError, _>(home, move |tx| {
        four_eyes::approve(tx, &keys, &env.again(), &by, proposal, &[Action::ManageParticipants])
    })?;
    let asked: Asked = approved.proposal().content()?;
    let first = approved.first().clone();
    carry_out(&deployment, &first, Some(&approved), &asked)?;
    let keys = deployment.keys.clone();
    deployment.store.write::<_, PersonError, _>(home, move |tx| four_eyes::close(tx, &keys, &approved))?;
    tell(&deployment, &ask.on, Ok(()), code_of(&asked))
}

fn carry_out(
    deployment: &Deployment,
    by: &Actor,
    second: Option<&Approved>,
    asked: &Asked,
) -> Result<(), PayError> {
    let (pack, by, second, asked) =
        (Arc::clone(&deployment.pack), by.clone(), second.cloned(), asked.clone());
    let env = clock::env();
    deployment.store.write(deployment.store.buckets().home(), move |tx| {
        let env = env.again();
        match &asked {
            Asked::Add(new) => register(&env, tx, &pack, &by, second.as_ref(), new),
            Asked::Change(one) => change(&env, tx, &pack, &by, second.as_ref(), one),
        }
    })
}

fn tell(
    deployment: &Deployment,
    on: &On,
    done: Result<(), PayError>,
    code: &str,
) -> Result<ExitCode, Failure> {
    done?;
    let shown = shown(deployment)?.into_iter().find(|one| one.code == code);
    let shown = shown.ok_or_else(|| Failure::refused(kaname_pay::instant::Refusal::NoSuchParticipant))?;
    if on.json {
        show::json(&shown);
    } else {
        println!("{}", line(&shown));
    }
    Ok(ExitCode::SUCCESS)
}

fn list(on: &On) -> Result<ExitCode, Failure> {
    let shown = shown(&on.open()?)?;
    let end = format!("{} participant(s)", shown.len());
    show::list(on.json, &shown, line, &end);
    Ok(ExitCode::SUCCESS)
}

fn line(shown: &Shown) -> String {
    let Shown { code, name, standing, cap_minor, position_minor, .. } = shown;
    format!("{code}  {name}: {standing}, position {position_minor} of at least -{cap_minor}")
}

fn shown(deployment: &Deployment) -> Result<Vec<Shown>, Failure> {
    let pack = Arc::clone(&deployment.pack);
    let home = deployment.store.buckets().home();
    Ok(deployment.store.read::<_, PayError, _>(home, move |tx| {
        let all = participants(tx)?;
        let shown = all.into_iter().map(|one| {
            let (now, left) = position(tx, &pack, &one.code)?;
            Ok(Shown {
                kind: one.kind.code(),
                standing: if one.standing == Standing::Active { "active" } else { "suspended" },
                cap_minor: one.cap.minor().to_string(),
                position_minor: now.to_string(),
                may_pay_minor: left.minor().to_string(),
                code: one.code,
                name: one.name,
                address: one.address,
            })
        });
        shown.collect()
    })?)
}

fn code_of(asked: &Asked) -> &str {
    match asked {
        Asked::Add(new) => &new.code,
        Asked::Change(change) => &change.code,
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))
}

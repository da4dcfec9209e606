//! `kaname officer`: the members of staff.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use kaname_person::officer::{Officer, OfficerId, add_officer, change_officer, officer, officers};
use kaname_person::{Action, PersonError, policy};
use kaname_signin::{Holder, letter};
use kaname_trust::Actor;
use serde::Serialize;

use super::On;
use crate::clock;
use crate::deployment::Deployment;
use crate::error::Failure;
use crate::{paper, show};

/// Add officers, and see who there is
#[derive(Subcommand)]
pub(crate) enum OfficerCommand {
    /// Add an officer, and write the letter with which she activates her sign-in
    Add(Add),
    /// Give an officer other roles, or let her go
    Change(Change),
    /// List the officers
    List(On),
}

#[derive(Args)]
pub(crate) struct Add {
    /// Her name
    name: String,
    /// A role of the pack; repeat it for several
    #[arg(long = "role", required = true)]
    roles: Vec<String>,
    /// The administrator who adds her; not needed for the first officer of a deployment
    #[arg(long, value_name = "OFFICER")]
    by: Option<String>,
    /// Where the letter is written
    #[arg(long, value_name = "FILE.html")]
    letter: PathBuf,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct Change {
    /// The officer
    officer: String,
    /// Her roles from now on; repeat it for several
    #[arg(long = "role", required_unless_present = "leaves")]
    roles: Vec<String>,
    /// She leaves: she may do nothing any more, and what she did keeps her id
    #[arg(long, conflicts_with = "roles")]
    leaves: bool,
    /// The administrator who does it
    #[arg(long, value_name = "OFFICER")]
    by: String,
    #[command(flatten)]
    on: On,
}

#[derive(Serialize)]
struct Shown {
    officer: String,
    name: String,
    roles: Vec<String>,
    active: bool,
}

pub(crate) fn run(command: &OfficerCommand) -> Result<ExitCode, Failure> {
    match command {
        OfficerCommand::Add(add) => run_add(add),
        OfficerCommand::Change(change) => run_change(change),
        OfficerCommand::List(on) => list(on),
    }
}

fn run_add(ask: &Add) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = match &ask.by {
        None => None,
        Some(id) => Some(acting(&deployment, id, Action::ManageOfficers)?),
    };
    let roles: Vec<&str> = ask.roles.iter().map(String::as_str).collect();
    let id = add(&deployment, by.as_ref(), &ask.name, &roles)?;
    let provider = deployment.provider()?;
    let by = by.unwrap_or_else(super::program);
    let issued = letter::issue(&provider, &clock::env(), &by, Holder::Officer(id))?;
    paper::write_letter(&ask.letter, &deployment, &ask.name, &[], &issued)?;
    let shown =
        Shown { officer: id.to_string(), name: ask.name.clone(), roles: ask.roles.clone(), active: true };
    if ask.on.json {
        show::json(&shown);
    } else {
        println!("Added {} as {}", shown.name, shown.officer);
        println!(
            "Next: print {} and give it to her; its code activates her sign-in once",
            ask.letter.display()
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn run_change(ask: &Change) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = acting(&deployment, &ask.by, Action::ManageOfficers)?;
    let id = officer_id(&ask.officer)?;
    let (pack, roles, active) = (deployment.pack.clone(), ask.roles.clone(), !ask.leaves);
    let home = deployment.store.buckets().home();
    deployment.store.write::<_, PersonError, _>(home, move |tx| {
        let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
        change_officer(tx, &pack, &by, id, &roles, active)
    })?;
    let keys = deployment.keys.clone();
    let Officer { id, name, roles, active } =
        deployment.store.read(home, move |tx| officer(tx, &keys, id))?;
    let shown = Shown { officer: id.to_string(), name, roles, active };
    if ask.on.json {
        show::json(&shown);
    } else if shown.active {
        println!("{} may from now on act as: {}", shown.officer, shown.roles.join(", "));
    } else {
        println!("{} may do nothing any more; her sessions end with her next click", shown.officer);
    }
    Ok(ExitCode::SUCCESS)
}

fn list(on: &On) -> Result<ExitCode, Failure> {
    let deployment = on.open()?;
    let keys = deployment.keys.clone();
    let home = deployment.store.buckets().home();
    let found = deployment.store.read(home, move |tx| officers(tx, &keys))?;
    let shown: Vec<Shown> = found
        .into_iter()
        .map(|Officer { id, name, roles, active }| Shown { officer: id.to_string(), name, roles, active })
        .collect();
    if on.json {
        show::json(&shown);
    } else {
        for officer in &shown {
            let left = if officer.active { "" } else { " (left)" };
            println!("{}  {}: {}{left}", officer.officer, officer.name, officer.roles.join(", "));
        }
        println!("{} officer(s)", shown.len());
    }
    Ok(ExitCode::SUCCESS)
}

/// Adds an officer.
pub(crate) fn add(
    deployment: &Deployment,
    by: Option<&Actor>,
    name: &str,
    roles: &[&str],
) -> Result<OfficerId, Failure> {
    let Deployment { store, keys, pack, .. } = deployment;
    let (keys, pack, env, by) = (keys.clone(), pack.clone(), clock::env(), by.cloned());
    let (name, roles) =
        (name.to_owned(), roles.iter().map(|role| (*role).to_owned()).collect::<Vec<String>>());
    let added = store.write::<_, PersonError, _>(store.buckets().home(), move |tx| {
        let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
        add_officer(tx, &keys, &pack, &env.again(), by.as_ref(), &name, &roles)
    })?;
    Ok(added)
}

/// The officer with this id, in a role of hers that may do `action`.
pub(crate) fn acting(deployment: &Deployment, id: &str, action: Action) -> Result<Actor, Failure> {
    let id = officer_id(id)?;
    let keys = deployment.keys.clone();
    let home = deployment.store.buckets().home();
    let found = deployment.store.read(home, move |tx| officer(tx, &keys, id))?;
    let able = found
        .roles
        .iter()
        .filter_map(|role| found.acting_as(role).ok())
        .find(|actor| policy::may(actor, action).is_ok());
    able.ok_or_else(|| Failure::refused(format!("{id} has no role that may {action}")))
}

fn officer_id(text: &str) -> Result<OfficerId, Failure> {
    OfficerId::parse(text).map_err(|error| {
        Failure::usage(format!("'{text}' names no officer: {error}"))
            .mend("see who there is: kaname officer list")
    })
}

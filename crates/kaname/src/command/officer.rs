//! `kaname officer`: the members of staff.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use kaname_person::officer::{Officer, OfficerId, add_officer, change_officer, officer, officers};
use kaname_person::{Action, PersonError, officer_key, policy};
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
    /// Make an officer's key file anew; the earlier one proves nothing any more
    Key(NewKey),
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
    /// Where her key for the command line is written, for her alone; without it she acts in the office only
    #[arg(long, value_name = "FILE.key")]
    key: Option<PathBuf>,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct NewKey {
    /// The officer
    officer: String,
    /// Where her key is written, for her alone
    #[arg(long, value_name = "FILE.key")]
    key: PathBuf,
    /// The administrator who does it; not needed for the first key of a deployment
    #[arg(long, value_name = "OFFICER")]
    by: Option<String>,
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
        OfficerCommand::Key(key) => run_key(key),
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
    if let Some(file) = &ask.key {
        write_key(&deployment, by.as_ref(), id, file)?;
    }
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

fn run_key(ask: &NewKey) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = match &ask.by {
        None => None,
        Some(id) => Some(acting(&deployment, id, Action::IssueOfficerActivation)?),
    };
    let id = officer_id(&ask.officer)?;
    write_key(&deployment, by.as_ref(), id, &ask.key)?;
    if ask.on.json {
        show::json(&serde_json::json!({ "officer": id.to_string(), "key": ask.key.display().to_string() }));
    } else {
        println!("Give {} to {id}: whoever has it acts for her by command line", ask.key.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Gives an officer a key and writes it to a file that only its owner reads.
pub(crate) fn write_key(
    deployment: &Deployment,
    by: Option<&Actor>,
    id: OfficerId,
    file: &Path,
) -> Result<(), Failure> {
    let (keys, by) = (deployment.keys.clone(), by.cloned());
    let home = deployment.store.buckets().home();
    let secret = deployment
        .store
        .write::<_, PersonError, _>(home, move |tx| officer_key::give_key(tx, &keys, by.as_ref(), id))?;
    paper::write_owner_only(file, format!("{id}\n{secret}\n").as_bytes())
}

/// Where an officer's key is looked for when nobody names a file.
pub(crate) fn key_file(deployment: &Deployment, id: OfficerId) -> PathBuf {
    deployment.folder.join("officers").join(format!("{id}.key"))
}

/// The variable that names the key file of whoever acts.
const KEY_FILE: &str = "KANAME_OFFICER_KEY";

/// The secret of the officer's key file. One that others may read proves nothing.
fn secret(deployment: &Deployment, id: OfficerId) -> Result<String, Failure> {
    use std::os::unix::fs::PermissionsExt;
    let file = std::env::var_os(KEY_FILE).map_or_else(|| key_file(deployment, id), PathBuf::from);
    let shown = file.display();
    let mend = format!(
        "name her key file in {KEY_FILE}; an administrator makes one with: kaname officer key {id} --key FILE"
    );
    let failed = |error: std::io::Error| {
        Failure::refused(format!("{id} must show her key, and {shown} cannot be read: {error}")).mend(&mend)
    };
    if std::fs::metadata(&file).map_err(failed)?.permissions().mode() & 0o077 != 0 {
        return Err(Failure::refused(format!("others may read {shown}, so it proves nothing"))
            .mend(format!("chmod 600 {shown}, and make a new key if somebody may have read it")));
    }
    let text = std::fs::read_to_string(&file).map_err(failed)?;
    let mut lines = text.lines();
    match (lines.next() == Some(id.to_string().as_str()), lines.next()) {
        (true, Some(secret)) => Ok(secret.to_owned()),
        _ => Err(Failure::refused(format!("{shown} is not the key of {id}")).mend(&mend)),
    }
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

/// The officer with this id, who shows her key, in a role of hers that may do `action`.
pub(crate) fn acting(deployment: &Deployment, id: &str, action: Action) -> Result<Actor, Failure> {
    let id = officer_id(id)?;
    let (keys, secret) = (deployment.keys.clone(), secret(deployment, id)?);
    let home = deployment.store.buckets().home();
    let found = deployment.store.read(home, move |tx| officer_key::prove(tx, &keys, id, &secret))?;
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

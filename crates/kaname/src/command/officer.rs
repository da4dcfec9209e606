//! `kaname officer`: the members of staff.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use kaname_person::four_eyes::{self, Approved, ProposalId};
use kaname_person::officer::{
    NewOfficer, Officer, OfficerChange, OfficerId, add_officer, change_officer, may_manage, officer, officers,
};
use kaname_person::{Action, PersonError, Refusal, officer_key, policy};
use kaname_signin::{Holder, letter};
use kaname_trust::Actor;
use serde::{Deserialize, Serialize};

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
    /// Write an officer a new letter to sign in with, for a new passkey; the earlier one opens nothing any more
    Letter(NewLetter),
    /// See what waits for a second officer
    Waiting(Waiting),
    /// Approve what another officer proposed, and do it
    Approve(Approve),
    /// List the officers
    List(On),
}

#[derive(Args)]
pub(crate) struct Add {
    /// Her name
    name: String,
    /// Her office, of the pack
    #[arg(long)]
    office: String,
    /// A role of the pack, of those that the office has; repeat it for several
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
pub(crate) struct NewLetter {
    /// The officer
    officer: String,
    /// Where the letter is written
    #[arg(long, value_name = "FILE.html")]
    letter: PathBuf,
    /// The administrator who does it
    #[arg(long, value_name = "OFFICER")]
    by: String,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct Waiting {
    /// The administrator who looks
    #[arg(long, value_name = "OFFICER")]
    by: String,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct Approve {
    /// The proposal
    proposal: String,
    /// The administrator who approves: not the one who proposed it
    #[arg(long, value_name = "OFFICER")]
    by: String,
    /// Where the letter is written, if it is for one
    #[arg(long, value_name = "FILE.html")]
    letter: Option<PathBuf>,
    /// Where the key for the command line is written, if it is for one
    #[arg(long, value_name = "FILE.key")]
    key: Option<PathBuf>,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct Change {
    /// The officer
    officer: String,
    /// Her office from now on [default: the one she has]
    #[arg(long, default_value = "")]
    office: String,
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
    office: Option<String>,
    roles: Vec<String>,
    active: bool,
}

/// The actions that this command proposes and carries out.
const OURS: [Action; 2] = [Action::ManageOfficers, Action::IssueOfficerActivation];

/// What a proposal of this command asks for.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Asked {
    Add(NewOfficer),
    Change(OfficerChange),
    Letter(String),
    Key(String),
}

pub(crate) fn run(command: &OfficerCommand) -> Result<ExitCode, Failure> {
    match command {
        OfficerCommand::Add(add) => run_add(add),
        OfficerCommand::Change(change) => run_change(change),
        OfficerCommand::Key(key) => run_key(key),
        OfficerCommand::Letter(letter) => run_letter(letter),
        OfficerCommand::Waiting(waiting) => run_waiting(waiting),
        OfficerCommand::Approve(approve) => run_approve(approve),
        OfficerCommand::List(on) => list(on),
    }
}

fn run_add(ask: &Add) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = match &ask.by {
        None => None,
        Some(id) => Some(acting(&deployment, id, Action::ManageOfficers)?),
    };
    if by.is_none() && has_officers(&deployment)? {
        return Err(Failure::usage("this deployment has officers, so one of them adds others").mend(
            "name the administrator who does it, with her key: --by OFFICER (see: kaname officer list)",
        ));
    }
    let new = NewOfficer { name: ask.name.clone(), office: ask.office.clone(), roles: ask.roles.clone() };
    match add(&deployment, by.as_ref(), None, &new) {
        // Who was let in gets what she signs in with: to let her in was the decision, and by now she may be the second who is asked.
        Ok(id) => {
            if let Some(file) = &ask.key {
                issue_key(&deployment, by.as_ref(), id, file)?;
            }
            let by = by.unwrap_or_else(super::program);
            issue_letter(&deployment, &by, id, &ask.letter)?;
            tell(
                &deployment,
                id,
                ask.on.json,
                &format!(
                    "Next: print {} and give it to her; its code makes her passkey, once",
                    ask.letter.display()
                ),
            )
        }
        Err(error) => propose(&deployment, by, Action::ManageOfficers, Asked::Add(new), &ask.on, error),
    }
}

fn has_officers(deployment: &Deployment) -> Result<bool, Failure> {
    let keys = deployment.keys.clone();
    let home = deployment.store.buckets().home();
    Ok(!deployment.store.read(home, move |tx| officers(tx, &keys))?.is_empty())
}

fn run_change(ask: &Change) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = acting(&deployment, &ask.by, Action::ManageOfficers)?;
    let id = officer_id(&ask.officer)?;
    let change = OfficerChange {
        officer: id.to_string(),
        office: ask.office.clone(),
        roles: ask.roles.clone(),
        active: !ask.leaves,
    };
    match change_one(&deployment, &by, None, &change) {
        Ok(()) => tell(&deployment, id, ask.on.json, ""),
        Err(error) => {
            propose(&deployment, Some(by), Action::ManageOfficers, Asked::Change(change), &ask.on, error)
        }
    }
}

fn run_key(ask: &NewKey) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = match &ask.by {
        None => None,
        Some(id) => Some(acting(&deployment, id, Action::IssueOfficerActivation)?),
    };
    let id = officer_id(&ask.officer)?;
    match write_key(&deployment, by.as_ref(), None, id, &ask.key) {
        Ok(()) => {
            let next = format!("Give her {}: whoever has it acts for her by command line", ask.key.display());
            tell(&deployment, id, ask.on.json, &next)
        }
        Err(error) => {
            let asked = Asked::Key(id.to_string());
            propose(&deployment, by, Action::IssueOfficerActivation, asked, &ask.on, error)
        }
    }
}

fn run_letter(ask: &NewLetter) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = acting(&deployment, &ask.by, Action::IssueOfficerActivation)?;
    let id = officer_id(&ask.officer)?;
    match write_letter(&deployment, &by, None, id, &ask.letter) {
        Ok(()) => tell(&deployment, id, ask.on.json, &format!("Next: give her {}", ask.letter.display())),
        Err(error) => {
            let asked = Asked::Letter(id.to_string());
            propose(&deployment, Some(by), Action::IssueOfficerActivation, asked, &ask.on, error)
        }
    }
}

/// Proposes what one officer may not do alone; any other failure stays one.
fn propose(
    deployment: &Deployment,
    by: Option<Actor>,
    action: Action,
    asked: Asked,
    on: &On,
    error: Alone,
) -> Result<ExitCode, Failure> {
    let files = match asked {
        Asked::Add(_) => " --letter FILE.html --key FILE.key",
        Asked::Letter(_) => " --letter FILE.html",
        Asked::Key(_) => " --key FILE.key",
        Asked::Change(_) => "",
    };
    let by = match (error, by) {
        (Alone::NeedsTwo, Some(by)) => by,
        (Alone::NeedsTwo, None) => return Err(Failure::refused(Refusal::TwoOfficers)),
        (Alone::Failed(failure), _) => return Err(failure),
    };
    let (keys, env) = (deployment.keys.clone(), clock::env());
    let id = deployment.store.write::<_, PersonError, _>(deployment.store.buckets().home(), move |tx| {
        four_eyes::propose(tx, &keys, &env.again(), &by, action, &asked)
    })?;
    if on.json {
        show::json(&serde_json::json!({ "proposal": id.to_string(), "action": action.to_string() }));
    } else {
        println!("Two officers do this together. Proposed as {id}");
        println!(
            "Next: another one approves it: kaname officer approve {id} --by OFFICER{files}{}",
            on.again()
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn run_waiting(ask: &Waiting) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = acting(&deployment, &ask.by, Action::ManageOfficers)?;
    let (keys, now) = (deployment.keys.clone(), clock::env().now);
    let home = deployment.store.buckets().home();
    let found = deployment.store.read::<_, PersonError, _>(home, move |tx| {
        four_eyes::waiting(tx, &keys, now, std::slice::from_ref(&by))
    })?;
    if ask.on.json {
        let shown = found.iter().map(|one| {
            let asked = one.content::<Asked>().map(|asked| serde_json::json!(asked)).unwrap_or_default();
            serde_json::json!({ "proposal": one.id.to_string(), "action": one.action.to_string(),
                "by": one.by.id, "at": one.at.to_string(), "asked": asked })
        });
        show::json(&shown.collect::<Vec<_>>());
    } else {
        for one in &found {
            println!("{}  {}, proposed by {} at {}", one.id, words(&one.content()?), one.by.id, one.at);
        }
        println!("{} proposal(s)", found.len());
    }
    Ok(ExitCode::SUCCESS)
}

fn words(asked: &Asked) -> String {
    match asked {
        Asked::Add(new) => {
            format!("add {} in {} as {}", new.name, new.office, new.roles.join(", "))
        }
        Asked::Change(change) if change.active => {
            format!("let {} act as {}", change.officer, change.roles.join(", "))
        }
        Asked::Change(change) => format!("let {} go", change.officer),
        Asked::Letter(officer) => format!("a new letter for {officer}"),
        Asked::Key(officer) => format!("a new key for {officer}"),
    }
}

fn run_approve(ask: &Approve) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = acting(&deployment, &ask.by, Action::ManageOfficers)?;
    let proposal = ProposalId::parse(&ask.proposal)
        .map_err(|error| Failure::usage(format!("'{}' is no proposal: {error}", ask.proposal)))?;
    let home = deployment.store.buckets().home();
    let (keys, env) = (deployment.keys.clone(), clock::env());
    let approved = deployment.store.write::<_, PersonError, _>(home, move |tx| {
        four_eyes::approve(tx, &keys, &env.again(), &by, proposal, &OURS)
    })?;
    let needed = |file: &Option<PathBuf>, word: &str| {
        file.clone().ok_or_else(|| Failure::usage(format!("say where it is written: --{word} FILE")))
    };
    let (first, second) = (approved.first().clone(), Some(&approved));
    let id = match approved.proposal().content::<Asked>()? {
        Asked::Add(new) => {
            let letter = needed(&ask.letter, "letter")?;
            let id = add(&deployment, Some(&first), second, &new).map_err(Alone::failure)?;
            issue_letter(&deployment, &first, id, &letter)?;
            if let Some(key) = &ask.key {
                issue_key(&deployment, Some(&first), id, key)?;
            }
            id
        }
        Asked::Change(change) => {
            change_one(&deployment, &first, second, &change).map_err(Alone::failure)?;
            officer_id(&change.officer)?
        }
        Asked::Letter(officer) => {
            let (id, letter) = (officer_id(&officer)?, needed(&ask.letter, "letter")?);
            write_letter(&deployment, &first, second, id, &letter).map_err(Alone::failure)?;
            id
        }
        Asked::Key(officer) => {
            let (id, key) = (officer_id(&officer)?, needed(&ask.key, "key")?);
            write_key(&deployment, Some(&first), second, id, &key).map_err(Alone::failure)?;
            id
        }
    };
    let keys = deployment.keys.clone();
    deployment.store.write::<_, PersonError, _>(home, move |tx| four_eyes::close(tx, &keys, &approved))?;
    tell(&deployment, id, ask.on.json, "Done by two")
}

/// Says what an officer is now.
fn tell(deployment: &Deployment, id: OfficerId, json: bool, next: &str) -> Result<ExitCode, Failure> {
    let keys = deployment.keys.clone();
    let home = deployment.store.buckets().home();
    let found = deployment.store.read(home, move |tx| officer(tx, &keys, id))?;
    let shown = Shown::of(found);
    if json {
        show::json(&shown);
    } else if shown.active {
        println!("{} is {} and may act as: {}", shown.name, shown.officer, shown.roles.join(", "));
        if !next.is_empty() {
            println!("{next}");
        }
    } else {
        println!("{} may do nothing any more; her sessions end with her next click", shown.officer);
    }
    Ok(ExitCode::SUCCESS)
}

impl Shown {
    fn of(Officer { id, name, office, roles, active }: Officer) -> Shown {
        Shown { officer: id.to_string(), name, office, roles, active }
    }
}

/// Why one officer did not do it alone.
pub(crate) enum Alone {
    /// The country asks for a second one.
    NeedsTwo,
    /// Anything else.
    Failed(Failure),
}

impl Alone {
    pub(crate) fn failure(self) -> Failure {
        match self {
            Alone::NeedsTwo => Failure::refused(Refusal::TwoOfficers),
            Alone::Failed(failure) => failure,
        }
    }
}

impl From<PersonError> for Alone {
    fn from(error: PersonError) -> Alone {
        match error {
            PersonError::Refused(Refusal::TwoOfficers) => Alone::NeedsTwo,
            other => Alone::Failed(other.into()),
        }
    }
}

impl From<Alone> for Failure {
    fn from(alone: Alone) -> Failure {
        alone.failure()
    }
}

impl From<Failure> for Alone {
    fn from(failure: Failure) -> Alone {
        Alone::Failed(failure)
    }
}

fn change_one(
    deployment: &Deployment,
    by: &Actor,
    second: Option<&Approved>,
    change: &OfficerChange,
) -> Result<(), Alone> {
    let (pack, by, second, change) = (deployment.pack.clone(), by.clone(), second.cloned(), change.clone());
    Ok(deployment.store.write::<_, PersonError, _>(deployment.store.buckets().home(), move |tx| {
        change_officer(tx, &pack, &by, second.as_ref(), &change)
    })?)
}

/// Asks whether somebody may be given the means to act as an officer.
fn check_activation(deployment: &Deployment, by: &Actor, second: Option<&Approved>) -> Result<(), Alone> {
    let (pack, by, second) = (deployment.pack.clone(), by.clone(), second.cloned());
    Ok(deployment.store.read::<_, PersonError, _>(deployment.store.buckets().home(), move |tx| {
        may_manage(tx, &pack, Action::IssueOfficerActivation, &by, second.as_ref())
    })?)
}

/// Writes the letter with which an officer makes a passkey.
fn write_letter(
    deployment: &Deployment,
    by: &Actor,
    second: Option<&Approved>,
    id: OfficerId,
    file: &Path,
) -> Result<(), Alone> {
    check_activation(deployment, by, second)?;
    Ok(issue_letter(deployment, by, id, file)?)
}

fn issue_letter(deployment: &Deployment, by: &Actor, id: OfficerId, file: &Path) -> Result<(), Failure> {
    let keys = deployment.keys.clone();
    let home = deployment.store.buckets().home();
    let name = deployment.store.read(home, move |tx| officer(tx, &keys, id))?.name;
    let issued = letter::issue(&deployment.provider()?, &clock::env(), by, Holder::Officer(id))?;
    paper::write_letter(file, deployment, &name, &[], &issued)
}

/// Gives an officer a key and writes it to a file that only its owner reads.
pub(crate) fn write_key(
    deployment: &Deployment,
    by: Option<&Actor>,
    second: Option<&Approved>,
    id: OfficerId,
    file: &Path,
) -> Result<(), Alone> {
    if let Some(by) = by {
        check_activation(deployment, by, second)?;
    }
    Ok(issue_key(deployment, by, id, file)?)
}

fn issue_key(deployment: &Deployment, by: Option<&Actor>, id: OfficerId, file: &Path) -> Result<(), Failure> {
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
    let shown: Vec<Shown> = found.into_iter().map(Shown::of).collect();
    if on.json {
        show::json(&shown);
    } else {
        for officer in &shown {
            let left = if officer.active { "" } else { " (left)" };
            let office = officer.office.as_deref().unwrap_or("no office");
            println!("{}  {} ({office}): {}{left}", officer.officer, officer.name, officer.roles.join(", "));
        }
        println!("{} officer(s)", shown.len());
    }
    Ok(ExitCode::SUCCESS)
}

/// Adds an officer.
pub(crate) fn add(
    deployment: &Deployment,
    by: Option<&Actor>,
    second: Option<&Approved>,
    new: &NewOfficer,
) -> Result<OfficerId, Alone> {
    let Deployment { store, keys, pack, .. } = deployment;
    let (keys, pack, env, by) = (keys.clone(), pack.clone(), clock::env(), by.cloned());
    let (second, new) = (second.cloned(), new.clone());
    Ok(store.write::<_, PersonError, _>(store.buckets().home(), move |tx| {
        add_officer(tx, &keys, &pack, &env.again(), by.as_ref(), second.as_ref(), &new)
    })?)
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

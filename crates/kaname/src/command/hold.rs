//! `kaname number lock`, `unlock` and `alias`: what a resident does with her number, done for her by an officer.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use kaname_base::pack::AliasKind;
use kaname_person::number::alias::{AliasState, MakeAlias, aliases_of, last_day, make_alias, revoke_alias};
use kaname_person::number::lock::{LockNumber, lock_number};
use kaname_person::register::new_request;
use kaname_person::show::Asking;
use kaname_person::{Action, Numbers, PersonError};
use kaname_trust::person::bucket_of;
use serde::Serialize;

use super::who::Who;
use super::{On, officer};
use crate::clock;
use crate::deployment::Deployment;
use crate::error::Failure;
use crate::show;

/// What an officer does with a resident's number
#[derive(Subcommand)]
pub(crate) enum Hold {
    /// Lock a resident's number: it then leads nobody outside the authority to her; she is paid all the same
    Lock(Change),
    /// Unlock it
    Unlock(Change),
    /// Alias numbers, which a resident gives in place of her number
    #[command(subcommand)]
    Alias(Alias),
}

#[derive(Args)]
pub(crate) struct Change {
    #[command(flatten)]
    who: Who,
    /// The officer who does it
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    /// Why
    #[arg(long)]
    why: String,
    /// What was shown
    #[arg(long)]
    evidence: String,
    #[command(flatten)]
    on: On,
}

#[derive(Subcommand)]
pub(crate) enum Alias {
    /// Make one
    Make(Make),
    /// Show those that a resident was given; the reading is logged
    List(OfResident),
    /// Take one back; from then on it leads nobody to her
    Revoke(Revoke),
}

#[derive(Args)]
pub(crate) struct OfResident {
    #[command(flatten)]
    who: Who,
    /// The registrar who does it
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct Make {
    /// How long it holds: permanent, temporary, single-use
    #[arg(long)]
    kind: String,
    /// For how many days, if it is temporary
    #[arg(long)]
    days: Option<u16>,
    #[command(flatten)]
    of: OfResident,
}

#[derive(Args)]
pub(crate) struct Revoke {
    /// Which one, as `alias list` counts them
    #[arg(long)]
    n: i64,
    #[command(flatten)]
    of: OfResident,
}

pub(crate) fn run(hold: &Hold) -> Result<ExitCode, Failure> {
    match hold {
        Hold::Lock(change) => lock(change, true),
        Hold::Unlock(change) => lock(change, false),
        Hold::Alias(Alias::Make(make)) => run_make(make),
        Hold::Alias(Alias::List(of)) => list(of),
        Hold::Alias(Alias::Revoke(revoke)) => run_revoke(revoke),
    }
}

#[derive(Serialize)]
struct Locked {
    locked: bool,
}

fn lock(ask: &Change, locked: bool) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let actor = officer::acting(&deployment, &ask.officer, Action::LockNumber)?;
    let person = ask.who.find(&deployment, &actor)?;
    let asking = Asking { person, actor, purpose: PURPOSE.to_owned() };
    let (why, evidence) = (ask.why.clone(), ask.evidence.clone());
    let change = LockNumber { request: new_request(), asking, locked, why, evidence };
    write(&deployment, &change.asking.clone(), move |tx, with, env| {
        lock_number(tx, &with.keys, &with.pack, env, &change)
    })?;
    match (ask.on.json, locked) {
        (true, _) => show::json(&Locked { locked }),
        (false, true) => println!("The number is locked: it leads nobody outside the authority to her"),
        (false, false) => println!("The number is not locked"),
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Shown {
    n: i64,
    alias: String,
    kind: &'static str,
    state: &'static str,
    until: Option<String>,
}

fn run_make(ask: &Make) -> Result<ExitCode, Failure> {
    let kind = AliasKind::of_code(&ask.kind)
        .ok_or_else(|| Failure::usage("an alias is permanent, temporary or single-use"))?;
    let (deployment, asking) = open(&ask.of)?;
    let Deployment { store, keys, pack, .. } = &deployment;
    let env = clock::env();
    let until = ask.days.and_then(|days| last_day(&env, pack, days));
    let aliases = Numbers::aliases(keys, pack)
        .ok_or_else(|| Failure::refused("the country has no alias numbers ([alias] in number.toml)"))?;
    let make = MakeAlias { request: new_request(), asking, kind, until };
    let alias = make_alias(store, keys, pack, &aliases, &env, &make)?;
    deployment.log()?.publish()?;
    let scheme = pack.alias.as_ref().map(|rules| &rules.scheme);
    let shown = scheme.map_or_else(|| alias.as_str().to_owned(), |scheme| scheme.show(&alias));
    if ask.of.on.json {
        show::json(&serde_json::json!({ "alias": shown, "kind": kind.code() }));
    } else {
        println!("{shown}");
    }
    Ok(ExitCode::SUCCESS)
}

fn list(ask: &OfResident) -> Result<ExitCode, Failure> {
    let (deployment, asking) = open(ask)?;
    let of = asking.clone();
    let aliases =
        write(&deployment, &asking, move |tx, with, env| aliases_of(tx, &with.keys, &with.pack, env, &of))?;
    let today = clock::env().now.date_in(&deployment.pack.time_zone);
    let scheme = deployment.pack.alias.as_ref().map(|rules| &rules.scheme);
    let shown: Vec<Shown> = aliases
        .iter()
        .map(|alias| Shown {
            n: alias.n,
            alias: scheme.map_or_else(String::new, |scheme| scheme.show(&alias.alias)),
            kind: alias.kind.code(),
            state: match alias.state {
                AliasState::Active if alias.is_over(today) => "over",
                state => state.code(),
            },
            until: alias.until.map(|day| day.to_string()),
        })
        .collect();
    if ask.on.json {
        show::json(&shown);
    } else {
        for alias in &shown {
            let until = alias.until.as_ref().map_or(String::new(), |until| format!(" until {until}"));
            println!("{:>3}  {}  {}{until}, {}", alias.n, alias.alias, alias.kind, alias.state);
        }
        println!("This reading is in the resident's access log.");
    }
    Ok(ExitCode::SUCCESS)
}

fn run_revoke(ask: &Revoke) -> Result<ExitCode, Failure> {
    let (deployment, asking) = open(&ask.of)?;
    let (of, n) = (asking.clone(), ask.n);
    write(&deployment, &asking, move |tx, with, env| revoke_alias(tx, &with.keys, &with.pack, env, &of, n))?;
    if ask.of.on.json {
        show::json(&serde_json::json!({ "revoked": ask.n }));
    } else {
        println!("It leads nobody to her any more");
    }
    Ok(ExitCode::SUCCESS)
}

/// What an officer opens a resident's number and aliases for, as she finds it in her log.
const PURPOSE: &str = "registration";

fn open(of: &OfResident) -> Result<(Deployment, Asking), Failure> {
    let deployment = of.on.open()?;
    let actor = officer::acting(&deployment, &of.officer, Action::ManageAliases)?;
    let person = of.who.find(&deployment, &actor)?;
    Ok((deployment, Asking { person, actor, purpose: PURPOSE.to_owned() }))
}

/// What a unit of work here needs.
struct With {
    keys: kaname_trust::Keys,
    pack: std::sync::Arc<kaname_base::pack::Pack>,
}

/// Runs a unit of work in the resident's bucket, and publishes what it logged.
fn write<T: Send + 'static>(
    deployment: &Deployment,
    asking: &Asking,
    work: impl Fn(&mut kaname_store::Tx<'_>, &With, &kaname_base::Env) -> Result<T, PersonError> + Send + 'static,
) -> Result<T, Failure> {
    let Deployment { store, keys, pack, .. } = deployment;
    let (with, env) = (With { keys: keys.clone(), pack: std::sync::Arc::clone(pack) }, clock::env());
    let done =
        store.write(bucket_of(asking.person, store.buckets()), move |tx| work(tx, &with, &env.again()))?;
    deployment.log()?.publish()?;
    Ok(done)
}

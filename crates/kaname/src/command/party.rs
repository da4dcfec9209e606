//! `kaname party`: the agencies and businesses that sign people in here.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use kaname_person::Action;
use kaname_signin::client::{self, Registration};
use serde::Serialize;

use super::{On, officer};
use crate::clock;
use crate::error::Failure;
use crate::show;

/// Register agencies and businesses that sign people in, and see which there are
#[derive(Subcommand)]
pub(crate) enum Party {
    /// Register a party, or replace its registration
    Add(Add),
    /// List the parties
    List(On),
}

#[derive(Args)]
pub(crate) struct Add {
    /// What it registers with; docs/examples/party.json is one
    file: PathBuf,
    /// A scope of the register's interfaces that an agency's own systems may have, over those in the file; may be given many times
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// An address under which the agency receives events; may be given many times
    #[arg(long = "webhook", value_name = "ADDRESS")]
    webhooks: Vec<String>,
    /// The administrator who adds it
    #[arg(long, value_name = "OFFICER")]
    by: String,
    #[command(flatten)]
    on: On,
}

#[derive(Serialize)]
struct Shown {
    client_id: String,
    name: String,
    profile: client::Profile,
    attributes: Vec<String>,
    redirect_uris: Vec<String>,
    scopes: Vec<String>,
}

pub(crate) fn run(command: &Party) -> Result<ExitCode, Failure> {
    match command {
        Party::Add(add) => run_add(add),
        Party::List(on) => list(on),
    }
}

fn run_add(ask: &Add) -> Result<ExitCode, Failure> {
    let mut registration = read(&ask.file)?;
    if !ask.scopes.is_empty() || !ask.webhooks.is_empty() {
        let agency = registration.agency.get_or_insert_default();
        agency.scopes.extend(ask.scopes.iter().cloned());
        agency.webhooks.extend(ask.webhooks.iter().cloned());
    }
    let deployment = ask.on.open()?;
    let by = officer::acting(&deployment, &ask.by, Action::ManageParties)?;
    let provider = deployment.provider()?;
    client::register(&provider, &clock::env(), &by, &registration)?;
    let shown = shown(&registration);
    if ask.on.json {
        show::json(&shown);
    } else {
        println!("Registered {}: {}", shown.client_id, shown.name);
        println!("Next: give it the issuer, {}", provider.config().issuer);
    }
    Ok(ExitCode::SUCCESS)
}

fn list(on: &On) -> Result<ExitCode, Failure> {
    let provider = on.open()?.provider()?;
    let parties = client::list(&provider, &clock::env())?;
    let shown: Vec<Shown> = parties.iter().map(|party| shown(party.registration())).collect();
    if on.json {
        show::json(&shown);
    } else {
        for party in &shown {
            println!("{}  {}: {}", party.client_id, party.name, party.attributes.join(", "));
            if !party.scopes.is_empty() {
                println!("    asks the register: {}", party.scopes.join(", "));
            }
        }
        println!("{} {}", shown.len(), if shown.len() == 1 { "party" } else { "parties" });
    }
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> Result<Registration, Failure> {
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::usage(format!("{}: {error}", file.display()))
            .mend("compare it with docs/examples/party.json")
    };
    let text = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
    serde_json::from_str(&text).map_err(|error| wrong(&error))
}

fn shown(registration: &Registration) -> Shown {
    Shown {
        client_id: registration.client_id.clone(),
        name: registration.names.first().map(|(_, name)| name.clone()).unwrap_or_default(),
        profile: registration.profile,
        attributes: registration.attributes.iter().map(|asked| asked.attribute.clone()).collect(),
        redirect_uris: registration.redirect_uris.clone(),
        scopes: registration.agency.as_ref().map(|agency| agency.scopes.clone()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_can_be_read() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/party.json");
        let registration = read(&file).unwrap();
        assert_eq!(shown(&registration).client_id, "city-archive");
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/agency.json");
        let registration = read(&file).unwrap();
        assert!(!shown(&registration).scopes.is_empty());
    }
}

//! `kaname sim`: an invented country to try things on.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{On, demo, sim_bank};
use crate::deployment::unknown_country;
use crate::error::Failure;
use crate::show;

/// Invent people, and accounts for them, to try things on
#[derive(Subcommand)]
pub(crate) enum Sim {
    /// Write a file of invented residents
    People(People),
    /// Open accounts at the simulated banks for nine in ten residents of a file, and register those that are their own
    Accounts(Accounts),
    /// Be a bank or wallet of instant payments, over HTTP: slow, wrong, dead or lying as you say
    Bank(sim_bank::Bank),
}

#[derive(Args)]
pub(crate) struct Accounts {
    /// The file that `sim people` wrote and `resident import` took
    file: PathBuf,
    /// The same seed gives the same accounts
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct People {
    /// The country pack
    #[arg(long, default_value = "example")]
    country: String,
    /// How many
    #[arg(long, default_value_t = 10_000)]
    count: u64,
    /// The same seed gives the same people
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The file to write
    #[arg(long, value_name = "FILE.csv")]
    out: PathBuf,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Written<'a> {
    residents: u64,
    file: &'a Path,
}

pub(crate) fn run(sim: &Sim) -> Result<ExitCode, Failure> {
    match sim {
        Sim::People(people) => run_people(people),
        Sim::Accounts(accounts) => run_accounts(accounts),
        Sim::Bank(bank) => sim_bank::run(bank),
    }
}

fn run_accounts(ask: &Accounts) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    if deployment.config.simulated_banks.is_none() {
        return Err(Failure::usage("this deployment deals with no simulated banks")
            .mend("make one that does: kaname init DIR --simulated-banks"));
    }
    let answer = demo::register_accounts(&deployment, &ask.file, ask.seed, ask.on.json)?;
    deployment.log()?.publish()?;
    if ask.on.json {
        show::json(&answer);
    } else {
        let (active, asked) = (show::grouped(answer.active), show::grouped(answer.asked));
        println!(
            "Registered {active} of {asked} account(s); {} refused",
            show::grouped(answer.refused.len() as u64)
        );
        println!("Next: kaname payout plan --officer OFFICER{}", ask.on.again());
    }
    Ok(ExitCode::SUCCESS)
}

fn run_people(people: &People) -> Result<ExitCode, Failure> {
    let residents = write_people(&people.country, people.seed, people.count, &people.out)?;
    if people.json {
        show::json(&Written { residents, file: &people.out });
    } else {
        let (count, file) = (show::grouped(residents), people.out.display());
        println!("Wrote {count} invented resident(s) to {file}");
        println!("Next: kaname resident import {file} --config DIR");
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes `count` invented residents of a country to a file.
pub(crate) fn write_people(country: &str, seed: u64, count: u64, file: &Path) -> Result<u64, Failure> {
    let people = kaname_sim::people(country, seed, count).ok_or_else(|| unknown_country(country))?;
    let failed = |error: &dyn std::fmt::Display| {
        Failure::unavailable(format!("cannot write {}: {error}", file.display()))
    };
    let out = File::create(file).map_err(|error| failed(&error))?;
    kaname_sim::write_csv(BufWriter::new(out), people).map_err(|error| failed(&error))
}

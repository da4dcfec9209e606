//! `kaname sim`: an invented country to try things on.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::deployment::unknown_country;
use crate::error::Failure;
use crate::show;

/// Invent people to try things on
#[derive(Subcommand)]
pub(crate) enum Sim {
    /// Write a file of invented residents
    People(People),
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
    let Sim::People(people) = sim;
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

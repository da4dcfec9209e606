//! `kaname bench`: how fast each block is on this machine, durable, in work per second of a core and per second of the wall.
//!
//! A bench does the real work through the real code on a deployment of its own, and checks afterwards that it was done.

mod import;
mod instant;
mod ledger;
mod link;
mod lookup;
mod number;
mod payout;
mod register;
mod registry;
mod signin;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::clock::{Stopwatch, cpu_seconds};
use crate::deployment::{Deployment, NewDeployment};
use crate::error::Failure;
use crate::show;

/// Measure one block
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Numbers given out
    Number(Size),
    /// Residents imported
    Import(Size),
    /// Residents looked up by number: resolved, logged with a receipt, opened, by 64 who ask at once
    Lookup(Size),
    /// Residents paid: account opened under a receipt, transfer posted, bank message made and its report applied, log published
    Payout(Size),
    /// Transfers posted, in batches of 8,190, and the same by a plain ledger in SQL
    Ledger(ledger::Ledger),
    /// Instant payments between two participants: signed messages, reserved and committed; and how long one takes at half load
    Instant(instant::InstantAsk),
    /// Planted errors: what each guard stops, and what the audit finds of the rest
    Registry(Size),
    /// Complete sign-ins: pushed request, passkey, consent, code, tokens; the server's CPU only
    Signin(signin::Signin),
    /// Residents registered at a counter, each after the search for duplicates; `--count` people are there already
    Register(register::Register),
    /// One person found in many records, and how rightly: unsupervised, the truth is for keeping score
    Link(link::Link),
}

/// How much to do.
#[derive(Args)]
pub(crate) struct Size {
    /// How much to do
    #[arg(long)]
    count: Option<u64>,
    /// A PostgreSQL connection string (an empty database) instead of SQLite
    #[arg(long)]
    postgres: Vec<String>,
    /// The folder to work in [default: a temporary one, removed afterwards]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

/// What was measured.
#[derive(Serialize)]
pub(crate) struct Measured {
    bench: &'static str,
    unit: &'static str,
    store: &'static str,
    count: u64,
    wall_seconds: f64,
    cpu_seconds: f64,
    per_core_second: f64,
    per_wall_second: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    peak_memory_mib: Option<u64>,
}

pub(crate) fn run(bench: &Bench) -> Result<ExitCode, Failure> {
    let (measured, json) = match bench {
        Bench::Registry(size) => {
            return registry::run(&Place::new(size)?, size.count.unwrap_or(100_000), size.json);
        }
        Bench::Number(size) => {
            (number::measure(&Place::new(size)?, size.count.unwrap_or(2_000_000))?, size.json)
        }
        Bench::Import(size) => {
            (import::measure(&Place::new(size)?, size.count.unwrap_or(100_000), size.json)?, size.json)
        }
        Bench::Lookup(size) => {
            (lookup::measure(&Place::new(size)?, size.count.unwrap_or(100_000))?, size.json)
        }
        Bench::Payout(size) => {
            (payout::measure(&Place::new(size)?, size.count.unwrap_or(100_000), size.json)?, size.json)
        }
        Bench::Ledger(ask) => {
            let posted = ledger::run(ask)?;
            match ask.size.json {
                true => show::json(&posted),
                false => ledger::print(&posted),
            }
            return Ok(ExitCode::SUCCESS);
        }
        Bench::Instant(ask) => {
            let measured = instant::run(ask)?;
            if ask.size.json {
                show::json(&measured);
            } else {
                instant::print(&measured);
            }
            return Ok(ExitCode::SUCCESS);
        }
        Bench::Register(ask) => {
            let registered = register::run(ask)?;
            if ask.size.json {
                show::json(&registered);
            } else {
                print(&registered.measured);
                register::print(&registered);
            }
            return Ok(ExitCode::SUCCESS);
        }
        Bench::Link(ask) => {
            let linked = link::run(ask)?;
            if ask.json {
                show::json(&linked)
            } else {
                link::print(&linked)
            }
            return Ok(ExitCode::SUCCESS);
        }
        Bench::Signin(ask) => (signin::measure(&Place::new(&ask.size)?, ask)?, ask.size.json),
    };
    if json {
        show::json(&measured);
    } else {
        print(&measured);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(measured: &Measured) {
    let Measured {
        bench,
        unit,
        store,
        count,
        wall_seconds,
        cpu_seconds,
        per_core_second,
        per_wall_second,
        ..
    } = measured;
    println!(
        "{bench} on {store}: {} {unit} in {wall_seconds:.2} s, {cpu_seconds:.2} s of a core",
        show::grouped(*count)
    );
    println!(
        "  {} per core-second, {} per second",
        show::grouped(*per_core_second as u64),
        show::grouped(*per_wall_second as u64)
    );
}

/// Where a bench works. A temporary folder goes when it is dropped.
pub(crate) struct Place {
    folder: PathBuf,
    is_temporary: bool,
    postgres: Vec<String>,
}

impl Place {
    fn new(size: &Size) -> Result<Place, Failure> {
        let (folder, is_temporary) = match &size.data {
            Some(folder) => (folder.clone(), false),
            None => (std::env::temp_dir().join(format!("kaname-bench-{}", std::process::id())), true),
        };
        std::fs::create_dir_all(&folder).map_err(Failure::unavailable)?;
        Ok(Place { folder, is_temporary, postgres: size.postgres.clone() })
    }

    /// A new deployment of the example country.
    fn deployment(&self, population: u64, port: u16) -> Result<Deployment, Failure> {
        self.deployment_of("example", population, port)
    }

    /// A new deployment of a country.
    fn deployment_of(&self, country: &str, population: u64, port: u16) -> Result<Deployment, Failure> {
        Deployment::create(&NewDeployment {
            folder: &self.folder.join("deployment"),
            country,
            population,
            postgres: self.postgres.clone(),
            port,
            tls: false,
            simulated_banks: true,
            office_by_letter: false,
        })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn store(&self) -> &'static str {
        if self.postgres.is_empty() { "sqlite" } else { "postgresql" }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_temporary {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// Measures `work` in this process: wall and CPU, all threads together.
pub(crate) fn measure(
    place: &Place,
    bench: &'static str,
    unit: &'static str,
    work: impl FnOnce() -> Result<u64, Failure>,
) -> Result<Measured, Failure> {
    let no_clock =
        || Failure::unavailable("this system does not tell a process its CPU time (/proc/self/stat)");
    let (watch, before) = (Stopwatch::start(), cpu_seconds().ok_or_else(no_clock)?);
    let count = work()?;
    let (wall, cpu) = (watch.seconds(), cpu_seconds().ok_or_else(no_clock)? - before);
    Ok(measured(place, bench, unit, count, wall, cpu, Path::new("/proc/self/status")))
}

/// The figures of a measurement; `status` is the `/proc` file of the process that did the work.
pub(crate) fn measured(
    place: &Place,
    bench: &'static str,
    unit: &'static str,
    count: u64,
    wall: f64,
    cpu: f64,
    status: &Path,
) -> Measured {
    Measured {
        bench,
        unit,
        store: place.store(),
        count,
        wall_seconds: wall,
        cpu_seconds: cpu,
        per_core_second: count as f64 / cpu,
        per_wall_second: count as f64 / wall,
        peak_memory_mib: peak_memory_mib(status),
    }
}

/// The most memory that a process has held at once.
fn peak_memory_mib(status: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? / 1_024)
}

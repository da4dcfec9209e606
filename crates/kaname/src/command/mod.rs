//! One file for each command.

mod init;
mod log;
mod number;
mod pack;
mod resident;
mod sim;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::deployment::Deployment;
use crate::error::Failure;

/// What the program can be asked to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a deployment: configuration, keys, country pack, database
    Init(init::Init),
    /// Bring residents in, or show one
    #[command(subcommand)]
    Resident(resident::Resident),
    /// Invent people to try things on
    #[command(subcommand)]
    Sim(sim::Sim),
    /// Draw or check national numbers
    #[command(subcommand)]
    Number(number::Number),
    /// Check a country pack, or begin a new one
    #[command(subcommand)]
    Pack(pack::Pack),
    /// Check the transparency log
    #[command(subcommand)]
    Log(log::Log),
}

/// Which deployment a command works on.
#[derive(Args)]
pub(crate) struct On {
    /// The deployment: its folder, or its kaname.toml
    #[arg(long, value_name = "PATH", default_value = "kaname.toml")]
    config: PathBuf,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

impl On {
    fn open(&self) -> Result<Deployment, Failure> {
        Deployment::open(&self.config)
    }
}

/// Does what was asked.
pub(crate) fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Init(init) => init::run(&init),
        Command::Resident(resident) => resident::run(&resident),
        Command::Sim(sim) => sim::run(&sim),
        Command::Number(number) => number::run(&number),
        Command::Pack(pack) => pack::run(&pack),
        Command::Log(log) => log::run(&log),
    }
}

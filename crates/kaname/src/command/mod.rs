//! One file for each command.

mod audit;
mod bench;
mod delegate;
mod demo;
mod doctor;
mod enrol;
mod hold;
mod init;
mod instant;
mod introducer;
mod jobs;
mod key;
mod ledger;
pub(crate) mod link;
mod log;
mod number;
mod officer;
mod pack;
mod participant;
mod party;
mod payout;
mod resident;
mod serve;
mod sim;
mod sim_bank;
mod who;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use kaname_person::policy;
use kaname_trust::Actor;

use crate::deployment::{CONFIG_FILE, Deployment};
use crate::error::Failure;

/// What the program can be asked to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make an invented country, pay everybody in it, and serve it
    Demo(demo::Demo),
    /// Make a deployment: configuration, keys, country pack, database
    Init(init::Init),
    /// Serve a deployment's pages and interfaces
    Serve(serve::Serve),
    /// Bring residents in, or show one
    #[command(subcommand)]
    Resident(resident::Resident),
    /// Search the register, its links and accounts for errors
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Link other agencies' records to residents, and see what became of it
    #[command(subcommand)]
    Link(link::Link),
    /// Record who may act for whom, approve it, end it
    #[command(subcommand)]
    Delegate(delegate::Delegate),
    /// See who vouches for people without papers, and end that somebody may
    #[command(subcommand)]
    Introducer(introducer::IntroducerCommand),
    /// Enrol people where there is no network, and merge them later
    #[command(subcommand)]
    Enrol(enrol::Enrol),
    /// Add officers, and see who there is
    #[command(subcommand)]
    Officer(officer::OfficerCommand),
    /// Register agencies and businesses that sign people in, and see which there are
    #[command(subcommand)]
    Party(party::Party),
    /// Plan a payout run, carry it out, watch it, report on it
    #[command(subcommand)]
    Payout(payout::Payout),
    /// Let banks and wallets take part in instant payments, suspend one, see their positions
    #[command(subcommand)]
    Participant(participant::Participant),
    /// See an instant payment; close and settle windows; make and read merchants' QR codes
    #[command(subcommand)]
    Instant(instant::Instant),
    /// Check the books
    #[command(subcommand)]
    Ledger(ledger::Ledger),
    /// See which work behind the pages was given up, and try it again
    #[command(subcommand)]
    Jobs(jobs::Jobs),
    /// Change the key that signs sign-ins
    #[command(subcommand)]
    Key(key::Key),
    /// Measure how fast a block is on this machine
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Look for what is wrong with a deployment, and say how to mend it
    Doctor(On),
    /// Invent people to try things on
    #[command(subcommand)]
    Sim(sim::Sim),
    /// Draw or check national numbers; lock one; alias numbers
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
    #[arg(long, value_name = "PATH", default_value = CONFIG_FILE)]
    config: PathBuf,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

impl On {
    fn open(&self) -> Result<Deployment, Failure> {
        Deployment::open(&self.config)
    }

    /// What a next command needs to work on the same deployment: nothing when it is the one of this folder.
    fn again(&self) -> String {
        match self.config.as_os_str() == CONFIG_FILE {
            true => String::new(),
            false => format!(" --config {}", self.config.display()),
        }
    }
}

/// Does what was asked.
pub(crate) fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Demo(demo) => demo::run(&demo),
        Command::Audit(audit) => audit::run(&audit),
        Command::Link(link) => link::run(&link),
        Command::Delegate(delegate) => delegate::run(&delegate),
        Command::Introducer(introducer) => introducer::run(&introducer),
        Command::Enrol(enrol) => enrol::run(&enrol),
        Command::Officer(officer) => officer::run(&officer),
        Command::Party(party) => party::run(&party),
        Command::Payout(payout) => payout::run(&payout),
        Command::Participant(participant) => participant::run(&participant),
        Command::Instant(instant) => instant::run(&instant),
        Command::Ledger(ledger) => ledger::run(&ledger),
        Command::Jobs(jobs) => jobs::run(&jobs),
        Command::Key(key) => key::run(&key),
        Command::Bench(bench) => bench::run(&bench),
        Command::Doctor(on) => doctor::run(&on),
        Command::Init(init) => init::run(&init),
        Command::Serve(serve) => serve::run(&serve),
        Command::Resident(resident) => resident::run(&resident),
        Command::Sim(sim) => sim::run(&sim),
        Command::Number(number) => number::run(&number),
        Command::Pack(pack) => pack::run(&pack),
        Command::Log(log) => log::run(&log),
    }
}

/// The program itself, for what it does and shows without a person's data.
pub(crate) fn program() -> Actor {
    Actor::program("kaname", policy::PROGRAM)
}

//! `kaname`: the program. Command line, configuration, composition; every rule lies in the crates below.

mod clock;
mod command;
mod deployment;
mod error;
mod library;
mod paper;
mod serve;
mod show;

use std::process::ExitCode;

use clap::Parser;

use crate::command::Command;

/// The digital public infrastructure of a country in one program: the number, the sign-in, the payments, and the
/// log of who looked.
#[derive(Parser)]
#[command(version, arg_required_else_help = true, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str =
    "Exit codes: 0 done, 1 the answer is no or a check failed, 2 the command or configuration is not right,
3 a database, disk or peer failed, 4 done but part of the input was refused.

Begin with: kaname demo";

fn main() -> ExitCode {
    let cli = Cli::parse();
    match command::run(cli.command) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("kaname: {failure}");
            ExitCode::from(failure.code())
        }
    }
}

//! `kaname`: the program. Command line, configuration, composition; every rule lies in the crates below.

mod clock;
mod command;
mod deployment;
mod error;
mod instants;
mod library;
mod paper;
mod serve;
mod show;
mod work;

use std::process::ExitCode;

use clap::Parser;

use crate::command::Command;

/// The C library's gives memory back to the system and takes it again between requests.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    end_quietly_when_nobody_reads();
    let cli = Cli::parse();
    log_to_standard_error();
    match command::run(cli.command) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("kaname: {failure}");
            ExitCode::from(failure.code())
        }
    }
}

/// `kaname … | head` closes our output before we are through. That is no fault of the program: it ends as other commands do then,
/// with 141 (128 + SIGPIPE), and not with a panic.
fn end_quietly_when_nobody_reads() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let what = panic.payload_as_str().unwrap_or_default();
        if what.starts_with("failed printing to stdout") && what.contains("Broken pipe") {
            std::process::exit(141);
        }
        usual(panic);
    }));
}

/// Our own crates write to standard error from the level in `KANAME_LOG` (error, warn, info, debug; else warn). Libraries stay silent:
/// what they would print at a low level is not ours to check for personal data.
fn log_to_standard_error() {
    let level = std::env::var("KANAME_LOG").unwrap_or_else(|_| "warn".to_owned());
    let level = level.parse::<tracing::Level>().unwrap_or(tracing::Level::WARN);
    let crates = [
        "kaname",
        "kaname_web",
        "kaname_signin",
        "kaname_pay",
        "kaname_person",
        "kaname_trust",
        "kaname_store",
    ];
    let ours = crates.map(|name| format!("{name}={level}")).join(",");
    let filter = tracing_subscriber::EnvFilter::new(format!("off,{ours}"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

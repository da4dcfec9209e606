//! `kaname number`: national numbers, drawn or checked; what a resident does with hers is in `hold`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use kaname_base::pack::Pack;
use kaname_person::number::{Numbers, samples};
use kaname_trust::keys::random;

use super::hold;
use crate::deployment::{Deployment, unknown_country};
use crate::error::{Failure, REFUSED};

/// Draw or check national numbers; lock one; alias numbers
#[derive(Subcommand)]
pub(crate) enum Number {
    /// Draw distinct numbers, one a line
    New {
        /// The country pack whose form they have; they belong to nobody
        #[arg(long, conflicts_with = "config", required_unless_present = "config")]
        country: Option<String>,
        /// A deployment: they are taken from its own stock, and it never gives them again
        #[arg(long, value_name = "PATH")]
        config: Option<PathBuf>,
        /// How many
        #[arg(long, default_value_t = 1)]
        count: usize,
    },
    /// Say whether numbers are well formed in a country
    Check {
        /// The country pack
        #[arg(long)]
        country: String,
        /// The numbers
        #[arg(required = true)]
        numbers: Vec<String>,
    },
    #[command(flatten)]
    Hold(hold::Hold),
}

/// How many numbers are taken from a deployment's stock at a time.
const BATCH: usize = 65_536;

pub(crate) fn run(number: &Number) -> Result<ExitCode, Failure> {
    match number {
        Number::New { country: Some(country), count, .. } => new_samples(country, *count),
        Number::New { config: Some(config), count, .. } => take(config, *count),
        Number::New { .. } => unreachable!("clap asks for a country or a deployment"),
        Number::Check { country, numbers } => check(country, numbers),
        Number::Hold(hold) => hold::run(hold),
    }
}

fn new_samples(country: &str, count: usize) -> Result<ExitCode, Failure> {
    let pack = shipped(country)?;
    let numbers = samples(&pack, &random(), count);
    if numbers.len() < count {
        return Err(Failure::refused(format!("the form of '{country}' has only {} numbers", numbers.len())));
    }
    print(numbers.iter().map(|number| number.as_str()))
}

fn take(config: &Path, count: usize) -> Result<ExitCode, Failure> {
    let deployment = Deployment::open(config)?;
    let numbers = Numbers::new(&deployment.keys, &deployment.pack);
    let mut left = count;
    while left > 0 {
        let batch = numbers.take(&deployment.store, left.min(BATCH))?;
        print(batch.iter().map(|number| number.as_str()))?;
        left -= batch.len();
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints lines; a reader that closes the pipe early has had enough.
fn print<'a>(lines: impl Iterator<Item = &'a str>) -> Result<ExitCode, Failure> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in lines {
        if let Err(error) = writeln!(out, "{line}") {
            return match error.kind() {
                std::io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
                _ => Err(Failure::unavailable(error)),
            };
        }
    }
    out.flush().map_err(Failure::unavailable)?;
    Ok(ExitCode::SUCCESS)
}

fn check(country: &str, numbers: &[String]) -> Result<ExitCode, Failure> {
    let pack = shipped(country)?;
    let mut all_good = true;
    for text in numbers {
        match pack.number.parse(text) {
            Ok(number) => println!("{}: good", pack.number.show(&number)),
            Err(error) => {
                all_good = false;
                println!("{text}: {error} ({})", error.code());
            }
        }
    }
    Ok(ExitCode::from(if all_good { 0 } else { REFUSED }))
}

fn shipped(country: &str) -> Result<Pack, Failure> {
    Pack::load_shipped(country).ok_or_else(|| unknown_country(country))
}

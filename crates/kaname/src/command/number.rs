//! `kaname number`: national numbers, drawn or checked.

use std::process::ExitCode;

use clap::Subcommand;
use kaname_base::pack::Pack;

use crate::error::Failure;

/// Draw or check national numbers
#[derive(Subcommand)]
pub(crate) enum Number {
    /// Say whether a number is well formed in a country
    Check {
        /// The country pack
        #[arg(long)]
        country: String,
        /// The numbers
        #[arg(required = true)]
        numbers: Vec<String>,
    },
}

pub(crate) fn run(number: &Number) -> Result<ExitCode, Failure> {
    match number {
        Number::Check { country, numbers } => check(country, numbers),
    }
}

fn check(country: &str, numbers: &[String]) -> Result<ExitCode, Failure> {
    let pack = pack(country)?;
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
    Ok(ExitCode::from(if all_good { 0 } else { crate::error::REFUSED }))
}

fn pack(country: &str) -> Result<Pack, Failure> {
    Pack::load_shipped(country).ok_or_else(|| {
        Failure::usage(format!("there is no pack called '{country}'"))
            .mend(format!("choose one of: {}", Pack::shipped().join(", ")))
    })
}

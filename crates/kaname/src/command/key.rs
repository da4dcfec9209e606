//! `kaname key`: the keys that sign ID tokens.

use std::process::ExitCode;

use clap::Subcommand;
use kaname_signin::keys;
use serde::Serialize;

use super::On;
use crate::clock;
use crate::error::{Failure, REFUSED};
use crate::show;

/// Change the key that signs sign-ins
#[derive(Subcommand)]
pub(crate) enum Key {
    /// Let the next key take over, as `serve` does every day by itself; nothing is restarted
    Rotate(On),
}

#[derive(Serialize)]
struct Answer {
    rotated: bool,
}

pub(crate) fn run(key: &Key) -> Result<ExitCode, Failure> {
    let Key::Rotate(on) = key;
    let provider = on.open()?.provider()?;
    let rotated = keys::rotate(&provider, &clock::env())?;
    if on.json {
        show::json(&Answer { rotated });
    } else if rotated {
        println!("The next key signs from now on, and another one is published to follow it");
    } else {
        println!(
            "The next key has been published for less than an hour: relying parties may not know it yet"
        );
        println!("Next: try again when {} seconds have passed since the last change", keys::OVERLAP_SECONDS);
    }
    Ok(ExitCode::from(if rotated { 0 } else { REFUSED }))
}

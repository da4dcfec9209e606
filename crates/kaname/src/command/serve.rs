//! `kaname serve`: serves a deployment's pages and interfaces.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::deployment::Deployment;
use crate::error::Failure;
use crate::serve;

/// Serve a deployment's pages and interfaces
#[derive(Args)]
pub(crate) struct Serve {
    /// The deployment: its folder, or its kaname.toml
    #[arg(long, value_name = "PATH", default_value = "kaname.toml")]
    config: PathBuf,
}

pub(crate) fn run(ask: &Serve) -> Result<ExitCode, Failure> {
    serve::deployment(&Deployment::open(&ask.config)?)
}

//! `kaname resident export`: everything that is held on a resident, for her.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use kaname_person::Action;
use kaname_person::show::Asking;

use super::super::who::Who;
use super::super::{On, officer};
use crate::clock;
use crate::error::Failure;

#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    who: Who,
    /// The registrar at whose counter she asks; her log names her
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    /// Write it here, readable by its owner alone, and not to the terminal
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    #[command(flatten)]
    on: On,
}

pub(crate) fn run(ask: &Export) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let actor = officer::acting(&deployment, &ask.officer, Action::ExportHeld)?;
    let person = ask.who.find(&deployment, &actor)?;
    let asking = Asking { person, actor, purpose: "help-desk".to_owned() };
    let signin = deployment.provider()?;
    let (store, keys, pack) = (&deployment.store, &deployment.keys, &deployment.pack);
    let document = kaname_web::export::document(store, keys, pack, &signin, &clock::env(), &asking)
        .map_err(|problem| Failure::refused(problem.detail()))?;
    let text = serde_json::to_string_pretty(&document).map_err(Failure::unavailable)?;
    match &ask.to {
        Some(file) => crate::paper::write_owner_only(file, text.as_bytes())?,
        None => println!("{text}"),
    }
    Ok(ExitCode::SUCCESS)
}

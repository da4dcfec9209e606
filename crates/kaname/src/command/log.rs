//! `kaname log`: the transparency log, checked from outside and against the database.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use kaname_base::hex;
use kaname_trust::log::{check_database, verify_published};
use serde::Serialize;

use crate::deployment::Deployment;
use crate::error::Failure;
use crate::show;

/// Check the transparency log
#[derive(Subcommand)]
pub(crate) enum Log {
    /// Check signature, tiles and entries; with a deployment also that the database agrees
    Verify(Verify),
}

#[derive(Args)]
pub(crate) struct Verify {
    /// A deployment: its database is compared with its published log
    #[arg(long, value_name = "PATH", conflicts_with = "folder", required_unless_present = "folder")]
    config: Option<PathBuf>,
    /// A folder with a published log (a copy is enough: no database, no secret)
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// The log's public key, as the authority publishes it, or a file that holds it [default: the file `vkey` in the folder, which
    /// shows that the log is whole, not whose it is]
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// A checkpoint seen before: the log must continue it. Renewed afterwards, so that the next run continues this one
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer {
    origin: String,
    size: u64,
    root: String,
    /// The public key that signed it; others verify a copy with it.
    key: String,
    continues: Option<u64>,
    compared_with_database: Option<u64>,
}

pub(crate) fn run(log: &Log) -> Result<ExitCode, Failure> {
    let Log::Verify(verify) = log;
    let deployment = verify.config.as_deref().map(Deployment::open).transpose()?;
    let folder = match (&deployment, &verify.folder) {
        (Some(deployment), _) => deployment.log_folder(),
        (None, Some(folder)) => folder.clone(),
        (None, None) => unreachable!("clap asks for one of the two"),
    };
    let key = match (&verify.key, &deployment) {
        (Some(key), _) => read_key(key)?,
        (None, Some(deployment)) => deployment.log()?.vkey(),
        (None, None) => read(&folder.join("vkey"))
            .map_err(|failure| failure.mend("name the key that the authority publishes with --key KEY"))?,
    };
    let earlier = match &verify.since {
        Some(file) if file.exists() => Some(read(file)?),
        _ => None,
    };
    let verified = verify_published(&folder, &key, earlier.as_deref())?;
    let compared = deployment.map(|d| check_database(&d.store, &folder, &key)).transpose()?;
    if let Some(file) = &verify.since {
        std::fs::write(file, &verified.note)
            .map_err(|error| Failure::unavailable(format!("cannot write {}: {error}", file.display())))?;
    }
    let answer = Answer {
        origin: verified.origin,
        size: verified.size,
        root: hex::encode(&verified.root),
        key,
        continues: verified.continues,
        compared_with_database: compared,
    };
    if verify.json {
        show::json(&answer);
    } else {
        println!(
            "The log {} is whole: {} entries, root {}",
            answer.origin,
            show::grouped(answer.size),
            answer.root
        );
        println!("  it is signed with the key {}", answer.key.trim_end());
        if let Some(size) = answer.continues {
            println!("  it continues the checkpoint seen before, which had {} entries", show::grouped(size));
        }
        if let Some(count) = answer.compared_with_database {
            println!(
                "  the database holds the same {} entries, and every person's count is without a gap",
                show::grouped(count)
            );
        }
        if verify.since.is_none() {
            println!("Next: run it again later with --since FILE, so that a forked log shows");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read_key(key: &str) -> Result<String, Failure> {
    let path = PathBuf::from(key);
    if path.exists() { read(&path) } else { Ok(key.to_owned()) }
}

fn read(path: &PathBuf) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))
}

//! `kaname jobs`: work that goes on behind the pages and was given up, and how to have it tried again.

use std::collections::HashSet;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use kaname_base::{Bucket, hex};
use kaname_store::{Store, StoreError, jobs};
use serde::Serialize;

use super::On;
use crate::error::{Failure, REFUSED};
use crate::{clock, show};

/// See which messages and other work were given up, and try them again
#[derive(Subcommand)]
pub(crate) enum Jobs {
    /// List what was tried to the end and failed
    Dead(On),
    /// Try it again: one, or all
    Again(Again),
}

#[derive(Args)]
pub(crate) struct Again {
    /// The job, as `kaname jobs dead` names it
    #[arg(required_unless_present = "all")]
    job: Option<String>,
    /// All that were given up
    #[arg(long, conflicts_with = "job")]
    all: bool,
    #[command(flatten)]
    on: On,
}

/// A job that was given up. Its body is not shown: it may name a person.
#[derive(Serialize)]
struct Dead {
    job: String,
    /// Which kind of work, such as `feed.push`.
    kind: String,
    /// Why it failed the last time, as a code.
    error: String,
    #[serde(skip)]
    place: (Bucket, [u8; 16]),
}

/// How many are shown of one bucket: more than that is one cause, and mended at once.
const MOST_OF_A_BUCKET: u32 = 100;

pub(crate) fn run(jobs: &Jobs) -> Result<ExitCode, Failure> {
    match jobs {
        Jobs::Dead(on) => list(on),
        Jobs::Again(ask) => again(ask),
    }
}

fn list(on: &On) -> Result<ExitCode, Failure> {
    let found = all_dead(&on.open()?.store)?;
    if on.json {
        show::json(&found);
        return Ok(ExitCode::SUCCESS);
    }
    for Dead { job, kind, error, .. } in &found {
        println!("{job}  {kind}  {error}");
    }
    if found.is_empty() {
        println!("Nothing was given up.");
    } else {
        println!("Next: mend the cause, then kaname jobs again --all{}", on.again());
    }
    Ok(ExitCode::SUCCESS)
}

fn again(ask: &Again) -> Result<ExitCode, Failure> {
    let store = ask.on.open()?.store;
    let mut tried = 0_u64;
    if let Some(id) = ask.job.as_deref().and_then(hex::decode) {
        for bucket in store.buckets().all() {
            tried += u64::from(revive(&store, bucket, id)?);
        }
    }
    if ask.all {
        tried = revive_all(&store)?;
    }
    if let (Some(job), 0) = (&ask.job, tried) {
        eprintln!("kaname: no job {job} was given up; see: kaname jobs dead{}", ask.on.again());
        return Ok(ExitCode::from(REFUSED));
    }
    if ask.on.json {
        show::json(&serde_json::json!({ "again": tried }));
    } else {
        println!(
            "{tried} will be tried again, by the next worker: one that serves, or the next command that works."
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// A pass takes the first of each bucket. What is dead again by the next one is not tried a second time.
fn revive_all(store: &Store) -> Result<u64, Failure> {
    let (mut seen, mut tried) = (HashSet::new(), 0);
    loop {
        let found = all_dead(store)?;
        let new: Vec<_> = found.iter().map(|dead| dead.place).filter(|place| seen.insert(*place)).collect();
        if new.is_empty() {
            return Ok(tried);
        }
        for (bucket, id) in new {
            tried += u64::from(revive(store, bucket, id)?);
        }
    }
}

fn revive(store: &Store, bucket: Bucket, id: [u8; 16]) -> Result<bool, Failure> {
    let env = clock::env();
    Ok(store.write::<_, StoreError, _>(bucket, move |tx| jobs::revive(tx, &id, env.now))?)
}

/// How many were given up, at least: for the doctor.
pub(super) fn count_dead(store: &Store) -> Result<usize, Failure> {
    Ok(all_dead(store)?.len())
}

fn all_dead(store: &Store) -> Result<Vec<Dead>, Failure> {
    let mut all = Vec::new();
    for bucket in store.buckets().all() {
        let dead = store.read::<_, StoreError, _>(bucket, |tx| jobs::dead(tx, MOST_OF_A_BUCKET))?;
        all.extend(dead.into_iter().map(|(job, error)| Dead {
            job: hex::encode(&job.id),
            kind: job.kind,
            error,
            place: (job.bucket, job.id),
        }));
    }
    Ok(all)
}

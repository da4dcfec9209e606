//! Transfers posted between random pairs of accounts, and the same by a plain ledger in SQL on the same engine, one after the other.

mod peer;
mod table;

use clap::Args;
use kaname_base::Amount;
use kaname_pay::ledger::{Account, Kind, Limit, Transfer, fsck, open_accounts, post_batch};
use kaname_pay::{AccountId, PayError};
use kaname_sim::random::Random;
use serde::Serialize;

use super::{Measured, Place, Size};
use crate::clock::{self, Stopwatch, cpu_seconds, cpu_seconds_of};
use crate::command::program;
use crate::error::Failure;
use crate::show;

/// As large as a batch of TigerBeetle's benchmark.
const BATCH: usize = 8_190;

/// How much to post, and between how many.
#[derive(Args)]
pub(crate) struct Ledger {
    /// Between how many accounts
    #[arg(long, default_value_t = 10_000)]
    accounts: u64,
    /// Without the plain ledger beside it
    #[arg(long)]
    alone: bool,
    #[command(flatten)]
    pub(super) size: Size,
}

/// What was measured: the ledger, and plain ones on the same engine.
#[derive(Serialize)]
pub(crate) struct Posted {
    accounts: u64,
    #[serde(flatten)]
    ledger: Timed,
    peers: Vec<Timed>,
}

#[derive(Serialize)]
pub(crate) struct Timed {
    #[serde(flatten)]
    pub(super) measured: Measured,
    /// CPU of the database server's processes; `cpu_seconds` has it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    server_cpu_seconds: Option<f64>,
    /// The longest batch.
    slowest_batch_ms: u64,
}

pub(super) fn run(ask: &Ledger) -> Result<Posted, Failure> {
    let place = Place::new(&ask.size)?;
    let count = ask.size.count.unwrap_or(100 * BATCH as u64);
    let orders = Orders::new(ask.accounts, count);
    let ledger = measure(&place, &orders)?;
    let mut peers = Vec::new();
    if !ask.alone {
        peers = match ask.size.postgres.first() {
            None => peer::on_sqlite(&place, &orders)?,
            Some(url) => peer::on_postgres(&place, &orders, url)?,
        };
    }
    Ok(Posted { accounts: ask.accounts, ledger, peers })
}

pub(super) fn print(posted: &Posted) {
    println!("between {} accounts, in batches of {BATCH}:", show::grouped(posted.accounts));
    for timed in std::iter::once(&posted.ledger).chain(&posted.peers) {
        super::print(&timed.measured);
        if let Some(server) = timed.server_cpu_seconds {
            let rate = timed.measured.count as f64 / server;
            println!("  {} per core-second of the server alone", show::grouped(rate as u64));
        }
        println!("  {} ms for the slowest batch", show::grouped(timed.slowest_batch_ms));
    }
}

/// The same for every ledger: accounts, and which of them pays which.
pub(super) struct Orders {
    accounts: Vec<AccountId>,
    pairs: Vec<(u32, u32)>,
}

impl Orders {
    fn new(accounts: u64, count: u64) -> Orders {
        let mut random = Random::new(7, 0);
        let mut pair = || loop {
            let (debit, credit) = (random.below(accounts), random.below(accounts));
            if debit != credit {
                return (debit as u32, credit as u32);
            }
        };
        let pairs = (0..count).map(|_| pair()).collect();
        let accounts = (0..accounts).map(|_| AccountId::from_bytes(kaname_trust::keys::random())).collect();
        Orders { accounts, pairs }
    }

    /// The batches, each made when its turn comes, with ids that sort by time.
    fn batches(&self, most: usize) -> impl Iterator<Item = (kaname_base::Env, Vec<Transfer>)> {
        let home = kaname_base::Buckets::new(1).expect("one is a power of two").home();
        let amount = Amount::from_minor(100).expect("a small amount");
        self.pairs.chunks(BATCH).take(most.div_ceil(BATCH)).map(move |pairs| {
            let env = clock::env();
            let transfer = |(debit, credit): &(u32, u32)| Transfer {
                id: env.id(home),
                debit: self.accounts[*debit as usize],
                credit: self.accounts[*credit as usize],
                amount,
                kind: Kind::Posted,
                code: 1,
            };
            let batch = pairs.iter().take(most).map(transfer).collect();
            (env, batch)
        })
    }
}

fn measure(place: &Place, orders: &Orders) -> Result<Timed, Failure> {
    let deployment = place.deployment(1, 0)?;
    let (store, currency) = (&deployment.store, deployment.pack.currency);
    let home = store.buckets().home();
    for ids in orders.accounts.chunks(BATCH) {
        let accounts: Vec<Account> =
            ids.iter().map(|id| Account::new(*id, currency, 1, Limit::None)).collect();
        store.write::<_, PayError, _>(home, move |tx| Ok(open_accounts(tx, &accounts)?))?;
    }
    let server = place.postgres.first().map(|url| peer::Server::of(url)).transpose()?;

    let count = orders.pairs.len();
    let timed = timed(place, "ledger", orders, count, server.as_ref(), |(env, batch)| {
        let outcomes = store.write::<_, PayError, _>(home, move |tx| Ok(post_batch(&env, tx, &batch)?))?;
        match outcomes.into_iter().find_map(Result::err) {
            Some(refusal) => Err(Failure::refused(refusal)),
            None => Ok(()),
        }
    })?;
    let findings = fsck(store, &program())?;
    match findings.is_sound() && findings.transfers == count as u64 {
        true => Ok(timed),
        false => Err(Failure::refused("the books do not add up after the bench")),
    }
}

/// Posts the batches of so many transfers, each made before its time is taken, but within the CPU's.
fn timed(
    place: &Place,
    bench: &'static str,
    orders: &Orders,
    count: usize,
    server: Option<&peer::Server>,
    mut post: impl FnMut((kaname_base::Env, Vec<Transfer>)) -> Result<(), Failure>,
) -> Result<Timed, Failure> {
    let no_clock = || Failure::unavailable("this system does not tell a process its CPU time (/proc)");
    let of_server = || server.map(|server| server.cpu_seconds().ok_or_else(no_clock)).transpose();
    let (watch, before, server_before) =
        (Stopwatch::start(), cpu_seconds().ok_or_else(no_clock)?, of_server()?);
    let mut slowest: f64 = 0.0;
    for batch in orders.batches(count) {
        let watch = Stopwatch::start();
        post(batch)?;
        slowest = slowest.max(watch.seconds());
    }
    let (wall, own) = (watch.seconds(), cpu_seconds().ok_or_else(no_clock)? - before);
    let server_cpu_seconds = of_server()?.zip(server_before).map(|(after, before)| after - before);
    let cpu = own + server_cpu_seconds.unwrap_or_default();
    let status = std::path::Path::new("/proc/self/status");
    let measured = super::measured(place, bench, "transfers", count as u64, wall, cpu, status);
    Ok(Timed { measured, server_cpu_seconds, slowest_batch_ms: (slowest * 1_000.0) as u64 })
}

/// CPU seconds of a process and of all that it started, ended ones included.
fn cpu_seconds_of_family(parent: u32) -> Option<f64> {
    let mut all = cpu_seconds_of(&parent.to_string())? + clock::cpu_seconds_of_ended(parent)?;
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().filter(|name| name.bytes().all(|b| b.is_ascii_digit())) else {
            continue;
        };
        if clock::parent_of(pid) == Some(parent) {
            all += cpu_seconds_of(pid).unwrap_or_default();
        }
    }
    Some(all)
}

//! `kaname ledger`: the books.

mod read;

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Subcommand;
use kaname_pay::ledger::{expire_all, fsck};
use serde::Serialize;

use super::{On, program};
use crate::clock;
use crate::error::{Failure, REFUSED};
use crate::show;

/// Read and check the books
#[derive(Subcommand)]
pub(crate) enum Ledger {
    /// Prove that every balance is the sum of its transfers, and that no money was made or lost; others may go on posting
    Fsck(On),
    /// What accounts hold, now or at a moment
    Account(read::Accounts),
    /// Transfers of a period, the newest first
    Transfers(read::Transfers),
    /// What moved an account, the newest first, with what it held after each
    Statement(read::Statement),
    /// Give back what was reserved for a time that is over, as `serve` does by itself
    Expire(On),
}

#[derive(Serialize)]
struct Answer {
    sound: bool,
    accounts: u64,
    transfers: u64,
    wrong_count: u64,
    wrong: Vec<String>,
    net: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Expired {
    released: u64,
}

pub(crate) fn run(ledger: &Ledger) -> Result<ExitCode, Failure> {
    match ledger {
        Ledger::Fsck(on) => check(on),
        Ledger::Account(ask) => read::accounts(ask),
        Ledger::Transfers(ask) => read::transfers(ask),
        Ledger::Statement(ask) => read::statement(ask),
        Ledger::Expire(on) => {
            let released = expire_all(&on.open()?.store, &clock::env())?;
            match on.json {
                true => show::json(&Expired { released }),
                false => {
                    println!("{} pending transfer(s) were over and are released", show::grouped(released))
                }
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn check(on: &On) -> Result<ExitCode, Failure> {
    let deployment = on.open()?;
    let findings = fsck(&deployment.store, &program())?;
    let answer = Answer {
        sound: findings.is_sound(),
        accounts: findings.accounts,
        transfers: findings.transfers,
        wrong_count: findings.wrong_count,
        wrong: findings.wrong.clone(),
        net: findings.net_minor.iter().map(|(currency, net)| (currency.clone(), net.to_string())).collect(),
    };
    if on.json {
        show::json(&answer);
    } else {
        let (accounts, transfers) = (show::grouped(answer.accounts), show::grouped(answer.transfers));
        println!("Checked {accounts} account(s) and {transfers} transfer(s)");
        for line in &answer.wrong {
            println!("  {line}");
        }
        match answer.sound {
            true => println!(
                "The books are sound: every balance is the sum of its transfers, and money is conserved"
            ),
            false => println!("{} thing(s) are wrong", answer.wrong_count),
        }
    }
    Ok(ExitCode::from(if answer.sound { 0 } else { REFUSED }))
}

//! `kaname ledger`: the books.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Subcommand;
use kaname_pay::ledger::fsck;
use serde::Serialize;

use super::{On, program};
use crate::error::{Failure, REFUSED};
use crate::show;

/// Check the books
#[derive(Subcommand)]
pub(crate) enum Ledger {
    /// Prove that every balance is the sum of its transfers, and that no money was made or lost
    Fsck(On),
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

pub(crate) fn run(ledger: &Ledger) -> Result<ExitCode, Failure> {
    let Ledger::Fsck(on) = ledger;
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

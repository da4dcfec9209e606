//! `kaname payout voucher`: cash for those who have no account, on paper.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use kaname_base::pack::Pack;
use kaname_codec::jose::JwkSet;
use kaname_pay::PayError;
use kaname_pay::payout::ticket::{VoucherKey, brought_code, verify};
use kaname_pay::payout::{Counter, print_voucher, redeem};
use kaname_person::number::find_by_number;
use kaname_person::register::find_by_reference;
use kaname_person::show::resident_with;
use kaname_person::{Action, PersonError};
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, PersonId};
use serde::Serialize;

use super::run_id;
use crate::command::{On, officer};
use crate::deployment::Deployment;
use crate::error::Failure;
use crate::{clock, paper, show};

/// Print vouchers, and pay them out in cash
#[derive(Subcommand)]
pub(crate) enum Voucher {
    /// Print the voucher of somebody who has no account
    Print(Print),
    /// Pay a voucher out in cash, once, to the person whose it is
    Redeem(Redeem),
    /// Print the public key that vouchers are signed with, for counters that check them without a network
    Key(On),
    /// Check a scanned voucher, with nothing but the public key
    Verify(Verify),
}

#[derive(Args)]
pub(crate) struct Who {
    /// Whose voucher: her number, or the reference of the file that she was imported from
    resident: String,
    /// The source of the reference
    #[arg(long, default_value = "residents")]
    source: String,
}

#[derive(Args)]
pub(crate) struct Print {
    /// The run
    run: String,
    #[command(flatten)]
    who: Who,
    /// The officer who prints it; another one pays it out
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    /// Another code and another last day, for a voucher that was lost or has run out: the earlier one is worth nothing then
    #[arg(long)]
    new: bool,
    /// Where the paper is written
    #[arg(long, value_name = "FILE.html")]
    paper: PathBuf,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct Redeem {
    /// The voucher's code, as it stands on the paper, or what a scanner reads from its QR code
    code: String,
    #[command(flatten)]
    who: Who,
    /// The officer who pays it out: not the one who printed it
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct Verify {
    /// What the scanner read from the QR code
    scanned: String,
    /// The file with the public key, from kaname payout voucher key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &Voucher) -> Result<ExitCode, Failure> {
    match command {
        Voucher::Print(ask) => run_print(ask),
        Voucher::Redeem(ask) => run_redeem(ask),
        Voucher::Key(on) => {
            show::json(&VoucherKey::open(&on.open()?.keys)?.public());
            Ok(ExitCode::SUCCESS)
        }
        Voucher::Verify(ask) => run_verify(ask),
    }
}

#[derive(Serialize)]
struct Printed {
    paper: String,
    amount: String,
    currency: String,
}

fn run_print(ask: &Print) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = officer::acting(&deployment, &ask.officer, Action::PrintVoucher)?;
    let (person, run) = (find(&deployment, &by, &ask.who)?, run_id(&ask.run)?);
    let (counter, anew, env) = (Counter::of(&deployment.desk()?), ask.new, clock::env());
    let (voucher, name) = deployment.store.write(bucket_of(person, deployment.store.buckets()), {
        let (by, pack) = (by, deployment.pack.clone());
        move |tx| {
            let (voucher, receipt) = print_voucher(&env.again(), tx, &counter, &by, (person, run), anew)?;
            let resident = resident_with(tx, &receipt).map_err(of_register)?;
            Ok::<_, PayError>((voucher, resident.display_name(&pack)))
        }
    })?;
    deployment.log()?.publish()?;
    paper::write_voucher(&ask.paper, &deployment, &name, &voucher)?;
    let currency = deployment.pack.currency;
    let printed = Printed {
        paper: ask.paper.display().to_string(),
        amount: voucher.amount.to_decimal(currency),
        currency: voucher.currency.clone(),
    };
    if ask.on.json {
        show::json(&printed);
    } else {
        println!("Print {} and give it to her: {} {}", printed.paper, printed.amount, printed.currency);
        println!(
            "Next: another officer pays it out: kaname payout voucher redeem CODE RESIDENT --officer OFFICER{}",
            ask.on.again()
        );
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct PaidOut {
    run: String,
    programme: String,
    amount: String,
    currency: String,
}

fn run_redeem(ask: &Redeem) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = officer::acting(&deployment, &ask.officer, Action::RedeemVoucher)?;
    let person = find(&deployment, &by, &ask.who)?;
    let typed = brought_code(&deployment.keys, &ask.code)?;
    let (counter, env) = (Counter::of(&deployment.desk()?), clock::env());
    let paid = deployment
        .store
        .write::<_, PayError, _>(bucket_of(person, deployment.store.buckets()), move |tx| {
            redeem(&env.again(), tx, &counter, &by, person, &typed)
        })?;
    deployment.log()?.publish()?;
    let currency = paid.programme.currency;
    let shown = PaidOut {
        run: paid.run.to_string(),
        programme: paid.programme.code.clone(),
        amount: paid.programme.amount.to_decimal(currency),
        currency: currency.code().to_owned(),
    };
    if ask.on.json {
        show::json(&shown);
    } else {
        println!("Pay out {} {} now; the voucher is worth nothing any more", shown.amount, shown.currency);
    }
    Ok(ExitCode::SUCCESS)
}

fn run_verify(ask: &Verify) -> Result<ExitCode, Failure> {
    let file = ask.key.display();
    let bytes = std::fs::read(&ask.key)
        .map_err(|error| Failure::unavailable(format!("cannot read {file}: {error}")))?;
    let keys = JwkSet::parse(&bytes).map_err(|error| {
        Failure::usage(format!("{file} is no set of public keys: {error}"))
            .mend("ask the authority for the output of kaname payout voucher key")
    })?;
    let stated = verify(&keys, &ask.scanned, clock::now()).map_err(PayError::from)?;
    if ask.json {
        show::json(&stated);
    } else {
        println!(
            "The authority printed this voucher: {} {} for {}, code {}",
            stated.amount, stated.currency, stated.programme, stated.jti
        );
        println!(
            "Whether it was paid out before only the authority knows: kaname payout voucher redeem says so."
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// The resident with this number, or with this reference.
fn find(deployment: &Deployment, by: &Actor, who: &Who) -> Result<PersonId, Failure> {
    let Deployment { store, keys, pack, .. } = deployment;
    let pack: &Pack = pack;
    let by_number = match pack.number.parse(&who.resident) {
        Ok(number) => find_by_number(store, keys, by, &number)?,
        Err(_) => None,
    };
    let found = match by_number {
        Some(person) => Some(person),
        None => find_by_reference(store, keys, by, &who.source, &who.resident)?,
    };
    found.ok_or_else(|| {
        Failure::refused("there is no resident with this number or reference")
            .mend("check it and, if the file had a mapping, name its source with --source")
    })
}

fn of_register(error: PersonError) -> PayError {
    match error {
        PersonError::Refused(refusal) => refusal.into(),
        PersonError::Trust(error) => error.into(),
        PersonError::Store(error) => error.into(),
    }
}

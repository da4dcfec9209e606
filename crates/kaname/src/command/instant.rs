//! `kaname instant`: instant payments as the scheme sees them.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use kaname_base::Amount;
use kaname_pay::PayError;
use kaname_pay::instant::window::{Window, close, settle, windows};
use kaname_pay::instant::work::payment;
use kaname_pay::instant::{Payment, PaymentId, asking};
use kaname_person::Action;
use serde::Serialize;

use super::{On, officer};
use crate::clock;
use crate::error::Failure;
use crate::show;

/// See an instant payment; close and settle windows
#[derive(Subcommand)]
pub(crate) enum Instant {
    /// How a payment stands
    Payment(One),
    /// The newest settlement windows, with what each participant receives or pays
    Windows(By),
    /// Close the open window and write the settlement file
    Close(Close),
    /// Make a merchant's QR code (EMVCo) and the link that a phone opens, as texts
    Qr(Qr),
    /// Read a merchant's QR code or a link to a payment
    Read(Read),
    /// Say that a closed window was settled; another officer than the one who closed it
    Settle(Settle),
}

#[derive(Args)]
pub(crate) struct One {
    /// Its id, `pmt_…`
    payment: String,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct By {
    /// The officer of payments who asks
    #[arg(long, value_name = "OFFICER")]
    by: String,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct Close {
    /// The settlement file to write: CSV with window, participant, direction, amount in minor units, currency
    #[arg(long, value_name = "FILE.csv")]
    file: PathBuf,
    #[command(flatten)]
    ask: By,
}

#[derive(Args)]
pub(crate) struct Settle {
    /// The window's number
    number: i64,
    #[command(flatten)]
    ask: By,
}

#[derive(Args)]
pub(crate) struct Qr {
    /// Where the merchant is paid: ACCOUNT@PARTICIPANT
    address: String,
    /// The merchant's name, at most 25 characters
    #[arg(long)]
    name: String,
    /// The merchant's city, at most 15 characters
    #[arg(long)]
    city: String,
    /// What the merchant sells (ISO 18245), four digits
    #[arg(long, default_value = "0000")]
    category: String,
    /// How much, in minor units: a code for one payment. Without it, one that is printed once for all
    #[arg(long, value_name = "MINOR")]
    amount: Option<u64>,
    /// The merchant's own reference, at most 25 characters
    #[arg(long)]
    reference: Option<String>,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct Read {
    /// The code's text, or the link
    text: String,
    #[command(flatten)]
    on: On,
}

#[derive(Serialize)]
struct Shown {
    window: i64,
    state: &'static str,
    opened_at: String,
    closed_at: Option<String>,
    settled_at: Option<String>,
    nets: Vec<Net>,
}

#[derive(Serialize)]
struct Net {
    participant: String,
    net_minor: String,
}

pub(crate) fn run(command: &Instant) -> Result<ExitCode, Failure> {
    match command {
        Instant::Payment(ask) => one(ask),
        Instant::Qr(ask) => make(ask),
        Instant::Read(ask) => read(ask),
        Instant::Windows(ask) => {
            let deployment = ask.on.open()?;
            let by = officer::acting(&deployment, &ask.by, Action::SettleWindow)?;
            let home = deployment.store.buckets().home();
            let found = deployment.store.read::<_, PayError, _>(home, move |tx| windows(tx, &by, 20))?;
            let shown: Vec<Shown> = found.into_iter().map(Shown::of).collect();
            show::list(ask.on.json, &shown, line, "");
            Ok(ExitCode::SUCCESS)
        }
        Instant::Close(Close { file, ask }) => {
            let closed = act(ask, None)?;
            let currency = ask.on.open()?.pack.currency;
            std::fs::write(file, csv(&closed, currency.code()))
                .map_err(|error| Failure::unavailable(format!("cannot write {}: {error}", file.display())))?;
            tell(&ask.on, closed)
        }
        Instant::Settle(Settle { number, ask }) => tell(&ask.on, act(ask, Some(*number))?),
    }
}

/// Settles the window with this number, or closes the open one.
fn act(ask: &By, number: Option<i64>) -> Result<Window, Failure> {
    let deployment = ask.on.open()?;
    let by = officer::acting(&deployment, &ask.by, Action::SettleWindow)?;
    let (pack, env) = (Arc::clone(&deployment.pack), clock::env());
    let home = deployment.store.buckets().home();
    Ok(deployment.store.write::<_, PayError, _>(home, move |tx| match number {
        None => close(&env.again(), tx, &pack, &by),
        Some(number) => settle(&env.again(), tx, &pack, &by, number),
    })?)
}

fn tell(on: &On, window: Window) -> Result<ExitCode, Failure> {
    let shown = Shown::of(window);
    if on.json {
        show::json(&shown);
    } else {
        println!("{}", line(&shown));
    }
    Ok(ExitCode::SUCCESS)
}

fn line(shown: &Shown) -> String {
    let nets = shown.nets.iter().map(|net| format!("\n  {} {}", net.participant, net.net_minor));
    format!("Window {} is {}{}", shown.window, shown.state, nets.collect::<String>())
}

impl Shown {
    fn of(window: Window) -> Shown {
        let nets = window.nets.into_iter();
        Shown {
            window: window.number,
            state: window.state,
            opened_at: window.opened_at.to_string(),
            closed_at: window.closed_at.map(|at| at.to_string()),
            settled_at: window.settled_at.map(|at| at.to_string()),
            nets: nets.map(|(participant, net)| Net { participant, net_minor: net.to_string() }).collect(),
        }
    }
}

/// The settlement file: who pays the settlement account, and who is paid from it.
fn csv(window: &Window, currency: &str) -> String {
    let mut text = "window,participant,direction,amount_minor,currency\n".to_owned();
    for (participant, net) in window.nets.iter().filter(|(_, net)| *net != 0) {
        let direction = if *net > 0 { "receives" } else { "pays" };
        let amount = net.unsigned_abs();
        text.push_str(&format!("{},{participant},{direction},{amount},{currency}\n", window.number));
    }
    text
}

fn one(ask: &One) -> Result<ExitCode, Failure> {
    let id = PaymentId::parse(&ask.payment)
        .map_err(|error| Failure::usage(format!("'{}' is no payment: {error}", ask.payment)))?;
    let deployment = ask.on.open()?;
    let home = deployment.store.buckets().home();
    let Payment { state, reason, payer, payee, amount, window, reserved_at, .. } =
        deployment.store.read::<_, PayError, _>(home, move |tx| payment(tx, id))?;
    if ask.on.json {
        show::json(&serde_json::json!({
            "payment": id.to_string(), "state": state.code(), "reason": reason, "payer": payer, "payee": payee,
            "amount_minor": amount.minor().to_string(), "window": window, "reserved_at": reserved_at.to_string(),
        }));
    } else {
        let amount = amount.to_decimal(deployment.pack.currency);
        let code = deployment.pack.currency.code();
        println!("{id}: {amount} {code} from {payer} to {payee}, {}", state.code());
    }
    Ok(ExitCode::SUCCESS)
}

fn make(ask: &Qr) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let amount = match ask.amount {
        None => None,
        Some(minor) => {
            Some(Amount::from_minor(minor).ok_or_else(|| Failure::usage("the amount is too large"))?)
        }
    };
    let asked = asking::Asked {
        address: ask.address.clone(),
        name: ask.name.clone(),
        city: ask.city.clone(),
        category: ask.category.clone(),
        amount,
        reference: ask.reference.clone(),
    };
    let (code, link) = asking::write(&deployment.pack, &asked).map_err(unreadable)?;
    if ask.on.json {
        show::json(&serde_json::json!({ "qr": code, "link": link }));
    } else {
        println!("{code}\n{link}");
    }
    Ok(ExitCode::SUCCESS)
}

fn read(ask: &Read) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let asked = asking::read(&deployment.pack, &ask.text).map_err(unreadable)?;
    let currency = deployment.pack.currency;
    if ask.on.json {
        show::json(&serde_json::json!({
            "address": asked.address, "name": asked.name, "city": asked.city, "reference": asked.reference,
            "amount_minor": asked.amount.map(|amount| amount.minor().to_string()), "currency": currency.code(),
        }));
    } else {
        let amount =
            asked.amount.map_or("as the payer says".to_owned(), |amount| amount.to_decimal(currency));
        println!("{} ({}), {amount} {}", asked.address, asked.name, currency.code());
    }
    Ok(ExitCode::SUCCESS)
}

fn unreadable(error: asking::AskingError) -> Failure {
    Failure::refused(error)
}

//! What the demonstration says at its end, for people and for machines. `docs/demo-summary.md` describes the JSON.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::command::payout::Account;
use crate::show::grouped;

/// The summary.
#[derive(Serialize)]
pub(crate) struct Summary {
    pub(crate) folder: PathBuf,
    pub(crate) country: String,
    pub(crate) residents: Residents,
    pub(crate) letters: Vec<LetterLine>,
    pub(crate) accounts: Accounts,
    pub(crate) payout: Account,
    pub(crate) log: LogState,
    pub(crate) nothing_new: bool,
    pub(crate) seconds: f64,
    pub(crate) steps: Vec<Step>,
    pub(crate) addresses: Addresses,
}

/// Who is in the register.
#[derive(Serialize)]
pub(crate) struct Residents {
    pub(crate) file: PathBuf,
    pub(crate) registered: u64,
    pub(crate) already_here: u64,
    pub(crate) rejected: u64,
}

/// A letter with which somebody signs in.
#[derive(Serialize)]
pub(crate) struct LetterLine {
    /// `resident`, or the officer's role.
    pub(crate) holder: String,
    pub(crate) file: PathBuf,
    /// Whether its code was used already: then its grid signs in.
    pub(crate) activated: bool,
}

/// How the check of account holders went.
#[derive(Serialize, Deserialize, Default)]
pub(crate) struct Accounts {
    pub(crate) asked: u64,
    pub(crate) active: u64,
    /// How many accounts were deliberately made out to somebody else.
    pub(crate) held_by_another: u64,
    pub(crate) refused: Vec<Refused>,
}

/// An account that was refused.
#[derive(Serialize, Deserialize)]
pub(crate) struct Refused {
    /// The reference of the application; no name and no account.
    pub(crate) application: String,
    pub(crate) bank: String,
    pub(crate) reason: String,
    pub(crate) words: String,
}

/// The log after the demonstration.
#[derive(Serialize)]
pub(crate) struct LogState {
    pub(crate) entries: u64,
    pub(crate) root: String,
}

/// How long a step took.
#[derive(Serialize)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) seconds: f64,
}

/// Where to look.
#[derive(Serialize)]
pub(crate) struct Addresses {
    pub(crate) portal: String,
    pub(crate) office: String,
    pub(crate) library: String,
}

impl Addresses {
    /// The addresses of a deployment, and of the library on the next port.
    pub(crate) fn of(issuer: &str, port: u16) -> Addresses {
        Addresses {
            portal: format!("{issuer}/"),
            office: format!("{issuer}/office"),
            library: format!("http://{}:{}/", crate::library::HOST, port.saturating_add(1)),
        }
    }
}

/// How many refused accounts a person is shown; the JSON has them all.
const SHOWN: usize = 8;

impl Summary {
    /// Prints it for a person.
    pub(crate) fn print(&self) {
        let Summary { residents, accounts, log, .. } = self;
        println!();
        if self.nothing_new {
            println!("Nothing has changed: {} has been through all of this before", self.folder.display());
        }
        println!("{} in {:.1} s, in {}", self.country, self.seconds, self.folder.display());
        println!(
            "  residents  {} registered, {} rejected ({})",
            grouped(residents.registered + residents.already_here),
            grouped(residents.rejected),
            residents.file.display()
        );
        println!(
            "  accounts   {} of {} are paid on; {} refused, {} of them made out to somebody else on purpose",
            grouped(accounts.active),
            grouped(accounts.asked),
            grouped(accounts.refused.len() as u64),
            grouped(accounts.held_by_another)
        );
        for refused in accounts.refused.iter().take(SHOWN) {
            println!(
                "             application {} at bank {}: {}",
                refused.application, refused.bank, refused.words
            );
        }
        if accounts.refused.len() > SHOWN {
            println!("             and {} more (--json shows all)", accounts.refused.len() - SHOWN);
        }
        self.payout.print();
        println!(
            "  log        {} readings, each with a receipt; root {}",
            grouped(log.entries),
            &log.root[..16]
        );
        println!();
        println!("Sign in with the letters that were printed:");
        for letter in &self.letters {
            let state = if letter.activated { "its grid signs in" } else { "its code activates a sign-in" };
            println!("  {:<18} {}  ({state})", letter.holder, letter.file.display());
        }
        let Addresses { portal, office, library } = &self.addresses;
        println!();
        println!("  residents   {portal}");
        println!("  office      {office}");
        println!("  library     {library}   (another organisation: 'Sign in with Kaname')");
    }
}

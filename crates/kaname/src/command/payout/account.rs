//! A run's books as a command shows them: lines for a person, JSON for a machine. `docs/demo-summary.md` describes the fields.

use kaname_base::{Amount, Currency};
use kaname_pay::payout::{Act, Report, State};
use serde::Serialize;

use crate::show;

/// A run's books, in the form that is printed.
#[derive(Serialize)]
pub(crate) struct Account {
    pub(super) run: String,
    programme: String,
    pub(super) state: &'static str,
    currency: String,
    decimals: u8,
    /// How many people stand where.
    pub(crate) people: People,
    /// In minor units.
    pub(crate) books: Books,
    /// For those who wait and those whose money came back.
    pub(crate) reasons: Vec<ReasonLine>,
    /// What officers did to it, in order.
    acts: Vec<ActLine>,
    /// Whether out = received + vouchers + pending + returned + undisbursed + in transit, and the list says the same as the ledger.
    pub(crate) sound: bool,
}

/// How many people stand where.
#[derive(Serialize)]
pub(crate) struct People {
    pub(crate) planned: u64,
    pub(crate) sent: u64,
    pub(crate) paid: u64,
    pub(crate) voucher: u64,
    pub(crate) cash: u64,
    pub(crate) pending: u64,
    pub(crate) returned: u64,
}

/// Where the money is, in minor units.
#[derive(Serialize)]
pub(crate) struct Books {
    pub(crate) out: u64,
    pub(crate) received: u64,
    pub(crate) vouchers: u64,
    pub(crate) cash: u64,
    pub(crate) pending: u64,
    pub(crate) returned: u64,
    pub(crate) undisbursed: u64,
    pub(crate) in_transit: u64,
}

/// Why some wait, or got their money returned.
#[derive(Serialize)]
pub(crate) struct ReasonLine {
    pub(crate) state: &'static str,
    pub(crate) reason: String,
    pub(crate) people: u64,
    pub(crate) sum: u64,
}

/// One step that an officer took.
#[derive(Serialize)]
struct ActLine {
    step: &'static str,
    officer: String,
    role: String,
    at: String,
}

impl ActLine {
    fn of(act: &Act) -> ActLine {
        let Act { step, officer, role, at } = act;
        let (officer, role) = (officer.clone(), role.clone());
        ActLine { step: step.code(), officer, role, at: at.to_string() }
    }
}

impl Account {
    /// A report in the form that is printed.
    pub(crate) fn of(report: &Report) -> Account {
        let Report { run, acts, tallies, books } = report;
        let reasons = tallies.iter().filter(|tally| !tally.reason.is_empty()).map(|tally| ReasonLine {
            state: tally.state.code(),
            reason: tally.reason.clone(),
            people: tally.people,
            sum: tally.sum.minor(),
        });
        Account {
            run: run.id.to_string(),
            programme: run.programme.code.clone(),
            state: run.state.code(),
            currency: run.programme.currency.code().to_owned(),
            decimals: run.programme.currency.exponent(),
            people: People {
                planned: report.people(State::Planned),
                sent: report.people(State::Sent),
                paid: report.people(State::Paid),
                voucher: report.people(State::Voucher),
                cash: report.people(State::Cash),
                pending: report.people(State::Pending),
                returned: report.people(State::Returned),
            },
            books: Books {
                out: books.out_of_treasury,
                received: books.received,
                vouchers: books.vouchers,
                cash: books.cash,
                pending: books.pending,
                returned: books.returned,
                undisbursed: books.undisbursed,
                in_transit: books.in_transit,
            },
            reasons: reasons.collect(),
            acts: acts.iter().map(ActLine::of).collect(),
            sound: report.is_sound(),
        }
    }

    /// Prints the books for a person.
    pub(crate) fn print(&self) {
        let currency = Currency::new(&self.currency, self.decimals);
        let money = |minor: u64| match (currency, Amount::from_minor(minor)) {
            (Some(currency), Some(amount)) => format!("{} {}", amount.to_decimal(currency), self.currency),
            _ => minor.to_string(),
        };
        let Books { out, received, vouchers, cash, pending, returned, undisbursed, in_transit } = &self.books;
        let People { planned, sent, paid, voucher, cash: got_cash, pending: waiting, returned: back } =
            &self.people;
        println!("Payout {} ({}): {}", self.run, self.programme, self.state);
        println!("  out of the treasury  {:>24}", money(*out));
        println!("  received by banks    {:>24}   {} people", money(*received), show::grouped(*paid));
        println!("  in vouchers          {:>24}   {} people", money(*vouchers), show::grouped(*voucher));
        println!("  paid out in cash     {:>24}   {} people", money(*cash), show::grouped(*got_cash));
        println!("  pending with reason  {:>24}   {} people", money(*pending), show::grouped(*waiting));
        println!("  returned by banks    {:>24}   {} people", money(*returned), show::grouped(*back));
        if planned + sent + undisbursed + in_transit > 0 {
            println!(
                "  not yet through      {:>24}   {} people",
                money(undisbursed + in_transit),
                show::grouped(planned + sent)
            );
        }
        for line in &self.reasons {
            println!(
                "    {} because {}: {} people, {}",
                line.state,
                line.reason,
                show::grouped(line.people),
                money(line.sum)
            );
        }
        for ActLine { step, officer, role, at } in &self.acts {
            println!("    {step} by {officer} ({role}) at {at}");
        }
        println!("  {}", if self.sound { "the books balance" } else { "THE BOOKS DO NOT BALANCE" });
    }
}

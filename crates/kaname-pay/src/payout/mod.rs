//! Payout runs: one programme, paid once to everyone on a frozen list.
//!
//! 1. [`plan`] freezes the list: one row for each active resident, and a hash over all of it.
//! 2. [`approve`] by another officer funds it, out of the treasury.
//! 3. [`run`] pays in batches. One unit of work opens the payee accounts of a batch (each with a receipt), posts a transfer
//!    for each payee, sets her state, and writes the messages to the banks. Then the messages are handed over, and what the
//!    banks report is applied.
//!
//! All steps but the first and second can be killed and started again with [`run`]: a payee's row, her transfer's id and
//! the id of the message she is in are derived from the run and her, so doing it twice does it once.

mod act;
mod approve;
pub(crate) mod code;
mod collect;
mod fund;
mod message;
mod pay_batch;
mod plan;
mod read;
mod report;
mod retry;
pub mod rules;
mod run;
mod stop;
pub(crate) mod table;
pub mod ticket;
mod treasury;
mod voucher;

use std::fmt;

use kaname_base::{Amount, Currency, Instant};

pub use act::{Act, Step};
pub use approve::{Approve, approve};
pub use fund::fund;
pub use message::end_to_end_id;
pub use plan::{PlanRun, plan};
pub use read::{Payment, earlier_runs, payments_of, run_of, runs, told, voucher_of};
pub use report::{Books, Report, Tally, report};
pub use retry::{Retried, To, retry};
pub use run::{BATCH, Outcome, Payer, RunPayout, going_on, run};
pub use stop::stop;
pub use treasury::{appropriate, treasury_account};
pub use voucher::{Counter, PaidOut, Voucher, print_voucher, redeem, vouchers_of};

use crate::RunId;

/// What a run pays to each person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Programme {
    /// The pack's code.
    pub code: String,
    /// In which currency.
    pub currency: Currency,
    /// How much each.
    pub amount: Amount,
}

/// A payout run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// What it pays.
    pub programme: Programme,
    /// How far it is.
    pub state: RunState,
    /// The officer who planned it, by id.
    pub planned_by: String,
    /// When.
    pub planned_at: Instant,
    /// Who approved it, and when.
    pub approved: Option<(String, Instant)>,
    /// How many people are on the list.
    pub people: u64,
    /// The amount for all of them.
    pub total: Amount,
    /// Commits to the list: who is on it, bucket for bucket.
    pub list_hash: [u8; 32],
    pub(crate) version: i64,
}

/// How far a run is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunState {
    /// Its list is being made.
    Planning,
    /// The list is frozen.
    Planned,
    /// Another officer approved it, and the money is on its way to the buckets.
    Approved,
    /// Payments are being made.
    Running,
    /// An officer stopped it; it goes on when it is run again.
    Stopped,
    /// Everybody is paid, or has a voucher, or waits with a reason.
    Finished,
}

/// Where a payee of a run stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum State {
    /// On the list.
    Planned,
    /// In a message to her bank.
    Sent,
    /// Her bank has it.
    Paid,
    /// She gets cash for a one-time code.
    Voucher,
    /// She got it.
    Cash,
    /// Her money waits, with a reason.
    Pending,
    /// Her bank gave it back, with a reason.
    Returned,
}

impl State {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            State::Planned => "planned",
            State::Sent => "sent",
            State::Paid => "paid",
            State::Voucher => "voucher",
            State::Cash => "cash",
            State::Pending => "pending",
            State::Returned => "returned",
        }
    }
}

impl RunState {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            RunState::Planning => "planning",
            RunState::Planned => "planned",
            RunState::Approved => "approved",
            RunState::Running => "running",
            RunState::Stopped => "stopped",
            RunState::Finished => "finished",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What an orchestration tells before each of its steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// What it is at.
    pub phase: Phase,
    /// How much of it is done: people, or messages.
    pub done: u64,
    /// Of how much, as far as is known.
    pub of: u64,
}

/// What an orchestration is at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Making the list; counts people.
    Planning,
    /// Bringing the money to the buckets.
    Funding,
    /// Paying; counts people.
    Paying,
    /// Handing messages to banks; counts messages.
    Sending,
    /// Applying what banks report; counts messages.
    Collecting,
}

/// Whether to go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Go {
    /// Go on.
    On,
    /// Stop here, as if killed. Running again goes on from here.
    Halt,
}

/// Is told of each step, and may halt before it: a progress bar, or a test.
pub type Steps<'a> = dyn FnMut(&Progress) -> Go + 'a;

pub(crate) fn step(steps: &mut Steps<'_>, phase: Phase, done: u64, of: u64) -> Result<(), crate::PayError> {
    match steps(&Progress { phase, done, of }) {
        Go::On => Ok(()),
        Go::Halt => Err(crate::PayError::Halted),
    }
}

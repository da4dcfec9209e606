//! The ledger: accounts, and transfers that move money between two of them.
//!
//! A transfer names its own id. Asked again with the same content, it answers as before; with other content it is refused.
//! A pending transfer reserves money; a later one posts it (all or a part, the rest is released) or voids it.
//! Transfers stay within a bucket; [`clearing`] carries money between buckets.

pub mod clearing;
pub mod fsck;
mod open;
mod post;
pub mod rules;
pub(crate) mod table;

use kaname_base::{Amount, Currency, Instant};

pub use fsck::{Findings, fsck};
pub use open::{accounts, open_accounts};
pub use post::{post, post_batch};

use crate::ids::{AccountId, TransferId};

/// What an account may not do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// Anything goes: the outside world, clearing.
    None,
    /// It cannot pay out more than it received: what people call "may not go below zero". Money that is pending out counts.
    DebitsUpToCredits,
    /// It cannot receive more than it paid out, such as a loan. Money that is pending in counts.
    CreditsUpToDebits,
}

/// An account and its sums, in minor units of its currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Account {
    /// Its id, unique in its bucket.
    pub id: AccountId,
    /// The one currency it is kept in.
    pub currency: Currency,
    /// What it is for; the ledger does not read it.
    pub code: u16,
    /// What it may not do.
    pub limit: Limit,
    /// All that was paid out of it.
    pub debits_posted: Amount,
    /// All that was paid into it.
    pub credits_posted: Amount,
    /// What is reserved to be paid out.
    pub debits_pending: Amount,
    /// What is reserved to be paid in.
    pub credits_pending: Amount,
    pub(crate) version: i64,
}

impl Account {
    /// A new account with nothing in it.
    pub fn new(id: AccountId, currency: Currency, code: u16, limit: Limit) -> Account {
        Account {
            id,
            currency,
            code,
            limit,
            debits_posted: Amount::ZERO,
            credits_posted: Amount::ZERO,
            debits_pending: Amount::ZERO,
            credits_pending: Amount::ZERO,
            version: 0,
        }
    }

    /// Paid in less paid out; negative when more was paid out.
    pub fn balance(&self) -> i64 {
        self.credits_posted.stored() - self.debits_posted.stored()
    }
}

/// What a transfer does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Moves money at once.
    Posted,
    /// Reserves it.
    Pending,
    /// Moves what the named pending transfer reserved, or a part of it; the rest is released.
    PostOf(TransferId),
    /// Releases what the named pending transfer reserved; the amount is the whole of it.
    VoidOf(TransferId),
}

/// An order to move money within a bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// Chosen by the caller. Ids that sort by time are appended, others are scattered over the table: correct, but slower.
    pub id: TransferId,
    /// Which account pays.
    pub debit: AccountId,
    /// Which account receives.
    pub credit: AccountId,
    /// How much, in minor units of both accounts' currency.
    pub amount: Amount,
    /// What it does.
    pub kind: Kind,
    /// What it is for; the ledger only keeps it.
    pub code: u16,
}

/// A transfer that stands in the ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Posted {
    /// When it was first posted.
    pub at: Instant,
    /// Whether it stood there before it was asked for now.
    pub again: bool,
}

//! The ledger: accounts, and transfers that move money between two of them.
//!
//! A transfer names its own id. Asked again with the same content, it answers as before; with other content it is refused.
//! A pending transfer reserves money; a later one posts it (all or a part, the rest is released) or voids it.
//! Transfers stay within a bucket; [`clearing`] carries money between buckets.

mod balance;
pub mod clearing;
mod expire;
pub mod fsck;
mod open;
mod post;
pub mod rules;
pub mod statement;
pub(crate) mod table;

use kaname_base::{Amount, Currency, Instant};

pub use expire::{expire, expire_all};
pub use fsck::{Findings, fsck};
pub use open::{accounts, open_accounts};
pub use post::{post, post_batch, post_chains};

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
    /// Whether a [`Kind::Close`] closed it.
    pub closed: bool,
    /// All that was paid out of it.
    pub debits_posted: Amount,
    /// All that was paid into it.
    pub credits_posted: Amount,
    /// What is reserved to be paid out.
    pub debits_pending: Amount,
    /// What is reserved to be paid in.
    pub credits_pending: Amount,
    pub(crate) version: i64,
    pub(crate) last: Option<TransferId>,
}

impl Account {
    /// A new account with nothing in it.
    pub fn new(id: AccountId, currency: Currency, code: u16, limit: Limit) -> Account {
        Account {
            id,
            currency,
            code,
            limit,
            closed: false,
            debits_posted: Amount::ZERO,
            credits_posted: Amount::ZERO,
            debits_pending: Amount::ZERO,
            credits_pending: Amount::ZERO,
            version: 0,
            last: None,
        }
    }

    /// Paid in less paid out; negative when more was paid out.
    pub fn balance(&self) -> i64 {
        self.credits_posted.stored() - self.debits_posted.stored()
    }
}

/// One of the two sides of a transfer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The account that pays.
    Debit,
    /// The account that receives.
    Credit,
}

/// What a transfer does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Moves money at once.
    Posted,
    /// Reserves it, until it is posted or voided.
    Pending,
    /// Reserves it until it is posted or voided, and at the latest until then: [`expire`] gives it back.
    PendingUntil(Instant),
    /// Moves what the named pending transfer reserved, or a part of it; the rest is released.
    PostOf(TransferId),
    /// Releases what the named pending transfer reserved; the amount is the whole of it.
    VoidOf(TransferId),
    /// Releases what the named pending transfer reserved, as its time is over; the amount is the whole of it.
    ExpiryOf(TransferId),
    /// Moves at once what the account of that side has left, and at most the amount: all that it received and has neither paid
    /// nor reserved, or all that it paid and was not given back.
    UpTo(Side),
    /// Reserves the amount, which may be zero, and closes the account of that side: nothing but releases goes through it. Voided,
    /// the account is open again; it is never posted.
    Close(Side),
}

impl Kind {
    /// The pending transfer that it posts, voids or expires.
    pub fn named(self) -> Option<TransferId> {
        self.named_in().copied()
    }

    pub(crate) fn named_in(&self) -> Option<&TransferId> {
        match self {
            Kind::PostOf(pending) | Kind::VoidOf(pending) | Kind::ExpiryOf(pending) => Some(pending),
            Kind::Posted | Kind::Pending | Kind::PendingUntil(_) | Kind::UpTo(_) | Kind::Close(_) => None,
        }
    }
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
    /// How much it moved, reserved or released: less than was asked for only with [`Kind::UpTo`].
    pub moved: Amount,
}

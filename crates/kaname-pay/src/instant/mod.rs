//! Instant payments between participants: banks and wallets that hold the accounts, while their positions are held here.
//!
//! 1. The payer's participant asks who the payee is ([`Scheme::resolve`]) and what it costs ([`quote`]).
//! 2. It **reserves** ([`reserve`]): the amount is pending from its position to the payee's, within its net debit cap.
//! 3. The payee's participant is asked whether it takes the payment ([`work`]) and says so, in its answer or by a message of its
//!    own ([`decide`]). That **commits**: the pending transfer is posted. Only then is the payee's account credited.
//! 4. Both participants are told the end until they have heard it.
//!
//! So there is one moment at which a payment happens, in one unit of work, and either side can lose any message. An answer that
//! does not come makes the payment `unknown`; it is asked for under a back-off, and reversed when the pack's time is over.
//! Every payment ends committed, aborted or reversed.
//!
//! All rows lie in the home bucket: a payment changes two positions, and they must lie together. Nothing here names a person;
//! accounts and texts are wrapped.

pub mod asking;
mod books;
pub mod decide;
pub mod message;
mod participant;
pub mod quote;
mod refusal;
pub mod reserve;
pub mod rules;
mod scheme;
pub mod status;
pub(crate) mod table;
pub mod window;
pub mod work;

use kaname_base::{Amount, Instant};
use kaname_codec::jose::JwkSet;

pub use participant::{Change, NewParticipant, change, participant, participants, position, register};
pub use refusal::Refusal;
pub use scheme::Scheme;

use crate::ids::TransferId;

kaname_base::id_types! {
    /// An instant payment. The payer's participant chooses it: the same id pays once.
    PaymentId(PaymentKind) = "pmt";
}

/// What a participant is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParticipantKind {
    /// A bank.
    Bank,
    /// A wallet.
    Wallet,
}

impl ParticipantKind {
    /// The word of interfaces.
    pub fn code(self) -> &'static str {
        match self {
            ParticipantKind::Bank => "bank",
            ParticipantKind::Wallet => "wallet",
        }
    }
}

/// Whether a participant may begin payments and be paid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It may.
    Active,
    /// It may only bring to an end what was reserved before.
    Suspended,
}

/// A bank or wallet that takes part.
#[derive(Clone, Debug)]
pub struct Participant {
    /// What it is called in messages and addresses: small letters, digits and hyphens.
    pub code: String,
    /// Its name, for people.
    pub name: String,
    /// What it is.
    pub kind: ParticipantKind,
    /// Where it is asked and told, such as `https://bank.example/kaname`.
    pub address: String,
    /// The keys that it signs with.
    pub keys: JwkSet,
    /// Whether it may begin payments and be paid.
    pub standing: Standing,
    /// The most that it may owe the others between two settlements.
    pub cap: Amount,
    pub(crate) version: i64,
}

/// What a payment is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// The payer pays.
    Pay,
    /// Money of an earlier payment goes back.
    Refund(PaymentId),
}

/// How far a payment is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// The money is set aside; the payee's participant is asked.
    Reserved,
    /// It was asked, and no answer came.
    Unknown,
    /// Paid. Final.
    Committed,
    /// Not paid, nothing owed. Final.
    Aborted,
    /// Not paid because nothing was known in time; the payer is owed a compensation. Final.
    Reversed,
}

impl State {
    /// The word of interfaces.
    pub fn code(self) -> &'static str {
        match self {
            State::Reserved => "reserved",
            State::Unknown => "unknown",
            State::Committed => "committed",
            State::Aborted => "aborted",
            State::Reversed => "reversed",
        }
    }

    /// Whether it stays so.
    pub fn is_final(self) -> bool {
        matches!(self, State::Committed | State::Aborted | State::Reversed)
    }
}

/// A payment as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// The participant that pays.
    pub payer: String,
    /// The participant that is paid.
    pub payee: String,
    /// How much, in minor units of the pack's currency.
    pub amount: Amount,
    /// What it is for.
    pub purpose: Purpose,
    /// When it was reserved.
    pub reserved_at: Instant,
    /// How far it is.
    pub state: State,
    /// Why it was not paid: a word; empty otherwise.
    pub reason: String,
    /// What the payer is owed for waiting, when it was reversed.
    pub compensation: Amount,
    /// How much of it was refunded, or is about to be.
    pub refunded: Amount,
    /// The settlement window that it was committed in; 0 before.
    pub window: i64,
    pub(crate) digest: [u8; 16],
    pub(crate) pending: TransferId,
    pub(crate) details: Vec<u8>,
    /// When the worker comes back to it.
    pub(crate) due: Option<Instant>,
    /// How often the payee's participant was asked.
    pub(crate) attempts: i64,
    /// Before this, participants that ask are told to wait.
    pub(crate) ask_after: Instant,
    pub(crate) told: i64,
    pub(crate) version: i64,
}

/// Bits of [`Payment::told`].
pub(crate) const PAYEE_KNOWS: i64 = 1;
pub(crate) const PAYER_KNOWS: i64 = 2;
pub(crate) const COMPENSATED: i64 = 4;

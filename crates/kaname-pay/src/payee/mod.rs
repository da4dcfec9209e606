//! Where a person is paid: one account at a bank, active only when its holder there is that person.

pub mod audit;
mod close;
mod read;
mod register_payee;
pub mod rules;
mod suspend;
pub(crate) mod table;

use std::fmt;
use std::sync::Arc;

use kaname_base::Instant;
use kaname_base::pack::Pack;
use kaname_person::matching::{Difference, Doubt};
use kaname_store::Store;
use kaname_trust::{Actor, Keys, Record};
use serde::{Deserialize, Serialize};

pub use close::{close, reopen};
pub use read::{Payee, payee_of};
pub use register_payee::{RegisterPayee, Registration, register_many};
pub use suspend::suspend;

use crate::{BankAccount, Banks, Residents};

/// What the orchestrations of this block work with.
#[derive(Clone)]
pub struct Desk {
    /// The data.
    pub store: Store,
    /// The keys of the deployment.
    pub keys: Keys,
    /// The country: on what legal basis records are read.
    pub pack: Arc<Pack>,
    /// The register of residents.
    pub residents: Arc<dyn Residents>,
    /// The banks.
    pub banks: Banks,
}

/// The code of the pack's purpose for which this block reads records.
pub const PURPOSE: &str = "payout";

impl Desk {
    /// The law that lets this block read records, as the pack has it in its first language.
    pub(crate) fn basis(&self) -> String {
        let purpose = self.pack.purpose(PURPOSE).expect("a pack without the needed purposes is refused");
        purpose.legal_basis.get(&self.pack.default_language().tag).to_owned()
    }
}

/// Why an account is not paid on. Shown to the resident and the officer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// The bank knows no such account, or closed it.
    NoSuchAccount,
    /// The deployment deals with no such bank.
    NoSuchBank,
    /// Another resident is paid on this account.
    AccountTaken,
    /// The holder is another person.
    OtherHolder(Difference),
    /// The names are alike, and a clerk must look.
    UnsureHolder(Doubt),
    /// There is an active account, and it was not asked to be replaced.
    HasAccount,
    /// An officer suspended it.
    Suspended,
    /// The stored account does not open.
    Unreadable,
    /// The person was taken out of the register after the list was made.
    NotRegistered,
}

/// Each reason with its stable code.
const REASONS: [(Reason, &str); 16] = [
    (Reason::NoSuchAccount, "no-such-account"),
    (Reason::NoSuchBank, "no-such-bank"),
    (Reason::AccountTaken, "account-taken"),
    (Reason::OtherHolder(Difference::NoName), "holder-unnamed"),
    (Reason::OtherHolder(Difference::GivenName), "holder-given-name-differs"),
    (Reason::OtherHolder(Difference::FamilyName), "holder-family-name-differs"),
    (Reason::OtherHolder(Difference::Name), "holder-name-differs"),
    (Reason::UnsureHolder(Doubt::NothingToCompare), "holder-not-comparable"),
    (Reason::UnsureHolder(Doubt::VowelLength), "holder-vowel-length"),
    (Reason::UnsureHolder(Doubt::PartMissing), "holder-part-missing"),
    (Reason::UnsureHolder(Doubt::Initial), "holder-initial"),
    (Reason::UnsureHolder(Doubt::OneLetter), "holder-one-letter"),
    (Reason::HasAccount, "has-account"),
    (Reason::Suspended, "account-suspended"),
    (Reason::Unreadable, "account-unreadable"),
    (Reason::NotRegistered, "not-registered"),
];

impl Reason {
    /// The stable code.
    pub fn code(self) -> &'static str {
        REASONS.iter().find(|(reason, _)| *reason == self).map_or("", |(_, code)| code)
    }

    /// The reason with this code.
    pub fn from_code(code: &str) -> Option<Reason> {
        REASONS.iter().find(|(_, known)| *known == code).map(|(reason, _)| *reason)
    }
}

/// In plain words, without personal data.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Reason::OtherHolder(difference) => {
                return write!(f, "the account is held by another person: {difference}");
            }
            Reason::UnsureHolder(doubt) => {
                return write!(f, "a clerk must compare the holder with the resident: {doubt}");
            }
            Reason::NoSuchAccount => "the bank knows no such account, or it is closed",
            Reason::NoSuchBank => "payments to this bank are not possible",
            Reason::AccountTaken => "another resident is paid on this account",
            Reason::HasAccount => "there is another account already, and replacing it was not asked for",
            Reason::Suspended => "the account was suspended",
            Reason::Unreadable => "the stored account cannot be read",
            Reason::NotRegistered => "the person is no longer in the register",
        };
        f.write_str(words)
    }
}

/// Whether a person can be paid on an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PayeeState {
    /// She can.
    Active,
    /// It was refused when it was registered.
    Refused(Reason),
    /// It was active, and an officer said that it is not to be used.
    Suspended,
    /// It was active until her entry in the register was closed: by her death, or because it was a second one.
    Closed,
}

/// The account and what is known of it, as sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayeeAccount {
    /// The account.
    pub account: BankAccount,
    /// Its holder as the bank writes the name; empty when the bank knew none.
    pub holder: String,
    /// What the account was taken from, such as an import or a form.
    pub evidence: String,
    /// Since when.
    pub since: Instant,
    /// The officer who registered it; none when nobody stood between, and of accounts of before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
}

impl fmt::Debug for PayeeAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PayeeAccount").field("account", &self.account).finish_non_exhaustive()
    }
}

impl Record for PayeeAccount {
    const KIND: &'static str = "pay.payee";
}

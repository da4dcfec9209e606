//! How the register says no, and how it fails.

use kaname_store::StoreError;
use kaname_trust::TrustError;

use crate::Fault;
use crate::policy::Action;

/// The answer is no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// What was entered breaks a rule of the country.
    #[error(transparent)]
    Invalid(#[from] Fault),
    /// There is no such resident, or none that the caller may know of.
    #[error("there is no such resident")]
    NoSuchResident,
    /// A person with this reference is registered, with other data.
    #[error("registered with other data; use a correction")]
    OtherData,
    /// Every number of the country's scheme was given out.
    #[error("every number of the scheme was given out")]
    NumbersUsedUp,
    /// The country has no alias numbers, or none of this kind.
    #[error("the country has no alias numbers of this kind")]
    NoAliases,
    /// There is no such alias, or it is not this person's.
    #[error("there is no such alias number")]
    NoSuchAlias,
    /// She has as many as one may have.
    #[error("there are as many alias numbers as one person may have; take one back first")]
    TooManyAliases,
    /// A temporary alias without a last day, with one that is past or too far; or a last day for one that has none.
    #[error(
        "a temporary alias number needs a last day, from today to {longest_days} days ahead; others have none"
    )]
    AliasPeriod {
        /// The most days that the country allows.
        longest_days: u16,
    },
    /// The role does not allow the action.
    #[error("{role} may not {action}")]
    NotAllowed {
        /// In which role it was tried.
        role: String,
        /// What was tried.
        action: Action,
    },
    /// A purpose that the country's pack does not have, or not for this party.
    #[error("no law or consent of this country allows a reading for this purpose")]
    UnknownPurpose,
    /// A role that the country's pack does not have.
    #[error("the country has no such role")]
    UnknownRole,
    /// There is no such officer.
    #[error("there is no such officer")]
    NoSuchOfficer,
    /// The mapping file is wrong.
    #[error("the mapping does not fit: {0}")]
    Mapping(String),
    /// The import file, or the file for the rejects, cannot be used.
    #[error("{0}")]
    File(String),
    /// Another process is importing the same file.
    #[error("another process is importing this file at this moment")]
    ImportRuns,
}

impl Refusal {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Invalid(fault) => fault.reason.code(),
            Refusal::NoSuchResident => "no-such-resident",
            Refusal::OtherData => "other-data",
            Refusal::NumbersUsedUp => "numbers-used-up",
            Refusal::NoAliases => "no-aliases",
            Refusal::NoSuchAlias => "no-such-alias",
            Refusal::TooManyAliases => "too-many-aliases",
            Refusal::AliasPeriod { .. } => "alias-period",
            Refusal::NotAllowed { .. } => "not-allowed",
            Refusal::UnknownPurpose => "unknown-purpose",
            Refusal::UnknownRole => "unknown-role",
            Refusal::NoSuchOfficer => "no-such-officer",
            Refusal::Mapping(_) => "mapping",
            Refusal::File(_) => "file",
            Refusal::ImportRuns => "import-runs",
        }
    }
}

/// Why the register did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    /// The answer is no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A key or a seal failed.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Fault> for PersonError {
    fn from(fault: Fault) -> PersonError {
        PersonError::Refused(Refusal::Invalid(fault))
    }
}

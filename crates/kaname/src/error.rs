//! What a command says when it cannot go on: what was wrong, and how to mend it.

use std::fmt;

/// A failure of a command, with the exit code that tells a script what kind it was.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    what: String,
    mend: Option<String>,
}

/// The answer is no: a check failed, or a rule refuses. Exit code 1.
pub(crate) const REFUSED: u8 = 1;
/// The command or the configuration is not right. Exit code 2.
pub(crate) const USAGE: u8 = 2;
/// The world failed: a database, a disk, a peer. Exit code 3.
pub(crate) const UNAVAILABLE: u8 = 3;
/// Done, but part of the input was refused and listed. Exit code 4.
pub(crate) const PARTLY: u8 = 4;

impl Failure {
    /// The answer is no.
    pub(crate) fn refused(what: impl fmt::Display) -> Failure {
        Failure { code: REFUSED, what: what.to_string(), mend: None }
    }

    /// The command or the configuration is not right.
    pub(crate) fn usage(what: impl fmt::Display) -> Failure {
        Failure { code: USAGE, what: what.to_string(), mend: None }
    }

    /// The world failed.
    pub(crate) fn unavailable(what: impl fmt::Display) -> Failure {
        Failure { code: UNAVAILABLE, what: what.to_string(), mend: None }
    }

    /// A word that names nothing, and the words that do.
    pub(crate) fn unknown<'a>(what: &str, word: &str, known: impl IntoIterator<Item = &'a str>) -> Failure {
        let known: Vec<&str> = known.into_iter().collect();
        Failure::usage(format!("there is no {what} '{word}'"))
            .mend(format!("choose one of: {}", known.join(", ")))
    }

    /// Adds what to do about it.
    pub(crate) fn mend(mut self, mend: impl fmt::Display) -> Failure {
        self.mend = Some(mend.to_string());
        self
    }

    /// The process's exit code.
    pub(crate) fn code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        match &self.mend {
            Some(mend) => write!(f, "\n  what to do: {mend}"),
            None => Ok(()),
        }
    }
}

impl From<kaname_trust::TrustError> for Failure {
    fn from(error: kaname_trust::TrustError) -> Failure {
        use kaname_trust::TrustError::{Keys, Store};
        match error {
            Store(error) => error.into(),
            Keys(_) => Failure::usage(error),
            _ => Failure::refused(error),
        }
    }
}

impl From<kaname_store::StoreError> for Failure {
    fn from(error: kaname_store::StoreError) -> Failure {
        match error {
            kaname_store::StoreError::Version(text) => Failure::usage(text),
            other => Failure::unavailable(other),
        }
    }
}

impl From<kaname_signin::SigninError> for Failure {
    fn from(error: kaname_signin::SigninError) -> Failure {
        use kaname_signin::SigninError::{NotAllowed, Refused, Store, Trust};
        match error {
            Refused(refusal) => Failure::refused(refusal),
            NotAllowed(refusal) => Failure::refused(refusal),
            Trust(error) => error.into(),
            Store(error) => error.into(),
        }
    }
}

impl From<kaname_pay::PayError> for Failure {
    fn from(error: kaname_pay::PayError) -> Failure {
        use kaname_pay::PayError;
        match error {
            PayError::Refused(refusal) => Failure::refused(refusal),
            PayError::Instant(refusal) => Failure::refused(refusal),
            PayError::NotAllowed(refusal) => Failure::refused(refusal),
            PayError::Bank(error) => {
                Failure::unavailable(error).mend("run the same command again; nothing is done twice")
            }
            PayError::Halted => Failure::unavailable("the run was stopped"),
            PayError::Trust(error) => error.into(),
            PayError::Store(error) => error.into(),
        }
    }
}

//! What this block asks of a bank.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// An account at a bank. Personal data: its debug form shows the bank only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BankAccount {
    /// The bank, by the pack's code.
    pub bank: String,
    /// The account's number as the bank writes it, without spaces.
    pub number: String,
}

impl fmt::Debug for BankAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BankAccount({} …)", self.bank)
    }
}

/// A bank could not be asked. What was asked can be asked again.
#[derive(Debug, Clone, thiserror::Error)]
#[error("bank {bank}: {message}")]
pub struct BankError {
    /// The bank's code.
    pub bank: String,
    /// What went wrong, without personal data.
    pub message: String,
}

/// One bank, or the way to it. Always called outside units of work, and each call may be repeated.
pub trait Bank: Send + Sync {
    /// Who holds the account, as the bank writes the name; `None` when there is no such account, or it is closed.
    ///
    /// # Errors
    /// [`BankError`] when the bank cannot be asked; so for the others.
    fn holder(&self, number: &str) -> Result<Option<String>, BankError>;

    /// Hands over a `pain.001.001.09`. The same `message_id` again is the same message.
    fn submit(&self, message_id: &str, message: &[u8]) -> Result<(), BankError>;

    /// The `pain.002.001.10` about a message, when the bank has made one.
    fn status(&self, message_id: &str) -> Result<Option<Vec<u8>>, BankError>;
}

/// The banks of a deployment, by code.
#[derive(Clone, Default)]
pub struct Banks {
    by_code: BTreeMap<String, Arc<dyn Bank>>,
}

impl Banks {
    /// No banks yet.
    pub fn new() -> Banks {
        Banks::default()
    }

    /// Adds or replaces a bank.
    pub fn insert(&mut self, code: &str, bank: Arc<dyn Bank>) {
        self.by_code.insert(code.to_owned(), bank);
    }

    /// The bank with this code.
    ///
    /// # Errors
    /// [`BankError`] when the deployment has none.
    pub fn get(&self, code: &str) -> Result<&dyn Bank, BankError> {
        let missing =
            || BankError { bank: code.to_owned(), message: "the deployment has no such bank".to_owned() };
        self.by_code.get(code).map(|bank| &**bank).ok_or_else(missing)
    }
}

impl fmt::Debug for Banks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_code.keys()).finish()
    }
}

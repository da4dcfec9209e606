//! How trust fails.

use kaname_store::StoreError;

/// Why a key, a seal, an entry or the log could not be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no data key: the person is not in the register, or was erased.
    #[error("there is no data key for this person")]
    NoSuchHolder,
    /// A seal does not open: it was changed, belongs to another person, or is of another kind.
    #[error("the seal is broken or belongs to another person or record")]
    BrokenSeal,
    /// A person's access log is not what was written: the entry of this number was changed, or is missing.
    #[error("entry {0} of this person's access log was changed or is missing")]
    BrokenEntry(i64),
    /// A receipt for one person was shown for the record of another.
    #[error("the receipt is for another person")]
    WrongSubject,
    /// A record does not read as what it is kept as.
    #[error("the stored record does not read as {0}")]
    Unreadable(&'static str),
    /// The key folder is missing, unreadable, or readable by others.
    #[error("{0}")]
    Keys(String),
    /// The log's files and the database do not agree, or a file cannot be written.
    #[error("{0}")]
    Log(String),
}

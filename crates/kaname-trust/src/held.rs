//! What is kept of a person, for her: each record as it lies under the seal, with what it is called.

use serde::Serialize;
use serde_json::Value;

use crate::{Receipt, Record, Sealed, TrustError};

/// One record of a person.
#[derive(Clone, PartialEq)]
pub struct Held {
    /// What kind of record: [`Record::KIND`], or a block's own word for what it keeps without a seal.
    pub kind: &'static str,
    /// Where it stands, in the block's own word; empty of what only is there.
    pub state: String,
    /// The record.
    pub record: Value,
}

impl Held {
    /// Opens a sealed record.
    ///
    /// # Errors
    /// As [`Sealed::open`].
    pub fn open<T: Record>(receipt: &Receipt<'_>, state: &str, sealed: &[u8]) -> Result<Held, TrustError> {
        let record = Sealed::<T>::from_bytes(sealed).open(receipt)?.of(receipt.person())?;
        Ok(Held::plain(T::KIND, state, &record))
    }

    /// What is kept of her without a seal of its own.
    pub fn plain(kind: &'static str, state: &str, record: &impl Serialize) -> Held {
        let record = serde_json::to_value(record).expect("a record is plain data");
        Held { kind, state: state.to_owned(), record }
    }
}

/// Personal data: the debug form names the kind.
impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Held({})", self.kind)
    }
}

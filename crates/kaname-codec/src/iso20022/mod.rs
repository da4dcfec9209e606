//! ISO 20022 messages to and from a bank: `pain.001.001.09` asks for credit transfers, `pain.002.001.10` says what
//! became of each (ISO 20022 Payments Initiation, Message Definition Reports 2019).
//!
//! One message is one payment block in one currency: what a payout run sends. Writing gives XML that is valid
//! against the schema; reading takes what can occur in such messages and refuses the rest by name, rather than
//! carry out an instruction that it half understood. Amounts are whole minor units and never pass through floats.

mod amount;
mod pain001;
mod pain002;
mod read;
mod write;

pub use amount::{Currency, format_minor, parse_minor};
pub use pain001::{Account, Agent, Header, Initiation, Transfer, Writer, parse_pain001, write_pain001};
pub use pain002::{GroupStatus, Report, Status, TransferStatus, parse_pain002, write_pain002};

/// Longest message that is read or written.
pub const MAX_MESSAGE_BYTES: usize = 256 * 1024 * 1024;

/// Why a message is refused.
#[derive(Debug, thiserror::Error)]
pub enum IsoError {
    /// Longer than [`MAX_MESSAGE_BYTES`].
    #[error("message is too long")]
    TooLong,
    /// Not UTF-8.
    #[error("message is not utf-8")]
    Utf8,
    /// Not well-formed XML.
    #[error("message is not well-formed xml")]
    Xml(#[source] quick_xml::Error),
    /// XML that has no place in a message: document types, entities, processing instructions, CDATA.
    #[error("{0} is refused in a message")]
    Forbidden(&'static str),
    /// Nested deeper than any message is.
    #[error("message is nested too deep")]
    TooDeep,
    /// Another message, or another version of it.
    #[error("not a {0} message")]
    OtherMessage(&'static str),
    /// An element that we do not carry out.
    #[error("element {0:?} is not supported here")]
    Unexpected(String),
    /// An element that must be there is not.
    #[error("element {0:?} is missing")]
    Missing(&'static str),
    /// An element that may be there once is there twice.
    #[error("element {0:?} is repeated")]
    Repeated(&'static str),
    /// A value that does not have the form of its element.
    #[error("value of {0:?} is malformed")]
    Value(&'static str),
    /// An amount that is not a plain decimal of at most 18 digits, or is finer than its currency.
    #[error("malformed amount")]
    Amount,
    /// Not three capitals, not known here, or not the one currency of the message.
    #[error("unsupported currency {0:?}")]
    Currency(String),
    /// The number of transfers is not the one in the header.
    #[error("number of transfers differs from the header")]
    Count,
    /// The sum of the transfers is not the one in the header.
    #[error("sum of transfers differs from the header")]
    Sum,
}

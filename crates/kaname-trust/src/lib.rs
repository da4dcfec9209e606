//! Trust: keys, sealing, receipts, the access log and its proofs.
//!
//! The chain that everything above relies on:
//!
//! 1. A person's records are [`Sealed`] with a data key of her own ([`seal`]).
//! 2. Opening one takes a [`Receipt`]. Only [`access::record`] makes one, by appending to the access log in the same unit of
//!    work; it is branded with that unit's lifetime, so it can neither be kept nor used elsewhere.
//! 3. The entries become leaves of a Merkle log ([`log`]) that anybody can check from outside.
//!
//! A block knows a person by a pseudonym of its own ([`Keys::pseudonym`]), so that tables of two blocks cannot be joined.

pub mod access;
pub mod error;
mod handout;
pub mod held;
pub mod keys;
pub mod log;
pub mod person;
pub mod seal;
mod table;

pub use access::{Access, Actor, ActorKind, Mandate, Receipt};
pub use error::TrustError;
pub use keys::Keys;
pub use person::PersonId;
pub use seal::{DataKey, Opened, Record, Sealed};

/// The block's tables.
pub const MIGRATIONS: &[kaname_store::Migration] = &[kaname_store::Migration {
    block: "trust",
    number: 1,
    sql: include_str!("../migrations/0001_trust.sql"),
}];

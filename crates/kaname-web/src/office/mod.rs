//! What officers see. Every page that opens a record writes its line into the resident's own log first.

pub(crate) mod account;
pub(crate) mod counter;
mod duplicates;
pub(crate) mod home;
pub mod imports;
pub(crate) mod links;
pub(crate) mod payouts;
pub(crate) mod register;
pub(crate) mod residents;
pub mod runs;

//! What officers see. Every page that opens a record writes its line into the resident's own log first.

pub(crate) mod account;
mod ask;
pub(crate) mod behalf;
pub(crate) mod counter;
pub(crate) mod counter_links;
pub(crate) mod decisions;
mod duplicates;
pub(crate) mod events;
pub(crate) mod findings;
pub(crate) mod history;
pub(crate) mod home;
pub(crate) mod identity;
pub mod imports;
pub(crate) mod introducers;
pub(crate) mod link_lists;
pub(crate) mod links;
pub(crate) mod mandates;
pub(crate) mod number;
pub(crate) mod payouts;
pub(crate) mod photo;
pub(crate) mod register;
pub(crate) mod residents;
pub mod runs;
pub(crate) mod vouchers;

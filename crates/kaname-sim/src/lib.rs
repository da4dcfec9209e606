//! A seeded world for demonstrations, tests and benches. The same seed gives the same world, on every machine.
//!
//! Names and places come from the fixtures of a country pack; nobody in here exists.

pub mod bank;
pub mod errors;
mod export;
mod fixture;
pub mod participant;
mod people;
pub mod random;
mod spelling;
pub mod twice;

pub use export::{COLUMNS, read_csv, write_csv};
pub use fixture::{Fixture, FixtureError};
pub use people::{People, SimPerson, people};

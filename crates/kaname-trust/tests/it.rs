//! All tests of this crate, in one binary.

#[path = "it/erasure.rs"]
mod erasure;
#[path = "it/keys.rs"]
mod keys;
#[path = "it/log.rs"]
mod log;
#[path = "it/receipts.rs"]
mod receipts;
#[path = "it/refused.rs"]
mod refused;
#[path = "it/seals.rs"]
mod seals;
#[path = "it/world.rs"]
mod world;

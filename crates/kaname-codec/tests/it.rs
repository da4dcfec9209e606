//! All tests of this crate, in one binary.

#[path = "it/jose.rs"]
mod jose;

//! Bytes to values and back, for every format that others sign, store or send: no clock, no I/O, and no
//! randomness but the nonce that ECDSA needs.
//!
//! Everything here is fed by strangers. A value that exists is well-formed, and what was signed is reached only
//! through [`verified::Verified`].

pub mod b64;
pub mod canonical;
pub mod emvco;
pub mod hpke;
pub mod iso20022;
pub mod jose;
pub mod json;
pub mod paylink;
pub mod tlog;
pub mod verified;
pub mod webauthn;

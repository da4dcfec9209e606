//! All tests of this crate, in one binary.

#[path = "it/canonical.rs"]
mod canonical;
#[path = "it/emvco.rs"]
mod emvco;
#[path = "it/iso20022.rs"]
mod iso20022;
#[path = "it/jose.rs"]
mod jose;
#[path = "it/tlog.rs"]
mod tlog;
#[path = "it/webauthn.rs"]
mod webauthn;

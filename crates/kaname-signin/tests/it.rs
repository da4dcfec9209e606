//! All tests of this crate, in one binary.

#[path = "it/assertions.rs"]
mod assertions;
#[path = "it/closed.rs"]
mod closed;
#[path = "it/codes.rs"]
mod codes;
#[path = "it/disclosure.rs"]
mod disclosure;
#[path = "it/flow.rs"]
mod flow;
#[path = "it/handouts.rs"]
mod handouts;
#[path = "it/letters.rs"]
mod letters;
#[path = "it/passkeys.rs"]
mod passkeys;
#[path = "it/requests.rs"]
mod requests;
#[path = "it/sessions.rs"]
mod sessions;
#[path = "it/world.rs"]
mod world;

//! The sign-in: an OpenID Connect provider, passkeys and letters, sessions and consent. It knows no HTTP and no HTML.
//!
//! A complete sign-in, by the endpoint that the web floor serves and the use case behind it:
//!
//! 1. `POST /par`: [`par::push`] checks the party and its request, and keeps it under a `request_uri`.
//! 2. `GET /authorize`: [`authorize::start`] binds it to the browser and says which page comes next ([`Step`]).
//! 3. The person signs in: [`passkey::sign_in`], or [`grid::ask`] and [`grid::answer`]. A new [`session`] begins.
//! 4. The person agrees: [`consent::give`]. A code goes back to the party.
//! 5. `POST /token`: [`token::redeem`]; `GET /userinfo`: [`userinfo::disclose`].
//!
//! An agency's own systems, with no person before them, get a token from [`client_token::issue`].
//!
//! A sign-in is one row from its first step to its last, and a state machine ([`interaction`](self)) that each step takes and
//! gives back. Rows that lie in different buckets (the sign-in, its holder, a letter) are changed one after another; what
//! must happen only once is compared and set in the last of them.

mod account;
mod assertion;
pub mod authorize;
pub mod bench;
mod bytes;
pub mod client;
pub mod client_token;
pub mod close;
pub mod consent;
pub mod discovery;
mod error;
pub mod grid;
pub mod history;
mod holder;
mod interaction;
pub mod keys;
pub mod letter;
pub mod par;
mod parameters;
pub mod passkey;
mod provider;
mod request;
pub mod rules;
pub mod session;
pub mod sweep;
mod table;
mod ticket;
pub mod token;
pub mod userinfo;

pub use account::SignedIn;
pub use authorize::{Browser, Step};
pub use error::{Refusal, SigninError};
pub use holder::Holder;
pub use parameters::Parameters;
pub use provider::{Config, Provider};
pub use rules::{Level, Means};

/// The block's tables.
pub const MIGRATIONS: &[kaname_store::Migration] = &[kaname_store::Migration {
    block: "signin",
    number: 1,
    sql: include_str!("../migrations/0001_signin.sql"),
}];

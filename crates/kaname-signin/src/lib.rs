//! The sign-in: an OpenID Connect provider, passkeys and letters, sessions and consent. It knows no HTTP and no HTML.
//!
//! A complete sign-in, by the endpoint that the web floor serves and the use case behind it:
//!
//! 1. `POST /par`: [`par::push`] checks the party and its request, and seals it into a `request_uri`.
//! 2. `GET /authorize`: [`authorize::start`] binds it to the browser and says which page comes next ([`Step`]).
//! 3. The person signs in: [`passkey::sign_in`], or [`grid::ask`] and [`grid::answer`]. A new [`session`] begins.
//! 4. The person agrees: [`consent::give`]. A code goes back to the party.
//! 5. `POST /token`: [`token::redeem`]; `GET /userinfo`: [`userinfo::disclose`].
//!
//! An agency's own systems, with no person before them, get a token from [`client_token::issue`].
//!
//! A sign-in on its way is kept nowhere. It is a state machine ([`interaction`](self)), and each step takes back, sealed, what the
//! step before it handed out. Kept are the sessions, what was agreed, the history, and a mark for what may happen only once.

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
mod handout;
pub mod held;
pub mod history;
mod holder;
mod interaction;
pub mod keys;
pub mod letter;
mod once;
mod packed;
pub mod par;
mod parameters;
pub mod passkey;
mod provider;
mod request;
pub mod rules;
pub mod session;
pub mod sweep;
mod table;
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
pub const MIGRATIONS: &[kaname_store::Migration] = &[
    kaname_store::Migration {
        block: "signin",
        number: 1,
        sql: include_str!("../migrations/0001_signin.sql"),
    },
    kaname_store::Migration { block: "signin", number: 2, sql: include_str!("../migrations/0002_once.sql") },
];

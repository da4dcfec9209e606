//! Whether two records are one person: the one matching engine of registration, linking and the audit.
//!
//! A record becomes a [`Profile`]. [`compare`] gives the [`Evidence`] of a pair, field by field, under a [`Model`]: the built-in one,
//! or one that was estimated from the records themselves without knowing the truth. [`dedupe`] and [`link`] do so for whole lists, and
//! [`block_keys`] find one person's candidates in an index.

mod block;
mod born;
mod bulk;
mod chance;
mod estimate;
pub(crate) mod fold;
mod group;
mod letters;
mod level;
mod model;
mod names;
mod nicknames;
mod place;
mod profile;
mod records;
pub(crate) mod similar;
mod texts;

pub use block::{BlockKey, block_keys};
pub(crate) use block::{KeyKind, KeyMaker};
pub use born::Born;
pub use bulk::{Found, Pair, dedupe, link};
pub(crate) use chance::{Crowd, compare_found};
pub use level::{Field, Level};
pub use model::{Evidence, FieldEvidence, Model, Rival, compare};
pub use profile::{Facts, Profile, Spelled};
pub use records::Records;

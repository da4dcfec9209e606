//! Ids, money, dates, [`Env`], country packs as values, texts in the reader's language.
//!
//! The lowest floor: it knows no clock, no I/O and no database. Everything above speaks in these values.

pub mod bucket;
pub mod env;
pub mod hex;
pub mod id;
pub mod money;
pub mod number;
pub mod pack;
pub mod text;
pub mod time;

pub use bucket::{Bucket, Buckets};
pub use env::Env;
pub use money::{Amount, Currency};
pub use time::Instant;

//! The store: units of work over SQLite or PostgreSQL, in one SQL text.
//!
//! - A **unit of work** is a plain synchronous function over one [`Tx`]. It is opened on one [`Bucket`] and cannot leave
//!   it: the store binds the bucket as `$1` of every statement, and refuses a statement that does not ask for it.
//! - It may run more than once (a conflict on PostgreSQL), so it has no effect outside its `Tx`.
//! - On SQLite many units of work share one commit, and so one flush of the disk (`writer.rs`).
//! - SQL is written once, in the subset both engines share: `$N` placeholders; `BIGINT`, `TEXT` and `BYTEA` columns.

pub mod bulk;
mod confine;
mod copy_back;
pub mod error;
pub mod faults;
pub mod jobs;
pub mod lint;
pub mod migrate;
mod postgres;
mod queue;
mod sqlite;
mod store;
mod tx;
mod value;
mod writer;

pub use error::StoreError;
pub use faults::Faults;
pub use kaname_base::{Bucket, Buckets};
pub use migrate::Migration;
pub use store::{Location, Store, StoreConfig};
pub use tx::{Dialect, Engine, Tx};
pub use value::{Row, Value};
pub use writer::Unflushed;

//! The audit without end: the register is searched for errors, what changed since the last time, or everything.
//!
//! People are visited bucket by bucket, some hundred at a time, each opened with an entry in her log for the purpose `audit`. Of each
//! the audit knows what she and her links were like when it looked last, and passes over whoever is the same. What it finds is kept as
//! a [`Finding`], once, for officers to confirm or dismiss.

mod counters;
mod findings;
mod rules;
mod run;
pub(crate) mod table;

pub use counters::{Act, Counters, Pattern};
pub use findings::{
    About, Draft, Finding, Kind, Opened, Settled, count, find, open, open_one, raise, settle,
};
pub use rules::{Related, impossible_alone, impossible_dates, impossible_relation, is_thin};
pub use run::{Audit, Audited, audit, raise_patterns};

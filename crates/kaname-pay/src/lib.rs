//! Pay: the ledger, payee accounts, payout runs and bank messages.
//!
//! - [`ledger`]: double entry. A transfer moves once, whoever asks how often ([`ledger::post_batch`]); money between buckets
//!   goes through clearing accounts ([`ledger::clearing`]); [`ledger::fsck`] proves that it all adds up.
//! - [`payee`]: where a person is paid. An account is active only when its holder at the bank is that person.
//! - [`payout`]: one programme paid to everyone on a frozen list. A run can be killed between any two units of work and
//!   started again: nobody is paid twice, nobody is forgotten.
//! - [`instant`]: payments between participants, in seconds; each comes to an end.
//! - [`bank`]: what the block asks of a bank. Nothing here knows a network.
//!
//! The block knows a person by `keys.pseudonym("pay", person)`, called `payee` in its tables.

pub mod bank;
pub mod error;
pub mod held;
pub mod ids;
pub mod instant;
pub mod ledger;
pub mod payee;
pub mod payout;
mod receipts;
pub mod residents;

pub use bank::{Bank, BankAccount, BankError, Banks};
pub use error::{PayError, Refusal};
pub use ids::{AccountId, PayeeId, RunId, TransferId};
pub use residents::{Register, Residents};

/// The block's tables.
pub const MIGRATIONS: &[kaname_store::Migration] = &[
    kaname_store::Migration { block: "pay", number: 1, sql: include_str!("../migrations/0001_pay.sql") },
    kaname_store::Migration { block: "pay", number: 2, sql: include_str!("../migrations/0002_run_act.sql") },
    kaname_store::Migration { block: "pay", number: 3, sql: include_str!("../migrations/0003_voucher.sql") },
    kaname_store::Migration { block: "pay", number: 4, sql: include_str!("../migrations/0004_retry.sql") },
    kaname_store::Migration { block: "pay", number: 5, sql: include_str!("../migrations/0005_instant.sql") },
    kaname_store::Migration { block: "pay", number: 6, sql: include_str!("../migrations/0006_ledger.sql") },
];

//! The register: residents, their numbers and life events, officers, and who may do what.
//!
//! - [`register`]: one resident at a counter, or many of an import.
//! - [`import`]: a file of residents, streamed, repeatable after a kill.
//! - [`number`]: numbers that say nothing of the person and are never given twice.
//! - [`enrol`]: people enrolled where there is no network.
//! - [`introduce`]: somebody vouches for a person without papers.
//! - [`delegate`]: who may act for whom.
//! - [`show`]: opening a resident, her number and her access log, each with a receipt.
//! - [`duplicate`]: whether a person is here already, asked before she is registered.
//! - [`export`]: everything that is held on a person, for her.
//! - [`linkage`]: whether two records are one person, with the evidence.
//! - [`audit`]: the register searched for errors, what changed or everything.
//! - [`link`]: other agencies' records, linked to residents with evidence, confirmed by them, and undone when wrong.
//! - [`matching`]: whether the holder of an account is this resident.
//! - [`agency`]: what agencies' own systems ask and tell.
//! - [`counter`]: an officer serves one resident at a time.
//! - [`four_eyes`]: what one officer proposes and another approves.
//! - [`policy`]: the one table of who may do what.
//!
//! Only the tables of this block hold a [`PersonId`](kaname_trust::PersonId). Other blocks hold a pseudonym of their own.

pub mod agency;
pub mod audit;
mod check;
mod correct;
pub mod counter;
pub mod delegate;
pub mod duplicate;
pub mod enrol;
mod entry;
pub mod error;
pub mod event;
pub mod export;
pub mod four_eyes;
pub mod identity;
pub mod import;
pub mod introduce;
pub mod link;
pub mod linkage;
pub mod matching;
pub mod number;
pub mod officer;
pub mod officer_key;
pub mod policy;
pub mod register;
pub mod resident;
mod scatter;
mod serial;
pub mod show;
mod table;

pub use entry::{Entry, Fault, Field, Reason};
pub use error::{PersonError, Refusal};
pub use number::Numbers;
pub use officer::{Officer, OfficerId};
pub use policy::{Action, may};
pub use resident::{
    Address, FormerAddress, FormerName, Life, Name, Names, PackVersion, Particulars, Relation, RelationKind,
    Resident, Standing, Stay,
};

/// The block's tables.
pub const MIGRATIONS: &[kaname_store::Migration] = &[
    agency::TABLES,
    agency::FEEDS,
    agency::LATER,
    kaname_store::Migration {
        block: "person",
        number: 1,
        sql: include_str!("../migrations/0001_person.sql"),
    },
    kaname_store::Migration { block: "person", number: 2, sql: include_str!("../migrations/0002_alias.sql") },
    kaname_store::Migration {
        block: "person",
        number: 3,
        sql: include_str!("../migrations/0003_officer_key.sql"),
    },
    kaname_store::Migration {
        block: "person",
        number: 4,
        sql: include_str!("../migrations/0004_counter.sql"),
    },
    kaname_store::Migration { block: "person", number: 5, sql: include_str!("../migrations/0005_link.sql") },
    kaname_store::Migration {
        block: "person",
        number: 6,
        sql: include_str!("../migrations/0006_mandate.sql"),
    },
    kaname_store::Migration { block: "person", number: 7, sql: include_str!("../migrations/0007_enrol.sql") },
    kaname_store::Migration {
        block: "person",
        number: 8,
        sql: include_str!("../migrations/0008_proposal.sql"),
    },
    kaname_store::Migration { block: "person", number: 9, sql: include_str!("../migrations/0009_audit.sql") },
    kaname_store::Migration {
        block: "person",
        number: 10,
        sql: include_str!("../migrations/0010_four_eyes.sql"),
    },
    kaname_store::Migration {
        block: "person",
        number: 11,
        sql: include_str!("../migrations/0011_introduction.sql"),
    },
    kaname_store::Migration {
        block: "person",
        number: 12,
        sql: include_str!("../migrations/0012_link_list.sql"),
    },
    kaname_store::Migration {
        block: "person",
        number: 13,
        sql: include_str!("../migrations/0013_audit_counter.sql"),
    },
    kaname_store::Migration {
        block: "person",
        number: 14,
        sql: include_str!("../migrations/0014_introducer.sql"),
    },
];

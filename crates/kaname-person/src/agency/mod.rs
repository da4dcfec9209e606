//! What agencies' own systems ask of the register and tell it, through its published interfaces.
//!
//! - An agency knows a person by a name of its own ([`name`]): two agencies that put their lists side by side find nothing in common.
//! - What it may read, and for which purpose, is recorded with the agency. A purpose that rests on a person's consent is none of
//!   these: nobody is there to consent.
//! - Each reading is an entry of the person's access log, with the agency as the one who read.

pub mod enrol;
pub mod enter;
pub mod facts;
pub mod feed;
pub mod file;
pub mod name;
pub mod person;
pub mod read;
pub mod search;
mod stopped;
mod table;
pub mod transaction;
pub mod whom;

use std::sync::Arc;

use kaname_base::Env;
use kaname_base::pack::{Pack, Purpose};
use kaname_store::Store;
use kaname_trust::{Actor, ActorKind, Keys};

use crate::policy::AGENCY;
use crate::{Numbers, PersonError, Refusal};

/// An agency that asks, as the interface has recognised it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agency {
    /// Its id, as the access log names it.
    pub id: String,
    /// Agencies of one sector know a person by the same name.
    pub sector: String,
    /// What it is registered to read: an attribute's and a purpose's code of the pack.
    pub attributes: Vec<(String, String)>,
    /// The purpose that this request names, if it names one.
    pub purpose: Option<String>,
    /// Whether it may be told people's numbers.
    pub sees_numbers: bool,
    /// Which kinds of outside records are its own: sources of the pack.
    pub sources: Vec<String>,
}

impl Agency {
    /// The agency, as the access log names it.
    pub fn actor(&self) -> Actor {
        Actor { kind: ActorKind::Party, id: self.id.clone(), role: AGENCY.to_owned(), mandate: None }
    }

    /// Goes on only with a kind of outside records that is the agency's own.
    ///
    /// # Errors
    /// [`Refusal::NotForAgency`].
    pub fn holds(&self, source: &str) -> Result<(), Refusal> {
        let is_own = self.sources.iter().any(|own| own == source);
        if is_own { Ok(()) } else { Err(Refusal::NotForAgency) }
    }

    /// The purpose for which it may read an attribute now.
    fn purpose_of<'p>(&self, pack: &'p Pack, attribute: &str) -> Option<&'p Purpose> {
        self.attributes
            .iter()
            .filter(|(known, _)| known == attribute)
            .find_map(|(_, purpose)| self.stated(pack, purpose))
    }

    /// The purpose of a request that names no attribute: the one it states, or the first that the agency is registered for.
    ///
    /// # Errors
    /// [`Refusal::UnknownPurpose`] when there is none that the law gives it.
    pub fn purpose<'p>(&self, pack: &'p Pack) -> Result<&'p Purpose, PersonError> {
        let found = self.attributes.iter().find_map(|(_, purpose)| self.stated(pack, purpose));
        found.ok_or_else(|| Refusal::UnknownPurpose.into())
    }

    /// A purpose by law, if the request states no other.
    fn stated<'p>(&self, pack: &'p Pack, purpose: &str) -> Option<&'p Purpose> {
        let is_stated = self.purpose.as_deref().is_none_or(|stated| stated == purpose);
        pack.purpose(purpose).filter(|known| is_stated && !known.consent)
    }
}

/// What a use case of an agency works with.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// The store.
    pub store: &'a Store,
    /// The keys.
    pub keys: &'a Keys,
    /// The country's pack.
    pub pack: &'a Arc<Pack>,
    /// The source of new numbers.
    pub numbers: &'a Numbers,
    /// Time and dice of the request.
    pub env: &'a Env,
    /// Who asks.
    pub agency: &'a Agency,
}

/// The tables of what agencies tell; they count apart from the register's own.
pub(crate) const TABLES: kaname_store::Migration =
    tables(1, include_str!("../../migrations/agency_0001.sql"));
/// Those of feeds and subscriptions.
pub(crate) const FEEDS: kaname_store::Migration = tables(2, include_str!("../../migrations/agency_0002.sql"));

/// What feeds have forgotten, and questions that are answered later.
pub(crate) const LATER: kaname_store::Migration = tables(3, include_str!("../../migrations/agency_0003.sql"));

const fn tables(number: i64, sql: &'static str) -> kaname_store::Migration {
    kaname_store::Migration { block: "agency", number, sql }
}

/// The law that allows a purpose, as the access log names it.
fn basis<'p>(pack: &'p Pack, purpose: &'p Purpose) -> &'p str {
    purpose.legal_basis.get(&pack.default_language().tag)
}

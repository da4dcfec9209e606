//! A resident: what the register keeps of a person.

use std::fmt;

use jiff::civil::Date;
use kaname_base::Instant;
use kaname_base::pack::Pack;
use kaname_base::time::BirthDate;
use kaname_trust::{Actor, PersonId, Record};
use serde::{Deserialize, Serialize};

use crate::serial;

/// A resident's record, sealed in the register.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resident {
    /// Who she is.
    pub particulars: Particulars,
    /// The country pack that the entry was judged by. A later pack does not judge it again.
    pub pack: PackVersion,
    /// When she was registered. Inside the seal, so that no two blocks share a time that points at her.
    pub registered_at: Instant,
    /// Who registered her.
    pub registered_by: Actor,
    /// What life events have made of her entry since.
    #[serde(default, skip_serializing_if = "Life::is_unmarked")]
    pub life: Life,
}

/// What is known of a person, checked against the country's rules by [`Particulars::check`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Particulars {
    /// What the source calls her, such as the file number of the municipality. Empty when there is none.
    pub reference: String,
    /// As written, in Unicode's composed form (NFC), but for compatibility ideographs, which NFC would exchange for others. With
    /// variation selectors: the original glyphs are kept.
    pub name: Name,
    /// How the name is spoken: full-width katakana, where the country records it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Name>,
    /// The name in Latin letters, as in a passport.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latin: Option<Name>,
    /// A name she had before, known from her papers. Names that life events changed are in [`Life::former_names`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former_name: Option<Name>,
    /// Date of birth.
    pub born: BirthDate,
    /// A code of the pack, such as `F`.
    pub sex: String,
    /// A code of the pack, such as `citizen`.
    pub status: String,
    /// The period for which a foreign resident may stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stay: Option<Stay>,
    /// Where she was born: a place, and the country if it is another one. Empty when it is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub birth_place: String,
    /// Where she lives. All empty for a person without an address.
    pub address: Address,
    /// Since when, where known.
    #[serde(default, with = "serial::maybe_date", skip_serializing_if = "Option::is_none")]
    pub address_since: Option<Date>,
    /// Telephone, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Email, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// One form of a name. A person with one name only has the other empty.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Name {
    /// Family name.
    pub family: String,
    /// Given name, with middle names or forefathers' where the country writes them so.
    pub given: String,
}

/// An address. Parts that are not known are empty.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Address {
    /// Postcode.
    pub postcode: String,
    /// Prefecture, state, governorate.
    pub region: String,
    /// City, town, suburb.
    pub city: String,
    /// Street and house; or that there is none, as the country writes it.
    pub line: String,
    /// The office or the person with whom she is reached. Empty when she has a door of her own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub care_of: String,
}

/// For how long a foreign resident may stay. Both days belong to it; an end that is not known has no limit.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stay {
    /// The first day.
    #[serde(default, with = "serial::maybe_date", skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The last day.
    #[serde(default, with = "serial::maybe_date", skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

/// What life events have made of a person's entry. Folded out of them ([`crate::event::fold`]), and kept as a cache.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Life {
    /// Whether she lives here.
    #[serde(skip_serializing_if = "Standing::is_here")]
    pub standing: Standing,
    /// Names she had, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub former_names: Vec<FormerName>,
    /// Where she lived, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub former_addresses: Vec<FormerAddress>,
    /// Her relations to other residents, past ones too, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub relations: Vec<Relation>,
    /// Other entries of the register that turned out to be hers, and stand for her now.
    #[serde(with = "serial::people", skip_serializing_if = "Vec::is_empty")]
    pub absorbed: Vec<PersonId>,
    /// Which of her events brought the photo that counts; counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photo: Option<i64>,
}

/// Whether a person lives here.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "kebab-case")]
pub enum Standing {
    /// She does.
    #[default]
    Here,
    /// She left the country, and may return.
    Away {
        /// Since when.
        #[serde(with = "serial::date")]
        since: Date,
    },
    /// She died.
    Dead {
        /// When.
        #[serde(with = "serial::date")]
        on: Date,
    },
    /// The entry was a second one of somebody who has another.
    Merged {
        /// The other one, which counts.
        #[serde(with = "serial::person")]
        into: PersonId,
    },
}

/// The forms of a name, as they change together.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Names {
    /// As written.
    pub name: Name,
    /// As spoken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Name>,
    /// In Latin letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latin: Option<Name>,
}

/// A name she had.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerName {
    /// The name.
    pub names: Names,
    /// The day from which she had another.
    #[serde(with = "serial::date")]
    pub until: Date,
}

/// Where she lived.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerAddress {
    /// Where.
    pub address: Address,
    /// From when, where known.
    #[serde(default, with = "serial::maybe_date", skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The day on which she moved away.
    #[serde(with = "serial::date")]
    pub until: Date,
}

/// What one resident is to another, and for how long. The other's record says the same from her side.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// What the other is to her.
    pub kind: RelationKind,
    /// The other.
    #[serde(with = "serial::person")]
    pub to: PersonId,
    /// Since when.
    #[serde(with = "serial::date")]
    pub from: Date,
    /// The day on which it ended.
    #[serde(default, with = "serial::maybe_date", skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

/// What another resident is to a person.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelationKind {
    /// Her mother, her father, or who adopted her.
    Parent,
    /// Her child.
    Child,
    /// Whom she is married to.
    Spouse,
    /// Who answers for her: she is a minor, or needs it by a court's decision.
    Guardian,
    /// For whom she answers.
    Ward,
    /// The head of the household that she lives in.
    HouseholdHead,
    /// Who lives in the household that she heads.
    HouseholdMember,
}

/// Which pack, and which version of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PackVersion {
    /// The pack's id.
    pub id: String,
    /// Its version.
    pub version: u32,
}

impl Resident {
    /// The full name as written, in the country's order.
    pub fn display_name(&self, pack: &Pack) -> String {
        self.particulars.name.full(pack)
    }
}

impl Life {
    fn is_unmarked(&self) -> bool {
        *self == Life::default()
    }

    /// The relations that hold today: those without an end.
    pub fn relations_now(&self) -> impl Iterator<Item = &Relation> {
        self.relations.iter().filter(|relation| relation.until.is_none())
    }
}

impl Standing {
    /// Whether she lives here.
    pub fn is_here(&self) -> bool {
        *self == Standing::Here
    }

    /// Whether the entry is closed: nobody signs in with it, nothing is paid to it.
    pub fn is_closed(&self) -> bool {
        matches!(self, Standing::Dead { .. } | Standing::Merged { .. })
    }

    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Standing::Here => "here",
            Standing::Away { .. } => "away",
            Standing::Dead { .. } => "dead",
            Standing::Merged { .. } => "merged",
        }
    }
}

impl RelationKind {
    /// All of them.
    pub const ALL: [RelationKind; 7] = [
        RelationKind::Parent,
        RelationKind::Child,
        RelationKind::Spouse,
        RelationKind::Guardian,
        RelationKind::Ward,
        RelationKind::HouseholdHead,
        RelationKind::HouseholdMember,
    ];

    /// What the first is to the second, when the second is this to the first.
    pub fn other_way(self) -> RelationKind {
        match self {
            RelationKind::Parent => RelationKind::Child,
            RelationKind::Child => RelationKind::Parent,
            RelationKind::Spouse => RelationKind::Spouse,
            RelationKind::Guardian => RelationKind::Ward,
            RelationKind::Ward => RelationKind::Guardian,
            RelationKind::HouseholdHead => RelationKind::HouseholdMember,
            RelationKind::HouseholdMember => RelationKind::HouseholdHead,
        }
    }

    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            RelationKind::Parent => "parent",
            RelationKind::Child => "child",
            RelationKind::Spouse => "spouse",
            RelationKind::Guardian => "guardian",
            RelationKind::Ward => "ward",
            RelationKind::HouseholdHead => "household-head",
            RelationKind::HouseholdMember => "household-member",
        }
    }

    /// The kind with this code.
    pub fn of_code(code: &str) -> Option<RelationKind> {
        RelationKind::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

impl Address {
    /// Whether nothing of it is known.
    pub fn is_empty(&self) -> bool {
        let parts = [&self.postcode, &self.region, &self.city, &self.line, &self.care_of];
        parts.into_iter().all(String::is_empty)
    }

    /// Whether it says that there is none to live at.
    pub fn is_unfixed(&self, pack: &Pack) -> bool {
        pack.person.no_fixed_address.as_ref().is_some_and(|unfixed| unfixed.written == self.line)
    }

    /// Whether a letter to it arrives somewhere.
    pub fn takes_letters(&self, pack: &Pack) -> bool {
        !self.is_empty() && (!self.is_unfixed(pack) || !self.care_of.is_empty())
    }

    /// As it is written on a letter, a line each.
    pub fn lines(&self, pack: &Pack) -> Vec<String> {
        let parts = [self.care_of_written(pack)].into_iter();
        let place = [&self.postcode, &self.region, &self.city, &self.line].into_iter().cloned();
        parts.chain(place).filter(|part| !part.is_empty()).collect()
    }

    /// With whom she is reached, as the country writes it; empty when she has a door of her own.
    pub fn care_of_written(&self, pack: &Pack) -> String {
        match &pack.person.care_of {
            Some(written) if !self.care_of.is_empty() => written.replace("{name}", &self.care_of),
            _ => self.care_of.clone(),
        }
    }
}

impl Name {
    /// Both names in the country's order.
    pub fn full(&self, pack: &Pack) -> String {
        pack.person.full_name(&self.family, &self.given)
    }

    /// Whether there is neither.
    pub fn is_empty(&self) -> bool {
        self.family.is_empty() && self.given.is_empty()
    }
}

impl PackVersion {
    /// The version that new records are made under.
    pub fn of(pack: &Pack) -> PackVersion {
        PackVersion { id: pack.id.clone(), version: pack.version }
    }
}

impl Record for Resident {
    const KIND: &'static str = "person.resident";
}

/// Personal data: the debug form names the type and tells nothing.
macro_rules! tells_nothing {
    ($($type:ident)+) => {$(
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($type), "(…)"))
            }
        }
    )+};
}
tells_nothing! { Resident Particulars Name Names Address Stay Life Standing FormerName FormerAddress Relation }

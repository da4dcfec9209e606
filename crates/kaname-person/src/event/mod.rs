//! Life events: what happens to a resident, and how her entry follows from it.
//!
//! - [`record`]: one event, once, by whoever may. It is sealed and never changed.
//! - [`filled`]: an event as it was filled in, checked.
//! - [`rules`]: her entry as it was made, and her events, folded to what she is today or was on any day. Pure.
//! - [`history`]: her events, and her entry as of a day, or as it was known then.
//! - [`photo`]: the picture, sealed on its own.
//! - [`follow`]: what an event asks of others, as a job: the other side of a relation, and the blocks that need to know.
//! - [`check`]: whether what is kept is what the events say, and whether each relation has two sides.
//!
//! The record that is kept of a resident is a cache of this fold. A mistake is never taken out: an [`Change::Annulment`] strikes
//! the event, and both stay to be seen.

use jiff::civil::Date;
use kaname_base::Instant;
use kaname_base::pack::Pack;
use kaname_trust::{Actor, PersonId, Record};
use serde::{Deserialize, Serialize};

use crate::{Address, Field, Names, PackVersion, RelationKind, Stay, serial};

pub mod check;
pub mod filled;
pub mod follow;
pub mod history;
pub mod photo;
pub mod record;
pub mod rules;
pub(crate) mod table;

pub use filled::Filled;
pub use history::{AsOf, HistoryLine, as_of, history};
pub use record::{EventAsked, NewEvent, asked_of_two, record_agreed, record_event, recorded};
pub use rules::fold;

/// A life event: what, since when, who recorded it, why, on what evidence. Sealed, and never changed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifeEvent {
    /// What happened.
    #[serde(flatten)]
    pub change: Change,
    /// The day from which it holds. An event of before there were such days holds from the day it was recorded on.
    #[serde(default, with = "serial::maybe_date", skip_serializing_if = "Option::is_none")]
    pub on: Option<Date>,
    /// When it was recorded.
    pub at: Instant,
    /// Who recorded it; with the mandate of whoever acted in her place.
    pub by: Actor,
    /// Why.
    pub why: String,
    /// What shows it.
    pub evidence: String,
    /// The pack that it was judged by.
    pub pack: PackVersion,
    /// Whether it was recorded with another resident, and this is her side of it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub other_side: bool,
}

/// What an event changes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Change {
    /// She was entered into the register.
    Registration,
    /// She was born, and so entered.
    Birth,
    /// She came from abroad, and so was entered.
    Arrival {
        /// From where.
        from: String,
    },
    /// Her number leaked, and she was given another.
    NumberReplaced,
    /// Her number is locked: it leads nobody outside the authority to her.
    NumberLocked,
    /// It is unlocked again.
    NumberUnlocked,
    /// She lives elsewhere.
    Move {
        /// Where.
        address: Address,
    },
    /// She has another name.
    ChangeOfName {
        /// The new one, in all its forms.
        names: Names,
    },
    /// She became a citizen, or her permission to stay changed.
    ChangeOfStatus {
        /// A code of the pack.
        status: String,
        /// For how long, unless she is a citizen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stay: Option<Stay>,
    },
    /// She is reached in another way.
    ChangeOfContact {
        /// Telephone.
        phone: Option<String>,
        /// Email.
        email: Option<String>,
    },
    /// There is a new photo of her. The picture is sealed on its own.
    Photo,
    /// She married.
    Marriage {
        /// Whom.
        #[serde(with = "serial::person")]
        with: PersonId,
        /// Her name since, if it changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        names: Option<Names>,
    },
    /// Her marriage ended by divorce.
    Divorce {
        /// From whom.
        #[serde(with = "serial::person")]
        from: PersonId,
        /// Her name since, if it changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        names: Option<Names>,
    },
    /// Somebody became her parent, child, guardian, ward, or belongs to her household.
    RelationBegins {
        /// What the other is to her.
        relation: RelationKind,
        /// The other.
        #[serde(with = "serial::person")]
        to: PersonId,
    },
    /// And is so no more.
    RelationEnds {
        /// What the other was to her.
        relation: RelationKind,
        /// The other.
        #[serde(with = "serial::person")]
        to: PersonId,
    },
    /// Somebody died to whom she was married, or who was her guardian, ward, or of her household.
    Bereavement {
        /// Who.
        #[serde(with = "serial::person")]
        of: PersonId,
    },
    /// She left the country.
    Emigration {
        /// For where.
        to: String,
    },
    /// She came back.
    Return {
        /// Where she lives now, if elsewhere than before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<Address>,
    },
    /// She died.
    Death,
    /// Her entry was wrong.
    Correction {
        /// What is right.
        set: Vec<Corrected>,
    },
    /// An event was recorded that did not happen, or not so. It counts for nothing any more.
    Annulment {
        /// Which one of her events, counted from 1.
        of: i64,
    },
    /// The entry is a second one of somebody, whose other entry counts.
    MergedInto {
        /// The other one.
        #[serde(with = "serial::person")]
        survivor: PersonId,
    },
    /// Another entry turned out to be hers too.
    Absorbed {
        /// The other one.
        #[serde(with = "serial::person")]
        merged: PersonId,
    },
    /// Two people were in one entry: she was taken out of somebody else's.
    SplitFrom {
        /// Whose.
        #[serde(with = "serial::person")]
        entry: PersonId,
    },
    /// Two people were in one entry: somebody else was taken out of hers.
    SplitOff {
        /// Who.
        #[serde(with = "serial::person")]
        entry: PersonId,
    },
}

/// One field, and what is right in it, in the form that [`Particulars::check`](crate::Particulars::check) gave it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corrected {
    /// Which field.
    pub field: Field,
    /// What is right.
    pub text: String,
}

/// What happened, without the details: what a list of events shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is the Change of that name, or what a relation is")]
pub enum EventKind {
    Registration,
    Birth,
    Arrival,
    NumberReplaced,
    NumberLocked,
    NumberUnlocked,
    Move,
    ChangeOfName,
    ChangeOfStatus,
    ChangeOfContact,
    Photo,
    Marriage,
    Divorce,
    Parenthood,
    Guardianship,
    Household,
    RelationEnded,
    Bereavement,
    Emigration,
    Return,
    Death,
    Correction,
    Annulment,
    Merge,
    Split,
}

impl LifeEvent {
    /// What happened.
    pub fn kind(&self) -> EventKind {
        self.change.kind()
    }

    /// The day from which it holds.
    pub fn day(&self) -> Date {
        self.on.unwrap_or_else(|| self.at.date_in("UTC"))
    }
}

impl Change {
    /// What happened, without the details.
    pub fn kind(&self) -> EventKind {
        match self {
            Change::Registration => EventKind::Registration,
            Change::Birth => EventKind::Birth,
            Change::Arrival { .. } => EventKind::Arrival,
            Change::NumberReplaced => EventKind::NumberReplaced,
            Change::NumberLocked => EventKind::NumberLocked,
            Change::NumberUnlocked => EventKind::NumberUnlocked,
            Change::Move { .. } => EventKind::Move,
            Change::ChangeOfName { .. } => EventKind::ChangeOfName,
            Change::ChangeOfStatus { .. } => EventKind::ChangeOfStatus,
            Change::ChangeOfContact { .. } => EventKind::ChangeOfContact,
            Change::Photo => EventKind::Photo,
            Change::Marriage { .. } => EventKind::Marriage,
            Change::Divorce { .. } => EventKind::Divorce,
            Change::RelationBegins { relation, .. } => match relation {
                RelationKind::Parent | RelationKind::Child => EventKind::Parenthood,
                RelationKind::Guardian | RelationKind::Ward => EventKind::Guardianship,
                RelationKind::HouseholdHead | RelationKind::HouseholdMember => EventKind::Household,
                RelationKind::Spouse => EventKind::Marriage,
            },
            Change::RelationEnds { .. } => EventKind::RelationEnded,
            Change::Bereavement { .. } => EventKind::Bereavement,
            Change::Emigration { .. } => EventKind::Emigration,
            Change::Return { .. } => EventKind::Return,
            Change::Death => EventKind::Death,
            Change::Correction { .. } => EventKind::Correction,
            Change::Annulment { .. } => EventKind::Annulment,
            Change::MergedInto { .. } | Change::Absorbed { .. } => EventKind::Merge,
            Change::SplitFrom { .. } | Change::SplitOff { .. } => EventKind::Split,
        }
    }

    /// Whether it is about her number, which is no part of her record and has events of its own.
    pub fn is_of_number(&self) -> bool {
        matches!(self, Change::NumberReplaced | Change::NumberLocked | Change::NumberUnlocked)
    }

    /// Whether it is how an entry begins. Such an event is written by [`crate::register`] alone, and cannot be annulled.
    pub fn is_beginning(&self) -> bool {
        matches!(self, Change::Registration | Change::Birth | Change::Arrival { .. })
    }

    /// The other resident whom it names.
    pub fn other(&self) -> Option<PersonId> {
        match self {
            Change::Marriage { with, .. } => Some(*with),
            Change::Divorce { from, .. } => Some(*from),
            Change::RelationBegins { to, .. } | Change::RelationEnds { to, .. } => Some(*to),
            Change::Bereavement { of } => Some(*of),
            Change::MergedInto { survivor } => Some(*survivor),
            Change::Absorbed { merged } => Some(*merged),
            Change::SplitFrom { entry } | Change::SplitOff { entry } => Some(*entry),
            _ => None,
        }
    }

    /// What the event is for the other whom it names, when `me` is whom it was recorded with.
    pub(crate) fn other_side(&self, me: PersonId) -> Option<Change> {
        match self {
            Change::Marriage { .. } => Some(Change::Marriage { with: me, names: None }),
            Change::Divorce { .. } => Some(Change::Divorce { from: me, names: None }),
            Change::RelationBegins { relation, .. } => {
                Some(Change::RelationBegins { relation: relation.other_way(), to: me })
            }
            Change::RelationEnds { relation, .. } => {
                Some(Change::RelationEnds { relation: relation.other_way(), to: me })
            }
            Change::MergedInto { .. } => Some(Change::Absorbed { merged: me }),
            Change::SplitFrom { .. } => Some(Change::SplitOff { entry: me }),
            _ => None,
        }
    }
}

impl EventKind {
    /// All of them.
    pub const ALL: [EventKind; 25] = [
        EventKind::Registration,
        EventKind::Birth,
        EventKind::Arrival,
        EventKind::NumberReplaced,
        EventKind::NumberLocked,
        EventKind::NumberUnlocked,
        EventKind::Move,
        EventKind::ChangeOfName,
        EventKind::ChangeOfStatus,
        EventKind::ChangeOfContact,
        EventKind::Photo,
        EventKind::Marriage,
        EventKind::Divorce,
        EventKind::Parenthood,
        EventKind::Guardianship,
        EventKind::Household,
        EventKind::RelationEnded,
        EventKind::Bereavement,
        EventKind::Emigration,
        EventKind::Return,
        EventKind::Death,
        EventKind::Correction,
        EventKind::Annulment,
        EventKind::Merge,
        EventKind::Split,
    ];

    /// The kind with this code.
    pub fn of_code(code: &str) -> Option<EventKind> {
        EventKind::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            EventKind::Registration => "registration",
            EventKind::Birth => "birth",
            EventKind::Arrival => "arrival",
            EventKind::NumberReplaced => "number-replaced",
            EventKind::NumberLocked => "number-locked",
            EventKind::NumberUnlocked => "number-unlocked",
            EventKind::Move => "move",
            EventKind::ChangeOfName => "change-of-name",
            EventKind::ChangeOfStatus => "change-of-status",
            EventKind::ChangeOfContact => "change-of-contact",
            EventKind::Photo => "photo",
            EventKind::Marriage => "marriage",
            EventKind::Divorce => "divorce",
            EventKind::Parenthood => "parenthood",
            EventKind::Guardianship => "guardianship",
            EventKind::Household => "household",
            EventKind::RelationEnded => "relation-ended",
            EventKind::Bereavement => "bereavement",
            EventKind::Emigration => "emigration",
            EventKind::Return => "return",
            EventKind::Death => "death",
            EventKind::Correction => "correction",
            EventKind::Annulment => "annulment",
            EventKind::Merge => "merge",
            EventKind::Split => "split",
        }
    }
}

impl Record for LifeEvent {
    const KIND: &'static str = "person.event";
}

/// The purpose for which an event's record is opened: to correct a mistake, or to keep the register.
pub(crate) fn purpose_of(change: &Change) -> &'static str {
    match change {
        Change::Correction { .. }
        | Change::Annulment { .. }
        | Change::MergedInto { .. }
        | Change::Absorbed { .. }
        | Change::SplitFrom { .. }
        | Change::SplitOff { .. } => "correction",
        _ => "registration",
    }
}

/// The legal basis of a purpose, in the country's first language, as the access log keeps it.
pub(crate) fn basis<'p>(pack: &'p Pack, purpose: &str) -> &'p str {
    pack.purpose(purpose).map_or("", |known| known.legal_basis.get(&pack.default_language().tag))
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// Personal data: the debug form names the kind and the day.
impl std::fmt::Debug for LifeEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LifeEvent({} {})", self.kind().code(), self.day())
    }
}

/// Personal data: the debug form names the kind.
impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Change({})", self.kind().code())
    }
}

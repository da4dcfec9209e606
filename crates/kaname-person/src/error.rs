//! How the register says no, and how it fails.

use kaname_store::StoreError;
use kaname_trust::TrustError;

use crate::Fault;
use crate::policy::Action;

/// The answer is no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// What was entered breaks a rule of the country.
    #[error(transparent)]
    Invalid(#[from] Fault),
    /// There is no such resident, or none that the caller may know of.
    #[error("there is no such resident")]
    NoSuchResident,
    /// A person with this reference is registered, with other data.
    #[error("registered with other data; use a correction")]
    OtherData,
    /// Somebody who is in the register looks like the person, and no officer has decided that they are two.
    #[error("somebody who is here looks like this person; look at both and decide")]
    LooksLikeSomebody,
    /// An officer decides on what an agency handed in. Of whom it may be about, the agency is told nothing.
    #[error("an officer decides on this registration; have the person come to a counter")]
    OfficerDecides,
    /// Every number of the country's scheme was given out.
    #[error("every number of the scheme was given out")]
    NumbersUsedUp,
    /// The country has no alias numbers, or none of this kind.
    #[error("the country has no alias numbers of this kind")]
    NoAliases,
    /// There is no such alias, or it is not this person's.
    #[error("there is no such alias number")]
    NoSuchAlias,
    /// She has as many as one may have.
    #[error("there are as many alias numbers as one person may have; take one back first")]
    TooManyAliases,
    /// A temporary alias without a last day, with one that is past or too far; or a last day for one that has none.
    #[error(
        "a temporary alias number needs a last day, from today to {longest_days} days ahead; others have none"
    )]
    AliasPeriod {
        /// The most days that the country allows.
        longest_days: u16,
    },
    /// An event was to be recorded with a day that is still to come.
    #[error("an event that is still to come cannot be recorded")]
    EventInFuture,
    /// An event lies before the date of birth.
    #[error("the event lies before the date of birth")]
    EventBeforeBirth,
    /// What was to be recorded cannot happen to somebody who died before that day.
    #[error("she died before that day")]
    AfterDeath,
    /// An event that is recorded with a later day could not have followed this one.
    #[error("a later event that is recorded already could not have followed")]
    LaterEvent,
    /// The new address is the one that is recorded.
    #[error("she lives at this address already")]
    SameAddress,
    /// The record says so already.
    #[error("it would change nothing")]
    NothingChanges,
    /// The event cannot happen to somebody who lives abroad.
    #[error("she lives abroad")]
    NotHere,
    /// Somebody who did not leave cannot return.
    #[error("she did not leave")]
    NotAway,
    /// The relation is recorded already.
    #[error("the two are so related already")]
    AlreadyRelated,
    /// There is no such relation that could end.
    #[error("the two are not so related")]
    NotRelated,
    /// The other person of a relation is not in the register.
    #[error("there is no such other resident")]
    UnknownRelation,
    /// Both persons of a relation are one.
    #[error("nobody is related to herself")]
    RelatedToHerself,
    /// The entry is a second one of somebody whose other entry counts.
    #[error("the entry was a second one, and another counts")]
    EntryMerged,
    /// There is no event with this number, or it was annulled already.
    #[error("there is no such event that counts")]
    NoSuchEvent,
    /// How an entry begins, a replaced number and an annulment cannot be annulled.
    #[error("such an event cannot be annulled")]
    EventStands,
    /// Registrations, photos, merges and splits are not recorded as single events.
    #[error("such an event has a way of its own")]
    RecordedOtherwise,
    /// An agency asks for events that are no longer kept.
    #[error(
        "events up to number {up_to} are no longer kept: read anew whom you know, and go on after {up_to}"
    )]
    EventsGone {
        /// The last place that is gone.
        up_to: i64,
    },
    /// A request was sent twice with different contents.
    #[error("this request recorded something else")]
    RequestReused,
    /// Not a picture of a face's size.
    #[error("the photo must be a JPEG or PNG file of at most 256 KiB, with sides of 100 to 4000 dots")]
    BadPhoto,
    /// There is no such mandate, or it is not this person's.
    #[error("there is no such mandate")]
    NoSuchMandate,
    /// The mandate was ended, has run out, or does not hold yet.
    #[error("the mandate does not hold, or not any more")]
    MandateOver,
    /// The country has no such mandate, or not with this scope, this period or at this age.
    #[error("the country allows no mandate of this kind with this scope and period")]
    MandateTerms,
    /// Nobody can be her own delegate.
    #[error("nobody acts for herself under a mandate")]
    SamePerson,
    /// A second officer is asked for, and it was the same one.
    #[error("another officer has to do this")]
    SameOfficer,
    /// There is no such enrolment kit.
    #[error("there is no such enrolment kit")]
    NoSuchKit,
    /// The kit was revoked, or its officer may not register people any more.
    #[error("the enrolment kit was revoked, or its officer has left")]
    KitRevoked,
    /// A packet was made outside its kit's days, or comes in too late.
    #[error("the packet was made outside the days of its kit, or comes in too late")]
    KitExpired,
    /// A kit for no day, or for too many.
    #[error("an enrolment kit is for 1 to {} days", crate::enrol::kit::LONGEST_DAYS)]
    KitPeriod,
    /// A packet whose form, signature or seal is not right.
    #[error("the packet is damaged, or is not of this kit")]
    PacketBroken,
    /// Two packets of a kit have the same place in its count.
    #[error("another packet of the kit has the same number: somebody has a copy of the kit")]
    PacketCounter,
    /// There is no proposal with this id.
    #[error("there is no such proposal")]
    NoSuchProposal,
    /// The proposal was decided already.
    #[error("it was decided already")]
    ProposalDecided,
    /// The country asks for four eyes: another officer must decide than the one who proposed it.
    #[error("another officer must decide than the one who proposed it")]
    SecondOfficer,
    /// An act about somebody without a reason, or with nothing that shows it.
    #[error("say why, and what shows it: neither may be empty")]
    ReasonMissing,
    /// The holder has such a mandate for the person already.
    #[error("there is such a mandate already; end that one first")]
    MandateThere,
    /// What was not merged cannot be unmerged.
    #[error("the entry was not merged into another, or not since then")]
    NotMerged,
    /// The same act about the same entry waits for its decision.
    #[error("the same is proposed already, and waits for its decision")]
    ProposedAlready,
    /// A move that gives a part of an address: the rest of it would be lost.
    #[error("a move gives the whole address: give {missing} too, or mend one part with a correction")]
    AddressInPart {
        /// The parts that she has now and that were not given, with commas.
        missing: String,
    },
    /// The other person of a relation had died before that day.
    #[error("the other had died before that day")]
    OtherDead,
    /// Somebody was too young on that day to marry, or to be a guardian.
    #[error("one of the two was too young for it on that day")]
    TooYoung,
    /// One of two who are to marry was married to as many as the country allows.
    #[error("one of the two was married to somebody else on that day")]
    MarriedAlready,
    /// A parent who was born after the child.
    #[error("a parent is not younger than the child")]
    ParentYounger,
    /// A parent and a child who are to marry, or spouses who are to be parent and child.
    #[error("parent and child are not married to each other")]
    CloseKin,
    /// A record was asked for as of a day that is still to come.
    #[error("nothing is known of a day that is still to come")]
    DayToCome,
    /// A record was asked for as of a day before the register knew her.
    #[error("the register knows her since {since}")]
    NotKnownThen {
        /// The first day of which anything is known, or on which anything was.
        since: jiff::civil::Date,
    },
    /// The role does not allow the action.
    #[error("{role} may not {action}")]
    NotAllowed {
        /// In which role it was tried.
        role: String,
        /// What was tried.
        action: Action,
    },
    /// A purpose that the country's pack does not have, or not for this party.
    #[error("no law or consent of this country allows a reading for this purpose")]
    UnknownPurpose,
    /// A role that the country's pack does not have.
    #[error("the country has no such role")]
    UnknownRole,
    /// An act at the counter without a session at the counter.
    #[error("this is done in a session at the counter, and none is open")]
    CounterNeeded,
    /// A page of a session at the counter that is over.
    #[error("this page belongs to a session at the counter that is over")]
    CounterOver,
    /// The country asks two officers for this.
    #[error("another officer has to approve this first")]
    TwoOfficers,
    /// An office that the country's pack does not have.
    #[error("the country has no such office")]
    UnknownOffice,
    /// A role that officers of the office do not have.
    #[error("officers of this office do not have this role")]
    RoleNotInOffice,
    /// There is no such officer.
    #[error("there is no such officer")]
    NoSuchOfficer,
    /// Who names an officer by command line must show her key.
    #[error("this is not the officer's key, or she has none")]
    OfficerKeyWrong,
    /// The mapping file is wrong.
    #[error("the mapping does not fit: {0}")]
    Mapping(String),
    /// The import file, or the file for the rejects, cannot be used.
    #[error("{0}")]
    File(String),
    /// The agency is not registered for what it asks.
    #[error("the agency is not registered for this")]
    NotForAgency,
    /// A source of outside records that the country's pack does not have.
    #[error("the country links no records of this source")]
    UnknownSource,
    /// There is no such link, or none that leads the caller anywhere.
    #[error("there is no such link")]
    NoSuchLink,
    /// The link is in a state in which this cannot be done.
    #[error("the link is {0}")]
    LinkState(crate::link::LinkState),
    /// Somebody would judge what they decided themselves.
    #[error("another officer must decide this: nobody judges their own decision")]
    OwnDecision,
    /// There is no such case, or it was decided already.
    #[error("there is no such case, or it was decided already")]
    NoSuchCase,
    /// The person is not one of those who come into question.
    #[error("this resident is not one of the candidates")]
    NoSuchCandidate,
    /// There is no such finding of the audit, or it was settled already.
    #[error("there is no such finding, or it was settled already")]
    NoSuchFinding,
    /// The person has as many records of this source as one may have.
    #[error("she has as many records of this source as a person may have")]
    HasOne,
    /// There is one with this id.
    #[error("there is one with this id")]
    FileThere,
    /// The register keeps this: it changes by life events and decisions of officers only.
    #[error("the register keeps this: it changes by life events and decisions of officers only")]
    RegisterKeeps,
    /// There are too many of them.
    #[error("there are too many of them")]
    TooMany,
    /// An id has from 1 to 256 bytes.
    #[error("an id has from 1 to 256 bytes")]
    IdForm,
    /// The enrolment is finished, and nothing of it changes any more.
    #[error("the enrolment is finished, and nothing of it changes any more")]
    EnrolmentFinished,
    /// Nobody may vouch for a person without papers here, or not this one.
    #[error("the country lets nobody vouch here, or not this introducer")]
    NoIntroducer,
    /// The introducer has vouched for as many people this year as one may.
    #[error("the introducer has vouched for as many people this year as one may")]
    TooManyIntroduced,
    /// Another process is importing the same file.
    #[error("another process is importing this file at this moment")]
    ImportRuns,
}

impl Refusal {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Invalid(fault) => fault.reason.code(),
            Refusal::NoSuchResident => "no-such-resident",
            Refusal::OtherData => "other-data",
            Refusal::LooksLikeSomebody => "looks-like-somebody",
            Refusal::OfficerDecides => "officer-decides",
            Refusal::NumbersUsedUp => "numbers-used-up",
            Refusal::NoAliases => "no-aliases",
            Refusal::NoSuchAlias => "no-such-alias",
            Refusal::TooManyAliases => "too-many-aliases",
            Refusal::AliasPeriod { .. } => "alias-period",
            Refusal::EventInFuture => "event-in-future",
            Refusal::EventBeforeBirth => "event-before-birth",
            Refusal::AfterDeath => "after-death",
            Refusal::LaterEvent => "later-event",
            Refusal::SameAddress => "same-address",
            Refusal::NothingChanges => "nothing-changes",
            Refusal::NotHere => "not-here",
            Refusal::NotAway => "not-away",
            Refusal::AlreadyRelated => "already-related",
            Refusal::NotRelated => "not-related",
            Refusal::UnknownRelation => "unknown-relation",
            Refusal::RelatedToHerself => "related-to-herself",
            Refusal::EntryMerged => "entry-merged",
            Refusal::NoSuchEvent => "no-such-event",
            Refusal::EventStands => "event-stands",
            Refusal::RecordedOtherwise => "recorded-otherwise",
            Refusal::EventsGone { .. } => "events-gone",
            Refusal::RequestReused => "request-reused",
            Refusal::BadPhoto => "bad-photo",
            Refusal::NoSuchMandate => "no-such-mandate",
            Refusal::MandateOver => "mandate-over",
            Refusal::MandateTerms => "mandate-terms",
            Refusal::SamePerson => "same-person",
            Refusal::SameOfficer => "same-officer",
            Refusal::NoSuchKit => "no-such-kit",
            Refusal::KitRevoked => "kit-revoked",
            Refusal::KitExpired => "kit-expired",
            Refusal::KitPeriod => "kit-period",
            Refusal::PacketBroken => "packet-broken",
            Refusal::PacketCounter => "packet-counter",
            Refusal::NoSuchProposal => "no-such-proposal",
            Refusal::ProposalDecided => "proposal-decided",
            Refusal::SecondOfficer => "second-officer",
            Refusal::ReasonMissing => "reason-missing",
            Refusal::MandateThere => "mandate-there",
            Refusal::NotMerged => "not-merged",
            Refusal::ProposedAlready => "proposed-already",
            Refusal::AddressInPart { .. } => "address-in-part",
            Refusal::OtherDead => "other-dead",
            Refusal::TooYoung => "too-young",
            Refusal::MarriedAlready => "married-already",
            Refusal::ParentYounger => "parent-younger",
            Refusal::CloseKin => "close-kin",
            Refusal::DayToCome => "day-to-come",
            Refusal::NotKnownThen { .. } => "not-known-then",
            Refusal::NotAllowed { .. } => "not-allowed",
            Refusal::UnknownPurpose => "unknown-purpose",
            Refusal::UnknownRole => "unknown-role",
            Refusal::CounterNeeded => "counter-needed",
            Refusal::CounterOver => "counter-over",
            Refusal::TwoOfficers => "two-officers",
            Refusal::UnknownOffice => "unknown-office",
            Refusal::RoleNotInOffice => "role-not-in-office",
            Refusal::NoSuchOfficer => "no-such-officer",
            Refusal::OfficerKeyWrong => "officer-key-wrong",
            Refusal::Mapping(_) => "mapping",
            Refusal::File(_) => "file",
            Refusal::NotForAgency => "not-for-agency",
            Refusal::UnknownSource => "unknown-source",
            Refusal::NoSuchLink => "no-such-link",
            Refusal::LinkState(_) => "link-state",
            Refusal::OwnDecision => "own-decision",
            Refusal::NoSuchCase => "no-such-case",
            Refusal::NoSuchCandidate => "no-such-candidate",
            Refusal::HasOne => "has-one",
            Refusal::NoSuchFinding => "no-such-finding",
            Refusal::FileThere => "file-there",
            Refusal::RegisterKeeps => "register-keeps",
            Refusal::TooMany => "too-many",
            Refusal::IdForm => "id-form",
            Refusal::EnrolmentFinished => "enrolment-finished",
            Refusal::NoIntroducer => "no-introducer",
            Refusal::TooManyIntroduced => "too-many-introduced",
            Refusal::ImportRuns => "import-runs",
        }
    }
}

/// Why the register did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    /// The answer is no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A key or a seal failed.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Fault> for PersonError {
    fn from(fault: Fault) -> PersonError {
        PersonError::Refused(Refusal::Invalid(fault))
    }
}

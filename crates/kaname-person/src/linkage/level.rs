//! What is compared, and how far it can agree.
//!
//! For counting and for tables a level and how common the value is share one code of six bits, so that all fields of a pair fit into
//! one number, the [`Pattern`].

use std::fmt;

/// A thing that two records are compared in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Field {
    /// The given name.
    Given = 0,
    /// The family name.
    Family = 1,
    /// Middle names.
    Middle = 2,
    /// The date of birth.
    Born = 3,
    /// The sex.
    Sex = 4,
    /// The place of birth.
    Birthplace = 5,
    /// House, street, town and postcode together: they move together, and so are one piece of evidence.
    Address = 6,
    /// The telephone.
    Phone = 7,
    /// A number of the source's own, where both have one.
    Id = 8,
    /// The email address.
    Email = 9,
}

impl Field {
    /// All of them.
    pub const ALL: [Field; 10] = [
        Field::Given,
        Field::Family,
        Field::Middle,
        Field::Born,
        Field::Sex,
        Field::Birthplace,
        Field::Address,
        Field::Phone,
        Field::Id,
        Field::Email,
    ];

    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Field::Given => "given-name",
            Field::Family => "family-name",
            Field::Middle => "middle-name",
            Field::Born => "birth-date",
            Field::Sex => "sex",
            Field::Birthplace => "birthplace",
            Field::Address => "address",
            Field::Phone => "phone",
            Field::Id => "id",
            Field::Email => "email",
        }
    }
}

/// How far two values of a field agree. Not every level is one of every field.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Level {
    /// Neither record has it.
    Absent,
    /// Only one record has it.
    OneSided,
    /// They are different.
    Differs,
    /// One of several words agrees.
    Part,
    /// One is the first letter of the other.
    Initial,
    /// One is a short form of the other: a nickname, or its beginning.
    Short,
    /// Two slips of the pen.
    Near,
    /// The same consonants: spellings of one name across scripts.
    Consonants,
    /// One slip of the pen: a letter or digit changed, added, left out, or swapped with its neighbour.
    Slip,
    /// Spelled otherwise, and heard alike.
    Sound,
    /// Family and given name have changed places.
    Swapped,
    /// The same.
    Same,
    /// The same year only.
    Year,
    /// The same day and month, in another year.
    OtherYear,
    /// The year of another era.
    Era,
    /// One year or ten off.
    YearSlip,
    /// The first of January of the same year.
    NewYear,
    /// Another month.
    OtherMonth,
    /// Another day of the month.
    OtherDay,
    /// Day and month have changed places.
    DayMonth,
    /// What is known of both agrees, and a part of one is not known.
    KnownPart,
    /// The same town only.
    Town,
    /// The same postcode, another street.
    Postcode,
    /// The same street, another house.
    Street,
    /// A street that differs by a slip, another house or none.
    StreetNear,
    /// The same street; one record has no house number.
    NoHouse,
    /// The same street; the house number differs by a slip.
    HouseSlip,
    /// The same house; the street differs by a slip.
    StreetSlip,
    /// The same house and street in another town.
    OtherTown,
}

/// How common a value is, as a code: the number of times that a register must be halved to reach its share.
pub(crate) const UNKNOWN_SHARE: u8 = 13;
/// The first code of [`Level::Same`]; the share of the value is added to it.
pub(crate) const SAME: u8 = 32;
/// How many codes a field has.
pub(crate) const CODES: usize = 64;

/// How rare the rarer of two values is that are not the same: 0 hardly anybody else has it, 1 rare, 2 common.
pub(crate) type Rarity = u8;

pub(crate) const ABSENT: u8 = 0;
pub(crate) const ONE_SIDED: u8 = 1;
pub(crate) const DIFFERS: u8 = 2;

/// Codes of names and places, in the order of what they are worth.
pub(crate) mod name {
    pub(crate) const PART: u8 = 3;
    pub(crate) const INITIAL: u8 = 4;
    pub(crate) const SHORT: u8 = 5;
    pub(crate) const NEAR: u8 = 8;
    pub(crate) const CONSONANTS: u8 = 11;
    pub(crate) const SLIP: u8 = 14;
    pub(crate) const SOUND: u8 = 17;
    pub(crate) const SWAPPED: u8 = 20;
}

/// Codes of dates.
pub(crate) mod born {
    pub(crate) const YEAR: u8 = 3;
    pub(crate) const OTHER_YEAR: u8 = 4;
    pub(crate) const ERA: u8 = 5;
    pub(crate) const YEAR_SLIP: u8 = 6;
    pub(crate) const NEW_YEAR: u8 = 7;
    pub(crate) const OTHER_MONTH: u8 = 8;
    pub(crate) const OTHER_DAY: u8 = 9;
    pub(crate) const DAY_MONTH: u8 = 10;
    pub(crate) const KNOWN_PART: u8 = 11;
}

/// Codes of addresses.
pub(crate) mod address {
    pub(crate) const TOWN: u8 = 3;
    pub(crate) const POSTCODE: u8 = 6;
    pub(crate) const STREET: u8 = 7;
    pub(crate) const STREET_NEAR: u8 = 8;
    pub(crate) const NO_HOUSE: u8 = 9;
    pub(crate) const HOUSE_SLIP: u8 = 10;
    pub(crate) const STREET_SLIP: u8 = 11;
    pub(crate) const OTHER_TOWN: u8 = 12;
}

impl Level {
    /// The level that a code of `field` stands for.
    pub(crate) fn of(field: Field, code: u8) -> Level {
        match (field, code) {
            (_, ABSENT) => Level::Absent,
            (_, ONE_SIDED) => Level::OneSided,
            (_, DIFFERS) => Level::Differs,
            (_, SAME..) => Level::Same,
            (Field::Born, born::YEAR) => Level::Year,
            (Field::Born, born::OTHER_YEAR) => Level::OtherYear,
            (Field::Born, born::ERA) => Level::Era,
            (Field::Born, born::YEAR_SLIP) => Level::YearSlip,
            (Field::Born, born::NEW_YEAR) => Level::NewYear,
            (Field::Born, born::OTHER_MONTH) => Level::OtherMonth,
            (Field::Born, born::OTHER_DAY) => Level::OtherDay,
            (Field::Born, born::DAY_MONTH) => Level::DayMonth,
            (Field::Born, _) => Level::KnownPart,
            (Field::Address, address::TOWN | 4 | 5) => Level::Town,
            (Field::Address, address::POSTCODE) => Level::Postcode,
            (Field::Address, address::STREET) => Level::Street,
            (Field::Address, address::STREET_NEAR) => Level::StreetNear,
            (Field::Address, address::NO_HOUSE) => Level::NoHouse,
            (Field::Address, address::HOUSE_SLIP) => Level::HouseSlip,
            (Field::Address, address::STREET_SLIP) => Level::StreetSlip,
            (Field::Address, _) => Level::OtherTown,
            (_, name::PART) => Level::Part,
            (_, name::INITIAL) => Level::Initial,
            (_, name::SHORT..=7) => Level::Short,
            (_, name::NEAR..=10) => Level::Near,
            (_, name::CONSONANTS..=13) => Level::Consonants,
            (_, name::SLIP..=16) => Level::Slip,
            (_, name::SOUND..=19) => Level::Sound,
            _ => Level::Swapped,
        }
    }

    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Level::Absent => "absent",
            Level::OneSided => "one-sided",
            Level::Differs => "differs",
            Level::Part => "part",
            Level::Initial => "initial",
            Level::Short => "short",
            Level::Near => "near",
            Level::Consonants => "consonants",
            Level::Slip => "slip",
            Level::Sound => "sound",
            Level::Swapped => "swapped",
            Level::Same => "same",
            Level::Year => "year",
            Level::OtherYear => "other-year",
            Level::Era => "era",
            Level::YearSlip => "year-slip",
            Level::NewYear => "new-year",
            Level::OtherMonth => "other-month",
            Level::OtherDay => "other-day",
            Level::DayMonth => "day-month",
            Level::KnownPart => "known-part",
            Level::Town => "town",
            Level::Postcode => "postcode",
            Level::Street => "street",
            Level::StreetNear => "street-near",
            Level::NoHouse => "no-house",
            Level::HouseSlip => "house-slip",
            Level::StreetSlip => "street-slip",
            Level::OtherTown => "other-town",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// How two records agree in every field: six bits each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub(crate) struct Pattern(pub(crate) u64);

impl Pattern {
    pub(crate) fn with(self, field: Field, code: u8) -> Pattern {
        Pattern(self.0 | u64::from(code) << (field as u32 * 6))
    }

    pub(crate) fn code(self, field: Field) -> u8 {
        (self.0 >> (field as u32 * 6)) as u8 & 63
    }
}

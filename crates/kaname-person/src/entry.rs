//! An entry: what somebody filled in, or a row of a file, and what can be wrong with it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What somebody filled in, or a row of a file: one text for each [`Field`]. Nothing of it is checked yet.
#[derive(Clone, Copy, Default)]
#[expect(missing_docs, reason = "each field is the column of that name in our own import file")]
pub struct Entry<'a> {
    pub reference: &'a str,
    pub family_name: &'a str,
    pub given_name: &'a str,
    pub family_reading: &'a str,
    pub given_reading: &'a str,
    pub family_latin: &'a str,
    pub given_latin: &'a str,
    pub former_family_name: &'a str,
    pub former_given_name: &'a str,
    pub birth_date: &'a str,
    pub sex: &'a str,
    pub status: &'a str,
    pub stay_from: &'a str,
    pub stay_until: &'a str,
    pub birth_place: &'a str,
    pub postcode: &'a str,
    pub region: &'a str,
    pub city: &'a str,
    pub address: &'a str,
    pub care_of: &'a str,
    pub address_since: &'a str,
    pub phone: &'a str,
    pub email: &'a str,
}

/// A field of an entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the field of Entry with that name")]
pub enum Field {
    Reference,
    FamilyName,
    GivenName,
    FamilyReading,
    GivenReading,
    FamilyLatin,
    GivenLatin,
    FormerFamilyName,
    FormerGivenName,
    BirthDate,
    Sex,
    Status,
    StayFrom,
    StayUntil,
    BirthPlace,
    Postcode,
    Region,
    City,
    Address,
    CareOf,
    AddressSince,
    Phone,
    Email,
}

/// One thing that is wrong with an entry. It names the field and the rule, never what was entered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct Fault {
    /// Which field.
    pub field: Field,
    /// Which rule.
    pub reason: Reason,
}

/// The rule that an entry breaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Reason {
    /// Empty, and needed.
    #[error("it is missing")]
    Missing,
    /// Neither a family nor a given name.
    #[error("there is neither a family nor a given name")]
    MissingName,
    /// Too many characters.
    #[error("it has more than {0} characters")]
    TooLong(usize),
    /// A control character, or a mark that turns the direction of the text around.
    #[error("it holds a character that cannot be seen")]
    ControlCharacter,
    /// A stand-in for a character that could not be written.
    #[error("it holds a stand-in (such as 〓 or a private character) where the character itself should be")]
    Placeholder,
    /// It starts with a character that makes a spreadsheet take it for a formula.
    #[error("it starts with a character that a spreadsheet takes for a formula (= + - @ or a tab)")]
    Formula,
    /// Not a date in the form that was agreed.
    #[error("it is not a date of the agreed form")]
    DateForm,
    /// A day that the calendar does not have.
    #[error("there is no such day in the calendar")]
    NoSuchDay,
    /// A date of birth that is still to come.
    #[error("it lies in the future")]
    InFuture,
    /// A date before the date of birth.
    #[error("it lies before the date of birth")]
    BeforeBirth,
    /// An end before the beginning.
    #[error("it ends before it begins")]
    EndsBeforeStart,
    /// A citizen may stay for ever.
    #[error("a citizen has no period of stay")]
    NotForCitizens,
    /// A code that the country does not have.
    #[error("it is not one of the country's codes")]
    UnknownCode,
    /// A reading in another script than katakana.
    #[error("it is not written in katakana")]
    NotKana,
    /// Another script than Latin.
    #[error("it is not written in Latin letters")]
    NotLatin,
    /// A form of the name that the country does not record.
    #[error("the country does not record it")]
    NotRecorded,
    /// Not a telephone number.
    #[error("it is not a telephone number")]
    NotPhone,
    /// Not an email address.
    #[error("it is not an email address")]
    NotEmail,
}

impl<'a> Entry<'a> {
    /// Sets one field.
    pub fn set(&mut self, field: Field, text: &'a str) {
        *self.place(field) = text;
    }

    fn place(&mut self, field: Field) -> &mut &'a str {
        match field {
            Field::Reference => &mut self.reference,
            Field::FamilyName => &mut self.family_name,
            Field::GivenName => &mut self.given_name,
            Field::FamilyReading => &mut self.family_reading,
            Field::GivenReading => &mut self.given_reading,
            Field::FamilyLatin => &mut self.family_latin,
            Field::GivenLatin => &mut self.given_latin,
            Field::FormerFamilyName => &mut self.former_family_name,
            Field::FormerGivenName => &mut self.former_given_name,
            Field::BirthDate => &mut self.birth_date,
            Field::Sex => &mut self.sex,
            Field::Status => &mut self.status,
            Field::StayFrom => &mut self.stay_from,
            Field::StayUntil => &mut self.stay_until,
            Field::BirthPlace => &mut self.birth_place,
            Field::Postcode => &mut self.postcode,
            Field::Region => &mut self.region,
            Field::City => &mut self.city,
            Field::Address => &mut self.address,
            Field::CareOf => &mut self.care_of,
            Field::AddressSince => &mut self.address_since,
            Field::Phone => &mut self.phone,
            Field::Email => &mut self.email,
        }
    }
}

impl Field {
    /// All of them, in the order of our own import file.
    pub const ALL: [Field; 23] = [
        Field::Reference,
        Field::FamilyName,
        Field::GivenName,
        Field::FamilyReading,
        Field::GivenReading,
        Field::FamilyLatin,
        Field::GivenLatin,
        Field::FormerFamilyName,
        Field::FormerGivenName,
        Field::BirthDate,
        Field::Sex,
        Field::Status,
        Field::StayFrom,
        Field::StayUntil,
        Field::BirthPlace,
        Field::Postcode,
        Field::Region,
        Field::City,
        Field::Address,
        Field::CareOf,
        Field::AddressSince,
        Field::Phone,
        Field::Email,
    ];

    /// The field whose column has this name.
    pub fn of_name(name: &str) -> Option<Field> {
        Field::ALL.into_iter().find(|field| field.name() == name)
    }

    /// The column's name in our own import file.
    pub fn name(self) -> &'static str {
        match self {
            Field::Reference => "reference",
            Field::FamilyName => "family_name",
            Field::GivenName => "given_name",
            Field::FamilyReading => "family_reading",
            Field::GivenReading => "given_reading",
            Field::FamilyLatin => "family_latin",
            Field::GivenLatin => "given_latin",
            Field::FormerFamilyName => "former_family_name",
            Field::FormerGivenName => "former_given_name",
            Field::BirthDate => "birth_date",
            Field::Sex => "sex",
            Field::Status => "status",
            Field::StayFrom => "stay_from",
            Field::StayUntil => "stay_until",
            Field::BirthPlace => "birth_place",
            Field::Postcode => "postcode",
            Field::Region => "region",
            Field::City => "city",
            Field::Address => "address",
            Field::CareOf => "care_of",
            Field::AddressSince => "address_since",
            Field::Phone => "phone",
            Field::Email => "email",
        }
    }

    /// A fault of this field.
    pub fn fault(self, reason: Reason) -> Fault {
        Fault { field: self, reason }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Reason {
    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Reason::Missing => "missing",
            Reason::MissingName => "missing-name",
            Reason::TooLong(_) => "too-long",
            Reason::ControlCharacter => "control-character",
            Reason::Placeholder => "placeholder",
            Reason::Formula => "formula",
            Reason::DateForm => "date-form",
            Reason::NoSuchDay => "no-such-day",
            Reason::InFuture => "in-future",
            Reason::BeforeBirth => "before-birth",
            Reason::EndsBeforeStart => "ends-before-start",
            Reason::NotForCitizens => "not-for-citizens",
            Reason::UnknownCode => "unknown-code",
            Reason::NotKana => "not-kana",
            Reason::NotLatin => "not-latin",
            Reason::NotRecorded => "not-recorded",
            Reason::NotPhone => "not-a-phone",
            Reason::NotEmail => "not-an-email",
        }
    }
}

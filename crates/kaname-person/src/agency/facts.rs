//! What can be asked of a person's record, by the names that the interfaces use, and what it is worth.

use jiff::civil::Date;
use kaname_base::pack::Pack;
use kaname_base::time::BirthDate;
use unicode_normalization::UnicodeNormalization;

use crate::resident::{Name, Particulars};

/// A value of a person's record.
#[derive(Clone, PartialEq, Eq)]
pub enum Fact {
    /// A text. Dates are written as in ISO 8601, with what is not known left out: `1980-04`.
    Text(String),
    /// Yes or no.
    Flag(bool),
}

/// Something that an interface calls by a name: the name, and the attribute of the pack that it belongs to.
pub struct Known {
    /// As the interface writes it.
    pub name: &'static str,
    /// The pack's attribute, for which an agency is registered or not.
    pub attribute: &'static str,
}

/// The agency's own name for the person: whoever asked may know it.
pub const PERSON_ID: &str = "personId";
/// The number: needs a scope of its own.
pub const UIN: &str = "uin";

/// The names of OSIA (camel case, as its examples write them), and those of the pack's attributes.
const KNOWN: &[Known] = &[
    known("firstName", "name"),
    known("givenName", "name"),
    known("lastName", "name"),
    known("familyName", "name"),
    known("fullName", "name"),
    known("name", "name"),
    known("nameReading", "name_reading"),
    known("nameLatin", "name_latin"),
    known("dateOfBirth", "birth_date"),
    known("birth_date", "birth_date"),
    known("ageOver18", "age_over_18"),
    known("age_over_18", "age_over_18"),
    known("ageOver65", "age_over_65"),
    known("age_over_65", "age_over_65"),
    known("gender", "sex"),
    known("sex", "sex"),
    known("residenceStatus", "status"),
    known("status", "status"),
    known("address", "address"),
    known("addressLine", "address"),
    known("careOf", "address"),
    known("city", "address"),
    known("region", "address"),
    known("postalCode", "postcode"),
    known("postcode", "postcode"),
    known("phoneNumber", "phone"),
    known("phone", "phone"),
    known("email", "email"),
];

const fn known(name: &'static str, attribute: &'static str) -> Known {
    Known { name, attribute }
}

/// What is called `name`.
pub fn find(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name == name)
}

/// All names, for the description of an interface.
pub fn names() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|known| known.name)
}

/// The value of `known` in a record; none where it is not recorded.
pub fn value(known: &Known, of: &Particulars, pack: &Pack, today: Date) -> Option<Fact> {
    let text = |text: &str| (!text.is_empty()).then(|| Fact::Text(text.to_owned()));
    let full = |name: &Name| text(&name.full(pack));
    let place = &of.address;
    match known.name {
        "firstName" | "givenName" => text(&of.name.given),
        "lastName" | "familyName" => text(&of.name.family),
        "fullName" | "name" => full(&of.name),
        "nameReading" => of.reading.as_ref().and_then(full),
        "nameLatin" => of.latin.as_ref().and_then(full),
        "dateOfBirth" | "birth_date" => text(&of.born.to_string()),
        "ageOver18" | "age_over_18" => Some(Fact::Flag(is_over(&of.born, 18, today))),
        "ageOver65" | "age_over_65" => Some(Fact::Flag(is_over(&of.born, 65, today))),
        "gender" | "sex" => text(&of.sex),
        "residenceStatus" | "status" => text(&of.status),
        "address" => text(&place.lines(pack).join(" ")),
        "addressLine" => text(&place.line),
        "careOf" => text(&place.care_of),
        "city" => text(&place.city),
        "region" => text(&place.region),
        "postalCode" | "postcode" => text(&place.postcode),
        "phoneNumber" | "phone" => text(of.phone.as_deref().unwrap_or_default()),
        "email" => text(of.email.as_deref().unwrap_or_default()),
        _ => None,
    }
}

/// Whether somebody has had her birthday number `years`; by the last day it can be where the day is not known.
fn is_over(born: &BirthDate, years: i16, today: Date) -> bool {
    let (month, day) = (born.month().unwrap_or(12), born.day().unwrap_or(31));
    (today.year() - born.year(), today.month(), today.day()) >= (years, month, day)
}

impl Fact {
    /// Whether somebody who says `said` says this. Case, width and spaces at the ends do not count.
    pub fn is(&self, said: &Fact) -> bool {
        self.folded() == said.folded()
    }

    /// As it is compared: the order of dates, and of texts by their letters.
    pub fn folded(&self) -> String {
        match self {
            Fact::Text(text) => text.nfkc().collect::<String>().trim().to_lowercase(),
            Fact::Flag(flag) => flag.to_string(),
        }
    }
}

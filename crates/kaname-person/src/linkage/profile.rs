//! What of a person is compared.

use kaname_base::pack::Pack;

use super::born::Born;
use super::place::parse_line;
use crate::Particulars;

/// A name or a part of one, in the forms that are known. Empty texts are not known.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Spelled<'a> {
    /// As written.
    pub written: &'a str,
    /// The reading, in kana.
    pub reading: &'a str,
    /// In Latin letters.
    pub latin: &'a str,
}

impl<'a> Spelled<'a> {
    /// A name of which only one form is known, in whatever script.
    pub fn written(text: &'a str) -> Spelled<'a> {
        Spelled { written: text, ..Spelled::default() }
    }
}

/// One record as its source writes it: what [`Profile`] owns, borrowed, for lists that are read once. Empty texts are not known.
#[derive(Clone, Copy, Default)]
pub struct Facts<'a> {
    /// The given name, with further given names where the source does not part them.
    pub given: Spelled<'a>,
    /// The family name.
    pub family: Spelled<'a>,
    /// Middle names.
    pub middle: Spelled<'a>,
    /// The date of birth.
    pub born: Born,
    /// A code such as `F`.
    pub sex: &'a str,
    /// The place of birth.
    pub birthplace: &'a str,
    /// The number of the house, and of the flat.
    pub house: &'a str,
    /// The street, or what stands for it.
    pub street: &'a str,
    /// The town.
    pub town: &'a str,
    /// The postcode.
    pub postcode: &'a str,
    /// The telephone.
    pub phone: &'a str,
    /// The email address.
    pub email: &'a str,
    /// A number that both sources know the person by, such as an insurance number.
    pub id: &'a str,
}

/// What of a person is compared: made from a resident's particulars or from another list's record.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Profile {
    given: [String; 3],
    family: [String; 3],
    middle: [String; 3],
    born: Born,
    sex: String,
    birthplace: String,
    house: String,
    street: String,
    town: String,
    postcode: String,
    phone: String,
    email: String,
    id: String,
}

impl Profile {
    /// A resident's.
    pub fn of(particulars: &Particulars, pack: &Pack) -> Profile {
        let form = |part: fn(&crate::Name) -> &String| {
            let further =
                |name: &Option<crate::Name>| name.as_ref().map_or(String::new(), |n| part(n).clone());
            [part(&particulars.name).clone(), further(&particulars.reading), further(&particulars.latin)]
        };
        // That two have no fixed address speaks for nothing.
        let (house, street) = match particulars.address.is_unfixed(pack) {
            true => Default::default(),
            false => parse_line(&particulars.address.line),
        };
        Profile {
            given: form(|name| &name.given),
            family: form(|name| &name.family),
            middle: Default::default(),
            born: particulars.born.into(),
            sex: particulars.sex.clone(),
            birthplace: String::new(),
            house,
            street,
            town: particulars.address.city.clone(),
            postcode: particulars.address.postcode.clone(),
            phone: particulars.phone.clone().unwrap_or_default(),
            email: particulars.email.clone().unwrap_or_default(),
            id: String::new(),
        }
    }

    /// Another list's record. An address that is one line is parted when `facts.house` is empty.
    pub fn from_facts(facts: &Facts<'_>) -> Profile {
        let own = |name: Spelled<'_>| [name.written, name.reading, name.latin].map(str::to_owned);
        let (house, street) = match facts.house {
            "" => parse_line(facts.street),
            house => (house.to_owned(), facts.street.to_owned()),
        };
        Profile {
            given: own(facts.given),
            family: own(facts.family),
            middle: own(facts.middle),
            born: facts.born,
            sex: facts.sex.to_owned(),
            birthplace: facts.birthplace.to_owned(),
            house,
            street,
            town: facts.town.to_owned(),
            postcode: facts.postcode.to_owned(),
            phone: facts.phone.to_owned(),
            email: facts.email.to_owned(),
            id: facts.id.to_owned(),
        }
    }

    /// The same, borrowed.
    pub fn facts(&self) -> Facts<'_> {
        fn spelled([written, reading, latin]: &[String; 3]) -> Spelled<'_> {
            Spelled { written, reading, latin }
        }
        Facts {
            given: spelled(&self.given),
            family: spelled(&self.family),
            middle: spelled(&self.middle),
            born: self.born,
            sex: &self.sex,
            birthplace: &self.birthplace,
            house: &self.house,
            street: &self.street,
            town: &self.town,
            postcode: &self.postcode,
            phone: &self.phone,
            email: &self.email,
            id: &self.id,
        }
    }
}

/// Personal data: the debug form tells nothing.
impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Profile(…)")
    }
}

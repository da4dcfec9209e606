//! The rules that an entry must keep, by the country's pack.

use jiff::civil::Date;
use kaname_base::pack::{Pack, ReadingKind};
use kaname_base::time::{BirthDate, BirthDateError};
use unicode_normalization::UnicodeNormalization;

use crate::{Address, Entry, Fault, Field, Name, Names, Particulars, Reason, Stay};

impl Particulars {
    /// Checks an entry against the country's rules; `today` is the country's own date.
    ///
    /// # Errors
    /// The first [`Fault`], in the order of the fields.
    pub fn check(entry: &Entry<'_>, pack: &Pack, today: Date) -> Result<Particulars, Fault> {
        let rules = &pack.person;
        let citizen = pack.status(entry.status.trim()).is_some_and(|status| status.citizen);
        let Names { name, reading, latin } = Particulars::check_names(entry, pack, citizen)?;
        let former_name = Name {
            family: plain(entry.former_family_name, Field::FormerFamilyName, rules.longest_name)?,
            given: plain(entry.former_given_name, Field::FormerGivenName, rules.longest_name)?,
        };
        let born = birth_date(entry.birth_date, today)?;
        let sex = code(entry.sex, Field::Sex, rules.sexes.iter().map(|sex| sex.code.as_str()))?;
        let (status, stay) = Particulars::check_status(entry, pack, born)?;
        let (phone, email) = Particulars::check_contact(entry)?;
        Ok(Particulars {
            reference: plain(entry.reference, Field::Reference, LONGEST_REFERENCE)?,
            name,
            reading,
            latin,
            former_name: (!former_name.is_empty()).then_some(former_name),
            born,
            sex,
            status,
            stay,
            birth_place: Particulars::check_place(entry.birth_place, Field::BirthPlace, pack)?,
            address: Particulars::check_address(entry, pack)?,
            address_since: past_date(entry.address_since, Field::AddressSince, born, today)?,
            phone,
            email,
        })
    }

    /// The forms of a name; a citizen must have those that the country requires.
    pub(crate) fn check_names(entry: &Entry<'_>, pack: &Pack, citizen: bool) -> Result<Names, Fault> {
        let name_text = |text, field| plain(text, field, pack.person.longest_name);
        let name = Name {
            family: name_text(entry.family_name, Field::FamilyName)?,
            given: name_text(entry.given_name, Field::GivenName)?,
        };
        if name.is_empty() {
            return Err(Field::FamilyName.fault(Reason::MissingName));
        }
        let reading = Name {
            family: kana(&name_text(entry.family_reading, Field::FamilyReading)?, Field::FamilyReading)?,
            given: kana(&name_text(entry.given_reading, Field::GivenReading)?, Field::GivenReading)?,
        };
        let latin = Name {
            family: latin(name_text(entry.family_latin, Field::FamilyLatin)?, Field::FamilyLatin)?,
            given: latin(name_text(entry.given_latin, Field::GivenLatin)?, Field::GivenLatin)?,
        };
        let reading = further_form(reading, &name, pack, ReadingKind::Kana, citizen)?;
        let latin = further_form(latin, &name, pack, ReadingKind::Latin, citizen)?;
        Ok(Names { name, reading, latin })
    }

    /// A status of the country, with the period of stay of somebody who is no citizen.
    pub(crate) fn check_status(
        entry: &Entry<'_>,
        pack: &Pack,
        born: BirthDate,
    ) -> Result<(String, Option<Stay>), Fault> {
        let known = pack.statuses.iter().map(|status| status.code.as_str());
        let status = code(entry.status, Field::Status, known)?;
        let citizen = pack.status(&status).is_some_and(|status| status.citizen);
        Ok((status, stay(entry, citizen, born)?))
    }

    /// An address; nothing of it need be known. Where it says that there is none, the town is needed, and it is written as the country
    /// writes it.
    pub(crate) fn check_address(entry: &Entry<'_>, pack: &Pack) -> Result<Address, Fault> {
        let mut address = Address {
            postcode: plain(entry.postcode, Field::Postcode, LONGEST_POSTCODE)?,
            region: Particulars::check_place(entry.region, Field::Region, pack)?,
            city: Particulars::check_place(entry.city, Field::City, pack)?,
            line: Particulars::check_place(entry.address, Field::Address, pack)?,
            care_of: Particulars::check_place(entry.care_of, Field::CareOf, pack)?,
        };
        if !address.care_of.is_empty() && pack.person.care_of.is_none() {
            return Err(Field::CareOf.fault(Reason::NotRecorded));
        }
        if let Some(unfixed) = pack.person.no_fixed_address.as_ref().filter(|of| of.is_said(&address.line)) {
            if address.city.is_empty() {
                return Err(Field::City.fault(Reason::Missing));
            }
            address.line.clone_from(&unfixed.written);
        } else if !address.care_of.is_empty() && address.city.is_empty() {
            return Err(Field::City.fault(Reason::Missing));
        }
        Ok(address)
    }

    /// The name of a place.
    pub(crate) fn check_place(text: &str, field: Field, pack: &Pack) -> Result<String, Fault> {
        plain(text, field, pack.person.longest_address)
    }

    /// Telephone and email.
    pub(crate) fn check_contact(entry: &Entry<'_>) -> Result<(Option<String>, Option<String>), Fault> {
        Ok((phone(entry.phone)?, email(entry.email)?))
    }
}

/// The most characters in a source's reference.
pub(crate) const LONGEST_REFERENCE: usize = 64;
const LONGEST_POSTCODE: usize = 16;
const LONGEST_EMAIL: usize = 254; // RFC 5321, section 4.5.3.1.3: a path of 256 with its brackets

/// A text as it is kept: no spaces around it, composed (NFC), nothing unseen in it, and no formula.
fn plain(text: &str, field: Field, longest: usize) -> Result<String, Fault> {
    let text = text.trim_matches(is_space);
    // The file will be opened in a spreadsheet one day; full-width forms start formulas in Japanese ones.
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']) {
        return Err(field.fault(Reason::Formula));
    }
    seen(text, field, longest)
}

/// A space of any width. Spreadsheets drop some of them before they look for a formula.
fn is_space(c: char) -> bool {
    c.is_whitespace() && !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}')
}

fn seen(text: &str, field: Field, longest: usize) -> Result<String, Fault> {
    // Cheap refusal first: normalising cannot bring four times as many bytes under the limit.
    if text.len() > longest * 16 {
        return Err(field.fault(Reason::TooLong(longest)));
    }
    if text.chars().any(is_unseen) {
        return Err(field.fault(Reason::ControlCharacter));
    }
    if text.chars().any(is_stand_in) {
        return Err(field.fault(Reason::Placeholder));
    }
    let text: String = if text.is_ascii() { text.to_owned() } else { composed(text) };
    if text.chars().count() > longest {
        return Err(field.fault(Reason::TooLong(longest)));
    }
    Ok(text)
}

/// Composed (NFC), but with each compatibility ideograph as it was written. NFC would exchange it for the unified one, which is
/// another glyph: 神 (U+FA19) would become 神 (U+795E), and a name would not be hers any more. Variation selectors pass NFC unharmed.
fn composed(text: &str) -> String {
    let is_compatible = |c: char| matches!(c, '\u{F900}'..='\u{FAFF}' | '\u{2F800}'..='\u{2FA1F}');
    let mut composed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, ideograph, after)) = rest.find(is_compatible).and_then(|at| {
        let (before, from) = rest.split_at(at);
        let ideograph = from.chars().next()?;
        Some((before, ideograph, &from[ideograph.len_utf8()..]))
    }) {
        composed.extend(before.nfc());
        composed.push(ideograph);
        rest = after;
    }
    composed.extend(rest.nfc());
    composed
}

/// What other systems write in the place of a character that they do not have: geta, the replacement character, and private characters,
/// which are another glyph, or none, wherever they are shown next.
fn is_stand_in(c: char) -> bool {
    matches!(c, '〓' | '\u{FFFD}' | '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFD}')
}

/// What cannot be seen: control characters, line separators, marks of direction, spaces of no width, fillers, tags. A name of these
/// alone would be empty on every page, and two references that differ by one would look the same. The joiners U+200C and U+200D stay:
/// Persian and Indic names need them; so do the variation selectors, which choose a glyph of a Japanese name.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{AD}'
                | '\u{34F}'
                | '\u{61C}'
                | '\u{115F}'
                | '\u{1160}'
                | '\u{17B4}'
                | '\u{17B5}'
                | '\u{180E}'
                | '\u{200B}'
                | '\u{200E}'
                | '\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{FEFF}'
                | '\u{FFA0}'
                | '\u{FFF0}'..='\u{FFFB}'
                | '\u{E0000}'..='\u{E00FF}'
        )
}

/// A reading in full-width katakana, from half-width or hiragana too.
fn kana(text: &str, field: Field) -> Result<String, Fault> {
    text.nfkc()
        .map(|c| match c {
            'ぁ'..='ゖ' => char::from_u32(c as u32 + 0x60).unwrap_or(c),
            _ => c,
        })
        .map(|c| match c {
            'ァ'..='ヺ' | '・' | 'ー' | 'ヽ' | 'ヾ' | ' ' => Ok(c),
            _ => Err(field.fault(Reason::NotKana)),
        })
        .collect()
}

fn latin(text: String, field: Field) -> Result<String, Fault> {
    let is_latin = |c: char| {
        c.is_ascii_alphabetic()
            || (c.is_alphabetic() && matches!(c, '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}'))
            || matches!(c, ' ' | '-' | '.' | '\'' | '’' | '‘' | 'ʼ' | ',' | '/')
    };
    if text.chars().all(is_latin) { Ok(text) } else { Err(field.fault(Reason::NotLatin)) }
}

fn birth_date(text: &str, today: Date) -> Result<BirthDate, Fault> {
    if text.trim().is_empty() {
        return Err(Field::BirthDate.fault(Reason::Missing));
    }
    let born = BirthDate::parse(text).map_err(|error| {
        Field::BirthDate.fault(match error {
            BirthDateError::Form => Reason::DateForm,
            BirthDateError::NoSuchDay => Reason::NoSuchDay,
        })
    })?;
    if born.earliest() > today { Err(Field::BirthDate.fault(Reason::InFuture)) } else { Ok(born) }
}

/// A date since when something is so: not before the birth, not to come. Empty when it is not known.
fn past_date(text: &str, field: Field, born: BirthDate, today: Date) -> Result<Option<Date>, Fault> {
    let date = date(text, field)?;
    match date {
        Some(date) if date < born.earliest() => Err(field.fault(Reason::BeforeBirth)),
        Some(date) if date > today => Err(field.fault(Reason::InFuture)),
        date => Ok(date),
    }
}

/// A whole date, in the form of a date of birth.
fn date(text: &str, field: Field) -> Result<Option<Date>, Fault> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let read = BirthDate::parse(text).map_err(|error| {
        field.fault(match error {
            BirthDateError::Form => Reason::DateForm,
            BirthDateError::NoSuchDay => Reason::NoSuchDay,
        })
    })?;
    if read.day().is_none() { Err(field.fault(Reason::DateForm)) } else { Ok(Some(read.earliest())) }
}

/// For how long a foreign resident may stay. It may end in the future, and she may be late.
fn stay(entry: &Entry<'_>, citizen: bool, born: BirthDate) -> Result<Option<Stay>, Fault> {
    let stay = Stay {
        from: date(entry.stay_from, Field::StayFrom)?,
        until: date(entry.stay_until, Field::StayUntil)?,
    };
    if stay == Stay::default() {
        return Ok(None);
    }
    if citizen {
        let field = if stay.from.is_some() { Field::StayFrom } else { Field::StayUntil };
        return Err(field.fault(Reason::NotForCitizens));
    }
    if stay.from.is_some_and(|from| from < born.earliest()) {
        return Err(Field::StayFrom.fault(Reason::BeforeBirth));
    }
    if stay.from.zip(stay.until).is_some_and(|(from, until)| until < from) {
        return Err(Field::StayUntil.fault(Reason::EndsBeforeStart));
    }
    Ok(Some(stay))
}

fn code<'p>(text: &str, field: Field, mut known: impl Iterator<Item = &'p str>) -> Result<String, Fault> {
    match text.trim() {
        "" => Err(field.fault(Reason::Missing)),
        text if known.any(|code| code == text) => Ok(text.to_owned()),
        _ => Err(field.fault(Reason::UnknownCode)),
    }
}

/// A further form of the name: there where the country requires it of citizens, and not where it does not record it.
fn further_form(
    form: Name,
    name: &Name,
    pack: &Pack,
    kind: ReadingKind,
    citizen: bool,
) -> Result<Option<Name>, Fault> {
    let (family, given) = match kind {
        ReadingKind::Kana => (Field::FamilyReading, Field::GivenReading),
        ReadingKind::Latin => (Field::FamilyLatin, Field::GivenLatin),
    };
    let Some(rule) = pack.person.reading(kind) else {
        let field = if form.family.is_empty() { given } else { family };
        return if form.is_empty() { Ok(None) } else { Err(field.fault(Reason::NotRecorded)) };
    };
    if rule.required && citizen {
        if form.family.is_empty() && !name.family.is_empty() {
            return Err(family.fault(Reason::Missing));
        }
        if form.given.is_empty() && !name.given.is_empty() {
            return Err(given.fault(Reason::Missing));
        }
    }
    Ok((!form.is_empty()).then_some(form))
}

/// Digits with the marks people put between them. A leading plus is a country code here and not a formula, because nothing
/// but digits may follow.
fn phone(text: &str) -> Result<Option<String>, Fault> {
    let text = text.trim_matches(is_space);
    if text.is_empty() {
        return Ok(None);
    }
    if text.starts_with(['=', '-', '@', '\t', '\r', '＝', '－', '＠']) {
        return Err(Field::Phone.fault(Reason::Formula));
    }
    let text = seen(text, Field::Phone, 32)?;
    let rest = text.strip_prefix('+').unwrap_or(&text);
    let digits = rest.chars().filter(char::is_ascii_digit).count();
    let clean = rest.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-' | '(' | ')' | '.' | '/'));
    let starts = rest.starts_with(|c: char| c.is_ascii_digit() || c == '(');
    if clean && starts && (3..=20).contains(&digits) {
        Ok(Some(text))
    } else {
        Err(Field::Phone.fault(Reason::NotPhone))
    }
}

fn email(text: &str) -> Result<Option<String>, Fault> {
    let text = plain(text, Field::Email, LONGEST_EMAIL)?;
    if text.is_empty() {
        return Ok(None);
    }
    let fits = text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && !text.contains(char::is_whitespace)
    });
    if fits { Ok(Some(text)) } else { Err(Field::Email.fault(Reason::NotEmail)) }
}

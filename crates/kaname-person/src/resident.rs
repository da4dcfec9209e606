//! A resident: what the register keeps of a person, and the rules that an entry must keep.

use std::fmt;

use jiff::civil::Date;
use kaname_base::Instant;
use kaname_base::pack::{Pack, ReadingKind};
use kaname_base::time::{BirthDate, BirthDateError};
use kaname_trust::{Actor, Record};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

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
}

/// What is known of a person, checked against the country's rules by [`Particulars::check`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Particulars {
    /// What the source calls her, such as the file number of the municipality. Empty when there is none.
    pub reference: String,
    /// As written, in Unicode's composed form (NFC). The original glyphs are kept.
    pub name: Name,
    /// How the name is spoken: full-width katakana, where the country records it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Name>,
    /// The name in Latin letters, as in a passport.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latin: Option<Name>,
    /// Date of birth.
    pub born: BirthDate,
    /// A code of the pack, such as `F`.
    pub sex: String,
    /// A code of the pack, such as `citizen`.
    pub status: String,
    /// Where she lives.
    pub address: Address,
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
    /// Street and house.
    pub line: String,
}

/// Which pack, and which version of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PackVersion {
    /// The pack's id.
    pub id: String,
    /// Its version.
    pub version: u32,
}

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
    pub birth_date: &'a str,
    pub sex: &'a str,
    pub status: &'a str,
    pub postcode: &'a str,
    pub region: &'a str,
    pub city: &'a str,
    pub address: &'a str,
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
    BirthDate,
    Sex,
    Status,
    Postcode,
    Region,
    City,
    Address,
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

impl Resident {
    /// The full name as written, in the country's order.
    pub fn display_name(&self, pack: &Pack) -> String {
        self.particulars.name.full(pack)
    }
}

impl Name {
    /// Both names in the country's order.
    pub fn full(&self, pack: &Pack) -> String {
        pack.person.full_name(&self.family, &self.given)
    }

    fn is_empty(&self) -> bool {
        self.family.is_empty() && self.given.is_empty()
    }
}

impl Particulars {
    /// Checks an entry against the country's rules; `today` is the country's own date.
    ///
    /// # Errors
    /// The first [`Fault`], in the order of the fields.
    pub fn check(entry: &Entry<'_>, pack: &Pack, today: Date) -> Result<Particulars, Fault> {
        let rules = &pack.person;
        let name_text = |text, field| plain(text, field, rules.longest_name);
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
        let born = birth_date(entry.birth_date, today)?;
        let sex = code(entry.sex, Field::Sex, rules.sexes.iter().map(|sex| sex.code.as_str()))?;
        let status =
            code(entry.status, Field::Status, pack.statuses.iter().map(|status| status.code.as_str()))?;
        let citizen = pack.status(&status).is_some_and(|status| status.citizen);
        let reading = further_form(reading, &name, pack, ReadingKind::Kana, citizen)?;
        let latin = further_form(latin, &name, pack, ReadingKind::Latin, citizen)?;

        let place = |text, field| plain(text, field, rules.longest_address);
        Ok(Particulars {
            reference: plain(entry.reference, Field::Reference, LONGEST_REFERENCE)?,
            name,
            reading,
            latin,
            born,
            sex,
            status,
            address: Address {
                postcode: plain(entry.postcode, Field::Postcode, LONGEST_POSTCODE)?,
                region: place(entry.region, Field::Region)?,
                city: place(entry.city, Field::City)?,
                line: place(entry.address, Field::Address)?,
            },
            phone: phone(entry.phone)?,
            email: email(entry.email)?,
        })
    }
}

/// The most characters in a source's reference.
pub const LONGEST_REFERENCE: usize = 64;
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
    let text: String = if text.is_ascii() { text.to_owned() } else { text.nfc().collect() };
    if text.chars().count() > longest {
        return Err(field.fault(Reason::TooLong(longest)));
    }
    Ok(text)
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
            Field::BirthDate => &mut self.birth_date,
            Field::Sex => &mut self.sex,
            Field::Status => &mut self.status,
            Field::Postcode => &mut self.postcode,
            Field::Region => &mut self.region,
            Field::City => &mut self.city,
            Field::Address => &mut self.address,
            Field::Phone => &mut self.phone,
            Field::Email => &mut self.email,
        }
    }
}

impl Field {
    /// All of them, in the order of our own import file.
    pub const ALL: [Field; 16] = [
        Field::Reference,
        Field::FamilyName,
        Field::GivenName,
        Field::FamilyReading,
        Field::GivenReading,
        Field::FamilyLatin,
        Field::GivenLatin,
        Field::BirthDate,
        Field::Sex,
        Field::Status,
        Field::Postcode,
        Field::Region,
        Field::City,
        Field::Address,
        Field::Phone,
        Field::Email,
    ];

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
            Field::BirthDate => "birth_date",
            Field::Sex => "sex",
            Field::Status => "status",
            Field::Postcode => "postcode",
            Field::Region => "region",
            Field::City => "city",
            Field::Address => "address",
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
            Reason::Formula => "formula",
            Reason::DateForm => "date-form",
            Reason::NoSuchDay => "no-such-day",
            Reason::InFuture => "in-future",
            Reason::UnknownCode => "unknown-code",
            Reason::NotKana => "not-kana",
            Reason::NotLatin => "not-latin",
            Reason::NotRecorded => "not-recorded",
            Reason::NotPhone => "not-a-phone",
            Reason::NotEmail => "not-an-email",
        }
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

/// Personal data: the debug form tells nothing.
impl fmt::Debug for Resident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resident(…)")
    }
}

/// Personal data: the debug form tells nothing.
impl fmt::Debug for Particulars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Particulars(…)")
    }
}

/// Personal data: the debug form tells nothing.
impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Name(…)")
    }
}

/// Personal data: the debug form tells nothing.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

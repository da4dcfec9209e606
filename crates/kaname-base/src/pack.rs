//! Country packs: everything national, as values. A pack is a handful of TOML files; nothing in it is code.
//!
//! Parsing does no I/O: the caller brings the files as text, and is told everything that is wrong with them.

use std::collections::BTreeMap;
use std::fmt;

use crate::number::NumberScheme;
use crate::text::Texts;
use crate::{Amount, Currency};

mod alias;
mod instant;
mod mandates;
mod read;
mod reader;
mod shipped;
pub mod source;
#[cfg(test)]
mod tests;

pub use alias::{AliasKind, AliasRules};
pub use instant::InstantTerms;
pub use mandates::{Introducers, MandateKind, SCOPES};

/// A country, as its pack describes it. A record keeps the `id` and `version` that it was made under.
#[derive(Clone, Debug)]
pub struct Pack {
    /// Lower-case letters, such as `example`.
    pub id: String,
    /// Counts up with each change.
    pub version: u32,
    /// The country's name.
    pub name: Labels,
    /// The first is the default.
    pub languages: Vec<Language>,
    /// The currency of accounts and programmes.
    pub currency: Currency,
    /// An IANA name such as `Asia/Tokyo`; the time zone database is asked whether it exists.
    pub time_zone: String,
    /// The national number.
    pub number: NumberScheme,
    /// Numbers that stand for it and can be taken back, where the country has them.
    pub alias: Option<AliasRules>,
    /// Who may act for whom.
    pub mandates: Vec<MandateKind>,
    /// Who may vouch for somebody without papers.
    pub introducers: Introducers,
    /// What is recorded of a person, and how names are shown.
    pub person: PersonRules,
    /// Residence statuses; at least one of citizens.
    pub statuses: Vec<Status>,
    /// Why a record may be read. All of [`NEEDED_PURPOSES`] are there.
    pub purposes: Vec<Purpose>,
    /// Benefits that can be paid to everyone.
    pub programmes: Vec<Programme>,
    /// The simulated banks.
    pub banks: Vec<Bank>,
    /// How a person without an account is paid.
    pub voucher: Voucher,
    /// The terms of instant payments, where the country has them.
    pub instant: Option<InstantTerms>,
    /// When a session at the counter ends by itself.
    pub counter: CounterRules,
    /// How long what agencies are told is kept.
    pub feed: FeedRules,
    /// Which acts about entries of the register take two officers.
    pub identities: IdentityRules,
    /// Where officers work. Each says which roles its officers may have.
    pub offices: Vec<Office>,
    /// What one officer proposes and another approves, in the words of the table of who may do what.
    pub four_eyes: Vec<String>,
    /// Roles of officers. All of [`NEEDED_ROLES`] are there.
    pub roles: Vec<Role>,
    /// What a relying party may ask for.
    pub attributes: Vec<Attribute>,
    /// Kinds of outside records that are linked to residents; none in a pack of before.
    pub sources: Vec<source::Source>,
    /// The country's own words, over those of the program.
    pub texts: Texts,
}

/// Purposes that the program itself reads records for; every pack says on what legal basis.
pub const NEEDED_PURPOSES: &[&str] =
    &["registration", "correction", "payout", "sign-in", "help-desk", "own-access", "audit"];

/// Roles that the program knows; every pack says what they are called.
pub const NEEDED_ROLES: &[&str] = &["registrar", "payments", "help-desk", "auditor", "administrator"];

/// What can be known of a resident and asked for. A pack chooses among these.
pub const ATTRIBUTES: &[&str] = &[
    "name",
    "name_reading",
    "name_latin",
    "birth_date",
    "age_over_18",
    "age_over_65",
    "sex",
    "status",
    "address",
    "postcode",
    "phone",
    "email",
    "number",
];

/// One name in each of the pack's languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(pub(crate) Vec<(String, String)>);

/// A language of the country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Language {
    /// A BCP 47 tag.
    pub tag: String,
    /// Its name in itself.
    pub name: String,
    /// How it is written.
    pub direction: Direction,
    /// How a date is written: `%Y %m %d %B %b` with `-` against leading zeros, as in strftime. `%B %b` are English.
    pub date_pattern: String,
}

/// Which way a script runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From left to right.
    LeftToRight,
    /// From right to left.
    RightToLeft,
}

/// What is recorded of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRules {
    /// Which name comes first.
    pub name_order: NameOrder,
    /// What stands between the names.
    pub name_separator: String,
    /// The further forms of a name.
    pub readings: Vec<Reading>,
    /// What may stand in the field for sex.
    pub sexes: Vec<Sex>,
    /// The most characters in a family or a given name.
    pub longest_name: usize,
    /// The most characters in an address.
    pub longest_address: usize,
    /// How it is written that somebody has no fixed address; a country that does not say so records none.
    pub no_fixed_address: Option<Unfixed>,
    /// How it is written with whom somebody can be reached, `{name}` being the office or the person: `c/o {name}`. A country that does
    /// not say so records none.
    pub care_of: Option<String>,
    /// Who may marry.
    pub marriage: MarriageRules,
}

/// How it is written that somebody has no fixed address, in the place of street and house.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfixed {
    /// As it is kept and shown.
    pub written: String,
    /// Other ways of writing it, which are understood: upper and lower case are one.
    pub also: Vec<String>,
}

impl Unfixed {
    /// Whether a text in the place of street and house says so.
    pub fn is_said(&self, line: &str) -> bool {
        let folded = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        std::iter::once(&self.written).chain(&self.also).any(|known| folded(known) == folded(line))
    }
}

/// Who may marry, as far as a register can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarriageRules {
    /// The least age for a marriage from a day on, with whatever leave the law knows. Before that day other laws held.
    pub least_age: Option<(i8, jiff::civil::Date)>,
    /// To how many others one may be married at once.
    pub spouses: usize,
}

/// Which name comes first when a full name is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameOrder {
    /// As in 山田 花子.
    FamilyGiven,
    /// As in Jane Smith.
    GivenFamily,
}

/// A further form of a name, beside the one in the country's script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Which script it is in.
    pub kind: ReadingKind,
    /// Whether a citizen must have one.
    pub required: bool,
    /// What the field is called.
    pub label: Labels,
}

/// The script of a further form of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadingKind {
    /// Katakana: how the characters are spoken.
    Kana,
    /// Latin letters, as in a passport.
    Latin,
}

/// A value of the field for sex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sex {
    /// As stored, such as `F`.
    pub code: String,
    /// As shown.
    pub label: Labels,
}

/// A residence status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// As stored, such as `citizen`.
    pub code: String,
    /// Whether its holders are citizens.
    pub citizen: bool,
    /// As shown.
    pub label: Labels,
}

/// Why a record may be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purpose {
    /// As stored.
    pub code: String,
    /// As shown to the person whose record it is.
    pub text: Labels,
    /// The law or the consent that allows it.
    pub legal_basis: Labels,
    /// Whether it rests on the person's consent, so that nobody may name it without asking her.
    pub consent: bool,
}

/// A benefit that can be paid to everyone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programme {
    /// As stored.
    pub code: String,
    /// As shown, and as it appears on account statements.
    pub name: Labels,
    /// What each resident gets.
    pub amount: Amount,
}

/// A simulated bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bank {
    /// As it appears in bank messages.
    pub code: String,
    /// As shown.
    pub name: Labels,
    /// How many digits its account numbers have.
    pub account_digits: usize,
}

/// How a person without an account is paid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Voucher {
    /// What it is called.
    pub name: Labels,
    /// Where and how it is turned into money.
    pub text: Labels,
    /// For how many days it is paid out.
    pub valid_days: u16,
}

/// Which acts about entries of the register take two officers; all, unless the pack says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdentityRules {
    /// Two entries are one person, or are not after all.
    pub merge: bool,
    /// One entry is two people.
    pub split: bool,
    /// An event happened to somebody else.
    pub move_event: bool,
}

impl Default for IdentityRules {
    fn default() -> IdentityRules {
        IdentityRules { merge: true, split: true, move_event: true }
    }
}

/// When a session at the counter ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CounterRules {
    /// After so many minutes in which nothing was done.
    pub idle_minutes: i64,
    /// After so many minutes in any case.
    pub longest_minutes: i64,
}

impl Default for CounterRules {
    fn default() -> CounterRules {
        CounterRules { idle_minutes: 5, longest_minutes: 60 }
    }
}

/// How long what agencies are told is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedRules {
    /// An event, and what became of a question that was answered later, for so many days.
    pub keep_days: i64,
}

impl Default for FeedRules {
    fn default() -> FeedRules {
        FeedRules { keep_days: 365 }
    }
}

/// Where officers work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Office {
    /// As stored.
    pub code: String,
    /// As shown.
    pub name: Labels,
    /// Codes of the roles that its officers may have; at least one.
    pub roles: Vec<String>,
}

/// A role of an officer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// As stored.
    pub code: String,
    /// As shown.
    pub name: Labels,
}

/// What a relying party may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// One of [`ATTRIBUTES`].
    pub code: String,
    /// As shown to the person who is asked to consent.
    pub label: Labels,
    /// Codes of the purposes it may be asked for; at least one.
    pub purposes: Vec<String>,
}

/// One thing that is wrong with a pack.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {path}: {message}")]
pub struct PackProblem {
    /// Such as `number.toml`.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// Where in the file, such as `purpose[2].text.en`.
    pub path: String,
    /// In plain words.
    pub message: String,
}

impl Pack {
    /// Makes a pack of its files, by their path within the pack (`pack.toml`, `text/en.toml`).
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the files and their lines.
    pub fn parse(files: &BTreeMap<String, String>) -> Result<Pack, Vec<PackProblem>> {
        read::pack(files)
    }

    /// The ids of the packs inside the program.
    pub fn shipped() -> &'static [&'static str] {
        shipped::IDS
    }

    /// The files of a pack inside the program, its fixtures included.
    pub fn shipped_files(id: &str) -> Option<BTreeMap<String, String>> {
        shipped::files(id)
    }

    /// A pack inside the program.
    pub fn load_shipped(id: &str) -> Option<Pack> {
        let files = shipped::files(id)?;
        Some(Pack::parse(&files).unwrap_or_else(|problems| {
            panic!("a test parses every shipped pack, yet {id} is bad: {}", problems[0])
        }))
    }

    /// The language that stands in for others.
    pub fn default_language(&self) -> &Language {
        &self.languages[0]
    }

    /// The country's language nearest to `tag`: itself, or the one with the same first part, or the default.
    pub fn language(&self, tag: &str) -> &Language {
        let nearest = nearest(self.languages.iter().map(|language| language.tag.as_str()), tag);
        nearest.map_or(self.default_language(), |at| &self.languages[at])
    }

    /// The purpose with this code.
    pub fn purpose(&self, code: &str) -> Option<&Purpose> {
        self.purposes.iter().find(|purpose| purpose.code == code)
    }

    /// The programme with this code.
    pub fn programme(&self, code: &str) -> Option<&Programme> {
        self.programmes.iter().find(|programme| programme.code == code)
    }

    /// The bank with this code.
    pub fn bank(&self, code: &str) -> Option<&Bank> {
        self.banks.iter().find(|bank| bank.code == code)
    }

    /// The role with this code.
    pub fn role(&self, code: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.code == code)
    }

    /// The kind of mandate with this code.
    pub fn mandate(&self, code: &str) -> Option<&MandateKind> {
        self.mandates.iter().find(|kind| kind.code == code)
    }

    /// The office with this code.
    pub fn office(&self, code: &str) -> Option<&Office> {
        self.offices.iter().find(|office| office.code == code)
    }

    /// The status with this code.
    pub fn status(&self, code: &str) -> Option<&Status> {
        self.statuses.iter().find(|status| status.code == code)
    }

    /// The source of outside records with this code.
    pub fn source(&self, code: &str) -> Option<&source::Source> {
        self.sources.iter().find(|source| source.code == code)
    }

    /// The attribute with this code.
    pub fn attribute(&self, code: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.code == code)
    }
}

impl Labels {
    /// The name in the language nearest to `tag`; in the default language if there is none.
    pub fn get(&self, tag: &str) -> &str {
        let at = nearest(self.0.iter().map(|(language, _)| language.as_str()), tag).unwrap_or(0);
        self.0.get(at).map_or("", |(_, text)| text)
    }

    /// The name in each language, the default first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(language, text)| (language.as_str(), text.as_str()))
    }
}

impl Language {
    /// A date as this language writes it.
    pub fn date(&self, date: jiff::civil::Date) -> String {
        date.strftime(&self.date_pattern).to_string()
    }
}

impl Direction {
    /// The value of HTML's `dir`.
    pub fn html(self) -> &'static str {
        match self {
            Direction::LeftToRight => "ltr",
            Direction::RightToLeft => "rtl",
        }
    }
}

impl PersonRules {
    /// A full name in the country's order. A person may have one name only: the other is then empty.
    pub fn full_name(&self, family: &str, given: &str) -> String {
        let (first, second) = match self.name_order {
            NameOrder::FamilyGiven => (family, given),
            NameOrder::GivenFamily => (given, family),
        };
        let separator = if first.is_empty() || second.is_empty() { "" } else { &self.name_separator };
        [first, separator, second].concat()
    }

    /// The rule for a further form of the name, where the country records it.
    pub fn reading(&self, kind: ReadingKind) -> Option<&Reading> {
        self.readings.iter().find(|reading| reading.kind == kind)
    }
}

impl fmt::Display for ReadingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ReadingKind::Kana => "kana",
            ReadingKind::Latin => "latin",
        })
    }
}

/// Where in `tags` the language `wanted` is, or else one that differs in region or script only.
fn nearest<'a>(tags: impl Iterator<Item = &'a str> + Clone, wanted: &str) -> Option<usize> {
    let primary = |tag: &str| tag.split('-').next().unwrap_or("").to_ascii_lowercase();
    tags.clone()
        .position(|tag| tag.eq_ignore_ascii_case(wanted))
        .or_else(|| tags.clone().position(|tag| primary(tag) == primary(wanted)))
}

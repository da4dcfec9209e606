//! National numbers. A [`NumberScheme`] is data from a country pack; this file only knows the vocabulary.
//!
//! A number is an optional prefix letter, a body of digits and an optional check character. Numbers are made from an
//! index: `0..space()` maps one to one onto bodies, so that a keyed permutation of the index issues each number once.

use std::fmt;

#[cfg(test)]
mod tests;

/// The most characters a number may have.
pub const MOST_CHARACTERS: usize = 18;

/// The most digits a body may have: all of them fit 64 bits.
pub const MOST_BODY_DIGITS: usize = 16;

/// The form of a country's number: parts, check, bans, display. Made by [`crate::pack::Pack::parse`] from `number.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberScheme {
    pub(crate) prefixes: Vec<Prefix>,
    pub(crate) body_digits: usize,
    /// Which digits the body may start with, ascending.
    pub(crate) first_digits: Vec<u8>,
    pub(crate) check: Check,
    pub(crate) bans: Bans,
    pub(crate) reserved: Vec<Reserved>,
    /// Lengths of the groups it is shown in.
    pub(crate) groups: Vec<usize>,
}

/// A letter that numbers start with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prefix {
    pub(crate) letter: u8,
    /// Whether new numbers are given out with it.
    pub(crate) issued: bool,
    /// Added to the weighted sum.
    pub(crate) offset: u8,
    /// The check letters, by remainder.
    pub(crate) letters: Option<[u8; 11]>,
    /// The table is read from its end: by 10 minus the remainder.
    pub(crate) from_end: bool,
}

/// How the last character follows from the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// There is none.
    None,
    /// J. Verhoeff, "Error Detecting Decimal Codes" (1969): finds every wrong digit and every swap of neighbours.
    Verhoeff,
    /// The weighted sum modulo 11 picks the digit; `None` where no number with this remainder exists.
    Mod11 { weights: Vec<u8>, digits: [Option<u8>; 11] },
    /// The weighted sum plus the prefix's offset, modulo 11, picks a letter from the prefix's table.
    Letter { weights: Vec<u8> },
}

/// Bodies that nobody is given because they look like a joke or a typing error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bans {
    pub(crate) all_equal: bool,
    /// A body made of one shorter block again and again, a cut last block included.
    pub(crate) repeated_pattern: bool,
    /// The most digits in a row that may rise or fall by one (9 and 0 are neighbours).
    pub(crate) longest_run: Option<usize>,
    /// The most equal digits in a row.
    pub(crate) longest_repeat: Option<usize>,
}

/// Bodies that are never issued; `accepted` ones (test numbers) are still read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reserved {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) accepted: bool,
}

/// A resident's national number, checked. It has no `Display`: whoever shows it calls [`NumberScheme::show`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonNumber {
    length: u8,
    characters: [u8; MOST_CHARACTERS],
}

/// Why a text is not a number of the scheme. It holds nothing of what was typed, so it may be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Too short or too long.
    #[error("it has {found} characters and should have {expected}")]
    Length {
        /// How many a number of this scheme has.
        expected: usize,
        /// How many were given, without spaces and hyphens.
        found: usize,
    },
    /// A character that cannot stand where it stands; counted from 1, without spaces and hyphens.
    #[error("character {position} cannot stand there")]
    Character {
        /// Which one.
        position: usize,
    },
    /// A first letter that the scheme does not have.
    #[error("it does not start with a letter that such numbers start with")]
    Prefix,
    /// A first digit that the scheme does not have.
    #[error("it does not start with a digit that such numbers start with")]
    FirstDigit,
    /// The check character belongs to another number: a typing error.
    #[error("its check character does not fit: one of its characters is mistyped")]
    Check,
    /// No number with these digits exists, whatever the check character.
    #[error("no number with these digits exists")]
    NoSuchNumber,
    /// A pattern that is never given to anyone.
    #[error("numbers with such a pattern are not given out")]
    Banned,
    /// In a range that is never given to anyone.
    #[error("it lies in a range that is not given out")]
    Reserved,
}

impl NumberError {
    /// A stable word for the text of the message in the reader's language.
    pub fn code(self) -> &'static str {
        match self {
            NumberError::Length { .. } => "length",
            NumberError::Character { .. } => "character",
            NumberError::Prefix => "prefix",
            NumberError::FirstDigit => "first-digit",
            NumberError::Check => "check",
            NumberError::NoSuchNumber => "no-such-number",
            NumberError::Banned => "banned",
            NumberError::Reserved => "reserved",
        }
    }
}

impl NumberScheme {
    /// How many characters a number has.
    pub fn length(&self) -> usize {
        self.prefix_length() + self.body_digits + self.check_length()
    }

    /// How many bodies can be issued, over all prefixes in use, before bans and impossible checks.
    pub fn space(&self) -> u64 {
        self.issued().count().max(usize::from(self.prefixes.is_empty())) as u64 * self.bodies()
    }

    /// Number `index` of `0..space()`; `None` when it is banned, reserved or has no check digit. Allocates nothing.
    pub fn from_index(&self, index: u64) -> Option<PersonNumber> {
        let (which, index) = (index / self.bodies(), index % self.bodies());
        let prefix = match self.prefixes.is_empty() {
            true => (which == 0).then_some(None)?,
            false => Some(self.issued().nth(usize::try_from(which).ok()?)?),
        };
        let rest_space = 10_u64.pow(self.body_digits as u32 - 1);
        let first = self.first_digits[(index / rest_space) as usize];

        let mut body = [0_u8; MOST_BODY_DIGITS];
        let body = &mut body[..self.body_digits];
        body[0] = first;
        let mut rest = index % rest_space;
        for digit in body[1..].iter_mut().rev() {
            *digit = (rest % 10) as u8;
            rest /= 10;
        }
        let value = u64::from(first) * rest_space + index % rest_space;
        if self.bans.forbid(body) || self.reserved.iter().any(|range| range.holds(value)) {
            return None;
        }

        let mut number = PersonNumber { length: 0, characters: [0; MOST_CHARACTERS] };
        if let Some(prefix) = prefix {
            number.push(prefix.letter);
        }
        for digit in body.iter() {
            number.push(b'0' + digit);
        }
        match self.check_character(prefix, body) {
            CheckCharacter::NotUsed => {}
            CheckCharacter::Is(character) => number.push(character),
            CheckCharacter::Impossible => return None,
        }
        Some(number)
    }

    /// Reads a number as people write it: with spaces or hyphens, in small letters, full width or other scripts' digits.
    ///
    /// # Errors
    /// The first [`NumberError`] in the order of its variants.
    pub fn parse(&self, text: &str) -> Result<PersonNumber, NumberError> {
        let number = self.collect(text)?;
        let characters = number.as_str().as_bytes();
        let (head, characters) = characters.split_at(self.prefix_length());
        let (body_text, tail) = characters.split_at(self.body_digits);

        let mut body = [0_u8; MOST_BODY_DIGITS];
        let body = &mut body[..self.body_digits];
        for (i, (digit, character)) in body.iter_mut().zip(body_text).enumerate() {
            if !character.is_ascii_digit() {
                return Err(NumberError::Character { position: head.len() + i + 1 });
            }
            *digit = character - b'0';
        }
        if let Some(last) = tail.first()
            && last.is_ascii_digit() == matches!(self.check, Check::Letter { .. })
        {
            return Err(NumberError::Character { position: self.length() });
        }
        let prefix = match head.first() {
            Some(letter) => {
                Some(self.prefixes.iter().find(|p| p.letter == *letter).ok_or(NumberError::Prefix)?)
            }
            None => None,
        };
        if !self.first_digits.contains(&body[0]) {
            return Err(NumberError::FirstDigit);
        }
        match self.check_character(prefix, body) {
            CheckCharacter::NotUsed => {}
            CheckCharacter::Is(character) if tail == [character] => {}
            CheckCharacter::Is(_) => return Err(NumberError::Check),
            CheckCharacter::Impossible => return Err(NumberError::NoSuchNumber),
        }
        if self.bans.forbid(body) {
            return Err(NumberError::Banned);
        }
        let value = body.iter().fold(0, |value, digit| value * 10 + u64::from(*digit));
        if self.reserved.iter().any(|range| !range.accepted && range.holds(value)) {
            return Err(NumberError::Reserved);
        }
        Ok(number)
    }

    /// In groups, as printed: `1234 5678 9018`.
    pub fn show(&self, number: &PersonNumber) -> String {
        self.grouped(number.as_str().chars())
    }

    /// In groups, with all but the last `visible` characters hidden: `•••• •••• 9018`.
    pub fn show_end(&self, number: &PersonNumber, visible: usize) -> String {
        let hidden = number.as_str().len().saturating_sub(visible);
        self.grouped(number.as_str().chars().enumerate().map(|(i, c)| if i < hidden { '•' } else { c }))
    }

    fn grouped(&self, characters: impl Iterator<Item = char>) -> String {
        let mut shown = String::with_capacity(self.length() + self.groups.len());
        let mut groups = self.groups.iter();
        let mut left = groups.next().copied();
        for character in characters {
            if left == Some(0) {
                shown.push(' ');
                left = groups.next().copied();
            }
            shown.push(character);
            left = left.map(|n| n.saturating_sub(1));
        }
        shown
    }

    /// Folds what was typed into plain capitals and digits of the right count; nothing is known of their places yet.
    fn collect(&self, text: &str) -> Result<PersonNumber, NumberError> {
        let mut number = PersonNumber { length: 0, characters: [0; MOST_CHARACTERS] };
        let mut found = 0;
        let mut strange = None;
        for character in text.chars().filter(|c| !is_filler(*c)) {
            found += 1;
            match plain(character) {
                Some(plain) if found <= self.length() => number.push(plain),
                Some(_) => {}
                None => strange = strange.or(Some(found)),
            }
        }
        if found != self.length() {
            return Err(NumberError::Length { expected: self.length(), found });
        }
        match strange {
            Some(position) => Err(NumberError::Character { position }),
            None => Ok(number),
        }
    }

    fn check_character(&self, prefix: Option<&Prefix>, body: &[u8]) -> CheckCharacter {
        match &self.check {
            Check::None => CheckCharacter::NotUsed,
            Check::Verhoeff => CheckCharacter::Is(b'0' + verhoeff(body)),
            Check::Mod11 { weights, digits } => match digits[weighted(weights, body) % 11] {
                Some(digit) => CheckCharacter::Is(b'0' + digit),
                None => CheckCharacter::Impossible,
            },
            Check::Letter { weights } => {
                let prefix = prefix.expect("faults() refuses check letters without prefixes");
                let letters = prefix.letters.expect("faults() refuses a prefix without its check letters");
                let remainder = (weighted(weights, body) + usize::from(prefix.offset)) % 11;
                CheckCharacter::Is(letters[if prefix.from_end { 10 - remainder } else { remainder }])
            }
        }
    }

    /// What is wrong with the scheme: the key in `number.toml`, and why. Empty for every scheme in use.
    pub(crate) fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        if !(1..=MOST_BODY_DIGITS).contains(&self.body_digits) {
            faults.push(("body_digits", format!("a body has 1 to {MOST_BODY_DIGITS} digits")));
            return faults;
        }
        if self.first_digits.is_empty() {
            faults.push(("first_digits", "at least one digit must be allowed".to_owned()));
        }
        let weights = match &self.check {
            Check::Mod11 { weights, .. } | Check::Letter { weights } => Some(weights.len()),
            Check::None | Check::Verhoeff => None,
        };
        if weights.is_some_and(|count| count != self.body_digits) {
            faults.push(("check.weights", format!("one weight for each of the {} digits", self.body_digits)));
        }
        if matches!(self.check, Check::Letter { .. }) {
            if self.prefixes.is_empty() {
                faults.push(("check.kind", "a check letter needs at least one [[prefix]]".to_owned()));
            }
            if self.prefixes.iter().any(|prefix| prefix.letters.is_none()) {
                faults.push(("prefix", "each prefix needs its 11 check `letters`".to_owned()));
            }
        }
        if !self.prefixes.is_empty() && self.issued().count() == 0 {
            faults.push(("prefix", "at least one prefix must be `issued`".to_owned()));
        }
        if self
            .prefixes
            .iter()
            .enumerate()
            .any(|(i, p)| self.prefixes[..i].iter().any(|q| q.letter == p.letter))
        {
            faults.push(("prefix", "two prefixes have the same letter".to_owned()));
        }
        if self.groups.iter().sum::<usize>() != self.length() || self.groups.contains(&0) {
            faults.push(("groups", format!("the groups must add up to the {} characters", self.length())));
        }
        faults
    }

    fn issued(&self) -> impl Iterator<Item = &Prefix> {
        self.prefixes.iter().filter(|prefix| prefix.issued)
    }

    /// Bodies with one prefix.
    fn bodies(&self) -> u64 {
        self.first_digits.len() as u64 * 10_u64.pow(self.body_digits as u32 - 1)
    }

    fn prefix_length(&self) -> usize {
        usize::from(!self.prefixes.is_empty())
    }

    fn check_length(&self) -> usize {
        usize::from(self.check != Check::None)
    }
}

enum CheckCharacter {
    NotUsed,
    Is(u8),
    Impossible,
}

impl PersonNumber {
    /// The characters, without grouping.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.characters[..usize::from(self.length)])
            .expect("a number is made of ASCII letters and digits")
    }

    /// A number as it was stored. It is not judged again: the scheme may have changed since it was given.
    /// `None` unless it is 1 to 18 capitals and digits.
    pub fn from_stored(text: &str) -> Option<PersonNumber> {
        let bytes = text.as_bytes();
        let fits = (1..=MOST_CHARACTERS).contains(&bytes.len())
            && bytes.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        if !fits {
            return None;
        }
        let mut number = PersonNumber { length: 0, characters: [0; MOST_CHARACTERS] };
        bytes.iter().for_each(|b| number.push(*b));
        Some(number)
    }

    fn push(&mut self, character: u8) {
        self.characters[usize::from(self.length)] = character;
        self.length += 1;
    }
}

/// Personal data: the debug form shows the first and the last character only.
impl fmt::Debug for PersonNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.as_str();
        write!(f, "PersonNumber({}…{})", &text[..1], &text[text.len() - 1..])
    }
}

impl Bans {
    fn forbid(&self, body: &[u8]) -> bool {
        (self.all_equal && body.windows(2).all(|pair| pair[0] == pair[1]))
            || self.longest_repeat.is_some_and(|most| longest(body, |a, b| a == b) > most)
            || self.longest_run.is_some_and(|most| {
                longest(body, |a, b| (a + 1) % 10 == b) > most
                    || longest(body, |a, b| (b + 1) % 10 == a) > most
            })
            || (self.repeated_pattern
                && (1..=body.len() / 2).any(|period| body[period..] == body[..body.len() - period]))
    }
}

/// The longest stretch in which each digit follows its neighbour.
fn longest(body: &[u8], follows: impl Fn(u8, u8) -> bool) -> usize {
    let (mut best, mut current) = (1, 1);
    for pair in body.windows(2) {
        current = if follows(pair[0], pair[1]) { current + 1 } else { 1 };
        best = best.max(current);
    }
    best
}

impl Reserved {
    fn holds(&self, body: u64) -> bool {
        (self.from..=self.to).contains(&body)
    }
}

fn weighted(weights: &[u8], body: &[u8]) -> usize {
    weights.iter().zip(body).map(|(weight, digit)| usize::from(*weight) * usize::from(*digit)).sum()
}

/// Verhoeff's check digit of `body`.
fn verhoeff(body: &[u8]) -> u8 {
    let sum = body.iter().rev().enumerate().fold(0, |sum, (i, digit)| {
        DIHEDRAL[usize::from(sum)][usize::from(PERMUTED[(i + 1) % 8][usize::from(*digit)])]
    });
    // Its inverse in the dihedral group: a rotation turns back, a reflection undoes itself.
    if sum < 5 { (5 - sum) % 5 } else { sum }
}

/// Multiplication in the symmetry group of the pentagon: 0-4 are rotations, 5-9 reflections.
const DIHEDRAL: [[u8; 10]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
];

/// Verhoeff's permutation of the digits, applied 0 to 7 times.
const PERMUTED: [[u8; 10]; 8] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
    [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
    [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
    [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
    [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
    [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
    [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
];

/// Spaces and hyphens of every kind, and the marks of direction that come with copied right-to-left text.
fn is_filler(character: char) -> bool {
    character.is_whitespace()
        || matches!(
            character,
            '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30FC}' | '\u{FF0D}' | '\u{FF70}'
        )
        || matches!(character, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// The ASCII capital or digit that a character stands for.
fn plain(character: char) -> Option<u8> {
    let letter = |first: char, capital: u8| capital + (character as u32 - first as u32) as u8;
    match character {
        '0'..='9' | 'A'..='Z' => Some(character as u8),
        'a'..='z' => Some(letter('a', b'A')),
        'Ａ'..='Ｚ' => Some(letter('Ａ', b'A')),
        'ａ'..='ｚ' => Some(letter('ａ', b'A')),
        '０'..='９' => Some(letter('０', b'0')),
        '\u{0660}'..='\u{0669}' => Some(letter('\u{0660}', b'0')), // Arabic-Indic
        '\u{06F0}'..='\u{06F9}' => Some(letter('\u{06F0}', b'0')), // Persian and Urdu
        '\u{0966}'..='\u{096F}' => Some(letter('\u{0966}', b'0')), // Devanagari
        _ => None,
    }
}

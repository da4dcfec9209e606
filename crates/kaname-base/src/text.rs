//! Texts in the reader's language: catalogues of `key = "text with {name}"`, one for each language.

use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
mod tests;

/// The language that every catalogue of the program has, and the last one that is tried.
pub const LAST_RESORT: &str = "en";

/// Catalogues of one or more languages (BCP 47 tags). What is missing in one is looked up in the next: the reader's
/// language, the country's first language, English; at last the key itself is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    first_language: String,
    by_language: BTreeMap<String, BTreeMap<String, String>>,
}

/// What is wrong with a catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct TextProblem {
    /// Counted from 1.
    pub line: usize,
    /// The key; empty when the file cannot be read at all.
    pub key: String,
    /// In plain words.
    pub message: String,
}

impl Texts {
    /// No texts yet; `first_language` is the one to fall back to.
    pub fn new(first_language: &str) -> Texts {
        Texts { first_language: first_language.to_owned(), by_language: BTreeMap::new() }
    }

    /// Adds a catalogue in TOML. Tables are allowed and join their keys with a dot: `[number]` `name` is `number.name`.
    ///
    /// # Errors
    /// All problems of the file; nothing is added then.
    pub fn add(&mut self, language: &str, toml: &str) -> Result<(), Vec<TextProblem>> {
        let (table, errors) = toml::de::DeTable::parse_recoverable(toml);
        let mut problems: Vec<TextProblem> = errors
            .iter()
            .map(|error| TextProblem {
                line: line_at(toml, error.span().map_or(0, |span| span.start)),
                key: String::new(),
                message: format!("not TOML: {}", error.message()),
            })
            .collect();
        let mut entries = BTreeMap::new();
        flatten(toml, "", table.get_ref(), &mut entries, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        self.by_language.entry(language.to_owned()).or_default().extend(entries);
        Ok(())
    }

    /// These texts with those of `over` on top: a country's words over the program's. `over` says what the first
    /// language is.
    #[must_use]
    pub fn merge(mut self, over: &Texts) -> Texts {
        if !over.first_language.is_empty() {
            self.first_language.clone_from(&over.first_language);
        }
        for (language, entries) in &over.by_language {
            let mine = self.by_language.entry(language.clone()).or_default();
            mine.extend(entries.iter().map(|(key, text)| (key.clone(), text.clone())));
        }
        self
    }

    /// The text for `key` with `{name}` filled in. A missing text shows as its key, a missing value as its name.
    pub fn get(&self, language: &str, key: &str, values: &[(&str, &str)]) -> String {
        match self.find(language, key) {
            Some(text) => fill(text, values),
            None => key.to_owned(),
        }
    }

    /// The text for `key` as written, if any catalogue has it.
    pub fn find(&self, language: &str, key: &str) -> Option<&str> {
        let primary = language.split('-').next().unwrap_or(language);
        [language, primary, &self.first_language, LAST_RESORT]
            .into_iter()
            .find_map(|language| self.by_language.get(language)?.get(key))
            .map(String::as_str)
    }

    /// The languages that have a catalogue.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.by_language.keys().map(String::as_str)
    }

    /// All keys of all catalogues, in order.
    pub fn keys(&self) -> BTreeSet<&str> {
        self.by_language.values().flat_map(|entries| entries.keys()).map(String::as_str).collect()
    }

    /// What keeps these texts from being complete: each key in each language, with the same placeholders everywhere.
    pub fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        for key in self.keys() {
            let mut expected: Option<(&str, BTreeSet<&str>)> = None;
            for (language, entries) in &self.by_language {
                let Some(text) = entries.get(key) else {
                    gaps.push(format!("{language}: `{key}` is missing"));
                    continue;
                };
                let found = placeholders(text);
                match &expected {
                    None => expected = Some((language, found)),
                    Some((first, names)) if *names != found => {
                        gaps.push(format!("{language}: `{key}` has other placeholders than in {first}"));
                    }
                    Some(_) => {}
                }
            }
        }
        gaps
    }
}

/// The line, from 1, of a byte offset.
pub(crate) fn line_at(text: &str, offset: usize) -> usize {
    1 + text.as_bytes()[..offset.min(text.len())].iter().filter(|b| **b == b'\n').count()
}

fn flatten(
    toml: &str,
    before: &str,
    table: &toml::de::DeTable<'_>,
    entries: &mut BTreeMap<String, String>,
    problems: &mut Vec<TextProblem>,
) {
    for (name, value) in table {
        let key = format!("{before}{}", name.get_ref());
        match value.get_ref() {
            toml::de::DeValue::String(text) => {
                entries.insert(key, text.clone().into_owned());
            }
            toml::de::DeValue::Table(inner) => flatten(toml, &format!("{key}."), inner, entries, problems),
            other => problems.push(TextProblem {
                line: line_at(toml, name.span().start),
                key,
                message: format!("a text is expected here, not a {}", other.type_str()),
            }),
        }
    }
}

/// Pieces between braces that look like a name; other braces are plain text.
fn placeholders(text: &str) -> BTreeSet<&str> {
    pieces(text)
        .filter_map(|piece| match piece {
            Piece::Placeholder(name) => Some(name),
            Piece::Plain(_) => None,
        })
        .collect()
}

fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len() + 16);
    for piece in pieces(text) {
        match piece {
            Piece::Plain(plain) => filled.push_str(plain),
            Piece::Placeholder(name) => match values.iter().find(|(known, _)| *known == name) {
                Some((_, value)) => filled.push_str(value),
                None => filled.extend(["{", name, "}"]),
            },
        }
    }
    filled
}

enum Piece<'a> {
    Plain(&'a str),
    Placeholder(&'a str),
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some(inside) = rest.strip_prefix('{')
            && let Some((name, after)) = inside.split_once('}')
            && is_name(name)
        {
            rest = after;
            return Some(Piece::Placeholder(name));
        }
        let end = rest.char_indices().skip(1).find(|(_, c)| *c == '{').map_or(rest.len(), |(at, _)| at);
        let (plain, after) = rest.split_at(end);
        rest = after;
        Some(Piece::Plain(plain))
    })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

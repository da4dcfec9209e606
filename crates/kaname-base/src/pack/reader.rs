//! Walks a TOML document and keeps a list of everything that is wrong with it, each with its line and path.
//!
//! A getter that finds nothing good notes the problem and returns an empty value, so that reading goes on.

use std::cell::RefCell;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Labels, PackProblem};
use crate::text::line_at;

/// One file of a pack.
pub(super) struct Source<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    pub(super) problems: &'a RefCell<Vec<PackProblem>>,
}

/// A table in it.
pub(super) struct Node<'a> {
    source: &'a Source<'a>,
    path: String,
    span: Range<usize>,
    table: &'a DeTable<'a>,
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Source<'a> {
    /// The document; problems of the syntax are noted, and what could be read is returned all the same.
    pub(super) fn document(&self) -> Spanned<DeTable<'a>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            self.note(
                error.span().map_or(0, |span| span.start),
                "",
                format!("not TOML: {}", error.message()),
            );
        }
        table
    }

    pub(super) fn note(&self, offset: usize, path: &str, message: String) {
        self.problems.borrow_mut().push(PackProblem {
            file: self.file.to_owned(),
            line: line_at(self.text, offset),
            path: path.to_owned(),
            message,
        });
    }
}

impl<'a> Node<'a> {
    pub(super) fn root(source: &'a Source<'a>, document: &'a Spanned<DeTable<'a>>) -> Node<'a> {
        Node {
            source,
            path: String::new(),
            span: document.span(),
            table: document.get_ref(),
            known: RefCell::default(),
        }
    }

    /// Notes a problem with `key`, or with the table itself when the key is not there.
    pub(super) fn wrong(&self, key: &str, message: impl Into<String>) {
        let first = key.split('.').next().unwrap_or(key);
        let offset = self.entry(first).map_or(self.span.start, |(at, _)| at);
        self.source.note(offset, &self.path_of(key), message.into());
    }

    /// The text under `key`, which must be there and not empty.
    pub(super) fn text(&self, key: &'static str) -> String {
        match self.optional_text(key) {
            Some(text) if text.trim().is_empty() => self.wrong(key, "it is empty"),
            Some(text) => return text,
            None if self.entry(key).is_none() => self.wrong(key, "it is missing"),
            None => {}
        }
        String::new()
    }

    pub(super) fn optional_text(&self, key: &'static str) -> Option<String> {
        match self.value(key)? {
            DeValue::String(text) => Some(text.clone().into_owned()),
            other => self.expected(key, "a text", other),
        }
    }

    /// One of a closed list of words.
    pub(super) fn choice<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> T {
        let text = self.text(key);
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => *value,
            None => {
                if !text.is_empty() {
                    let known: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
                    self.wrong(key, format!("`{text}` is not known here; it can be {}", known.join(", ")));
                }
                words[0].1
            }
        }
    }

    /// A whole number in `range`, which must be there.
    pub(super) fn number(&self, key: &'static str, range: Range<u64>) -> u64 {
        let start = range.start;
        match self.optional_number(key, range) {
            Some(number) => number,
            None => {
                if self.entry(key).is_none() {
                    self.wrong(key, "it is missing");
                }
                start
            }
        }
    }

    pub(super) fn optional_number(&self, key: &'static str, range: Range<u64>) -> Option<u64> {
        let number = match self.value(key)? {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            other => return self.expected(key, "a whole number", other),
        };
        let fits = number.filter(|number| range.contains(number));
        if fits.is_none() {
            self.wrong(key, format!("it must be a whole number from {} to {}", range.start, range.end - 1));
        }
        fits
    }

    /// `true` or `false`; `false` when it is not there.
    pub(super) fn flag(&self, key: &'static str) -> bool {
        match self.value(key) {
            Some(DeValue::Boolean(flag)) => *flag,
            Some(other) => self.expected(key, "true or false", other).unwrap_or(false),
            None => false,
        }
    }

    /// A list of whole numbers below 256.
    pub(super) fn numbers(&self, key: &'static str) -> Vec<u8> {
        self.list(key, "a list of whole numbers below 256", |value| match value {
            DeValue::Integer(number) => u8::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        })
    }

    /// A list of texts.
    pub(super) fn texts(&self, key: &'static str) -> Vec<String> {
        self.list(key, "a list of texts", |value| value.as_str().map(str::to_owned))
    }

    fn list<T>(&self, key: &'static str, what: &str, item: impl Fn(&DeValue<'_>) -> Option<T>) -> Vec<T> {
        let Some(value) = self.value(key) else {
            self.wrong(key, "it is missing");
            return Vec::new();
        };
        let items: Option<Vec<T>> = match value {
            DeValue::Array(items) => items.iter().map(|value| item(value.get_ref())).collect(),
            _ => None,
        };
        items.unwrap_or_else(|| {
            self.wrong(key, format!("{what} is expected here"));
            Vec::new()
        })
    }

    /// The table under `key`, which must be there.
    pub(super) fn table(&self, key: &'static str) -> Option<Node<'a>> {
        let found = self.optional_table(key);
        if found.is_none() && self.entry(key).is_none() {
            self.wrong(key, "it is missing");
        }
        found
    }

    pub(super) fn optional_table(&self, key: &'static str) -> Option<Node<'a>> {
        match self.value(key)? {
            DeValue::Table(table) => Some(self.child(self.path_of(key), self.entry(key)?.0, table)),
            other => self.expected(key, "a table", other),
        }
    }

    /// The `[[key]]` tables; none when there are none.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Node<'a>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let DeValue::Array(items) = value else {
            return self.expected(key, "one or more [[tables]]", value).unwrap_or_default();
        };
        let mut tables = Vec::new();
        for (i, item) in items.iter().enumerate() {
            match item.get_ref() {
                DeValue::Table(table) => {
                    tables.push(self.child(
                        format!("{}[{}]", self.path_of(key), i + 1),
                        item.span().start,
                        table,
                    ));
                }
                other => drop(self.expected::<()>(key, "one or more [[tables]]", other)),
            }
        }
        tables
    }

    /// A name in each of `languages`, the default first.
    pub(super) fn labels(&self, key: &'static str, languages: &[String]) -> Labels {
        let Some(node) = self.table(key) else { return Labels::default() };
        let mut labels = Vec::new();
        for language in languages {
            match node.table.iter().find(|(name, _)| name.get_ref() == language) {
                Some((_, value)) => match value.get_ref().as_str() {
                    Some(text) if !text.trim().is_empty() => labels.push((language.clone(), text.to_owned())),
                    _ => node.wrong(language, "a text is expected here"),
                },
                None => node.wrong(language, format!("the text in the language `{language}` is missing")),
            }
        }
        for (name, _) in node.table {
            if !languages.iter().any(|language| language == name.get_ref()) {
                node.wrong(name.get_ref(), "this is not one of the pack's languages");
            }
        }
        Labels(labels)
    }

    /// Ends the reading of a table: every key that was not asked for is refused.
    pub(super) fn refuse_other_keys(&self) {
        let known = self.known.borrow();
        for (name, _) in self.table {
            if !known.iter().any(|key| key == name.get_ref()) {
                let known: Vec<_> = known.iter().map(|key| format!("`{key}`")).collect();
                self.wrong(name.get_ref(), format!("unknown key; known here are {}", known.join(", ")));
            }
        }
    }

    fn child(&self, path: String, start: usize, table: &'a DeTable<'a>) -> Node<'a> {
        Node { source: self.source, path, span: start..start, table, known: RefCell::default() }
    }

    fn expected<T>(&self, key: &str, what: &str, found: &DeValue<'_>) -> Option<T> {
        self.wrong(
            key,
            format!("{what} is expected here, not {} {}", article(found.type_str()), found.type_str()),
        );
        None
    }

    fn value(&self, key: &'static str) -> Option<&'a DeValue<'a>> {
        if !self.known.borrow().contains(&key) {
            self.known.borrow_mut().push(key);
        }
        self.entry(key).map(|(_, value)| value)
    }

    fn entry(&self, key: &str) -> Option<(usize, &'a DeValue<'a>)> {
        let (name, value) = self.table.iter().find(|(name, _)| name.get_ref() == key)?;
        Some((name.span().start, value.get_ref()))
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

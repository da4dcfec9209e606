//! Which column of a file is which field, and how its texts are read. A mapping is data, so that the export of another
//! system needs no change.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use kaname_base::time::BirthDate;
use serde::{Deserialize, Serialize};

use super::reader::{Row, Unreadable};
use crate::{Entry, Field, Refusal};

/// How a file is read. [`Mapping::own`] reads our own form.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Whose references these are: one source never gives one reference to two people.
    pub source: String,
    /// CSV or JSON lines; else by the file's name.
    #[serde(default)]
    pub format: Option<Format>,
    /// What stands between two cells of a CSV file.
    #[serde(default = "comma")]
    pub delimiter: char,
    /// How dates are written, such as `YYYY-MM-DD`, `YYYYMMDD` or `DD/MM/YYYY`.
    #[serde(default = "iso_date")]
    pub date_format: String,
    /// What is put between the columns that make one field together.
    #[serde(default = "space")]
    pub join: String,
    /// Field by column, or by several columns that are joined.
    pub columns: BTreeMap<Field, Columns>,
    /// Fields that the file does not have: the same text for each row.
    #[serde(default)]
    pub constants: BTreeMap<Field, String>,
    /// What an empty cell stands for.
    #[serde(default)]
    pub defaults: BTreeMap<Field, String>,
    /// The file's own codes, by field: `[values.sex] m = "M"`. Other texts stay as they are.
    #[serde(default)]
    pub values: BTreeMap<Field, BTreeMap<String, String>>,
    /// Whether a column may be missing from the file altogether, as in our own form.
    #[serde(skip)]
    lenient: bool,
}

/// The form of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// RFC 4180, UTF-8, with a header.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

/// One column, or several.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Columns {
    /// One.
    One(String),
    /// Several, joined in this order; empty cells are left out.
    Several(Vec<String>),
}

impl Columns {
    /// Their names.
    pub fn names(&self) -> &[String] {
        match self {
            Columns::One(name) => std::slice::from_ref(name),
            Columns::Several(names) => names,
        }
    }
}

fn comma() -> char {
    ','
}
fn iso_date() -> String {
    "YYYY-MM-DD".to_owned()
}
fn space() -> String {
    " ".to_owned()
}

impl Mapping {
    /// Our own form: the columns are called as the fields are.
    pub fn own() -> Mapping {
        let columns = Field::ALL.map(|field| (field, Columns::One(field.name().to_owned())));
        Mapping {
            source: "residents".to_owned(),
            format: None,
            delimiter: comma(),
            date_format: iso_date(),
            join: space(),
            columns: columns.into_iter().collect(),
            constants: BTreeMap::new(),
            defaults: BTreeMap::new(),
            values: BTreeMap::new(),
            lenient: true,
        }
    }

    /// Reads a mapping file (TOML).
    ///
    /// # Errors
    /// [`Refusal::Mapping`], with the line.
    pub fn parse(text: &str) -> Result<Mapping, Refusal> {
        let mapping: Mapping = toml::from_str(text).map_err(|error| Refusal::Mapping(error.to_string()))?;
        let wrong = |message: &str| Err(Refusal::Mapping(message.to_owned()));
        if mapping.source.is_empty() || mapping.source.contains('\0') {
            return wrong("`source` must name whose references these are");
        }
        if !mapping.columns.contains_key(&Field::Reference) {
            return wrong(
                "`columns.reference` is missing: without it a second import would register everybody again",
            );
        }
        if !mapping.delimiter.is_ascii() || matches!(mapping.delimiter, '"' | '\n' | '\r') {
            return wrong("`delimiter` must be one ASCII character, and no quote or line end");
        }
        if let Some(field) = mapping.constants.keys().find(|field| mapping.columns.contains_key(field)) {
            return wrong(&format!("`{field}` has a column and a constant"));
        }
        let form = &mapping.date_format;
        let count = |letter| form.chars().filter(|c| *c == letter).count();
        if (count('Y'), count('M'), count('D')) != (4, 2, 2) || !form.is_ascii() {
            return wrong("`date_format` must have YYYY, MM and DD once each");
        }
        Ok(mapping)
    }

    /// A date in the mapping's form, as `YYYY-MM-DD`. A text of another form is given back as it is, to be refused with the reason;
    /// so is a year, or a year and a month, where the ISO form is agreed.
    pub(crate) fn iso<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let form = self.date_format.as_bytes();
        let text = text.trim();
        if self.date_format == "YYYY-MM-DD" {
            return text.into();
        }
        let letter = |c: u8| matches!(c, b'Y' | b'M' | b'D');
        let fits = text.len() == form.len()
            && text.bytes().zip(form).all(|(t, f)| if letter(*f) { t.is_ascii_digit() } else { t == *f });
        if !fits {
            // Not "1980" or "1980-04" by accident: what does not fit the agreed form is no date.
            return if BirthDate::parse(text).is_ok() { "?".into() } else { text.into() };
        }
        let part = |wanted: u8| -> String {
            text.bytes().zip(form).filter(|(_, f)| **f == wanted).map(|(t, _)| char::from(t)).collect()
        };
        format!("{}-{}-{}", part(b'Y'), part(b'M'), part(b'D')).into()
    }
}

/// Columns that our own form cannot do without.
const NEEDED: [Field; 6] =
    [Field::Reference, Field::FamilyName, Field::GivenName, Field::BirthDate, Field::Sex, Field::Status];

/// A mapping, fitted to a file.
pub(crate) struct Plan {
    mapping: Mapping,
    source: Source,
}

enum Source {
    /// How many columns the file has, and which of them make up each field.
    Csv {
        columns: usize,
        fields: Vec<(Field, Vec<usize>)>,
    },
    Json,
}

/// The texts of one row, by field.
pub(crate) struct Texts<'r>([Cow<'r, str>; Field::ALL.len()]);

impl Mapping {
    /// The form of a file: as the mapping says, or by its name.
    pub(crate) fn format_of(&self, file: &Path) -> Format {
        let by_name = || {
            let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or("");
            if ["jsonl", "ndjson"].contains(&ending) { Format::Jsonl } else { Format::Csv }
        };
        self.format.unwrap_or_else(by_name)
    }

    pub(crate) fn plan_for_json(&self) -> Plan {
        Plan { mapping: self.clone(), source: Source::Json }
    }

    /// Finds each column in the header.
    pub(crate) fn plan_for_csv(&self, header: &Row) -> Result<Plan, Refusal> {
        let place = |wanted: &String| (0..header.len()).find(|column| header.cell(*column).trim() == wanted);
        let mut fields = Vec::new();
        for (field, columns) in &self.columns {
            let mut places = Vec::new();
            for name in columns.names() {
                match place(name) {
                    Some(place) => places.push(place),
                    None if self.lenient && !NEEDED.contains(field) => {}
                    None => {
                        return Err(Refusal::Mapping(format!(
                            "the file has no column `{name}` (for `{field}`)"
                        )));
                    }
                }
            }
            fields.push((*field, places));
        }
        Ok(Plan { mapping: self.clone(), source: Source::Csv { columns: header.len(), fields } })
    }
}

impl Plan {
    /// How many cells a row must have.
    pub(crate) fn columns(&self) -> Option<usize> {
        match &self.source {
            Source::Csv { columns, .. } => Some(*columns),
            Source::Json => None,
        }
    }

    /// What the file calls a field.
    pub(crate) fn column(&self, field: Field) -> String {
        self.mapping.columns.get(&field).map_or(field.name().to_owned(), |columns| columns.names().join("+"))
    }

    /// The texts of a row.
    pub(crate) fn texts<'r>(&'r self, row: &'r Row) -> Result<Texts<'r>, Unreadable> {
        let mut texts = Texts(std::array::from_fn(|_| Cow::Borrowed("")));
        for (field, constant) in &self.mapping.constants {
            texts.0[*field as usize] = Cow::Borrowed(constant);
        }
        match &self.source {
            Source::Csv { fields, .. } => {
                for (field, places) in fields {
                    let text = match places.as_slice() {
                        [] => continue,
                        [place] => Cow::Borrowed(row.cell(*place)),
                        several => self.joined(several.iter().map(|place| row.cell(*place))),
                    };
                    texts.0[*field as usize] = self.finished(*field, text);
                }
            }
            Source::Json => {
                let object = row.json()?;
                let cell = |name: &String| match object.get(name) {
                    None | Some(serde_json::Value::Null) => String::new(),
                    Some(serde_json::Value::String(text)) => text.clone(),
                    Some(other) => other.to_string(),
                };
                for (field, columns) in &self.mapping.columns {
                    let cells: Vec<String> = columns.names().iter().map(cell).collect();
                    let text = match cells.as_slice() {
                        [one] => Cow::Owned(one.clone()),
                        several => self.joined(several.iter().map(String::as_str)),
                    };
                    texts.0[*field as usize] = Cow::Owned(self.finished(*field, text).into_owned());
                }
            }
        }
        Ok(texts)
    }

    fn joined<'c>(&self, cells: impl Iterator<Item = &'c str>) -> Cow<'static, str> {
        let cells: Vec<&str> = cells.map(str::trim).filter(|cell| !cell.is_empty()).collect();
        Cow::Owned(cells.join(&self.mapping.join))
    }

    /// A text with the default for an empty one, the file's codes turned into ours, and its date into ISO's form.
    fn finished<'r>(&'r self, field: Field, text: Cow<'r, str>) -> Cow<'r, str> {
        let trimmed = text.trim_matches(' ');
        let text = match self.mapping.defaults.get(&field) {
            Some(default) if trimmed.is_empty() => Cow::Borrowed(default.as_str()),
            _ => text,
        };
        let code = self.mapping.values.get(&field).and_then(|values| values.get(text.trim_matches(' ')));
        let text = code.map_or(text, |code| Cow::Borrowed(code.as_str()));
        match field {
            Field::BirthDate | Field::StayFrom | Field::StayUntil | Field::AddressSince => {
                match self.mapping.iso(&text) {
                    Cow::Borrowed(same) if same.len() == text.len() => text,
                    other => Cow::Owned(other.into_owned()),
                }
            }
            _ => text,
        }
    }
}

impl Texts<'_> {
    /// The row as an entry.
    pub(crate) fn entry(&self) -> Entry<'_> {
        let mut entry = Entry::default();
        for field in Field::ALL {
            entry.set(field, &self.0[field as usize]);
        }
        entry
    }
}

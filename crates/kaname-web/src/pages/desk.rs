//! What an officer does for the resident at the counter, and decides about the register. One form a page, or one list.

use askama::Template;

use super::entry::EntryView;
use super::office::{Choice, InputView};
use super::portal::PersonView;
use super::shell::errors;
use super::{Field, NoticeKind, Shell};

/// A page with one form.
#[derive(Template)]
#[template(path = "office/form.html")]
pub struct OfficeFormPage {
    /// The frame.
    pub shell: Shell,
    /// The heading.
    pub title: String,
    /// What it is for; empty where the heading says it.
    pub lead: String,
    /// The way back.
    pub back: String,
    /// Where the form is sent.
    pub action: String,
    /// What is sent with it.
    pub hidden: Vec<(&'static str, String)>,
    /// What is asked, in order.
    pub parts: Vec<Part>,
    /// What to know before sending it; empty when there is nothing.
    pub note: String,
    /// The words of the button.
    pub button: String,
}

/// A question of a form.
#[derive(Clone, Debug)]
pub enum Part {
    /// One line.
    Line(InputView),
    /// One of several answers.
    Choose {
        /// Its name in the form.
        id: &'static str,
        /// The question.
        legend: String,
        /// More about it, or empty.
        hint: String,
        /// The answer.
        field: Field,
        /// The answers.
        choices: Vec<Choice>,
    },
    /// A day, in three fields.
    Day(DayView),
    /// Any number of several answers.
    Boxes {
        /// Where an error leads.
        id: &'static str,
        /// The question.
        legend: String,
        /// What is wrong.
        field: Field,
        /// The answers: the name of the box, its words, whether it is ticked.
        boxes: Vec<(String, String, bool)>,
    },
}

/// A day in three fields.
#[derive(Clone, Debug)]
pub struct DayView {
    /// The names of the fields: year, month, day.
    pub ids: [&'static str; 3],
    /// The question.
    pub legend: String,
    /// More about it, or empty.
    pub hint: String,
    /// What was written.
    pub fields: [Field; 3],
}

impl Part {
    /// The field that stands for this question, if it is the one of this name.
    pub fn field(&mut self, name: &str) -> Option<&mut Field> {
        match self {
            Part::Line(input) if input.id == name => Some(&mut input.field),
            Part::Choose { id, field, .. } | Part::Boxes { id, field, .. } if *id == name => Some(field),
            Part::Day(day) => {
                let at = day.ids.iter().position(|id| *id == name)?;
                Some(&mut day.fields[at])
            }
            _ => None,
        }
    }

    fn fields(&self) -> Vec<(&'static str, &Field)> {
        match self {
            Part::Line(input) => vec![(input.id, &input.field)],
            Part::Choose { id, field, .. } | Part::Boxes { id, field, .. } => vec![(*id, field)],
            Part::Day(day) => day.ids.iter().copied().zip(&day.fields).collect(),
        }
    }
}

impl DayView {
    fn error(&self) -> Option<&str> {
        self.fields.iter().find_map(|field| field.error.as_deref())
    }
}

impl OfficeFormPage {
    /// Notes what is wrong with a field; with the first one, when the form has none of this name.
    pub fn wrong(&mut self, name: &str, error: String) {
        let at = self.parts.iter_mut().position(|part| part.field(name).is_some());
        let Some(part) = self.parts.get_mut(at.unwrap_or(0)) else { return };
        let first = part.fields().first().map(|(id, _)| *id).unwrap_or_default();
        let name = if at.is_some() { name } else { first };
        if let Some(field) = part.field(name) {
            field.error = Some(error);
        }
    }

    /// Whether anything is wrong so far.
    pub fn is_wrong(&self) -> bool {
        !self.errors().is_empty()
    }

    fn errors(&self) -> Vec<(&'static str, &str)> {
        let fields: Vec<(&'static str, &Field)> = self.parts.iter().flat_map(Part::fields).collect();
        errors(&fields)
    }
}

/// A page with one list.
#[derive(Template)]
#[template(path = "office/list.html")]
pub struct OfficeListPage {
    /// The frame.
    pub shell: Shell,
    /// The heading.
    pub title: String,
    /// What it shows.
    pub lead: String,
    /// The way back.
    pub back: String,
    /// What is said when the list is empty.
    pub none: String,
    /// The list.
    pub entries: Vec<EntryView>,
    /// What else can be done: address, words, and more about it.
    pub doors: Vec<(String, String, String)>,
}

/// `GET /office/counter/{counter}/photo`.
#[derive(Template)]
#[template(path = "office/photo.html")]
pub struct OfficePhotoPage {
    /// The frame.
    pub shell: Shell,
    /// Where the pages of this session lie.
    pub base: String,
    /// The id that lets the form be sent twice and act once.
    pub request: String,
    /// Whether there is one.
    pub has_one: bool,
    /// Field `file`.
    pub file: Field,
    /// Field `why`.
    pub why: Field,
    /// Field `evidence`.
    pub evidence: Field,
    /// The most that a file may have, in units of 1,024 bytes.
    pub most_kib: u64,
}

impl OfficePhotoPage {
    fn errors(&self) -> Vec<(&'static str, &str)> {
        errors(&[("file", &self.file), ("why", &self.why), ("evidence", &self.evidence)])
    }
}

/// After `POST /office/introducers/open`: an introducer, and everybody whom she brought in.
#[derive(Template)]
#[template(path = "office/introducer.html")]
pub struct OfficeIntroducerPage {
    /// The frame.
    pub shell: Shell,
    /// Sent in the field `introducer`.
    pub handle: String,
    /// Who, and what was decided about her.
    pub introducer: EntryView,
    /// Whether she may vouch for nobody now.
    pub suspended: bool,
    /// Whether this officer may change that.
    pub may_suspend: bool,
    /// Oldest first.
    pub brought: Vec<EntryView>,
}

/// `GET /office/counter/{counter}/as-of`: a record as it was.
#[derive(Template)]
#[template(path = "office/as_of.html")]
pub struct OfficeAsOfPage {
    /// The frame.
    pub shell: Shell,
    /// The way back.
    pub back: String,
    /// For which day, and as known when, in the reader's language.
    pub said: String,
    /// Where she lived, in the reader's language.
    pub standing: String,
    /// The record; none when nothing was known.
    pub person: Option<PersonView>,
}

/// `GET /office/decisions/{id}`: what one officer proposed and another decides.
#[derive(Template)]
#[template(path = "office/decision.html")]
pub struct OfficeDecisionPage {
    /// The frame.
    pub shell: Shell,
    /// Where the decision is sent.
    pub action: String,
    /// What is proposed.
    pub entry: EntryView,
    /// Whether this officer may decide it; otherwise another one must.
    pub may_decide: bool,
    /// Why it cannot be approved on this page, if so.
    pub elsewhere: Option<String>,
}

//! Questions of the office's forms, with what was sent in them: a form that comes back is the form that was sent.

use axum::http::StatusCode;
use jiff::civil::Date;
use kaname_person::show::Asking;
use kaname_person::{Action, PersonError, Refusal};

use super::register::reason;
use crate::http::answer::{Answer, page_with};
use crate::http::guard::AtCounter;
use crate::http::{Call, Problem};
use crate::pages::desk::{DayView, OfficeFormPage, Part};
use crate::pages::office::{Choice, InputView};
use crate::pages::{Field, Shell};

/// The longest reason or evidence, in letters.
const LONGEST: usize = 500;

/// One line; `hint` is a key, or empty.
pub(super) fn line(shell: &Shell, call: &Call, id: &'static str, label: &str, hint: &str) -> Part {
    Part::Line(InputView {
        id,
        label: shell.t(label),
        hint: if hint.is_empty() { String::new() } else { shell.t(hint) },
        field: Field::of(call.form.text(id)),
    })
}

/// Inputs that another form has too, with what was sent in them.
pub(super) fn lines(call: &Call, inputs: Vec<InputView>) -> impl Iterator<Item = Part> {
    inputs
        .into_iter()
        .map(|input| Part::Line(InputView { field: Field::of(call.form.text(input.id)), ..input }))
}

/// One of several answers.
pub(super) fn choose(
    shell: &Shell,
    call: &Call,
    id: &'static str,
    legend: &str,
    choices: Vec<Choice>,
) -> Part {
    let field = Field::of(call.form.text(id));
    Part::Choose { id, legend: shell.t(legend), hint: String::new(), field, choices }
}

/// Any number of several answers; each box is called by its code.
pub(super) fn boxes(
    shell: &Shell,
    call: &Call,
    id: &'static str,
    legend: &str,
    codes: impl Iterator<Item = String>,
) -> Part {
    let named = codes.map(|code| {
        let (name, label) = (format!("{id}-{code}"), shell.word(id, &code));
        let is_ticked = !call.form.text(&name).is_empty();
        (name, label, is_ticked)
    });
    Part::Boxes { id, legend: shell.t(legend), field: Field::default(), boxes: named.collect() }
}

/// A day in three fields.
pub(super) fn day(shell: &Shell, call: &Call, ids: [&'static str; 3], legend: &str, hint: &str) -> Part {
    let fields = ids.map(|id| Field::of(call.form.text(id).trim()));
    Part::Day(DayView { ids, legend: shell.t(legend), hint: shell.t(hint), fields })
}

/// The day that was sent, if it is one.
pub(super) fn read_day(call: &Call, ids: [&'static str; 3]) -> Option<Date> {
    let [year, month, day] = ids.map(|id| call.form.text(id).trim());
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// Whether nothing of a day was sent.
pub(super) fn no_day(call: &Call, ids: [&'static str; 3]) -> bool {
    ids.iter().all(|id| call.form.text(id).trim().is_empty())
}

/// Why, and what shows it: two lines that every act about a resident has.
pub(super) fn grounds(shell: &Shell, call: &Call) -> [Part; 2] {
    [
        line(shell, call, "why", "desk.why", "desk.why_hint"),
        line(shell, call, "evidence", "desk.evidence", "desk.evidence_hint"),
    ]
}

/// What was sent as grounds; what is missing is noted in the form.
pub(super) fn read_grounds(call: &Call, form: &mut OfficeFormPage) -> Option<(String, String)> {
    let (why, evidence) = (read_line(call, form, "why"), read_line(call, form, "evidence"));
    why.zip(evidence)
}

/// A line that must be there; what is wrong with it is noted in the form.
pub(super) fn read_line(call: &Call, form: &mut OfficeFormPage, name: &'static str) -> Option<String> {
    let text = call.form.text(name).trim();
    let Some(error) = wrong_line(text) else { return Some(text.to_owned()) };
    form.wrong(name, form.shell.t(error));
    None
}

/// What is wrong with a line that must be there, as a key.
pub(super) fn wrong_line(text: &str) -> Option<&'static str> {
    match text {
        "" => Some("wrong.required"),
        text if text.chars().count() > LONGEST => Some("wrong.long"),
        text if text.chars().any(char::is_control) => Some("wrong.characters"),
        _ => None,
    }
}

/// A choice by its code and its words.
pub(super) fn choice(code: impl Into<String>, label: impl Into<String>) -> Choice {
    Choice { code: code.into(), label: label.into(), hint: String::new() }
}

/// The form again, with what is wrong.
pub(super) fn again(form: &OfficeFormPage) -> Answer {
    page_with(StatusCode::UNPROCESSABLE_ENTITY, form)
}

/// The form again when the register says no to what is in it; any other failure stays one. `place` says at which field a refusal is
/// shown that is not about one.
pub(super) fn refused(mut form: OfficeFormPage, error: PersonError, place: &str) -> Answer {
    let PersonError::Refused(refusal) = error else { return Err(error.into()) };
    let shell = form.shell.clone();
    let (field, words) = match &refusal {
        Refusal::Invalid(fault) => (fault.field.name(), reason(&shell, fault.reason)),
        Refusal::UnknownRelation
        | Refusal::RelatedToHerself
        | Refusal::AlreadyRelated
        | Refusal::OtherDead
        | Refusal::TooYoung
        | Refusal::MarriedAlready
        | Refusal::ParentYounger
        | Refusal::CloseKin
        | Refusal::NotRelated => ("other", shell.word("refused", refusal.code())),
        Refusal::EventInFuture
        | Refusal::EventBeforeBirth
        | Refusal::AfterDeath
        | Refusal::LaterEvent
        | Refusal::NotHere
        | Refusal::NotAway => ("on_year", shell.word("refused", refusal.code())),
        Refusal::SameAddress
        | Refusal::NothingChanges
        | Refusal::AddressInPart { .. }
        | Refusal::MandateTerms
        | Refusal::MandateThere
        | Refusal::NotMerged
        | Refusal::ProposedAlready
        | Refusal::SamePerson
        | Refusal::NoSuchResident
        | Refusal::TooManyAliases
        | Refusal::NoSuchEvent
        | Refusal::EventStands
        | Refusal::EntryMerged => (place, shell.word("refused", refusal.code())),
        _ => return Err(refusal.into()),
    };
    form.wrong(field, words);
    again(&form)
}

/// Who asks, in the role that allows it, for what the resident came for.
pub(super) fn asking(at: &AtCounter, action: Action) -> Result<Asking, Problem> {
    let actor = at.acting(action).map_err(PersonError::from)?;
    Ok(Asking { person: at.person(), actor, purpose: at.session.purpose().to_owned() })
}

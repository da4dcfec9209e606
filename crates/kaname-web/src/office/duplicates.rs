//! Is this person here already? Those who look like the person at the counter stand side by side with her, with what speaks for it and
//! against it, and the officer decides.

use axum::http::StatusCode;
use kaname_base::Instant;
use kaname_codec::b64;
use kaname_person::duplicate::{Candidate, Decision, LOOKS_LIKE, find_duplicates};
use kaname_person::linkage::{Field as Compared, FieldEvidence, Level};
use kaname_person::register::Register;
use kaname_person::show::{self, Asking};
use kaname_person::{Action, Particulars, PersonError, Refusal};
use kaname_trust::PersonId;

use crate::http::answer::{Answer, page_with};
use crate::http::guard::Officer;
use crate::http::{App, Call};
use crate::pages::office::{CandidateView, Choice, ComparedView, OfficeDuplicatesPage};
use crate::pages::{Field, Shell};
use crate::portal::own::{FIELDS, person_view};

/// What the officer decided about those who were shown.
pub(super) enum Said {
    /// Nothing: nobody was shown, or not to this officer for this form.
    Nothing,
    /// The person is this one, who is here already.
    Same(PersonId),
    /// The person is none of them.
    Others(Decision),
    /// Not clear: the page is shown again.
    Unclear,
}

/// How long a page can be decided on, in seconds.
const HOLDS_SECONDS: i64 = 1_800;

/// The longest reason, in letters.
const LONGEST: usize = 500;

const OTHER: &str = "other";

/// What the form says about those whom this officer was shown for this request.
pub(super) fn said(app: &App, call: &Call, officer: &Officer, request: &[u8; 16]) -> Said {
    let Some(shown) = shown(app, call, officer, request) else { return Said::Nothing };
    let (decision, why) = (call.form.text("decision"), call.form.text("why").trim());
    if decision == OTHER {
        let good = !why.is_empty() && why.chars().count() <= LONGEST && !why.chars().any(char::is_control);
        return if good {
            Said::Others(Decision { others: shown, why: why.to_owned() })
        } else {
            Said::Unclear
        };
    }
    let place = decision.strip_prefix("same-").and_then(|text| text.parse::<usize>().ok());
    match place.and_then(|place| shown.get(place.checked_sub(1)?)) {
        Some(person) => Said::Same(*person),
        None => Said::Unclear,
    }
}

/// The page that asks: each who looks like her is opened, which stands in the log of each.
pub(super) fn ask(
    app: &App,
    call: &Call,
    officer: &Officer,
    ask: &Register<'_>,
    asked_before: bool,
) -> Answer {
    let particulars = Particulars::check(&ask.entry, &app.pack, call.env.now.date_in(&app.pack.time_zone))
        .map_err(PersonError::from)?;
    let by = officer.acting(Action::FindDuplicates)?;
    let found = find_duplicates(&app.store, &app.keys, &app.pack, &call.env, &by, &particulars)?;
    let found: Vec<Candidate> =
        found.into_iter().filter(|candidate| candidate.evidence.weight >= LOOKS_LIKE).collect();
    if found.is_empty() {
        return Err(Refusal::LooksLikeSomebody.into());
    }
    let shell = officer.shell(app, call);
    let mut candidates = Vec::with_capacity(found.len());
    for (place, candidate) in found.iter().enumerate() {
        let here = open(app, call, officer, candidate.person)?;
        let compared = candidate.evidence.fields.iter().filter(|field| field.level != Level::Absent);
        candidates.push(CandidateView {
            place: place as u64 + 1,
            percent: (candidate.evidence.probability * 100.0).round() as u64,
            person: person_view(&app.pack, shell.lang.code(), &here),
            compared: compared
                .map(|field| row(app, &shell, field, &particulars, &here.particulars))
                .collect(),
        });
    }
    let mut choices: Vec<Choice> = candidates
        .iter()
        .map(|candidate| Choice {
            code: format!("same-{}", candidate.place),
            label: shell.t2(
                "duplicate.same",
                "n",
                shell.count(candidate.place),
                "name",
                &candidate.person.name,
            ),
            hint: String::new(),
        })
        .collect();
    choices.push(Choice { code: OTHER.to_owned(), label: shell.t("duplicate.other"), hint: String::new() });
    let (chosen, why) = (call.form.text("decision"), call.form.text("why"));
    let mut decision = Field::of(chosen);
    let mut reason = Field::of(why);
    if asked_before && chosen == OTHER {
        reason = reason.wrong(shell.t("wrong.required"));
    } else if asked_before {
        decision = decision.wrong(shell.t("wrong.choice"));
    }
    let people: Vec<PersonId> = found.iter().map(|candidate| candidate.person).collect();
    let own = ["csrf", "counter", "decision", "why", "shown"];
    let kept = call.form.iter().filter(|(name, _)| !own.contains(name));
    let view = OfficeDuplicatesPage {
        kept: kept.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        shown: token(app, officer, &ask.request, &people, call.env.now),
        candidates,
        decision,
        choices,
        why: reason,
        shell,
    };
    page_with(StatusCode::CONFLICT, &view)
}

fn open(
    app: &App,
    call: &Call,
    officer: &Officer,
    person: PersonId,
) -> Result<kaname_person::Resident, PersonError> {
    let actor = officer.acting(Action::OpenResident)?;
    let ask = Asking { person, actor, purpose: "duplicate-check".to_owned() };
    let (keys, pack, env) = (app.keys.clone(), app.pack.clone(), call.env.clone());
    app.write_of(person, move |tx| show::open_resident(tx, &keys, &pack, &env.again(), &ask, FIELDS))
}

/// One line of the comparison: what was entered now, what the register has, and what it says.
fn row(
    app: &App,
    shell: &Shell,
    field: &FieldEvidence,
    entered: &Particulars,
    here: &Particulars,
) -> ComparedView {
    let says = match field.weight {
        weight if weight > 1.0 => "for",
        weight if weight < -1.0 => "against",
        _ => "little",
    };
    ComparedView {
        label: shell.word("compared", field.field.code()),
        entered: value(app, shell, field.field, entered),
        here: value(app, shell, field.field, here),
        says,
    }
}

fn value(app: &App, shell: &Shell, field: Compared, of: &Particulars) -> String {
    let part = |part: fn(&kaname_person::Name) -> &String| {
        let forms = [Some(&of.name), of.reading.as_ref(), of.latin.as_ref()];
        let words: Vec<&str> = forms.into_iter().flatten().map(|name| part(name).as_str()).collect();
        words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" / ")
    };
    match field {
        Compared::Given | Compared::Middle => part(|name| &name.given),
        Compared::Family => part(|name| &name.family),
        Compared::Born => shell.born(&of.born),
        Compared::Sex => {
            let known = app.pack.person.sexes.iter().find(|sex| sex.code == of.sex);
            known.map_or(of.sex.clone(), |sex| sex.label.get(shell.lang.code()).to_owned())
        }
        Compared::Birthplace => of.birth_place.clone(),
        Compared::Address => of.address.lines(&app.pack).join(" "),
        Compared::Phone => of.phone.clone().unwrap_or_default(),
        Compared::Email => of.email.clone().unwrap_or_default(),
        Compared::Id => of.reference.clone(),
    }
}

/// Who was shown, wrapped for one officer, one form and a short time: a page's source names nobody, and nobody decides about people
/// whom she was not shown.
fn token(app: &App, officer: &Officer, request: &[u8; 16], people: &[PersonId], now: Instant) -> String {
    let expires = now.plus_seconds(HOLDS_SECONDS).micros().to_be_bytes();
    let ids: Vec<u8> = people.iter().flat_map(|person| *person.bytes()).collect();
    b64::url_encode(&app.keys.wrap(&context(officer, request), &[&expires[..], &ids].concat()))
}

fn shown(app: &App, call: &Call, officer: &Officer, request: &[u8; 16]) -> Option<Vec<PersonId>> {
    let wrapped = b64::url_decode(call.form.get("shown")?).ok()?;
    let bytes = app.keys.unwrap(&context(officer, request), &wrapped).ok()?;
    let (expires, ids) = bytes.split_first_chunk::<8>()?;
    let holds = call.env.now < Instant::from_micros(i64::from_be_bytes(*expires));
    let people: Option<Vec<PersonId>> = ids.chunks(16).map(PersonId::from_slice).collect();
    people.filter(|people| holds && !people.is_empty())
}

fn context(officer: &Officer, request: &[u8; 16]) -> Vec<u8> {
    [b"web.duplicates\0", &officer.id.bytes()[..], &request[..]].concat()
}

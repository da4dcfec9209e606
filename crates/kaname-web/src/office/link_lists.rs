//! Agencies' lists in the office: one is handed in as a file, a job checks it, and what a machine may not decide comes to the officers.

use axum::http::StatusCode;
use kaname_person::import::{Format, Rejected};
use kaname_person::link::list::{List, Listed, MOST_ROWS, hand_in as take, newest};
use kaname_person::{Action, PersonError, Refusal};
use kaname_trust::ActorKind;

use crate::http::answer::{Answer, page, page_with};
use crate::http::guard::Officer;
use crate::http::{App, Call};
use crate::pages::link::{LinkListsPage, ListLine};
use crate::pages::office::{Choice, RejectView};
use crate::pages::{Field, Notice, NoticeKind, Shell};
use crate::portal::links::desk;

/// Lists on the page.
const LINES: usize = 20;

/// `GET /office/links/lists`
pub(crate) fn list(app: &App, call: &Call, officer: &Officer) -> Answer {
    page(&blank(app, call, officer)?)
}

/// `POST /office/links/lists`: what cannot be read is said at once, the rest is checked by a job.
pub(crate) fn hand_in(app: &App, call: &Call, officer: &Officer) -> Answer {
    let by = officer.acting(Action::CheckLinks)?;
    let source = call.form.text("source");
    let again = |field: &str, key: &str| {
        let mut view = blank(app, call, officer)?;
        let error = view.shell.t(key);
        let (file, chosen) = (Field::default(), Field::of(source));
        (view.source, view.file) =
            if field == "file" { (chosen, file.wrong(error)) } else { (chosen.wrong(error), file) };
        page_with(StatusCode::UNPROCESSABLE_ENTITY, &view)
    };
    if app.pack.source(source).is_none() {
        return again("source", "wrong.choice");
    }
    if call.body.is_empty() {
        return again("file", "wrong.required");
    }
    // A line of JSON begins with a brace; no column of ours does.
    let first = call.body.iter().find(|byte| !byte.is_ascii_whitespace());
    let format = if first == Some(&b'{') { Format::Jsonl } else { Format::Csv };
    match take(&desk(app), &call.env, &List { source, text: &call.body, format, by }) {
        Ok(listed) => {
            let mut view = blank(app, call, officer)?;
            let notice = Notice { kind: NoticeKind::Done, text: view.shell.t("lists.taken") };
            view.rejects = listed.rejected.iter().map(|reject| reject_view(&view.shell, reject)).collect();
            view.shell.notice = Some(notice);
            page(&view)
        }
        Err(PersonError::Refused(Refusal::TooMany)) => again("file", "wrong.too_many_rows"),
        Err(PersonError::Refused(Refusal::Mapping(_) | Refusal::File(_))) => again("file", "wrong.columns"),
        Err(error) => Err(error.into()),
    }
}

fn blank(app: &App, call: &Call, officer: &Officer) -> Result<LinkListsPage, crate::http::Problem> {
    let lists = newest(&desk(app), &officer.acting(Action::WatchLinks)?, LINES)?;
    let shell = officer.shell(app, call);
    let tag = shell.lang.code();
    let name = |code: &str| app.pack.source(code).map_or(code, |source| source.name.get(tag)).to_owned();
    let sources = app.pack.sources.iter().map(|source| Choice {
        code: source.code.clone(),
        label: source.name.get(tag).to_owned(),
        hint: source.agency.get(tag).to_owned(),
    });
    let line = |listed: Listed| ListLine {
        record: name(&listed.source),
        at: listed.at,
        by_agency: (listed.by.kind == ActorKind::Party).then_some(listed.by.id),
        done: listed.done,
        rows: listed.rows,
        linked: listed.counts.linked,
        review: listed.counts.review,
        refused: listed.counts.refused + listed.counts.already,
        rejected: listed.rejected.len() as u64,
    };
    Ok(LinkListsPage {
        sources: sources.collect(),
        source: Field::default(),
        file: Field::default(),
        most: MOST_ROWS as u64,
        rejects: Vec::new(),
        lists: lists.into_iter().map(line).collect(),
        shell,
    })
}

fn reject_view(shell: &Shell, reject: &Rejected) -> RejectView {
    RejectView {
        line: reject.line,
        column: reject.column.clone(),
        reason: shell.word("reject", &reject.code),
    }
}

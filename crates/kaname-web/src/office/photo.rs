//! The photo of the resident at the counter: the one that counts, and a new one out of a file. The picture is opened only for whoever asks
//! for it, and each look stands in her log.

use axum::http::StatusCode;
use kaname_person::event::photo::{LARGEST_PHOTO, Photo, keep_photo};
use kaname_person::event::{Change, NewEvent};
use kaname_person::{Action, PersonError};

use super::ask::{asking, wrong_line};
use super::counter::read;
use super::number::request_of;
use crate::http::answer::{Answer, page, page_with, see_other};
use crate::http::guard::AtCounter;
use crate::http::{App, Call, Problem, request};
use crate::pages::desk::OfficePhotoPage;
use crate::pages::{Field, NoticeKind, Saying};
use crate::portal::own::picture_of;

/// What was just done, by the word that the form sent her back with.
const DONE: &[Saying] = &[("kept", NoticeKind::Done, "photo.kept")];

/// `GET /office/counter/{counter}/photo`
pub(crate) fn form(app: &App, call: &Call, at: &AtCounter) -> Answer {
    page(&blank(app, call, at)?)
}

fn blank(app: &App, call: &Call, at: &AtCounter) -> Result<OfficePhotoPage, Problem> {
    Ok(OfficePhotoPage {
        base: at.address(""),
        request: request_of(call),
        has_one: read(app, call, at, &["photo"])?.life.photo.is_some(),
        file: Field::default(),
        why: Field::of(call.form.text("why").trim()),
        evidence: Field::of(call.form.text("evidence").trim()),
        most_kib: LARGEST_PHOTO as u64 / 1024,
        shell: at.shell(app, call).said(call.query.get("done"), DONE),
    })
}

/// `GET /office/counter/{counter}/photo/picture`
pub(crate) fn picture(app: &App, call: &Call, at: &AtCounter) -> Answer {
    picture_of(app, call, asking(at, Action::OpenResident)?)
}

/// `POST /office/counter/{counter}/photo`: the file is kept, and counts from today. The request's id makes a form that is sent twice keep once.
pub(crate) fn upload(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let by = at.acting(Action::RecordEvent).map_err(PersonError::from)?;
    let (why, evidence) = (call.form.text("why").trim(), call.form.text("evidence").trim());
    let photo = Photo::read(&call.body).ok();
    let wrong = (wrong_line(why), wrong_line(evidence));
    let (Some(photo), (None, None)) = (&photo, wrong) else {
        let mut view = blank(app, call, at)?;
        if photo.is_none() {
            let words = view.shell.t1("photo.wrong", "n", view.shell.count(view.most_kib));
            view.file = view.file.wrong(words);
        }
        let shell = view.shell.clone();
        let noted = |field: Field, key: Option<&str>| match key {
            Some(key) => field.wrong(shell.t(key)),
            None => field,
        };
        (view.why, view.evidence) = (noted(view.why, wrong.0), noted(view.evidence, wrong.1));
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &view);
    };
    let event = NewEvent {
        request: request::read(call)?,
        person: at.person(),
        change: Change::Photo,
        on: call.env.now.date_in(&app.pack.time_zone),
        by,
        why: why.to_owned(),
        evidence: evidence.to_owned(),
    };
    keep_photo(&app.store, &app.keys, &app.pack, &call.env, &event, photo)?;
    see_other(&at.address("photo?done=kept"))
}

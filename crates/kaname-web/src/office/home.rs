//! The officer's first page.

use kaname_pay::PayError;
use kaname_pay::payout::{self, RunState};
use kaname_person::Action;
use kaname_person::counter::Ending;
use kaname_signin::session;
use kaname_trust::Actor;

use super::imports;
use crate::http::answer::{Answer, forgetting, page};
use crate::http::guard::{self, Officer};
use crate::http::{App, Call};
use crate::pages::office::OfficeHomePage;
use crate::portal::signin;

/// `GET /office`
pub(crate) fn home(app: &App, call: &Call, officer: &Officer) -> Answer {
    let waiting_runs = match officer.acting(Action::WatchPayout) {
        Ok(by) => waiting(app, by)?,
        Err(_) => 0,
    };
    let rejects =
        if officer.may(Action::SeeImportRejects) { imports::with_rejects(&app.imports_folder) } else { 0 };
    let shell = officer.shell(app, call);
    let tag = shell.lang.code();
    let roles =
        officer.roles.iter().map(|code| app.pack.role(code).map_or(code.as_str(), |role| role.name.get(tag)));
    let role = roles.collect::<Vec<_>>().join(", ");
    page(&OfficeHomePage { role, waiting_runs, imports_with_rejects: rejects, shell })
}

/// `POST /office/signout`: whoever is served at the counter is served no more.
pub(crate) fn sign_out(app: &App, call: &Call, officer: &Officer) -> Answer {
    guard::end_counter(app, call, officer.id, Ending::SignedOut)?;
    session::end(&app.signin, &officer.session)?;
    signin::left(app, guard::OFFICER).map(forgetting)
}

fn waiting(app: &App, by: Actor) -> Result<u64, PayError> {
    let runs = app.desk.store.read(app.home(), move |tx| payout::runs(tx, &by, 100))?;
    Ok(runs.iter().filter(|run| run.state == RunState::Planned).count() as u64)
}

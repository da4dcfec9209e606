//! Where a resident is signed in, where she was, and which services she has connected.

use kaname_signin::{Means, client, consent, history, session};

use super::signin::left;
use crate::http::answer::{Answer, page, see_other};
use crate::http::guard::{self, Resident};
use crate::http::{App, Call};
use crate::pages::portal::{
    ConnectedServiceView, MyServicesPage, MySignInsPage, PastSignInView, SessionView,
};
use crate::pages::{Notice, NoticeKind, Shell};

/// `GET /my/signins`
pub(crate) fn signins(app: &App, call: &Call, resident: &Resident) -> Answer {
    let lines = session::list(&app.signin, &call.env, &resident.session)?;
    let past = history::list(&app.signin, &call.env, &resident.session)?;
    let shell = shell(app, call, resident, "signins.ended");
    let mut sessions: Vec<SessionView> = lines
        .into_iter()
        .map(|line| SessionView {
            id: line.reference,
            since: line.since,
            last_used: line.seen,
            device: if line.agent.is_empty() { shell.t("signins.unknown_device") } else { line.agent },
            means: means(line.means).to_owned(),
            current: line.is_this,
        })
        .collect();
    sessions.sort_by_key(|line| !line.current);
    let past = past.into_iter().map(|entry| PastSignInView {
        at: entry.at,
        party: entry.party.map(|id| party_name(app, call, &shell, &id)),
        means: means(entry.means).to_owned(),
    });
    page(&MySignInsPage { sessions, past: past.collect(), shell })
}

/// `POST /my/signins/end`
pub(crate) fn end(app: &App, call: &Call, resident: &Resident) -> Answer {
    let reference = call.form.need("session")?;
    let own = session::list(&app.signin, &call.env, &resident.session)?;
    session::end_other(&app.signin, &resident.session, reference)?;
    match own.iter().any(|line| line.is_this && line.reference == reference) {
        true => left(app, guard::RESIDENT),
        false => see_other("/my/signins?done=1"),
    }
}

/// `GET /my/services`
pub(crate) fn services(app: &App, call: &Call, resident: &Resident) -> Answer {
    let services = consent::services(&app.signin, &call.env, &resident.session)?;
    let shell = shell(app, call, resident, "services.ended");
    let mut services: Vec<ConnectedServiceView> = services
        .into_iter()
        .map(|service| ConnectedServiceView {
            id: service.reference,
            party: party_name(app, call, &shell, &service.client_id),
            attributes: service.attributes,
            since: service.since,
        })
        .collect();
    services.sort_by(|one, other| one.party.cmp(&other.party));
    page(&MyServicesPage { services, shell })
}

/// `POST /my/services/end`
pub(crate) fn disconnect(app: &App, call: &Call, resident: &Resident) -> Answer {
    consent::disconnect(&app.signin, &resident.session, call.form.need("consent")?)?;
    see_other("/my/services?done=1")
}

/// The frame; with the word that it is done, after the form that did it.
fn shell(app: &App, call: &Call, resident: &Resident, done: &str) -> Shell {
    let shell = resident.shell(app, call);
    let notice = call.query.get("done").map(|_| Notice { kind: NoticeKind::Done, text: shell.t(done) });
    Shell { notice, ..shell }
}

/// The party's name; its id when it is no longer registered.
fn party_name(app: &App, call: &Call, shell: &Shell, id: &str) -> String {
    let client = client::get(&app.signin, &call.env, id);
    client.map_or_else(|_| id.to_owned(), |client| client.name(shell.lang.code()).to_owned())
}

fn means(means: Means) -> &'static str {
    match means {
        Means::Activation | Means::Grid => "letter",
        Means::DevicePasskey | Means::SyncedPasskey => "passkey",
    }
}

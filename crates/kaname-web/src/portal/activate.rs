//! Beginning with a letter: its number and code, then the offer to make a passkey.

use axum::http::StatusCode;
use kaname_person::show::{self, Asking};
use kaname_signin::passkey::{self, NewPasskey};
use kaname_signin::session::{self, Session};
use kaname_signin::{Holder, Refusal, SigninError, letter};
use serde_json::json;

use super::signin::{known_browser, old_session, word};
use crate::api::authorize::{browser, holder_of, remember, session_cookie};
use crate::http::answer::{Answer, page, page_with, see_other, with_cookie};
use crate::http::guard::{self, Officer, Resident};
use crate::http::{App, Call, Problem, cookies};
use crate::pages::portal::{ActivateDonePage, ActivatePage, ActivatePasskeyPage};
use crate::pages::{Field, Shell};

/// `GET /activate`
pub(crate) fn form(app: &App, call: &Call) -> Answer {
    let (browser, is_new) = browser(call);
    let shell = Shell { csrf: guard::form_token(app, &browser), ..call.shell(app) };
    remember(
        app,
        &browser,
        is_new,
        page(&ActivatePage { shell, letter: Field::default(), code: Field::default() }),
    )
}

/// `POST /activate`
pub(crate) fn activate(app: &App, call: &Call) -> Answer {
    let browser = known_browser(call)?;
    let (number, code) = (call.form.text("letter"), call.form.text("code"));
    let old = old_session(app, call);
    match letter::activate(&app.signin, &call.env, number, code, &call.agent(), old.as_ref()) {
        Ok(cookie) => {
            let (name, next) = match holder_of(app, call, cookie.as_str())? {
                Holder::Resident(_) => (guard::RESIDENT, "/activate/passkey"),
                Holder::Officer(_) => (guard::OFFICER, "/office/activate/passkey"),
            };
            if name == guard::OFFICER {
                guard::end_office_session(app, call)?;
            }
            Ok(with_cookie(see_other(next)?, session_cookie(app, name, cookie.as_str())))
        }
        Err(SigninError::Refused(refusal)) if is_about_the_letter(refusal) => {
            let shell = Shell { csrf: guard::form_token(app, browser), ..call.shell(app) };
            let code = Field::default().wrong(word(&shell, refusal));
            page_with(
                StatusCode::UNPROCESSABLE_ENTITY,
                &ActivatePage { letter: Field::of(number), code, shell },
            )
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /activate/passkey`. The device shows the resident's name with her passkey, so that a family can share it.
pub(crate) fn offer(app: &App, call: &Call, resident: &Resident) -> Answer {
    offer_page(app, call, &resident.session, resident.shell(app, call), &own_name(app, call, resident)?, None)
}

/// `POST /activate/passkey`
pub(crate) fn register(app: &App, call: &Call, resident: &Resident) -> Answer {
    match keep(app, call, &resident.session) {
        Ok(()) => see_other("/activate/done?passkey=1"),
        Err(SigninError::Refused(refusal)) if is_about_the_passkey(refusal) => {
            let name = own_name(app, call, resident)?;
            offer_page(app, call, &resident.session, resident.shell(app, call), &name, Some(refusal))
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /office/activate/passkey`
pub(crate) fn offer_officer(app: &App, call: &Call, officer: &Officer) -> Answer {
    offer_page(app, call, &officer.session, officer.shell(app, call), &officer.name, None)
}

/// `POST /office/activate/passkey`
pub(crate) fn register_officer(app: &App, call: &Call, officer: &Officer) -> Answer {
    match keep(app, call, &officer.session) {
        // The letter has served its time: the office opens with the passkey, which shows at once that it works.
        Ok(()) => {
            session::end(&app.signin, &officer.session)?;
            let gone = cookies::clear(&app.cookie(guard::OFFICER), app.made().secure);
            Ok(with_cookie(see_other("/signin?then=/office")?, gone))
        }
        Err(SigninError::Refused(refusal)) if is_about_the_passkey(refusal) => {
            offer_page(app, call, &officer.session, officer.shell(app, call), &officer.name, Some(refusal))
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /activate/no-passkey`: she declines, and that is fine.
pub(crate) fn decline(_: &App, _: &Call, _: &Resident) -> Answer {
    see_other("/activate/done")
}

/// `POST /office/activate/no-passkey`
pub(crate) fn decline_officer(app: &App, _: &Call, _: &Officer) -> Answer {
    if app.office_by_letter { see_other("/office") } else { Err(Problem::passkey_needed()) }
}

/// `GET /activate/done`
pub(crate) fn done(app: &App, call: &Call, resident: &Resident) -> Answer {
    let has_passkey = !passkey::list(&app.signin, &resident.session)?.is_empty();
    page(&ActivateDonePage { shell: resident.shell(app, call), has_passkey })
}

fn own_name(app: &App, call: &Call, resident: &Resident) -> Result<String, crate::http::Problem> {
    let (keys, pack, env, ask) =
        (app.keys.clone(), app.pack.clone(), call.env.clone(), Asking::herself(resident.person));
    Ok(app.write_of(resident.person, move |tx| {
        let resident = show::open_resident(tx, &keys, &pack, &env.again(), &ask, &["name"])?;
        Ok::<_, kaname_person::PersonError>(resident.display_name(&pack))
    })?)
}

fn offer_page(
    app: &App,
    call: &Call,
    session: &Session,
    shell: Shell,
    name: &str,
    wrong: Option<Refusal>,
) -> Answer {
    let options = passkey::begin_registration(&app.signin, &call.env, session, name)?;
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page_with(
        status,
        &ActivatePasskeyPage {
            base: if matches!(session.holder(), Holder::Officer(_)) {
                "/office/activate"
            } else {
                "/activate"
            },
            passkey_options: options.to_string(),
            passkey_error: wrong.map(|refusal| word(&shell, refusal)),
            may_decline: matches!(session.holder(), Holder::Resident(_)) || app.office_by_letter,
            shell,
        },
    )
}

fn keep(app: &App, call: &Call, session: &Session) -> Result<(), SigninError> {
    let field = |name| call.form.text(name);
    let answer = json!({
        "response": {
            "clientDataJSON": field("client_data_json"),
            "attestationObject": field("attestation_object"),
        },
    });
    let new = NewPasskey::read(&answer.to_string())?;
    let agent = call.agent();
    let name = if agent.is_empty() { "Passkey" } else { &agent };
    passkey::finish_registration(&app.signin, &call.env, session, &new, name)
}

fn is_about_the_letter(refusal: Refusal) -> bool {
    matches!(refusal, Refusal::CodeWrong | Refusal::TryLater | Refusal::LetterUsed | Refusal::LetterExpired)
}

fn is_about_the_passkey(refusal: Refusal) -> bool {
    matches!(refusal, Refusal::PasskeyInvalid | Refusal::PasskeyThere | Refusal::PasskeyLimit)
}

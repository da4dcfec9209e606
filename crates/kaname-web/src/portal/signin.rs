//! The way in: a passkey, or two squares of the letter's grid; and the answer to a relying party's request.

use kaname_signin::passkey::{self, PasskeyAnswer};
use kaname_signin::{Browser, Refusal, SigninError, Step, authorize, consent, grid, session};
use serde_json::json;

use crate::api::authorize::{HOME, Wrong, browser, leading_to, remember, show, signed_in};
use crate::http::answer::{Answer, page, page_with, see_other, with_cookie};
use crate::http::guard::{self, Resident};
use crate::http::{App, Call, Problem, cookies};
use crate::pages::portal::{SignedOutPage, SquaresPage, StartPage};
use crate::pages::{Field, Shell};
use axum::http::StatusCode;

/// `GET /`
pub(crate) fn start(app: &App, call: &Call) -> Answer {
    page(&StartPage { shell: call.shell(app) })
}

/// `GET /signin`: a new sign-in to our own pages, or one that waits (`next`).
pub(crate) fn form(app: &App, call: &Call) -> Answer {
    let (browser, is_new) = browser(call);
    if let Some(handle) = call.query.get("next") {
        return waiting(app, call, handle, Wrong::default());
    }
    let then = call.query.get("then").filter(|path| is_local(path)).unwrap_or(HOME);
    let level = guard::level_for(app, then);
    let step = authorize::start_own(&app.signin, &call.env, level, then, &browser)?;
    remember(app, &browser, is_new, show(app, call, (&browser, None), step, Wrong::default()))
}

/// `POST /signin/passkey`
pub(crate) fn by_passkey(app: &App, call: &Call) -> Answer {
    let (browser, handle) = (known_browser(call)?, call.form.need("next")?);
    let done = passkey_answer(call).map_err(SigninError::from).and_then(|answer| {
        let old = old_session(app, call);
        passkey::sign_in(&app.signin, &call.env, handle, browser, &answer, &call.agent(), old.as_ref())
    });
    match done {
        Ok(done) => signed_in(app, call, browser, done),
        Err(SigninError::Refused(Refusal::PasskeyUnknown | Refusal::PasskeyInvalid)) => {
            let passkey = Some(call.shell(app).t("wrong.passkey"));
            waiting(app, call, handle, Wrong { passkey, ..Wrong::default() }).map(as_unprocessable)
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /signin/letter`: the letter's number; the squares to look at follow.
pub(crate) fn by_letter(app: &App, call: &Call) -> Answer {
    let (browser, handle) = (known_browser(call)?, call.form.need("next")?);
    let number = call.form.text("letter");
    match grid::ask(&app.signin, &call.env, handle, browser, number) {
        Ok(squares) => squares_page(app, call, browser, squares, None),
        Err(SigninError::Refused(refusal)) if is_about_the_letter(refusal) => {
            let shell = call.shell(app);
            let wrong =
                if refusal == Refusal::CodeWrong { shell.t("wrong.letter") } else { word(&shell, refusal) };
            let letter = Field::of(number).wrong(wrong);
            waiting(app, call, handle, Wrong { letter, passkey: None }).map(as_unprocessable)
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /signin/code`: what stands in the squares.
pub(crate) fn by_squares(app: &App, call: &Call) -> Answer {
    let (browser, handle) = (known_browser(call)?, call.form.need("next")?);
    let number = call.form.need("letter")?;
    let reading = grid::Reading { number, first: call.form.text("first"), second: call.form.text("second") };
    let old = old_session(app, call);
    match grid::answer(&app.signin, &call.env, handle, browser, reading, &call.agent(), old.as_ref()) {
        Ok(done) => signed_in(app, call, browser, done),
        Err(SigninError::Refused(refusal @ (Refusal::CodeWrong | Refusal::SquaresNotAsked))) => {
            match grid::ask(&app.signin, &call.env, handle, browser, number) {
                Ok(squares) => squares_page(app, call, browser, squares, Some(refusal)),
                Err(SigninError::Refused(refusal)) if is_about_the_letter(refusal) => {
                    again(app, call, handle, refusal)
                }
                Err(error) => Err(error.into()),
            }
        }
        Err(SigninError::Refused(refusal)) if is_about_the_letter(refusal) => {
            again(app, call, handle, refusal)
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /consent`: the question once more, after a change of language.
pub(crate) fn ask_again(app: &App, call: &Call, _: &Resident) -> Answer {
    waiting(app, call, call.query.need("request")?, Wrong::default())
}

/// `POST /consent`
pub(crate) fn decide(app: &App, call: &Call, resident: &Resident) -> Answer {
    let (browser, handle) = (known_browser(call)?, call.form.need("request")?);
    let step = match call.form.get("decision") {
        Some("allow") => consent::give(&app.signin, &call.env, handle, browser, &resident.session)?,
        Some("refuse") => consent::refuse(&app.signin, &call.env, handle, browser, &resident.session)?,
        _ => return Err(Problem::malformed("the decision must be allow or refuse")),
    };
    show(app, call, (browser, Some(&resident.session)), step, Wrong::default())
}

/// `POST /signout`
pub(crate) fn out(app: &App, _: &Call, resident: &Resident) -> Answer {
    session::end(&app.signin, &resident.session)?;
    left(app, guard::RESIDENT)
}

/// `GET /signed-out`
pub(crate) fn goodbye(app: &App, call: &Call) -> Answer {
    page(&SignedOutPage { shell: call.shell(app) })
}

pub(crate) fn left(app: &App, cookie: &str) -> Answer {
    Ok(with_cookie(see_other("/signed-out")?, cookies::clear(&app.cookie(cookie), app.made().secure)))
}

/// The browser's name; its page has set the cookie.
pub(super) fn known_browser(call: &Call) -> Result<&Browser, Problem> {
    call.browser.as_ref().ok_or_else(Problem::cross_site)
}

/// The session that this browser has had until now. It ends with the new sign-in.
pub(super) fn old_session(app: &App, call: &Call) -> Option<session::Session> {
    guard::open(app, call, guard::RESIDENT).ok().flatten()
}

/// The page of a sign-in that waits.
fn waiting(app: &App, call: &Call, handle: &str, wrong: Wrong) -> Answer {
    let browser = known_browser(call)?;
    let session = guard::open(app, call, guard::RESIDENT)?;
    let step = authorize::show(&app.signin, &call.env, handle, browser, session.as_ref())?;
    show(app, call, (browser, session.as_ref()), step, wrong)
}

fn again(app: &App, call: &Call, handle: &str, refusal: Refusal) -> Answer {
    let letter = Field::of(call.form.text("letter")).wrong(word(&call.shell(app), refusal));
    waiting(app, call, handle, Wrong { letter, passkey: None }).map(as_unprocessable)
}

fn squares_page(
    app: &App,
    call: &Call,
    browser: &Browser,
    squares: [grid::Square; 2],
    wrong: Option<Refusal>,
) -> Answer {
    let shell =
        Shell { csrf: guard::form_token(app, browser), here: "/signin".to_owned(), ..call.shell(app) };
    let error = wrong.map(|_| shell.t("wrong.square"));
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let field = Field { value: String::new(), error };
    let handle = call.form.text("next");
    let response = page_with(
        status,
        &SquaresPage {
            next: handle.to_owned(),
            letter: call.form.text("letter").to_owned(),
            squares: squares.map(|square| square.to_string()),
            first: field.clone(),
            second: Field::default(),
            shell,
        },
    )?;
    // A right answer leads straight back to a party that she agreed to before.
    let client = match authorize::show(&app.signin, &call.env, handle, browser, None)? {
        Step::SignIn(waiting) => waiting.client,
        Step::Consent(_) | Step::Redirect(_) | Step::Own(_) => None,
    };
    leading_to(response, client.as_deref().map(|client| client.registration().redirect_uris.as_slice()))
}

fn is_about_the_letter(refusal: Refusal) -> bool {
    matches!(
        refusal,
        Refusal::CodeWrong
            | Refusal::TryLater
            | Refusal::LetterExpired
            | Refusal::NoAccount
            | Refusal::LevelTooLow
    )
}

/// What to say at the field, in the reader's language.
pub(crate) fn word(shell: &Shell, refusal: Refusal) -> String {
    let key = match refusal {
        Refusal::CodeWrong | Refusal::NoAccount | Refusal::LetterUsed => "wrong.letter_or_code",
        Refusal::SquaresNotAsked => "wrong.square",
        Refusal::TryLater => "wrong.too_often",
        Refusal::LetterExpired => "wrong.letter_expired",
        Refusal::LevelTooLow => "wrong.needs_passkey",
        Refusal::PasskeyThere => "passkey.known",
        Refusal::PasskeyUnknown | Refusal::PasskeyInvalid => "wrong.passkey",
        other => return Problem::from(other).sentence(),
    };
    shell.t(key)
}

fn as_unprocessable(mut response: axum::response::Response) -> axum::response::Response {
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    response
}

/// A form of hidden fields, as the JSON that WebAuthn defines (Level 3, section 5.1.8).
fn passkey_answer(call: &Call) -> Result<PasskeyAnswer, Refusal> {
    let field = |name| call.form.text(name);
    let answer = json!({
        "id": field("credential_id"),
        "response": {
            "clientDataJSON": field("client_data_json"),
            "authenticatorData": field("authenticator_data"),
            "signature": field("signature"),
            "userHandle": field("user_handle"),
        },
    });
    PasskeyAnswer::read(&answer.to_string())
}

/// The longest path to come back to: it may name a sign-in that waits, which carries the party's request.
const LONGEST_PATH: usize = 16 * 1_024;

/// A path of our own, in one reading only: no scheme, no host, nothing that a browser takes for one.
pub(crate) fn is_local(path: &str) -> bool {
    let starts_well = path.starts_with('/') && !path.starts_with("//") && !path.starts_with("/\\");
    starts_well
        && path.len() <= LONGEST_PATH
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_leads_to_our_own_pages_only() {
        for good in ["/home", "/office/payouts/run_1", "/my/access?page=2"] {
            assert!(is_local(good), "{good}");
        }
        for bad in [
            "",
            "home",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\\b",
            "/a b",
            "/\n",
            "/\t/evil",
        ] {
            assert!(!is_local(bad), "{bad}");
        }
    }
}

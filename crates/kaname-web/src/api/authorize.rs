//! The authorization endpoint, and what every step of a sign-in leads to: a page, or the way back.

use kaname_signin::authorize::{self, ConsentPage as Asking, SignInPage as Waiting};
use kaname_signin::session::{self, Session};
use kaname_signin::{Browser, Holder, Level, Parameters, SignedIn, Step};

use crate::http::answer::{Answer, FormTarget, page, see_other, with_cookie};
use crate::http::call::BROWSER;
use crate::http::{App, Call, Problem, client, cookies, guard, headers, language};
use crate::pages::portal::{AskedAttribute, ConsentPage, SignInPage};
use crate::pages::{Field, Lang};

/// How long a browser keeps its name, in seconds.
const BROWSER_SECONDS: i64 = 86_400;

/// `GET /authorize`
pub(crate) fn start(app: &App, call: &Call) -> Answer {
    let (browser, is_new) = browser(call);
    let session = guard::open(app, call, guard::RESIDENT)?;
    let parameters = Parameters::read(call.query.without("lang").iter())?;
    let step = authorize::start(&app.signin, &call.env, &parameters, &browser, session.as_ref())?;
    remember(app, &browser, is_new, show(app, call, (&browser, session.as_ref()), step, Wrong::default()))
}

/// `POST /authorize`: the same request in a form (OpenID Connect Core section 3.1.2.1). It comes from the party's page, so our own
/// cookies are not with it; the browser is sent on to the address that they go with.
pub(crate) fn start_posted(_: &App, call: &Call) -> Answer {
    let fields: Vec<(&str, &str)> = call.form.iter().collect();
    see_other(&format!("/authorize?{}", client::form(&fields)))
}

/// What was wrong with the last answer, for the page that is shown again.
#[derive(Default)]
pub(crate) struct Wrong {
    pub(crate) passkey: Option<String>,
    pub(crate) letter: Field,
}

/// The page or the redirect of a step.
pub(crate) fn show(
    app: &App,
    call: &Call,
    (browser, session): (&Browser, Option<&Session>),
    step: Step,
    wrong: Wrong,
) -> Answer {
    match step {
        Step::SignIn(waiting) => sign_in_page(app, call, browser, waiting, wrong),
        Step::Consent(asking) => consent_page(app, call, session, asking),
        Step::Redirect(location) => see_other(&location),
        Step::Own(path) => see_other(&path),
    }
}

/// Sets the new session's cookie, then takes the step. The browser's name before the sign-in has served its time.
pub(crate) fn signed_in(app: &App, call: &Call, browser: &Browser, done: SignedIn) -> Answer {
    let session = done.session;
    let (name, home) = match session.holder() {
        Holder::Resident(_) => (guard::RESIDENT, "/home"),
        Holder::Officer(_) => (guard::OFFICER, "/office"),
    };
    if name == guard::OFFICER {
        guard::end_office_session(app, call)?;
    }
    let step = match done.step {
        Step::Own(path) if path == HOME => Step::Own(home.to_owned()),
        step => step,
    };
    let answer = show(app, call, (browser, Some(&session)), step, Wrong::default())?;
    Ok(with_cookie(answer, session_cookie(app, name, done.cookie.as_str())))
}

/// Where a sign-in without a goal leads to: the resident's or the officer's first page, whoever it was.
pub(crate) const HOME: &str = "/";

/// The cookie of a new session.
pub(crate) fn session_cookie(app: &App, name: &str, value: &str) -> axum::http::HeaderValue {
    cookies::set(&app.cookie(name), value, app.signin.config().session_seconds, app.made().secure)
}

/// Whose session a new cookie is.
pub(crate) fn holder_of(app: &App, call: &Call, cookie: &str) -> Result<Holder, Problem> {
    Ok(session::open(&app.signin, &call.env, cookie)?.holder())
}

/// The browser, or a name for a new one.
pub(crate) fn browser(call: &Call) -> (Browser, bool) {
    call.browser.clone().map_or_else(|| (Browser::new(), true), |browser| (browser, false))
}

/// Sends the cookie of a browser that was not here before.
pub(crate) fn remember(app: &App, browser: &Browser, is_new: bool, answer: Answer) -> Answer {
    let cookie = || cookies::set(&app.cookie(BROWSER), &browser.text(), BROWSER_SECONDS, app.made().secure);
    answer.map(|response| if is_new { with_cookie(response, cookie()) } else { response })
}

fn sign_in_page(app: &App, call: &Call, browser: &Browser, waiting: Waiting, wrong: Wrong) -> Answer {
    let mut shell = call.shell(app);
    shell.lang = wished(app, call, waiting.ui_locales.as_deref());
    shell.csrf = guard::form_token(app, browser);
    shell.here = format!("/signin?next={}", waiting.handle);
    let client = waiting.client.as_deref();
    let response = page(&SignInPage {
        asked_by: client.map(|client| client.name(shell.lang.code()).to_owned()),
        next: waiting.handle,
        passkey_options: waiting.passkey_options.to_string(),
        passkey_error: wrong.passkey,
        by_letter: waiting.level < Level::Passkey,
        letter: wrong.letter,
        shell,
    })?;
    leading_to(response, client.map(|client| client.registration().redirect_uris.as_slice()))
}

fn consent_page(app: &App, call: &Call, session: Option<&Session>, asking: Asking) -> Answer {
    let mut shell = call.shell(app);
    shell.lang = wished(app, call, asking.ui_locales.as_deref());
    // The page stands behind a sign-in: its form carries the token of that session, which this very answer may begin.
    shell.csrf = session.map(|session| session.csrf().to_owned()).unwrap_or_default();
    shell.here = format!("/consent?request={}", asking.handle);
    let tag = shell.lang.code();
    let asked = asking.asked.iter().map(|asked| AskedAttribute {
        attribute: app
            .pack
            .attribute(&asked.attribute)
            .map_or(asked.attribute.as_str(), |known| known.label.get(tag))
            .to_owned(),
        purpose: app
            .pack
            .purpose(&asked.purpose)
            .map_or(asked.purpose.as_str(), |known| known.text.get(tag))
            .to_owned(),
    });
    let (asked, party) = (asked.collect(), asking.client.name(tag).to_owned());
    let response = page(&ConsentPage { party, request: asking.handle, asked, shell })?;
    leading_to(response, Some(&asking.client.registration().redirect_uris))
}

/// The same page, whose forms may lead back to the party.
pub(crate) fn leading_to(mut response: axum::response::Response, addresses: Option<&[String]>) -> Answer {
    let mut origins: Vec<String> = Vec::new();
    for address in addresses.unwrap_or_default() {
        let FormTarget(origin) = headers::origin_of(address)?;
        if !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    response.extensions_mut().insert(FormTarget(origins.join(" ")));
    Ok(response)
}

/// What the reader chose here, else what the party says she reads (`ui_locales`), else what her browser asks for.
fn wished(app: &App, call: &Call, ui_locales: Option<&str>) -> Lang {
    let chosen = call.query.get("lang").is_some() || cookies::get(&call.headers, language::COOKIE).is_some();
    let mut wishes = ui_locales.unwrap_or_default().split(' ').filter_map(Lang::parse);
    let wish = wishes.find(|lang| app.made().languages.contains(lang));
    if chosen { call.lang } else { wish.unwrap_or(call.lang) }
}

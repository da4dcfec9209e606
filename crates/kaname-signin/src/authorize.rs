//! The authorization endpoint, and the way from there to the code.

use std::sync::Arc;

use kaname_base::Env;
use kaname_codec::b64;
use kaname_trust::keys::random;

use crate::client::{Asked, Client};
use crate::consent::{self, Agreed};
use crate::handout::Handout;
use crate::history::{self, Entry};
use crate::holder::Sealer;
use crate::interaction::{Aim, Pushed, Requested};
use crate::par::URI_PREFIX;
use crate::parameters::Parameters;
use crate::provider::{Config, Provider};
use crate::request::{self, Request};
use crate::rules::Level;
use crate::rules::same;
use crate::session::{self, Session};
use crate::{Refusal, SigninError};

/// A browser, by a cookie of its own (`Secure`, `HttpOnly`, `SameSite=Lax`). Sign-ins are bound to it.
#[derive(Clone)]
pub struct Browser([u8; 32]);

impl Browser {
    /// A browser that was not here before; send [`Browser::text`] as a cookie.
    #[expect(clippy::new_without_default, reason = "two new ones differ")]
    pub fn new() -> Browser {
        Browser(random())
    }

    /// From its cookie; `None` for anything else.
    pub fn read(cookie: &str) -> Option<Browser> {
        b64::url_decode_array(cookie).ok().map(Browser)
    }

    /// The value of the cookie.
    pub fn text(&self) -> String {
        b64::url_encode(&self.0)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What comes next in the browser.
#[derive(Debug)]
pub enum Step {
    /// Show the page for signing in.
    SignIn(SignInPage),
    /// Show the page that asks for consent.
    Consent(ConsentPage),
    /// Redirect (303) to the party, with a code or with an error.
    Redirect(String),
    /// Go on to a page of our own; the sign-in that [`start_own`] began is done.
    Own(String),
}

/// What the page for signing in needs.
#[derive(Debug)]
pub struct SignInPage {
    /// Names this sign-in, in its forms and addresses.
    pub handle: String,
    /// The party; none for our own pages.
    pub client: Option<Arc<Client>>,
    /// At this level or above; below [`Level::Passkey`] the letter's grid may be offered too.
    pub level: Level,
    /// For `navigator.credentials.get`, as `PublicKeyCredential.parseRequestOptionsFromJSON` reads it.
    pub passkey_options: serde_json::Value,
    /// Languages that the party asked for.
    pub ui_locales: Option<String>,
}

/// What the page that asks for consent needs.
#[derive(Debug)]
pub struct ConsentPage {
    /// Names this sign-in, in its forms.
    pub handle: String,
    /// The party.
    pub client: Arc<Client>,
    /// What it asks for, each with its purpose.
    pub asked: Vec<Asked>,
    /// Languages that the party asked for.
    pub ui_locales: Option<String>,
}

/// A browser arrives at the authorization endpoint.
///
/// # Errors
/// A [`Refusal`] here is shown on our own page: where the answer may go is not certain. All others are a
/// [`Step::Redirect`] with `error`.
pub fn start(
    provider: &Provider,
    env: &Env,
    parameters: &Parameters,
    browser: &Browser,
    session: Option<&Session>,
) -> Result<Step, SigninError> {
    let snapshot = provider.snapshot(env.now)?;
    let client = snapshot.client(parameters.get("client_id").unwrap_or_default())?;
    let requested = match parameters.get("request_uri") {
        Some(uri) => arrive_pushed(provider, env, &client, uri, browser)?,
        None => match arrive_direct(provider, env, &client, parameters, browser)? {
            Ok(arrived) => arrived,
            Err(location) => return Ok(Step::Redirect(location)),
        },
    };
    advance(provider, env, &requested, session, Answer::NotAsked)
}

/// Somebody signs in to our own pages; `return_to` is a path of ours that the web floor has checked. Nothing is written yet.
///
/// # Errors
/// [`SigninError::Store`].
pub fn start_own(
    provider: &Provider,
    env: &Env,
    level: Level,
    return_to: &str,
    browser: &Browser,
) -> Result<Step, SigninError> {
    let aim = Aim::Own { level, return_to: return_to.to_owned() };
    let requested = Requested::new(provider.keys(), aim, browser, over(provider, env));
    advance(provider, env, &requested, None, Answer::NotAsked)
}

/// The page of a sign-in that waits, once more: after a wrong answer, or when it is loaded again.
///
/// # Errors
/// [`Refusal::InteractionUnknown`], [`Refusal::InteractionOfAnotherBrowser`]; [`Refusal::InteractionStep`] when this holder has
/// finished it.
pub fn show(
    provider: &Provider,
    env: &Env,
    handle: &str,
    browser: &Browser,
    session: Option<&Session>,
) -> Result<Step, SigninError> {
    let requested = waiting(provider, env, handle, browser)?;
    advance(provider, env, &requested, session, Answer::NotAsked)
}

/// The sign-in that a handle is for.
pub(crate) fn waiting(
    provider: &Provider,
    env: &Env,
    handle: &str,
    browser: &Browser,
) -> Result<Requested, Refusal> {
    let requested = Requested::take_back(provider.keys(), handle).ok_or(Refusal::InteractionUnknown)?;
    requested.check(provider.keys(), browser, env.now)?;
    Ok(requested)
}

fn over(provider: &Provider, env: &Env) -> kaname_base::Instant {
    env.now.plus_seconds(provider.config().interaction_seconds)
}

fn arrive_pushed(
    provider: &Provider,
    env: &Env,
    client: &Client,
    uri: &str,
    browser: &Browser,
) -> Result<Requested, SigninError> {
    let text = uri.strip_prefix(URI_PREFIX).ok_or(Refusal::RequestUriUnknown)?;
    let pushed = Pushed::take_back(provider.keys(), text).ok_or(Refusal::RequestUriUnknown)?;
    pushed.check(provider.config(), client.id(), env.now)?;

    let (loaded, here) = (pushed.loaded(provider), pushed.loaded_in(provider.keys(), browser));
    provider.store().write(loaded.bucket(provider.buckets()), move |tx| {
        if loaded.note(tx, &here)? || loaded.noted(tx)?.is_some_and(|noted| same(&noted, &here)) {
            return Ok(());
        }
        Err(SigninError::from(Refusal::RequestUriUnknown))
    })?;
    Ok(pushed.request(provider, browser))
}

/// Parameters that came with the browser. The inner error is a redirect to the party.
fn arrive_direct(
    provider: &Provider,
    env: &Env,
    client: &Client,
    parameters: &Parameters,
    browser: &Browser,
) -> Result<Result<Requested, String>, SigninError> {
    request::check_redirect_uri(client, parameters)?;
    let refused = |refusal| {
        let redirect_uri = parameters.get("redirect_uri").unwrap_or_default();
        Ok(Err(error_location(provider.config(), redirect_uri, parameters.get("state"), refusal)))
    };
    if client.registration().profile == crate::client::Profile::Fapi2 {
        return refused(Refusal::MustPush);
    }
    match request::read(client, parameters) {
        Ok(request) => {
            let aim = Aim::Party(request);
            Ok(Ok(Requested::new(provider.keys(), aim, browser, over(provider, env))))
        }
        Err(refusal) => refused(refusal),
    }
}

/// What is known about the resident's consent.
pub(crate) enum Answer {
    /// Nothing yet.
    NotAsked,
    /// What was remembered of it was looked up by the step before, which has also finished her turn if there was anything.
    Remembered(Option<Agreed>),
    /// She agrees, on our page.
    Agrees,
}

/// Goes as far as it can: to the page for signing in, to the page for consent, or back to the party.
pub(crate) fn advance(
    provider: &Provider,
    env: &Env,
    requested: &Requested,
    session: Option<&Session>,
    answer: Answer,
) -> Result<Step, SigninError> {
    let satisfied = match session {
        Some(session) => requested.satisfied_by(&session.authentication(), env.now),
        None => Err(Refusal::LoginRequired),
    };
    if let (Aim::Own { return_to, .. }, Ok(())) = (&requested.aim, satisfied) {
        return Ok(Step::Own(return_to.clone()));
    }
    let (Ok(()), Some(session)) = (satisfied, session) else {
        return ask(provider, env, requested, sign_in_page, Refusal::LoginRequired);
    };
    let agreed = match answer {
        Answer::Remembered(agreed) => agreed,
        Answer::NotAsked => agree(provider, env, requested, session, false)?,
        Answer::Agrees => agree(provider, env, requested, session, true)?,
    };
    match agreed {
        Some(agreed) => issue(provider, env, requested, session, &agreed),
        None => ask(provider, env, requested, consent_page, Refusal::ConsentRequired),
    }
}

/// A page that asks the person; or a refusal, when the party wants none shown.
fn ask(
    provider: &Provider,
    env: &Env,
    requested: &Requested,
    page: fn(&Provider, &Env, &Requested) -> Result<Step, SigninError>,
    instead: Refusal,
) -> Result<Step, SigninError> {
    match requested.request() {
        Some(request) if request.prompt.none => Ok(give_up(provider, request, instead)),
        _ => page(provider, env, requested),
    }
}

fn sign_in_page(provider: &Provider, env: &Env, requested: &Requested) -> Result<Step, SigninError> {
    let request = requested.request();
    let client = match request {
        Some(request) => Some(provider.snapshot(env.now)?.client(&request.client_id)?),
        None => None,
    };
    Ok(Step::SignIn(SignInPage {
        handle: requested.hand_out(provider.keys()),
        client,
        level: requested.level(),
        passkey_options: crate::passkey::request_options(provider.config(), &requested.challenge),
        ui_locales: request.and_then(|request| request.ui_locales.clone()),
    }))
}

fn consent_page(provider: &Provider, env: &Env, requested: &Requested) -> Result<Step, SigninError> {
    let request = requested.request().ok_or(Refusal::InteractionStep)?;
    let client = provider.snapshot(env.now)?.client(&request.client_id)?;
    let (asked, ui_locales) = (request.asked.clone(), request.ui_locales.clone());
    Ok(Step::Consent(ConsentPage { handle: requested.hand_out(provider.keys()), client, asked, ui_locales }))
}

/// Finds or remembers the agreement and finishes her turn, in the holder's bucket; writes the history when an earlier sign-in is
/// used again.
fn agree(
    provider: &Provider,
    env: &Env,
    requested: &Requested,
    session: &Session,
    agrees: bool,
) -> Result<Option<Agreed>, SigninError> {
    let (with, env, by, holder) = (provider.clone(), env.clone(), session.authentication(), session.holder());
    let request = requested.request().cloned().ok_or(Refusal::InteractionStep)?;
    let (is_new, place) = (by.sign_in == Some(requested.id), session.place());
    let turn = requested.turn(provider, by.holder);
    provider.store().write(session.bucket(), move |tx| {
        // Still there: a session that was ended meanwhile gives nothing away.
        session::read(tx, &with, &place, env.now)?;
        let keys = with.keys();
        let known = if agrees { None } else { consent::found(tx, keys, by.holder, &request)? };
        if known.is_none() && !agrees {
            return Ok(None);
        }

        turn.finish(tx)?;
        let sealer = Sealer::of(tx, keys, holder)?;
        if !is_new {
            let (at, party) = (env.now, Some(request.client_id.clone()));
            let entry = Entry { at, party, means: by.means, new_session: false, maybe_copied: false };
            history::append(tx, &by.holder.row, &sealer, &entry)?;
        }
        match known {
            Some(known) => Ok(Some(known)),
            None => consent::remember(tx, keys, by.holder, &request, &sealer, env.now).map(Some),
        }
    })
}

/// Makes the code. Her turn is finished.
fn issue(
    provider: &Provider,
    env: &Env,
    requested: &Requested,
    session: &Session,
    agreed: &Agreed,
) -> Result<Step, SigninError> {
    let consented = requested.authenticated(session.authentication(), env.now)?.consented(agreed)?;
    let (code, request) = consented.issue(env.now.plus_seconds(provider.config().code_seconds));
    let code = code.hand_out(provider.keys());
    let answer = [("code", Some(code.as_str())), ("state", request.state.as_deref())];
    Ok(Step::Redirect(location(provider.config(), &request.redirect_uri, &answer)))
}

/// Tells the party why there is no code.
pub(crate) fn give_up(provider: &Provider, request: &Request, refusal: Refusal) -> Step {
    let (uri, state) = (&request.redirect_uri, request.state.as_deref());
    Step::Redirect(error_location(provider.config(), uri, state, refusal))
}

/// The address that tells a party why not (RFC 6749 section 4.1.2.1).
pub(crate) fn error_location(
    config: &Config,
    redirect_uri: &str,
    state: Option<&str>,
    refusal: Refusal,
) -> String {
    let description = refusal.to_string();
    let answer =
        [("error", Some(refusal.oauth())), ("error_description", Some(&description)), ("state", state)];
    location(config, redirect_uri, &answer)
}

/// `redirect_uri` with the answer, and always with `iss` (RFC 9207), so that the answer of one server is not taken for another's.
fn location(config: &Config, redirect_uri: &str, answer: &[(&str, Option<&str>)]) -> String {
    let mut location = redirect_uri.to_owned();
    for (name, value) in answer.iter().copied().chain([("iss", Some(config.issuer.as_str()))]) {
        let Some(value) = value else { continue };
        location.push(if location.contains('?') { '&' } else { '?' });
        location.push_str(name);
        location.push('=');
        for byte in value.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    location.push(char::from(byte))
                }
                _ => location.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    location
}

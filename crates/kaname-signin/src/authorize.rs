//! The authorization endpoint, and the way from there to the code.

use std::sync::Arc;

use kaname_base::{Env, Instant};
use kaname_codec::b64;
use kaname_trust::keys::random;

use crate::client::{Asked, Client};
use crate::consent::{self, Agreed};
use crate::history::{self, Entry};
use crate::holder::Sealer;
use crate::interaction::{self, Aim, Arrival, Requested, Stage};
use crate::par::URI_PREFIX;
use crate::parameters::Parameters;
use crate::provider::{Config, Provider};
use crate::request::{self, Request};
use crate::rules::Level;
use crate::session::Session;
use crate::ticket::{RowKey, Ticket};
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

/// What is known about the resident's consent.
pub(crate) enum Answer {
    /// Nothing yet.
    NotAsked,
    /// What was remembered of it was looked up by the step before.
    Remembered(Option<Agreed>),
    /// She agrees, on our page.
    Agrees,
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
    let (ticket, requested) = match parameters.get("request_uri") {
        Some(uri) => arrive_pushed(provider, env, &client, uri, browser)?,
        None => match arrive_direct(provider, env, &client, parameters, browser)? {
            Ok(arrived) => arrived,
            Err(location) => return Ok(Step::Redirect(location)),
        },
    };
    advance(provider, env, ticket, requested, browser, session, Answer::NotAsked)
}

/// Somebody signs in to our own pages; `return_to` is a path of ours that the web floor has checked.
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
    let (ticket, requested) = insert(provider, env, "", aim, browser)?;
    advance(provider, env, ticket, requested, browser, None, Answer::NotAsked)
}

/// The page of a sign-in that waits, once more: after a wrong answer, or when it is loaded again.
///
/// # Errors
/// [`Refusal::InteractionUnknown`], [`Refusal::InteractionOfAnotherBrowser`], [`Refusal::InteractionStep`].
pub fn show(
    provider: &Provider,
    env: &Env,
    handle: &str,
    browser: &Browser,
    session: Option<&Session>,
) -> Result<Step, SigninError> {
    let (ticket, requested) = waiting(provider, env, handle, browser)?;
    advance(provider, env, ticket, requested, browser, session, Answer::NotAsked)
}

/// The sign-in that waits under a handle.
pub(crate) fn waiting(
    provider: &Provider,
    env: &Env,
    handle: &str,
    browser: &Browser,
) -> Result<(Ticket, Requested), SigninError> {
    let ticket = Ticket::parse(handle, provider.buckets()).ok_or(Refusal::InteractionUnknown)?;
    let (with, browser, now) = (provider.clone(), browser.clone(), env.now);
    provider.store().read(ticket.bucket, move |tx| {
        let (_, requested) = interaction::requested(tx, with.keys(), &ticket, &browser, now)?;
        Ok((ticket, requested))
    })
}

fn arrive_pushed(
    provider: &Provider,
    env: &Env,
    client: &Client,
    uri: &str,
    browser: &Browser,
) -> Result<(Ticket, Requested), SigninError> {
    let text = uri.strip_prefix(URI_PREFIX).ok_or(Refusal::RequestUriUnknown)?;
    let uri = Ticket::parse(text, provider.buckets()).ok_or(Refusal::RequestUriUnknown)?;
    let handle = Ticket::for_row(uri.bucket, uri.row);
    let (with, browser, client_id, now) =
        (provider.clone(), browser.clone(), client.id().to_owned(), env.now);
    let expires = now.plus_seconds(provider.config().interaction_seconds);
    provider.store().write(uri.bucket, move |tx| {
        let arrival = Arrival { client_id: &client_id, browser: &browser, handle, expires };
        let row = interaction::load(tx, with.keys(), &uri)?.ok_or(Refusal::RequestUriUnknown)?;
        let (row, requested) = match row.take() {
            (row, Stage::Pushed(pushed)) => (row, pushed.request(with.keys(), &arrival, &uri, now)?),
            (row, Stage::Requested(requested)) => (row, requested.reload(with.keys(), &arrival, &uri, now)?),
            _ => return Err(Refusal::RequestUriUnknown.into()),
        };
        row.replace(tx, with.keys(), &Stage::Requested(requested.clone()))?;
        Ok((handle, requested))
    })
}

/// Parameters that came with the browser. The inner error is a redirect to the party.
fn arrive_direct(
    provider: &Provider,
    env: &Env,
    client: &Client,
    parameters: &Parameters,
    browser: &Browser,
) -> Result<Result<(Ticket, Requested), String>, SigninError> {
    request::check_redirect_uri(client, parameters)?;
    let refused = |refusal| {
        let redirect_uri = parameters.get("redirect_uri").unwrap_or_default();
        Ok(Err(error_location(provider.config(), redirect_uri, parameters.get("state"), refusal)))
    };
    if client.registration().profile == crate::client::Profile::Fapi2 {
        return refused(Refusal::MustPush);
    }
    match request::read(client, parameters) {
        Ok(request) => Ok(Ok(insert(provider, env, client.id(), Aim::Party(request), browser)?)),
        Err(refusal) => refused(refusal),
    }
}

fn insert(
    provider: &Provider,
    env: &Env,
    client_id: &str,
    aim: Aim,
    browser: &Browser,
) -> Result<(Ticket, Requested), SigninError> {
    let ticket = Ticket::new(provider.buckets().of_hash(&random::<2>()));
    let expires = env.now.plus_seconds(provider.config().interaction_seconds);
    let arrival = Arrival { client_id, browser, handle: ticket, expires };
    let requested = Requested::new(provider.keys(), aim, &arrival);
    let (with, stage, until) =
        (provider.keys().clone(), Stage::Requested(requested.clone()), provider.row_until(env.now));
    provider
        .store()
        .write(ticket.bucket, move |tx| interaction::insert(tx, &with, &ticket, &stage, until))?;
    Ok((ticket, requested))
}

/// Goes as far as it can: to the page for signing in, to the page for consent, or back to the party.
pub(crate) fn advance(
    provider: &Provider,
    env: &Env,
    ticket: Ticket,
    requested: Requested,
    browser: &Browser,
    session: Option<&Session>,
    answer: Answer,
) -> Result<Step, SigninError> {
    let satisfied = match session {
        Some(session) => requested.satisfied_by(&ticket.row, &session.authentication(), env.now),
        None => Err(Refusal::LoginRequired),
    };
    let request = match &requested.aim {
        Aim::Own { return_to, .. } if satisfied.is_ok() => return Ok(Step::Own(return_to.clone())),
        Aim::Own { .. } => None,
        Aim::Party(request) => Some(request.clone()),
    };
    let (Ok(()), Some(session), Some(request)) = (satisfied, session, &request) else {
        return match request {
            Some(request) if request.prompt.none => {
                give_up(provider, env, ticket, browser, &request, Refusal::LoginRequired)
            }
            request => sign_in_page(provider, env, ticket, &requested, request.as_ref()),
        };
    };
    let agreed = match answer {
        Answer::Remembered(agreed) => agreed,
        Answer::NotAsked => agree(provider, env, &ticket.row, session, request, false)?,
        Answer::Agrees => agree(provider, env, &ticket.row, session, request, true)?,
    };
    match agreed {
        Some(agreed) => issue(provider, env, ticket, browser, session, agreed),
        None if request.prompt.none => {
            give_up(provider, env, ticket, browser, request, Refusal::ConsentRequired)
        }
        None => consent_page(provider, env, ticket, request),
    }
}

fn sign_in_page(
    provider: &Provider,
    env: &Env,
    ticket: Ticket,
    requested: &Requested,
    request: Option<&Request>,
) -> Result<Step, SigninError> {
    let client = match request {
        Some(request) => Some(provider.snapshot(env.now)?.client(&request.client_id)?),
        None => None,
    };
    Ok(Step::SignIn(SignInPage {
        handle: ticket.text(),
        client,
        level: requested.level(),
        passkey_options: crate::passkey::request_options(provider.config(), &requested.challenge),
        ui_locales: request.and_then(|request| request.ui_locales.clone()),
    }))
}

fn consent_page(
    provider: &Provider,
    env: &Env,
    ticket: Ticket,
    request: &Request,
) -> Result<Step, SigninError> {
    let client = provider.snapshot(env.now)?.client(&request.client_id)?;
    let asked = request.asked.clone();
    let ui_locales = request.ui_locales.clone();
    Ok(Step::Consent(ConsentPage { handle: ticket.text(), client, asked, ui_locales }))
}

/// Finds or remembers the agreement, in the holder's bucket; writes the history when an earlier sign-in is used again.
fn agree(
    provider: &Provider,
    env: &Env,
    interaction: &RowKey,
    session: &Session,
    request: &Request,
    agrees: bool,
) -> Result<Option<Agreed>, SigninError> {
    let (with, env, by, holder) = (provider.clone(), env.clone(), session.authentication(), session.holder());
    let (request, is_new, ticket) = (request.clone(), session.was_made_by(interaction), session.ticket());
    provider.store().write(session.bucket(), move |tx| {
        // Still there: a session that was ended meanwhile gives nothing away.
        crate::session::read(tx, &with, &ticket, env.now)?;
        let keys = with.keys();
        let known = if agrees { None } else { consent::found(tx, keys, by.holder, &request)? };
        if known.is_none() && !agrees {
            return Ok(None);
        }

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

/// Issues the code, in the bucket of the sign-in.
fn issue(
    provider: &Provider,
    env: &Env,
    ticket: Ticket,
    browser: &Browser,
    session: &Session,
    agreed: Agreed,
) -> Result<Step, SigninError> {
    let (with, browser, by, now) = (provider.clone(), browser.clone(), session.authentication(), env.now);
    let code = Ticket::for_row(ticket.bucket, ticket.row);
    let request = provider.store().write(ticket.bucket, move |tx| {
        let (row, requested) = interaction::requested(tx, with.keys(), &ticket, &browser, now)?;
        let consented = requested.authenticated(&ticket.row, by, now)?.consented(&agreed)?;
        let expires = now.plus_seconds(with.config().code_seconds);
        let (issued, request) = consented.issue(with.keys(), &code, expires);
        row.replace(tx, with.keys(), &Stage::CodeIssued(issued))?;
        Ok::<_, SigninError>(request)
    })?;
    let code = code.text();
    let answer = [("code", Some(code.as_str())), ("state", request.state.as_deref())];
    Ok(Step::Redirect(location(provider.config(), &request.redirect_uri, &answer)))
}

/// Tells the party that no page may be shown and one would be needed.
fn give_up(
    provider: &Provider,
    env: &Env,
    ticket: Ticket,
    browser: &Browser,
    request: &Request,
    refusal: Refusal,
) -> Result<Step, SigninError> {
    let (with, browser, now) = (provider.clone(), browser.clone(), env.now);
    provider.store().write(ticket.bucket, move |tx| {
        let (row, _) = interaction::requested(tx, with.keys(), &ticket, &browser, now)?;
        row.replace(tx, with.keys(), &Stage::Over)
    })?;
    Ok(Step::Redirect(error_location(
        provider.config(),
        &request.redirect_uri,
        request.state.as_deref(),
        refusal,
    )))
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

/// How long a row of a sign-in can matter at all.
impl Provider {
    pub(crate) fn row_until(&self, now: Instant) -> Instant {
        let config = self.config();
        now.plus_seconds(config.interaction_seconds + config.code_seconds + config.token_seconds + 600)
    }
}

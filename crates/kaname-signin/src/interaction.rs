//! One sign-in on its way, as a state machine: each step takes the state before it and gives the next one.
//!
//! ```text
//! Pushed -> Requested -> Authenticated -> Consented -> CodeIssued -> Redeemed
//! ```
//!
//! `Authenticated` and `Consented` are passed through within the unit of work that issues the code, so they are never stored:
//! who signed in is the session's business until there is a code. Anything may become `Over`.

use aws_lc_rs::digest::{SHA256, digest};
use kaname_base::Instant;
use kaname_codec::b64;
use kaname_store::Tx;
use kaname_trust::Keys;
use kaname_trust::keys::{BlindIndex, random};
use serde::{Deserialize, Serialize};

use crate::client::Asked;
use crate::consent::Agreed;
use crate::holder::{HolderRow, unwrap, wrap};
use crate::request::Request;
use crate::rules::{Level, Means};
use crate::session::Authentication;
use crate::ticket::{RowKey, Ticket};
use crate::{Browser, Refusal, SigninError, rules, table};

/// What a sign-in is for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Aim {
    /// A relying party's request.
    Party(Request),
    /// Our own pages: the portal or the office.
    Own { level: Level, return_to: String },
}

/// Pushed by the party; the browser has not come yet.
#[derive(Serialize, Deserialize)]
pub(crate) struct Pushed {
    request: Request,
    #[serde(with = "crate::bytes")]
    request_uri: BlindIndex,
    expires: Instant,
}

/// In one browser, waiting for the person.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Requested {
    pub(crate) aim: Aim,
    #[serde(with = "crate::bytes::maybe")]
    request_uri: Option<BlindIndex>,
    #[serde(with = "crate::bytes")]
    handle: BlindIndex,
    #[serde(with = "crate::bytes")]
    browser: BlindIndex,
    /// Sent to the passkey.
    #[serde(with = "crate::bytes")]
    pub(crate) challenge: [u8; 32],
    expires: Instant,
}

/// Somebody has signed in as the request demands.
pub(crate) struct Authenticated {
    request: Request,
    by: Authentication,
}

/// She has agreed.
pub(crate) struct Consented {
    request: Request,
    by: Authentication,
}

/// What a code stands for.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) nonce: Option<String>,
    pub(crate) code_challenge: String,
    pub(crate) asked: Vec<Asked>,
    pub(crate) holder: HolderRow,
    pub(crate) means: Means,
    pub(crate) auth_time: Instant,
}

/// The party may redeem the code, once.
#[derive(Serialize, Deserialize)]
pub(crate) struct CodeIssued {
    grant: Grant,
    #[serde(with = "crate::bytes")]
    code: BlindIndex,
    expires: Instant,
}

/// The party holds an access token. The code is kept, to know it again.
#[derive(Serialize, Deserialize)]
pub(crate) struct Redeemed {
    pub(crate) grant: Grant,
    #[serde(with = "crate::bytes")]
    code: BlindIndex,
    #[serde(with = "crate::bytes")]
    token: BlindIndex,
    expires: Instant,
}

/// What the row holds.
#[derive(Serialize, Deserialize)]
pub(crate) enum Stage {
    Pushed(Pushed),
    Requested(Requested),
    CodeIssued(CodeIssued),
    Redeemed(Redeemed),
    /// Refused, given up, or taken back.
    Over,
}

const KIND: &str = "signin.interaction";
const REQUEST_URI: &str = "signin.request-uri";
const HANDLE: &str = "signin.handle";
const BROWSER: &str = "signin.browser";
const CODE: &str = "signin.code";
const TOKEN: &str = "signin.token";

impl Pushed {
    pub(crate) fn new(keys: &Keys, request: Request, ticket: &Ticket, expires: Instant) -> Pushed {
        Pushed { request, request_uri: ticket.mac(keys, REQUEST_URI), expires }
    }

    /// The browser has come with the request URI.
    pub(crate) fn request(
        self,
        keys: &Keys,
        with: &Arrival<'_>,
        request_uri: &Ticket,
        now: Instant,
    ) -> Result<Requested, Refusal> {
        let is_it = request_uri.is(keys, REQUEST_URI, &self.request_uri);
        if !is_it || now >= self.expires || self.request.client_id != with.client_id {
            return Err(Refusal::RequestUriUnknown);
        }
        let aim = Aim::Party(self.request);
        Ok(Requested { request_uri: Some(self.request_uri), ..Requested::new(keys, aim, with) })
    }
}

/// A browser that arrives at a sign-in.
pub(crate) struct Arrival<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) browser: &'a Browser,
    pub(crate) handle: Ticket,
    pub(crate) expires: Instant,
}

impl Requested {
    pub(crate) fn new(keys: &Keys, aim: Aim, with: &Arrival<'_>) -> Requested {
        Requested {
            aim,
            request_uri: None,
            handle: with.handle.mac(keys, HANDLE),
            browser: keys.blind_index(BROWSER, with.browser.as_bytes()),
            challenge: random(),
            expires: with.expires,
        }
    }

    /// The same browser has loaded the request URI once more: it goes on with a new handle. Another browser is refused, so a
    /// request URI is good for one (RFC 9126 section 7.3; FAPI 2.0 section 5.3.2.2, note on reloading).
    pub(crate) fn reload(
        self,
        keys: &Keys,
        with: &Arrival<'_>,
        request_uri: &Ticket,
        now: Instant,
    ) -> Result<Requested, Refusal> {
        let is_it = self.request_uri.is_some_and(|mac| request_uri.is(keys, REQUEST_URI, &mac));
        let is_same_party = matches!(&self.aim, Aim::Party(request) if request.client_id == with.client_id);
        if !is_it || !is_same_party || now >= self.expires || !self.is_in(keys, with.browser) {
            return Err(Refusal::RequestUriUnknown);
        }
        Ok(Requested { handle: with.handle.mac(keys, HANDLE), challenge: random(), ..self })
    }

    /// Checks that the handle is of this sign-in, in this browser, in time.
    pub(crate) fn check(
        &self,
        keys: &Keys,
        handle: &Ticket,
        browser: &Browser,
        now: Instant,
    ) -> Result<(), Refusal> {
        if !handle.is(keys, HANDLE, &self.handle) || now >= self.expires {
            return Err(Refusal::InteractionUnknown);
        }
        if !self.is_in(keys, browser) {
            return Err(Refusal::InteractionOfAnotherBrowser);
        }
        Ok(())
    }

    fn is_in(&self, keys: &Keys, browser: &Browser) -> bool {
        crate::ticket::same(&keys.blind_index(BROWSER, browser.as_bytes()), &self.browser)
    }

    /// The least level that the sign-in must have.
    pub(crate) fn level(&self) -> Level {
        match &self.aim {
            Aim::Party(request) => request.level,
            Aim::Own { level, .. } => *level,
        }
    }

    /// Whether a session satisfies the request: signed in lately enough, and surely enough.
    pub(crate) fn satisfied_by(
        &self,
        row: &RowKey,
        by: &Authentication,
        now: Instant,
    ) -> Result<(), Refusal> {
        if let Aim::Party(request) = &self.aim {
            let too_old = request.max_age.is_some_and(|age| by.at.plus_seconds(age) < now);
            // Signed in for this very request, and not just lately.
            let is_fresh = by.interaction.as_ref() == Some(row);
            if !is_fresh && (request.prompt.login || too_old) || by.holder.is_officer {
                return Err(Refusal::LoginRequired);
            }
        }
        if by.means.level() < self.level() { Err(Refusal::LevelTooLow) } else { Ok(()) }
    }

    /// Somebody has signed in.
    pub(crate) fn authenticated(
        self,
        row: &RowKey,
        by: Authentication,
        now: Instant,
    ) -> Result<Authenticated, Refusal> {
        self.satisfied_by(row, &by, now)?;
        match self.aim {
            Aim::Party(request) => Ok(Authenticated { request, by }),
            Aim::Own { .. } => Err(Refusal::InteractionStep),
        }
    }
}

impl Authenticated {
    /// She has agreed to give this party these attributes. [`Agreed`] is the proof.
    pub(crate) fn consented(self, agreed: &Agreed) -> Result<Consented, Refusal> {
        match agreed.covers(self.by.holder, &self.request) {
            true => Ok(Consented { request: self.request, by: self.by }),
            false => Err(Refusal::ConsentRequired),
        }
    }
}

impl Consented {
    /// Issues the code, and tells where it goes.
    pub(crate) fn issue(self, keys: &Keys, code: &Ticket, expires: Instant) -> (CodeIssued, Request) {
        let Consented { request, by } = self;
        let grant = Grant {
            client_id: request.client_id.clone(),
            redirect_uri: request.redirect_uri.clone(),
            nonce: request.nonce.clone(),
            code_challenge: request.code_challenge.clone(),
            asked: request.asked.clone(),
            holder: by.holder,
            means: by.means,
            auth_time: by.at,
        };
        (CodeIssued { grant, code: code.mac(keys, CODE), expires }, request)
    }
}

/// What a party shows to redeem a code.
pub(crate) struct Redeeming<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) redirect_uri: Option<&'a str>,
    pub(crate) verifier: Option<&'a str>,
    pub(crate) code: Ticket,
    pub(crate) now: Instant,
}

/// What must hold when a code is redeemed, in this order.
const REDEEM_CHECKS: &[fn(&CodeIssued, &Redeeming<'_>) -> Result<(), Refusal>] =
    &[code_in_time, code_of_this_client, redirect_uri_same, verifier_given, verifier_fits];

impl CodeIssued {
    /// The party redeems the code for `token`.
    pub(crate) fn redeem(
        self,
        keys: &Keys,
        with: &Redeeming<'_>,
        token: &Ticket,
        expires: Instant,
    ) -> Result<Redeemed, Refusal> {
        if !with.code.is(keys, CODE, &self.code) {
            return Err(Refusal::CodeUnknown);
        }
        REDEEM_CHECKS.iter().try_for_each(|check| check(&self, with))?;
        Ok(Redeemed { grant: self.grant, code: self.code, token: token.mac(keys, TOKEN), expires })
    }
}

fn code_in_time(issued: &CodeIssued, with: &Redeeming<'_>) -> Result<(), Refusal> {
    if with.now < issued.expires { Ok(()) } else { Err(Refusal::CodeUnknown) }
}

fn code_of_this_client(issued: &CodeIssued, with: &Redeeming<'_>) -> Result<(), Refusal> {
    if issued.grant.client_id == with.client_id { Ok(()) } else { Err(Refusal::CodeOfAnotherClient) }
}

fn redirect_uri_same(issued: &CodeIssued, with: &Redeeming<'_>) -> Result<(), Refusal> {
    let same = with.redirect_uri == Some(issued.grant.redirect_uri.as_str());
    if same { Ok(()) } else { Err(Refusal::RedirectUriDiffers) }
}

/// 43 to 128 unreserved characters (RFC 7636 section 4.1).
fn verifier_given(_: &CodeIssued, with: &Redeeming<'_>) -> Result<(), Refusal> {
    let verifier = with.verifier.ok_or(Refusal::VerifierMissing)?;
    let plain = verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    if plain && (43..=128).contains(&verifier.len()) { Ok(()) } else { Err(Refusal::VerifierWrong) }
}

fn verifier_fits(issued: &CodeIssued, with: &Redeeming<'_>) -> Result<(), Refusal> {
    let hash = digest(&SHA256, with.verifier.unwrap_or_default().as_bytes());
    let fits = crate::ticket::same(
        b64::url_encode(hash.as_ref()).as_bytes(),
        issued.grant.code_challenge.as_bytes(),
    );
    if fits { Ok(()) } else { Err(Refusal::VerifierWrong) }
}

impl Redeemed {
    /// Whether `code` is the one that was redeemed.
    pub(crate) fn was_given_for(&self, keys: &Keys, code: &Ticket) -> bool {
        code.is(keys, CODE, &self.code)
    }

    /// What the token stands for.
    pub(crate) fn used(self, keys: &Keys, token: &Ticket, now: Instant) -> Result<Grant, Refusal> {
        let holds = token.is(keys, TOKEN, &self.token) && now < self.expires;
        if holds { Ok(self.grant) } else { Err(Refusal::TokenUnknown) }
    }
}

/// A row as it was read: replaced only if nobody replaced it meanwhile.
pub(crate) struct Row {
    pub(crate) stage: Stage,
    ticket: Ticket,
    version: i64,
    expires: i64,
}

/// Reads the row that a ticket names.
pub(crate) fn load(tx: &mut Tx<'_>, keys: &Keys, ticket: &Ticket) -> Result<Option<Row>, SigninError> {
    let Some((version, expires, body)) = table::interaction(tx, &ticket.row)? else { return Ok(None) };
    let stage = unwrap(keys, KIND, &ticket.row, &body)?;
    Ok(Some(Row { stage, ticket: *ticket, version, expires }))
}

/// Writes a new row. `until` bounds how long anything in it can matter.
pub(crate) fn insert(
    tx: &mut Tx<'_>,
    keys: &Keys,
    ticket: &Ticket,
    stage: &Stage,
    until: Instant,
) -> Result<(), SigninError> {
    let body = wrap(keys, KIND, &ticket.row, stage);
    Ok(table::insert_interaction(tx, &ticket.row, rules::coarse(until), &body)?)
}

impl Row {
    /// Replaces what was read.
    pub(crate) fn replace(self, tx: &mut Tx<'_>, keys: &Keys, stage: &Stage) -> Result<(), SigninError> {
        let body = wrap(keys, KIND, &self.ticket.row, stage);
        Ok(table::replace_interaction(tx, &self.ticket.row, self.version, self.expires, &body)?)
    }

    /// The row for its next state, and the state it is in.
    pub(crate) fn take(mut self) -> (Row, Stage) {
        let stage = std::mem::replace(&mut self.stage, Stage::Over);
        (self, stage)
    }
}

/// The sign-in that waits under a handle, in this browser.
pub(crate) fn requested(
    tx: &mut Tx<'_>,
    keys: &Keys,
    handle: &Ticket,
    browser: &Browser,
    now: Instant,
) -> Result<(Row, Requested), SigninError> {
    let (row, stage) = load(tx, keys, handle)?.ok_or(Refusal::InteractionUnknown)?.take();
    match stage {
        Stage::Requested(requested) => {
            requested.check(keys, handle, browser, now)?;
            Ok((row, requested))
        }
        _ => Err(Refusal::InteractionStep.into()),
    }
}

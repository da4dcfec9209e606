//! One sign-in on its way, as a state machine: each step takes the state before it and gives the next one.
//!
//! ```text
//! Pushed -> Requested -> Authenticated -> Consented -> Code -> AccessToken
//! ```
//!
//! No row holds it. The party, the browser and the party again carry it from step to step, sealed ([`Handout`]); `Authenticated` and
//! `Consented` are passed through within the step that makes the code. What is kept are marks ([`Once`]): that a request was
//! loaded in a browser, that a person has answered and finished, that a code was redeemed.

use aws_lc_rs::digest::{SHA256, digest};
use kaname_base::Instant;
use kaname_codec::b64;
use kaname_store::Tx;
use kaname_trust::Keys;
use kaname_trust::keys::{BlindIndex, random};

use crate::client::Asked;
use crate::consent::Agreed;
use crate::error::Kept;
use crate::handout::Handout;
use crate::holder::HolderRow;
use crate::once::Once;
use crate::packed::{Packed, packed};
use crate::provider::{Config, Provider};
use crate::request::Request;
use crate::rules::same;
use crate::rules::{Level, Means};
use crate::session::Authentication;
use crate::{Browser, Refusal, SigninError};

/// Names one sign-in, in what is handed out for it. Marks are made of it; it stands in no table.
pub(crate) type SignInId = [u8; 16];

/// What a sign-in is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Aim {
    /// A relying party's request.
    Party(Request),
    /// Our own pages: the portal or the office.
    Own { level: Level, return_to: String },
}

/// Pushed by the party; the browser has not come yet. Handed out as the request URI.
pub(crate) struct Pushed {
    id: SignInId,
    at: Instant,
    request: Request,
}

/// In one browser, waiting for the person. Handed out as the handle of its pages.
pub(crate) struct Requested {
    pub(crate) id: SignInId,
    pub(crate) aim: Aim,
    browser: BlindIndex,
    /// Sent to the passkey.
    pub(crate) challenge: [u8; 32],
    expires: Instant,
}

/// Somebody has signed in as the request demands.
pub(crate) struct Authenticated<'a> {
    requested: &'a Requested,
    request: &'a Request,
    by: Authentication,
}

/// She has agreed.
pub(crate) struct Consented<'a>(Authenticated<'a>);

/// What a code stands for.
pub(crate) struct Grant {
    pub(crate) client_id: String,
    pub(crate) asked: Vec<Asked>,
    pub(crate) holder: HolderRow,
    pub(crate) means: Means,
    pub(crate) auth_time: Instant,
    pub(crate) nonce: Option<String>,
}

/// The party may redeem it, once.
pub(crate) struct Code {
    id: SignInId,
    /// When the sign-in was over at the latest: its marks stand under it.
    over: Instant,
    expires: Instant,
    redirect_uri: String,
    code_challenge: String,
    pub(crate) grant: Grant,
}

/// What the party holds then.
pub(crate) struct AccessToken {
    id: SignInId,
    over: Instant,
    expires: Instant,
    pub(crate) client_id: String,
    pub(crate) asked: Vec<Asked>,
    pub(crate) holder: HolderRow,
}

packed!(Pushed { id, at, request });
packed!(Requested { id, aim, browser, challenge, expires });
packed!(Grant { client_id, asked, holder, means, auth_time, nonce });
packed!(Code { id, over, expires, redirect_uri, code_challenge, grant });
packed!(AccessToken { id, over, expires, client_id, asked, holder });

impl Handout for Pushed {
    const PURPOSE: &'static str = "signin.pushed-request 1";
}

impl Handout for Requested {
    const PURPOSE: &'static str = "signin.requested 1";
}

impl Handout for Code {
    const PURPOSE: &'static str = "signin.code 1";
}

impl Handout for AccessToken {
    const PURPOSE: &'static str = "signin.access-token 1";
}

impl Packed for Aim {
    fn pack(&self, to: &mut Vec<u8>) {
        match self {
            Aim::Party(request) => {
                true.pack(to);
                request.pack(to);
            }
            Aim::Own { level, return_to } => {
                false.pack(to);
                level.pack(to);
                return_to.pack(to);
            }
        }
    }

    fn unpack(from: &mut &[u8]) -> Option<Aim> {
        Some(match bool::unpack(from)? {
            true => Aim::Party(Packed::unpack(from)?),
            false => Aim::Own { level: Packed::unpack(from)?, return_to: Packed::unpack(from)? },
        })
    }
}

const BROWSER: &str = "signin.browser";
const LOADED: &str = "signin.loaded";
const LOADED_IN: &str = "signin.loaded-in";
const TURN: &str = "signin.turn";
const REDEEMED: &str = "signin.redeemed";
const CODE: &str = "signin.code";

/// How far a person's turn has come.
const ANSWERED: &[u8] = &[1];
const FINISHED: &[u8] = &[2];
/// After this no code is any more what a token was given for.
const TAKEN_BACK: &[u8] = &[0xFF; 17];

impl Pushed {
    pub(crate) fn new(request: Request, now: Instant) -> Pushed {
        Pushed { id: random(), at: now, request }
    }

    /// Whether the request is this party's and in time.
    pub(crate) fn check(&self, config: &Config, client_id: &str, now: Instant) -> Result<(), Refusal> {
        let in_time = now < self.at.plus_seconds(config.request_uri_seconds);
        if in_time && self.request.client_id == client_id { Ok(()) } else { Err(Refusal::RequestUriUnknown) }
    }

    /// It is loaded in one browser, as often as she likes (RFC 9126 section 7.3; FAPI 2.0 section 5.3.2.2, note on reloading).
    pub(crate) fn loaded(&self, provider: &Provider) -> Once {
        let until = last_use(provider.config(), self.over(provider.config()));
        Once::new(provider.keys(), LOADED, &[&self.id], until)
    }

    /// What the mark of its loading says: in which browser. Another word in each sign-in, so that marks do not tell who comes back.
    pub(crate) fn loaded_in(&self, keys: &Keys, browser: &Browser) -> BlindIndex {
        keys.blind_index(LOADED_IN, &[&self.id, browser.as_bytes()].concat())
    }

    /// The browser has come with the request URI.
    pub(crate) fn request(self, provider: &Provider, browser: &Browser) -> Requested {
        let expires = self.over(provider.config());
        let aim = Aim::Party(self.request);
        Requested { id: self.id, ..Requested::new(provider.keys(), aim, browser, expires) }
    }

    fn over(&self, config: &Config) -> Instant {
        self.at.plus_seconds(config.interaction_seconds)
    }
}

/// What stands for a browser in what it is handed.
fn browser_mark(keys: &Keys, browser: &Browser) -> BlindIndex {
    keys.blind_index(BROWSER, browser.as_bytes())
}

impl Requested {
    pub(crate) fn new(keys: &Keys, aim: Aim, browser: &Browser, expires: Instant) -> Requested {
        Requested { id: random(), aim, browser: browser_mark(keys, browser), challenge: random(), expires }
    }

    /// Checks that the sign-in is in this browser, in time.
    pub(crate) fn check(&self, keys: &Keys, browser: &Browser, now: Instant) -> Result<(), Refusal> {
        if now >= self.expires {
            return Err(Refusal::InteractionUnknown);
        }
        if !same(&browser_mark(keys, browser), &self.browser) {
            return Err(Refusal::InteractionOfAnotherBrowser);
        }
        Ok(())
    }

    /// The least level that the sign-in must have.
    pub(crate) fn level(&self) -> Level {
        match &self.aim {
            Aim::Party(request) => request.level,
            Aim::Own { level, .. } => *level,
        }
    }

    /// What a party asks for; none for our own pages.
    pub(crate) fn request(&self) -> Option<&Request> {
        match &self.aim {
            Aim::Party(request) => Some(request),
            Aim::Own { .. } => None,
        }
    }

    /// One person's turn in this sign-in: she answers once, and finishes once. Its mark lies in her bucket.
    pub(crate) fn turn(&self, provider: &Provider, holder: HolderRow) -> Turn {
        let until = last_use(provider.config(), self.expires);
        Turn(Once::new(provider.keys(), TURN, &[&self.id, &holder.row], until))
    }

    /// Whether a session satisfies the request: signed in lately enough, and surely enough.
    pub(crate) fn satisfied_by(&self, by: &Authentication, now: Instant) -> Result<(), Refusal> {
        if let Aim::Party(request) = &self.aim {
            let too_old = request.max_age.is_some_and(|age| by.at.plus_seconds(age) < now);
            // Signed in for this very request, and not just lately.
            let is_fresh = by.sign_in == Some(self.id);
            if !is_fresh && (request.prompt.login || too_old) || by.holder.is_officer {
                return Err(Refusal::LoginRequired);
            }
        }
        if by.means.level() < self.level() { Err(Refusal::LevelTooLow) } else { Ok(()) }
    }

    /// Somebody has signed in.
    pub(crate) fn authenticated(
        &self,
        by: Authentication,
        now: Instant,
    ) -> Result<Authenticated<'_>, Refusal> {
        self.satisfied_by(&by, now)?;
        let request = self.request().ok_or(Refusal::InteractionStep)?;
        Ok(Authenticated { requested: self, request, by })
    }
}

/// One person's turn in a sign-in.
#[derive(Clone, Copy)]
pub(crate) struct Turn(Once);

impl Turn {
    /// The challenge was answered: no second answer to it counts.
    pub(crate) fn answer(&self, tx: &mut Tx<'_>) -> Result<(), SigninError> {
        once(self.0.note(tx, ANSWERED)?)
    }

    /// The challenge was answered, and that was all that was missing.
    pub(crate) fn answer_and_finish(&self, tx: &mut Tx<'_>) -> Result<(), SigninError> {
        once(self.0.note(tx, FINISHED)?)
    }

    /// The party gets its answer: there is no other.
    pub(crate) fn finish(&self, tx: &mut Tx<'_>) -> Result<(), SigninError> {
        once(self.0.advance(tx, FINISHED)?)
    }
}

fn once(is_first: bool) -> Result<(), SigninError> {
    if is_first { Ok(()) } else { Err(Refusal::InteractionStep.into()) }
}

impl<'a> Authenticated<'a> {
    /// She has agreed to give this party these attributes. [`Agreed`] is the proof.
    pub(crate) fn consented(self, agreed: &Agreed) -> Result<Consented<'a>, Refusal> {
        match agreed.covers(self.by.holder, self.request) {
            true => Ok(Consented(self)),
            false => Err(Refusal::ConsentRequired),
        }
    }
}

impl<'a> Consented<'a> {
    /// Makes the code, and tells where it goes.
    pub(crate) fn issue(self, expires: Instant) -> (Code, &'a Request) {
        let Consented(Authenticated { requested, request, by }) = self;
        let grant = Grant {
            client_id: request.client_id.clone(),
            asked: request.asked.clone(),
            holder: by.holder,
            means: by.means,
            auth_time: by.at,
            nonce: request.nonce.clone(),
        };
        let code = Code {
            id: requested.id,
            over: requested.expires,
            expires,
            redirect_uri: request.redirect_uri.clone(),
            code_challenge: request.code_challenge.clone(),
            grant,
        };
        (code, request)
    }
}

/// What a party shows to redeem a code.
pub(crate) struct Redeeming<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) redirect_uri: Option<&'a str>,
    pub(crate) verifier: Option<&'a str>,
    pub(crate) now: Instant,
}

/// What must hold when a code is redeemed, in this order.
const REDEEM_CHECKS: &[fn(&Code, &Redeeming<'_>) -> Result<(), Refusal>] =
    &[code_in_time, code_of_this_client, redirect_uri_same, verifier_given, verifier_fits];

impl Code {
    /// Of all codes that a sign-in may have made, one is redeemed, once.
    pub(crate) fn redeemed(&self, provider: &Provider) -> Once {
        redeemed(provider, &self.id, self.over)
    }

    /// What the mark of its redemption says: which code it was.
    pub(crate) fn mark(keys: &Keys, text: &str) -> BlindIndex {
        keys.blind_index(CODE, text.as_bytes())
    }

    /// Whether the party may redeem it.
    pub(crate) fn check(&self, with: &Redeeming<'_>) -> Result<(), Refusal> {
        REDEEM_CHECKS.iter().try_for_each(|check| check(self, with))
    }

    /// What the party gets for it.
    pub(crate) fn access_token(&self, expires: Instant) -> AccessToken {
        AccessToken {
            id: self.id,
            over: self.over,
            expires,
            client_id: self.grant.client_id.clone(),
            asked: self.grant.asked.clone(),
            holder: self.grant.holder,
        }
    }
}

/// Redeems the code that is noted as `code`, if the party may. A second use takes back what the first one gave, even if it
/// would be refused anyway.
pub(crate) fn redeem(
    tx: &mut Tx<'_>,
    redeemed: &Once,
    code: &BlindIndex,
    checked: Result<(), Refusal>,
) -> Kept<()> {
    if checked.is_ok() && redeemed.note(tx, code)? {
        return Ok(Ok(()));
    }
    let is_this = redeemed.noted(tx)?.is_some_and(|noted| same(&noted, code));
    if is_this && redeemed.advance(tx, TAKEN_BACK)? {
        return Ok(Err(Refusal::CodeUsed));
    }
    Ok(checked.and(Err(Refusal::CodeUnknown)))
}

fn redeemed(provider: &Provider, id: &SignInId, over: Instant) -> Once {
    Once::new(provider.keys(), REDEEMED, &[id], last_use(provider.config(), over))
}

/// Until when anything of a sign-in can be used: the code of its last moment, and the token of that code's.
fn last_use(config: &Config, over: Instant) -> Instant {
    over.plus_seconds(config.code_seconds + config.token_seconds)
}

fn code_in_time(code: &Code, with: &Redeeming<'_>) -> Result<(), Refusal> {
    if with.now < code.expires { Ok(()) } else { Err(Refusal::CodeUnknown) }
}

fn code_of_this_client(code: &Code, with: &Redeeming<'_>) -> Result<(), Refusal> {
    if code.grant.client_id == with.client_id { Ok(()) } else { Err(Refusal::CodeOfAnotherClient) }
}

fn redirect_uri_same(code: &Code, with: &Redeeming<'_>) -> Result<(), Refusal> {
    let same = with.redirect_uri == Some(code.redirect_uri.as_str());
    if same { Ok(()) } else { Err(Refusal::RedirectUriDiffers) }
}

/// 43 to 128 unreserved characters (RFC 7636 section 4.1).
fn verifier_given(_: &Code, with: &Redeeming<'_>) -> Result<(), Refusal> {
    let verifier = with.verifier.ok_or(Refusal::VerifierMissing)?;
    let plain = verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    if plain && (43..=128).contains(&verifier.len()) { Ok(()) } else { Err(Refusal::VerifierWrong) }
}

fn verifier_fits(code: &Code, with: &Redeeming<'_>) -> Result<(), Refusal> {
    let hash = digest(&SHA256, with.verifier.unwrap_or_default().as_bytes());
    let fits = same(b64::url_encode(hash.as_ref()).as_bytes(), code.code_challenge.as_bytes());
    if fits { Ok(()) } else { Err(Refusal::VerifierWrong) }
}

impl AccessToken {
    /// The mark under which it was given, and taken back.
    pub(crate) fn redeemed(&self, provider: &Provider) -> Once {
        redeemed(provider, &self.id, self.over)
    }

    /// Whether it holds by its own time.
    pub(crate) fn check(&self, now: Instant) -> Result<(), Refusal> {
        if now < self.expires { Ok(()) } else { Err(Refusal::TokenUnknown) }
    }
}

/// Whether what was given for a code still stands.
pub(crate) fn still_stands(tx: &mut Tx<'_>, redeemed: &Once) -> Result<(), SigninError> {
    match redeemed.noted(tx)? {
        Some(noted) if noted != TAKEN_BACK => Ok(()),
        _ => Err(Refusal::TokenUnknown.into()),
    }
}

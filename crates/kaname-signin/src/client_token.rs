//! Access tokens for agencies' own systems: no person stands before them, the agency acts on its own mandate
//! (OAuth 2.0 client credentials, RFC 6749 section 4.4; JWT access tokens, RFC 9068).
//!
//! A token is signed and kept nowhere, so that checking one reads nothing. It is short-lived, and holds only as long as the agency
//! is registered and the scope is still allowed to it.

use std::sync::Arc;

use kaname_base::Env;
use kaname_codec::b64;
use kaname_codec::jose::{Audience, Claims, Unverified, check_audience, check_times, sign_jwt};
use kaname_trust::keys::random;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::Client;
use crate::parameters::Parameters;
use crate::provider::{Config, Provider, Snapshot};
use crate::{Refusal, SigninError, assertion};

/// What an agency's own systems may do here.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agency {
    /// Scopes that it may ask for, each one of [`SCOPES`].
    pub scopes: Vec<String>,
    /// Addresses that events may be sent to, and what lies under them. Nothing else is ever called.
    #[serde(default)]
    pub webhooks: Vec<String>,
    /// Whether it hears of life events of people whose record it has never read. The law must say so: a registry of deaths, say.
    #[serde(default)]
    pub everyone: bool,
    /// Which kinds of outside records are its own, by the codes of the country's sources: of no others may it hand in a list or ask.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
}

/// Every scope of the registry's interfaces. Those of OSIA carry OSIA's names.
pub const SCOPES: &[&str] = &[
    "uin.generate",
    "uin.read",
    "pr.person.read",
    "pr.person.write",
    "pr.person.match",
    "pr.person.verify",
    "pr.document.read",
    "pr.identity.read",
    "pr.identity.write",
    "pr.reference.read",
    "pr.reference.write",
    "pr.gallery.read",
    "notif.sub.read",
    "notif.sub.write",
    "notif.topic.read",
    "notif.topic.write",
    "notif.topic.publish",
    "enroll.read",
    "enroll.write",
    "enroll.buf.read",
    "enroll.buf.write",
    "events.read",
    "dci.search",
    "links.check",
    "links.read",
];

/// The grant type that asks for such a token.
pub const GRANT_TYPE: &str = "client_credentials";

/// What an agency gets (RFC 6749 section 5.1). There is no refresh token (section 4.4.3).
#[derive(Clone, Serialize)]
pub struct AgencyToken {
    /// A JWT of the type `at+jwt`.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: &'static str,
    /// In seconds.
    pub expires_in: i64,
    /// What was granted.
    pub scope: String,
}

/// The token stays out of logs.
impl std::fmt::Debug for AgencyToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AgencyToken({})", self.scope)
    }
}

/// RFC 9068 section 2.2.
#[derive(Serialize)]
struct AccessClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    client_id: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    scope: &'a str,
}

/// An agency whose token holds.
#[derive(Debug)]
pub struct Bearer {
    /// The agency.
    pub client: Arc<Client>,
    scopes: Vec<String>,
}

impl Bearer {
    /// Goes on only with a token for this scope.
    ///
    /// # Errors
    /// [`Refusal::ScopeInsufficient`].
    pub fn demand(&self, scope: &str) -> Result<(), Refusal> {
        if self.holds(scope) { Ok(()) } else { Err(Refusal::ScopeInsufficient) }
    }

    /// Whether the token is for this scope too.
    pub fn holds(&self, scope: &str) -> bool {
        self.scopes.iter().any(|held| held == scope)
    }
}

/// Whom the tokens are for: the registry's interfaces, and no other server (RFC 9068 section 3).
pub fn audience(config: &Config) -> String {
    format!("{}/registry", config.issuer)
}

/// Gives an agency a token for the scopes it asks for, or for all of its scopes when it names none.
///
/// # Errors
/// [`Refusal`]: answer its `oauth()` as JSON with 400, or 401 for `invalid_client`.
pub fn issue(provider: &Provider, env: &Env, parameters: &Parameters) -> Result<AgencyToken, SigninError> {
    let (config, now) = (provider.config(), env.now);
    let snapshot = provider.snapshot(now)?;
    let endpoint = config.token_endpoint();
    let proven = assertion::prove(&snapshot, provider.keys(), config, &endpoint, parameters, now)?;
    if parameters.get("grant_type") != Some(GRANT_TYPE) {
        return Err(Refusal::GrantType.into());
    }
    let client = Arc::clone(&proven.client);
    let agency = client.registration().agency.as_ref().ok_or(Refusal::ClientNotAgency)?;
    let scope = granted(agency, parameters.get("scope"))?;

    let bucket = proven.once.bucket(provider.buckets());
    provider.store().write(bucket, move |tx| proven.use_once(tx))?;
    let signer = snapshot.signer();
    let claims = AccessClaims {
        iss: &config.issuer,
        sub: client.id(),
        client_id: client.id(),
        aud: &audience(config),
        iat: now.seconds(),
        exp: now.seconds() + config.token_seconds,
        jti: b64::url_encode(&random::<16>()),
        scope: &scope,
    };
    let access_token = sign_jwt(&signer.key, &signer.kid, "at+jwt", &claims);
    Ok(AgencyToken { access_token, token_type: "Bearer", expires_in: config.token_seconds, scope })
}

fn granted(agency: &Agency, asked: Option<&str>) -> Result<String, Refusal> {
    let mut scopes: Vec<&str> = asked.unwrap_or_default().split(' ').filter(|s| !s.is_empty()).collect();
    if scopes.is_empty() {
        scopes = agency.scopes.iter().map(String::as_str).collect();
    }
    scopes.dedup();
    let allowed = scopes.iter().all(|scope| agency.scopes.iter().any(|known| known == scope));
    if allowed && !scopes.is_empty() { Ok(scopes.join(" ")) } else { Err(Refusal::ScopeNotAllowed) }
}

/// What must hold of a token, in this order.
const CHECKS: &[fn(&Held<'_>) -> bool] = &[is_ours, is_for_the_registry, is_in_time];

struct Held<'a> {
    claims: &'a Claims,
    config: &'a Config,
    now: i64,
}

/// The agency that a token of the header is from.
///
/// # Errors
/// [`Refusal::TokenUnknown`]: answer 401 with `WWW-Authenticate: Bearer error="invalid_token"`.
pub fn check(provider: &Provider, env: &Env, token: &str) -> Result<Bearer, SigninError> {
    let snapshot = provider.snapshot(env.now)?;
    Ok(checked(&snapshot, provider.config(), env.now.seconds(), token).ok_or(Refusal::TokenUnknown)?)
}

fn checked(snapshot: &Snapshot, config: &Config, now: i64, token: &str) -> Option<Bearer> {
    let token = Unverified::parse(token).ok()?;
    // Only the type tells this token from an ID token, which the same keys sign (RFC 9068 section 4).
    if !token.header().is_type("at+jwt") {
        return None;
    }
    let kid = token.header().kid.as_deref()?;
    let key = snapshot.signing.iter().find(|key| key.kid == kid)?;
    let claims = token.verify(key.key.public()).ok()?;
    let held = Held { claims: &claims, config, now };
    if !CHECKS.iter().all(|check| check(&held)) {
        return None;
    }
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let client = snapshot.client(text("client_id")?).ok()?;
    // Taken back meanwhile: the token still holds for some minutes, what it allowed does not.
    let agency = client.registration().agency.as_ref()?;
    let scopes = text("scope")?.split(' ').filter(|scope| agency.scopes.iter().any(|known| known == scope));
    let scopes = scopes.map(str::to_owned).collect();
    Some(Bearer { client, scopes })
}

fn is_ours(held: &Held<'_>) -> bool {
    held.claims.get("iss").and_then(Value::as_str) == Some(&held.config.issuer)
}

fn is_for_the_registry(held: &Held<'_>) -> bool {
    check_audience(held.claims, Audience::Only(&audience(held.config))).is_ok()
}

/// Our own clock on both sides: no leeway.
fn is_in_time(held: &Held<'_>) -> bool {
    check_times(held.claims, held.now, 0).is_ok()
}

/// Signs a message to an agency: a JWS whose payload travels beside it (RFC 7515 appendix F). `aud` and `iat` stand in the header,
/// so that it cannot be shown to another agency, or much later, as if it were new.
///
/// # Errors
/// [`SigninError::Store`].
pub fn sign_detached(
    provider: &Provider,
    env: &Env,
    audience: &str,
    body: &[u8],
) -> Result<String, SigninError> {
    #[derive(Serialize)]
    struct Header<'a> {
        alg: &'static str,
        kid: &'a str,
        typ: &'static str,
        aud: &'a str,
        iat: i64,
    }
    let snapshot = provider.snapshot(env.now)?;
    let signer = snapshot.signer();
    let (kid, iat) = (signer.kid.as_str(), env.now.seconds());
    let header = serde_json::to_vec(&Header { alg: "ES256", kid, typ: "JOSE", aud: audience, iat })
        .expect("texts and a number serialise");
    let header = b64::url_encode(&header);
    let signed = [header.as_bytes(), b".", b64::url_encode(body).as_bytes()].concat();
    Ok(format!("{header}..{}", b64::url_encode(&signer.key.sign(&signed))))
}

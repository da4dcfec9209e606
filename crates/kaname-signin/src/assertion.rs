//! A party proves who it is with `private_key_jwt` (RFC 7523 section 3; OpenID Connect Core section 9; FAPI 2.0 section 5.3.2.1).

use std::sync::Arc;

use kaname_base::Instant;
use kaname_codec::jose::{Audience, ClaimError, Claims, JoseError, Unverified, check_audience, check_times};
use kaname_codec::verified::Verified;
use kaname_store::Tx;
use kaname_trust::Keys;

use crate::client::{Client, Profile};
use crate::once::Once;
use crate::parameters::Parameters;
use crate::provider::{Config, Snapshot};
use crate::{Refusal, SigninError};

/// A party whose assertion holds. It counts only after [`ProvenClient::use_once`].
pub(crate) struct ProvenClient {
    pub(crate) client: Arc<Client>,
    /// It is used once, by any of our endpoints.
    pub(crate) once: Once,
}

/// Clocks of others may differ by so many seconds (FAPI 2.0 section 5.3.2.1 note: at least 10).
const LEEWAY_SECONDS: i64 = 10;
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A signed assertion and what it is held against.
struct Held<'a> {
    client: &'a Client,
    claims: Verified<Claims>,
    client_id: Option<&'a str>,
    config: &'a Config,
    endpoint: &'a str,
    now: Instant,
}

/// What must hold of a signed assertion, in this order.
const CHECKS: &[fn(&Held<'_>) -> Result<(), Refusal>] =
    &[issuer_and_subject, audience, times, short_lived, has_id];

/// Checks the assertion in `parameters`, all but that it is used once.
pub(crate) fn prove(
    snapshot: &Snapshot,
    keys: &Keys,
    config: &Config,
    endpoint: &str,
    parameters: &Parameters,
    now: Instant,
) -> Result<ProvenClient, Refusal> {
    let token = assertion(parameters)?;
    let token = Unverified::parse(token).map_err(form_refusal)?;
    let client = claimed_client(snapshot, &token)?;
    let key = client.keys().find(token.header().kid.as_deref()).ok_or(Refusal::AssertionKey)?;
    let claims = token.verify(key).map_err(form_refusal)?;
    let held =
        Held { client: &client, claims, client_id: parameters.get("client_id"), config, endpoint, now };
    for check in CHECKS {
        check(&held)?;
    }

    let jti = text(&held.claims, "jti").unwrap_or_default();
    // Noted under its own end (RFC 7523 section 3, exp and jti), with room for clocks that differ.
    let expires = held.claims.get("exp").and_then(serde_json::Value::as_f64).unwrap_or_default() as i64;
    let until = Instant::from_seconds(expires).plus_seconds(2 * LEEWAY_SECONDS);
    let signed = [client.id().as_bytes(), b"\0", jti.as_bytes(), &expires.to_be_bytes()];
    let once = Once::new(keys, "signin.assertion", &signed, until);
    drop(held);
    Ok(ProvenClient { client, once })
}

impl ProvenClient {
    /// Notes that the assertion was used. Runs in the bucket of [`ProvenClient::once`].
    pub(crate) fn use_once(&self, tx: &mut Tx<'_>) -> Result<(), SigninError> {
        if self.once.note(tx, &[])? { Ok(()) } else { Err(Refusal::AssertionReplayed.into()) }
    }
}

fn assertion(parameters: &Parameters) -> Result<&str, Refusal> {
    match (parameters.get("client_assertion_type"), parameters.get("client_assertion")) {
        (Some(ASSERTION_TYPE), Some(token)) if parameters.get("client_secret").is_none() => Ok(token),
        _ => Err(Refusal::AssertionMissing),
    }
}

/// The party that the assertion says it is from: only to find the key that will prove it.
fn claimed_client(snapshot: &Snapshot, token: &Unverified<'_>) -> Result<Arc<Client>, Refusal> {
    let claims = token.unverified_claims().map_err(form_refusal)?;
    snapshot.client(text(&claims, "sub").ok_or(Refusal::AssertionSubject)?)
}

fn issuer_and_subject(held: &Held<'_>) -> Result<(), Refusal> {
    let id = Some(held.client.id());
    let is_one = text(&held.claims, "iss") == id && text(&held.claims, "sub") == id;
    let is_stated = held.client_id.is_none() || held.client_id == id;
    if is_one && is_stated { Ok(()) } else { Err(Refusal::AssertionSubject) }
}

/// FAPI 2.0 section 5.3.2.1: the issuer as a string, and nothing else, so that no other server can use the assertion. Otherwise also the
/// endpoint, or the token endpoint wherever it is sent (RFC 9126 section 2).
fn audience(held: &Held<'_>) -> Result<(), Refusal> {
    let (issuer, token_endpoint) = (held.config.issuer.as_str(), held.config.token_endpoint());
    let allowed: &[Audience<'_>] = match held.client.registration().profile {
        Profile::Fapi2 => &[Audience::Only(issuer)],
        Profile::Plain => &[
            Audience::Includes(issuer),
            Audience::Includes(held.endpoint),
            Audience::Includes(&token_endpoint),
        ],
    };
    let named = allowed.iter().any(|audience| check_audience(&held.claims, *audience).is_ok());
    if named { Ok(()) } else { Err(Refusal::AssertionAudience) }
}

fn times(held: &Held<'_>) -> Result<(), Refusal> {
    check_times(&held.claims, held.now.seconds(), LEEWAY_SECONDS).map_err(|error| match error {
        ClaimError::NotYet => Refusal::AssertionNotYet,
        ClaimError::Malformed(_) => Refusal::AssertionMalformed,
        _ => Refusal::AssertionExpired,
    })
}

fn short_lived(held: &Held<'_>) -> Result<(), Refusal> {
    let longest = longest_seconds(held.client.registration().profile);
    let latest = held.now.seconds() + longest + LEEWAY_SECONDS;
    let expires = held.claims.get("exp").and_then(serde_json::Value::as_f64);
    if expires.is_some_and(|at| at <= latest as f64) { Ok(()) } else { Err(Refusal::AssertionTooLong) }
}

/// How far ahead an assertion may expire. Common libraries write an hour, and the plain profile is for them.
fn longest_seconds(profile: Profile) -> i64 {
    match profile {
        Profile::Fapi2 => 300,
        Profile::Plain => 3_600,
    }
}

fn has_id(held: &Held<'_>) -> Result<(), Refusal> {
    match text(&held.claims, "jti") {
        Some(jti) if (1..=128).contains(&jti.chars().count()) => Ok(()),
        _ => Err(Refusal::AssertionId),
    }
}

fn text<'a>(claims: &'a Claims, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(serde_json::Value::as_str)
}

fn form_refusal(error: JoseError) -> Refusal {
    match error {
        JoseError::Algorithm(_) => Refusal::AssertionAlgorithm,
        JoseError::Signature => Refusal::AssertionSignature,
        _ => Refusal::AssertionMalformed,
    }
}

//! The token endpoint: a code becomes an ID token and an access token, once.

use aws_lc_rs::digest::{SHA256, digest};
use kaname_base::{Env, Instant};
use kaname_codec::b64;
use kaname_codec::jose::sign_jwt;
use serde::Serialize;

use crate::client::Client;
use crate::handout::Handout;
use crate::holder::Holder;
use crate::interaction::{self, Code, Grant, Redeeming};
use crate::parameters::Parameters;
use crate::provider::{Provider, Snapshot};
use crate::{Refusal, SigninError, assertion};

/// What a party gets for a code (RFC 6749 section 5.1; OpenID Connect Core section 3.1.3.3). Serialise it as the body, with
/// `Cache-Control: no-store`.
#[derive(Clone, Serialize)]
pub struct Tokens {
    /// Opaque; for userinfo.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: &'static str,
    /// In seconds.
    pub expires_in: i64,
    /// Who signed in, when and how, signed with ES256.
    pub id_token: String,
    /// What was consented to.
    pub scope: String,
}

/// The tokens stay out of logs.
impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tokens({})", self.scope)
    }
}

/// The claims of an ID token (OpenID Connect Core section 2).
#[derive(Serialize)]
struct IdToken<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    acr: &'a str,
    amr: &'a [&'a str],
    at_hash: &'a str,
}

/// Redeems a code. A second use is refused, and takes back what the first one gave (RFC 6749 section 4.1.2).
///
/// # Errors
/// [`Refusal`]: answer its `oauth()` as JSON with 400, or 401 for `invalid_client`.
pub fn redeem(provider: &Provider, env: &Env, parameters: &Parameters) -> Result<Tokens, SigninError> {
    let (config, keys, now) = (provider.config(), provider.keys(), env.now);
    let snapshot = provider.snapshot(now)?;
    let proven = assertion::prove(&snapshot, keys, config, &config.token_endpoint(), parameters, now)?;
    if parameters.get("grant_type") != Some("authorization_code") {
        return Err(Refusal::GrantType.into());
    }
    let code = parameters.get("code").ok_or(Refusal::CodeMissing)?;
    let code = Code::take_back(keys, code).map(|taken| (taken, Code::mark(keys, code)));

    // The assertion is used up, whatever becomes of the code.
    let client = proven.client.clone();
    let bucket = proven.once.bucket(provider.buckets());
    provider.store().write(bucket, move |tx| proven.use_once(tx))?;

    let (code, mark) = code.ok_or(Refusal::CodeUnknown)?;
    let (redirect_uri, verifier) = (parameters.get("redirect_uri"), parameters.get("code_verifier"));
    let checked = code.check(&Redeeming { client_id: client.id(), redirect_uri, verifier, now });
    let redeemed = code.redeemed(provider);
    provider.store().write(redeemed.bucket(provider.buckets()), move |tx| {
        interaction::redeem(tx, &redeemed, &mark, checked)
    })??;

    let access_token = code.access_token(now.plus_seconds(config.token_seconds)).hand_out(keys);
    let grant = &code.grant;
    let id_token = sign_id_token(provider, &snapshot, &client, grant, &access_token, now)?;
    let attributes = grant.asked.iter().map(|asked| asked.attribute.as_str());
    let scope = std::iter::once("openid").chain(attributes).collect::<Vec<_>>().join(" ");
    Ok(Tokens { access_token, token_type: "Bearer", expires_in: config.token_seconds, id_token, scope })
}

fn sign_id_token(
    provider: &Provider,
    snapshot: &Snapshot,
    client: &Client,
    grant: &Grant,
    access_token: &str,
    now: Instant,
) -> Result<String, SigninError> {
    let Holder::Resident(person) = grant.holder.holder(provider.keys()) else {
        return Err(Refusal::NoAccount.into());
    };
    let hash = digest(&SHA256, access_token.as_bytes());
    let claims = IdToken {
        iss: &provider.config().issuer,
        sub: &client.sub(person),
        aud: client.id(),
        exp: now.seconds() + provider.config().token_seconds,
        iat: now.seconds(),
        auth_time: grant.auth_time.seconds(),
        nonce: grant.nonce.as_deref(),
        acr: grant.means.level().acr(),
        amr: grant.means.amr(),
        // The left half of the hash (OpenID Connect Core section 3.1.3.6).
        at_hash: &b64::url_encode(&hash.as_ref()[..16]),
    };
    let signer = snapshot.signer();
    Ok(sign_jwt(&signer.key, &signer.kid, "JWT", &claims))
}

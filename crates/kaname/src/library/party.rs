//! A relying party's half of a sign-in (OpenID Connect Core, RFC 9126, 7636, 7523, 9207), as any of them would write it.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::{Method, StatusCode};
use kaname_codec::b64;
use kaname_codec::jose::{
    Audience, Claims, Es256Key, JwkSet, Unverified, check_audience, check_times, sign_jwt,
};
use kaname_trust::keys::random;
use kaname_web::http::client::{Answer, Client, form};
use serde_json::{Value, json};

use crate::clock;

/// A relying party with its key.
pub(crate) struct Party {
    /// Its id at the issuer.
    pub(crate) client_id: String,
    /// Where the browser comes back to.
    pub(crate) redirect_uri: String,
    /// The scopes it asks for.
    pub(crate) scope: String,
    /// The issuer it trusts.
    pub(crate) issuer: String,
    /// How it reaches the issuer.
    pub(crate) http: Client,
    /// Its signing key; the public half is registered.
    pub(crate) key: Es256Key,
}

/// The id under which a party's only key is registered.
pub(crate) const KEY_ID: &str = "key-1";

/// A sign-in that was begun.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) state: String,
    pub(crate) begun: i64,
    nonce: String,
    verifier: String,
}

/// Who signed in.
#[derive(Debug)]
pub(crate) struct SignedIn {
    /// The pairwise subject.
    pub(crate) subject: String,
    /// The level of assurance (`acr`).
    pub(crate) level: String,
    /// What else was received.
    pub(crate) claims: Vec<(String, String)>,
}

impl SignedIn {
    /// One claim by name.
    pub(crate) fn claim(&self, name: &str) -> Option<String> {
        self.claims.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }
}

/// Why a sign-in did not work: an OAuth error code, and words for whoever runs the party.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {words}")]
pub(crate) struct SigninFailed {
    pub(crate) code: String,
    words: String,
}

impl SigninFailed {
    pub(crate) fn new(code: impl Into<String>, words: impl Into<String>) -> SigninFailed {
        SigninFailed { code: code.into(), words: words.into() }
    }
}

impl Party {
    /// The public key set that is registered at the issuer.
    pub(crate) fn jwks(&self) -> Value {
        json!({ "keys": [self.key.public().to_jwk(KEY_ID)] })
    }

    /// Pushes a request; returns what to remember and where to send the browser. `language` is the reader's.
    pub(crate) async fn begin(&self, language: &str) -> Result<(Pending, String), SigninFailed> {
        let text = || b64::url_encode(&random::<32>());
        let pending =
            Pending { state: text(), nonce: text(), verifier: text(), begun: clock::now().seconds() };
        let challenge = b64::url_encode(digest(&SHA256, pending.verifier.as_bytes()).as_ref());
        let metadata = self.metadata().await?;
        let assertion = self.assertion();
        let answer = self
            .post(
                &endpoint(&metadata, "pushed_authorization_request_endpoint")?,
                &[
                    ("response_type", "code"),
                    ("client_id", &self.client_id),
                    ("redirect_uri", &self.redirect_uri),
                    ("scope", &self.scope),
                    ("ui_locales", language),
                    ("state", &pending.state),
                    ("nonce", &pending.nonce),
                    ("code_challenge", &challenge),
                    ("code_challenge_method", "S256"),
                    ("client_assertion_type", ASSERTION_TYPE),
                    ("client_assertion", &assertion),
                ],
            )
            .await?;
        let pushed = object(&answer, StatusCode::CREATED)?;
        let query =
            form(&[("client_id", &self.client_id), ("request_uri", text_of(&pushed, "request_uri")?)]);
        Ok((pending, format!("{}?{query}", endpoint(&metadata, "authorization_endpoint")?)))
    }

    /// Turns what the browser brought back into a signed-in reader.
    pub(crate) async fn finish(
        &self,
        pending: &Pending,
        answer: &BTreeMap<String, String>,
    ) -> Result<SignedIn, SigninFailed> {
        if answer.get("iss").map(String::as_str) != Some(&self.issuer) {
            return Err(SigninFailed::new("mix_up", "the answer is not from the issuer that was asked"));
        }
        if let Some(error) = answer.get("error") {
            let words = answer.get("error_description").cloned().unwrap_or_default();
            return Err(SigninFailed::new(error, words));
        }
        let code =
            answer.get("code").ok_or_else(|| SigninFailed::new("no_code", "the answer brings no code"))?;
        let metadata = self.metadata().await?;
        let assertion = self.assertion();
        let answer = self
            .post(
                &endpoint(&metadata, "token_endpoint")?,
                &[
                    ("grant_type", "authorization_code"),
                    ("client_id", &self.client_id),
                    ("code", code),
                    ("redirect_uri", &self.redirect_uri),
                    ("code_verifier", &pending.verifier),
                    ("client_assertion_type", ASSERTION_TYPE),
                    ("client_assertion", &assertion),
                ],
            )
            .await?;
        let tokens = object(&answer, StatusCode::OK)?;
        let keys = self.get(&endpoint(&metadata, "jwks_uri")?, &[]).await?;
        let claims = self.check_id_token(text_of(&tokens, "id_token")?, &keys.body, &pending.nonce)?;
        let subject = text_of(&claims, "sub")?.to_owned();
        let level = text_of(&claims, "acr").unwrap_or_default().to_owned();

        let bearer = format!("Bearer {}", text_of(&tokens, "access_token")?);
        let userinfo =
            self.get(&endpoint(&metadata, "userinfo_endpoint")?, &[("authorization", &bearer)]).await?;
        let userinfo = object(&userinfo, StatusCode::OK)?;
        if text_of(&userinfo, "sub")? != subject {
            return Err(SigninFailed::new("wrong_subject", "userinfo is about somebody else"));
        }
        let claims = userinfo
            .iter()
            .filter(|(name, _)| *name != "sub")
            .map(|(name, value)| (name.clone(), plain(value)));
        Ok(SignedIn { subject, level, claims: claims.collect() })
    }

    fn check_id_token(&self, token: &str, jwks: &[u8], nonce: &str) -> Result<Claims, SigninFailed> {
        let refused = |words: &dyn std::fmt::Display| SigninFailed::new("bad_id_token", words.to_string());
        let keys = JwkSet::parse(jwks).map_err(|error| refused(&error))?;
        let unverified = Unverified::parse(token).map_err(|error| refused(&error))?;
        let key = keys
            .find(unverified.header().kid.as_deref())
            .ok_or_else(|| refused(&"signed with an unknown key"))?;
        let claims = unverified.verify(key).map_err(|error| refused(&error))?.into_inner();
        check_times(&claims, clock::now().seconds(), 5).map_err(|error| refused(&error))?;
        check_audience(&claims, Audience::Only(&self.client_id)).map_err(|error| refused(&error))?;
        let says = |name: &str, value: &str| claims.get(name).and_then(Value::as_str) == Some(value);
        if !says("iss", &self.issuer) || !says("nonce", nonce) {
            return Err(refused(&"of another issuer or another sign-in"));
        }
        Ok(claims)
    }

    /// A fresh proof of who we are (RFC 7523 section 3; the audience is the issuer, as FAPI 2.0 wants it).
    fn assertion(&self) -> String {
        let now = clock::now().seconds();
        let claims = json!({
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.issuer,
            "jti": b64::url_encode(&random::<16>()),
            "iat": now,
            "exp": now + 60,
        });
        sign_jwt(&self.key, KEY_ID, "JWT", &claims)
    }

    async fn metadata(&self) -> Result<Claims, SigninFailed> {
        let answer = self.get(&format!("{}/.well-known/openid-configuration", self.issuer), &[]).await?;
        let metadata = object(&answer, StatusCode::OK)?;
        match text_of(&metadata, "issuer")? == self.issuer {
            true => Ok(metadata),
            false => Err(SigninFailed::new("wrong_issuer", "the metadata are of another issuer")),
        }
    }

    async fn get(&self, url: &str, headers: &[(&str, &str)]) -> Result<Answer, SigninFailed> {
        self.http.send(Method::GET, url, headers, Vec::new()).await.map_err(unreachable)
    }

    async fn post(&self, url: &str, fields: &[(&str, &str)]) -> Result<Answer, SigninFailed> {
        self.http.post_form(url, fields).await.map_err(unreachable)
    }
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn unreachable(error: kaname_web::http::client::PeerError) -> SigninFailed {
    SigninFailed::new("temporarily_unavailable", error.to_string())
}

/// The JSON object in an answer of the expected status, or the error it holds instead.
fn object(answer: &Answer, expected: StatusCode) -> Result<Claims, SigninFailed> {
    let object: Claims = serde_json::from_slice(&answer.body).map_err(|_| {
        SigninFailed::new("bad_answer", format!("status {} without a JSON object", answer.status))
    })?;
    if answer.status == expected {
        return Ok(object);
    }
    let words = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or("unknown").to_owned();
    Err(SigninFailed::new(words("error"), words("error_description")))
}

fn endpoint(metadata: &Claims, name: &str) -> Result<String, SigninFailed> {
    text_of(metadata, name).map(str::to_owned)
}

fn text_of<'a>(object: &'a Claims, name: &str) -> Result<&'a str, SigninFailed> {
    let missing = || SigninFailed::new("bad_answer", format!("the answer has no {name}"));
    object.get(name).and_then(Value::as_str).ok_or_else(missing)
}

/// A claim's value in words.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(parts) => parts.values().map(plain).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

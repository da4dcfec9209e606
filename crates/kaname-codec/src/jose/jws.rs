//! Signed tokens in compact form (RFC 7515 section 7.1; RFC 7519).

use super::{Claims, Es256Key, Es256Public, JoseError};
use crate::verified::Verified;
use crate::{b64, json};
use serde::Serialize;
use serde_json::{Map, Value};

/// Longest token that is read.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// The algorithms that exist for us. There is no `none` to fall back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

/// The header members that we read. Others are ignored, as RFC 7515 section 4 asks, unless `crit` names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The algorithm; it can only be ES256.
    pub alg: Algorithm,
    /// The id of the key that the sender says it used.
    pub kid: Option<String>,
    /// The media type of the token.
    pub typ: Option<String>,
    /// A key that the sender put into the token itself (DPoP, RFC 9449). It proves possession, never identity.
    pub untrusted_jwk: Option<Es256Public>,
}

impl Header {
    /// Whether `typ` is this media type, without regard to case and with `application/` left out
    /// (RFC 7515 section 4.1.9). RFC 8725 section 3.11 asks every reader to compare it.
    pub fn is_type(&self, expected: &str) -> bool {
        let short = |name: &str| {
            let name = name.to_ascii_lowercase();
            name.strip_prefix("application/").map(str::to_owned).unwrap_or(name)
        };
        self.typ.as_deref().is_some_and(|typ| short(typ) == short(expected))
    }
}

/// Signs `claims` as a compact token.
///
/// Panics if the claims do not serialise: they are our own types, so that would be our mistake.
pub fn sign_jwt(key: &Es256Key, kid: &str, typ: &str, claims: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Out<'a> {
        alg: &'static str,
        typ: &'a str,
        kid: &'a str,
    }
    let header = serde_json::to_vec(&Out { alg: "ES256", typ, kid }).expect("three strings serialise");
    let payload = serde_json::to_vec(claims).expect("claims have string keys and no failing serialiser");
    let mut token = b64::url_encode(&header);
    token.push('.');
    token.push_str(&b64::url_encode(&payload));
    let signature = key.sign(token.as_bytes());
    token.push('.');
    token.push_str(&b64::url_encode(&signature));
    token
}

/// A token that has the right form. Nothing in it is true yet.
#[derive(Debug, Clone)]
pub struct Unverified<'a> {
    header: Header,
    signed: &'a str,
    payload: Vec<u8>,
    signature: [u8; 64],
}

impl<'a> Unverified<'a> {
    /// Takes a compact token apart, refusing by name what we would never accept.
    pub fn parse(token: &'a str) -> Result<Self, JoseError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(JoseError::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(JoseError::NotCompact)?;
        let (header, payload) = signed.split_once('.').ok_or(JoseError::NotCompact)?;
        if payload.contains('.') {
            return Err(JoseError::NotCompact);
        }
        let header = read_header(&json::parse_object(&b64::url_decode(header)?)?)?;
        let payload = b64::url_decode(payload)?;
        let signature = b64::url_decode(signature)?.try_into().map_err(|_| JoseError::Signature)?;
        Ok(Unverified { header, signed, payload, signature })
    }

    /// The header, as the sender wrote it.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What the token *claims*, before anything is checked: for finding the issuer's key and nothing else.
    pub fn unverified_claims(&self) -> Result<Claims, JoseError> {
        Ok(json::parse_object(&self.payload)?)
    }

    /// The claims, if `key` signed them. Times and audience are still to be checked.
    pub fn verify(&self, key: &Es256Public) -> Result<Verified<Claims>, JoseError> {
        key.verify(self.signed.as_bytes(), &self.signature)?;
        Ok(Verified::new(json::parse_object(&self.payload)?))
    }
}

/// A signature whose payload travels beside it: `header..signature` (RFC 7515 appendix F).
#[derive(Debug, Clone)]
pub struct Detached<'a> {
    header: Header,
    encoded: &'a str,
    signature: [u8; 64],
}

impl<'a> Detached<'a> {
    /// Takes a detached signature apart, refusing by name what we would never accept.
    pub fn parse(text: &'a str) -> Result<Self, JoseError> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(JoseError::TooLong);
        }
        let (encoded, signature) = text.split_once("..").ok_or(JoseError::NotCompact)?;
        let header = read_header(&json::parse_object(&b64::url_decode(encoded)?)?)?;
        let signature = b64::url_decode(signature)?.try_into().map_err(|_| JoseError::Signature)?;
        Ok(Detached { header, encoded, signature })
    }

    /// The header, as the sender wrote it.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Whether `key` signed `payload`.
    pub fn verify(&self, key: &Es256Public, payload: &[u8]) -> Result<(), JoseError> {
        let signed = [self.encoded, ".", &b64::url_encode(payload)].concat();
        key.verify(signed.as_bytes(), &self.signature)
    }
}

fn read_header(header: &Map<String, Value>) -> Result<Header, JoseError> {
    let text = |name: &'static str| match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(JoseError::Member(name)),
    };
    let alg = text("alg")?.ok_or(JoseError::Member("alg"))?;
    if alg != "ES256" {
        return Err(JoseError::Algorithm(alg.chars().take(32).collect()));
    }
    if header.contains_key("crit") {
        return Err(JoseError::Critical);
    }
    let untrusted_jwk = match header.get("jwk") {
        None => None,
        Some(Value::Object(jwk)) => Some(Es256Public::from_jwk(jwk)?),
        Some(_) => return Err(JoseError::Member("jwk")),
    };
    Ok(Header { alg: Algorithm::Es256, kid: text("kid")?, typ: text("typ")?, untrusted_jwk })
}

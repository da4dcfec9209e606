//! JOSE, as little of it as we need: ES256 keys, key sets, signed tokens and their claims (RFC 7515, 7517, 7518
//! section 3.4, 7519, 7638; the choices follow RFC 8725 and FAPI 2.0).
//!
//! There is one algorithm. A header cannot choose another, and a key cannot be used for another.

mod claims;
mod jwk;
mod jws;
mod key;

pub use claims::{Audience, ClaimError, check_age, check_audience, check_times};
pub use jwk::JwkSet;
pub use jws::{Algorithm, Detached, Header, MAX_TOKEN_BYTES, Unverified, sign_jwt};
pub use key::{Es256Key, Es256Public};

use crate::b64::BadBase64;
use crate::json::JsonError;

/// A JSON object of claims.
pub type Claims = serde_json::Map<String, serde_json::Value>;

/// Why a key or token is refused.
#[derive(Debug, thiserror::Error)]
pub enum JoseError {
    /// Longer than we read.
    #[error("token or key set is too long")]
    TooLong,
    /// Not `header.payload.signature`.
    #[error("not a compact token of three parts")]
    NotCompact,
    /// A part is not strict base64url.
    #[error("part of the token is not base64url")]
    Base64(#[from] BadBase64),
    /// A part is not a JSON object with unique names.
    #[error("part of the token is not a json object")]
    Json(#[from] JsonError),
    /// A header or key member has the wrong type or value.
    #[error("member {0:?} is missing or malformed")]
    Member(&'static str),
    /// Any `alg` but `ES256`, named.
    #[error("algorithm {0:?} is refused, only ES256 is accepted")]
    Algorithm(String),
    /// The header demands an extension; we implement none.
    #[error("critical header extensions are refused")]
    Critical,
    /// The signature is not by this key over these bytes.
    #[error("signature does not verify")]
    Signature,
    /// The key is not a valid P-256 key of the stated form.
    #[error("not a valid P-256 key")]
    Key,
    /// A private key was found where a public one belongs.
    #[error("a private key where a public one belongs")]
    PrivateKey,
    /// Two usable keys of a set have the same id.
    #[error("two keys with the id {0:?}")]
    SameKid(String),
}

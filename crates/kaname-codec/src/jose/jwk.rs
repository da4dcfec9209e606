//! Key sets (RFC 7517 section 5).

use super::{Es256Public, JoseError};
use crate::json;
use serde_json::{Map, Value};

/// Longest key set that is read.
const MAX_SET_BYTES: usize = 256 * 1024;

/// The ES256 signature keys of a key set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JwkSet {
    keys: Vec<(Option<String>, Es256Public)>,
}

impl JwkSet {
    /// Parses a key set. Keys of other kinds, curves, algorithms or uses are left out, as section 5 asks; a key
    /// that says it is ours and is malformed, or carries its private part, refuses the set.
    pub fn parse(bytes: &[u8]) -> Result<Self, JoseError> {
        if bytes.len() > MAX_SET_BYTES {
            return Err(JoseError::TooLong);
        }
        Self::from_value(&Value::Object(json::parse_object(bytes)?))
    }

    /// The same, from JSON that is already parsed (a `jwks` member of client metadata).
    pub fn from_value(set: &Value) -> Result<Self, JoseError> {
        let listed = set.get("keys").and_then(Value::as_array).ok_or(JoseError::Member("keys"))?;
        let mut keys: Vec<(Option<String>, Es256Public)> = Vec::new();
        for jwk in listed {
            let jwk = jwk.as_object().ok_or(JoseError::Member("keys"))?;
            if !is_ours(jwk) {
                continue;
            }
            let kid = match jwk.get("kid") {
                None => None,
                Some(Value::String(kid)) => Some(kid.clone()),
                Some(_) => return Err(JoseError::Member("kid")),
            };
            if let Some(kid) = &kid
                && keys.iter().any(|(known, _)| known.as_ref() == Some(kid))
            {
                return Err(JoseError::SameKid(kid.clone()));
            }
            keys.push((kid, Es256Public::from_jwk(jwk)?));
        }
        Ok(JwkSet { keys })
    }

    /// The key with this id. A token without a `kid` is answered only by a set with one key.
    pub fn find(&self, kid: Option<&str>) -> Option<&Es256Public> {
        match kid {
            Some(kid) => {
                self.keys.iter().find(|(known, _)| known.as_deref() == Some(kid)).map(|(_, key)| key)
            }
            None => match self.keys.as_slice() {
                [(_, only)] => Some(only),
                _ => None,
            },
        }
    }

    /// All keys, with their ids.
    pub fn keys(&self) -> impl Iterator<Item = (Option<&str>, &Es256Public)> {
        self.keys.iter().map(|(kid, key)| (kid.as_deref(), key))
    }
}

fn is_ours(jwk: &Map<String, Value>) -> bool {
    let is = |name, value| jwk.get(name).and_then(Value::as_str) == Some(value);
    let absent_or = |name, value| !jwk.contains_key(name) || is(name, value);
    let for_verifying = match jwk.get("key_ops") {
        None => true,
        Some(ops) => ops.as_array().is_some_and(|ops| ops.iter().any(|op| op == "verify")),
    };
    is("kty", "EC")
        && is("crv", "P-256")
        && absent_or("use", "sig")
        && absent_or("alg", "ES256")
        && for_verifying
}

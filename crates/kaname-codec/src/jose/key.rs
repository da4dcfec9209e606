//! ES256 keys: ECDSA on P-256 with SHA-256, signatures as `r || s` (RFC 7518 section 3.4).

use super::JoseError;
use crate::b64;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, ParsedPublicKey,
};
use serde_json::{Map, Value, json};
use std::fmt;

/// A private signing key, parsed once and ready to sign.
pub struct Es256Key {
    pair: EcdsaKeyPair,
    public: Es256Public,
}

impl Es256Key {
    /// Makes a new key and returns it as PKCS#8 (RFC 5958). The caller seals the bytes and wipes its copy.
    pub fn generate() -> Result<Vec<u8>, JoseError> {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|_| JoseError::Key)?;
        Ok(pkcs8.as_ref().to_vec())
    }

    /// Parses a PKCS#8 private key on P-256.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, JoseError> {
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(|_| JoseError::Key)?;
        let public = Es256Public::from_point(pair.public_key().as_ref())?;
        Ok(Es256Key { pair, public })
    }

    /// The public half.
    pub fn public(&self) -> &Es256Public {
        &self.public
    }

    /// Signs `message` (hashed here with SHA-256).
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let signature = self
            .pair
            .sign(&SystemRandom::new(), message)
            .expect("signing with a parsed key fails only when memory is exhausted");
        signature.as_ref().try_into().expect("a fixed P-256 signature has 64 bytes")
    }
}

impl fmt::Debug for Es256Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Es256Key({})", self.public.thumbprint())
    }
}

/// A public key, parsed once and ready to verify.
#[derive(Clone)]
pub struct Es256Public {
    point: [u8; 65],
    parsed: ParsedPublicKey,
}

impl Es256Public {
    /// From an uncompressed SEC 1 point: `04 || x || y`. The point must lie on the curve.
    pub fn from_point(point: &[u8]) -> Result<Self, JoseError> {
        let point: [u8; 65] = point.try_into().map_err(|_| JoseError::Key)?;
        if point[0] != 4 {
            return Err(JoseError::Key);
        }
        let parsed = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| JoseError::Key)?;
        Ok(Es256Public { point, parsed })
    }

    /// From a JWK (RFC 7518 section 6.2.1). Refuses other curves and uses, and a key that carries its private
    /// part.
    pub fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, JoseError> {
        let member =
            |name: &'static str| jwk.get(name).and_then(Value::as_str).ok_or(JoseError::Member(name));
        if jwk.contains_key("d") {
            return Err(JoseError::PrivateKey);
        }
        for (name, value) in [("kty", "EC"), ("crv", "P-256")] {
            if member(name)? != value {
                return Err(JoseError::Member(name));
            }
        }
        for (name, value) in [("use", "sig"), ("alg", "ES256")] {
            if jwk.contains_key(name) && member(name)? != value {
                return Err(JoseError::Member(name));
            }
        }
        let mut point = [4; 65];
        point[1..33].copy_from_slice(&b64::url_decode_array::<32>(member("x")?)?);
        point[33..].copy_from_slice(&b64::url_decode_array::<32>(member("y")?)?);
        Self::from_point(&point)
    }

    /// The uncompressed SEC 1 point.
    pub fn point(&self) -> &[u8; 65] {
        &self.point
    }

    /// The key as a JWK for signatures, with this key id.
    pub fn to_jwk(&self, kid: &str) -> Value {
        json!({ "kty": "EC", "crv": "P-256", "x": self.x(), "y": self.y(), "kid": kid, "use": "sig", "alg": "ES256" })
    }

    /// The SHA-256 thumbprint in base64url (RFC 7638 section 3): the same for everybody, whatever the `kid`.
    pub fn thumbprint(&self) -> String {
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, self.x(), self.y());
        b64::url_encode(digest(&SHA256, canonical.as_bytes()).as_ref())
    }

    /// Whether `signature` (`r || s`) is by this key over `message`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), JoseError> {
        self.parsed.verify_sig(message, signature).map_err(|_| JoseError::Signature)
    }

    fn x(&self) -> String {
        b64::url_encode(&self.point[1..33])
    }

    fn y(&self) -> String {
        b64::url_encode(&self.point[33..])
    }
}

impl PartialEq for Es256Public {
    fn eq(&self, other: &Self) -> bool {
        self.point == other.point
    }
}

impl Eq for Es256Public {}

impl fmt::Debug for Es256Public {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Es256Public({})", self.thumbprint())
    }
}

//! Credential keys: COSE_Key as authenticators write it (RFC 9052 section 7, RFC 9053; WebAuthn section 6.5.1.1).
//!
//! The three algorithms that passkeys have in practice: ES256, EdDSA with Ed25519, and RS256 for Windows Hello.

use super::WebauthnError;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};
use minicbor::Decoder;
use std::fmt;

const ES256: i64 = -7;
const EDDSA: i64 = -8;
const RS256: i64 = -257;

/// A public key of a credential, parsed once and ready to verify.
#[derive(Clone)]
pub struct CredentialKey {
    cose: Vec<u8>,
    algorithm: i64,
    parsed: ParsedPublicKey,
}

/// The members of a COSE_Key that any of our three kinds has.
#[derive(Default)]
struct Members<'a> {
    kind: Option<i64>,
    algorithm: Option<i64>,
    curve: Option<i64>,
    /// -2: x of EC2 and OKP, e of RSA.
    second: Option<&'a [u8]>,
    /// -3: y of EC2.
    third: Option<&'a [u8]>,
    /// -1 of RSA: n.
    modulus: Option<&'a [u8]>,
}

impl CredentialKey {
    /// Parses all of `bytes`. Members that the kind does not have are refused, as section 6.5.1.1 demands.
    pub fn from_cose(bytes: &[u8]) -> Result<Self, WebauthnError> {
        let members = Members::read(&mut Decoder::new(bytes)).ok().flatten().ok_or(WebauthnError::Key)?;
        let parsed = match members {
            Members {
                kind: Some(2),
                algorithm: Some(ES256),
                curve: Some(1),
                second: Some(x),
                third: Some(y),
                modulus: None,
            } if x.len() == 32 && y.len() == 32 => {
                // Parsing refuses a point that does not lie on the curve.
                ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, [&[4], x, y].concat()).ok()
            }
            Members {
                kind: Some(1),
                algorithm: Some(EDDSA),
                curve: Some(6),
                second: Some(x),
                third: None,
                modulus: None,
            } if x.len() == 32 => ParsedPublicKey::new(&ED25519, x).ok(),
            Members {
                kind: Some(3),
                algorithm: Some(RS256),
                curve: None,
                second: Some(e),
                third: None,
                modulus: Some(n),
            } if (256..=1024).contains(&n.len()) && e.len() <= 4 => {
                RsaPublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok()
            }
            _ => None,
        };
        let parsed = parsed.ok_or(WebauthnError::Key)?;
        let algorithm = members.algorithm.ok_or(WebauthnError::Key)?;
        Ok(CredentialKey { cose: bytes.to_vec(), algorithm, parsed })
    }

    /// The key as the authenticator wrote it: what to store.
    pub fn as_cose(&self) -> &[u8] {
        &self.cose
    }

    /// The COSE algorithm: -7 ES256, -8 EdDSA, -257 RS256. Offer these in `pubKeyCredParams`.
    pub fn algorithm(&self) -> i64 {
        self.algorithm
    }

    pub(super) fn verify(&self, signed: &[u8], signature: &[u8]) -> Result<(), WebauthnError> {
        self.parsed.verify_sig(signed, signature).map_err(|_| WebauthnError::Signature)
    }
}

impl PartialEq for CredentialKey {
    fn eq(&self, other: &Self) -> bool {
        self.cose == other.cose
    }
}

impl Eq for CredentialKey {}

impl fmt::Debug for CredentialKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "CredentialKey(alg {}, {} bytes)", self.algorithm, self.cose.len())
    }
}

impl<'a> Members<'a> {
    fn read(from: &mut Decoder<'a>) -> Result<Option<Self>, minicbor::decode::Error> {
        let mut members = Members::default();
        let count = from.map()?;
        for _ in 0..count.unwrap_or(0).min(6) {
            let label = from.i64()?;
            let is_rsa = members.kind == Some(3);
            match label {
                1 if members.kind.is_none() => members.kind = Some(from.i64()?),
                3 if members.algorithm.is_none() => members.algorithm = Some(from.i64()?),
                -1 if is_rsa && members.modulus.is_none() => members.modulus = Some(from.bytes()?),
                -1 if !is_rsa && members.curve.is_none() => members.curve = Some(from.i64()?),
                -2 if members.second.is_none() => members.second = Some(from.bytes()?),
                -3 if members.third.is_none() => members.third = Some(from.bytes()?),
                _ => return Ok(None),
            }
        }
        let whole = from.position() == from.input().len();
        Ok(whole.then_some(members))
    }
}

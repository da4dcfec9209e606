//! Passkeys, as the relying party sees them (W3C Web Authentication Level 3, sections 7.1 and 7.2).
//!
//! A check of ours is a step of those sections; what needs a database stays with the caller: that the challenge is
//! fresh and used once, that the credential id is new (step 7.1-26) or belongs to this account (7.2-6), and what to
//! do about the sign counter.
//!
//! **Attestation.** We ask for `none`. `packed` self attestation is verified. Every other attestation, certificates
//! included, is reported as [`Attestation::NotTrusted`]: its signature is not checked and it says nothing about the
//! authenticator, exactly as if it were absent. What proves possession of the key is the first assertion.

mod authenticator;
mod client;
mod cose;

pub use authenticator::{AuthenticatorData, NewCredential};
pub use cose::CredentialKey;

use crate::verified::Verified;
use aws_lc_rs::digest::{SHA256, digest};
use minicbor::Decoder;

/// What the relying party knows about the ceremony that it started.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The challenge that was sent, at least 16 random bytes.
    pub challenge: &'a [u8],
    /// The origins of our own pages, such as `https://id.example.org`.
    pub origins: &'a [&'a str],
    /// The domain that the credential is for.
    pub rp_id: &'a str,
    /// Whether the authenticator must have recognised the person (PIN, finger, face).
    pub require_uv: bool,
    /// Pages of others that may show ours in a frame and start a ceremony there. Usually none: then a ceremony in
    /// a frame is refused.
    pub top_origins: &'a [&'a str],
}

/// Why a ceremony is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebauthnError {
    /// The client data are not JSON with the members of section 5.8.1.
    #[error("malformed client data")]
    ClientData,
    /// A registration where an assertion belongs, or the other way round.
    #[error("client data of another ceremony")]
    Type,
    /// Not the challenge of this ceremony, or one too short to be safe.
    #[error("not the challenge of this ceremony")]
    Challenge,
    /// Started from a page that is not ours.
    #[error("origin {0:?} is not ours")]
    Origin(String),
    /// Started in a frame of a page that may not do that.
    #[error("ceremony in a frame of another site")]
    Framed,
    /// The authenticator data do not have the form of section 6.1.
    #[error("malformed authenticator data")]
    AuthenticatorData,
    /// The attestation object does not have the form of section 6.5.4.
    #[error("malformed attestation object")]
    AttestationObject,
    /// The credential is for another domain.
    #[error("credential of another relying party")]
    RpId,
    /// Nobody touched the authenticator.
    #[error("no user presence")]
    NotPresent,
    /// The person was not recognised, and had to be.
    #[error("no user verification")]
    NotVerified,
    /// The credential key is malformed, or of a kind that we did not offer.
    #[error("unsupported credential key")]
    Key,
    /// The signature is not by this key over these data.
    #[error("signature does not verify")]
    Signature,
}

/// How far the attestation was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attestation {
    /// None was given.
    None,
    /// `packed`, signed with the credential key itself: proves possession, says nothing about the maker.
    SelfSigned,
    /// Given in this format and **not checked**; to be treated like none.
    NotTrusted(String),
}

/// A new passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Id, key and make.
    pub credential: NewCredential,
    /// Flags and counter.
    pub facts: Facts,
    /// How far its attestation was checked.
    pub attestation: Attestation,
}

/// A sign-in with a passkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assertion {
    /// Flags and counter. Store the counter.
    pub facts: Facts,
    /// What the counter says about a copy of the key.
    pub counter: Counter,
}

/// What the authenticator says about itself and the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The person was recognised by the authenticator.
    pub user_verified: bool,
    /// The key may be copied to other devices of the person. Must be the same at each assertion (step 7.2-19).
    pub backup_eligible: bool,
    /// The key is copied to other devices now.
    pub backed_up: bool,
    /// How many signatures the authenticator counts; 0 if it does not.
    pub sign_count: u32,
}

/// The sign counter against the stored one (step 7.2-22). We report; the caller decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// Both are zero: this authenticator does not count.
    NotKept,
    /// It went up, as it should.
    Advanced,
    /// It did not go up: perhaps two authenticators have the same key.
    DidNotAdvance,
}

impl Counter {
    /// The counter `now` against the one that was stored.
    pub fn of(stored: u32, now: u32) -> Counter {
        match (stored, now) {
            (0, 0) => Counter::NotKept,
            (stored, now) if now > stored => Counter::Advanced,
            _ => Counter::DidNotAdvance,
        }
    }
}

/// Verifies a registration (section 7.1, from step 5).
pub fn verify_registration(
    expected: &Expected<'_>,
    client_data_json: &[u8],
    attestation_object: &[u8],
) -> Result<Verified<Registration>, WebauthnError> {
    client::check(expected, "webauthn.create", client_data_json)?;
    let object = AttestationObject::parse(attestation_object)?;
    let data = AuthenticatorData::parse(object.authenticator_data)?;
    check_flags(expected, &data)?;
    let credential = data.credential.clone().ok_or(WebauthnError::AuthenticatorData)?;
    let signed = signed_bytes(object.authenticator_data, client_data_json);
    let attestation = object.check(&credential.key, &signed)?;
    Ok(Verified::new(Registration { facts: facts(&data), credential, attestation }))
}

/// Verifies an assertion with the stored key and counter of the credential (section 7.2, from step 7).
pub fn verify_assertion(
    expected: &Expected<'_>,
    key: &CredentialKey,
    stored_count: u32,
    client_data_json: &[u8],
    authenticator_data: &[u8],
    signature: &[u8],
) -> Result<Verified<Assertion>, WebauthnError> {
    client::check(expected, "webauthn.get", client_data_json)?;
    let data = AuthenticatorData::parse(authenticator_data)?;
    check_flags(expected, &data)?;
    key.verify(&signed_bytes(authenticator_data, client_data_json), signature)?;
    let counter = Counter::of(stored_count, data.sign_count);
    Ok(Verified::new(Assertion { facts: facts(&data), counter }))
}

fn check_flags(expected: &Expected<'_>, data: &AuthenticatorData) -> Result<(), WebauthnError> {
    if data.rp_id_hash != digest(&SHA256, expected.rp_id.as_bytes()).as_ref() {
        return Err(WebauthnError::RpId);
    }
    if !data.user_present {
        return Err(WebauthnError::NotPresent);
    }
    if expected.require_uv && !data.user_verified {
        return Err(WebauthnError::NotVerified);
    }
    Ok(())
}

fn signed_bytes(authenticator_data: &[u8], client_data_json: &[u8]) -> Vec<u8> {
    [authenticator_data, digest(&SHA256, client_data_json).as_ref()].concat()
}

fn facts(data: &AuthenticatorData) -> Facts {
    Facts {
        user_verified: data.user_verified,
        backup_eligible: data.backup_eligible,
        backed_up: data.backed_up,
        sign_count: data.sign_count,
    }
}

/// `{fmt, attStmt, authData}` (section 6.5.4).
struct AttestationObject<'a> {
    format: &'a str,
    statement: &'a [u8],
    authenticator_data: &'a [u8],
}

impl<'a> AttestationObject<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, WebauthnError> {
        Self::read(&mut Decoder::new(bytes)).ok().flatten().ok_or(WebauthnError::AttestationObject)
    }

    fn read(from: &mut Decoder<'a>) -> Result<Option<Self>, minicbor::decode::Error> {
        let (mut format, mut statement, mut data) = (None, None, None);
        if from.map()? != Some(3) {
            return Ok(None);
        }
        for _ in 0..3 {
            match from.str()? {
                "fmt" => format = Some(from.str()?),
                "authData" => data = Some(from.bytes()?),
                "attStmt" => {
                    let start = from.position();
                    from.skip()?;
                    statement = Some(&from.input()[start..from.position()]);
                }
                _ => return Ok(None),
            }
        }
        // Three members and each of three names seen: none was there twice.
        let (Some(format), Some(statement), Some(authenticator_data)) = (format, statement, data) else {
            return Ok(None);
        };
        let whole = from.position() == from.input().len() && format.len() <= 32;
        Ok(whole.then_some(AttestationObject { format, statement, authenticator_data }))
    }

    fn check(&self, key: &CredentialKey, signed: &[u8]) -> Result<Attestation, WebauthnError> {
        match self.format {
            "none" if self.statement == [0xa0] => Ok(Attestation::None),
            "none" => Err(WebauthnError::AttestationObject),
            "packed" => {
                let packed = Packed::read(&mut Decoder::new(self.statement));
                let packed = packed.ok().flatten().ok_or(WebauthnError::AttestationObject)?;
                if packed.has_certificates {
                    return Ok(Attestation::NotTrusted("packed".to_owned()));
                }
                if packed.algorithm != key.algorithm() {
                    return Err(WebauthnError::AttestationObject);
                }
                key.verify(signed, packed.signature)?;
                Ok(Attestation::SelfSigned)
            }
            other => Ok(Attestation::NotTrusted(other.to_owned())),
        }
    }
}

/// The statement of `packed` (section 8.2).
struct Packed<'a> {
    algorithm: i64,
    signature: &'a [u8],
    has_certificates: bool,
}

impl<'a> Packed<'a> {
    fn read(from: &mut Decoder<'a>) -> Result<Option<Self>, minicbor::decode::Error> {
        let (mut algorithm, mut signature, mut has_certificates) = (None, None, false);
        let members = from.map()?;
        for _ in 0..members.unwrap_or(0).min(4) {
            match from.str()? {
                "alg" if algorithm.is_none() => algorithm = Some(from.i64()?),
                "sig" if signature.is_none() => signature = Some(from.bytes()?),
                "x5c" if !has_certificates => {
                    from.skip()?;
                    has_certificates = true;
                }
                _ => return Ok(None),
            }
        }
        let whole = from.position() == from.input().len();
        Ok(match (algorithm, signature) {
            (Some(algorithm), Some(signature)) if whole => {
                Some(Packed { algorithm, signature, has_certificates })
            }
            _ => None,
        })
    }
}

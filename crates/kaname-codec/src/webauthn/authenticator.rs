//! What the authenticator says (section 6.1).

use super::{CredentialKey, WebauthnError};
use minicbor::Decoder;
use minicbor::data::Type;

/// Longest credential id (step 7.1-25).
const MAX_ID_BYTES: usize = 1023;

/// Authenticator data, parsed. Nothing in it is true before its signature is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatorData {
    /// SHA-256 of the relying party id.
    pub rp_id_hash: [u8; 32],
    /// UP: somebody touched it.
    pub user_present: bool,
    /// UV: it recognised the person.
    pub user_verified: bool,
    /// BE: the key may be copied.
    pub backup_eligible: bool,
    /// BS: the key is copied.
    pub backed_up: bool,
    /// The signature counter.
    pub sign_count: u32,
    /// The new credential; only a registration has one.
    pub credential: Option<NewCredential>,
    /// Whether extension outputs follow. They are skipped: we ask for none.
    pub has_extensions: bool,
}

/// Attested credential data (section 6.5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCredential {
    /// The make and model of the authenticator, all zero if it does not say.
    pub aaguid: [u8; 16],
    /// The credential id.
    pub id: Vec<u8>,
    /// The public key; [`CredentialKey::as_cose`] is what to store.
    pub key: CredentialKey,
}

impl AuthenticatorData {
    /// Parses all of `bytes`, none left over.
    pub fn parse(bytes: &[u8]) -> Result<Self, WebauthnError> {
        let malformed = WebauthnError::AuthenticatorData;
        let (rp_id_hash, rest) = bytes.split_first_chunk().ok_or(malformed.clone())?;
        let (&flags, rest) = rest.split_first().ok_or(malformed.clone())?;
        let (count, mut rest) = rest.split_first_chunk().ok_or(malformed.clone())?;
        let flag = |bit: u8| flags >> bit & 1 == 1;

        let mut credential = None;
        if flag(6) {
            let (new, behind) = read_credential(rest)?;
            (credential, rest) = (Some(new), behind);
        }
        if flag(7) {
            let mut from = Decoder::new(rest);
            let is_map = matches!(from.datatype(), Ok(Type::Map | Type::MapIndef));
            if !is_map || from.skip().is_err() {
                return Err(malformed);
            }
            rest = &rest[from.position()..];
        }
        let data = AuthenticatorData {
            rp_id_hash: *rp_id_hash,
            user_present: flag(0),
            user_verified: flag(2),
            backup_eligible: flag(3),
            backed_up: flag(4),
            sign_count: u32::from_be_bytes(*count),
            credential,
            has_extensions: flag(7),
        };
        // Copied although it cannot be copied: section 6.1.3 has no such state.
        if !rest.is_empty() || data.backed_up && !data.backup_eligible {
            return Err(malformed);
        }
        Ok(data)
    }
}

fn read_credential(bytes: &[u8]) -> Result<(NewCredential, &[u8]), WebauthnError> {
    let malformed = WebauthnError::AuthenticatorData;
    let (aaguid, rest) = bytes.split_first_chunk().ok_or(malformed.clone())?;
    let (length, rest) = rest.split_first_chunk().ok_or(malformed.clone())?;
    let length = usize::from(u16::from_be_bytes(*length));
    let (id, rest) = rest.split_at_checked(length).ok_or(malformed.clone())?;
    if id.is_empty() || length > MAX_ID_BYTES {
        return Err(malformed);
    }
    let mut from = Decoder::new(rest);
    from.skip().map_err(|_| malformed)?;
    let (key, rest) = rest.split_at(from.position());
    let key = CredentialKey::from_cose(key)?;
    Ok((NewCredential { aaguid: *aaguid, id: id.to_vec(), key }, rest))
}

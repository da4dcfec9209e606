//! What a voucher's QR code says: a signed token that anybody can check without a network, with nothing but the public key.
//!
//! It shows that the authority printed this voucher, for how much and until when. That it is paid out once only the deployment knows:
//! a counter without a network pays at its own risk, or waits.

use kaname_base::{Currency, Instant};
use kaname_codec::jose::{ClaimError, Es256Key, JwkSet, Unverified, check_times, sign_jwt};
use kaname_trust::{Keys, TrustError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Voucher;
use crate::{PayError, Refusal};

/// The media type in the token's header, without `application/`.
pub const TYPE: &str = "kaname-voucher+jwt";

/// The key file that vouchers are signed with.
const KEY_FILE: &str = "vouchers.key";

/// From the middle of the last day, as a voucher keeps it, to where that day is over everywhere on earth.
const TO_THE_END_SECONDS: i64 = 24 * 3_600;

/// The key that vouchers are signed with.
pub struct VoucherKey {
    key: Es256Key,
    kid: String,
}

impl VoucherKey {
    /// The deployment's; made the first time.
    ///
    /// # Errors
    /// [`TrustError::Keys`] when the file cannot be read, written, or is readable by other users.
    pub fn open(keys: &Keys) -> Result<VoucherKey, TrustError> {
        let pkcs8 =
            keys.file_secret(KEY_FILE, || Es256Key::generate().expect("the system gives randomness"))?;
        let key = Es256Key::from_pkcs8(&pkcs8)
            .map_err(|_| TrustError::Keys(format!("{KEY_FILE} is no private key on P-256")))?;
        let kid = key.public().thumbprint();
        Ok(VoucherKey { key, kid })
    }

    /// The public half as a JWK set (RFC 7517), for everybody who is to check vouchers.
    pub fn public(&self) -> Value {
        json!({ "keys": [self.key.public().to_jwk(&self.kid)] })
    }

    /// The token for a voucher's QR code: a JWT (RFC 7519), signed with ES256. It holds no name, and not when it was made.
    pub fn sign(&self, voucher: &Voucher, currency: Currency) -> String {
        let stated = Stated {
            jti: voucher.code.clone(),
            programme: voucher.programme.clone(),
            amount: voucher.amount.to_decimal(currency),
            currency: voucher.currency.clone(),
            exp: voucher.until.plus_seconds(TO_THE_END_SECONDS).seconds(),
        };
        sign_jwt(&self.key, &self.kid, TYPE, &stated)
    }
}

/// What a voucher says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stated {
    /// The voucher's code.
    pub jti: String,
    /// What for: the programme's code.
    pub programme: String,
    /// How much, with a decimal point.
    pub amount: String,
    /// The ISO 4217 code.
    pub currency: String,
    /// Seconds since 1970 at which its last day is over everywhere.
    pub exp: i64,
}

/// What a scanned voucher says, if one of `keys` signed it. Needs no deployment and no network.
///
/// # Errors
/// [`Refusal::VoucherForged`] for anything else; [`Refusal::VoucherExpired`].
pub fn verify(keys: &JwkSet, scanned: &str, now: Instant) -> Result<Stated, Refusal> {
    let token = Unverified::parse(scanned.trim()).map_err(|_| Refusal::VoucherForged)?;
    let header = token.header();
    let key = keys.find(header.kid.as_deref()).filter(|_| header.is_type(TYPE));
    let claims = key.and_then(|key| token.verify(key).ok()).ok_or(Refusal::VoucherForged)?;
    match check_times(&claims, now.seconds(), 0) {
        Ok(()) => {}
        Err(ClaimError::Expired) => return Err(Refusal::VoucherExpired),
        Err(_) => return Err(Refusal::VoucherForged),
    }
    Stated::deserialize(Value::Object(claims.into_inner())).map_err(|_| Refusal::VoucherForged)
}

/// The code of a voucher that was brought: typed from the paper, or scanned from its QR code.
///
/// # Errors
/// [`Refusal::VoucherForged`]; [`TrustError::Keys`].
pub fn brought_code(keys: &Keys, brought: &str) -> Result<String, PayError> {
    if !brought.contains('.') {
        return Ok(brought.to_owned());
    }
    let key = VoucherKey::open(keys)?;
    let ours = JwkSet::from_value(&key.public()).map_err(|_| Refusal::VoucherForged)?;
    // Its last day is looked up where it is paid out.
    Ok(verify(&ours, brought, Instant::from_seconds(0))?.jti)
}

//! Base64 as JOSE and C2SP want it (RFC 4648 sections 4 and 5; RFC 7515 appendix C).
//!
//! Decoding is strict: one text for one value. Padding where none belongs, white space, the other alphabet and
//! non-zero spare bits are refused, so that nobody can make a second spelling of a signed or stored value.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// The text is not the one canonical base64 spelling of any bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not canonical base64")]
pub struct BadBase64;

/// Base64url without padding.
pub fn url_encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of unpadded base64url, strictly.
pub fn url_decode(text: &str) -> Result<Vec<u8>, BadBase64> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| BadBase64)
}

/// Exactly `N` bytes of unpadded base64url, such as a coordinate or a digest.
pub fn url_decode_array<const N: usize>(text: &str) -> Result<[u8; N], BadBase64> {
    url_decode(text)?.try_into().map_err(|_| BadBase64)
}

/// Standard base64 with padding.
pub fn std_encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of padded standard base64, strictly.
pub fn std_decode(text: &str) -> Result<Vec<u8>, BadBase64> {
    STANDARD.decode(text).map_err(|_| BadBase64)
}

//! Claim checks: pure functions of the claims and the time that the caller gives (RFC 7519 section 4.1).

use super::Claims;
use serde_json::Value;

/// Why claims do not hold here and now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// A claim that must be there is not.
    #[error("claim {0:?} is missing")]
    Missing(&'static str),
    /// A claim has the wrong type.
    #[error("claim {0:?} is malformed")]
    Malformed(&'static str),
    /// `exp` has passed.
    #[error("expired")]
    Expired,
    /// `nbf` or `iat` lies in the future.
    #[error("not valid yet")]
    NotYet,
    /// `iat` is too long ago.
    #[error("issued too long ago")]
    TooOld,
    /// Meant for somebody else, or not only for us.
    #[error("meant for another audience")]
    Audience,
}

/// How `aud` must name us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience<'a> {
    /// A string equal to this, or an array of strings that contains it.
    Includes(&'a str),
    /// A single string equal to this and no array (FAPI 2.0 on client assertions: nobody else can replay it).
    Only(&'a str),
}

/// Checks `exp` (required), `nbf` and `iat` (if present) at `now`, in seconds since 1970, with `leeway` seconds
/// for clocks that differ.
pub fn check_times(claims: &Claims, now: i64, leeway: i64) -> Result<(), ClaimError> {
    let expires = seconds(claims, "exp")?.ok_or(ClaimError::Missing("exp"))?;
    if now.saturating_sub(leeway) >= expires {
        return Err(ClaimError::Expired);
    }
    for name in ["nbf", "iat"] {
        if seconds(claims, name)?.is_some_and(|from| from > now.saturating_add(leeway)) {
            return Err(ClaimError::NotYet);
        }
    }
    Ok(())
}

/// Checks that `iat` (required) is at most `max_age` seconds ago and not in the future: for proofs that carry no
/// `exp`, such as DPoP (RFC 9449 section 4.3).
pub fn check_age(claims: &Claims, now: i64, max_age: i64, leeway: i64) -> Result<(), ClaimError> {
    let issued = seconds(claims, "iat")?.ok_or(ClaimError::Missing("iat"))?;
    if issued > now.saturating_add(leeway) {
        return Err(ClaimError::NotYet);
    }
    if now.saturating_sub(issued) > max_age.saturating_add(leeway) {
        return Err(ClaimError::TooOld);
    }
    Ok(())
}

/// Checks `aud` (required).
pub fn check_audience(claims: &Claims, expected: Audience<'_>) -> Result<(), ClaimError> {
    let named = match (claims.get("aud").ok_or(ClaimError::Missing("aud"))?, expected) {
        (Value::String(aud), Audience::Includes(us) | Audience::Only(us)) => aud == us,
        (Value::Array(all), Audience::Includes(us)) => {
            if !all.iter().all(Value::is_string) {
                return Err(ClaimError::Malformed("aud"));
            }
            all.iter().any(|aud| aud == us)
        }
        (Value::Array(_), Audience::Only(_)) => false,
        _ => return Err(ClaimError::Malformed("aud")),
    };
    if named { Ok(()) } else { Err(ClaimError::Audience) }
}

/// A NumericDate. RFC 7519 allows fractions; we are exact only to the second and round down.
fn seconds(claims: &Claims, name: &'static str) -> Result<Option<i64>, ClaimError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let Value::Number(number) = value else { return Err(ClaimError::Malformed(name)) };
    if let Some(whole) = number.as_i64() {
        return Ok(Some(whole));
    }
    match number.as_f64() {
        // 2^53: beyond it, a float no longer counts seconds.
        Some(float) if float.abs() <= 9_007_199_254_740_992.0 => Ok(Some(float.floor() as i64)),
        _ => Err(ClaimError::Malformed(name)),
    }
}

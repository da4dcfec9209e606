//! Amounts: whole minor units here, decimals there (`ActiveOrHistoricCurrencyAndAmount`: at most 18 digits, 5 of
//! them behind the point).

use super::IsoError;
use std::fmt;

/// Most digits of an amount.
const MAX_DIGITS: usize = 18;
/// Most digits behind the point.
const MAX_EXPONENT: u8 = 5;

/// A currency code and how many decimals it has (ISO 4217): JPY 0, GBP 2, JOD 3.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Currency {
    code: [u8; 3],
    exponent: u8,
}

impl Currency {
    /// Three capitals, and at most 5 decimals.
    pub fn new(code: &str, exponent: u8) -> Result<Self, IsoError> {
        match <[u8; 3]>::try_from(code.as_bytes()) {
            Ok(bytes) if bytes.iter().all(u8::is_ascii_uppercase) && exponent <= MAX_EXPONENT => {
                Ok(Currency { code: bytes, exponent })
            }
            _ => Err(IsoError::Currency(code.chars().take(8).collect())),
        }
    }

    /// The code, such as `JOD`.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).expect("checked to be capitals when made")
    }

    /// The number of decimals.
    pub fn exponent(&self) -> u8 {
        self.exponent
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.code(), self.exponent)
    }
}

/// Minor units as a decimal with exactly `exponent` decimals: 1234 with 3 is `1.234`, with 0 `1234`.
pub fn format_minor(minor: u64, exponent: u8) -> Result<String, IsoError> {
    let mut out = Vec::new();
    push_minor(&mut out, minor, exponent)?;
    Ok(String::from_utf8(out).expect("digits and a point are ascii"))
}

pub(super) fn push_minor(out: &mut Vec<u8>, minor: u64, exponent: u8) -> Result<(), IsoError> {
    if minor >= 10u64.pow(MAX_DIGITS as u32) || exponent > MAX_EXPONENT {
        return Err(IsoError::Amount);
    }
    let mut backwards = [0; MAX_DIGITS + 1];
    let (mut rest, mut length) = (minor, 0);
    while rest > 0 || length == 0 || (exponent > 0 && length <= usize::from(exponent) + 1) {
        if exponent > 0 && length == usize::from(exponent) {
            backwards[length] = b'.';
        } else {
            backwards[length] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        length += 1;
    }
    out.extend(backwards[..length].iter().rev());
    Ok(())
}

/// A decimal as minor units. Fewer decimals than the currency has are filled up; more are refused unless they are
/// zeros. No sign, no exponent, no spaces, and a digit on both sides of a point.
pub fn parse_minor(text: &str, exponent: u8) -> Result<u64, IsoError> {
    let (whole, fraction) = match text.split_once('.') {
        Some((_, "")) => return Err(IsoError::Amount),
        Some(parts) => parts,
        None => (text, ""),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let fits = whole.len() + fraction.len() <= MAX_DIGITS && fraction.len() <= usize::from(MAX_EXPONENT);
    if whole.is_empty() || !fits || !digits(whole) || !digits(fraction) || exponent > MAX_EXPONENT {
        return Err(IsoError::Amount);
    }
    let (kept, finer) = fraction.split_at(fraction.len().min(exponent.into()));
    if finer.bytes().any(|digit| digit != b'0') {
        return Err(IsoError::Amount);
    }
    let mut minor: u64 = 0;
    for digit in whole.bytes().chain(kept.bytes()) {
        minor = minor * 10 + u64::from(digit - b'0'); // at most 18 digits: fits
    }
    minor = minor.checked_mul(10u64.pow(u32::from(exponent) - kept.len() as u32)).ok_or(IsoError::Amount)?;
    if minor >= 10u64.pow(MAX_DIGITS as u32) { Err(IsoError::Amount) } else { Ok(minor) }
}

//! Money: whole smallest units of one currency. No floats, no silent overflow.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A currency by its ISO 4217 code and the number of decimals of its smallest unit.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency {
    code: [u8; 3],
    exponent: u8,
}

impl Currency {
    /// A currency such as `("JPY", 0)`, `("INR", 2)` or `("JOD", 3)`; `None` unless the code is three capital letters
    /// and the exponent at most 4.
    pub fn new(code: &str, exponent: u8) -> Option<Currency> {
        let code: [u8; 3] = code.as_bytes().try_into().ok()?;
        (code.iter().all(u8::is_ascii_uppercase) && exponent <= 4).then_some(Currency { code, exponent })
    }

    /// The ISO 4217 code.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).expect("a currency code is ASCII capitals")
    }

    /// Decimals of the smallest unit: 0 for the yen, 3 for the Jordanian dinar.
    pub fn exponent(&self) -> u8 {
        self.exponent
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount of money, never negative, in the smallest unit of a currency that its holder knows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Amount(u64);

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(0);

    /// The most that is ever held: it fits a database's signed 64-bit integer.
    pub const MAX: Amount = Amount(i64::MAX as u64);

    /// From minor units; `None` above [`Amount::MAX`].
    pub const fn from_minor(minor: u64) -> Option<Amount> {
        if minor <= Amount::MAX.0 { Some(Amount(minor)) } else { None }
    }

    /// From a stored integer; `None` when negative.
    pub const fn from_stored(minor: i64) -> Option<Amount> {
        if minor >= 0 { Some(Amount(minor as u64)) } else { None }
    }

    /// Minor units.
    pub const fn minor(self) -> u64 {
        self.0
    }

    /// Minor units as the databases hold them.
    pub const fn stored(self) -> i64 {
        self.0 as i64
    }

    /// The sum, or `None` above [`Amount::MAX`].
    pub const fn checked_add(self, other: Amount) -> Option<Amount> {
        match self.0.checked_add(other.0) {
            Some(sum) => Amount::from_minor(sum),
            None => None,
        }
    }

    /// The difference, or `None` below zero.
    pub const fn checked_sub(self, other: Amount) -> Option<Amount> {
        match self.0.checked_sub(other.0) {
            Some(rest) => Some(Amount(rest)),
            None => None,
        }
    }

    /// This many times, or `None` above [`Amount::MAX`].
    pub const fn checked_mul(self, times: u64) -> Option<Amount> {
        match self.0.checked_mul(times) {
            Some(product) => Amount::from_minor(product),
            None => None,
        }
    }

    /// The plain decimal number in major units, as ISO 20022 wants it: `1234` JPY is `1234`, `1234` JOD is `1.234`.
    pub fn to_decimal(self, currency: Currency) -> String {
        let exponent = usize::from(currency.exponent());
        if exponent == 0 {
            return self.0.to_string();
        }
        let digits = format!("{:0>width$}", self.0, width = exponent + 1);
        let (whole, part) = digits.split_at(digits.len() - exponent);
        format!("{whole}.{part}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_follow_the_currency() {
        for (minor, code, exponent, shown) in [
            (100_000, "JPY", 0, "100000"),
            (5, "INR", 2, "0.05"),
            (1_234, "JOD", 3, "1.234"),
            (0, "GBP", 2, "0.00"),
        ] {
            let currency = Currency::new(code, exponent).unwrap();
            assert_eq!(Amount::from_minor(minor).unwrap().to_decimal(currency), shown);
        }
    }

    #[test]
    fn overflow_is_refused() {
        assert_eq!(Amount::MAX.checked_add(Amount::from_minor(1).unwrap()), None);
        assert_eq!(Amount::ZERO.checked_sub(Amount::from_minor(1).unwrap()), None);
        assert_eq!(Amount::MAX.checked_mul(2), None);
        assert_eq!(Amount::from_minor(u64::MAX), None);
    }
}

//! Levels of assurance and times: pure.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use kaname_base::Instant;
use serde::{Deserialize, Serialize};

/// How sure a sign-in is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Something on paper: the letter's grid, or its activation code.
    Letter,
    /// A passkey that recognised its owner.
    Passkey,
}

impl Level {
    /// The value of `acr` (OpenID Connect Core section 2).
    pub fn acr(self) -> &'static str {
        match self {
            Level::Letter => "urn:kaname:loa:1",
            Level::Passkey => "urn:kaname:loa:2",
        }
    }

    /// The level that a value of `acr` names.
    pub fn of_acr(acr: &str) -> Option<Level> {
        [Level::Letter, Level::Passkey].into_iter().find(|level| level.acr() == acr)
    }
}

/// By which means somebody signed in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    /// The one-time code of the letter, on the day the account is activated.
    Activation,
    /// Two squares of the letter's grid.
    Grid,
    /// A passkey that stays in one device.
    DevicePasskey,
    /// A passkey that its owner's devices share.
    SyncedPasskey,
}

impl Means {
    /// The level that these means give.
    pub fn level(self) -> Level {
        match self {
            Means::Activation | Means::Grid => Level::Letter,
            Means::DevicePasskey | Means::SyncedPasskey => Level::Passkey,
        }
    }

    /// The values of `amr` (RFC 8176 section 2).
    pub fn amr(self) -> &'static [&'static str] {
        match self {
            Means::Activation | Means::Grid => &["otp"],
            Means::DevicePasskey => &["hwk", "user", "mfa"],
            Means::SyncedPasskey => &["swk", "user", "mfa"],
        }
    }
}

/// Compares without telling by its time where two values differ.
pub fn same(left: &[u8], right: &[u8]) -> bool {
    verify_slices_are_equal(left, right).is_ok()
}

/// Rounded up to the whole ten minutes: an expiry column must not tell when a person signed in.
pub(crate) fn coarse(at: Instant) -> i64 {
    const STEP: i64 = 600 * 1_000_000;
    at.micros().div_euclid(STEP).saturating_add(1).saturating_mul(STEP)
}

/// How long a letter waits after this many wrong tries in a row: nothing for two, then half a minute, doubling up to a quarter of an hour.
pub(crate) fn wait_seconds(wrong: u32) -> i64 {
    match wrong {
        0..=2 => 0,
        _ => (30_i64 << (wrong - 3).min(5)).min(900),
    }
}

/// The name under which OpenID Connect knows an attribute of the pack (Core section 5.1), or its own code.
pub fn claim_name(attribute: &str) -> &str {
    match attribute {
        "birth_date" => "birthdate",
        "sex" => "gender",
        "phone" => "phone_number",
        "name_reading" => "name#ja-Kana-JP",
        "name_latin" => "name#Latn",
        other => other,
    }
}

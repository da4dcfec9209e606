//! Points in time and civil dates. The clock itself is outside: time comes in with [`crate::Env`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// A point in time, in whole microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instant(i64);

impl Instant {
    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Instant {
        Instant(micros)
    }

    /// From whole seconds since the epoch.
    pub const fn from_seconds(seconds: i64) -> Instant {
        Instant(seconds.saturating_mul(1_000_000))
    }

    /// From a text of RFC 3339, such as `2026-11-22T12:00:00Z`.
    ///
    /// # Errors
    /// What jiff says of any other text.
    pub fn parse(text: &str) -> Result<Instant, jiff::Error> {
        Ok(Instant(text.parse::<jiff::Timestamp>()?.as_microsecond()))
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down (JWT's NumericDate, RFC 7519 section 2).
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This many seconds later; a negative count is earlier.
    pub const fn plus_seconds(self, seconds: i64) -> Instant {
        Instant(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// The same point as jiff's type, for rendering in a time zone.
    pub fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// The civil date at this point in the time zone `zone` (an IANA name); UTC when the name is unknown.
    pub fn date_in(self, zone: &str) -> jiff::civil::Date {
        let at = self.timestamp();
        at.in_tz(zone).map(|z| z.date()).unwrap_or_else(|_| at.to_zoned(jiff::tz::TimeZone::UTC).date())
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.timestamp(), f)
    }
}

/// RFC 3339, in UTC.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.timestamp(), f)
    }
}

/// A date of birth of which the day, or the month and the day, may be unknown. Shown as `1980-04-21`, `1980-04` or `1980`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BirthDate {
    year: i16,
    /// 0 when unknown.
    month: i8,
    /// 0 when unknown.
    day: i8,
}

/// Why a text is not a [`BirthDate`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BirthDateError {
    /// Not one of the three forms.
    #[error("a date of birth is written 1980-04-21, 1980-04 or 1980")]
    Form,
    /// A month, day or year that the calendar does not have.
    #[error("there is no such day in the calendar")]
    NoSuchDay,
}

impl BirthDate {
    /// The earliest year a register may hold.
    const FIRST_YEAR: i16 = 1850;

    /// Parses `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; also `YYYYMMDD`, which older exports use.
    ///
    /// # Errors
    /// [`BirthDateError`] for another form, or for a day that does not exist.
    pub fn parse(text: &str) -> Result<BirthDate, BirthDateError> {
        let text = text.trim();
        let compact = text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
        let parts: Vec<&str> =
            if compact { vec![&text[..4], &text[4..6], &text[6..]] } else { text.split('-').collect() };
        let widths_fit = parts
            .iter()
            .zip([4, 2, 2])
            .all(|(part, width)| part.len() == width && part.bytes().all(|b| b.is_ascii_digit()));
        if parts.len() > 3 || !widths_fit {
            return Err(BirthDateError::Form);
        }
        let number = |i: usize| parts.get(i).and_then(|part| part.parse::<i16>().ok());
        let year = number(0).ok_or(BirthDateError::Form)?;
        let (month, day) = (number(1), number(2));
        let date = jiff::civil::Date::new(year, month.unwrap_or(1) as i8, day.unwrap_or(1) as i8);
        if year < Self::FIRST_YEAR || date.is_err() {
            return Err(BirthDateError::NoSuchDay);
        }
        Ok(BirthDate { year, month: month.unwrap_or(0) as i8, day: day.unwrap_or(0) as i8 })
    }

    /// The year.
    pub fn year(self) -> i16 {
        self.year
    }

    /// The month, where known.
    pub fn month(self) -> Option<i8> {
        (self.month != 0).then_some(self.month)
    }

    /// The day of the month, where known.
    pub fn day(self) -> Option<i8> {
        (self.day != 0).then_some(self.day)
    }

    /// The first day it can be.
    pub fn earliest(self) -> jiff::civil::Date {
        jiff::civil::Date::new(self.year, self.month.max(1), self.day.max(1))
            .expect("a BirthDate is only made from a day that exists")
    }
}

impl fmt::Display for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.month(), self.day()) {
            (Some(month), Some(day)) => write!(f, "{:04}-{month:02}-{day:02}", self.year),
            (Some(month), None) => write!(f, "{:04}-{month:02}", self.year),
            _ => write!(f, "{:04}", self.year),
        }
    }
}

/// Personal data: the debug form shows the year only.
impl fmt::Debug for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BirthDate({:04}-…)", self.year)
    }
}

impl Serialize for BirthDate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BirthDate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<BirthDate, D::Error> {
        let text = String::deserialize(deserializer)?;
        BirthDate::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_birth_date_is_read_in_each_form() {
        for (text, shown) in [
            ("1980-04-21", "1980-04-21"),
            ("19800421", "1980-04-21"),
            ("1980-04", "1980-04"),
            ("1980", "1980"),
            (" 2000-02-29 ", "2000-02-29"),
        ] {
            assert_eq!(BirthDate::parse(text).map(|d| d.to_string()), Ok(shown.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_day_that_does_not_exist_is_refused() {
        for text in ["1900-02-29", "1980-13-01", "1980-00-10", "0044-03-15"] {
            assert_eq!(BirthDate::parse(text), Err(BirthDateError::NoSuchDay), "{text}");
        }
        for text in ["", "21/04/1980", "1980-4-21", "1980-04-21-01", "１９８０-04-21", "80-04-21"] {
            assert_eq!(BirthDate::parse(text), Err(BirthDateError::Form), "{text}");
        }
    }
}

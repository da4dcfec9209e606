//! Dates of birth as they are compared: with unknown parts, and with the slips that dates are written with.

use kaname_base::time::BirthDate;

/// A date of birth packed into one number, its unknown parts 0; 0 as a whole when nothing is known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Born(u32);

impl Born {
    /// Nothing is known.
    pub const UNKNOWN: Born = Born(0);

    /// From year, month and day; a part that is not known is 0.
    pub fn new(year: u16, month: u8, day: u8) -> Born {
        Born((u32::from(year) << 9) | (u32::from(month) << 5) | u32::from(day))
    }

    /// From a text such as `1980-04-21`, `1980-04`, `1980`, `19800421`. Another list's impossible day (31 April) is kept, as evidence
    /// of what was meant; what is no date at all is [`Born::UNKNOWN`].
    pub fn parse(text: &str) -> Born {
        let text = text.trim();
        let number = |part: &str| part.parse::<u16>().ok();
        let bytes = text.as_bytes();
        if bytes.len() == 8 && bytes.iter().all(u8::is_ascii_digit) {
            return Born::of(number(&text[..4]), number(&text[4..6]), number(&text[6..]));
        }
        let mut parts = text.split(['-', '/', '.']).map(number);
        let year = parts.next().flatten();
        Born::of(year, parts.next().flatten(), parts.next().flatten())
    }

    fn of(year: Option<u16>, month: Option<u16>, day: Option<u16>) -> Born {
        let Some(year) = year.filter(|year| (1800..=2200).contains(year)) else { return Born::UNKNOWN };
        let month = month.filter(|month| (1..=31).contains(month)).unwrap_or(0);
        let day = day.filter(|day| (1..=31).contains(day)).unwrap_or(0);
        // A month above twelve is a day that was written first.
        let (month, day) = if month > 12 { (day, month) } else { (month, day) };
        Born::new(year, month as u8, day as u8)
    }

    /// The year, or 0.
    pub fn year(self) -> u32 {
        self.0 >> 9
    }

    /// The month, or 0.
    pub fn month(self) -> u32 {
        (self.0 >> 5) & 15
    }

    /// The day of the month, or 0.
    pub fn day(self) -> u32 {
        self.0 & 31
    }

    /// Whether anything is known.
    pub fn is_known(self) -> bool {
        self.0 != 0
    }

    /// As one number.
    pub fn packed(self) -> u32 {
        self.0
    }
}

impl From<BirthDate> for Born {
    fn from(date: BirthDate) -> Born {
        let part = |part: Option<i8>| part.map_or(0, |part| part.unsigned_abs());
        Born::new(date.year().unsigned_abs(), part(date.month()), part(date.day()))
    }
}

/// How two dates agree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Dates {
    Same,
    /// What is known of both agrees, and one has an unknown part.
    KnownPart,
    DayMonthSwapped,
    Day,
    Month,
    /// One year or ten off.
    YearSlip,
    /// The year of another era, such as Showa for Heisei.
    Era,
    /// Another year, the same day.
    Year,
    /// The same year, and one of them is the first of January: what is written when the day is not known.
    NewYear,
    OnlyYear,
    Differ,
}

/// The years by which the same number of year differs between neighbouring eras (Meiji, Taisho, Showa, Heisei, Reiwa).
const ERAS: [u32; 4] = [44, 14, 63, 30];

/// Compares two dates that are known.
pub(crate) fn compare(a: Born, b: Born) -> Dates {
    if a == b {
        return Dates::Same;
    }
    let (same_year, same_month, same_day) =
        (a.year() == b.year(), a.month() == b.month(), a.day() == b.day());
    let open = |x: u32, y: u32| x == 0 || y == 0;
    if open(a.day(), b.day()) {
        let month_fits = same_month || open(a.month(), b.month());
        return match (same_year, month_fits) {
            (true, true) => Dates::KnownPart,
            (true, false) => Dates::OnlyYear,
            _ => Dates::Differ,
        };
    }
    if same_year {
        if a.day() == b.month() && a.month() == b.day() {
            return Dates::DayMonthSwapped;
        }
        let new_year = |date: Born| date.month() == 1 && date.day() == 1;
        return match (same_month, same_day) {
            _ if new_year(a) || new_year(b) => Dates::NewYear,
            (true, _) => Dates::Day,
            (_, true) => Dates::Month,
            _ => Dates::OnlyYear,
        };
    }
    if same_month && same_day {
        return match a.year().abs_diff(b.year()) {
            1 | 10 => Dates::YearSlip,
            off if ERAS.contains(&off) => Dates::Era,
            _ => Dates::Year,
        };
    }
    Dates::Differ
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_dates() {
        for (other, expected) in [
            ("1980-04-12", Dates::Same),
            ("19800412", Dates::Same),
            ("1980-12-04", Dates::DayMonthSwapped),
            ("1980-04-17", Dates::Day),
            ("1980-07-12", Dates::Month),
            ("1981-04-12", Dates::YearSlip),
            ("1970-04-12", Dates::YearSlip),
            ("1943-04-12", Dates::Year),
            ("2010-04-12", Dates::Era),
            ("1980-01-01", Dates::NewYear),
            ("1980-09-30", Dates::OnlyYear),
            ("1980", Dates::KnownPart),
            ("1980-04", Dates::KnownPart),
            ("1980-05", Dates::OnlyYear),
            ("1981", Dates::Differ),
            ("1951-11-30", Dates::Differ),
        ] {
            let (a, b) = (Born::parse("1980-04-12"), Born::parse(other));
            assert_eq!(compare(a, b), expected, "{other}");
            assert_eq!(compare(b, a), expected, "{other}");
        }
        assert!(!Born::parse("").is_known());
        assert!(!Born::parse("unknown").is_known());
        assert_eq!(Born::parse("1980-31-04"), Born::parse("1980-04-31"));
    }
}

//! Dates, times, money and counts in the form that the reader knows. Pure functions; digits are Western everywhere.

use kaname_base::time::BirthDate;
use kaname_base::{Amount, Currency, Instant};

use super::Lang;

/// A civil date: `22 November 2026`, `2026年11月22日`, `22 नवंबर 2026`, `22 نوفمبر 2026`.
pub fn date(lang: Lang, year: i16, month: i8, day: i8) -> String {
    match lang {
        Lang::Ja => format!("{year}年{month}月{day}日"),
        _ => format!("{day} {} {year}", month_name(lang, month)),
    }
}

/// The day of a point in time, in the zone (an IANA name).
pub fn day_of(lang: Lang, at: Instant, zone: &str) -> String {
    let day = at.date_in(zone);
    date(lang, day.year(), day.month(), day.day())
}

/// Day and time of a point in time, in the zone: `22 November 2026, 14:05`.
pub fn moment(lang: Lang, at: Instant, zone: &str) -> String {
    let at_utc = at.timestamp();
    let local = at_utc.in_tz(zone).or_else(|_| at_utc.in_tz("UTC")).expect("UTC is a time zone");
    let (hour, minute) = (local.hour(), local.minute());
    let comma = match lang {
        Lang::Ja => " ",
        Lang::Ar => "، ",
        _ => ", ",
    };
    format!("{}{comma}{hour:02}:{minute:02}", day_of(lang, at, zone))
}

/// A date of birth, as much of it as is known.
pub fn born(lang: Lang, date_of_birth: BirthDate) -> String {
    let year = date_of_birth.year();
    match (date_of_birth.month(), date_of_birth.day(), lang) {
        (Some(month), Some(day), _) => date(lang, year, month, day),
        (Some(month), None, Lang::Ja) => format!("{year}年{month}月"),
        (Some(month), None, _) => format!("{} {year}", month_name(lang, month)),
        (None, _, Lang::Ja) => format!("{year}年"),
        (None, ..) => year.to_string(),
    }
}

/// A whole number with the separators that the reader's language uses: `1,234,567`, in Hindi `12,34,567`.
pub fn count(lang: Lang, number: u64) -> String {
    grouped(&number.to_string(), lang == Lang::Hi)
}

/// An amount of money: `￥100,000`, `₹1,00,000.00`, `£1,234.50`, `JOD 25.000`, in Arabic `25.000 د.أ`.
pub fn money(lang: Lang, amount: Amount, currency: Currency) -> String {
    let decimal = amount.to_decimal(currency);
    let (whole, part) = decimal.split_once('.').map_or((decimal.as_str(), None), |(w, p)| (w, Some(p)));
    let mut number = grouped(whole, currency.code() == "INR" || lang == Lang::Hi);
    if let Some(part) = part {
        number.push('.');
        number.push_str(part);
    }
    match (currency.code(), lang) {
        ("JPY", Lang::Ja) => format!("￥{number}"),
        ("JPY", _) => format!("¥{number}"),
        ("INR", _) => format!("₹{number}"),
        ("GBP", _) => format!("£{number}"),
        ("SGD", _) => format!("S${number}"),
        ("JOD", Lang::Ar) => format!("{number}\u{a0}د.أ"),
        (code, _) => format!("{code}\u{a0}{number}"),
    }
}

/// A share of a whole, rounded down, so that 100 % is only said when nothing is left.
pub fn percent(part: u64, whole: u64) -> u64 {
    if whole == 0 { 0 } else { (u128::from(part) * 100 / u128::from(whole)).min(100) as u64 }
}

/// Groups of three digits; in the Indian system the groups above the first three have two.
fn grouped(digits: &str, indian: bool) -> String {
    let mut shown = String::new();
    for (i, digit) in digits.chars().enumerate() {
        let left = digits.len() - i;
        let boundary = if indian { left == 3 || (left > 3 && left % 2 == 1) } else { left.is_multiple_of(3) };
        if i > 0 && boundary {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

fn month_name(lang: Lang, month: i8) -> &'static str {
    const EN: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    const JA: [&str; 12] =
        ["1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月"];
    const HI: [&str; 12] =
        ["जनवरी", "फ़रवरी", "मार्च", "अप्रैल", "मई", "जून", "जुलाई", "अगस्त", "सितंबर", "अक्टूबर", "नवंबर", "दिसंबर"];
    const AR: [&str; 12] = [
        "يناير",
        "فبراير",
        "مارس",
        "أبريل",
        "مايو",
        "يونيو",
        "يوليو",
        "أغسطس",
        "سبتمبر",
        "أكتوبر",
        "نوفمبر",
        "ديسمبر",
    ];
    let names = match lang {
        Lang::En => EN,
        Lang::Ja => JA,
        Lang::Hi => HI,
        Lang::Ar => AR,
    };
    names[usize::try_from(month - 1).unwrap_or(0).min(11)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(minor: u64) -> Amount {
        Amount::from_minor(minor).unwrap()
    }

    #[test]
    fn dates_read_as_people_write_them() {
        let at = Instant::from_seconds(1_795_322_700); // 2026-11-22T04:45:00Z
        for (lang, zone, day, full) in [
            (Lang::En, "Europe/London", "22 November 2026", "22 November 2026, 04:45"),
            (Lang::Ja, "Asia/Tokyo", "2026年11月22日", "2026年11月22日 13:45"),
            (Lang::Hi, "Asia/Kolkata", "22 नवंबर 2026", "22 नवंबर 2026, 10:15"),
            (Lang::Ar, "Asia/Amman", "22 نوفمبر 2026", "22 نوفمبر 2026، 07:45"),
            (Lang::En, "Nowhere/Land", "22 November 2026", "22 November 2026, 04:45"),
        ] {
            assert_eq!(day_of(lang, at, zone), day);
            assert_eq!(moment(lang, at, zone), full);
        }
    }

    #[test]
    fn a_day_is_the_day_where_the_reader_lives() {
        let late = Instant::from_seconds(1_795_364_100); // 2026-11-22T16:15:00Z
        assert_eq!(day_of(Lang::Ja, late, "Asia/Tokyo"), "2026年11月23日");
    }

    #[test]
    fn an_incomplete_date_of_birth_shows_what_is_known() {
        for (text, lang, shown) in [
            ("1980-04-21", Lang::Ja, "1980年4月21日"),
            ("1980-04", Lang::Ja, "1980年4月"),
            ("1980", Lang::Ja, "1980年"),
            ("1980-04", Lang::En, "April 1980"),
            ("1980-04", Lang::Hi, "अप्रैल 1980"),
            ("1980", Lang::Ar, "1980"),
        ] {
            assert_eq!(born(lang, BirthDate::parse(text).unwrap()), shown);
        }
    }

    #[test]
    fn money_has_the_form_of_the_reader() {
        for (minor, code, exponent, lang, shown) in [
            (100_000, "JPY", 0, Lang::Ja, "￥100,000"),
            (100_000, "JPY", 0, Lang::En, "¥100,000"),
            (10_000_000, "INR", 2, Lang::Hi, "₹1,00,000.00"),
            (123_456_789_012, "INR", 2, Lang::En, "₹1,23,45,67,890.12"),
            (99_900, "INR", 2, Lang::Ja, "₹999.00"),
            (123_450, "GBP", 2, Lang::En, "£1,234.50"),
            (5, "SGD", 2, Lang::En, "S$0.05"),
            (25_000, "JOD", 3, Lang::Ar, "25.000\u{a0}د.أ"),
            (1_234_567, "JOD", 3, Lang::En, "JOD\u{a0}1,234.567"),
            (0, "XTS", 2, Lang::Ja, "XTS\u{a0}0.00"),
        ] {
            assert_eq!(money(lang, amount(minor), Currency::new(code, exponent).unwrap()), shown);
        }
    }

    #[test]
    fn counts_are_grouped() {
        for (number, lang, shown) in [
            (0, Lang::En, "0"),
            (999, Lang::Hi, "999"),
            (1_000, Lang::Hi, "1,000"),
            (12_345_678, Lang::Hi, "1,23,45,678"),
            (12_345_678, Lang::Ar, "12,345,678"),
        ] {
            assert_eq!(count(lang, number), shown);
        }
    }

    #[test]
    fn a_hundred_percent_means_all() {
        assert_eq!((percent(999, 1000), percent(1000, 1000), percent(0, 0)), (99, 100, 0));
    }
}

//! How instant payments work in the country: `instant.toml`. A country without the file has none.

use crate::Amount;

use super::reader::Node;

/// The terms of instant payments. They bind every participant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstantTerms {
    /// How long a quote holds, in seconds.
    pub quote_seconds: i64,
    /// How long the payee's participant has to say whether it takes a payment, in seconds.
    pub answer_seconds: i64,
    /// How long nobody asks again after the first answer that did not come, in seconds; it doubles with each.
    pub first_status_seconds: i64,
    /// The longest wait between two questions, in seconds.
    pub longest_status_seconds: i64,
    /// A payment of which nothing is known is reversed so long after it was reserved, in seconds.
    pub reverse_after_seconds: i64,
    /// What the payer is owed for each day that has begun until then, in minor units.
    pub compensation_a_day: Amount,
    /// Until how many days after a payment it can be refunded.
    pub refund_days: i64,
    /// How many hours before a debit under a mandate the payer is told.
    pub notice_hours: i64,
    /// The scheme of links that a phone opens with a payment filled in, such as `upi`.
    pub link_scheme: String,
    /// What stands for this scheme in a merchant's QR code (EMVCo merchant-presented mode, section 4.7.3).
    pub qr_identifier: String,
    /// The country of merchants, as in a QR code (ISO 3166-1 alpha-2).
    pub qr_country: String,
    /// The currency's number (ISO 4217), as in a QR code.
    pub qr_currency: String,
}

pub(super) fn read(root: &Node<'_>) -> InstantTerms {
    const DAY: u64 = 86_400;
    let seconds = |key, most: u64| root.number(key, 1..most + 1) as i64;
    let compensation = root.number("compensation_a_day_minor", 0..Amount::MAX.minor());
    let terms = InstantTerms {
        quote_seconds: seconds("quote_seconds", DAY),
        answer_seconds: seconds("answer_seconds", DAY),
        first_status_seconds: seconds("first_status_seconds", DAY),
        longest_status_seconds: seconds("longest_status_seconds", 30 * DAY),
        reverse_after_seconds: seconds("reverse_after_seconds", 30 * DAY),
        compensation_a_day: Amount::from_minor(compensation).expect("the range ends at the largest amount"),
        refund_days: root.number("refund_days", 0..3_661) as i64,
        notice_hours: root.number("notice_hours", 0..8_785) as i64,
        link_scheme: root.text("link_scheme"),
        qr_identifier: root.text("qr_identifier"),
        qr_country: root.text("qr_country"),
        qr_currency: root.text("qr_currency"),
    };
    if terms.longest_status_seconds < terms.first_status_seconds {
        root.wrong("longest_status_seconds", "it is shorter than `first_status_seconds`");
    }
    if terms.reverse_after_seconds <= terms.answer_seconds {
        root.wrong("reverse_after_seconds", "the time to answer, `answer_seconds`, must be over before");
    }
    // RFC 3986, section 3.1.
    let is_scheme = terms.link_scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && terms
            .link_scheme
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b));
    if !is_scheme || ["http", "https", "javascript", "data", "file"].contains(&terms.link_scheme.as_str()) {
        root.wrong(
            "link_scheme",
            "it is a word of small letters and digits that no browser uses, such as `upi`",
        );
    }
    if terms.qr_identifier.is_empty()
        || terms.qr_identifier.len() > 32
        || !terms.qr_identifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
    {
        root.wrong("qr_identifier", "it is 1 to 32 letters, digits, dots and hyphens");
    }
    if terms.qr_country.len() != 2 || !terms.qr_country.bytes().all(|b| b.is_ascii_uppercase()) {
        root.wrong("qr_country", "it is two capital letters (ISO 3166-1)");
    }
    if terms.qr_currency.len() != 3 || !terms.qr_currency.bytes().all(|b| b.is_ascii_digit()) {
        root.wrong("qr_currency", "it is three digits (ISO 4217)");
    }
    terms
}

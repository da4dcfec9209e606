//! Links that a phone opens with a payment filled in, such as `upi://pay?pa=…`: the pack names the scheme, the parameters are those
//! that UPI's linking specification made common (`pa` address, `pn` name, `am` amount, `cu` currency, `tn` text, `tr` reference).

/// Longest link that is read, in bytes.
pub const MAX_LINK_BYTES: usize = 1_024;

/// Why a link is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayLinkError {
    /// Longer than [`MAX_LINK_BYTES`].
    #[error("the link is too long")]
    TooLong,
    /// Another scheme, or not `pay`.
    #[error("not a link to a payment of this country")]
    OtherLink,
    /// A parameter that must be there once is missing, repeated, or not percent-encoded UTF-8.
    #[error("parameter {0:?} is missing, repeated or malformed")]
    Parameter(&'static str),
}

/// What a link fills in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PayLink {
    /// Who is paid: `account@participant` or `name@provider`.
    pub address: String,
    /// Her name, for people; it proves nothing.
    pub name: String,
    /// How much, in major units with a point; without it the payer says.
    pub amount: Option<String>,
    /// The currency (ISO 4217).
    pub currency: String,
    /// What the payee reads.
    pub text: Option<String>,
    /// The payee's own reference.
    pub reference: Option<String>,
}

const NAMES: [&str; 6] = ["pa", "pn", "am", "cu", "tn", "tr"];

impl PayLink {
    /// The link in a scheme.
    pub fn write(&self, scheme: &str) -> String {
        let values = [
            Some(&self.address),
            Some(&self.name),
            self.amount.as_ref(),
            Some(&self.currency),
            self.text.as_ref(),
            self.reference.as_ref(),
        ];
        let pairs =
            NAMES.iter().zip(values).filter_map(|(name, value)| Some(format!("{name}={}", encoded(value?))));
        format!("{scheme}://pay?{}", pairs.collect::<Vec<_>>().join("&"))
    }

    /// Reads a link of this scheme. Parameters of others are passed over, as their makers add them.
    ///
    /// # Errors
    /// [`PayLinkError`].
    pub fn read(scheme: &str, link: &str) -> Result<PayLink, PayLinkError> {
        if link.len() > MAX_LINK_BYTES {
            return Err(PayLinkError::TooLong);
        }
        let rest = link.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://pay?"));
        let query = rest.ok_or(PayLinkError::OtherLink)?;
        let mut found: [Option<String>; 6] = Default::default();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let Some(place) = NAMES.iter().position(|known| *known == name) else { continue };
            let wrong = PayLinkError::Parameter(NAMES[place]);
            let value = decoded(value).filter(|value| !value.chars().any(char::is_control)).ok_or(wrong)?;
            if found[place].replace(value).is_some() {
                return Err(wrong);
            }
        }
        let [address, name, amount, currency, text, reference] = found;
        let is_address = |address: &String| {
            address.split_once('@').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty() && !b.contains('@'))
        };
        let is_amount = |amount: &String| {
            let (whole, part) = amount.split_once('.').unwrap_or((amount, "0"));
            [whole, part]
                .iter()
                .all(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
        };
        Ok(PayLink {
            address: address.filter(is_address).ok_or(PayLinkError::Parameter("pa"))?,
            name: name.ok_or(PayLinkError::Parameter("pn"))?,
            amount: match amount {
                Some(amount) if !is_amount(&amount) => return Err(PayLinkError::Parameter("am")),
                amount => amount,
            },
            currency: currency.ok_or(PayLinkError::Parameter("cu"))?,
            text,
            reference,
        })
    }
}

/// RFC 3986 section 2: everything but the unreserved characters.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let nibble = |digit: u8| (digit as char).to_digit(16);
                bytes.push((nibble(*high)? * 16 + nibble(*low)?) as u8);
                tail
            }
            (b'%', _) => return None,
            (byte, tail) => {
                bytes.push(*byte);
                tail
            }
        };
    }
    String::from_utf8(bytes).ok()
}

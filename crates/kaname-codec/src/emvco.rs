//! QR codes that merchants show (EMV QR Code Specification for Payment Systems, Merchant-Presented Mode, version 1.1): data objects of
//! two digits, two digits of length and a value, with a checksum at the end.
//!
//! Reading takes any code of the standard and keeps what it does not know; lengths count characters, as the alternate language
//! template (section 4.8) may hold any script. Amounts are whole minor units and never pass through floats.

/// Longest code that is read, in characters: what a QR code of the standard holds (section 3.2).
pub const MAX_CHARACTERS: usize = 512;

const FORMAT: u8 = 0;
const INITIATION: u8 = 1;
const CATEGORY: u8 = 52;
const CURRENCY: u8 = 53;
const AMOUNT: u8 = 54;
const COUNTRY: u8 = 58;
const NAME: u8 = 59;
const CITY: u8 = 60;
const ADDITIONAL: u8 = 62;
const CRC: u8 = 63;
/// Templates of merchant accounts whose first part names the scheme (section 4.7.3).
const TEMPLATES: std::ops::RangeInclusive<u8> = 26..=51;
/// The template that [`MerchantQr::write`] uses.
const OURS: u8 = 26;
const REFERENCE: u8 = 5;

/// Why a code is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmvcoError {
    /// Longer than [`MAX_CHARACTERS`].
    #[error("the code is too long")]
    TooLong,
    /// Not a row of data objects, or not beginning with `000201`.
    #[error("not a merchant's qr code")]
    Form,
    /// The checksum is missing, not at the end, or another one.
    #[error("the checksum is wrong")]
    Checksum,
    /// A data object stands there twice.
    #[error("data object {0:02} is repeated")]
    Repeated(u8),
    /// A data object that must be there is not.
    #[error("data object {0:02} is missing")]
    Missing(u8),
    /// A value that does not have the form of its data object.
    #[error("data object {0:02} is malformed")]
    Value(u8),
}

/// Where the merchant is paid in one scheme.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MerchantAccount {
    /// What stands for the scheme (data object 00 of the template).
    pub identifier: String,
    /// The further data objects of the template, by number.
    pub fields: Vec<(u8, String)>,
}

/// A merchant's code.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MerchantQr {
    /// Whether it is made for one payment (`12`), and not printed once for all (`11`). The standard lets it be left out.
    pub is_dynamic: Option<bool>,
    /// Accounts in schemes that name themselves.
    pub accounts: Vec<MerchantAccount>,
    /// What the merchant sells (ISO 18245), four digits.
    pub category: String,
    /// The currency's number (ISO 4217), three digits.
    pub currency: String,
    /// How much, as written; without it the payer says.
    pub amount: Option<String>,
    /// The country (ISO 3166-1 alpha-2).
    pub country: String,
    /// The merchant's name, at most 25 characters.
    pub name: String,
    /// The merchant's city, at most 15 characters.
    pub city: String,
    /// The merchant's own reference for the payment (data object 05 of the additional data).
    pub reference: Option<String>,
    /// Everything else that stood there, by number.
    pub others: Vec<(u8, String)>,
}

impl MerchantQr {
    /// Reads a code.
    ///
    /// # Errors
    /// [`EmvcoError`].
    pub fn read(code: &str) -> Result<MerchantQr, EmvcoError> {
        if code.chars().count() > MAX_CHARACTERS {
            return Err(EmvcoError::TooLong);
        }
        if !code.starts_with("000201") {
            return Err(EmvcoError::Form);
        }
        check_sum(code)?;
        let mut qr = MerchantQr::default();
        let mut seen = [false; 100];
        for (id, value) in objects(code)? {
            if std::mem::replace(&mut seen[usize::from(id)], true) {
                return Err(EmvcoError::Repeated(id));
            }
            match id {
                FORMAT | CRC => {}
                INITIATION => {
                    qr.is_dynamic = Some(match value.as_str() {
                        "11" => false,
                        "12" => true,
                        _ => return Err(EmvcoError::Value(id)),
                    });
                }
                id if TEMPLATES.contains(&id) => qr.accounts.push(account(id, &value)?),
                CATEGORY => qr.category = digits(id, value, 4)?,
                CURRENCY => qr.currency = digits(id, value, 3)?,
                AMOUNT => qr.amount = Some(decimal(value)?),
                COUNTRY => {
                    qr.country =
                        checked(id, value, |v| v.len() == 2 && v.bytes().all(|b| b.is_ascii_uppercase()))?
                }
                // Longer ones than the standard allows are about, and do no harm to a reader.
                NAME => qr.name = value,
                CITY => qr.city = value,
                ADDITIONAL => {
                    let parts = objects(&value).map_err(|_| EmvcoError::Value(id))?;
                    qr.reference =
                        parts.iter().find(|(part, _)| *part == REFERENCE).map(|(_, value)| value.clone());
                    qr.others.push((id, value));
                }
                _ => qr.others.push((id, value)),
            }
        }
        let missing =
            [CATEGORY, CURRENCY, COUNTRY, NAME, CITY, CRC].into_iter().find(|id| !seen[usize::from(*id)]);
        missing.map_or(Ok(qr), |id| Err(EmvcoError::Missing(id)))
    }

    /// Writes a code with its first account, and without [`MerchantQr::others`].
    ///
    /// # Errors
    /// [`EmvcoError::Value`] for what the standard cannot hold; [`EmvcoError::Missing`] without an account.
    pub fn write(&self) -> Result<String, EmvcoError> {
        let account = self.accounts.first().ok_or(EmvcoError::Missing(OURS))?;
        let mut template =
            object(0, &checked(OURS, account.identifier.clone(), |v| (1..=32).contains(&v.len()))?)?;
        for (id, value) in &account.fields {
            template.push_str(&object(*id, value)?);
        }
        let mut code = object(FORMAT, "01")?;
        if let Some(is_dynamic) = self.is_dynamic {
            code.push_str(&object(INITIATION, if is_dynamic { "12" } else { "11" })?);
        }
        code.push_str(&object(OURS, &template)?);
        code.push_str(&object(CATEGORY, &digits(CATEGORY, self.category.clone(), 4)?)?);
        code.push_str(&object(CURRENCY, &digits(CURRENCY, self.currency.clone(), 3)?)?);
        if let Some(amount) = &self.amount {
            code.push_str(&object(AMOUNT, &decimal(amount.clone())?)?);
        }
        code.push_str(&object(COUNTRY, &self.country)?);
        for (id, text, most) in [(NAME, &self.name, 25), (CITY, &self.city, 15)] {
            let text = checked(id, text.clone(), |text| (1..=most).contains(&text.chars().count()))?;
            code.push_str(&object(id, &text)?);
        }
        if let Some(reference) = &self.reference {
            let reference =
                checked(ADDITIONAL, reference.clone(), |v| (1..=25).contains(&v.chars().count()))?;
            code.push_str(&object(ADDITIONAL, &object(REFERENCE, &reference)?)?);
        }
        code.push_str("6304");
        let sum = crc16(code.as_bytes());
        code.push_str(&format!("{sum:04X}"));
        // What it wrote it must be able to read: the forms of the values are checked in one place.
        MerchantQr::read(&code)?;
        Ok(code)
    }

    /// The amount in minor units of a currency with so many decimals; `None` when there is none.
    ///
    /// # Errors
    /// [`EmvcoError::Value`] when it is finer than the currency, or too large.
    pub fn minor(&self, exponent: u8) -> Result<Option<u64>, EmvcoError> {
        let Some(amount) = &self.amount else { return Ok(None) };
        let (whole, part) = amount.split_once('.').unwrap_or((amount, ""));
        let exponent = usize::from(exponent);
        let (kept, finer) = part.split_at(part.len().min(exponent));
        if finer.bytes().any(|b| b != b'0') {
            return Err(EmvcoError::Value(AMOUNT));
        }
        let digits = format!("{whole}{kept:0<exponent$}");
        digits.parse().map(Some).map_err(|_| EmvcoError::Value(AMOUNT))
    }
}

/// CRC-16 with polynomial 1021 and start FFFF (ISO/IEC 13239; section 4.7.8).
pub fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |sum: u16, byte| {
        (0..8).fold(sum ^ (u16::from(*byte) << 8), |sum, _| match sum & 0x8000 {
            0 => sum << 1,
            _ => (sum << 1) ^ 0x1021,
        })
    })
}

fn check_sum(code: &str) -> Result<(), EmvcoError> {
    let at = code.len().checked_sub(4).filter(|at| code.is_char_boundary(*at)).ok_or(EmvcoError::Checksum)?;
    let (signed, sum) = code.split_at(at);
    let right = format!("{:04X}", crc16(signed.as_bytes()));
    if signed.ends_with("6304") && sum.eq_ignore_ascii_case(&right) {
        Ok(())
    } else {
        Err(EmvcoError::Checksum)
    }
}

/// The data objects of a code or template, in order.
fn objects(text: &str) -> Result<Vec<(u8, String)>, EmvcoError> {
    let mut found = Vec::new();
    let mut letters = text.chars();
    loop {
        let Some(id) = two_digits(&mut letters)? else { return Ok(found) };
        let length = two_digits(&mut letters)?.ok_or(EmvcoError::Form)?;
        let value: String = letters.by_ref().take(usize::from(length)).collect();
        if length == 0 || value.chars().count() != usize::from(length) {
            return Err(EmvcoError::Form);
        }
        found.push((id, value));
    }
}

/// Two digits as a number; `None` at the end.
fn two_digits(letters: &mut std::str::Chars<'_>) -> Result<Option<u8>, EmvcoError> {
    let Some(first) = letters.next() else { return Ok(None) };
    let digit = |letter: char| letter.to_digit(10).map(|digit| digit as u8).ok_or(EmvcoError::Form);
    let second = letters.next().ok_or(EmvcoError::Form)?;
    Ok(Some(digit(first)? * 10 + digit(second)?))
}

fn object(id: u8, value: &str) -> Result<String, EmvcoError> {
    let length = value.chars().count();
    if !(1..=99).contains(&length) || id > 99 || value.chars().any(char::is_control) {
        return Err(EmvcoError::Value(id));
    }
    Ok(format!("{id:02}{length:02}{value}"))
}

fn account(id: u8, template: &str) -> Result<MerchantAccount, EmvcoError> {
    let mut fields = objects(template).map_err(|_| EmvcoError::Value(id))?;
    if fields.first().is_none_or(|(first, _)| *first != 0) {
        return Err(EmvcoError::Value(id));
    }
    let (_, identifier) = fields.remove(0);
    Ok(MerchantAccount { identifier, fields })
}

fn digits(id: u8, value: String, count: usize) -> Result<String, EmvcoError> {
    checked(id, value, |value| value.len() == count && value.bytes().all(|b| b.is_ascii_digit()))
}

/// Digits with at most one point, at most 13 characters (section 4.7.6).
fn decimal(value: String) -> Result<String, EmvcoError> {
    checked(AMOUNT, value, |value| {
        let (whole, part) = value.split_once('.').unwrap_or((value, ""));
        value.len() <= 13
            && !whole.is_empty()
            && [whole, part].iter().all(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
    })
}

fn checked(id: u8, value: String, is_right: impl Fn(&str) -> bool) -> Result<String, EmvcoError> {
    if is_right(&value) { Ok(value) } else { Err(EmvcoError::Value(id)) }
}

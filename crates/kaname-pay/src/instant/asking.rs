//! How a payee asks to be paid: a merchant's QR code, or a link that a phone opens. Both say the same, in the terms of the pack.

use kaname_base::Amount;
use kaname_base::pack::Pack;
use kaname_codec::emvco::{EmvcoError, MerchantAccount, MerchantQr};
use kaname_codec::paylink::{PayLink, PayLinkError};

use super::Refusal;

/// Parts of our account in a code: the participant, and the account there.
const PARTICIPANT: u8 = 1;
const ACCOUNT: u8 = 2;

/// What a payee asks for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Asked {
    /// `account@participant`.
    pub address: String,
    /// The payee's name, for people; only resolving proves who it is.
    pub name: String,
    /// The payee's city; a link has none.
    pub city: String,
    /// What the payee sells (ISO 18245).
    pub category: String,
    /// How much; the payer says when it is missing.
    pub amount: Option<Amount>,
    /// The payee's own reference.
    pub reference: Option<String>,
}

/// Why a code or link is refused.
#[derive(Debug, thiserror::Error)]
pub enum AskingError {
    /// The country has no instant payments.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Not an address of a participant.
    #[error("an address is ACCOUNT@PARTICIPANT")]
    Address,
    /// A good code, for payments of another scheme or country.
    #[error("this code is for another scheme")]
    OtherScheme,
    /// Another currency than the country's.
    #[error("this asks for another currency")]
    OtherCurrency,
    /// Not a merchant's code.
    #[error(transparent)]
    Qr(#[from] EmvcoError),
    /// Not a link of this country.
    #[error(transparent)]
    Link(#[from] PayLinkError),
}

/// The code's text and the link. A code with an amount is for one payment (dynamic), one without is printed once (static).
///
/// # Errors
/// [`AskingError`].
pub fn write(pack: &Pack, asked: &Asked) -> Result<(String, String), AskingError> {
    let terms = pack.instant.as_ref().ok_or(Refusal::NoInstantPayments)?;
    let (account, participant) = parts(&asked.address)?;
    let amount = asked.amount.map(|amount| amount.to_decimal(pack.currency));
    let qr = MerchantQr {
        is_dynamic: Some(amount.is_some()),
        accounts: vec![MerchantAccount {
            identifier: terms.qr_identifier.clone(),
            fields: vec![(PARTICIPANT, participant.to_owned()), (ACCOUNT, account.to_owned())],
        }],
        category: asked.category.clone(),
        currency: terms.qr_currency.clone(),
        amount: amount.clone(),
        country: terms.qr_country.clone(),
        name: asked.name.clone(),
        city: asked.city.clone(),
        reference: asked.reference.clone(),
        others: Vec::new(),
    };
    let link = PayLink {
        address: asked.address.clone(),
        name: asked.name.clone(),
        amount,
        currency: pack.currency.code().to_owned(),
        text: None,
        reference: asked.reference.clone(),
    };
    Ok((qr.write()?, link.write(&terms.link_scheme)))
}

/// What a code or a link of this country asks for.
///
/// # Errors
/// [`AskingError`].
pub fn read(pack: &Pack, text: &str) -> Result<Asked, AskingError> {
    let terms = pack.instant.as_ref().ok_or(Refusal::NoInstantPayments)?;
    if text.starts_with("000201") {
        return read_qr(pack, MerchantQr::read(text)?);
    }
    let link = PayLink::read(&terms.link_scheme, text)?;
    if link.currency != pack.currency.code() {
        return Err(AskingError::OtherCurrency);
    }
    parts(&link.address)?;
    // The same digits as a code would have, read in the same way.
    let as_qr = MerchantQr { amount: link.amount, ..MerchantQr::default() };
    Ok(Asked {
        amount: amount(pack, &as_qr)?,
        address: link.address,
        name: link.name,
        reference: link.reference,
        ..Asked::default()
    })
}

fn read_qr(pack: &Pack, qr: MerchantQr) -> Result<Asked, AskingError> {
    let terms = pack.instant.as_ref().ok_or(Refusal::NoInstantPayments)?;
    if qr.currency != terms.qr_currency {
        return Err(AskingError::OtherCurrency);
    }
    let ours = qr.accounts.iter().find(|account| account.identifier == terms.qr_identifier);
    let ours = ours.ok_or(AskingError::OtherScheme)?;
    let part = |wanted: u8| ours.fields.iter().find(|(id, _)| *id == wanted).map(|(_, value)| value.as_str());
    let (participant, account) = part(PARTICIPANT).zip(part(ACCOUNT)).ok_or(AskingError::Address)?;
    let address = format!("{account}@{participant}");
    parts(&address)?;
    Ok(Asked {
        address,
        amount: amount(pack, &qr)?,
        name: qr.name,
        city: qr.city,
        category: qr.category,
        reference: qr.reference,
    })
}

fn amount(pack: &Pack, qr: &MerchantQr) -> Result<Option<Amount>, AskingError> {
    let minor = qr.minor(pack.currency.exponent())?;
    minor.map(|minor| Amount::from_minor(minor).ok_or(AskingError::Qr(EmvcoError::Value(54)))).transpose()
}

/// Account and participant of an address.
fn parts(address: &str) -> Result<(&str, &str), AskingError> {
    let is_plain = |text: &str| (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    let found =
        address.rsplit_once('@').filter(|(account, participant)| is_plain(account) && is_plain(participant));
    found.ok_or(AskingError::Address)
}

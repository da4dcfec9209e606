//! Messages to banks: their ids, and how they are written and kept.

use std::borrow::Cow;

use kaname_base::{Bucket, Instant, hex};
use kaname_codec::iso20022;
use kaname_trust::{Keys, TrustError};

use crate::ids::{PayeeId, RunId, joined};
use crate::payee::PayeeAccount;
use crate::payout::table::NewMessage;
use crate::payout::treasury::for_people;
use crate::payout::{Payer, Programme};
use crate::{PayError, Refusal};

/// From here on batches are of second payments; below it, of first ones.
pub(crate) const RETRY_FROM: i64 = 1 << 40;

/// Names a leg of a payment in a batch, so that a second payment is another transfer than the first.
pub(crate) fn leg(name: &[u8], batch: i64) -> Vec<u8> {
    match batch < RETRY_FROM {
        true => name.to_vec(),
        false => [name, &batch.to_be_bytes()].concat(),
    }
}

/// How a bank names one payee's payment in a batch: a second payment has another name than the first.
pub(crate) fn name_of(keys: &Keys, run: RunId, payee: PayeeId, batch: i64) -> String {
    match batch < RETRY_FROM {
        true => end_to_end_id(keys, run, payee),
        false => {
            let parts = [run.bytes().as_slice(), payee.bytes(), &batch.to_be_bytes()].concat();
            hex::encode(&keys.blind_index("pay.end-to-end", &parts))
        }
    }
}

/// Which message of which run.
pub(crate) struct MessageKey<'a> {
    pub(crate) run: RunId,
    pub(crate) bucket: Bucket,
    pub(crate) batch: i64,
    pub(crate) bank: &'a str,
}

impl MessageKey<'_> {
    /// The id that the bank knows the message by: 32 hexadecimal digits. A retry has the same.
    pub(crate) fn id(&self, keys: &Keys) -> String {
        hex::encode(&keys.blind_index("pay.message", &self.bytes()))
    }

    fn bytes(&self) -> Vec<u8> {
        let (bucket, batch) = (self.bucket.index().to_be_bytes(), self.batch.to_be_bytes());
        joined(&[self.run.bytes(), &bucket, &batch, self.bank.as_bytes()])
    }

    fn context(&self, what: &str) -> Vec<u8> {
        [what.as_bytes(), b"\0", &self.bytes()].concat()
    }
}

/// How a bank names one payee's payment of a run: 32 hexadecimal digits, the same at each retry, and of no use to
/// anybody else.
pub fn end_to_end_id(keys: &Keys, run: RunId, payee: PayeeId) -> String {
    hex::encode(&keys.blind_index("pay.end-to-end", &[*run.bytes(), *payee.bytes()].concat()))
}

/// Writes a batch's message to one bank, and wraps it for keeping.
pub(crate) fn write(
    keys: &Keys,
    key: &MessageKey<'_>,
    programme: &Programme,
    payer: &Payer,
    now: Instant,
    payees: &[(PayeeId, PayeeAccount)],
) -> Result<NewMessage, PayError> {
    let total = for_people(programme.amount, payees.len() as u64)?;
    let id = key.id(keys);
    let day = now.date_in("UTC").to_string();
    let header = iso20022::Header {
        message_id: Cow::Borrowed(&id),
        created: Cow::Owned(Instant::from_seconds(now.seconds()).to_string()),
        initiator: Cow::Borrowed(&payer.name),
        payment_id: Cow::Borrowed(&id),
        execution_date: Cow::Owned(day),
        debtor_name: Cow::Borrowed(&payer.name),
        debtor_account: iso20022::Account::Other(Cow::Borrowed(&payer.account)),
        debtor_agent: iso20022::Agent::Member(Cow::Borrowed(key.bank)),
        currency: iso20022::Currency::new(programme.currency.code(), programme.currency.exponent())
            .map_err(|_| Refusal::Unwritable)?,
    };
    let mut writer =
        iso20022::Writer::new(&header, payees.len(), total.minor()).map_err(|_| Refusal::Unwritable)?;
    let mut members = Vec::with_capacity(payees.len() * 16);
    for (payee, paid_on) in payees {
        let transfer = iso20022::Transfer {
            end_to_end_id: Cow::Owned(name_of(keys, key.run, *payee, key.batch)),
            amount_minor: programme.amount.minor(),
            creditor_name: Cow::Borrowed(&paid_on.holder),
            creditor_account: iso20022::Account::Other(Cow::Borrowed(&paid_on.account.number)),
            creditor_agent: None,
            remittance: Some(Cow::Borrowed(&payer.remittance)),
        };
        writer.push(&transfer).map_err(|_| Refusal::Unwritable)?;
        members.extend_from_slice(payee.bytes());
    }
    let body = writer.finish().map_err(|_| Refusal::Unwritable)?;
    Ok(NewMessage {
        batch: key.batch,
        bank: key.bank.to_owned(),
        people: payees.len() as u64,
        total,
        members: keys.wrap(&key.context("pay.members"), &members),
        body: keys.wrap(&key.context("pay.body"), &body),
    })
}

/// Whether the standard can carry a payment to this account; one that it cannot would spoil the message for all others.
pub(crate) fn is_writable(paid_on: &PayeeAccount) -> bool {
    let fits = |text: &str, most: usize| {
        !text.is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control)
    };
    fits(&paid_on.holder, 140) && fits(&paid_on.account.number, 34)
}

pub(crate) fn open_body(keys: &Keys, key: &MessageKey<'_>, wrapped: &[u8]) -> Result<Vec<u8>, TrustError> {
    keys.unwrap(&key.context("pay.body"), wrapped).map(|body| body.to_vec())
}

pub(crate) fn open_members(
    keys: &Keys,
    key: &MessageKey<'_>,
    wrapped: &[u8],
) -> Result<Vec<PayeeId>, TrustError> {
    let members = keys.unwrap(&key.context("pay.members"), wrapped)?;
    Ok(members.chunks_exact(16).filter_map(PayeeId::from_slice).collect())
}

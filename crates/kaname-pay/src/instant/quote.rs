//! What a payment costs, promised for a while. A quote is kept nowhere: it is a keyed hash that only we can make.

use kaname_base::pack::InstantTerms;
use kaname_base::{Amount, Instant};
use kaname_codec::b64;
use kaname_trust::Keys;

use super::reserve::Order;
use crate::ids::joined;

/// A promise: this payment, until then, for nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quote {
    /// What the order must carry.
    pub token: String,
    /// Until when it holds.
    pub valid_until: Instant,
}

/// Quotes a payment. Instant payments cost their payer nothing; a country that wants fees would say so here.
pub fn quote(
    keys: &Keys,
    terms: &InstantTerms,
    now: Instant,
    payer: &str,
    payee: (&str, &str),
    amount: Amount,
) -> Quote {
    let valid_until = Instant::from_seconds(now.seconds() + terms.quote_seconds);
    Quote { token: b64::url_encode(&mac(keys, payer, payee, amount, valid_until)), valid_until }
}

/// Whether the order carries a quote of ours for itself that holds.
pub(super) fn holds(keys: &Keys, now: Instant, payer: &str, order: &Order) -> bool {
    let payee = (order.payee.as_str(), order.payee_account.as_str());
    let made = mac(keys, payer, payee, order.amount, order.valid_until);
    now <= order.valid_until && b64::url_encode(&made) == order.quote
}

fn mac(keys: &Keys, payer: &str, payee: (&str, &str), amount: Amount, until: Instant) -> [u8; 16] {
    let parts: [&[u8]; 5] = [
        payer.as_bytes(),
        payee.0.as_bytes(),
        payee.1.as_bytes(),
        &amount.minor().to_be_bytes(),
        &until.seconds().to_be_bytes(),
    ];
    keys.blind_index("pay.instant-quote", &joined(&parts))
}

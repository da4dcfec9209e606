//! Use case: reserve, the first phase of a payment.

use std::collections::HashMap;

use kaname_base::pack::{InstantTerms, Pack};
use kaname_base::{Amount, Env, Instant};
use kaname_store::{StoreError, Tx};
use kaname_trust::Keys;
use serde::{Deserialize, Serialize};

use super::participant::is_code;
use super::{Participant, Payment, PaymentId, Purpose, Refusal, State, books, quote, rules, table};
use crate::ids::{TransferKind, joined};
use crate::ledger;

/// What a payer's participant orders.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// Chosen by the payer's participant: the same id pays once.
    pub id: PaymentId,
    /// The participant that is to be paid.
    pub payee: String,
    /// The account there.
    pub payee_account: String,
    /// The account at the payer's participant, for refunds.
    pub payer_account: String,
    /// How much, in minor units of the pack's currency.
    pub amount: Amount,
    /// What it is for.
    pub purpose: Purpose,
    /// The quote; empty for a refund.
    pub quote: String,
    /// Until when the quote holds.
    pub valid_until: Instant,
    /// What the payee reads.
    pub text: String,
}

impl Order {
    /// Whether the money goes from the account that was paid to the account that paid.
    fn goes_back_on(&self, keys: &Keys, original: &Payment) -> bool {
        let there = Details::unwrap(keys, original);
        there.is_ok_and(|there| {
            there.payer_account == self.payee_account && there.payee_account == self.payer_account
        })
    }
}

/// The wrapped part of a payment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Details {
    pub(crate) payee_account: String,
    pub(crate) payer_account: String,
    pub(crate) text: String,
}

/// What reserving works with.
#[derive(Clone, Copy)]
pub struct With<'a> {
    /// The keys that wrap and quote.
    pub keys: &'a Keys,
    /// The country.
    pub pack: &'a Pack,
    /// Its terms.
    pub terms: &'a InstantTerms,
}

/// Reserves payments of one participant, each on what the ones before it left; the outcomes are in order. An order whose id is
/// there already is answered with how its payment stands.
///
/// # Errors
/// [`StoreError`]; nothing was written then.
pub fn reserve(
    env: &Env,
    tx: &mut Tx<'_>,
    with: With<'_>,
    payer: &Participant,
    orders: &[Order],
) -> Result<Vec<Result<Payment, Refusal>>, StoreError> {
    let facts = Facts::read(tx, orders)?;
    let mut drafts: Vec<Payment> = Vec::with_capacity(orders.len());
    let mut by_id: HashMap<PaymentId, usize> = HashMap::with_capacity(orders.len());
    let mut refunded: HashMap<PaymentId, Payment> = HashMap::new();
    // For each order: how it ends without the ledger, or which draft is its.
    let mut judged: Vec<Result<usize, Result<Payment, Refusal>>> = Vec::with_capacity(orders.len());
    for order in orders {
        let digest = digest(with.keys, &payer.code, order);
        if let Some(there) = facts.payments.get(&order.id) {
            judged.push(Err(again(there, &digest)));
            continue;
        }
        if let Some(draft) = by_id.get(&order.id) {
            judged.push(match drafts[*draft].digest == digest {
                true => Ok(*draft),
                false => Err(Err(Refusal::Ledger(crate::Refusal::IdReused))),
            });
            continue;
        }
        let original = match order.purpose {
            Purpose::Refund(id) => refunded.get(&id).or_else(|| facts.payments.get(&id)).cloned(),
            Purpose::Pay => None,
        };
        let goes_back = original.as_ref().is_some_and(|original| order.goes_back_on(with.keys, original));
        let judge = rules::Facts {
            payer,
            payee: facts.participants.get(order.payee.as_str()),
            is_quoted: quote::holds(with.keys, env.now, &payer.code, order),
            original: original.as_ref(),
            goes_back,
            now: env.now,
        };
        if let Err(refusal) = rules::check_order(with.terms, order.purpose, order.amount, &judge) {
            judged.push(Err(Err(refusal)));
            continue;
        }
        if let Some(mut original) = original {
            let sum = original.refunded.checked_add(order.amount);
            original.refunded = sum.expect("the rule has added it up");
            refunded.insert(original.id, original);
        }
        by_id.insert(order.id, drafts.len());
        judged.push(Ok(drafts.len()));
        drafts.push(draft(env, tx, with, payer, order, digest));
    }
    let transfers: Vec<_> = drafts
        .iter()
        .map(|payment| {
            books::reserve(
                payment.pending,
                &payment.payer,
                &payment.payee,
                payment.amount,
                with.pack.currency,
            )
        })
        .collect();
    let posted = ledger::post_batch(env, tx, &transfers)?;
    let outcomes: Vec<Result<Payment, Refusal>> = drafts
        .into_iter()
        .zip(posted)
        .map(|(draft, posted)| match posted {
            Ok(_) => Ok(draft),
            Err(crate::Refusal::InsufficientFunds) => Err(Refusal::NetDebitCap),
            Err(refusal) => Err(Refusal::Ledger(refusal)),
        })
        .collect();
    let accepted: Vec<Payment> = outcomes.iter().filter_map(|outcome| outcome.clone().ok()).collect();

    table::insert_payments(tx, &accepted)?;
    table::update_payments(tx, &originals(&accepted, &facts.payments))?;
    Ok(judged
        .into_iter()
        .map(|one| one.map_or_else(|ended| ended, |draft| outcomes[draft].clone()))
        .collect())
}

/// The payments of which a part goes back now, each once.
fn originals(accepted: &[Payment], there: &HashMap<PaymentId, Payment>) -> Vec<Payment> {
    let mut changed: HashMap<PaymentId, Payment> = HashMap::new();
    for refund in accepted {
        let Purpose::Refund(id) = refund.purpose else { continue };
        let original = changed.entry(id).or_insert_with(|| there[&id].clone());
        let sum = original.refunded.checked_add(refund.amount);
        original.refunded = sum.expect("the rule has added it up");
    }
    changed.into_values().collect()
}

/// The same order again is answered as it stands; another one under the id is refused.
fn again(there: &Payment, digest: &[u8; 16]) -> Result<Payment, Refusal> {
    match there.digest == *digest {
        true => Ok(there.clone()),
        false => Err(Refusal::Ledger(crate::Refusal::IdReused)),
    }
}

/// The payment of an order, before the ledger has agreed.
fn draft(
    env: &Env,
    tx: &Tx<'_>,
    with: With<'_>,
    payer: &Participant,
    order: &Order,
    digest: [u8; 16],
) -> Payment {
    let details = Details {
        payee_account: order.payee_account.clone(),
        payer_account: order.payer_account.clone(),
        text: order.text.clone(),
    };
    Payment {
        id: order.id,
        payer: payer.code.clone(),
        payee: order.payee.clone(),
        amount: order.amount,
        purpose: order.purpose,
        reserved_at: env.now,
        state: State::Reserved,
        reason: String::new(),
        compensation: Amount::ZERO,
        refunded: Amount::ZERO,
        window: 0,
        digest,
        pending: env.id::<TransferKind>(tx.bucket()),
        details: details.wrap(with.keys, order.id),
        due: Some(env.now),
        attempts: 0,
        ask_after: env.now.plus_seconds(with.terms.first_status_seconds),
        told: 0,
        version: 0,
    }
}

/// What is known before any order is judged.
struct Facts {
    participants: HashMap<String, Participant>,
    /// Payments under the orders' ids, and those that refunds name.
    payments: HashMap<PaymentId, Payment>,
}

impl Facts {
    fn read(tx: &mut Tx<'_>, orders: &[Order]) -> Result<Facts, StoreError> {
        let mut codes: Vec<&str> =
            orders.iter().map(|order| order.payee.as_str()).filter(|code| is_code(code)).collect();
        codes.sort_unstable();
        codes.dedup();
        let participants = table::participants(tx, &codes)?.into_iter().flatten();
        let participants = participants.map(|one| (one.code.clone(), one)).collect();
        let named = orders.iter().filter_map(|order| match order.purpose {
            Purpose::Refund(id) => Some(id),
            Purpose::Pay => None,
        });
        let mut ids: Vec<PaymentId> = orders.iter().map(|order| order.id).chain(named).collect();
        ids.sort_unstable();
        ids.dedup();
        let payments = table::payments(tx, &ids)?.into_iter().flatten();
        Ok(Facts { participants, payments: payments.map(|one| (one.id, one)).collect() })
    }
}

/// What tells whether an order is the one that stands under its id. The quote is not part of it: who asks again may have a new one.
fn digest(keys: &Keys, payer: &str, order: &Order) -> [u8; 16] {
    let (purpose, original): (u8, &[u8]) = match &order.purpose {
        Purpose::Pay => (1, &[]),
        Purpose::Refund(id) => (2, id.bytes()),
    };
    let parts: [&[u8]; 8] = [
        payer.as_bytes(),
        order.payee.as_bytes(),
        order.payee_account.as_bytes(),
        order.payer_account.as_bytes(),
        &order.amount.minor().to_be_bytes(),
        &[purpose],
        original,
        order.text.as_bytes(),
    ];
    keys.blind_index("pay.instant-order", &joined(&parts))
}

impl Details {
    fn wrap(&self, keys: &Keys, id: PaymentId) -> Vec<u8> {
        let plain = serde_json::to_vec(self).expect("three texts serialise");
        keys.wrap(&context(id), &plain)
    }

    pub(crate) fn unwrap(keys: &Keys, payment: &Payment) -> Result<Details, kaname_trust::TrustError> {
        let plain = keys.unwrap(&context(payment.id), &payment.details)?;
        serde_json::from_slice(&plain).map_err(|_| kaname_trust::TrustError::Unreadable("pay.instant"))
    }
}

fn context(id: PaymentId) -> Vec<u8> {
    [b"pay.instant\0".as_slice(), id.bytes()].concat()
}

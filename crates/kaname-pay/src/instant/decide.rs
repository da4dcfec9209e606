//! Use case: the second phase of payments. The payee's participant takes them, or does not.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use kaname_base::Env;
use kaname_base::pack::{InstantTerms, Pack};
use kaname_store::{StoreError, Tx};

use super::rules::{self, Step, Verdict};
use super::{Payment, PaymentId, Purpose, Refusal, State, books, table};
use crate::ids::TransferKind;
use crate::ledger::{self, Kind, Transfer};

/// What the payee's participant says of one payment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// Which payment.
    pub id: PaymentId,
    /// Whether it takes it.
    pub verdict: Verdict,
    /// Why not: a word of the participant's.
    pub reason: String,
}

/// Ends payments to the participant `payee` as it decides; the outcomes are in order. The first end counts.
///
/// # Errors
/// [`StoreError`]; nothing was written then.
pub fn decide(
    env: &Env,
    tx: &mut Tx<'_>,
    (pack, terms): (&Pack, &InstantTerms),
    payee: &str,
    decisions: &[Decision],
) -> Result<Vec<Result<Payment, Refusal>>, StoreError> {
    let mut ids: Vec<PaymentId> = decisions.iter().map(|decision| decision.id).collect();
    ids.sort_unstable();
    ids.dedup();
    let found = table::payments(tx, &ids)?.into_iter().flatten();
    let mut there: HashMap<PaymentId, Payment> =
        found.filter(|payment| payment.payee == payee).map(|payment| (payment.id, payment)).collect();
    let mut ended: Vec<PaymentId> = Vec::with_capacity(decisions.len());
    let judged: Vec<Result<PaymentId, Refusal>> = decisions
        .iter()
        .map(|decision| {
            let payment = there.get_mut(&decision.id).ok_or(Refusal::NoSuchPayment)?;
            if let Step::To(state) = rules::judge(terms, payment, decision.verdict, env.now)? {
                payment.state = state;
                payment.reason = match state {
                    State::Committed => String::new(),
                    _ => word(&decision.reason),
                };
                ended.push(payment.id);
            }
            Ok(decision.id)
        })
        .collect();
    let ended: Vec<Payment> = ended.iter().map(|id| there[id].clone()).collect();

    for payment in end(env, tx, pack, ended)? {
        there.insert(payment.id, payment);
    }
    Ok(judged.into_iter().map(|one| one.map(|id| there[&id].clone())).collect())
}

/// Writes payments that have come to their end: money moves or is released, refunds that came to nothing are given back to their
/// originals, and the worker tells both participants.
pub(super) fn end(
    env: &Env,
    tx: &mut Tx<'_>,
    pack: &Pack,
    mut ended: Vec<Payment>,
) -> Result<Vec<Payment>, StoreError> {
    if ended.is_empty() {
        return Ok(ended);
    }
    let window = table::open_window(tx)?.unwrap_or_default();
    let mut given_back: HashMap<PaymentId, Payment> = HashMap::new();
    for refund in ended.iter().filter(|payment| payment.state != State::Committed) {
        let Purpose::Refund(id) = refund.purpose else { continue };
        if let Entry::Vacant(place) = given_back.entry(id)
            && let Some(original) = table::payments(tx, &[id])?.pop().flatten()
        {
            place.insert(original);
        }
        if let Some(original) = given_back.get_mut(&id) {
            let rest = original.refunded.checked_sub(refund.amount);
            original.refunded = rest.expect("a refund was added when it was reserved");
        }
    }
    let transfers: Vec<Transfer> = ended
        .iter()
        .map(|payment| {
            let reserved = books::reserve(
                payment.pending,
                &payment.payer,
                &payment.payee,
                payment.amount,
                pack.currency,
            );
            let kind = match payment.state {
                State::Committed => Kind::PostOf(payment.pending),
                _ => Kind::VoidOf(payment.pending),
            };
            books::end(env.id::<TransferKind>(tx.bucket()), kind, &reserved)
        })
        .collect();
    for payment in &mut ended {
        payment.due = Some(env.now);
        payment.attempts = 0;
        payment.window = if payment.state == State::Committed { window } else { 0 };
    }

    // First the versions: whoever was slower begins again here, before the ledger would refuse to end a transfer twice.
    table::update_payments(tx, &given_back.into_values().collect::<Vec<_>>())?;
    table::update_payments(tx, &ended)?;
    for posted in ledger::post_batch(env, tx, &transfers)? {
        posted.map_err(|_| StoreError::Conflict)?;
    }
    for payment in &mut ended {
        payment.version += 1;
    }
    Ok(ended)
}

/// A participant's reason as a word: small letters, digits and hyphens, at most 32.
pub(super) fn word(reason: &str) -> String {
    let kept = reason.chars().filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-');
    let word: String = kept.take(32).collect();
    if word.is_empty() { "declined".to_owned() } else { word }
}

//! Use case: a participant asks how a payment stands. The answer says when to ask again; whoever asks sooner is told to wait.

use kaname_base::pack::InstantTerms;
use kaname_base::{Env, Instant};
use kaname_store::Tx;

use super::{Payment, PaymentId, Refusal, table};
use crate::PayError;

/// A payment, and in how many seconds to ask again if it is not final.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// As it stands.
    pub payment: Payment,
    /// When to ask again; `None` when it is final.
    pub retry_after_seconds: Option<u32>,
}

/// How a payment of this participant stands, on either side.
///
/// # Errors
/// [`Refusal::NoSuchPayment`]; [`Refusal::AskedTooSoon`] before the time that was given.
pub fn status(
    env: &Env,
    tx: &mut Tx<'_>,
    terms: &InstantTerms,
    participant: &str,
    id: PaymentId,
) -> Result<Told, PayError> {
    let found = table::payments(tx, &[id])?.pop().flatten();
    let is_theirs =
        |payment: &Payment| [&payment.payer, &payment.payee].iter().any(|code| *code == participant);
    let mut payment = found.filter(is_theirs).ok_or(Refusal::NoSuchPayment)?;
    if payment.state.is_final() {
        return Ok(Told { payment, retry_after_seconds: None });
    }
    if env.now < payment.ask_after {
        let retry_after_seconds = seconds_until(env.now, payment.ask_after);
        return Err(Refusal::AskedTooSoon { retry_after_seconds }.into());
    }
    // As long again as it has taken so far: the questions become fewer by themselves.
    let waited = env.now.seconds().saturating_sub(payment.reserved_at.seconds());
    let wait = waited.clamp(terms.first_status_seconds, terms.longest_status_seconds);
    payment.ask_after = env.now.plus_seconds(wait);

    table::update_payments(tx, std::slice::from_ref(&payment))?;
    payment.version += 1;
    Ok(Told { retry_after_seconds: Some(seconds_until(env.now, payment.ask_after)), payment })
}

/// Rounded up, at least one.
pub(super) fn seconds_until(now: Instant, then: Instant) -> u32 {
    let micros = then.micros().saturating_sub(now.micros()).max(1);
    u32::try_from(micros.unsigned_abs().div_ceil(1_000_000)).unwrap_or(u32::MAX)
}

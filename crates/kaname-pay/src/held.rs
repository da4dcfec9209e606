//! Use case: everything that the payments hold on a person, for her.

use kaname_base::Instant;
use kaname_store::Tx;
use kaname_trust::held::Held;
use kaname_trust::{Keys, Receipt};
use serde::Serialize;

use crate::payee::{PayeeAccount, PayeeState};
use crate::payout::{Voucher, payments_of};
use crate::{PayError, ids, payee, payout};

/// What the receipt is for.
pub const FIELDS: &[&str] = &["payments", "account", "vouchers"];

/// A payment, which has no seal of its own: its row names nobody.
#[derive(Serialize)]
struct Paid {
    run: String,
    programme: String,
    currency: String,
    amount_minor: String,
    planned_at: Instant,
    reason: String,
}

/// Her account, every payment she was entitled to, and the vouchers.
///
/// # Errors
/// [`PayError`] when something cannot be read or does not open.
pub fn held(tx: &mut Tx<'_>, keys: &Keys, receipt: &Receipt<'_>) -> Result<Vec<Held>, PayError> {
    let own = ids::payee(keys, receipt.person());
    let mut all = Vec::new();
    if let Some(row) = payee::table::payees(tx, &[own])?.pop().flatten() {
        let state = match row.state {
            PayeeState::Active => "active",
            PayeeState::Refused(reason) => reason.code(),
            PayeeState::Suspended => "suspended",
            PayeeState::Closed => "closed",
        };
        all.push(Held::open::<PayeeAccount>(receipt, state, &row.record)?);
    }
    for payment in payments_of(tx, keys, receipt, i64::MAX)? {
        let paid = Paid {
            run: payment.run.to_string(),
            programme: payment.programme.code,
            currency: payment.programme.currency.code().to_owned(),
            amount_minor: payment.programme.amount.minor().to_string(),
            planned_at: payment.planned_at,
            reason: payment.reason,
        };
        all.push(Held::plain("pay.payment", payment.state.code(), &paid));
        if let Some(sealed) = payout::table::voucher(tx, payment.run, own)? {
            all.push(Held::open::<Voucher>(receipt, "", &sealed)?);
        }
    }
    Ok(all)
}

//! The order of the ledger's refusals, as a table in text.

use kaname_base::Amount;
use kaname_pay::ledger::rules::{Decision, Facts, Resolution, Standing, decide};
use kaname_pay::ledger::{Account, Kind, Limit, Side, Transfer};
use kaname_pay::{AccountId, TransferId};

use super::world::{amount, currency};

/// What is wrong, and which refusal is given. Each line leaves out the first fault of the one above.
const ORDER: &str = "
    posted: id-taken same zero no-debit no-credit other-currency overflow poor -> id-reused
    posted: same zero no-debit no-credit other-currency overflow poor -> same-account
    posted: zero no-debit no-credit other-currency overflow poor -> amount-zero
    posted: no-debit no-credit other-currency overflow poor -> no-such-debit-account
    posted: no-credit other-currency overflow poor -> no-such-credit-account
    posted: other-currency closed overflow poor -> currency-differs
    posted: closed overflow poor -> account-closed
    posted: credit-closed overflow poor -> account-closed
    posted: overflow poor -> overflow
    posted: poor debtor -> insufficient-funds
    posted: debtor -> exceeds-debits
    posted: -> moves
    posted: stands same zero no-debit -> stands
    pending: overflow poor -> overflow
    pending: poor debtor -> insufficient-funds
    pending: debtor -> exceeds-debits
    pending: -> moves
    pending-until: over poor -> pending-expired
    pending-until: poor -> insufficient-funds
    pending-until: -> moves
    up-to-debit: overflow -> overflow
    up-to-debit: nothing-left debtor -> insufficient-funds
    up-to-debit: debtor -> exceeds-debits
    up-to-debit: half-left -> moves 40
    up-to-debit: -> moves
    up-to-credit: nothing-left -> exceeds-debits
    up-to-credit: lent-60 poor -> insufficient-funds
    up-to-credit: lent-60 -> moves 60
    close: same zero -> same-account
    close: zero -> moves 0
    close: closed zero -> account-closed
    close: poor -> insufficient-funds
    close: -> moves
    post-of: other-currency no-pending -> currency-differs
    post-of: closed no-pending -> account-closed
    post-of: no-pending posted-before -> no-such-pending
    post-of: not-pending other-code too-much posted-before -> not-pending
    post-of: other-code too-much posted-before -> pending-differs
    post-of: too-much posted-before overflow -> pending-amount
    post-of: posted-before overflow -> already-posted
    post-of: voided-before overflow -> already-voided
    post-of: overflow -> overflow
    post-of: -> moves
    post-of: timed over voided-before -> already-voided
    post-of: timed over -> pending-expired
    post-of: expired-before -> pending-expired
    post-of: timed -> moves
    void-of: closed too-little posted-before -> pending-amount
    void-of: zero -> amount-zero
    void-of: timed over -> pending-expired
    expiry-of: too-little -> pending-amount
    expiry-of: posted-before -> already-posted
    expiry-of: expired-before -> pending-expired
    expiry-of: timed -> not-expired
    expiry-of: over -> not-expired
    expiry-of: timed over closed -> moves
    void-of: posted-before -> already-posted
    void-of: voided-before overflow -> already-voided
    void-of: overflow poor -> moves
    void-of: -> moves";

#[test]
fn refusals_come_in_the_documented_order() {
    let mut lines = 0;
    for line in ORDER.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (kind, rest) = line.split_once(':').unwrap();
        let (faults, expected) = rest.split_once("->").unwrap();
        let faults: Vec<&str> = faults.split_whitespace().collect();
        assert_eq!(outcome(kind, &faults), expected.trim(), "{line}");
        lines += 1;
    }
    assert_eq!(lines, ORDER.lines().count() - 1, "every line was read");
    assert_eq!(lines, 60);
}

fn outcome(kind: &str, faults: &[&str]) -> String {
    let has = |fault: &str| faults.contains(&fault);
    let id = |number: u8| TransferId::from_bytes([number; 16]);
    let other = kaname_base::Currency::new("JPY", 0).unwrap();
    let account =
        |number: u8, currency| Account::new(AccountId::from_bytes([number; 16]), currency, 1, Limit::None);
    let pending = Transfer {
        id: id(2),
        debit: account(1, currency()).id,
        credit: account(2, currency()).id,
        amount: amount(100),
        kind: match () {
            () if has("not-pending") => Kind::Posted,
            () if has("timed") => Kind::PendingUntil(kaname_base::Instant::from_seconds(10)),
            () => Kind::Pending,
        },
        code: if has("other-code") { 9 } else { 1 },
    };
    let transfer = Transfer {
        id: id(1),
        credit: if has("same") { pending.debit } else { pending.credit },
        amount: match () {
            () if has("zero") => Amount::ZERO,
            () if has("too-much") => amount(101),
            () if has("too-little") => amount(99),
            () => amount(100),
        },
        kind: match kind {
            "posted" => Kind::Posted,
            "pending" => Kind::Pending,
            "pending-until" => Kind::PendingUntil(kaname_base::Instant::from_seconds(10)),
            "up-to-debit" => Kind::UpTo(Side::Debit),
            "up-to-credit" => Kind::UpTo(Side::Credit),
            "close" => Kind::Close(Side::Debit),
            "expiry-of" => Kind::ExpiryOf(id(2)),
            "post-of" => Kind::PostOf(id(2)),
            _ => Kind::VoidOf(id(2)),
        },
        code: 1,
        ..pending
    };
    let mut debit = account(1, currency());
    let mut credit = account(2, if has("other-currency") { other } else { currency() });
    (debit.debits_pending, credit.credits_pending) = (amount(100), amount(100));
    debit.credits_posted = if has("poor") { amount(50) } else { amount(1_000) };
    debit.limit = Limit::DebitsUpToCredits;
    if has("nothing-left") || has("half-left") {
        // So much came in, 10 went out, and 100 is reserved.
        debit.credits_posted = amount(if has("half-left") { 150 } else { 110 });
        debit.debits_posted = amount(10);
    }
    // The account lent so much, and 100 of it is on its way back.
    credit.debits_posted = amount(if has("lent-60") { 160 } else { 100 });
    (debit.closed, credit.closed) = (has("closed"), has("credit-closed"));
    if has("overflow") {
        (credit.credits_posted, credit.credits_pending) =
            (Amount::MAX.checked_sub(amount(50)).unwrap(), amount(50));
        if matches!(transfer.kind, Kind::PostOf(_) | Kind::VoidOf(_)) {
            credit.credits_pending = amount(100);
        }
    }
    if has("debtor") {
        (credit.limit, credit.debits_posted) = (Limit::CreditsUpToDebits, amount(150));
    }
    let taken = Transfer { amount: amount(7), ..transfer };
    let now = kaname_base::Instant::from_seconds(if has("over") { 10 } else { 1 });
    let standing = |transfer| Standing { transfer, moved: transfer.amount, at: now };
    let (taken, stands) = (standing(taken), standing(transfer));
    let facts = Facts {
        now,
        existing: match () {
            () if has("id-taken") => Some(&taken),
            () if has("stands") => Some(&stands),
            () => None,
        },
        debit: (!has("no-debit")).then_some(&debit),
        credit: (!has("no-credit")).then_some(&credit),
        pending: (!has("no-pending")).then_some(&pending),
        resolved: match () {
            () if has("posted-before") => Some(Resolution::Posted),
            () if has("voided-before") => Some(Resolution::Voided),
            () if has("expired-before") => Some(Resolution::Expired),
            () => None,
        },
    };
    match decide(&transfer, &facts) {
        Ok(Decision::Stands(..)) => "stands".to_owned(),
        Ok(Decision::Move { amount, .. }) if amount == transfer.amount && !has("zero") => "moves".to_owned(),
        Ok(Decision::Move { amount, .. }) => format!("moves {}", amount.minor()),
        Err(refusal) => refusal.code().to_owned(),
    }
}

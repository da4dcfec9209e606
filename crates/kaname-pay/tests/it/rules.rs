//! The order of the ledger's refusals, as a table in text.

use kaname_base::Amount;
use kaname_pay::ledger::rules::{Decision, Facts, Resolution, decide};
use kaname_pay::ledger::{Account, Kind, Limit, Transfer};
use kaname_pay::{AccountId, TransferId};

use super::world::{amount, currency};

/// What is wrong, and which refusal is given. Each line leaves out the first fault of the one above.
const ORDER: &str = "
    posted: id-taken same zero no-debit no-credit other-currency overflow poor -> id-reused
    posted: same zero no-debit no-credit other-currency overflow poor -> same-account
    posted: zero no-debit no-credit other-currency overflow poor -> amount-zero
    posted: no-debit no-credit other-currency overflow poor -> no-such-debit-account
    posted: no-credit other-currency overflow poor -> no-such-credit-account
    posted: other-currency overflow poor -> currency-differs
    posted: overflow poor -> overflow
    posted: poor debtor -> insufficient-funds
    posted: debtor -> exceeds-debits
    posted: -> moves
    posted: stands same zero no-debit -> stands
    pending: overflow poor -> overflow
    pending: poor debtor -> insufficient-funds
    pending: debtor -> exceeds-debits
    pending: -> moves
    post-of: other-currency no-pending -> currency-differs
    post-of: no-pending posted-before -> no-such-pending
    post-of: not-pending other-code too-much posted-before -> not-pending
    post-of: other-code too-much posted-before -> pending-differs
    post-of: too-much posted-before overflow -> pending-amount
    post-of: posted-before overflow -> already-posted
    post-of: voided-before overflow -> already-voided
    post-of: overflow -> overflow
    post-of: -> moves
    void-of: too-little posted-before -> pending-amount
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
    assert_eq!(lines, 29, "every line was read");
}

fn outcome(kind: &str, faults: &[&str]) -> &'static str {
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
        kind: if has("not-pending") { Kind::Posted } else { Kind::Pending },
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
    let now = kaname_base::Instant::from_seconds(1);
    let facts = Facts {
        existing: match () {
            () if has("id-taken") => Some((&taken, now)),
            () if has("stands") => Some((&transfer, now)),
            () => None,
        },
        debit: (!has("no-debit")).then_some(&debit),
        credit: (!has("no-credit")).then_some(&credit),
        pending: (!has("no-pending")).then_some(&pending),
        resolved: match () {
            () if has("posted-before") => Some(Resolution::Posted),
            () if has("voided-before") => Some(Resolution::Voided),
            () => None,
        },
    };
    match decide(&transfer, &facts) {
        Ok(Decision::Stands(_)) => "stands",
        Ok(Decision::Move { .. }) => "moves",
        Err(refusal) => refusal.code(),
    }
}

//! Whether the chain of an account leads from what it holds to nothing, through each of its transfers, past each mark.

use kaname_base::Instant;
use kaname_store::{StoreError, Tx};

use super::Sums;
use crate::ledger::statement::{MARK_EVERY, Step, Walk};
use crate::ledger::{Account, balance};

/// Walks the chain back to its first link; says what is wrong with it. Marks that are as they should be are added to `marks`.
pub(super) fn check(
    tx: &mut Tx<'_>,
    account: &Account,
    sums: &Sums,
    marks: &mut i64,
) -> Result<Option<String>, StoreError> {
    let id = account.id;
    // Transfers that were made before there were chains are in none: each of them names none before.
    let unchained = sums.transfers - account.version;
    if unchained < 0 || sums.firsts != unchained + i64::from(account.version > 0) {
        return Ok(Some(format!("not every transfer of {id} is in its chain")));
    }
    let mut walk = Walk::new(*account);
    let mut later = Instant::from_micros(i64::MAX);
    loop {
        let entry = match walk.step(tx)? {
            Step::Entry(entry) => entry,
            Step::End => break,
            Step::Broken(why) => return Ok(Some(format!("the chain of {id} {why}"))),
        };
        if entry.transfer.at > later {
            return Ok(Some(format!(
                "the chain of {id} goes back in time at {}",
                entry.transfer.transfer.id
            )));
        }
        later = entry.transfer.at;
        if entry.after.version % MARK_EVERY == 0 {
            match balance::mark(tx, &entry.after, entry.transfer.at)? {
                Some(mark) if mark == entry.after => *marks += 1,
                _ => return Ok(Some(format!("the history of {id} differs from its transfers"))),
            }
        }
    }
    let rest = walk.account;
    let is_nothing = [rest.debits_posted, rest.credits_posted, rest.debits_pending, rest.credits_pending]
        .iter()
        .all(|sum| sum.minor() == 0);
    Ok(match () {
        () if rest.version != 0 => Some(format!("the chain of {id} is broken off")),
        () if unchained == 0 && !is_nothing => Some(format!("the chain of {id} does not begin with nothing")),
        () => None,
    })
}

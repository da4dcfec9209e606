//! Transfers posted between random pairs of accounts.

use kaname_base::Amount;
use kaname_pay::ledger::{Account, Kind, Limit, Transfer, fsck, open_accounts, post_batch};
use kaname_pay::{AccountId, PayError};
use kaname_sim::random::Random;

use super::{Measured, Place};
use crate::clock;
use crate::command::program;
use crate::error::Failure;

const ACCOUNTS: u64 = 10_000;
const BATCH: u64 = 8_192;

pub(super) fn measure(place: &Place, count: u64) -> Result<Measured, Failure> {
    let deployment = place.deployment(1, 0)?;
    let (store, currency) = (&deployment.store, deployment.pack.currency);
    let home = store.buckets().home();
    let ids: Vec<AccountId> =
        (0..ACCOUNTS).map(|_| AccountId::from_bytes(kaname_trust::keys::random())).collect();
    let accounts: Vec<Account> = ids.iter().map(|id| Account::new(*id, currency, 1, Limit::None)).collect();
    store.write::<_, PayError, _>(home, move |tx| Ok(open_accounts(tx, &accounts)?))?;
    let mut random = Random::new(7, 0);
    let amount = Amount::from_minor(100).expect("a small amount");
    let mut pair = || loop {
        let (debit, credit) = (random.below(ACCOUNTS), random.below(ACCOUNTS));
        if debit != credit {
            return (ids[debit as usize], ids[credit as usize]);
        }
    };
    let pairs: Vec<(AccountId, AccountId)> = (0..count).map(|_| pair()).collect();

    let measured = super::measure(place, "ledger", "transfers", || {
        for pairs in pairs.chunks(BATCH as usize) {
            let env = clock::env();
            let transfer = |(debit, credit): &(AccountId, AccountId)| Transfer {
                id: env.id(home),
                debit: *debit,
                credit: *credit,
                amount,
                kind: Kind::Posted,
                code: 1,
            };
            let batch: Vec<Transfer> = pairs.iter().map(transfer).collect();
            let outcomes =
                store.write::<_, PayError, _>(home, move |tx| Ok(post_batch(&env, tx, &batch)?))?;
            if let Some(refusal) = outcomes.into_iter().find_map(Result::err) {
                return Err(Failure::refused(refusal));
            }
        }
        Ok(count)
    })?;
    let findings = fsck(store, &program())?;
    match findings.is_sound() && findings.transfers == count {
        true => Ok(measured),
        false => Err(Failure::refused("the books do not add up after the bench")),
    }
}

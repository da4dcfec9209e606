//! Money between buckets: out of one bucket into its clearing account, and out of the other's clearing account to where it
//! belongs, in two units of work. What was sent and has not arrived stands in the sender's outbox.
//!
//! Both legs are transfers with an id derived from the sender's, the leg in the hash: whoever carries the money over may be
//! killed anywhere and start again. Over all buckets the clearing accounts sum up to what is on its way.

use kaname_base::{Amount, Bucket, Currency, Env};
use kaname_store::{Store, StoreError, Tx};

use crate::PayError;
use crate::ids::{AccountId, TransferId, digest, system_account};
use crate::ledger::table::{self, Outgoing};
use crate::ledger::{Account, Kind, Limit, Transfer, open_accounts, post_batch};

/// How many are carried over at a time.
const PAGE: i64 = 1_024;

/// What is to be sent to an account of another bucket (or of the same: the way is the same).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Send {
    /// Chosen by the caller, once for both legs. It stands for the destination too: asked again, nothing more is sent.
    pub id: TransferId,
    /// Which account of the unit's bucket pays.
    pub from: AccountId,
    /// Where the money goes.
    pub to_bucket: Bucket,
    /// Which account receives there.
    pub to: AccountId,
    /// In which currency.
    pub currency: Currency,
    /// How much.
    pub amount: Amount,
    /// What for.
    pub code: u16,
}

/// The bucket's clearing account for a currency.
pub fn clearing_account(currency: Currency) -> AccountId {
    system_account("clearing", currency, b"")
}

/// Where money lies that arrived for an account which is not there.
pub fn suspense_account(currency: Currency) -> AccountId {
    system_account("suspense", currency, b"")
}

/// Takes money out of the unit's bucket and notes where it goes. All of it is sent, or nothing.
///
/// # Errors
/// The first refusal of the ledger, [`StoreError`].
pub fn send(env: &Env, tx: &mut Tx<'_>, sends: &[Send]) -> Result<(), PayError> {
    let mut opened: Vec<Currency> = Vec::new();
    for send in sends {
        if !opened.contains(&send.currency) {
            open_accounts(tx, &own_accounts(send.currency))?;
            opened.push(send.currency);
        }
    }
    let legs: Vec<Transfer> = sends.iter().map(leg_out).collect();
    let mut outbox = Vec::new();
    for (outcome, send) in post_batch(env, tx, &legs)?.into_iter().zip(sends) {
        // One that stood there before is on its way, or has arrived: it is not to be sent again.
        if !outcome?.again {
            outbox.push(outgoing(send));
        }
    }
    table::insert_outbox(tx, &outbox)?;
    Ok(())
}

/// Carries over what stands in the outbox of `from`. Returns how many arrived.
///
/// # Errors
/// [`StoreError`]; what is left over is carried the next time.
pub fn carry(store: &Store, env: &Env, from: Bucket) -> Result<u64, PayError> {
    let mut carried = 0;
    let mut after: Vec<u8> = Vec::new();
    loop {
        let start = after.clone();
        let page = store.read::<_, StoreError, _>(from, move |tx| table::outbox(tx, &start, PAGE))?;
        let Some(last) = page.last() else { return Ok(carried) };
        after = last.id.bytes().to_vec();
        for outgoing in page {
            if let Some(to) = store.buckets().get(outgoing.to_bucket) {
                let (arriving, env) = (outgoing.clone(), env.again());
                store.write::<_, PayError, _>(to, move |tx| receive(&env, tx, from, &arriving))?;
                let id = outgoing.id;
                store.write::<_, StoreError, _>(from, move |tx| table::arrived(tx, id))?;
                carried += 1;
            }
        }
    }
}

/// Lets money that was sent arrive in the unit's bucket, once. An account that is not there does not stop it: it goes to
/// the suspense account, where `fsck` finds it.
pub(crate) fn receive(env: &Env, tx: &mut Tx<'_>, from: Bucket, outgoing: &Outgoing) -> Result<(), PayError> {
    open_accounts(tx, &own_accounts(outgoing.currency))?;
    let leg = leg_in(from, outgoing);
    let suspended = Transfer { credit: suspense_account(outgoing.currency), ..leg };
    let stands = table::transfers(tx, &[leg.id])?.iter().any(|standing| standing.transfer == suspended);
    let outcome = post_batch(env, tx, &[leg])?.remove(0);
    if outcome.is_err() && !stands {
        post_batch(env, tx, &[suspended])?.remove(0)?;
    }
    Ok(())
}

/// The transfer by which money arrives.
pub(crate) fn leg_in(from: Bucket, outgoing: &Outgoing) -> Transfer {
    Transfer {
        id: leg_id(outgoing.id, b"in", from.index()),
        debit: clearing_account(outgoing.currency),
        credit: outgoing.to_account,
        amount: outgoing.amount,
        kind: Kind::Posted,
        code: outgoing.code,
    }
}

fn leg_out(send: &Send) -> Transfer {
    Transfer {
        id: leg_id(send.id, b"out", 0),
        debit: send.from,
        credit: clearing_account(send.currency),
        amount: send.amount,
        kind: Kind::Posted,
        code: send.code,
    }
}

/// The first eight bytes stay, so that legs sort by time like the sender's ids; the leg is in the rest, for both legs
/// may lie in one bucket.
fn leg_id(id: TransferId, leg: &[u8], other: u16) -> TransferId {
    let mut bytes = *id.bytes();
    let hash = digest(&[id.bytes(), leg, &other.to_be_bytes()]);
    bytes[8..].copy_from_slice(&hash[..8]);
    TransferId::from_bytes(bytes)
}

fn outgoing(send: &Send) -> Outgoing {
    Outgoing {
        id: send.id,
        to_bucket: send.to_bucket.index(),
        to_account: send.to,
        currency: send.currency,
        amount: send.amount,
        code: send.code,
    }
}

fn own_accounts(currency: Currency) -> [Account; 2] {
    [
        Account::new(clearing_account(currency), currency, 0, Limit::None),
        Account::new(suspense_account(currency), currency, 0, Limit::DebitsUpToCredits),
    ]
}

/// How much was sent under these ids, in minor units, arrived or not.
pub(crate) fn sent(tx: &mut Tx<'_>, ids: &[TransferId]) -> Result<u64, StoreError> {
    let mut legs: Vec<TransferId> = ids.iter().map(|id| leg_id(*id, b"out", 0)).collect();
    legs.sort_unstable();
    Ok(table::transfers(tx, &legs)?.iter().map(|leg| leg.moved.minor()).sum())
}

/// What stands in the unit's outbox for an account of other buckets: where to, and how much.
pub(crate) fn outgoing_to(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<(u16, u64)>, StoreError> {
    let mut found = Vec::new();
    let mut after: Vec<u8> = Vec::new();
    loop {
        let page = table::outbox(tx, &after, PAGE)?;
        let Some(last) = page.last() else { return Ok(found) };
        after = last.id.bytes().to_vec();
        let to_it = page.iter().filter(|outgoing| outgoing.to_account == account);
        found.extend(to_it.map(|outgoing| (outgoing.to_bucket, outgoing.amount.minor())));
    }
}

//! Use cases: let a bank or wallet take part, change its terms, suspend it.

use kaname_base::pack::Pack;
use kaname_base::{Amount, Env};
use kaname_codec::jose::JwkSet;
use kaname_person::four_eyes::{self, Approved};
use kaname_person::{Action, policy};
use kaname_store::{StoreError, Tx};
use kaname_trust::Actor;
use serde::{Deserialize, Serialize};

use super::{Participant, ParticipantKind, Refusal, Standing, books, table};
use crate::PayError;
use crate::ids::TransferKind;
use crate::ledger;

/// Somebody who is to take part.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NewParticipant {
    /// Small letters, digits and hyphens, at most 32.
    pub code: String,
    /// For people, at most 140 characters.
    pub name: String,
    /// Whether it is a wallet and no bank.
    pub is_wallet: bool,
    /// Where it is asked and told: https, or http on this machine.
    pub address: String,
    /// Its signing keys (a JWK set, RFC 7517); at least one for ES256.
    pub jwks: String,
    /// The most that it may owe the others between two settlements, in minor units.
    pub cap_minor: u64,
}

/// What of a participant is to change. What is `None` stays.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Change {
    /// Whose.
    pub code: String,
    /// Suspends it (`true`), or lets it go on.
    pub suspended: Option<bool>,
    /// Another cap, in minor units.
    pub cap_minor: Option<u64>,
    /// Other keys.
    pub jwks: Option<String>,
    /// Another address.
    pub address: Option<String>,
}

/// Lets somebody take part. `second` is another officer's approval, where the pack asks for one.
///
/// # Errors
/// [`Refusal::ParticipantForm`], [`Refusal::ParticipantThere`]; not allowed.
pub fn register(
    env: &Env,
    tx: &mut Tx<'_>,
    pack: &Pack,
    by: &Actor,
    second: Option<&Approved>,
    new: &NewParticipant,
) -> Result<(), PayError> {
    policy::may(by, Action::ManageParticipants)?;
    four_eyes::check(pack, Action::ManageParticipants, by, second)?;
    let keys = checked_keys(&new.jwks)?;
    let cap = Amount::from_minor(new.cap_minor).ok_or(Refusal::ParticipantForm)?;
    if !is_code(&new.code) || new.name.trim().is_empty() || new.name.chars().count() > 140 {
        return Err(Refusal::ParticipantForm.into());
    }
    check_address(&new.address)?;
    if participant(tx, &new.code)?.is_some() {
        return Err(Refusal::ParticipantThere.into());
    }
    let kind = if new.is_wallet { ParticipantKind::Wallet } else { ParticipantKind::Bank };
    let participant = Participant {
        code: new.code.clone(),
        name: new.name.clone(),
        kind,
        address: new.address.trim_end_matches('/').to_owned(),
        keys,
        standing: Standing::Active,
        cap,
        version: 0,
    };

    ledger::open_accounts(tx, &books::accounts(&new.code, pack.currency))?;
    table::insert_participant(tx, &participant, &new.jwks)?;
    if table::open_window(tx)?.is_none() {
        table::insert_window(tx, 1, env.now)?;
    }
    change_cap(env, tx, pack, &new.code, (Amount::ZERO, cap))
}

/// Changes a participant. A lower cap is refused while it owes more.
///
/// # Errors
/// [`Refusal::NoSuchParticipant`], [`Refusal::ParticipantForm`], [`Refusal::NetDebitCap`]; not allowed.
pub fn change(
    env: &Env,
    tx: &mut Tx<'_>,
    pack: &Pack,
    by: &Actor,
    second: Option<&Approved>,
    change: &Change,
) -> Result<(), PayError> {
    policy::may(by, Action::ManageParticipants)?;
    four_eyes::check(pack, Action::ManageParticipants, by, second)?;
    let mut one = participant(tx, &change.code)?.ok_or(Refusal::NoSuchParticipant)?;
    let cap_before = one.cap;
    if let Some(suspended) = change.suspended {
        one.standing = if suspended { Standing::Suspended } else { Standing::Active };
    }
    if let Some(cap) = change.cap_minor {
        one.cap = Amount::from_minor(cap).ok_or(Refusal::ParticipantForm)?;
    }
    if let Some(address) = &change.address {
        check_address(address)?;
        one.address = address.trim_end_matches('/').to_owned();
    }
    let jwks = match &change.jwks {
        Some(jwks) => {
            one.keys = checked_keys(jwks)?;
            jwks.clone()
        }
        None => jwks_of(&one.keys),
    };

    table::change_participant(tx, &one, &jwks)?;
    change_cap(env, tx, pack, &one.code, (cap_before, one.cap))
}

fn change_cap(
    env: &Env,
    tx: &mut Tx<'_>,
    pack: &Pack,
    code: &str,
    (before, after): (Amount, Amount),
) -> Result<(), PayError> {
    if before == after {
        return Ok(());
    }
    let is_raised = after > before;
    let difference = if is_raised { after.checked_sub(before) } else { before.checked_sub(after) };
    let by = difference.expect("the larger less the smaller");
    let transfer = books::cap(env.id::<TransferKind>(tx.bucket()), code, by, is_raised, pack.currency);
    match ledger::post(env, tx, &transfer) {
        Ok(_) => Ok(()),
        Err(PayError::Refused(crate::Refusal::InsufficientFunds)) => Err(Refusal::NetDebitCap.into()),
        Err(error) => Err(error),
    }
}

/// The participant with this code.
///
/// # Errors
/// [`StoreError`].
pub fn participant(tx: &mut Tx<'_>, code: &str) -> Result<Option<Participant>, StoreError> {
    Ok(table::participants(tx, &[code])?.pop().flatten())
}

/// All who take part, by code.
///
/// # Errors
/// [`StoreError`].
pub fn participants(tx: &mut Tx<'_>) -> Result<Vec<Participant>, StoreError> {
    table::all_participants(tx)
}

/// What a participant received less what it paid, not yet settled, in minor units; and what it still may pay.
///
/// # Errors
/// [`Refusal::NoSuchParticipant`]; [`StoreError`].
pub fn position(tx: &mut Tx<'_>, pack: &Pack, code: &str) -> Result<(i64, Amount), PayError> {
    let one = participant(tx, code)?.ok_or(Refusal::NoSuchParticipant)?;
    let account = ledger::accounts(tx, &[books::position(code, pack.currency)])?.pop().flatten();
    let account = account.ok_or(Refusal::NoSuchParticipant)?;
    let left = account.balance() - account.debits_pending.stored();
    Ok((account.balance() - one.cap.stored(), Amount::from_stored(left).unwrap_or(Amount::ZERO)))
}

/// Whether it has the form of a participant's code. What has not is never looked up.
pub(super) fn is_code(code: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (2..=32).contains(&code.len()) && code.bytes().all(is_plain) && !code.starts_with('-')
}

fn check_address(address: &str) -> Result<(), Refusal> {
    let is_local = |rest: &str| {
        let host = rest.split(['/', ':']).next().unwrap_or_default();
        host == "127.0.0.1" || host == "localhost"
    };
    let is_safe = address.strip_prefix("https://").is_some_and(|rest| !rest.is_empty())
        || address.strip_prefix("http://").is_some_and(is_local);
    let is_plain = address.len() <= 256
        && address.bytes().all(|b| b.is_ascii_graphic() && !b"?#@\"<>\\^`{|}".contains(&b));
    if is_safe && is_plain { Ok(()) } else { Err(Refusal::ParticipantForm) }
}

fn checked_keys(jwks: &str) -> Result<JwkSet, Refusal> {
    let keys = JwkSet::parse(jwks.as_bytes()).map_err(|_| Refusal::ParticipantForm)?;
    let are_named = keys.keys().all(|(kid, _)| kid.is_some());
    if keys.keys().next().is_none() || !are_named { Err(Refusal::ParticipantForm) } else { Ok(keys) }
}

fn jwks_of(keys: &JwkSet) -> String {
    let keys: Vec<_> = keys.keys().map(|(kid, key)| key.to_jwk(kid.unwrap_or_default())).collect();
    serde_json::json!({ "keys": keys }).to_string()
}

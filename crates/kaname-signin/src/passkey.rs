//! Passkeys: registering, naming and removing them, and signing in with one (W3C Web Authentication Level 3).
//!
//! There is no directory of credential ids. All passkeys are discoverable, so an answer carries the user handle, and that
//! leads to the account in whose row the credential is looked for. A credential id that somebody else registered too
//! stands in another account's row and is never found from here.

use std::sync::Arc;

use kaname_base::{Env, Instant};
use kaname_codec::b64;
use kaname_codec::webauthn::{
    Counter, CredentialKey, Expected, Facts, verify_assertion, verify_registration,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::account::{Account, Passkey, SignedIn, go_on};
use crate::authorize::waiting;
use crate::holder::Holder;
use crate::provider::{Config, Provider};
use crate::rules::Means;
use crate::session::{self, Entrance, Session};
use crate::{Browser, Refusal, SigninError};

/// A passkey, as its owner sees it in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PasskeyLine {
    /// For [`rename`] and [`remove`].
    pub reference: String,
    /// As she named it.
    pub name: String,
    /// Since when.
    pub added: Instant,
    /// Whether her devices share it.
    pub is_synced: bool,
}

/// What `navigator.credentials.get` answered, as `PublicKeyCredential.toJSON()` writes it.
#[derive(Clone, Debug)]
pub struct PasskeyAnswer {
    id: Vec<u8>,
    user_handle: Vec<u8>,
    client_data: Vec<u8>,
    authenticator_data: Vec<u8>,
    signature: Vec<u8>,
}

/// What `navigator.credentials.create` answered, as `PublicKeyCredential.toJSON()` writes it.
#[derive(Clone, Debug)]
pub struct NewPasskey {
    client_data: Vec<u8>,
    attestation: Vec<u8>,
}

const MOST_PASSKEYS: usize = 10;
const TIMEOUT_MS: u32 = 300_000;

impl PasskeyAnswer {
    /// Reads the JSON.
    ///
    /// # Errors
    /// [`Refusal::PasskeyInvalid`] when a member is missing or is not base64url.
    pub fn read(text: &str) -> Result<PasskeyAnswer, Refusal> {
        #[derive(Deserialize)]
        struct Outer {
            id: String,
            response: Inner,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Inner {
            #[serde(rename = "clientDataJSON")]
            client_data: String,
            authenticator_data: String,
            signature: String,
            user_handle: String,
        }
        let Outer { id, response } = parse(text)?;
        Ok(PasskeyAnswer {
            id: decode(&id)?,
            user_handle: decode(&response.user_handle)?,
            client_data: decode(&response.client_data)?,
            authenticator_data: decode(&response.authenticator_data)?,
            signature: decode(&response.signature)?,
        })
    }
}

impl NewPasskey {
    /// Reads the JSON.
    ///
    /// # Errors
    /// [`Refusal::PasskeyInvalid`] when a member is missing or is not base64url.
    pub fn read(text: &str) -> Result<NewPasskey, Refusal> {
        #[derive(Deserialize)]
        struct Outer {
            response: Inner,
        }
        #[derive(Deserialize)]
        struct Inner {
            #[serde(rename = "clientDataJSON")]
            client_data: String,
            #[serde(rename = "attestationObject")]
            attestation: String,
        }
        let Outer { response } = parse(text)?;
        Ok(NewPasskey {
            client_data: decode(&response.client_data)?,
            attestation: decode(&response.attestation)?,
        })
    }
}

/// Signs in with a passkey.
///
/// # Errors
/// [`Refusal::PasskeyUnknown`], [`Refusal::PasskeyInvalid`]; those of [`crate::authorize::show`], which is also the page to
/// show after a refusal.
pub fn sign_in(
    provider: &Provider,
    env: &Env,
    handle: &str,
    browser: &Browser,
    answer: &PasskeyAnswer,
    agent: &str,
    replaces: Option<&Session>,
) -> Result<SignedIn, SigninError> {
    let holder =
        Holder::of_user_handle(provider.keys(), &answer.user_handle).ok_or(Refusal::PasskeyUnknown)?;
    let bucket = holder.bucket(provider.buckets()).ok_or(Refusal::PasskeyUnknown)?;
    let requested = Arc::new(waiting(provider, env, handle, browser)?);

    let (row, with, id) = (holder.row(provider.keys()), provider.clone(), answer.id.clone());
    let passkey = provider.store().read(bucket, move |tx| {
        let mut account = Account::load(tx, with.keys(), &row)?;
        let at = account.passkey(&id).ok_or(Refusal::PasskeyUnknown)?;
        Ok::<_, SigninError>(account.passkeys.swap_remove(at))
    })?;
    // A signature takes longer than all the rest: it is checked before anybody has to wait for us at the database.
    let facts = check_answer(provider.config(), &passkey, &requested.challenge, answer)?;

    let entrance = Entrance {
        holder,
        means: if passkey.backup_eligible { Means::SyncedPasskey } else { Means::DevicePasskey },
        requested: Some(Arc::clone(&requested)),
        has_answered: true,
        agent: agent.to_owned(),
        replaces: replaces.map(|old| (old.bucket(), old.place())),
        maybe_copied: false,
    };
    let (with, env_in) = (provider.clone(), env.clone());
    let entered = provider.store().write(bucket, move |tx| {
        let mut account = Account::load(tx, with.keys(), &row)?;
        let at = account.passkey(&passkey.id).filter(|at| account.passkeys[*at].key == passkey.key);
        let known = &mut account.passkeys[at.ok_or(Refusal::PasskeyUnknown)?];
        let maybe_copied = Counter::of(known.sign_count, facts.sign_count) == Counter::DidNotAdvance;
        let counts = known.sign_count != facts.sign_count;
        known.sign_count = known.sign_count.max(facts.sign_count);

        if counts {
            account.save(tx, with.keys(), &row)?;
        }
        session::enter(tx, &with, &env_in.again(), &Entrance { maybe_copied, ..entrance.clone() })
    })?;
    go_on(provider, env, &requested, entered, replaces)
}

/// Begins registering a passkey; the answer is for `navigator.credentials.create`, as
/// `PublicKeyCredential.parseCreationOptionsFromJSON` reads it. `name` is what the authenticator shows, such as the resident's
/// name; it is not stored here.
///
/// # Errors
/// [`Refusal::StepUp`] unless she signed in with a passkey or has just activated a letter; [`Refusal::SessionNeeded`].
pub fn begin_registration(
    provider: &Provider,
    env: &Env,
    session: &Session,
    name: &str,
) -> Result<Value, SigninError> {
    session.may_change_means(env.now)?;
    let challenge = session::put_challenge(provider, env, session)?;
    let (config, known) = (provider.config(), load(provider, session)?);
    let exclude = |passkey: &Passkey| json!({ "type": "public-key", "id": b64::url_encode(&passkey.id) });
    let algorithms = [-7, -8, -257].map(|alg| json!({ "type": "public-key", "alg": alg }));
    Ok(json!({
        "challenge": b64::url_encode(&challenge),
        "rp": { "id": config.rp_id, "name": config.rp_id },
        "user": {
            "id": b64::url_encode(&session.holder().user_handle(provider.keys())),
            "name": name,
            "displayName": name,
        },
        "pubKeyCredParams": algorithms,
        "authenticatorSelection": {
            "residentKey": "required", "requireResidentKey": true, "userVerification": "required",
        },
        "excludeCredentials": known.passkeys.iter().map(exclude).collect::<Vec<_>>(),
        "attestation": "none",
        "timeout": TIMEOUT_MS,
    }))
}

/// Registers a passkey under `name`.
///
/// # Errors
/// [`Refusal::PasskeyInvalid`], [`Refusal::PasskeyThere`], [`Refusal::PasskeyLimit`], [`Refusal::PasskeyName`],
/// [`Refusal::StepUp`].
pub fn finish_registration(
    provider: &Provider,
    env: &Env,
    session: &Session,
    new: &NewPasskey,
    name: &str,
) -> Result<(), SigninError> {
    session.may_change_means(env.now)?;
    let name = check_name(name)?;
    let (with, env, place, holder) = (provider.clone(), env.clone(), session.place(), session.holder());
    let new = new.clone();
    provider.store().write(session.bucket(), move |tx| {
        let keys = with.keys();
        let challenge = session::take_challenge(tx, &with, &env, &place)?;
        let config = with.config();
        let origins: Vec<&str> = config.origins.iter().map(String::as_str).collect();
        let registered =
            verify_registration(&expected(config, &origins, &challenge), &new.client_data, &new.attestation)
                .map_err(|_| Refusal::PasskeyInvalid)?;
        let row = holder.row(keys);
        let mut account = Account::load(tx, keys, &row)?;
        check_room(&account, &registered.credential.id)?;

        account.passkeys.push(Passkey {
            id: registered.credential.id.clone(),
            key: registered.credential.key.as_cose().to_vec(),
            name: name.clone(),
            added: env.now,
            sign_count: registered.facts.sign_count,
            backup_eligible: registered.facts.backup_eligible,
        });
        account.save(tx, keys, &row)
    })
}

/// The account's passkeys, in the order in which they were added.
///
/// # Errors
/// [`SigninError::Store`].
pub fn list(provider: &Provider, session: &Session) -> Result<Vec<PasskeyLine>, SigninError> {
    let line = |passkey: Passkey| PasskeyLine {
        reference: b64::url_encode(&passkey.id),
        name: passkey.name,
        added: passkey.added,
        is_synced: passkey.backup_eligible,
    };
    Ok(load(provider, session)?.passkeys.into_iter().map(line).collect())
}

/// Gives a passkey another name.
///
/// # Errors
/// [`Refusal::NoSuchPasskey`], [`Refusal::PasskeyName`].
pub fn rename(
    provider: &Provider,
    session: &Session,
    reference: &str,
    name: &str,
) -> Result<(), SigninError> {
    let name = check_name(name)?;
    change(provider, session, reference, move |account, at| account.passkeys[at].name.clone_from(&name))
}

/// Removes a passkey. The letter's grid, and the other passkeys, still sign in.
///
/// # Errors
/// [`Refusal::NoSuchPasskey`], [`Refusal::StepUp`].
pub fn remove(provider: &Provider, env: &Env, session: &Session, reference: &str) -> Result<(), SigninError> {
    session.may_change_means(env.now)?;
    change(provider, session, reference, |account, at| drop(account.passkeys.remove(at)))
}

/// For `navigator.credentials.get`: any passkey of ours that recognises its owner.
pub(crate) fn request_options(config: &Config, challenge: &[u8; 32]) -> Value {
    json!({
        "challenge": b64::url_encode(challenge),
        "rpId": config.rp_id,
        "allowCredentials": [],
        "userVerification": "required",
        "timeout": TIMEOUT_MS,
    })
}

fn check_answer(
    config: &Config,
    passkey: &Passkey,
    challenge: &[u8; 32],
    answer: &PasskeyAnswer,
) -> Result<Facts, Refusal> {
    let key = CredentialKey::from_cose(&passkey.key).map_err(|_| Refusal::PasskeyInvalid)?;
    let origins: Vec<&str> = config.origins.iter().map(String::as_str).collect();
    let expected = expected(config, &origins, challenge);
    let PasskeyAnswer { client_data, authenticator_data, signature, .. } = answer;
    let asserted =
        verify_assertion(&expected, &key, passkey.sign_count, client_data, authenticator_data, signature)
            .map_err(|_| Refusal::PasskeyInvalid)?
            .into_inner();
    // Whether a key may be copied is decided when it is made (step 7.2-19).
    let same = asserted.facts.backup_eligible == passkey.backup_eligible;
    if same { Ok(asserted.facts) } else { Err(Refusal::PasskeyInvalid) }
}

fn expected<'a>(config: &'a Config, origins: &'a [&'a str], challenge: &'a [u8; 32]) -> Expected<'a> {
    Expected { challenge, origins, rp_id: &config.rp_id, require_uv: true, top_origins: &[] }
}

fn load(provider: &Provider, session: &Session) -> Result<Account, SigninError> {
    let (with, holder) = (provider.clone(), session.holder());
    provider.store().read(session.bucket(), move |tx| {
        let row = holder.row(with.keys());
        Account::load(tx, with.keys(), &row)
    })
}

fn change(
    provider: &Provider,
    session: &Session,
    reference: &str,
    change: impl Fn(&mut Account, usize) + Send + 'static,
) -> Result<(), SigninError> {
    let id = b64::url_decode(reference).map_err(|_| Refusal::NoSuchPasskey)?;
    let (with, holder) = (provider.clone(), session.holder());
    provider.store().write(session.bucket(), move |tx| {
        let row = holder.row(with.keys());
        let mut account = Account::load(tx, with.keys(), &row)?;
        let at = account.passkey(&id).ok_or(Refusal::NoSuchPasskey)?;
        change(&mut account, at);

        account.save(tx, with.keys(), &row)
    })
}

fn check_name(name: &str) -> Result<String, Refusal> {
    let name = name.trim();
    let good = (1..=60).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if good { Ok(name.to_owned()) } else { Err(Refusal::PasskeyName) }
}

fn check_room(account: &Account, id: &[u8]) -> Result<(), Refusal> {
    if account.passkey(id).is_some() {
        return Err(Refusal::PasskeyThere);
    }
    if account.passkeys.len() >= MOST_PASSKEYS { Err(Refusal::PasskeyLimit) } else { Ok(()) }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Refusal> {
    serde_json::from_str(text).map_err(|_| Refusal::PasskeyInvalid)
}

fn decode(text: &str) -> Result<Vec<u8>, Refusal> {
    b64::url_decode(text.trim_end_matches('=')).map_err(|_| Refusal::PasskeyInvalid)
}

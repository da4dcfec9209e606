//! What every use case of this block stands on: the store, the keys, the configuration, and what is cached of parties and keys.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, RwLock};

use kaname_base::pack::Pack;
use kaname_base::{Buckets, Env, Instant};
use kaname_store::Store;
use kaname_trust::Keys;

use crate::client::{Client, Registration};
use crate::keys::{Role, SigningKey};
use crate::{Refusal, SigninError, table};

/// What the authority sets. Times are in seconds.
#[derive(Clone, Debug)]
pub struct Config {
    /// The issuer, an https address without a slash at its end; the endpoints lie under it.
    pub issuer: String,
    /// The domain that passkeys are for: the host of the issuer, or a domain above it.
    pub rp_id: String,
    /// Origins of our own pages; usually the issuer's only.
    pub origins: Vec<String>,
    /// How long a pushed request waits for the browser.
    pub request_uri_seconds: i64,
    /// How long a person has for one sign-in.
    pub interaction_seconds: i64,
    /// How long a code waits to be redeemed.
    pub code_seconds: i64,
    /// How long an access token and an ID token hold.
    pub token_seconds: i64,
    /// A session ends when nothing was done in it for so long.
    pub session_idle_seconds: i64,
    /// A session ends so long after the sign-in, whatever was done.
    pub session_seconds: i64,
    /// A letter can be activated for so long.
    pub letter_seconds: i64,
    /// What the country's pack says about attributes and purposes; none in tests only.
    pub(crate) pack: Option<Arc<Pack>>,
}

impl Config {
    /// The defaults for an issuer such as `https://id.example.org`.
    pub fn new(issuer: &str) -> Config {
        let host = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
        let host = host.split(['/', ':']).next().unwrap_or(host);
        Config {
            issuer: issuer.trim_end_matches('/').to_owned(),
            rp_id: host.to_owned(),
            origins: vec![issuer.trim_end_matches('/').to_owned()],
            request_uri_seconds: 90,
            interaction_seconds: 900,
            code_seconds: 60,
            token_seconds: 300,
            session_idle_seconds: 1_800,
            session_seconds: 43_200,
            letter_seconds: 90 * 86_400,
            pack: None,
        }
    }

    /// The same, under a country's pack: it says which attributes may be asked for which purpose, and on what legal basis.
    pub fn with_pack(self, pack: Arc<Pack>) -> Config {
        Config { pack: Some(pack), ..self }
    }

    /// The legal basis of a purpose, as the access log names it.
    pub(crate) fn basis(&self, purpose: &str) -> String {
        let known = self.pack.as_ref().and_then(|pack| {
            Some(pack.purpose(purpose)?.legal_basis.get(&pack.default_language().tag).to_owned())
        });
        known.unwrap_or_else(|| "consent".to_owned())
    }

    /// Whether the pack lets an attribute be asked for a purpose.
    pub(crate) fn may_ask(&self, attribute: &str, purpose: &str) -> bool {
        self.pack.as_ref().is_none_or(|pack| {
            pack.attribute(attribute).is_some_and(|known| known.purposes.iter().any(|code| code == purpose))
        })
    }

    /// Whether the country links outside records of this source.
    pub(crate) fn links(&self, source: &str) -> bool {
        self.pack.as_ref().is_none_or(|pack| pack.source(source).is_some())
    }

    /// Where the browser is sent to sign in.
    pub fn authorization_endpoint(&self) -> String {
        format!("{}/authorize", self.issuer)
    }

    /// Where requests are pushed (RFC 9126).
    pub fn par_endpoint(&self) -> String {
        format!("{}/par", self.issuer)
    }

    /// Where codes are redeemed.
    pub fn token_endpoint(&self) -> String {
        format!("{}/token", self.issuer)
    }

    /// Where a party fetches what was consented to.
    pub fn userinfo_endpoint(&self) -> String {
        format!("{}/userinfo", self.issuer)
    }

    /// Where the public keys are.
    pub fn jwks_uri(&self) -> String {
        format!("{}/jwks", self.issuer)
    }
}

/// The OpenID provider. Cheap to clone; holds no session and no person.
#[derive(Clone)]
pub struct Provider {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    keys: Keys,
    config: Config,
    cached: RwLock<Arc<Snapshot>>,
}

/// Parties and signing keys as they were read last.
pub(crate) struct Snapshot {
    edition: i64,
    /// When it was last found to be the newest, in microseconds.
    read: AtomicI64,
    pub(crate) clients: BTreeMap<String, Arc<Client>>,
    pub(crate) signing: Vec<SigningKey>,
}

/// How long a snapshot is used before its edition is compared, in seconds.
const FRESH_SECONDS: i64 = 5;

impl Snapshot {
    /// The party with this id.
    pub(crate) fn client(&self, client_id: &str) -> Result<Arc<Client>, Refusal> {
        self.clients.get(client_id).cloned().ok_or(Refusal::UnknownClient)
    }

    /// The key that signs.
    pub(crate) fn signer(&self) -> &SigningKey {
        let current = self.signing.iter().find(|key| key.role == Role::Current);
        current.expect("a provider is opened with a key that signs, and rotation leaves one")
    }
}

impl Provider {
    /// Opens the provider over a store that has [`crate::MIGRATIONS`]; makes the first signing keys.
    ///
    /// # Errors
    /// [`SigninError::Store`]; [`SigninError::Trust`] when a signing key does not unwrap.
    pub fn open(store: Store, keys: Keys, config: Config, env: &Env) -> Result<Provider, SigninError> {
        let (with, now) = (keys.clone(), env.now);
        store.write(store.buckets().home(), move |tx| crate::keys::ensure(tx, &with, now))?;
        let snapshot = read_snapshot(&store, &keys, now)?;
        let cached = RwLock::new(Arc::new(snapshot));
        Ok(Provider { inner: Arc::new(Inner { store, keys, config, cached }) })
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The deployment's keys.
    pub fn keys(&self) -> &Keys {
        &self.inner.keys
    }

    pub(crate) fn buckets(&self) -> Buckets {
        self.inner.store.buckets()
    }

    /// Parties and keys, at most a few seconds old.
    pub(crate) fn snapshot(&self, now: Instant) -> Result<Arc<Snapshot>, SigninError> {
        let cached = Arc::clone(&self.inner.cached.read().unwrap_or_else(|poisoned| poisoned.into_inner()));
        let read = Instant::from_micros(cached.read.load(Ordering::Relaxed));
        if now < read.plus_seconds(FRESH_SECONDS) {
            return Ok(cached);
        }
        let home = self.buckets().home();
        let edition = self.store().read(home, |tx| table::edition(tx).map_err(SigninError::from))?;
        if edition != cached.edition {
            self.refresh(now)?;
            return Ok(Arc::clone(
                &self.inner.cached.read().unwrap_or_else(|poisoned| poisoned.into_inner()),
            ));
        }
        cached.read.store(now.micros(), Ordering::Relaxed);
        Ok(cached)
    }

    /// Reads parties and keys again.
    pub(crate) fn refresh(&self, now: Instant) -> Result<(), SigninError> {
        let snapshot = Arc::new(read_snapshot(self.store(), self.keys(), now)?);
        *self.inner.cached.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = snapshot;
        Ok(())
    }
}

fn read_snapshot(store: &Store, keys: &Keys, now: Instant) -> Result<Snapshot, SigninError> {
    let with = keys.clone();
    store.read(store.buckets().home(), move |tx| {
        let edition = table::edition(tx)?;
        let mut clients = BTreeMap::new();
        for body in table::clients(tx)? {
            let registration: Registration = serde_json::from_str(&body)
                .map_err(|_| kaname_trust::TrustError::Unreadable("signin.client"))?;
            let client = Client::prepare(registration, &with)?;
            clients.insert(client.id().to_owned(), Arc::new(client));
        }
        let signing = crate::keys::read(tx, &with)?;
        Ok(Snapshot { edition, read: AtomicI64::new(now.micros()), clients, signing })
    })
}

//! Relying parties: who may ask, where the answer may go, and what may be asked for.

use kaname_base::Env;
use kaname_codec::jose::{Detached, JwkSet};
use kaname_person::{Action, policy};
use kaname_trust::Actor;
use serde::{Deserialize, Serialize};

use crate::client_token::{Agency, SCOPES};
use crate::packed::packed;
use crate::provider::{Config, Provider};
use crate::rules::Level;
use crate::{Refusal, SigninError, table};

/// How strictly a party is held to the profile of high-value services.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// FAPI 2.0 Security Profile: requests are pushed, and `aud` of a client assertion is the issuer as a single string.
    Fapi2,
    /// OpenID Connect with PKCE and `private_key_jwt`: parameters may come with the browser, and `aud` may also be, or
    /// include, the address of the endpoint.
    Plain,
}

/// An attribute that a party may ask for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Asked {
    /// The attribute's code in the pack, which is also its scope.
    pub attribute: String,
    /// Why: a purpose code of the pack.
    pub purpose: String,
}

packed!(Asked { attribute, purpose });

/// A relying party as it registers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Registration {
    /// Chosen by the authority: `city-library`.
    pub client_id: String,
    /// The name shown to residents, by language tag; the first is the default.
    pub names: Vec<(String, String)>,
    /// Compared character by character (RFC 9700 section 4.1.3).
    pub redirect_uris: Vec<String>,
    /// Parties of one sector know a person by the same `sub` (OpenID Connect Core section 8.1).
    pub sector: String,
    /// Its public keys (RFC 7517). `private_key_jwt` is the only way to authenticate.
    pub jwks: serde_json::Value,
    /// How strictly it is held.
    pub profile: Profile,
    /// What it may ask for, and why.
    pub attributes: Vec<Asked>,
    /// The least level of a sign-in for it.
    pub level: Level,
    /// What its own systems may do, if it is an agency that asks the registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<Agency>,
}

/// A registered relying party, ready for use: its keys are parsed once.
#[derive(Debug)]
pub struct Client {
    registration: Registration,
    keys: JwkSet,
    sector_key: aws_lc_rs::hmac::Key,
}

impl Client {
    pub(crate) fn prepare(registration: Registration, keys: &kaname_trust::Keys) -> Result<Client, Refusal> {
        check_client_id(&registration)?;
        check_names(&registration)?;
        check_redirect_uris(&registration)?;
        check_sector(&registration)?;
        check_attributes(&registration)?;
        check_agency(&registration)?;
        let jwks = JwkSet::from_value(&registration.jwks).map_err(|_| Refusal::ClientKeys)?;
        if jwks.keys().next().is_none() {
            return Err(Refusal::ClientKeys);
        }
        let secret = keys.derive(&format!("signin.sector:{}", registration.sector));
        let sector_key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &*secret);
        Ok(Client { registration, keys: jwks, sector_key })
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.registration.client_id
    }

    /// Its name in the language nearest to `tag`.
    pub fn name(&self, tag: &str) -> &str {
        let first_part = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        let names = &self.registration.names;
        let nearest = names.iter().find(|(language, _)| language == tag);
        let nearest =
            nearest.or_else(|| names.iter().find(|(language, _)| first_part(language) == first_part(tag)));
        nearest.or(names.first()).map_or("", |(_, name)| name)
    }

    /// What it registered.
    pub fn registration(&self) -> &Registration {
        &self.registration
    }

    /// Its keys.
    pub(crate) fn keys(&self) -> &JwkSet {
        &self.keys
    }

    /// Whether one of its keys signed `body`: a JWS whose payload travels beside it (RFC 7515 appendix F).
    pub fn has_signed(&self, signature: &str, body: &[u8]) -> bool {
        let Ok(signature) = Detached::parse(signature) else { return false };
        let key = self.keys.find(signature.header().kid.as_deref());
        key.is_some_and(|key| signature.verify(key, body).is_ok())
    }

    /// What it may ask for under the scope `attribute`.
    pub(crate) fn asked(&self, attribute: &str) -> Option<&Asked> {
        self.registration.attributes.iter().find(|asked| asked.attribute == attribute)
    }

    /// The name by which the party's sector knows a person: pairwise, and nobody but this deployment can turn it back
    /// or compare two of them (OpenID Connect Core section 8.1).
    pub(crate) fn sub(&self, person: kaname_trust::PersonId) -> String {
        kaname_codec::b64::url_encode(aws_lc_rs::hmac::sign(&self.sector_key, person.bytes()).as_ref())
    }
}

/// Registers a party, or replaces its registration. All processes know within a few seconds.
///
/// # Errors
/// [`SigninError::NotAllowed`]; the refusals `Client…`, of which each names what is wrong with the registration.
pub fn register(
    provider: &Provider,
    env: &Env,
    by: &Actor,
    registration: &Registration,
) -> Result<(), SigninError> {
    policy::may(by, Action::ManageParties)?;
    Client::prepare(registration.clone(), provider.keys())?;
    // Only now: a later pack does not judge an earlier registration again.
    check_purposes(registration, provider.config())?;
    let body = serde_json::to_string(registration).expect("a registration is plain data");
    let client = registration.client_id.clone();
    provider.store().write(provider.buckets().home(), move |tx| {
        table::put_client(tx, &client, &body)?;
        table::next_edition(tx).map_err(SigninError::from)
    })?;
    provider.refresh(env.now)
}

/// All parties, by id.
///
/// # Errors
/// [`SigninError::Store`].
pub fn list(provider: &Provider, env: &Env) -> Result<Vec<std::sync::Arc<Client>>, SigninError> {
    Ok(provider.snapshot(env.now)?.clients.values().cloned().collect())
}

/// The party with this id.
///
/// # Errors
/// [`Refusal::UnknownClient`].
pub fn get(provider: &Provider, env: &Env, client_id: &str) -> Result<std::sync::Arc<Client>, SigninError> {
    Ok(provider.snapshot(env.now)?.client(client_id)?)
}

fn check_client_id(registration: &Registration) -> Result<(), Refusal> {
    let id = &registration.client_id;
    let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    if plain && (1..=64).contains(&id.len()) { Ok(()) } else { Err(Refusal::ClientId) }
}

fn check_names(registration: &Registration) -> Result<(), Refusal> {
    let named = registration.names.iter().all(|(tag, name)| !tag.is_empty() && !name.trim().is_empty());
    if named && !registration.names.is_empty() { Ok(()) } else { Err(Refusal::ClientName) }
}

fn check_redirect_uris(registration: &Registration) -> Result<(), Refusal> {
    // An agency that asks the registry need not sign anybody in.
    let some = !registration.redirect_uris.is_empty() || registration.agency.is_some();
    let good = registration.redirect_uris.iter().all(|uri| is_address(uri));
    if some && good { Ok(()) } else { Err(Refusal::ClientRedirectUri) }
}

/// An https address, or one of this machine for trying things out.
fn is_address(uri: &str) -> bool {
    let on_loopback = ["http://localhost", "http://127.0.0.1", "http://[::1]"]
        .iter()
        .any(|start| uri.strip_prefix(start).is_some_and(|rest| rest.starts_with([':', '/'])));
    let https = uri.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    let plain = uri.bytes().all(|b| b.is_ascii_graphic() && !b"#\"<>\\^`{|}".contains(&b));
    (https || on_loopback) && plain && uri.len() <= 512
}

fn check_agency(registration: &Registration) -> Result<(), Refusal> {
    let Some(agency) = &registration.agency else { return Ok(()) };
    if !agency.scopes.iter().all(|scope| SCOPES.contains(&scope.as_str())) {
        return Err(Refusal::ClientScope);
    }
    if agency.webhooks.iter().all(|uri| is_address(uri)) { Ok(()) } else { Err(Refusal::ClientWebhook) }
}

fn check_sector(registration: &Registration) -> Result<(), Refusal> {
    if registration.sector.trim().is_empty() { Err(Refusal::ClientSector) } else { Ok(()) }
}

fn check_purposes(registration: &Registration, config: &Config) -> Result<(), Refusal> {
    let allowed = |asked: &Asked| config.may_ask(&asked.attribute, &asked.purpose);
    if !registration.attributes.iter().all(allowed) {
        return Err(Refusal::ClientPurpose);
    }
    let mut sources = registration.agency.iter().flat_map(|agency| &agency.sources);
    if sources.all(|source| config.links(source)) { Ok(()) } else { Err(Refusal::ClientSource) }
}

fn check_attributes(registration: &Registration) -> Result<(), Refusal> {
    let mut seen: Vec<&str> = Vec::new();
    for asked in &registration.attributes {
        let known = kaname_base::pack::ATTRIBUTES.contains(&asked.attribute.as_str());
        if !known || asked.purpose.is_empty() || seen.contains(&asked.attribute.as_str()) {
            return Err(Refusal::ClientAttribute);
        }
        seen.push(&asked.attribute);
    }
    Ok(())
}

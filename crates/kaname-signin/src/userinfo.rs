//! Userinfo: the attributes that a resident consented to, opened under a receipt, for the party that holds the token.

use std::sync::Arc;

use kaname_base::Env;
use kaname_store::Tx;
use kaname_trust::{Access, Actor, ActorKind, PersonId, Receipt, access};
use serde_json::{Map, Value};

use crate::client::Client;
use crate::holder::Holder;
use crate::interaction::{self, Grant, Stage};
use crate::provider::Provider;
use crate::rules::claim_name;
use crate::ticket::Ticket;
use crate::{Refusal, SigninError, consent};

/// Where the attributes of a resident come from: the person block, which the web floor brings in.
pub trait Attributes: Send + Sync {
    /// The values of these attributes of the receipt's person, by the pack's codes. An attribute that she does not have is
    /// left out.
    ///
    /// # Errors
    /// [`SigninError`] when the record cannot be opened.
    fn open(
        &self,
        tx: &mut Tx<'_>,
        receipt: &Receipt<'_>,
        attributes: &[&str],
    ) -> Result<Disclosed, SigninError>;
}

/// Attributes and the person they are of.
pub struct Disclosed {
    /// Whose they are.
    pub person: PersonId,
    /// By the pack's codes.
    pub values: Map<String, Value>,
}

/// What the access log says allowed the reading.
const BASIS: &str = "consent";

/// The claims for an access token (OpenID Connect Core section 5.3.2). Answer 200 with JSON, `Cache-Control: no-store`.
///
/// # Errors
/// [`Refusal::TokenUnknown`]: answer 401 with `WWW-Authenticate: Bearer error="invalid_token"`.
pub fn disclose(
    provider: &Provider,
    env: &Env,
    access_token: &str,
    attributes: &Arc<dyn Attributes>,
) -> Result<Map<String, Value>, SigninError> {
    let token = Ticket::parse(access_token, provider.buckets()).ok_or(Refusal::TokenUnknown)?;
    let (with, now) = (provider.clone(), env.now);
    let grant = provider.store().read(token.bucket, move |tx| {
        match interaction::load(tx, with.keys(), &token)?.ok_or(Refusal::TokenUnknown)?.take() {
            (_, Stage::Redeemed(redeemed)) => Ok(redeemed.used(with.keys(), &token, now)?),
            _ => Err(SigninError::from(Refusal::TokenUnknown)),
        }
    })?;
    let Holder::Resident(person) = grant.holder.holder(provider.keys()) else {
        return Err(Refusal::TokenUnknown.into());
    };
    let client = provider.snapshot(now)?.client(&grant.client_id).map_err(|_| Refusal::TokenUnknown)?;
    let bucket =
        grant.holder.holder(provider.keys()).bucket(provider.buckets()).ok_or(Refusal::TokenUnknown)?;

    let sub = client.sub(person);
    let (with, env, attributes) = (provider.clone(), env.clone(), Arc::clone(attributes));
    let mut claims = provider
        .store()
        .write(bucket, move |tx| open(tx, &with, &env.again(), &*attributes, person, &client, &grant))?;
    claims.insert("sub".to_owned(), Value::from(sub));
    Ok(claims)
}

/// Runs in the person's bucket: one entry in the access log for each purpose, then only what that purpose covers.
fn open(
    tx: &mut Tx<'_>,
    provider: &Provider,
    env: &Env,
    attributes: &dyn Attributes,
    person: PersonId,
    client: &Client,
    grant: &Grant,
) -> Result<Map<String, Value>, SigninError> {
    let keys = provider.keys();
    // Taken back meanwhile: the token still holds for some minutes, what was agreed does not.
    consent::remembered(tx, keys, grant.holder, &grant.client_id, &grant.attributes)?
        .ok_or(Refusal::TokenUnknown)?;
    let asked: Vec<_> = grant.attributes.iter().filter_map(|attribute| client.asked(attribute)).collect();
    let mut purposes: Vec<&str> = asked.iter().map(|asked| asked.purpose.as_str()).collect();
    purposes.sort_unstable();
    purposes.dedup();

    let actor =
        Actor { kind: ActorKind::Party, id: client.id().to_owned(), role: "relying-party".to_owned() };
    let mut claims = Map::new();
    for purpose in purposes {
        let fields: Vec<&str> = asked
            .iter()
            .filter(|asked| asked.purpose == purpose)
            .map(|asked| asked.attribute.as_str())
            .collect();
        let access = Access { person, actor: &actor, purpose, basis: BASIS, fields: &fields };
        let receipt = access::record(tx, keys, env, &access)?;
        let disclosed = attributes.open(tx, &receipt, &fields)?;
        if disclosed.person != person {
            return Err(kaname_trust::TrustError::WrongSubject.into());
        }
        // Whatever came back: nothing leaves that was not consented to.
        let consented = disclosed.values.into_iter().filter(|(name, _)| fields.contains(&name.as_str()));
        claims.extend(consented.map(|(name, value)| (claim_name(&name).to_owned(), value)));
    }
    Ok(claims)
}

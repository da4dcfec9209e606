//! Userinfo: the attributes that a resident consented to, opened under a receipt, for the party that holds the token.

use std::sync::Arc;

use jiff::civil::Date;
use kaname_base::Env;
use kaname_base::pack::{NameOrder, Pack};
use kaname_base::time::BirthDate;
use kaname_person::resident::{Name, Particulars};
use kaname_person::show;
use kaname_store::Tx;
use kaname_trust::{Access, Actor, ActorKind, PersonId, Receipt, access};
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::handout::Handout;
use crate::holder::Holder;
use crate::interaction::{self, AccessToken};
use crate::provider::Provider;
use crate::rules::claim_name;
use crate::{Refusal, SigninError, consent};

/// Where the attributes of a resident come from: [`Register`], or a stand-in of a test.
pub trait Attributes: Send + Sync {
    /// The values of these attributes of the receipt's person, by the pack's codes. An attribute that she does not have is
    /// left out.
    ///
    /// # Errors
    /// [`SigninError`] when the record cannot be opened.
    fn open(
        &self,
        tx: &mut Tx<'_>,
        env: &Env,
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

/// The register of residents, as its own block keeps it.
pub struct Register {
    /// Says how names are written, and which day it is.
    pub pack: Arc<Pack>,
}

impl Attributes for Register {
    fn open(
        &self,
        tx: &mut Tx<'_>,
        env: &Env,
        receipt: &Receipt<'_>,
        attributes: &[&str],
    ) -> Result<Disclosed, SigninError> {
        let resident = show::resident_with(tx, receipt)?.particulars;
        let today = env.now.date_in(&self.pack.time_zone);
        let mut values = Map::new();
        for attribute in attributes {
            let value = match *attribute {
                "number" => Some(Value::from(show::number_with(tx, receipt)?.as_str())),
                other => value_of(&resident, other, &self.pack, today),
            };
            values.extend(value.map(|value| ((*attribute).to_owned(), value)));
        }
        Ok(Disclosed { person: receipt.person(), values })
    }
}

/// An attribute of the pack's list ([`kaname_base::pack::ATTRIBUTES`]), if the resident has it.
fn value_of(resident: &Particulars, attribute: &str, pack: &Pack, today: Date) -> Option<Value> {
    let full = |name: &Name| {
        let parts = match pack.person.name_order {
            NameOrder::FamilyGiven => [&name.family, &name.given],
            NameOrder::GivenFamily => [&name.given, &name.family],
        };
        let parts: Vec<&str> =
            parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        parts.join(&pack.person.name_separator)
    };
    let address = &resident.address;
    match attribute {
        "name" => Some(Value::from(full(&resident.name))),
        "name_reading" => resident.reading.as_ref().map(full).map(Value::from),
        "name_latin" => resident.latin.as_ref().map(full).map(Value::from),
        "birth_date" => Some(Value::from(resident.born.to_string())),
        "age_over_18" => Some(Value::from(is_over(&resident.born, 18, today))),
        "age_over_65" => Some(Value::from(is_over(&resident.born, 65, today))),
        "sex" => Some(Value::from(resident.sex.as_str())),
        "status" => Some(Value::from(resident.status.as_str())),
        "address" => Some(json!({
            "postal_code": address.postcode, "region": address.region,
            "locality": address.city, "street_address": address.line,
        })),
        "postcode" => Some(Value::from(address.postcode.as_str())),
        "phone" => resident.phone.as_deref().map(Value::from),
        "email" => resident.email.as_deref().map(Value::from),
        _ => None,
    }
}

/// Whether somebody has had her birthday number `years`; by the last day it can be where the day is not known, so that it is
/// never said too early.
fn is_over(born: &BirthDate, years: i16, today: Date) -> bool {
    let (month, day) = (born.month().unwrap_or(12), born.day().unwrap_or(31));
    (today.year() - born.year(), today.month(), today.day()) >= (years, month, day)
}

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
    let now = env.now;
    let token = AccessToken::take_back(provider.keys(), access_token).ok_or(Refusal::TokenUnknown)?;
    token.check(now)?;
    let redeemed = token.redeemed(provider);
    provider
        .store()
        .read(redeemed.bucket(provider.buckets()), move |tx| interaction::still_stands(tx, &redeemed))?;
    let holder = token.holder.holder(provider.keys());
    let Holder::Resident(person) = holder else { return Err(Refusal::TokenUnknown.into()) };
    let client = provider.snapshot(now)?.client(&token.client_id).map_err(|_| Refusal::TokenUnknown)?;
    let bucket = holder.bucket(provider.buckets()).ok_or(Refusal::TokenUnknown)?;

    let sub = client.sub(person);
    let (with, env, attributes) = (provider.clone(), env.clone(), Arc::clone(attributes));
    let mut claims = provider
        .store()
        .write(bucket, move |tx| open(tx, &with, &env.again(), &*attributes, person, &client, &token))?;
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
    token: &AccessToken,
) -> Result<Map<String, Value>, SigninError> {
    let keys = provider.keys();
    // Taken back meanwhile: the token still holds for some minutes, what was agreed does not.
    consent::remembered(tx, keys, token.holder, &token.client_id, &token.asked)?
        .ok_or(Refusal::TokenUnknown)?;
    // What the party has registered since for another purpose, or not at all, it does not get by an old token.
    let asked: Vec<_> =
        token.asked.iter().filter(|asked| client.asked(&asked.attribute) == Some(*asked)).collect();
    let mut purposes: Vec<&str> = asked.iter().map(|asked| asked.purpose.as_str()).collect();
    purposes.sort_unstable();
    purposes.dedup();

    let actor = Actor::new(ActorKind::Party, client.id(), "relying-party");
    let mut claims = Map::new();
    for purpose in purposes {
        let fields: Vec<&str> = asked
            .iter()
            .filter(|asked| asked.purpose == purpose)
            .map(|asked| asked.attribute.as_str())
            .collect();
        let basis = provider.config().basis(purpose);
        let access = Access { person, actor: &actor, purpose, basis: &basis, fields: &fields };
        let receipt = access::record(tx, keys, env, &access)?;
        let disclosed = attributes.open(tx, env, &receipt, &fields)?;
        if disclosed.person != person {
            return Err(kaname_trust::TrustError::WrongSubject.into());
        }
        // Whatever came back: nothing leaves that was not consented to.
        let consented = disclosed.values.into_iter().filter(|(name, _)| fields.contains(&name.as_str()));
        claims.extend(consented.map(|(name, value)| (claim_name(&name).to_owned(), value)));
    }
    Ok(claims)
}

//! Consent: a resident agrees that a party gets certain attributes; it is remembered, shown, and can be taken back.

use kaname_base::{Env, Instant};
use kaname_codec::b64;
use kaname_store::Tx;
use kaname_trust::{Keys, Record};
use serde::{Deserialize, Serialize};

use crate::authorize::{self, Step};
use crate::client::Asked;
use crate::history::open_all;
use crate::holder::{HolderRow, Sealer};
use crate::provider::Provider;
use crate::request::Request;
use crate::session::Session;
use crate::{Browser, Refusal, SigninError, table};

/// Proof that a holder agreed to give a party certain attributes: by an answer now, or by one that is remembered.
pub(crate) struct Agreed {
    holder: HolderRow,
    client_id: String,
    asked: Vec<Asked>,
}

/// A service that a resident has connected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Service {
    /// For [`disconnect`]. It says nothing.
    pub reference: String,
    /// The party.
    pub client_id: String,
    /// What it gets.
    pub attributes: Vec<String>,
    /// Since when.
    pub since: Instant,
}

/// A consent, as it is sealed.
#[derive(Serialize, Deserialize)]
pub(crate) struct Body {
    client_id: String,
    attributes: Vec<String>,
    since: Instant,
}

impl Record for Body {
    const KIND: &'static str = "signin.consent";
}

const PARTY: &str = "signin.consent-party";
const ATTRIBUTE: &str = "signin.consent-attribute";

impl Agreed {
    /// Whether it is this holder's, for this party, and covers what the request asks for.
    pub(crate) fn covers(&self, holder: HolderRow, request: &Request) -> bool {
        self.holder == holder
            && self.client_id == request.client_id
            && request.asked.iter().all(|asked| self.asked.contains(asked))
    }
}

/// The resident agrees. The answer leads back to the party.
///
/// # Errors
/// [`Refusal::InteractionUnknown`], [`Refusal::InteractionOfAnotherBrowser`], [`Refusal::InteractionStep`].
pub fn give(
    provider: &Provider,
    env: &Env,
    handle: &str,
    browser: &Browser,
    session: &Session,
) -> Result<Step, SigninError> {
    let requested = authorize::waiting(provider, env, handle, browser)?;
    authorize::advance(provider, env, &requested, Some(session), authorize::Answer::Agrees)
}

/// The resident refuses. The party is told so, and nothing else.
///
/// # Errors
/// As [`give`].
pub fn refuse(
    provider: &Provider,
    env: &Env,
    handle: &str,
    browser: &Browser,
    session: &Session,
) -> Result<Step, SigninError> {
    let requested = authorize::waiting(provider, env, handle, browser)?;
    let request = requested.request().ok_or(Refusal::InteractionStep)?;
    let turn = requested.turn(provider, session.authentication().holder);
    provider.store().write(session.bucket(), move |tx| turn.finish(tx))?;
    Ok(authorize::give_up(provider, request, Refusal::ConsentRefused))
}

/// The services that a resident has connected. Reading them is logged like any other reading.
///
/// # Errors
/// [`SigninError::Trust`], [`SigninError::Store`].
pub fn services(provider: &Provider, env: &Env, session: &Session) -> Result<Vec<Service>, SigninError> {
    let (with, env, holder, row) = (provider.clone(), env.clone(), session.holder(), session.row());
    provider.store().write(session.bucket(), move |tx| {
        let (parties, bodies): (Vec<[u8; 16]>, Vec<Vec<u8>>) = table::consents(tx, &row)?.into_iter().unzip();
        let opened: Vec<Body> = open_all(tx, &with, &env.again(), holder, "connected_services", &bodies)?;
        let service = |(party, body): (&[u8; 16], Body)| Service {
            reference: b64::url_encode(party),
            client_id: body.client_id,
            attributes: body.attributes,
            since: body.since,
        };
        Ok(parties.iter().zip(opened).map(service).collect())
    })
}

/// Takes back what was agreed: the party's next request asks again.
///
/// # Errors
/// [`Refusal::NoSuchService`].
pub fn disconnect(provider: &Provider, session: &Session, reference: &str) -> Result<(), SigninError> {
    let party: [u8; 16] = b64::url_decode_array(reference).map_err(|_| Refusal::NoSuchService)?;
    let row = session.row();
    provider.store().write(session.bucket(), move |tx| match table::delete_consent(tx, &row, &party)? {
        0 => Err(Refusal::NoSuchService.into()),
        _ => Ok(()),
    })
}

/// What the holder agreed to earlier, if it covers the request and the party does not want her to be asked anew.
pub(crate) fn found(
    tx: &mut Tx<'_>,
    keys: &Keys,
    holder: HolderRow,
    request: &Request,
) -> Result<Option<Agreed>, SigninError> {
    match request.prompt.consent {
        true => Ok(None),
        false => remembered(tx, keys, holder, &request.client_id, &request.asked),
    }
}

/// What the holder agreed to earlier, if it covers these attributes, each for the same purpose.
pub(crate) fn remembered(
    tx: &mut Tx<'_>,
    keys: &Keys,
    holder: HolderRow,
    client_id: &str,
    asked: &[Asked],
) -> Result<Option<Agreed>, SigninError> {
    let granted = table::granted(tx, &holder.row, &party(keys, holder, client_id))?;
    let Some(granted) = granted else { return Ok(None) };
    let is_granted = |asked: &Asked| {
        let wanted = asked_mac(keys, holder, client_id, asked);
        granted.chunks_exact(wanted.len()).any(|mac| mac == wanted)
    };
    Ok(asked.iter().all(is_granted).then(|| agreed(holder, client_id, asked)))
}

/// Remembers that the holder agrees to the request.
pub(crate) fn remember(
    tx: &mut Tx<'_>,
    keys: &Keys,
    holder: HolderRow,
    request: &Request,
    sealer: &Sealer<'_>,
    now: Instant,
) -> Result<Agreed, SigninError> {
    let mac = |asked| asked_mac(keys, holder, &request.client_id, asked);
    let granted: Vec<u8> = request.asked.iter().flat_map(mac).collect();
    let attributes = request.asked.iter().map(|asked| asked.attribute.clone()).collect();
    let body = Body { client_id: request.client_id.clone(), attributes, since: now };
    let party = party(keys, holder, &request.client_id);
    table::put_consent(tx, &holder.row, &party, &granted, &sealer.seal(&body))?;
    Ok(agreed(holder, &request.client_id, &request.asked))
}

fn agreed(holder: HolderRow, client_id: &str, asked: &[Asked]) -> Agreed {
    Agreed { holder, client_id: client_id.to_owned(), asked: asked.to_vec() }
}

fn party(keys: &Keys, holder: HolderRow, client_id: &str) -> [u8; 16] {
    keys.blind_index(PARTY, &[&holder.row[..], client_id.as_bytes()].concat())
}

/// Stands for an attribute and its purpose: agreeing to one purpose is not agreeing to another.
fn asked_mac(keys: &Keys, holder: HolderRow, client_id: &str, asked: &Asked) -> [u8; 8] {
    let Asked { attribute, purpose } = asked;
    let parts = [client_id, attribute, purpose].map(str::as_bytes);
    let value = [&holder.row[..], &parts.join(&b'\0')].concat();
    keys.blind_index(ATTRIBUTE, &value)[..8].try_into().expect("a blind index has 16 bytes")
}

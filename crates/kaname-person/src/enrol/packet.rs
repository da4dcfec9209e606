//! Packets: one person each, encrypted for the authority and signed by the enroller's kit. Pure: no clock, no database.
//!
//! A packet is a token of RFC 7515 in compact form, signed with ES256. What it says in clear is which kit made it, the place in
//! the kit's count, its own id and when it was made; the person is in `sealed` (RFC 9180), to which all of that is bound.

use std::collections::BTreeMap;

use kaname_base::Instant;
use kaname_codec::b64;
use kaname_codec::hpke;
use kaname_codec::jose::{Unverified, sign_jwt};
use kaname_trust::keys::random;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use super::KitId;
use super::kit::{KnownKit, OpenKit};
use crate::{Entry, Field, Particulars, PersonError, Refusal};

/// The `typ` of a packet.
const TYPE: &str = "kaname-enrolment+jwt";
/// What its encryption is for.
const INFO: &[u8] = b"kaname enrolment 1";

/// What was entered about one person: field name and text, as in an import file; and what was shown.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Entered {
    /// By the names of the import file's columns.
    pub fields: BTreeMap<String, String>,
    /// What was shown: a birth report, an old card.
    pub evidence: String,
    /// The number of the resident who vouches for somebody without papers; empty when there are papers.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub introducer: String,
}

impl Entered {
    /// The entry that registration takes.
    ///
    /// # Errors
    /// The name of a field that there is not.
    pub fn entry(&self) -> Result<Entry<'_>, String> {
        let mut entry = Entry::default();
        for (name, text) in &self.fields {
            let field = Field::ALL.into_iter().find(|field| field.name() == name);
            entry.set(field.ok_or_else(|| name.clone())?, text);
        }
        Ok(entry)
    }
}

/// What a packet says in clear, and is signed.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    n: i64,
    jti: &'a str,
    iat: i64,
    sealed: &'a str,
}

/// A packet whose signature and seal were good.
pub(super) struct OpenPacket {
    pub(super) id: [u8; 16],
    pub(super) n: i64,
    pub(super) at: Instant,
    pub(super) entered: Entered,
}

/// Makes packet number `n` of a kit.
///
/// # Errors
/// [`Refusal::Invalid`] when the country's rules refuse what was entered, [`Refusal::KitExpired`] outside the kit's days,
/// [`Refusal::PacketBroken`] for a field that there is not, or far too much text.
pub fn make_packet(kit: &OpenKit, n: i64, now: Instant, entered: &Entered) -> Result<String, Refusal> {
    let today = now.date_in(&kit.pack.time_zone);
    if today < kit.from || kit.until < today {
        return Err(Refusal::KitExpired);
    }
    let entry = entered.entry().map_err(|_| Refusal::PacketBroken)?;
    Particulars::check(&entry, &kit.pack, today)?;
    let (iss, jti) = (kit.id.to_string(), b64::url_encode(&random::<16>()));
    let iat = now.seconds();
    let plain = Zeroizing::new(serde_json::to_vec(entered).expect("an entry is plain data"));
    let sealed = hpke::seal(&kit.authority, INFO, &about(&iss, n, &jti, iat), &plain)
        .map_err(|_| Refusal::PacketBroken)?;
    let claims = Claims { iss: &iss, n, jti: &jti, iat, sealed: &b64::url_encode(&sealed) };
    let packet = sign_jwt(&kit.key, &iss, TYPE, &claims);
    // What could not be read again is not written.
    match Unverified::parse(&packet) {
        Ok(_) => Ok(packet),
        Err(_) => Err(Refusal::PacketBroken),
    }
}

/// Which kit a packet says that it is of.
pub(super) fn kit_of(packet: &str) -> Result<KitId, Refusal> {
    let unverified = Unverified::parse(packet).map_err(|_| Refusal::PacketBroken)?;
    let kid = unverified.header().kid.as_deref().unwrap_or_default();
    KitId::parse(kid).map_err(|_| Refusal::PacketBroken)
}

/// Checks and opens a packet of this kit.
pub(super) fn open_packet(kit: &KnownKit, packet: &str) -> Result<OpenPacket, PersonError> {
    let broken = || Refusal::PacketBroken;
    let unverified = Unverified::parse(packet).map_err(|_| broken())?;
    if !unverified.header().is_type(TYPE) {
        return Err(broken().into());
    }
    let claims = unverified.verify(&kit.signs).map_err(|_| broken())?.into_inner();
    let text = |name: &str| claims.get(name).and_then(Value::as_str).ok_or_else(broken);
    let number = |name: &str| claims.get(name).and_then(Value::as_i64).ok_or_else(broken);
    let (iss, n, jti, iat) = (text("iss")?, number("n")?, text("jti")?, number("iat")?);
    let known = ["iss", "n", "jti", "iat", "sealed"];
    if iss != kit.id.to_string() || n < 1 || claims.keys().any(|name| !known.contains(&name.as_str())) {
        return Err(broken().into());
    }
    let id = b64::url_decode_array::<16>(jti).map_err(|_| broken())?;
    let sealed = b64::url_decode(text("sealed")?).map_err(|_| broken())?;
    let plain = kit.opens.open(INFO, &about(iss, n, jti, iat), &sealed).map_err(|_| broken())?;
    let entered = serde_json::from_slice(&Zeroizing::new(plain)).map_err(|_| broken())?;
    Ok(OpenPacket { id, n, at: Instant::from_seconds(iat), entered })
}

/// What the seal is bound to.
fn about(kit: &str, n: i64, id: &str, at: i64) -> Vec<u8> {
    format!("{kit}\n{n}\n{id}\n{at}").into_bytes()
}

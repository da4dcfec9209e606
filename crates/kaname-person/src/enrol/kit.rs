//! Kits: what an officer takes along to enrol people without a network.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use kaname_base::pack::Pack;
use kaname_base::{Env, Instant};
use kaname_codec::b64;
use kaname_codec::hpke::OpeningKey;
use kaname_codec::jose::{Es256Key, Es256Public};
use kaname_store::Tx;
use kaname_trust::{Actor, Keys, TrustError};
use serde::{Deserialize, Serialize};

use super::{KitId, table};
use crate::{Action, OfficerId, PackVersion, PersonError, Refusal, officer, policy};

/// The most days of a kit.
pub const LONGEST_DAYS: u16 = 92;

/// How many days after its last one a kit's packets are still taken: the way back to the office.
pub const GRACE_DAYS: i64 = 30;

/// Names the form of a kit's file.
const FORMAT: &str = "kaname enrolment kit 1";

/// A kit as it is taken along. It has the officer's signing key in it: whoever has the file can enrol people in her name, until
/// its last day or until it is revoked, and can read nothing that was enrolled with it.
#[derive(Serialize, Deserialize)]
pub struct Kit {
    format: String,
    id: String,
    officer: String,
    /// X25519, base64url: what packets are encrypted for.
    authority: String,
    /// ES256, PKCS#8 in base64url: what packets are signed with.
    key: String,
    #[serde(with = "crate::serial::date")]
    from: Date,
    #[serde(with = "crate::serial::date")]
    until: Date,
    /// The country pack's files, by their path.
    pack: BTreeMap<String, String>,
}

/// A kit that was read and holds together.
pub struct OpenKit {
    /// Which.
    pub id: KitId,
    /// The country that its people are enrolled in.
    pub pack: Pack,
    pub(super) from: Date,
    pub(super) until: Date,
    pub(super) authority: [u8; 32],
    pub(super) key: Es256Key,
}

impl Kit {
    /// Reads a kit's file.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub fn open(text: &str) -> Result<OpenKit, String> {
        let kit: Kit = serde_json::from_str(text).map_err(|_| "this is not an enrolment kit".to_owned())?;
        if kit.format != FORMAT {
            return Err(format!("this kit is of another form: {}", kit.format.escape_debug()));
        }
        let damaged = || "the kit is damaged".to_owned();
        let pkcs8 = b64::url_decode(&kit.key).map_err(|_| damaged())?;
        let pack = Pack::parse(&kit.pack).map_err(|problems| {
            problems.first().map_or_else(damaged, |problem| format!("the kit's pack is bad: {problem}"))
        })?;
        Ok(OpenKit {
            id: KitId::parse(&kit.id).map_err(|_| damaged())?,
            authority: b64::url_decode_array(&kit.authority).map_err(|_| damaged())?,
            key: Es256Key::from_pkcs8(&pkcs8).map_err(|_| damaged())?,
            from: kit.from,
            until: kit.until,
            pack,
        })
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).expect("a kit is plain data")
    }
}

/// What the authority keeps of a kit, wrapped by the master key.
#[derive(Serialize, Deserialize)]
struct KitBody {
    /// The private key that opens its packets.
    opens: String,
    /// The public point that its signatures are checked with.
    signs: String,
    #[serde(with = "crate::serial::date")]
    from: Date,
    #[serde(with = "crate::serial::date")]
    until: Date,
    made_at: Instant,
    made_by: Actor,
    pack: PackVersion,
}

/// A kit as the authority knows it.
pub struct KnownKit {
    /// Which.
    pub id: KitId,
    /// Whose.
    pub officer: OfficerId,
    /// Not revoked.
    pub active: bool,
    /// Its first day.
    pub from: Date,
    /// Its last day.
    pub until: Date,
    pub(super) opens: OpeningKey,
    pub(super) signs: Es256Public,
}

/// Makes a kit for an officer who may register residents; the file is told once. `files` are those of the pack.
///
/// # Errors
/// [`Refusal::NotAllowed`], [`Refusal::NoSuchOfficer`], [`Refusal::KitPeriod`].
#[expect(clippy::too_many_arguments, reason = "each is another thing, and none has a default")]
pub fn make_kit(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    files: &BTreeMap<String, String>,
    env: &Env,
    by: &Actor,
    for_officer: OfficerId,
    days: u16,
) -> Result<Kit, PersonError> {
    policy::may(by, Action::ManageKits)?;
    let actor = officer::officer(tx, keys, for_officer)?.acting_as("registrar")?;
    policy::may(&actor, Action::RegisterResident)?;
    if !(1..=LONGEST_DAYS).contains(&days) {
        return Err(Refusal::KitPeriod.into());
    }
    let from = env.now.date_in(&pack.time_zone);
    let until = from.checked_add((i64::from(days) - 1).days()).map_err(|_| Refusal::KitPeriod)?;

    let id: KitId = env.id(tx.bucket());
    let opens = OpeningKey::generate();
    let pkcs8 = Es256Key::generate().expect("making a P-256 key needs memory and randomness only");
    let signs = Es256Key::from_pkcs8(&pkcs8).expect("the key was just made");
    let body = KitBody {
        opens: b64::url_encode(&opens.secret()),
        signs: b64::url_encode(signs.public().point()),
        from,
        until,
        made_at: env.now,
        made_by: by.clone(),
        pack: PackVersion::of(pack),
    };
    let wrapped = keys.wrap(&context(id), &serde_json::to_vec(&body).expect("a body is plain data"));
    table::insert_kit(tx, id, for_officer, &wrapped)?;
    Ok(Kit {
        format: FORMAT.to_owned(),
        id: id.to_string(),
        officer: for_officer.to_string(),
        authority: b64::url_encode(opens.public()),
        key: b64::url_encode(&pkcs8),
        from,
        until,
        pack: files.clone(),
    })
}

/// Revokes a kit that was lost: no packet of it is taken any more.
///
/// # Errors
/// [`Refusal::NotAllowed`], [`Refusal::NoSuchKit`].
pub fn revoke_kit(tx: &mut Tx<'_>, by: &Actor, id: KitId) -> Result<(), PersonError> {
    policy::may(by, Action::ManageKits)?;
    let row = table::kit(tx, id)?.ok_or(Refusal::NoSuchKit)?;
    if row.active {
        table::revoke_kit(tx, &row)?;
    }
    Ok(())
}

/// All kits, with the places of their counts that did not come in though a later one did.
///
/// # Errors
/// [`PersonError::Trust`], [`PersonError::Store`], [`Refusal::NotAllowed`].
pub fn kits(tx: &mut Tx<'_>, keys: &Keys, by: &Actor) -> Result<Vec<(KnownKit, Vec<i64>)>, PersonError> {
    policy::may(by, Action::SeeKits)?;
    let mut all = Vec::new();
    for row in table::kits(tx)? {
        let missing = missing(&table::counts(tx, row.id)?);
        all.push((read(keys, row)?, missing));
    }
    Ok(all)
}

/// The kit with this id.
pub(super) fn known(tx: &mut Tx<'_>, keys: &Keys, id: KitId) -> Result<Option<KnownKit>, PersonError> {
    table::kit(tx, id)?.map(|row| read(keys, row)).transpose()
}

/// The numbers from 1 on that are not among these, up to the last of these.
pub(super) fn missing(counts: &[i64]) -> Vec<i64> {
    let last = counts.last().copied().unwrap_or(0);
    (1..=last).filter(|n| counts.binary_search(n).is_err()).collect()
}

fn read(keys: &Keys, row: table::KitRow) -> Result<KnownKit, PersonError> {
    let unreadable = || TrustError::Unreadable("person.enrol.kit");
    let plain = keys.unwrap(&context(row.id), &row.wrapped)?;
    let body: KitBody = serde_json::from_slice(&plain).map_err(|_| unreadable())?;
    let secret = b64::url_decode(&body.opens).map_err(|_| unreadable())?;
    let point = b64::url_decode(&body.signs).map_err(|_| unreadable())?;
    Ok(KnownKit {
        id: row.id,
        officer: row.officer,
        active: row.active,
        from: body.from,
        until: body.until,
        opens: OpeningKey::from_secret(&secret).map_err(|_| unreadable())?,
        signs: Es256Public::from_point(&point).map_err(|_| unreadable())?,
    })
}

/// Bound into the wrapping, so that one kit's keys never stand for another's.
fn context(id: KitId) -> Vec<u8> {
    [b"person.enrol.kit\0".as_slice(), id.bytes()].concat()
}

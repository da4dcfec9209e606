//! Who can hold a sign-in account, and the names under which this block knows them.

use kaname_base::{Bucket, Buckets};
use kaname_person::OfficerId;
use kaname_store::Tx;
use kaname_trust::{DataKey, Keys, PersonId, Record, TrustError, seal};
use serde::{Deserialize, Serialize};

use crate::SigninError;
use crate::packed::packed;

/// Who holds an account. An officer is not a resident here, even when the same human is both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holder {
    /// A resident, in the bucket of her other rows.
    Resident(PersonId),
    /// An officer, in the home bucket.
    Officer(OfficerId),
}

/// A holder as rows and wrapped bodies name one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct HolderRow {
    pub(crate) is_officer: bool,
    #[serde(with = "crate::bytes")]
    pub(crate) row: [u8; 16],
}

packed!(HolderRow { is_officer, row });

const RESIDENT: &str = "signin";
const OFFICER: &str = "signin.officer";
/// Another name again: user handles are copied by the makers of passkeys, and must not fit any table of ours.
const RESIDENT_HANDLE: &str = "signin.user-handle";
const OFFICER_HANDLE: &str = "signin.officer-handle";

impl Holder {
    /// Where the holder's rows lie.
    pub(crate) fn bucket(self, buckets: Buckets) -> Option<Bucket> {
        match self {
            Holder::Resident(person) => person.bucket(buckets),
            Holder::Officer(_) => Some(buckets.home()),
        }
    }

    pub(crate) fn row(self, keys: &Keys) -> HolderRow {
        match self {
            Holder::Resident(person) => {
                HolderRow { is_officer: false, row: keys.pseudonym(RESIDENT, person) }
            }
            Holder::Officer(officer) => HolderRow {
                is_officer: true,
                row: keys.pseudonym(OFFICER, PersonId::from_bytes(*officer.bytes())),
            },
        }
    }

    /// What passkeys know the holder by (WebAuthn section 5.4.3, `user.id`): 17 bytes that say nothing.
    pub fn user_handle(self, keys: &Keys) -> Vec<u8> {
        let (kind, name) = match self {
            Holder::Resident(person) => (0, keys.pseudonym(RESIDENT_HANDLE, person)),
            Holder::Officer(officer) => {
                (1, keys.pseudonym(OFFICER_HANDLE, PersonId::from_bytes(*officer.bytes())))
            }
        };
        [&[kind][..], &name].concat()
    }

    /// The holder that a passkey names. Any 17 bytes name somebody, who may not exist.
    pub(crate) fn of_user_handle(keys: &Keys, handle: &[u8]) -> Option<Holder> {
        let (kind, name) = handle.split_first()?;
        let name: [u8; 16] = name.try_into().ok()?;
        match kind {
            0 => Some(Holder::Resident(keys.person_of(RESIDENT_HANDLE, name))),
            1 => Some(Holder::Officer(OfficerId::from_bytes(*keys.person_of(OFFICER_HANDLE, name).bytes()))),
            _ => None,
        }
    }
}

impl HolderRow {
    pub(crate) fn holder(self, keys: &Keys) -> Holder {
        match self.is_officer {
            false => Holder::Resident(keys.person_of(RESIDENT, self.row)),
            true => Holder::Officer(OfficerId::from_bytes(*keys.person_of(OFFICER, self.row).bytes())),
        }
    }
}

/// Seals what is kept about a holder: with the resident's data key, or, as officers' records are not personal data of
/// residents, wrapped by the master key.
pub(crate) enum Sealer<'u> {
    Resident(Box<DataKey<'u>>),
    Officer(Keys),
}

impl<'u> Sealer<'u> {
    pub(crate) fn of(tx: &mut Tx<'u>, keys: &Keys, holder: Holder) -> Result<Sealer<'u>, TrustError> {
        Ok(match holder {
            Holder::Resident(person) => Sealer::Resident(Box::new(seal::data_key(tx, keys, person)?)),
            Holder::Officer(_) => Sealer::Officer(keys.clone()),
        })
    }

    pub(crate) fn seal<T: Record>(&self, record: &T) -> Vec<u8> {
        match self {
            Sealer::Resident(key) => key.seal(record).bytes().to_vec(),
            Sealer::Officer(keys) => wrap(keys, T::KIND, &[], record),
        }
    }
}

/// Wraps a body of this block's tables; `row` is the key of the row it belongs to.
pub(crate) fn wrap<T: Serialize>(keys: &Keys, kind: &str, row: &[u8], body: &T) -> Vec<u8> {
    let plain = serde_json::to_vec(body).expect("a body is plain data");
    keys.wrap(&[kind.as_bytes(), b"\0", row].concat(), &plain)
}

/// Unwraps what [`wrap`] made.
pub(crate) fn unwrap<T: serde::de::DeserializeOwned>(
    keys: &Keys,
    kind: &'static str,
    row: &[u8],
    wrapped: &[u8],
) -> Result<T, SigninError> {
    let plain = keys.unwrap(&[kind.as_bytes(), b"\0", row].concat(), wrapped)?;
    Ok(serde_json::from_slice(&plain).map_err(|_| TrustError::Unreadable(kind))?)
}

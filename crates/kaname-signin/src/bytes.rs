//! Byte arrays in wrapped bodies, as base64url.

use kaname_codec::b64;
use serde::{Deserialize, Deserializer, Serializer};

pub(crate) fn serialize<S: Serializer>(
    bytes: &(impl AsRef<[u8]> + ?Sized),
    to: S,
) -> Result<S::Ok, S::Error> {
    to.serialize_str(&b64::url_encode(bytes.as_ref()))
}

pub(crate) fn deserialize<'de, T: TryFrom<Vec<u8>>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    let text = String::deserialize(from)?;
    let bytes = b64::url_decode(&text).map_err(serde::de::Error::custom)?;
    T::try_from(bytes).map_err(|_| serde::de::Error::custom("bytes of another length"))
}

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

/// The same, where there may be none.
pub(crate) mod maybe {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<T: AsRef<[u8]>, S: Serializer>(
        bytes: &Option<T>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => super::serialize(bytes, to),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, T: TryFrom<Vec<u8>>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<T>, D::Error> {
        #[derive(Deserialize)]
        #[serde(bound(deserialize = "T: TryFrom<Vec<u8>>"))]
        struct Given<T>(#[serde(with = "super")] T);
        Ok(Option::<Given<T>>::deserialize(from)?.map(|Given(bytes)| bytes))
    }
}

//! What a step of a sign-in hands out, sealed, and the next step takes back: request URIs, the handles of pages, codes and access
//! tokens. Nothing of it is kept, so nothing of it can be found; what must happen only once is [noted](crate::once).

use kaname_codec::b64;
use kaname_trust::Keys;

use crate::packed::Packed;

/// Something that is handed out.
pub(crate) trait Handout: Packed {
    /// What it is for, so that no kind passes for another. Change it with the fields.
    const PURPOSE: &'static str;

    /// As base64url.
    fn hand_out(&self, keys: &Keys) -> String {
        let mut plain = Vec::with_capacity(512);
        self.pack(&mut plain);
        b64::url_encode(&keys.hand_out(Self::PURPOSE.as_bytes(), &plain))
    }

    /// What we handed out; `None` for anything else. Whether it is in time, in the right hands and unused is for the caller to check.
    fn take_back(keys: &Keys, text: &str) -> Option<Self> {
        let plain = keys.take_back(Self::PURPOSE.as_bytes(), &b64::url_decode(text).ok()?)?;
        let mut rest = plain.as_slice();
        let handout = Self::unpack(&mut rest)?;
        rest.is_empty().then_some(handout)
    }
}

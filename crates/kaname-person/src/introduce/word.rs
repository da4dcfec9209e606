//! The word of an introducer as evidence of a registration. It stands in the person's own records and in what she takes out of them, so
//! it names the introducer by a reference that only this deployment can read, in another form each time; and it is no sentence: who
//! shows it has the words in the reader's language.

use kaname_codec::b64;
use kaname_trust::Keys;

use super::Introducer;

/// The code of this kind of evidence, with which it begins.
const CODE: &str = "introduced";

/// Bound into the wrapping, so that no other wrapped text stands for an introducer.
const CONTEXT: &[u8] = b"person.introduced-by";

/// What an introducer said of a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Word {
    /// Who.
    pub introducer: Introducer,
    /// From where she knows the person, as it was typed.
    pub how: String,
}

impl Word {
    /// As it stands in the event of the registration.
    pub(super) fn evidence(&self, keys: &Keys) -> String {
        let is_officer = u8::from(self.introducer.is_officer());
        let plain = [&[is_officer][..], &self.introducer.bytes()].concat();
        format!("{CODE} {} {}", b64::url_encode(&keys.wrap(CONTEXT, &plain)), self.how)
    }

    /// Out of an event's evidence; `None` when it is of another kind.
    pub fn read(keys: &Keys, evidence: &str) -> Option<Word> {
        let (wrapped, how) = evidence.strip_prefix(CODE)?.strip_prefix(' ')?.split_once(' ')?;
        let plain = keys.unwrap(CONTEXT, &b64::url_decode(wrapped).ok()?).ok()?;
        let (kind, id) = plain.split_first()?;
        Some(Word { introducer: Introducer::of(id.try_into().ok()?, *kind == 1), how: how.to_owned() })
    }
}

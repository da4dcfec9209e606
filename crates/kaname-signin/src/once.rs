//! What happens once: a mark, by a keyed hash, for as long as it could happen again.
//!
//! The expiry belongs to the thing itself, not to the moment of its use, so that a second use finds the mark of the first.

use kaname_base::{Bucket, Buckets, Instant};
use kaname_store::Tx;
use kaname_trust::Keys;
use kaname_trust::keys::BlindIndex;

use crate::{SigninError, rules, table};

/// Something that may happen once.
#[derive(Clone, Copy)]
pub(crate) struct Once {
    mark: BlindIndex,
    expires: i64,
}

impl Once {
    /// `label` says what may happen, `value` to what; after `until` it cannot happen anyway.
    pub(crate) fn new(keys: &Keys, label: &'static str, value: &[&[u8]], until: Instant) -> Once {
        Once { mark: keys.blind_index(label, &value.concat()), expires: rules::coarse(until) }
    }

    /// Where its mark lies, if it is nobody's.
    pub(crate) fn bucket(&self, buckets: Buckets) -> Bucket {
        buckets.of_hash(&self.mark)
    }

    /// Notes that it happens now, and how; tells whether it is the first time. If not, how it happened stays.
    pub(crate) fn note(&self, tx: &mut Tx<'_>, how: &[u8]) -> Result<bool, SigninError> {
        Ok(table::insert_mark(tx, self.expires, &self.mark, how)?)
    }

    /// How it happened, if it did.
    pub(crate) fn noted(&self, tx: &mut Tx<'_>) -> Result<Option<Vec<u8>>, SigninError> {
        Ok(table::mark(tx, self.expires, &self.mark)?)
    }

    /// Notes that it happens in a way that counts for more than what is noted; tells whether it does.
    pub(crate) fn advance(&self, tx: &mut Tx<'_>, how: &[u8]) -> Result<bool, SigninError> {
        Ok(table::advance_mark(tx, self.expires, &self.mark, how)?)
    }
}

//! Tickets: what request URIs, handles, codes, access tokens and session cookies look like.
//!
//! A ticket names a bucket and a row, and carries a secret. The row can be found without an index; the secret stands in the
//! row's wrapped body as a keyed hash, so that a copy of the database gives nobody a ticket.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use kaname_base::{Bucket, Buckets};
use kaname_codec::b64;
use kaname_trust::Keys;
use kaname_trust::keys::{BlindIndex, random};

/// The key of the row that a ticket is for.
pub(crate) type RowKey = [u8; 16];

/// 32 random bytes and the bucket in which they mean something.
#[derive(Clone, Copy)]
pub(crate) struct Ticket {
    pub(crate) bucket: Bucket,
    pub(crate) row: RowKey,
    secret: [u8; 16],
}

impl Ticket {
    /// A ticket for a new row.
    pub(crate) fn new(bucket: Bucket) -> Ticket {
        Ticket::for_row(bucket, random())
    }

    /// One more ticket for a row.
    pub(crate) fn for_row(bucket: Bucket, row: RowKey) -> Ticket {
        Ticket { bucket, row, secret: random() }
    }

    /// Reads what [`Ticket::text`] wrote; `None` for anything else.
    pub(crate) fn parse(text: &str, buckets: Buckets) -> Option<Ticket> {
        let bytes: [u8; 34] = b64::url_decode_array(text).ok()?;
        let bucket = buckets.get(u16::from_be_bytes([bytes[0], bytes[1]]))?;
        let row = bytes[2..18].try_into().ok()?;
        let secret = bytes[18..].try_into().ok()?;
        Some(Ticket { bucket, row, secret })
    }

    /// 46 characters of base64url.
    pub(crate) fn text(&self) -> String {
        b64::url_encode(&[&self.bucket.index().to_be_bytes()[..], &self.row, &self.secret].concat())
    }

    /// What the row keeps of it. `label` says what the ticket is for, so that no kind passes for another.
    pub(crate) fn mac(&self, keys: &Keys, label: &'static str) -> BlindIndex {
        keys.blind_index(label, &[&self.row[..], &self.secret].concat())
    }

    /// Whether `mac` is of this ticket.
    pub(crate) fn is(&self, keys: &Keys, label: &'static str, mac: &BlindIndex) -> bool {
        same(&self.mac(keys, label), mac)
    }
}

/// Compares without telling by its time where two values differ.
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    verify_slices_are_equal(left, right).is_ok()
}

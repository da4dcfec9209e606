//! The id of a request in a hidden field, made when the form is shown: sent twice, a form does its work once.

use kaname_codec::b64;

use super::{Call, Problem};

/// The text for the field `request`.
pub(crate) fn write(id: &[u8; 16]) -> String {
    b64::url_encode(id)
}

/// The id that a form brings.
///
/// # Errors
/// 400 when there is none.
pub(crate) fn read(call: &Call) -> Result<[u8; 16], Problem> {
    b64::url_decode_array::<16>(call.form.need("request")?)
        .map_err(|_| Problem::malformed("the field `request` is not what the form had"))
}

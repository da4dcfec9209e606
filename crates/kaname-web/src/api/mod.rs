//! What programs call: the OpenID Connect provider's endpoints.

pub(crate) mod authorize;
pub(crate) mod party;

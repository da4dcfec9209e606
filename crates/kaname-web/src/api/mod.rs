//! What programs call: the OpenID Connect provider's endpoints, and the register's interfaces for agencies.

pub(crate) mod authorize;
mod bounds;
pub mod dci;
pub(crate) mod events;
pub(crate) mod instant;
pub mod instant_courier;
pub(crate) mod links;
pub(crate) mod osia;
pub(crate) mod party;
pub(crate) mod statistics;
pub mod webhooks;

//! What residents see: the way in, and their own data. Officers come in by the same way.

pub(crate) mod activate;
pub(crate) mod aliases;
pub(crate) mod delegates;
pub(crate) mod history;
pub(crate) mod links;
pub(crate) mod money;
pub(crate) mod own;
pub(crate) mod signin;
pub(crate) mod signins;
pub(crate) mod subject;

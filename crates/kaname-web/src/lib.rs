//! HTTP and HTML for all blocks: the only crate that knows templates and serialised views.
//!
//! - [`http`]: serving, the table of routes, and what surrounds every handler: who calls, whether the form is ours, problems.
//! - `api`: what programs call (OpenID Connect). `portal`: what residents see. `office`: what officers see.
//! - [`pages`]: typed views and their templates.

pub mod api;
pub mod export;
pub mod http;
pub mod office;
pub mod pages;
mod portal;

pub use office::imports::ImportNote;
pub use office::runs::Runs;
pub use portal::links::view as link_view;

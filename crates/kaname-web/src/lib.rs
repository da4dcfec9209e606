//! HTTP and HTML for all blocks: the only crate that knows templates and serialised views.

pub mod pages;

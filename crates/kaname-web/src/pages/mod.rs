//! What a person sees: one typed view and one template for each page, in every language.
//!
//! A handler fills a view with plain values and renders it; the words come from `texts/<language>.toml`, the form of
//! dates and money from [`format`]. Each view has a `sample`, so that one test renders all pages in all languages.

mod asset;
pub mod format;
mod qr;
mod sample;
mod shell;
mod text;

pub mod common;
pub mod delegates;
pub mod desk;
pub mod entry;
pub mod library;
pub mod link;
pub mod number;
pub mod office;
pub mod paper;
pub mod portal;

pub use asset::{Asset, asset, asset_url};
pub use sample::samples;
pub use shell::{Acting, CounterBanner, Field, Notice, NoticeKind, Saying, Shell};
pub use text::{Lang, texts};

/// Rendering of a view to HTML.
pub use askama::Template;

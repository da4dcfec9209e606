//! All pages in all languages.

mod html;
mod pages;
mod words;

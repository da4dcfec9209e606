//! The City Library: a relying party for demonstrations, with a look of its own.

use askama::Template;

use super::{NoticeKind, Shell};

/// `GET /` of the library: what it offers, and the way in.
#[derive(Template)]
#[template(path = "library/start.html")]
pub struct LibraryStartPage {
    /// The frame.
    pub shell: Shell,
    /// Where the sign-in begins.
    pub signin: String,
}

/// After the sign-in: what the library received.
#[derive(Template)]
#[template(path = "library/reader.html")]
pub struct LibraryReaderPage {
    /// The frame.
    pub shell: Shell,
    /// What to call the reader.
    pub name: String,
    /// The identifier by which only this library knows the reader.
    pub subject: String,
    /// The level of assurance as it was received.
    pub assurance: String,
    /// The claims as they were received: name and value.
    pub claims: Vec<(String, String)>,
}

/// A sign-in that did not work.
#[derive(Template)]
#[template(path = "library/error.html")]
pub struct LibraryErrorPage {
    /// The frame.
    pub shell: Shell,
    /// The error code of OAuth 2.0, such as `access_denied`.
    pub code: String,
    /// Where to try again.
    pub signin: String,
}

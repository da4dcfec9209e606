//! Pages that any part of the program may answer with.

use askama::Template;

use super::{NoticeKind, Shell};

/// A problem, with the same code as its RFC 9457 form.
#[derive(Template)]
#[template(path = "common/problem.html")]
pub struct ProblemPage {
    /// The frame.
    pub shell: Shell,
    /// What happened, in a few words of the reader's language.
    pub title: String,
    /// What happened, in a sentence or two.
    pub explanation: String,
    /// What to do next, in a sentence; empty for the usual advice.
    pub next_step: String,
    /// The stable code.
    pub code: String,
    /// What to quote on the phone.
    pub trace: String,
}

/// `GET /errors/{code}`: a page of the manual.
#[derive(Template)]
#[template(path = "common/error.html")]
pub struct ErrorPage {
    /// The frame.
    pub shell: Shell,
    /// The stable code.
    pub code: String,
    /// What it means, in English, the language of the manual.
    pub meaning: String,
    /// What to do.
    pub advice: String,
}

/// 404.
#[derive(Template)]
#[template(path = "common/not_found.html")]
pub struct NotFoundPage {
    /// The frame.
    pub shell: Shell,
}

/// 503 with `Retry-After`.
#[derive(Template)]
#[template(path = "common/busy.html")]
pub struct BusyPage {
    /// The frame.
    pub shell: Shell,
    /// The seconds of `Retry-After`.
    pub retry_after_s: u64,
}

//! `/errors/<code>`: what a code means and what to do. The pages are `docs/errors/<code>.md`, embedded.

use super::answer::{Answer, page};
use super::{App, Call, Problem};
use crate::pages::common::ErrorPage;

/// A code and its page.
pub(crate) type Entry = (&'static str, &'static str);

include!("manual_list.rs");

/// The codes that have a page, in the order of the alphabet.
pub fn codes() -> impl Iterator<Item = &'static str> {
    PAGES.iter().map(|(code, _)| *code)
}

/// `GET /errors/{code}`
pub(super) fn page_of(app: &App, call: &Call) -> Answer {
    let code = call.param("code");
    let at = PAGES.binary_search_by_key(&code, |(known, _)| known).map_err(|_| Problem::not_found())?;
    let mut parts = PAGES[at].1.split("\n\n").map(|part| part.trim().replace('\n', " "));
    let mut part = || parts.next().unwrap_or_default();
    let _heading = part();
    page(&ErrorPage { code: code.to_owned(), meaning: part(), advice: part(), shell: call.shell(app) })
}

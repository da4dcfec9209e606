//! Which of the pack's languages a reader gets: what she chose (a cookie), else what her browser asks for (RFC 9110 section 12.5.4).

use axum::http::{HeaderMap, header};
use kaname_base::pack::{Language, Pack};

use super::cookies;

/// The cookie that keeps the choice.
pub(crate) const COOKIE: &str = "kaname_language";

/// The reader's language among the pack's.
pub(crate) fn of_request<'a>(headers: &HeaderMap, pack: &'a Pack) -> &'a Language {
    if let Some(language) = cookies::get(headers, COOKIE).and_then(|tag| find(pack, tag)) {
        return language;
    }
    let asked =
        headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut wishes: Vec<(&str, u16)> = asked.split(',').filter_map(wish).collect();
    wishes.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    wishes.iter().find_map(|(tag, _)| find(pack, tag)).unwrap_or_else(|| pack.default_language())
}

fn find<'a>(pack: &'a Pack, tag: &str) -> Option<&'a Language> {
    let primary = tag.split('-').next().unwrap_or(tag);
    let same = |language: &&Language| {
        language.tag.eq_ignore_ascii_case(tag) || language.tag.eq_ignore_ascii_case(primary)
    };
    pack.languages.iter().find(same)
}

/// One element of the header: a tag and its weight in thousandths; weight 0 means "not this one".
fn wish(element: &str) -> Option<(&str, u16)> {
    let (tag, weight) = element.split_once(";q=").unwrap_or((element, "1"));
    let (whole, part) = weight.trim().split_once('.').unwrap_or((weight.trim(), ""));
    let thousandths = format!("{part:0<3}").get(..3)?.parse::<u16>().ok()?;
    let weight = whole.parse::<u16>().ok()?.min(1) * 1_000 + thousandths;
    (weight > 0).then_some((tag.trim(), weight.min(1_000)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn the_browser_is_asked_in_its_order() {
        let pack = Pack::load_shipped("japan").unwrap();
        for (header_value, tag) in [
            ("en", "en"),
            ("fr, en;q=0.5, ja;q=0.8", "ja"),
            ("en-GB,en;q=0.9", "en"),
            ("de", "ja"),
            ("en;q=0, ja", "ja"),
            ("", "ja"),
            (";;;q=,,", "ja"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(header_value));
            assert_eq!(of_request(&headers, &pack).tag, tag, "{header_value}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("kaname_language=en"));
        assert_eq!(of_request(&headers, &pack).tag, "en");
    }
}

//! Cookies: read strictly, set with every protection a browser knows (RFC 6265bis).

use axum::http::{HeaderMap, HeaderValue, header};

/// The value of the cookie `name`, if it is there exactly once. Two of one name are an attempt to plant one.
pub(crate) fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value);
    let first = found.next();
    if found.next().is_some() { None } else { first }
}

/// A `Set-Cookie` value for this host only, hidden from scripts. `Secure` when the site is served over TLS.
pub(crate) fn set(name: &str, value: &str, max_age_seconds: i64, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_seconds}{secure}");
    HeaderValue::from_str(&text).expect("a cookie of ours is made of token characters")
}

/// A `Set-Cookie` value that removes the cookie.
pub(crate) fn clear(name: &str, secure: bool) -> HeaderValue {
    set(name, "", 0, secure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_that_is_there_twice_is_none() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("a=1; session=x; b=2"));
        assert_eq!(get(&headers, "session"), Some("x"));
        headers.append(header::COOKIE, HeaderValue::from_static("session=planted"));
        assert_eq!(get(&headers, "session"), None);
    }
}

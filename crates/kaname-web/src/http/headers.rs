//! What every response carries, so that a browser does nothing for others with it.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;

use super::answer::FormTarget;
use super::{App, Problem};

const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");

/// Puts the headers on. What a handler has set itself stays.
pub(super) fn harden(app: &App, mut response: Response) -> Response {
    let policy = policy(response.extensions().get::<FormTarget>());
    let made = app.made();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        // Not `no-referrer`: browsers would then send `Origin: null` with our own forms.
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (PERMISSIONS, HeaderValue::from_static(PERMISSIONS_VALUE)),
    ] {
        headers.entry(name).or_insert(value);
    }
    if made.secure && !made.loopback {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000"));
    }
    response
}

const PERMISSIONS_VALUE: &str = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), \
     publickey-credentials-get=(self), publickey-credentials-create=(self)";

/// Everything from us, nothing from elsewhere; forms go to us, and where a sign-in leads back to a relying party, to it: Chromium
/// checks `form-action` along redirects too.
fn policy(target: Option<&FormTarget>) -> HeaderValue {
    let target = target.map_or(String::new(), |FormTarget(origin)| format!(" {origin}"));
    let policy = format!(
        "default-src 'self'; form-action 'self'{target}; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// The origin of an address, if it can stand in a policy.
pub(crate) fn origin_of(address: &str) -> Result<FormTarget, Problem> {
    let refused = || Problem::malformed("the address has no origin");
    let (scheme, rest) = address.split_once("://").ok_or_else(refused)?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let plain =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte));
    let good = plain(scheme) && plain(host) && !host.is_empty();
    if good { Ok(FormTarget(format!("{scheme}://{host}"))) } else { Err(refused()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_all_that_gets_into_the_policy() {
        let origin = |address| origin_of(address).map(|FormTarget(origin)| origin).ok();
        assert_eq!(origin("https://library.example/cb?x=1").as_deref(), Some("https://library.example"));
        assert_eq!(origin("http://[::1]:81/cb").as_deref(), Some("http://[::1]:81"));
        for bad in ["library.example", "https://", "https://a;script-src *", "https://a b/"] {
            assert_eq!(origin(bad), None, "{bad}");
        }
    }
}

//! What a handler answers with.

use askama::Template;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::Problem;

/// A response, or why not.
pub(crate) type Answer = Result<Response, Problem>;

/// Where a form on this page may lead at last: the origin of the relying party. Goes into the page's content security policy.
#[derive(Clone)]
pub(crate) struct FormTarget(pub(crate) String);

/// A page.
pub(crate) fn page(view: &impl Template) -> Answer {
    page_with(StatusCode::OK, view)
}

/// A page with another status: a form that is shown again is a 422, so that nothing takes it for done.
pub(crate) fn page_with(status: StatusCode, view: &impl Template) -> Answer {
    let html = view.render().map_err(|error| {
        tracing::error!(%error, "a page could not be rendered");
        Problem::unavailable()
    })?;
    Ok(of(status, "text/html; charset=utf-8", html))
}

/// 303: what comes next, by GET (RFC 9110 section 15.4.4).
pub(crate) fn see_other(location: &str) -> Answer {
    let value = HeaderValue::from_str(location)
        .map_err(|_| Problem::malformed("the address has characters that no address has"))?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(header::LOCATION, value);
    Ok(response)
}

/// The same response, at which the browser forgets what it kept of our pages: nothing of a resident who was served is left for the one
/// who comes next (Clear Site Data, section 3.1). Cookies stay, or the officer would be signed out.
pub(crate) fn forgetting(response: Response) -> Response {
    let value = HeaderValue::from_static("\"cache\", \"storage\"");
    with(response, HeaderName::from_static("clear-site-data"), value)
}

/// A JSON document.
pub(crate) fn json(status: StatusCode, value: &serde_json::Value) -> Response {
    of(status, "application/json", value.to_string())
}

/// A body with its media type.
pub(crate) fn of(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// The same response with a header.
pub(crate) fn with(mut response: Response, name: HeaderName, value: HeaderValue) -> Response {
    response.headers_mut().append(name, value);
    response
}

/// The same response with a cookie.
pub(crate) fn with_cookie(response: Response, cookie: HeaderValue) -> Response {
    with(response, header::SET_COOKIE, cookie)
}

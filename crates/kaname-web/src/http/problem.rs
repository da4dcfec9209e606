//! What goes wrong, as callers see it: RFC 9457 problem details for programs, a page with the same code for people.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use kaname_store::StoreError;
use kaname_trust::TrustError;
use serde::Serialize;

/// A refusal or a failure on its way out. The text never holds personal data, nor why something failed inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    retry_after_seconds: Option<u32>,
    oauth: Option<&'static str>,
}

/// The document of RFC 9457, section 3.
#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    trace: &'a str,
}

impl Problem {
    /// A problem with a status, our stable code, and a sentence for people.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Problem {
        Problem { status, code, detail: detail.into(), retry_after_seconds: None, oauth: None }
    }

    /// 400: the request cannot be understood.
    pub fn malformed(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "malformed-request", detail)
    }

    /// 405: the address is there, for other methods.
    pub(crate) fn wrong_method() -> Problem {
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "this address does not take this method")
    }

    /// 408: the body did not arrive in time.
    pub(crate) fn too_slow() -> Problem {
        Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "the request did not arrive in time")
    }

    /// 413: the body is larger than any form.
    pub(crate) fn too_large(most: usize) -> Problem {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", format!("a form has at most {most} bytes"))
    }

    /// 415: the body is not what this address reads.
    pub(crate) fn wrong_media_type(wanted: &str) -> Problem {
        Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "wrong-media-type",
            format!("the body must be {wanted}"),
        )
    }

    /// 404: there is no such thing, or the caller may not know that there is.
    pub fn not_found() -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "not-found", "there is nothing at this address")
    }

    /// 401: nobody is signed in.
    pub fn signed_out() -> Problem {
        Problem::new(StatusCode::UNAUTHORIZED, "signed-out", "sign in first")
    }

    /// 403: the caller is known, and may not do this.
    pub fn forbidden(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 403: an officer who signed in with paper.
    pub(crate) fn passkey_needed() -> Problem {
        Problem::new(StatusCode::FORBIDDEN, "passkey-needed", "the office opens with a passkey")
    }

    /// 403: a form that did not come from our own page.
    pub fn cross_site() -> Problem {
        Problem::new(
            StatusCode::FORBIDDEN,
            "cross-site",
            "this form did not come from our page; open the page again",
        )
    }

    /// 503: a database or a peer failed. Why stays in our own log.
    pub fn unavailable() -> Problem {
        let detail = "something we depend on does not answer; nothing was lost, try again in a moment";
        Problem {
            retry_after_seconds: Some(5),
            ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
        }
    }

    /// 503: too much is waiting.
    pub fn busy() -> Problem {
        let detail = "many people are here at once; try again in a moment";
        Problem {
            retry_after_seconds: Some(2),
            ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail)
        }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Our stable code; `docs/errors/<code>.md` explains it.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The sentence for people, in English; pages translate by code.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The detail as a sentence: it begins with a capital letter and ends with a full stop.
    pub(crate) fn sentence(&self) -> String {
        let mut letters = self.detail.chars();
        let first: String = letters.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
        format!("{first}{}.", letters.as_str())
    }

    /// The same problem under another status.
    pub(crate) fn with_status(self, status: StatusCode) -> Problem {
        Problem { status, ..self }
    }

    /// The same problem, with when to try again.
    pub(crate) fn with_retry(self, seconds: u32) -> Problem {
        Problem { retry_after_seconds: Some(seconds), ..self }
    }

    /// The same problem with its code of OAuth 2.0.
    pub(crate) fn with_oauth(self, error: &'static str) -> Problem {
        Problem { oauth: Some(error), ..self }
    }

    /// The code of OAuth 2.0 (RFC 6749 section 5.2; `temporarily_unavailable` of section 4.1.2.1).
    pub(crate) fn oauth(&self) -> &'static str {
        self.oauth.unwrap_or(if self.status.is_server_error() {
            "temporarily_unavailable"
        } else {
            "invalid_request"
        })
    }

    /// When to try again.
    pub(crate) fn retry_after_seconds(&self) -> Option<u32> {
        self.retry_after_seconds
    }

    /// The problem as a document (`application/problem+json`); `trace` is quoted on the phone.
    pub fn document(&self, trace: &str) -> Response {
        let document = Document {
            r#type: format!("/errors/{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Problem"),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            trace,
        };
        let body = serde_json::to_vec(&document).expect("a problem is plain data");
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        self.add_retry(&mut response);
        response
    }

    /// Adds `Retry-After` where trying again helps.
    pub(crate) fn add_retry(&self, response: &mut Response) {
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        match error {
            StoreError::Busy => Problem::busy(),
            other => {
                tracing::error!(error = %other, "the store failed");
                Problem::unavailable()
            }
        }
    }
}

impl From<TrustError> for Problem {
    fn from(error: TrustError) -> Problem {
        match error {
            TrustError::Store(error) => error.into(),
            // A person without a data key was erased: to everybody outside she is not there.
            TrustError::NoSuchHolder => Problem::not_found(),
            other => {
                tracing::error!(error = %other, "trust failed");
                Problem::unavailable()
            }
        }
    }
}

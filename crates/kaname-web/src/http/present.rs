//! A problem on its way out: a page for people, a document for programs, OAuth's own form at its endpoints.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use super::answer::{json as json_answer, page_with};
use super::routes::Voice;
use super::{App, Call, Problem};
use crate::api::osia::osia_status;
use crate::pages::common::{BusyPage, NotFoundPage, ProblemPage};

/// The problem as this caller reads it.
pub(super) fn present(app: &App, call: &Call, voice: Voice, problem: &Problem) -> Response {
    if problem.status().is_server_error() {
        tracing::error!(trace = %call.trace, code = problem.code(), "a request could not be served");
    }
    match voice {
        Voice::Page if !call.wants_document() => page(app, call, problem),
        Voice::Page | Voice::Document => problem.document(&call.trace),
        Voice::Api => challenged(problem.document(&call.trace), problem),
        Voice::OAuth => oauth(app, problem),
        Voice::Osia => osia(problem),
        Voice::Dci => dci(call, problem),
    }
}

fn page(app: &App, call: &Call, problem: &Problem) -> Response {
    let shell = call.shell(app);
    let answer = match (problem.status(), problem.retry_after_seconds()) {
        (StatusCode::NOT_FOUND, _) => page_with(problem.status(), &NotFoundPage { shell }),
        (StatusCode::SERVICE_UNAVAILABLE, Some(seconds)) if problem.code() == "busy" => {
            page_with(problem.status(), &BusyPage { shell, retry_after_s: seconds.into() })
        }
        _ => {
            let text = |part: &str| {
                let key = format!("problems.{}.{part}", problem.code());
                shell.texts.find(shell.lang.code(), &key).map(str::to_owned)
            };
            let view = ProblemPage {
                title: text("title").unwrap_or_else(|| shell.t("problem.title")),
                explanation: text("text").unwrap_or_else(|| explanation(&shell, problem)),
                next_step: text("next").unwrap_or_default(),
                code: problem.code().to_owned(),
                trace: call.trace.clone(),
                shell,
            };
            page_with(problem.status(), &view)
        }
    };
    let mut response = answer.unwrap_or_else(|_| problem.document(&call.trace));
    problem.add_retry(&mut response);
    response
}

/// What went wrong on our side is said in general; what the reader can change is said as it is.
fn explanation(shell: &crate::pages::Shell, problem: &Problem) -> String {
    if problem.status().is_server_error() { shell.t("problem.text") } else { problem.sentence() }
}

/// RFC 6749 section 5.2, and RFC 6750 section 3 for a token that does not hold.
fn oauth(app: &App, problem: &Problem) -> Response {
    let error = problem.oauth();
    let uri = format!("{}/errors/{}", app.issuer(), problem.code());
    let body = json!({ "error": error, "error_description": problem.detail(), "error_uri": uri });
    let mut response = challenged(json_answer(problem.status(), &body), problem);
    problem.add_retry(&mut response);
    response
}

/// OSIA's error, which allows a number and a text: the status, and our own code before the sentence.
fn osia(problem: &Problem) -> Response {
    let message = format!("{}: {}", problem.code(), problem.detail());
    let status = osia_status(problem.status());
    let body = json!({ "code": status.as_u16(), "message": message });
    let mut response = challenged(json_answer(status, &body), problem);
    problem.add_retry(&mut response);
    response
}

/// DCI's `HttpErrorResponse`, beside what every document of a problem says.
fn dci(call: &Call, problem: &Problem) -> Response {
    let code = match problem.status() {
        StatusCode::UNAUTHORIZED => "err.request.unauthorized",
        StatusCode::FORBIDDEN => "err.request.forbidden",
        StatusCode::NOT_FOUND => "err.request.not_found",
        StatusCode::REQUEST_TIMEOUT => "err.request.timeout",
        StatusCode::TOO_MANY_REQUESTS => "err.request.too_many_requests",
        status if status.is_server_error() => "err.service.unavailable",
        _ => "err.request.bad",
    };
    let message = format!("{}: {}", problem.code(), problem.detail());
    let body = json!({
        "type": format!("/errors/{}", problem.code()), "title": problem.status().canonical_reason().unwrap_or("Problem"),
        "status": problem.status().as_u16(), "detail": problem.detail(), "code": problem.code(), "trace": call.trace,
        "errors": [{ "code": code, "message": message }],
    });
    let mut response = challenged(json_answer(problem.status(), &body), problem);
    problem.add_retry(&mut response);
    response
}

fn challenged(mut response: Response, problem: &Problem) -> Response {
    let error = problem.oauth();
    // A refused bearer token is told its scheme. A refused proof of a party is not: it came in the form, for which HTTP has none.
    let is_of_token = problem.status() == StatusCode::UNAUTHORIZED || error == "insufficient_scope";
    if is_of_token && error != "invalid_client" {
        // Who sent no token made no error (RFC 6750 section 3.1).
        let challenge = match problem.code() {
            "token-missing" => "Bearer realm=\"kaname\"".to_owned(),
            _ => format!("Bearer realm=\"kaname\", error=\"{error}\""),
        };
        let challenge = HeaderValue::from_str(&challenge).unwrap_or(HeaderValue::from_static("Bearer"));
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

//! The City Library: a small relying party for demonstrations. It signs readers in with Kaname the way any agency or business does:
//! pushed request, PKCE, `private_key_jwt`, an ID token checked against the published keys. It keeps nothing.

mod party;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use kaname_web::pages::library::{LibraryErrorPage, LibraryReaderPage, LibraryStartPage};
use kaname_web::pages::{Shell, Template};

pub(crate) use party::Party;
use party::{Pending, SigninFailed};

/// The most sign-ins that are waited for at once; the oldest is forgotten first.
const PENDING: usize = 1_000;

/// The cookie that ties an answer to the browser that asked (RFC 9700 section 4.7).
const COOKIE: &str = "library_state";

/// The library's state: sign-ins that have begun and not come back.
#[derive(Clone)]
struct Library {
    party: Arc<Party>,
    shell: Shell,
    pending: Arc<Mutex<BTreeMap<String, Pending>>>,
}

/// The library's pages.
pub(crate) fn router(party: Party, shell: Shell) -> Router {
    let library = Library { party: Arc::new(party), shell, pending: Arc::default() };
    Router::new()
        .route("/", get(start))
        .route("/signin", get(signin))
        .route("/callback", get(callback))
        .route("/assets/{*name}", get(asset))
        .with_state(library)
}

async fn start(State(library): State<Library>) -> Response {
    page(StatusCode::OK, &LibraryStartPage { shell: library.shell, signin: "/signin".to_owned() })
}

/// Pushes a request and sends the browser to Kaname.
async fn signin(State(library): State<Library>) -> Response {
    match library.party.begin().await {
        Err(failed) => library.error(&failed),
        Ok((pending, address)) => {
            let state = pending.state.clone();
            let mut waiting = library.pending.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            if waiting.len() >= PENDING {
                let oldest =
                    waiting.iter().min_by_key(|(_, pending)| pending.begun).map(|(state, _)| state.clone());
                oldest.and_then(|state| waiting.remove(&state));
            }
            waiting.insert(state.clone(), pending);
            drop(waiting);
            let cookie = format!("{COOKIE}={state}; Path=/; HttpOnly; SameSite=Lax; Max-Age=900");
            let mut response = Redirect::to(&address).into_response();
            let cookie = HeaderValue::from_str(&cookie).expect("a state is base64url");
            response.headers_mut().insert(header::SET_COOKIE, cookie);
            response
        }
    }
}

/// The browser is back, with a code or a refusal.
async fn callback(
    State(library): State<Library>,
    headers: HeaderMap,
    Query(answer): Query<BTreeMap<String, String>>,
) -> Response {
    let state = answer.get("state").cloned().unwrap_or_default();
    let pending = library.pending.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).remove(&state);
    let ours = cookie(&headers).is_some_and(|cookie| cookie == state);
    let finished = match pending.filter(|_| ours) {
        None => Err(SigninFailed::new("unknown_state", "this sign-in was not begun in this browser")),
        Some(pending) => library.party.finish(&pending, &answer).await,
    };
    match finished {
        Err(failed) => library.error(&failed),
        Ok(reader) => page(
            StatusCode::OK,
            &LibraryReaderPage {
                shell: library.shell,
                name: reader.claim("name").unwrap_or_else(|| reader.subject.clone()),
                subject: reader.subject.clone(),
                assurance: reader.level.clone(),
                claims: reader.claims,
            },
        ),
    }
}

async fn asset(axum::extract::Path(name): axum::extract::Path<String>) -> Response {
    match kaname_web::pages::asset(&format!("/assets/{name}")) {
        None => StatusCode::NOT_FOUND.into_response(),
        Some((content_type, bytes, _)) => ([(header::CONTENT_TYPE, content_type)], bytes).into_response(),
    }
}

impl Library {
    fn error(&self, failed: &SigninFailed) -> Response {
        // What a person can act on is on the page; the rest helps whoever runs the library.
        eprintln!("city library: sign-in failed: {failed}");
        let view = LibraryErrorPage {
            shell: self.shell.clone(),
            code: failed.code.clone(),
            signin: "/signin".to_owned(),
        };
        page(StatusCode::BAD_REQUEST, &view)
    }
}

fn page(status: StatusCode, view: &impl Template) -> Response {
    match view.render() {
        Ok(html) => (status, [(header::CACHE_CONTROL, "no-store")], Html(html)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

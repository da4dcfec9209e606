//! The City Library: a small relying party for demonstrations. It signs readers in with Kaname the way any agency or business does:
//! pushed request, PKCE, `private_key_jwt`, an ID token checked against the published keys. It keeps nothing.

mod party;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use kaname_web::pages::library::{LibraryErrorPage, LibraryReaderPage, LibraryStartPage};
use kaname_web::pages::{Lang, Shell, Template};

pub(crate) use party::Party;
use party::{Pending, SigninFailed};

/// Where the library is: another host than Kaname's, although it is the same machine. A browser sends the cookies of a host to
/// all its ports (RFC 6265 section 8.5), and a party is not to see those of Kaname.
pub(crate) const HOST: &str = "127.0.0.1";

/// The most sign-ins that are waited for at once; the oldest is forgotten first.
const PENDING: usize = 1_000;

/// The cookie that ties an answer to the browser that asked (RFC 9700 section 4.7).
const COOKIE: &str = "library_state";

/// The cookie that keeps the reader's choice of language.
const LANGUAGE: &str = "library_language";

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
        .route("/library", get(start))
        .route("/library/signout", post(signout))
        .route("/signin", get(signin))
        .route("/callback", get(callback))
        .route("/assets/{*name}", get(asset))
        .layer(axum::middleware::from_fn(to_own_host))
        .with_state(library)
}

/// Who typed Kaname's host with the library's port is sent to the library's own.
async fn to_own_host(request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    match host.and_then(|host| host.strip_prefix("localhost:")) {
        Some(port) if port.parse::<u16>().is_ok() => {
            let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
            Redirect::temporary(&format!("http://{HOST}:{port}{path}")).into_response()
        }
        _ => next.run(request).await,
    }
}

async fn start(
    State(library): State<Library>,
    headers: HeaderMap,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let asked = query.get("lang").and_then(|tag| library.language(tag));
    let shell = library.shell_for(asked.unwrap_or_else(|| library.language_of(&headers)));
    let mut response = page(StatusCode::OK, &LibraryStartPage { shell, signin: "/signin".to_owned() });
    if let Some(lang) = asked {
        set_cookie(&mut response, LANGUAGE, lang.code(), 31_536_000);
    }
    response
}

/// The library keeps no session: signing out is going back to its first page.
async fn signout() -> Redirect {
    Redirect::to("/")
}

/// Pushes a request and sends the browser to Kaname.
async fn signin(State(library): State<Library>, headers: HeaderMap) -> Response {
    let lang = library.language_of(&headers);
    match library.party.begin(lang.code()).await {
        Err(failed) => library.error(lang, &failed),
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
            let mut response = Redirect::to(&address).into_response();
            set_cookie(&mut response, COOKIE, &state, 900);
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
    let ours = cookie(&headers, COOKIE).is_some_and(|cookie| cookie == state);
    let lang = library.language_of(&headers);
    let finished = match pending.filter(|_| ours) {
        None => Err(SigninFailed::new("unknown_state", "this sign-in was not begun in this browser")),
        Some(pending) => library.party.finish(&pending, &answer).await,
    };
    match finished {
        Err(failed) => library.error(lang, &failed),
        Ok(reader) => page(
            StatusCode::OK,
            &LibraryReaderPage {
                shell: library.shell_for(lang),
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
    /// One of the country's languages, by its tag.
    fn language(&self, tag: &str) -> Option<Lang> {
        Lang::parse(tag).filter(|lang| self.shell.languages.contains(lang))
    }

    /// The reader's language: what she chose, else what her browser asks for.
    fn language_of(&self, headers: &HeaderMap) -> Lang {
        let asked = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let negotiated = || asked.map(Lang::negotiate).filter(|lang| self.shell.languages.contains(lang));
        cookie(headers, LANGUAGE)
            .and_then(|tag| self.language(tag))
            .or_else(negotiated)
            .unwrap_or(self.shell.lang)
    }

    fn shell_for(&self, lang: Lang) -> Shell {
        Shell { lang, ..self.shell.clone() }
    }

    fn error(&self, lang: Lang, failed: &SigninFailed) -> Response {
        // What a person can act on is on the page; the rest helps whoever runs the library.
        eprintln!("city library: sign-in failed: {failed}");
        let view = LibraryErrorPage {
            shell: self.shell_for(lang),
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

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(';')).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

fn set_cookie(response: &mut Response, name: &str, value: &str, seconds: u32) {
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}");
    let cookie = HeaderValue::from_str(&cookie).expect("our cookies hold base64url and language tags");
    response.headers_mut().append(header::SET_COOKIE, cookie);
}

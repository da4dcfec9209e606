//! A request as handlers see it: read whole, decoded, with the language of its reader and the browser it comes from.

use std::time::Duration;

use axum::body::Body;
use axum::extract::RawPathParams;
use axum::http::{HeaderMap, Method, Uri, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kaname_base::Env;
use kaname_signin::Browser;

use super::pairs::Pairs;
use super::{App, Problem, cookies, language, multipart};
use crate::pages::{Lang, Shell};

/// A request.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    /// Decoded parts of the path, by their names in the table of routes.
    pub(crate) params: Vec<(String, String)>,
    pub(crate) query: Pairs,
    /// The form; empty unless it is a POST of a page or of OAuth.
    pub(crate) form: Pairs,
    /// The body that an agency's system sends, whatever its type, or the file that an officer uploads; empty otherwise.
    pub(crate) body: Vec<u8>,
    /// The reader's language.
    pub(crate) lang: Lang,
    /// The browser, by its cookie.
    pub(crate) browser: Option<Browser>,
    /// Time and dice of this request.
    pub(crate) env: Env,
    /// Quoted on a problem's page, and in our log when it is our fault.
    pub(crate) trace: String,
    /// The path and query without `lang`, for the language switch and for coming back after a sign-in.
    pub(crate) here: String,
}

/// The largest form without a file, in bytes.
const LARGEST_FORM: usize = 64 * 1_024;

/// The largest body of an agency's system, and the largest form with a file, in bytes: one scanned page, one photograph, some thousand
/// lines.
pub(super) const LARGEST_BODY: usize = 1_024 * 1_024;

/// What the body of a request is read as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// A form of ours or of OAuth's, if the request is a POST.
    Form,
    /// The same, or one with a file.
    Upload,
    /// Whatever was sent: the handler looks at its type.
    Bytes,
}

/// How long a client may take to send a form.
const PATIENCE: Duration = Duration::from_secs(15);

/// The media type of forms, of ours and of OAuth's (RFC 6749, appendix B).
const FORM: &str = "application/x-www-form-urlencoded";

/// The cookie that names a browser before anybody has signed in.
pub(crate) const BROWSER: &str = "kaname_browser";

impl Call {
    /// What is known of a request before its query and its form are read; enough to show a problem.
    pub(super) fn begin(app: &App, method: Method, uri: &Uri, headers: HeaderMap) -> Call {
        let tag = &language::of_request(&headers, &app.pack).tag;
        let env = app.env();
        Call {
            method,
            lang: Lang::parse(tag).unwrap_or_default(),
            browser: cookies::get(&headers, &app.cookie(BROWSER)).and_then(Browser::read),
            headers,
            params: Vec::new(),
            query: Pairs::default(),
            form: Pairs::default(),
            body: Vec::new(),
            trace: env.id::<Trace>(app.home()).to_string(),
            env,
            here: path_of(uri).to_owned(),
        }
    }

    /// Reads path, query and form.
    ///
    /// # Errors
    /// 400, 408, 413 or 415: whatever cannot be read in exactly one way.
    pub(super) async fn read(
        &mut self,
        app: &App,
        params: Result<RawPathParams, Problem>,
        uri: &Uri,
        body: Body,
        reading: Reading,
    ) -> Result<(), Problem> {
        self.params = params?.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        if self.params.iter().any(|(_, value)| value.contains('\0')) {
            return Err(Problem::not_found());
        }
        self.query = Pairs::parse(uri.query().unwrap_or_default().as_bytes())?;
        if let Some(lang) =
            self.query.get("lang").and_then(Lang::parse).filter(|lang| app.made().languages.contains(lang))
        {
            self.lang = lang;
        }
        self.here = here(uri);
        let given = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let boundary = given.filter(|_| reading == Reading::Upload).and_then(multipart::boundary);
        match (reading, &self.method, boundary) {
            (Reading::Upload, &Method::POST, Some(boundary)) => {
                let body = read_body(&self.headers, body, LARGEST_BODY).await?;
                (self.form, self.body) = multipart::parse(&body, boundary)?;
            }
            (Reading::Form | Reading::Upload, &Method::POST, _) => {
                check_media_type(&self.headers)?;
                self.form = Pairs::parse(&read_body(&self.headers, body, LARGEST_FORM).await?)?;
            }
            (Reading::Bytes, &Method::POST | &Method::PUT | &Method::PATCH, _) => {
                self.body = read_body(&self.headers, body, LARGEST_BODY).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The part of the path called `name`.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The access token of the header (RFC 6750 section 2.1).
    pub(crate) fn bearer(&self) -> Option<&str> {
        let header = self.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (scheme, token) = header?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    }

    /// The frame of a page that nobody has signed in for.
    pub(crate) fn shell(&self, app: &App) -> Shell {
        let authority = app.pack.texts.find(self.lang.code(), "authority.name").unwrap_or(&app.authority);
        Shell {
            texts: app.made().texts.clone(),
            lang: self.lang,
            languages: app.made().languages.clone(),
            service: String::new(),
            authority: authority.to_owned(),
            zone: app.pack.time_zone.clone(),
            here: self.here.clone(),
            csrf: String::new(),
            user: None,
            acting: None,
            menu: Vec::new(),
            counter: None,
            demo: app.demo,
            notice: None,
        }
    }

    /// Whether the caller is a program that wants documents, by what it accepts (RFC 9110 section 12.5.1).
    pub(crate) fn wants_document(&self) -> bool {
        let accept =
            self.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let names = |kind: &str| {
            accept.split(',').any(|one| one.split(';').next().unwrap_or_default().trim() == kind)
        };
        (names("application/json") || names("application/problem+json")) && !names("text/html")
    }

    /// What the browser says it is, for the list of sign-ins.
    pub(crate) fn agent(&self) -> String {
        let agent = self.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        device(agent.unwrap_or_default())
    }
}

struct Trace;
impl kaname_base::id::Kind for Trace {
    const PREFIX: &'static str = "trc";
}

/// The path, if it leads to this host wherever it stands in a link. A path that begins with two slashes names another host there, and
/// browsers take a backslash for a slash.
fn path_of(uri: &Uri) -> &str {
    let path = uri.path();
    if path.starts_with("//") || path.contains('\\') { "/" } else { path }
}

/// The path and query of the page without its language.
fn here(uri: &Uri) -> String {
    let kept: Vec<&str> = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty() && *pair != "lang" && !pair.starts_with("lang="))
        .collect();
    if kept.is_empty() { path_of(uri).to_owned() } else { format!("{}?{}", path_of(uri), kept.join("&")) }
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = given.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case(FORM) && !headers.contains_key(header::CONTENT_ENCODING) {
        Ok(())
    } else {
        Err(Problem::wrong_media_type(FORM))
    }
}

async fn read_body(headers: &HeaderMap, body: Body, largest: usize) -> Result<Vec<u8>, Problem> {
    let declared =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > largest) {
        return Err(Problem::too_large(largest));
    }
    let collected = tokio::time::timeout(PATIENCE, Limited::new(body, largest).collect()).await;
    match collected {
        Ok(Ok(body)) => Ok(body.to_bytes().into()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::too_large(largest)),
        Ok(Err(_)) => Err(Problem::malformed("the request ended before its body did")),
        Err(_) => Err(Problem::too_slow()),
    }
}

/// Browser and system in two words. The whole text would be a fingerprint; this tells a person which of her devices it is.
fn device(agent: &str) -> String {
    let first = |names: &[(&'static str, &'static str)]| {
        names.iter().find(|(mark, _)| agent.contains(mark)).map_or("", |(_, name)| *name)
    };
    let browser = first(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "Mac"),
        ("Linux", "Linux"),
    ]);
    [browser, system].iter().filter(|word| !word.is_empty()).copied().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_does_not_stay_in_the_address() {
        for (address, shown) in [
            ("/my/access?lang=en&before=7", "/my/access?before=7"),
            ("/my/access?lang=en", "/my/access"),
            ("/", "/"),
            ("/find?language=x", "/find?language=x"),
        ] {
            assert_eq!(here(&address.parse().unwrap()), shown);
        }
    }

    #[test]
    fn a_device_is_told_in_two_words() {
        let agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Safari/604.1";
        assert_eq!(device(agent), "Safari, iPhone");
        assert_eq!(device("Authlib/1.3"), "");
    }
}

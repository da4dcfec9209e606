//! Complete sign-ins over HTTP, against a server in a process of its own: pushed request with `private_key_jwt` and PKCE, a new browser,
//! a passkey, consent at a person's first sign-in, code, tokens.
//!
//! The driver plays the relying party, the browsers and the passkeys; only the server's CPU is counted.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, Method, StatusCode, header};
use clap::Args;
use kaname_person::import::{BATCH, Mapping};
use kaname_person::register::people_in_bucket;
use kaname_signin::bench::{Authenticator, Party, give_passkey, verifier};
use kaname_signin::client::{self, Profile};
use kaname_signin::{Holder, Provider};
use kaname_trust::PersonId;
use kaname_web::http::client::{Answer, Client, Connection, form};
use serde_json::Value;

use super::{Measured, Place, Size, measured};
use crate::clock::{self, Stopwatch, cpu_seconds_of};
use crate::command::{resident, sim};
use crate::deployment::Deployment;
use crate::error::Failure;

/// Browsers that sign in at the same time: enough that their units of work share commits, as in a busy hour.
const AT_ONCE: u64 = 128;

/// How often each person signs in; the first time she is asked for consent.
const EACH: u64 = 10;

/// Which sign-ins.
#[derive(Args)]
pub(crate) struct Signin {
    #[command(flatten)]
    pub(super) size: Size,
    /// Everybody has signed in with this browser before and goes to one more service: her session is asked, not her passkey
    #[arg(long)]
    known_browser: bool,
}

pub(super) fn measure(place: &Place, ask: &Signin) -> Result<Measured, Failure> {
    let count = ask.size.count.unwrap_or(5_000);
    let people = count.div_ceil(EACH).max(AT_ONCE);
    let port = free_port()?;
    let deployment = place.deployment(people, port)?;
    let file = place.file("residents.csv");
    sim::write_people("example", 1, people, &file)?;
    let rejects = place.file("rejects.csv");
    resident::import_with_progress(
        &deployment,
        &file,
        &rejects,
        &Mapping::own(),
        &resident::note(&file),
        BATCH,
        true,
    )?;
    let provider = deployment.provider()?;
    let mut party = Party::new("bench", Profile::Fapi2);
    for asked in &mut party.registration.attributes {
        asked.purpose = "identity-check".to_owned(); // the one for which the pack lets each of them be asked
    }
    client::register(&provider, &clock::env(), &crate::command::program(), &party.registration)?;
    let passkeys = give_passkeys(&deployment, &provider)?;
    let issuer = deployment.config.serve.issuer.clone();
    let config = deployment.folder.clone();
    drop((provider, deployment));

    let server = Server::start(config)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::unavailable)?;
    let jars = passkeys.iter().map(|_| Mutex::default()).collect();
    let known_browser = ask.known_browser;
    let drive = Drive { issuer, party, passkeys, jars, known_browser, next: AtomicU64::new(0) };
    let drive = Arc::new(drive);
    runtime.block_on(drive.wait_until_served())?;
    if known_browser {
        runtime.block_on(drive.run(drive.passkeys.len() as u64))?;
    }
    let (watch, before) = (Stopwatch::start(), server.cpu_seconds()?);
    runtime.block_on(drive.run(count))?;
    let (wall, cpu) = (watch.seconds(), server.cpu_seconds()? - before);
    let status = PathBuf::from(format!("/proc/{}/status", server.child.id()));
    Ok(measured(place, "signin", "sign-ins", count, wall, cpu, &status))
}

/// Everybody gets a passkey, through the very use cases that residents go through.
fn give_passkeys(deployment: &Deployment, provider: &Provider) -> Result<Vec<Authenticator>, Failure> {
    let store = &deployment.store;
    let mut people: Vec<PersonId> = Vec::new();
    for bucket in store.buckets().all() {
        people.extend(store.read(bucket, |tx| people_in_bucket(tx, None, 1_000_000))?);
    }
    let give = |person: &PersonId| Ok(give_passkey(provider, clock::now(), Holder::Resident(*person))?);
    people.iter().map(give).collect()
}

/// The server's process; it ends with the bench.
struct Server {
    child: Child,
}

impl Server {
    fn start(config: PathBuf) -> Result<Server, Failure> {
        let program = std::env::current_exe().map_err(Failure::unavailable)?;
        let mut command = Command::new(program);
        command.arg("serve").arg("--config").arg(config).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Server { child: command.spawn().map_err(Failure::unavailable)? })
    }

    fn cpu_seconds(&self) -> Result<f64, Failure> {
        cpu_seconds_of(&self.child.id().to_string())
            .ok_or_else(|| Failure::unavailable("the server ended early"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The other side of a sign-in.
struct Drive {
    issuer: String,
    party: Party,
    passkeys: Vec<Authenticator>,
    /// What each person's browser keeps from one sign-in to the next, if it is to be the same.
    jars: Vec<Mutex<Jar>>,
    known_browser: bool,
    next: AtomicU64,
}

/// How long the server may take to answer for the first time.
const STARTING: Duration = Duration::from_secs(20);

impl Drive {
    async fn wait_until_served(&self) -> Result<(), Failure> {
        let client = Client::new(None).map_err(Failure::unavailable)?;
        let url = format!("{}/healthz", self.issuer);
        let served = async {
            while client.send(Method::GET, &url, &[], Vec::new()).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(STARTING, served)
            .await
            .map_err(|_| Failure::unavailable("the server does not answer"))
    }

    async fn run(self: &Arc<Drive>, count: u64) -> Result<(), Failure> {
        self.next.store(0, Ordering::Relaxed);
        let workers: Vec<_> = (0..AT_ONCE).map(|_| tokio::spawn(Arc::clone(self).work(count))).collect();
        for worker in workers {
            worker.await.map_err(Failure::unavailable)??;
        }
        Ok(())
    }

    /// Signs in one person after another, over one connection of the party's and one for the browsers.
    async fn work(self: Arc<Drive>, count: u64) -> Result<(), Failure> {
        let client = Client::new(None).map_err(Failure::unavailable)?;
        let mut party = client.connect(&self.issuer).await.map_err(Failure::unavailable)?;
        let mut browser = client.connect(&self.issuer).await.map_err(Failure::unavailable)?;
        loop {
            let turn = self.next.fetch_add(1, Ordering::Relaxed);
            if turn >= count {
                return Ok(());
            }
            let person = (turn % self.passkeys.len() as u64) as usize;
            let kept = || self.jars[person].lock().unwrap_or_else(PoisonError::into_inner);
            let mut jar = if self.known_browser { kept().clone() } else { Jar::default() };
            self.sign_in(&mut party, &mut browser, &self.passkeys[person], &mut jar).await?;
            *kept() = jar;
        }
    }

    async fn sign_in(
        &self,
        party: &mut Connection,
        browser: &mut Connection,
        passkey: &Authenticator,
        jar: &mut Jar,
    ) -> Result<(), Failure> {
        let verifier = verifier();
        let mut fields = self.party.request(&verifier);
        fields.retain(|(name, _)| name != "client_id");
        fields.extend(self.proof());
        let pushed = json(&self.post(party, "/par", &fields, None).await?, StatusCode::CREATED)?;
        let query = form(&[
            ("client_id", &self.party.registration.client_id),
            ("request_uri", text(&pushed, "request_uri")?),
        ]);

        let (url, cookies) = (format!("{}/authorize?{query}", self.issuer), jar.header());
        let headers: &[_] = if cookies.is_empty() { &[] } else { &[("cookie", cookies.as_str())] };
        let mut answer =
            browser.send(Method::GET, &url, headers, Vec::new()).await.map_err(Failure::unavailable)?;
        if !is_back_at_the_party(&answer, &self.party) {
            answer = self.authenticate(browser, answer, passkey, jar).await?;
        }
        let location = location(&answer).ok_or_else(|| unexpected("consent", &answer))?;
        let code = location
            .split(['?', '&'])
            .find_map(|pair| pair.strip_prefix("code="))
            .ok_or_else(|| unexpected("consent", &answer))?;

        let mut fields = self.party.redeeming(code, &verifier);
        fields.extend(self.proof());
        let tokens = json(&self.post(party, "/token", &fields, None).await?, StatusCode::OK)?;
        text(&tokens, "id_token").map(drop)
    }

    /// Answers the sign-in page with the passkey, and agrees to what the party asks for if she is asked.
    async fn authenticate(
        &self,
        browser: &mut Connection,
        answer: Answer,
        passkey: &Authenticator,
        jar: &mut Jar,
    ) -> Result<Answer, Failure> {
        let page = self.page(browser, answer, jar).await?;
        let options: Value = serde_json::from_str(&unescaped(between(&page, "data-options=\"", "\"")?))
            .map_err(Failure::refused)?;
        let credential: Value = serde_json::from_str(&passkey.get(&options)).map_err(Failure::refused)?;
        let part = |name: &str| credential["response"][name].as_str().unwrap_or_default().to_owned();
        let fields = [
            ("csrf", hidden(&page, "csrf")?),
            ("next", hidden(&page, "next")?),
            ("credential_id", credential["id"].as_str().unwrap_or_default().to_owned()),
            ("client_data_json", part("clientDataJSON")),
            ("authenticator_data", part("authenticatorData")),
            ("signature", part("signature")),
            ("user_handle", part("userHandle")),
        ]
        .map(|(name, value)| (name.to_owned(), value));
        let mut answer = self.post(browser, "/signin/passkey", &fields, Some(jar)).await?;
        if !is_back_at_the_party(&answer, &self.party) {
            let page = self.page(browser, answer, jar).await?;
            let fields = [
                ("csrf", hidden(&page, "csrf")?),
                ("request", hidden(&page, "request")?),
                ("decision", "allow".to_owned()),
            ]
            .map(|(name, value)| (name.to_owned(), value));
            answer = self.post(browser, "/consent", &fields, Some(jar)).await?;
        }
        Ok(answer)
    }

    /// Follows redirects of our own until there is a page.
    async fn page(
        &self,
        browser: &mut Connection,
        mut answer: Answer,
        jar: &mut Jar,
    ) -> Result<String, Failure> {
        loop {
            jar.take(&answer.headers);
            if answer.status.is_success() {
                return Ok(String::from_utf8_lossy(&answer.body).into_owned());
            }
            let path = location(&answer)
                .filter(|path| path.starts_with('/'))
                .ok_or_else(|| unexpected("a page", &answer))?;
            let (url, cookies) = (format!("{}{path}", self.issuer), jar.header());
            answer = browser
                .send(Method::GET, &url, &[("cookie", &cookies)], Vec::new())
                .await
                .map_err(Failure::unavailable)?;
        }
    }

    async fn post(
        &self,
        connection: &mut Connection,
        path: &str,
        fields: &[(String, String)],
        jar: Option<&mut Jar>,
    ) -> Result<Answer, Failure> {
        let pairs: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let cookies = jar.as_ref().map(|jar| jar.header()).unwrap_or_default();
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
        if jar.is_some() {
            headers.extend([("cookie", cookies.as_str()), ("origin", self.issuer.as_str())]);
        }
        let url = format!("{}{path}", self.issuer);
        let answer = connection
            .send(Method::POST, &url, &headers, form(&pairs).into_bytes())
            .await
            .map_err(Failure::unavailable)?;
        if let Some(jar) = jar {
            jar.take(&answer.headers);
        }
        Ok(answer)
    }

    fn proof(&self) -> Vec<(String, String)> {
        self.party.proof(self.party.sign(&self.party.claims(&self.issuer, clock::now())))
    }
}

/// A browser's cookies.
#[derive(Clone, Default)]
struct Jar(Vec<(String, String)>);

impl Jar {
    fn take(&mut self, headers: &HeaderMap) {
        for line in headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            if let Some((name, value)) = line.split(';').next().and_then(|pair| pair.split_once('=')) {
                self.0.retain(|(known, _)| known != name);
                self.0.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    fn header(&self) -> String {
        self.0.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }
}

fn location(answer: &Answer) -> Option<&str> {
    answer.headers.get(header::LOCATION)?.to_str().ok()
}

fn is_back_at_the_party(answer: &Answer, party: &Party) -> bool {
    location(answer).is_some_and(|to| party.registration.redirect_uris.iter().any(|uri| to.starts_with(uri)))
}

fn json(answer: &Answer, expected: StatusCode) -> Result<Value, Failure> {
    match answer.status == expected {
        true => serde_json::from_slice(&answer.body).map_err(Failure::refused),
        false => Err(unexpected("the answer", answer)),
    }
}

fn text<'a>(object: &'a Value, name: &str) -> Result<&'a str, Failure> {
    object[name].as_str().ok_or_else(|| Failure::refused(format!("the answer has no {name}")))
}

fn unexpected(what: &str, answer: &Answer) -> Failure {
    let body = String::from_utf8_lossy(&answer.body);
    Failure::refused(format!(
        "{what} came with status {}: {}",
        answer.status,
        body.chars().take(400).collect::<String>()
    ))
}

/// The value of a hidden field on a page.
fn hidden(page: &str, name: &str) -> Result<String, Failure> {
    Ok(unescaped(between(page, &format!("name=\"{name}\" value=\""), "\"")?))
}

fn between<'a>(page: &'a str, before: &str, after: &str) -> Result<&'a str, Failure> {
    let rest = page.split_once(before).map(|(_, rest)| rest);
    rest.and_then(|rest| rest.split_once(after)).map(|(found, _)| found).ok_or_else(|| {
        let title =
            page.split_once("<h1>").map_or(page, |(_, rest)| rest).chars().take(120).collect::<String>();
        Failure::refused(format!("the page has no {before} (it begins with: {title})"))
    })
}

fn unescaped(html: &str) -> String {
    html.replace("&#34;", "\"")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
        .replace("&#38;", "&")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
}

/// A port that nobody listens on at this moment.
fn free_port() -> Result<u16, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(Failure::unavailable)?;
    Ok(listener.local_addr().map_err(Failure::unavailable)?.port())
}

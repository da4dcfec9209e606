//! A small deployment behind its router, and browsers that keep cookies: two residents, three officers, one relying party.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use kaname_base::pack::Pack;
use kaname_base::{Env, Instant};
use kaname_pay::payee::Desk;
use kaname_pay::payout::Payer;
use kaname_pay::{Bank, BankError, Banks, Register};
use kaname_person::register::{self, new_request};
use kaname_person::{Entry, Numbers, OfficerId, officer};
use kaname_signin::bench::{Authenticator, Party, give_passkey};
use kaname_signin::client::{self, Profile};
use kaname_signin::{Config, Holder, Provider};
use kaname_store::Store;
use kaname_testkit::TestStore;
use kaname_trust::{Actor, Keys, PersonId, access};
use kaname_web::Runs;
use kaname_web::http::client::form;
use kaname_web::http::{App, Parts, router};
use tower::ServiceExt;

use crate::html::read;

pub(crate) const ISSUER: &str = "http://localhost:8080";
pub(crate) const NOW: Instant = Instant::from_seconds(1_800_000_000);

/// A resident with a passkey, and words that stand in no other record.
pub(crate) struct Someone {
    pub(crate) person: PersonId,
    pub(crate) passkey: Authenticator,
    pub(crate) secrets: Vec<String>,
}

pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) app: App,
    pub(crate) store: Store,
    pub(crate) keys: Keys,
    pub(crate) party: Party,
    pub(crate) hanako: Someone,
    pub(crate) taro: Someone,
    pub(crate) registrar: Authenticator,
    /// A registrar who has not signed in yet.
    pub(crate) newcomer: OfficerId,
    pub(crate) second_registrar: Authenticator,
    pub(crate) payer: Authenticator,
    pub(crate) second_payer: Authenticator,
    _data: TestStore,
    _folder: tempfile::TempDir,
}

/// An answer, read whole.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// A browser with its cookies.
#[derive(Clone, Default)]
pub(crate) struct Browser {
    cookies: BTreeMap<String, String>,
}

/// The accounts at the bank `9901`: whose name stands there.
pub(crate) const HANAKO_ACCOUNT: &str = "1111111";
pub(crate) const TARO_ACCOUNT: &str = "2222222";

/// A bank that knows two accounts and takes no payments.
struct OneBank;

impl Bank for OneBank {
    fn holder(&self, number: &str) -> Result<Option<String>, BankError> {
        let holder = [(HANAKO_ACCOUNT, "カナメギ ハナコロウ"), (TARO_ACCOUNT, "ホネヤマ タロウマル")]
            .iter()
            .find(|(known, _)| *known == number);
        Ok(holder.map(|(_, name)| (*name).to_owned()))
    }

    fn submit(&self, _: &str, _: &[u8]) -> Result<(), BankError> {
        Ok(())
    }

    fn status(&self, _: &str) -> Result<Option<Vec<u8>>, BankError> {
        Ok(None)
    }
}

/// Ten minutes later: a session at the counter in which nothing was done is over, a sign-in is not.
pub(crate) fn ten_minutes_later() -> Env {
    Env::new(NOW.plus_seconds(600), kaname_trust::keys::random())
}

pub(crate) fn env() -> Env {
    Env::new(NOW, kaname_trust::keys::random())
}

impl World {
    pub(crate) fn new() -> World {
        World::on(TestStore::sqlite())
    }

    pub(crate) fn on(data: TestStore) -> World {
        let folder = tempfile::tempdir().unwrap();
        let store = data.open(&[
            kaname_store::jobs::MIGRATIONS,
            kaname_trust::MIGRATIONS,
            kaname_person::MIGRATIONS,
            kaname_pay::MIGRATIONS,
            kaname_signin::MIGRATIONS,
        ]);
        let keys = Keys::create(&folder.path().join("keys")).unwrap();
        let pack = Arc::new(Pack::load_shipped("japan").unwrap());
        let config = Config::new(ISSUER);
        let signin = Provider::open(store.clone(), keys.clone(), config, &env()).unwrap();
        let numbers = Numbers::new(&keys, &pack);
        let party = Party::new("city-library", Profile::Plain);
        client::register(&signin, &env(), &Actor::program("test", "program"), &party.registration).unwrap();

        let someone = |family: &str, given: &str, reading: [&str; 2], street: &str, phone: &str| {
            let entry = Entry {
                family_name: family,
                given_name: given,
                family_reading: reading[0],
                given_reading: reading[1],
                birth_date: "1980-04-21",
                sex: "F",
                status: "citizen",
                postcode: "100-0001",
                city: "千代田区",
                address: street,
                phone,
                ..Entry::default()
            };
            let by = Actor::officer("off", "registrar");
            let ask = register::Register {
                request: new_request(),
                entry,
                source: "test",
                by,
                why: "test",
                evidence: "passport",
            };
            let person = register::register(&store, &keys, &pack, &numbers, &env(), &ask).unwrap();
            let passkey = give_passkey(&signin, NOW, Holder::Resident(person)).unwrap();
            let secrets = [family, given, reading[0], street, phone].map(str::to_owned).to_vec();
            Someone { person, passkey, secrets }
        };
        let hanako = someone("要木", "華子郎", ["カナメギ", "ハナコロウ"], "扇町四丁目7番", "03-5550-1234");
        let taro = someone("骨山", "太朗丸", ["ホネヤマ", "タロウマル"], "軸町一丁目9番", "03-5550-9876");

        let chief = Actor::officer("off", "administrator");
        let mut first = true;
        let mut staff = |name: &'static str, role: &'static str| {
            let (with, pack, by) =
                (keys.clone(), Arc::clone(&pack), (!std::mem::take(&mut first)).then(|| chief.clone()));
            let id: OfficerId = store
                .write(store.buckets().home(), move |tx| {
                    let office = if role == "payments" { "benefits" } else { "town-hall" };
                    let new = officer::NewOfficer {
                        name: name.to_owned(),
                        office: office.to_owned(),
                        roles: vec![role.to_owned()],
                    };
                    officer::add_officer(tx, &with, &pack, &env(), by.as_ref(), None, &new)
                })
                .unwrap();
            id
        };
        let newcomer = staff("登録 新子", "registrar");
        let mut staff = |name, role| give_passkey(&signin, NOW, Holder::Officer(staff(name, role))).unwrap();
        let registrar = staff("登録 係子", "registrar");
        let second_registrar = staff("登録 次子", "registrar");
        let payer = staff("給付 一子", "payments");
        let second_payer = staff("給付 二子", "payments");

        let desk = Desk {
            store: store.clone(),
            keys: keys.clone(),
            pack: Arc::clone(&pack),
            residents: Arc::new(Register),
            banks: one_bank(),
        };
        let name = |_: &kaname_pay::payout::Programme| Payer {
            name: "City".to_owned(),
            account: "1".to_owned(),
            remittance: "payment".to_owned(),
        };
        let runs = Runs::start(desk.clone(), name, env).unwrap();
        let app = App::new(Parts {
            store: store.clone(),
            keys: keys.clone(),
            pack,
            signin,
            numbers,
            desk,
            runs,
            log_folder: folder.path().join("log"),
            imports_folder: folder.path().join("imports"),
            authority: "扇市".to_owned(),
            office_by_letter: false,
            demo: true,
            env,
        });
        let router = router(app.clone());
        World {
            router,
            app,
            store,
            keys,
            party,
            hanako,
            taro,
            registrar,
            newcomer,
            second_registrar,
            payer,
            second_payer,
            _data: data,
            _folder: folder,
        }
    }

    /// The same deployment at another time.
    pub(crate) fn at(&mut self, env: fn() -> Env) {
        let Parts { store, keys, pack, signin, desk, runs, .. } = &*self.app;
        self.app = App::new(Parts {
            store: store.clone(),
            keys: keys.clone(),
            pack: pack.clone(),
            signin: signin.clone(),
            numbers: Numbers::new(keys, pack),
            desk: desk.clone(),
            runs: runs.clone(),
            log_folder: self.app.log_folder.clone(),
            imports_folder: self.app.imports_folder.clone(),
            authority: self.app.authority.clone(),
            office_by_letter: false,
            demo: self.app.demo,
            env,
        });
        self.router = router(self.app.clone());
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let answer = Answer {
            status: head.status,
            headers: head.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        };
        if path.starts_with("/v1/") {
            crate::openapi::is_as_described(&method, &path, &answer);
        }
        answer
    }

    /// A browser in which the holder of this passkey has signed in to our own pages.
    pub(crate) async fn signed_in(&self, passkey: &Authenticator) -> Browser {
        let mut browser = Browser::default();
        let page = browser.get(self, "/signin").await;
        let answer = browser.post(self, "/signin/passkey", &passkey_fields(&page, passkey)).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        browser
    }

    /// How many entries a resident's access log has, without adding one.
    pub(crate) fn entries(&self, someone: &Someone) -> i64 {
        let (keys, person) = (self.keys.clone(), someone.person);
        let bucket = kaname_trust::person::bucket_of(person, self.store.buckets());
        let actor = Actor::program("test", "test");
        // The unit is refused in the end, so that the reading that counts leaves nothing.
        let counted: Result<(), Counted> = self.store.write(bucket, move |tx| {
            let ask = access::Access { person, actor: &actor, purpose: "audit", basis: "test", fields: &[] };
            let receipt = access::record(tx, &keys, &env(), &ask).map_err(|_| Counted(-1))?;
            Err(Counted(receipt.number() - 1))
        });
        counted.unwrap_err().0
    }
}

fn one_bank() -> Banks {
    let mut banks = Banks::new();
    banks.insert("9901", Arc::new(OneBank));
    banks
}

struct Counted(i64);
impl From<kaname_store::StoreError> for Counted {
    fn from(_: kaname_store::StoreError) -> Counted {
        Counted(-1)
    }
}

impl Browser {
    pub(crate) async fn get(&mut self, world: &World, path: &str) -> Answer {
        self.send(world, self.request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&mut self, world: &World, path: &str, fields: &[(String, String)]) -> Answer {
        let fields: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let request = self
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, ISSUER)
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(form(&fields)))
            .unwrap();
        self.send(world, request).await
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let builder = Request::builder().method(method).uri(path).header(header::ACCEPT, "text/html");
        if cookies.is_empty() { builder } else { builder.header(header::COOKIE, cookies.join("; ")) }
    }

    pub(crate) async fn send(&mut self, world: &World, request: Request<Body>) -> Answer {
        let answer = world.send(request).await;
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let (pair, rest) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            match rest.contains("Max-Age=0") {
                true => self.cookies.remove(name),
                false => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        answer
    }

    /// Sends the form with the action `path` on the last page, with some fields changed.
    pub(crate) async fn fill(
        &mut self,
        world: &World,
        page: &Answer,
        path: &str,
        changed: &[(&str, &str)],
    ) -> Answer {
        let mut fields = page.form(path);
        for (name, value) in changed {
            fields.retain(|(known, _)| known != name);
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        self.post(world, path, &fields).await
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&String> {
        self.cookies.get(name)
    }

    pub(crate) fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }
}

impl Answer {
    /// The fields with a value of the form whose action is `path`.
    pub(crate) fn form(&self, path: &str) -> Vec<(String, String)> {
        let elements = read(&self.text).unwrap_or_else(|problem| panic!("{problem}\n{}", self.text));
        let at =
            elements.iter().position(|element| element.name == "form" && element.get("action") == Some(path));
        let at = at.unwrap_or_else(|| panic!("no form to {path} in {}", self.text));
        let inputs =
            elements.iter().filter(|element| element.name == "input" && element.inside.contains(&at));
        inputs
            .filter(|input| {
                input.get("type") == Some("hidden") || input.get("value").is_some_and(|v| !v.is_empty())
            })
            .filter(|input| input.get("type") != Some("radio"))
            .filter(|input| input.get("type") != Some("checkbox") || input.get("checked").is_some())
            .filter_map(|input| {
                Some((input.get("name")?.to_owned(), plain(input.get("value").unwrap_or_default())))
            })
            .collect()
    }

    pub(crate) fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// The fields of the passkey form on a sign-in page, answered by this passkey.
pub(crate) fn passkey_fields(page: &Answer, passkey: &Authenticator) -> Vec<(String, String)> {
    let elements = read(&page.text).unwrap();
    let brought =
        elements.iter().find_map(|element| element.get("data-options")).expect("a page with passkey options");
    let options: serde_json::Value = serde_json::from_str(&plain(brought)).unwrap();
    let answer: serde_json::Value = serde_json::from_str(&passkey.get(&options)).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let response = &answer["response"];
    let mut fields = page.form("/signin/passkey");
    fields.retain(|(name, _)| name == "csrf" || name == "next");
    for (name, value) in [
        ("credential_id", &answer["id"]),
        ("client_data_json", &response["clientDataJSON"]),
        ("authenticator_data", &response["authenticatorData"]),
        ("signature", &response["signature"]),
        ("user_handle", &response["userHandle"]),
    ] {
        fields.push((name.to_owned(), text(value)));
    }
    fields
}

/// An attribute's value without its character references.
pub(crate) fn plain(text: &str) -> String {
    [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (reference, letter)| text.replace(reference, letter))
}

//! A small deployment to test in: a provider, a strict party and a plain one, two residents with passkeys.

use std::collections::BTreeMap;

use kaname_base::{Env, Instant};
use kaname_codec::b64;
use kaname_signin::authorize::{self, ConsentPage, SignInPage};
use kaname_signin::bench::{Authenticator, Party, give_passkey, verifier};
use kaname_signin::client::{self, Profile};
use kaname_signin::passkey::{self, PasskeyAnswer};
use kaname_signin::session::{self, Cookie, Session};
use kaname_signin::token::{self, Tokens};
use kaname_signin::{
    Browser, Config, Holder, Parameters, Provider, Refusal, SignedIn, SigninError, Step, consent, par,
};
use kaname_store::Store;
use kaname_testkit::TestStore;
use kaname_trust::{Actor, Keys, PersonId, TrustError, seal};
use tempfile::TempDir;

pub(crate) const ISSUER: &str = "https://id.example.org";
pub(crate) const NOW: Instant = Instant::from_seconds(1_800_000_000);

pub(crate) type Pairs = Vec<(String, String)>;

pub(crate) struct World {
    pub(crate) provider: Provider,
    pub(crate) strict: Party,
    pub(crate) plain: Party,
    pub(crate) hanako: Resident,
    pub(crate) taro: Resident,
    pub(crate) store: Store,
    pub(crate) keys: Keys,
    _folder: TempDir,
    _data: Option<TestStore>,
}

pub(crate) struct Resident {
    pub(crate) person: PersonId,
    pub(crate) passkey: Authenticator,
}

/// A sign-in on its way: what the party and the browser remember.
pub(crate) struct Journey {
    pub(crate) browser: Browser,
    pub(crate) verifier: String,
}

impl World {
    /// On a SQLite of its own.
    pub(crate) fn new() -> World {
        let data = TestStore::sqlite();
        let world = World::on(&data);
        World { _data: Some(data), ..world }
    }

    pub(crate) fn on(data: &TestStore) -> World {
        let folder = tempfile::tempdir().unwrap();
        let store = data.open(&[
            kaname_store::jobs::MIGRATIONS,
            kaname_trust::MIGRATIONS,
            kaname_person::MIGRATIONS,
            kaname_signin::MIGRATIONS,
        ]);
        let keys = Keys::create(&folder.path().join("keys")).unwrap();
        let provider = Provider::open(store.clone(), keys.clone(), Config::new(ISSUER), &env(NOW)).unwrap();
        let (strict, plain) = (Party::new("strict", Profile::Fapi2), Party::new("plain", Profile::Plain));
        for party in [&strict, &plain] {
            client::register(&provider, &env(NOW), &program(), &party.registration).unwrap();
        }
        let [hanako, taro] = [1, 6].map(|bucket| {
            let person: PersonId = env(NOW).id(data.bucket(bucket));
            let with = keys.clone();
            store
                .write(data.bucket(bucket), move |tx| {
                    seal::create_data_keys(tx, &with, &[person])?;
                    Ok::<_, TrustError>(())
                })
                .unwrap();
            Resident { person, passkey: give_passkey(&provider, NOW, Holder::Resident(person)).unwrap() }
        });
        World { provider, strict, plain, hanako, taro, store, keys, _folder: folder, _data: None }
    }

    /// Pushes a request with the good parameters changed by `change`.
    pub(crate) fn push(
        &self,
        journey: &Journey,
        change: impl FnOnce(&mut Pairs),
    ) -> Result<String, SigninError> {
        let mut pairs = self.strict.request(&journey.verifier);
        pairs.extend(self.strict.proof(self.strict.sign(&self.strict.claims(ISSUER, NOW))).split_off(1));
        change(&mut pairs);
        Ok(par::push(&self.provider, &env(NOW), &Parameters::read(pairs)?)?.request_uri)
    }

    pub(crate) fn arrive(&self, journey: &Journey, uri: &str) -> Result<Step, SigninError> {
        self.arrive_with(journey, uri, None)
    }

    pub(crate) fn arrive_with(
        &self,
        journey: &Journey,
        uri: &str,
        session: Option<&Session>,
    ) -> Result<Step, SigninError> {
        let parameters = Parameters::read([("client_id", "strict"), ("request_uri", uri)])?;
        authorize::start(&self.provider, &env(NOW), &parameters, &journey.browser, session)
    }

    pub(crate) fn sign_in(
        &self,
        journey: &Journey,
        page: &SignInPage,
        who: &Resident,
    ) -> Result<SignedIn, SigninError> {
        let answer = PasskeyAnswer::read(&who.passkey.get(&page.passkey_options))?;
        passkey::sign_in(&self.provider, &env(NOW), &page.handle, &journey.browser, &answer, "Firefox", None)
    }

    pub(crate) fn session(&self, cookie: &Cookie) -> Session {
        session::open(&self.provider, &env(NOW), cookie.as_str()).unwrap()
    }

    /// A session of `who` in our own pages.
    pub(crate) fn own_session(&self, who: &Resident) -> Session {
        let journey = Journey::new();
        let level = kaname_signin::Level::Passkey;
        let step = authorize::start_own(&self.provider, &env(NOW), level, "/me", &journey.browser).unwrap();
        let signed = self.sign_in(&journey, &sign_in_page(step), who).unwrap();
        assert!(matches!(signed.step, Step::Own(path) if path == "/me"));
        self.session(&signed.cookie)
    }

    pub(crate) fn give(
        &self,
        journey: &Journey,
        page: &ConsentPage,
        session: &Session,
    ) -> Result<Step, SigninError> {
        consent::give(&self.provider, &env(NOW), &page.handle, &journey.browser, session)
    }

    /// Up to the code that the strict party is given for `who`.
    pub(crate) fn code(&self, journey: &Journey, who: &Resident, change: impl FnOnce(&mut Pairs)) -> String {
        let uri = self.push(journey, change).unwrap();
        let signed = self.sign_in(journey, &sign_in_page(self.arrive(journey, &uri).unwrap()), who).unwrap();
        let step = match signed.step {
            Step::Consent(page) => self.give(journey, &page, &self.session(&signed.cookie)).unwrap(),
            step => step,
        };
        answer(step)["code"].clone()
    }

    pub(crate) fn redeem_as(
        &self,
        party: &Party,
        journey: &Journey,
        code: &str,
        now: Instant,
        change: impl FnOnce(&mut Pairs),
    ) -> Result<Tokens, SigninError> {
        let mut pairs = party.redeeming(code, &journey.verifier);
        pairs.extend(party.proof(party.sign(&party.claims(ISSUER, now))));
        change(&mut pairs);
        token::redeem(&self.provider, &env(now), &Parameters::read(pairs)?)
    }

    pub(crate) fn redeem(&self, journey: &Journey, code: &str) -> Result<Tokens, SigninError> {
        self.redeem_as(&self.strict, journey, code, NOW, |_| {})
    }
}

impl Journey {
    pub(crate) fn new() -> Journey {
        Journey { browser: Browser::new(), verifier: verifier() }
    }
}

pub(crate) fn env(now: Instant) -> Env {
    Env::new(now, kaname_trust::keys::random())
}

/// Sets, replaces, or with an empty value removes a parameter.
pub(crate) fn set(pairs: &mut Pairs, name: &str, value: &str) {
    pairs.retain(|(known, _)| known != name);
    pairs.push((name.to_owned(), value.to_owned()));
}

pub(crate) fn sign_in_page(step: Step) -> SignInPage {
    match step {
        Step::SignIn(page) => page,
        other => panic!("not the page for signing in: {other:?}"),
    }
}

pub(crate) fn consent_page(step: Step) -> ConsentPage {
    match step {
        Step::Consent(page) => page,
        other => panic!("not the page for consent: {other:?}"),
    }
}

/// The parameters that go back to the party.
pub(crate) fn answer(step: Step) -> BTreeMap<String, String> {
    let Step::Redirect(location) = step else { panic!("not a redirect: {step:?}") };
    let query = location.split_once('?').expect("an answer has a query").1;
    query
        .split('&')
        .map(|pair| {
            let (name, value) = pair.split_once('=').expect("name=value");
            (name.to_owned(), decoded(value))
        })
        .collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes().iter();
    while let Some(&byte) = rest.next() {
        match byte {
            b'%' => {
                let digits: Vec<u8> = rest.by_ref().take(2).copied().collect();
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// The claims inside a token, unverified.
pub(crate) fn payload(token: &str) -> serde_json::Value {
    serde_json::from_slice(&b64::url_decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// Why the answer was no.
#[track_caller]
pub(crate) fn refusal<T>(answer: Result<T, SigninError>) -> Refusal {
    match answer {
        Err(SigninError::Refused(refusal)) => refusal,
        Err(other) => panic!("failed instead of refusing: {other:?}"),
        Ok(_) => panic!("was not refused"),
    }
}

/// The program, which may register parties and have letters made.
pub(crate) fn program() -> Actor {
    Actor::program("test", "program")
}

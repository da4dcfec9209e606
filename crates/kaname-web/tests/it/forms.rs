//! Every form of every page, filled in by somebody who means harm; and many people at once. No form, no field and no route is named
//! here: what is on the pages and in the table of routes is what is tried.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use kaname_testkit::{Options, Postgres, TestStore};
use kaname_web::http::client::form;
use kaname_web::http::routes::{Route, Who, table};
use tower::ServiceExt;

use crate::html::read;
use crate::routes::{concrete, counter_of, counter_page, number_of};
use crate::rubbish::check;
use crate::world::{Answer, Browser, ISSUER, World, plain};

/// A form of a page: where it goes, and what stands in its fields.
#[derive(Clone, Debug)]
struct Form {
    action: String,
    fields: Vec<(String, String)>,
}

/// What is put into each field.
fn rubbish() -> Vec<String> {
    let some = [
        "",
        " ",
        "0",
        "-1",
        "1e99",
        "NaN",
        "99999999999999999999",
        "9223372036854775808",
        "\u{0}",
        "\u{202e}evil",
        "名前",
        "' OR 1=1 --",
        "<script>alert(1)</script>",
        "../../keys/master.key",
        "%00",
        "AAAAAAAAAAAAAAAAAAAAAA",
        "2026-02-30",
        "0000-00-00",
        "123456789018",
        "own-access",
        "program",
    ];
    some.iter().map(|text| (*text).to_owned()).chain(["x".repeat(9_000), "語".repeat(5_000)]).collect()
}

/// What ends a session, so that everything else is tried before.
fn ends(action: &str) -> bool {
    ["signout", "/end", "/find", "signin"].iter().any(|word| action.contains(word))
}

fn forms(page: &Answer) -> Vec<Form> {
    let Ok(elements) = read(&page.text) else { return Vec::new() };
    let of = |at: usize, action: &str| {
        let fields = elements.iter().filter(|element| {
            element.inside.contains(&at)
                && ["input", "select", "textarea", "button"].contains(&element.name.as_str())
        });
        let pair = |field: &crate::html::Element| {
            Some((field.get("name")?.to_owned(), plain(field.get("value").unwrap_or_default())))
        };
        Form { action: plain(action), fields: fields.filter_map(pair).collect() }
    };
    let posted = elements.iter().enumerate().filter(|(_, element)| {
        element.name == "form"
            && element.get("method").is_some_and(|method| method.eq_ignore_ascii_case("post"))
    });
    posted.filter_map(|(at, element)| Some(of(at, element.get("action")?))).collect()
}

/// Somebody at work: a browser, and how the open parts of an address are filled in for her.
struct Somebody {
    browser: Browser,
    open: BTreeMap<&'static str, String>,
}

impl Somebody {
    fn address(&self, route: &Route) -> String {
        let mut path = route.path.to_owned();
        for (part, with) in &self.open {
            path = path.replace(part, with);
        }
        concrete(&path)
    }

    async fn post(&self, world: &World, action: &str, fields: &[(String, String)]) -> Answer {
        // A browser of her own each time: what one form does to the cookies is no matter to the next.
        self.browser.clone().post(world, action, fields).await
    }
}

/// Two residents of whom one acts for the other, and two officers who each serve the first of them at a counter.
async fn everybody(world: &World) -> Vec<Somebody> {
    let mut hanako = world.signed_in(&world.hanako.passkey).await;
    let mut taro = world.signed_in(&world.taro.passkey).await;
    let (hers, his) = (number_of(world, &mut hanako).await, number_of(world, &mut taro).await);
    let page = hanako.get(world, "/my/delegates").await;
    let given =
        [("kind", "representative"), ("holder", his.as_str()), ("scope-see-data", "yes"), ("days", "30")];
    hanako.fill(world, &page, "/my/delegates", &given).await;
    let page = taro.get(world, "/my/delegates").await;
    taro.fill(world, &page, "/my/delegates/accept", &[]).await;
    let page = taro.get(world, "/my/delegates").await;
    let mandate = page.text.split("href=\"/for/").nth(1).unwrap_or_else(|| panic!("{}", page.text));
    let mandate = mandate.split(['"', '/']).next().unwrap().to_owned();
    let page = hanako.get(world, "/my/number/aliases").await;
    hanako.fill(world, &page, "/my/number/aliases", &[("kind", "permanent")]).await;

    let mut all = vec![
        Somebody { browser: Browser::default(), open: BTreeMap::new() },
        Somebody { browser: hanako, open: BTreeMap::new() },
        Somebody { browser: taro, open: BTreeMap::from([("{mandate}", mandate)]) },
    ];
    for (passkey, purpose) in [(&world.registrar, "registration"), (&world.payer, "payout")] {
        let mut browser = world.signed_in(passkey).await;
        let page = counter_page(world, &mut browser, &hers, purpose).await;
        all.push(Somebody { browser, open: BTreeMap::from([("{counter}", counter_of(&page))]) });
    }
    all
}

#[tokio::test]
async fn every_field_of_every_form_may_hold_anything() {
    let (mut tried, mut reached, mut known) = (0, BTreeSet::new(), BTreeSet::new());
    // First what leaves its sender signed in, then, in a world of its own, what does not.
    for turn in [false, true] {
        let world = World::new();
        for somebody in everybody(&world).await {
            let mut seen: Vec<Form> = Vec::new();
            for route in table().iter().filter(|route| route.method == Method::GET) {
                let page = somebody.browser.clone().get(&world, &somebody.address(route)).await;
                for form in forms(&page) {
                    let names: Vec<&String> = form.fields.iter().map(|(name, _)| name).collect();
                    known.extend(form.fields.iter().map(|(name, _)| name.clone()));
                    let again = |old: &&Form| {
                        old.action == form.action
                            && old.fields.iter().map(|(name, _)| name).eq(names.iter().copied())
                    };
                    if !seen.iter().any(|old| again(&old)) {
                        seen.push(form);
                    }
                }
            }
            for form in seen.iter().filter(|form| ends(&form.action) == turn) {
                tried += fill_with_rubbish(&world, &somebody, form).await;
                reached.insert(form.action.clone());
            }
        }
    }
    println!("{tried} forms sent to {} addresses, with {} fields", reached.len(), known.len());
    assert!(tried > 1_000 && reached.len() > 15, "{tried} sent to {reached:?}");

    // And every field of any form, to every route that takes a form: also to those that no page shows just now.
    let world = World::new();
    let everybody = everybody(&world).await;
    let mut sent = 0;
    for route in table().iter().filter(|route| route.method == Method::POST) {
        for somebody in &everybody {
            let Some(token) = token(&world, somebody).await else { continue };
            for value in ["", "1", "AAAAAAAAAAAAAAAAAAAAAA", "2026-02-30", "名前\u{0}", "allow"] {
                let fields =
                    known.iter().filter(|name| *name != "csrf").map(|name| (name.clone(), value.to_owned()));
                let fields: Vec<_> = fields.chain([("csrf".to_owned(), token.clone())]).collect();
                if ends(route.path) && value == "1" {
                    continue; // one that works would end what the others need
                }
                let answer = somebody.post(&world, &somebody.address(route), &fields).await;
                check(&format!("{route} with {value:?} in every field"), &answer);
                sent += 1;
            }
        }
    }
    assert!(sent > 500, "only {sent}");
}

/// Each field in turn holds rubbish, is missing, stands there twice; and the form is sent again as it was.
async fn fill_with_rubbish(world: &World, somebody: &Somebody, form: &Form) -> usize {
    let mut sent = 0;
    let send = async |fields: Vec<(String, String)>, what: &str| {
        let answer = somebody.post(world, &form.action, &fields).await;
        check(&format!("{} {what}", form.action), &answer);
    };
    for at in 0..form.fields.len() {
        let name = &form.fields[at].0;
        for value in rubbish() {
            let mut fields = form.fields.clone();
            let what = format!("with {name} = {:?}", value.chars().take(20).collect::<String>());
            fields[at].1 = value;
            send(fields, &what).await;
            sent += 1;
        }
        let mut without = form.fields.clone();
        without.remove(at);
        send(without, &format!("without {name}")).await;
        let twice = [&form.fields[..], &form.fields[at..=at]].concat();
        send(twice, &format!("with {name} twice")).await;
    }
    for _ in 0..2 {
        send(form.fields.clone(), "as it was").await;
    }
    sent
}

async fn token(world: &World, somebody: &Somebody) -> Option<String> {
    for page in ["/my/number", "/office", "/activate"] {
        let page = somebody.browser.clone().get(world, page).await;
        let found = forms(&page).into_iter().flat_map(|form| form.fields).find(|(name, _)| name == "csrf");
        if let Some((_, token)) = found {
            return Some(token);
        }
    }
    None
}

/// Whatever stands in his forms, sent from her browser with her own token: nothing of his is looked at, and nothing of hers is his.
#[tokio::test]
async fn what_names_somebody_else_does_nothing_to_him() {
    let world = World::new();
    let mut hanako = world.signed_in(&world.hanako.passkey).await;
    let mut taro = world.signed_in(&world.taro.passkey).await;
    let second = world.signed_in(&world.taro.passkey).await;
    for browser in [&mut hanako, &mut taro] {
        let page = browser.get(&world, "/my/number/aliases").await;
        for kind in ["permanent", "single-use"] {
            browser.fill(&world, &page, "/my/number/aliases", &[("kind", kind)]).await;
        }
    }
    let own = hanako.get(&world, "/my/number").await.form("/my/number");
    let csrf = own.iter().find(|(name, _)| name == "csrf").unwrap().1.clone();
    let mut his: Vec<Form> = Vec::new();
    for route in table().iter().filter(|route| route.method == Method::GET && route.who == Who::Resident) {
        let page = taro.get(&world, &concrete(route.path)).await;
        his.extend(forms(&page).into_iter().filter(|form| !form.action.contains("signout")));
    }
    let before = world.entries(&world.taro);
    let mut sent = 0;
    for form in &his {
        for token in [
            csrf.clone(),
            form.fields
                .iter()
                .find(|(name, _)| name == "csrf")
                .map_or(String::new(), |(_, token)| token.clone()),
        ] {
            let mut fields = form.fields.clone();
            fields
                .iter_mut()
                .filter(|(name, _)| name == "csrf")
                .for_each(|(_, value)| value.clone_from(&token));
            let answer = hanako.clone().post(&world, &form.action, &fields).await;
            check(&form.action, &answer);
            if token != csrf {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}: his token in her browser", form.action);
            }
            assert!(
                !world.taro.secrets.iter().any(|secret| answer.text.contains(secret.as_str())),
                "{}",
                form.action
            );
            sent += 1;
        }
    }
    assert!(sent > 10, "only {sent} forms");
    assert_eq!(world.entries(&world.taro), before, "nobody looked at him");
    // Both of his browsers are signed in still.
    for mut browser in [taro, second] {
        assert_eq!(browser.get(&world, "/my/data").await.status, StatusCode::OK);
    }
}

/// A body beyond every limit is refused on every route, by its announced length and by what comes, with or without a right to send it.
#[tokio::test]
async fn no_route_reads_a_body_without_an_end() {
    let world = World::new();
    let party = crate::agency::register(&world, "pension-office", kaname_signin::client_token::SCOPES);
    let scopes = kaname_signin::client_token::SCOPES.join(" ");
    let agency = crate::agency::token(&world.app.signin, &party, &scopes, 0);
    let everybody = everybody(&world).await;
    let mut refused = 0;
    for route in table().iter().filter(|route| ![Method::GET, Method::DELETE].contains(&route.method)) {
        for somebody in &everybody {
            for (length, size) in [(Some("99999999999"), 0), (None, 1_100_000)] {
                let path = somebody.address(route);
                let mut request =
                    somebody.browser.request(route.method.clone(), &path).header(header::ORIGIN, ISSUER);
                let kind = match route.who {
                    Who::Agency(_) => "application/json",
                    _ => "application/x-www-form-urlencoded",
                };
                request = request.header(header::CONTENT_TYPE, kind);
                if matches!(route.who, Who::Agency(_)) {
                    request = request.header(header::AUTHORIZATION, format!("Bearer {agency}"));
                }
                if let Some(length) = length {
                    request = request.header(header::CONTENT_LENGTH, length);
                }
                let answer = world.send(request.body(Body::from(vec![b'a'; size])).unwrap()).await;
                check(&format!("{route} of {size} bytes"), &answer);
                assert!(answer.status.is_client_error(), "{route} of {size} bytes: {}", answer.status);
                refused += usize::from(answer.status == StatusCode::PAYLOAD_TOO_LARGE);
            }
        }
    }
    assert!(refused > 100, "only {refused} were too large");
}

/// Thousands of requests of two residents and an agency at the same instant: each answer is about whom it was asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_people_at_the_same_instant_never_mix() {
    const TASKS: usize = 16;
    const EACH: usize = 130;
    let world = World::new();
    let party = crate::agency::register(&world, "pension-office", &["pr.person.read"]);
    let token = crate::agency::token(&world.app.signin, &party, "pr.person.read", 0);
    let mut people = Vec::new();
    for (someone, other) in [(&world.hanako, &world.taro), (&world.taro, &world.hanako)] {
        let mut browser = world.signed_in(&someone.passkey).await;
        let number = number_of(&world, &mut browser).await.replace(' ', "");
        let page = browser.get(&world, "/my/number").await;
        people.push((
            browser,
            number,
            page.form("/my/number"),
            someone.secrets.clone(),
            other.secrets.clone(),
        ));
    }
    let numbers: Vec<String> = people.iter().map(|person| person.1.clone()).collect();
    let mut tasks = Vec::new();
    for task in 0..TASKS {
        let (router, token) = (world.router.clone(), token.clone());
        let (browser, number, own_form, own, others) = people[task % 2].clone();
        let other_number = numbers[(task + 1) % 2].clone();
        tasks.push(tokio::spawn(async move {
            let (mut told, mut busy) = (0, 0);
            for step in 0..EACH {
                let request = match (step + task) % 5 {
                    0 => browser.request(Method::GET, "/my/data").body(Body::empty()),
                    1 => browser.request(Method::GET, "/home").body(Body::empty()),
                    2 => browser.request(Method::GET, "/my/access").body(Body::empty()),
                    3 => {
                        let fields: Vec<(&str, &str)> =
                            own_form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                        let request =
                            browser.request(Method::POST, "/my/number").header(header::ORIGIN, ISSUER);
                        let request =
                            request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
                        request.body(Body::from(form(&fields)))
                    }
                    _ => {
                        let names = "attributeNames=firstName,lastName";
                        let request = axum::http::Request::builder()
                            .uri(format!("/osia/data/v1/persons/{number}?{names}"))
                            .header(header::AUTHORIZATION, format!("Bearer {token}"));
                        request.body(Body::empty())
                    }
                };
                let response = router.clone().oneshot(request.unwrap()).await.unwrap();
                let status = response.status();
                let bytes = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
                let text = String::from_utf8_lossy(&bytes).into_owned();
                if status == StatusCode::SERVICE_UNAVAILABLE {
                    busy += 1;
                    continue;
                }
                assert_eq!(status, StatusCode::OK, "{text}");
                assert!(
                    !others.iter().any(|secret| text.contains(secret.as_str())),
                    "somebody else's: {text}"
                );
                assert!(!text.replace(' ', "").contains(&other_number), "somebody else's number: {text}");
                told += usize::from(own.iter().any(|secret| text.contains(secret.as_str())));
            }
            (told, busy)
        }));
    }
    let (mut told, mut busy) = (0, 0);
    for task in tasks {
        let of_task = task.await.unwrap();
        (told, busy) = (told + of_task.0, busy + of_task.1);
    }
    println!("{} requests, {told} told her own name, {busy} were asked to come again", TASKS * EACH);
    assert!(told > TASKS * EACH / 4 && busy < TASKS * EACH / 4, "{told} told, {busy} busy");
}

/// Not ready while the log is not published or the database is away; alive all the while, and ready again by itself.
#[test]
fn a_server_says_when_it_cannot_work() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let get = |world: &World, path: &str| {
        let request = axum::http::Request::builder().uri(path).header(header::ACCEPT, "application/json");
        runtime.block_on(world.send(request.body(Body::empty()).unwrap()))
    };
    let world = World::new();
    assert_eq!(get(&world, "/readyz").status, StatusCode::OK);
    world.app.note_published(false);
    let answer = get(&world, "/readyz");
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
    assert_eq!(get(&world, "/healthz").status, StatusCode::OK, "it is no reason to start it anew");
    world.app.note_published(true);
    assert_eq!(get(&world, "/readyz").status, StatusCode::OK);

    let postgres = match Postgres::start(Options::default()) {
        Ok(postgres) => postgres,
        Err(why) => {
            let required = std::env::var_os("KANAME_REQUIRE_POSTGRES").is_some_and(|value| value == "1");
            assert!(!required, "{why}");
            eprintln!("not run: {why}");
            return;
        }
    };
    // It lives as long as the tests do: the store of the world refers to it.
    let postgres: &'static Postgres = Box::leak(Box::new(postgres));
    let world = World::on(TestStore::postgres(vec![postgres]));
    assert_eq!(get(&world, "/readyz").status, StatusCode::OK);
    postgres.kill();
    // What serves a connection that is open may outlive the server by an instant.
    let answer = until(&|| get(&world, "/readyz"), StatusCode::SERVICE_UNAVAILABLE, &runtime);
    assert!(!answer.text.contains("host="), "why is nobody's business: {}", answer.text);
    assert_eq!(get(&world, "/healthz").status, StatusCode::OK);
    postgres.restart();
    until(&|| get(&world, "/readyz"), StatusCode::OK, &runtime);
}

/// The first answer with this status, within some seconds.
fn until(ask: &dyn Fn() -> Answer, wanted: StatusCode, runtime: &tokio::runtime::Runtime) -> Answer {
    for _ in 0..100 {
        let answer = ask();
        if answer.status == wanted {
            return answer;
        }
        runtime.block_on(async { tokio::time::sleep(std::time::Duration::from_millis(100)).await });
    }
    panic!("it is never {wanted}");
}

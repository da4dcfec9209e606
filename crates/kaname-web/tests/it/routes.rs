//! One walk over all routes: who may call, whether a form is ours, and what is written into the access log.

use std::path::Path;

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use kaname_web::http::routes::{Audit, Route, Who, as_text, table};

use crate::world::{Answer, Browser, ISSUER, World};

#[test]
fn the_table_is_as_written_down() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/routes.txt");
    if std::env::var_os("KANAME_WRITE_SNAPSHOTS").is_some() {
        std::fs::write(&path, as_text()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, as_text(), "run again with KANAME_WRITE_SNAPSHOTS=1 if the table is meant to be so");
}

#[tokio::test]
async fn nobody_comes_in_without_signing_in() {
    let world = World::new();
    let mut walked = 0;
    for route in table().iter().filter(|route| {
        matches!(route.who, Who::Resident | Who::OfficerComingIn | Who::Officer(_) | Who::AtCounter(_))
    }) {
        let answer = call(&world, &Browser::default(), route).await;
        let right = match route.method {
            Method::GET => {
                answer.status == StatusCode::SEE_OTHER && answer.location().starts_with("/signin?then=")
            }
            _ => answer.status == StatusCode::UNAUTHORIZED,
        };
        assert!(right, "{route}: {answer:?}");
        walked += 1;
    }
    assert!(walked > 30, "only {walked} routes");
}

#[tokio::test]
async fn a_session_of_the_other_kind_opens_nothing() {
    let world = World::new();
    let hanako = world.signed_in(&world.hanako.passkey).await;
    let registrar = world.signed_in(&world.registrar).await;
    let (mut as_officer, mut as_resident) = (Browser::default(), Browser::default());
    as_officer.set_cookie("kaname_office", hanako.cookie("kaname_session").unwrap());
    as_resident.set_cookie("kaname_session", registrar.cookie("kaname_office").unwrap());
    for route in table() {
        let browser = match route.who {
            Who::Resident => &as_resident,
            Who::OfficerComingIn | Who::Officer(_) | Who::AtCounter(_) => &as_officer,
            Who::Anyone | Who::Party | Who::Participant | Who::Agency(_) => continue,
        };
        let answer = call(&world, browser, &route).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{route}: {answer:?}");
    }
}

#[tokio::test]
async fn an_officer_does_what_the_role_allows() {
    let world = World::new();
    let (mut registrar, mut payer) =
        (world.signed_in(&world.registrar).await, world.signed_in(&world.payer).await);
    let mut refused = 0;
    for route in table().iter().filter(|route| route.method == Method::GET && !route.path.contains('{')) {
        let Who::Officer(Some(action)) = route.who else { continue };
        for (browser, role) in [(&mut registrar, "registrar"), (&mut payer, "payments")] {
            let allowed = kaname_person::policy::POLICY
                .iter()
                .any(|(row, roles)| *row == action && roles.contains(&role));
            let answer = browser.get(&world, route.path).await;
            let wanted = if allowed { StatusCode::OK } else { StatusCode::FORBIDDEN };
            assert_eq!(answer.status, wanted, "{role} {route}: {}", answer.text);
            refused += usize::from(!allowed);
        }
    }
    assert!(refused > 3);
}

/// What is done for one resident takes a page of the session with her: no session, a session of another resident, and none at all in
/// the address or the form are refused before anything is read.
#[tokio::test]
async fn nothing_is_done_for_a_resident_outside_a_session_with_her() {
    let world = World::new();
    let (mut hanako, mut taro) =
        (world.signed_in(&world.hanako.passkey).await, world.signed_in(&world.taro.passkey).await);
    let (hers, his) = (number_of(&world, &mut hanako).await, number_of(&world, &mut taro).await);
    let mut walked = 0;
    for route in table() {
        if let Who::Officer(Some(action)) = route.who {
            let for_one = kaname_person::policy::AT_COUNTER.contains(&action);
            assert!(!for_one, "{route}: it is for one resident, so it belongs to a session at the counter");
        }
        let Who::AtCounter(action) = route.who else { continue };
        let (passkey, purpose) = match allows(action, "registrar") {
            true => (&world.registrar, "registration"),
            false => (&world.payer, "payout"),
        };
        let mut officer = world.signed_in(passkey).await;
        let first = counter_page(&world, &mut officer, &hers, purpose).await;
        let (address, stale) = (route.path.replace("{counter}", &counter_of(&first)), first);
        let before = (world.entries(&world.hanako), world.entries(&world.taro));
        let second = counter_page(&world, &mut officer, &his, purpose).await;
        assert_ne!(counter_of(&stale), counter_of(&second));
        // The end of the first, and the beginning and the record of the second.
        let opened = i64::from(allows(kaname_person::Action::OpenResident, role_of(purpose)));
        let after = (before.0 + 1, before.1 + 1 + opened);
        assert_eq!((world.entries(&world.hanako), world.entries(&world.taro)), after, "{route}");
        let csrf = stale.form("/office/signout")[0].1.clone();
        for given in ["", &counter_of(&stale), &counter_of(&second)] {
            let fields =
                [("csrf", csrf.as_str()), ("counter", given)].map(|(n, v)| (n.to_owned(), v.to_owned()));
            let answer = match route.method {
                Method::GET => officer.get(&world, &format!("{address}?counter={given}")).await,
                _ => officer.post(&world, &address, &fields).await,
            };
            assert_eq!(answer.status, StatusCode::CONFLICT, "{route}: {answer:?}");
            assert!(answer.text.contains("counter-over"), "{route}: {}", answer.text);
            assert!(!world.hanako.secrets.iter().any(|secret| answer.text.contains(secret.as_str())));
        }
        let gone =
            officer.fill(&world, &second, &format!("/office/counter/{}/end", counter_of(&second)), &[]).await;
        assert_eq!(gone.location(), "/office/counter/ended", "{gone:?}");
        let none = match route.method {
            Method::GET => officer.get(&world, &address).await,
            _ => officer.post(&world, &address, &[("csrf".to_owned(), csrf.clone())]).await,
        };
        assert_eq!(none.status, StatusCode::CONFLICT, "{route}: {none:?}");
        assert_eq!(
            (world.entries(&world.hanako), world.entries(&world.taro)),
            (after.0, after.1 + 1),
            "{route}"
        );
        walked += 1;
    }
    assert!(walked >= 6, "only {walked} routes");
}

fn role_of(purpose: &str) -> &'static str {
    if purpose == "payout" { "payments" } else { "registrar" }
}

#[tokio::test]
async fn a_form_that_is_not_ours_does_nothing() {
    let world = World::new();
    let hanako = world.signed_in(&world.hanako.passkey).await;
    let (registrar, payer) = (world.signed_in(&world.registrar).await, world.signed_in(&world.payer).await);
    let is_form = |route: &&Route| !matches!(route.who, Who::Party | Who::Participant | Who::Agency(_));
    for route in table().iter().filter(|route| route.method == Method::POST).filter(is_form) {
        let browser = match route.who {
            Who::Officer(Some(action)) | Who::AtCounter(action)
                if kaname_person::policy::POLICY
                    .iter()
                    .any(|(row, roles)| *row == action && roles.contains(&"payments"))
                    && !route.path.contains("find") =>
            {
                &payer
            }
            Who::OfficerComingIn | Who::Officer(_) | Who::AtCounter(_) => &registrar,
            _ => &hanako,
        };
        let token = token_of(&world, browser, route).await;
        let good = [("sec-fetch-site", "same-origin"), ("origin", ISSUER)];
        let evil = [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];
        for (csrf, headers) in [
            ("", &good[..]),
            ("wrong", &good[..]),
            (token.as_str(), &evil[..1]),
            (token.as_str(), &evil[1..]),
            (token.as_str(), &[("origin", "null")][..]),
            (token.as_str(), &[("sec-fetch-site", "same-site")][..]),
        ] {
            let mut request = browser
                .request(Method::POST, &concrete(route.path))
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let request = request.body(Body::from(format!("csrf={csrf}"))).unwrap();
            let answer = world.send(request).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{route} {headers:?}: {answer:?}");
            assert!(answer.text.contains("cross-site"), "{route}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn each_reading_leaves_its_entries_and_nothing_else_does() {
    let world = World::new();
    let mut hanako = world.signed_in(&world.hanako.passkey).await;
    let mut registrar = world.signed_in(&world.registrar).await;
    let mut payer = world.signed_in(&world.payer).await;
    let number = number_of(&world, &mut hanako).await;
    // Before she locks her number: then it leads a payments officer nowhere.
    let paying = counter_page(&world, &mut payer, &number, "payout").await;
    let mut read = 0;
    for route in table() {
        if matches!(route.path, "/activate/passkey" | "/userinfo")
            || route.path.starts_with("/for/")
            || (route.method == Method::POST && route.path.starts_with("/my/delegates"))
        {
            continue; // each needs a journey of its own: `journeys`
        }
        if matches!(route.who, Who::Agency(_)) {
            continue; // a walk of their own: `agency`
        }
        let before = world.entries(&world.hanako);
        let answer = match (&route.method, route.who, route.path) {
            (&Method::GET, Who::Anyone | Who::Resident, path)
                if !path.contains('{') && path != "/consent" && path != "/authorize" =>
            {
                hanako.get(&world, path).await
            }
            (&Method::POST, _, "/my/number") => {
                let page = hanako.get(&world, "/my/number").await;
                hanako.fill(&world, &page, "/my/number", &[]).await
            }
            (&Method::POST, _, "/my/export") => {
                let page = hanako.get(&world, "/my/data").await;
                let at = world.entries(&world.hanako);
                let answer = hanako.fill(&world, &page, "/my/export", &[]).await;
                assert_eq!(answer.status, StatusCode::OK, "{route}: {}", answer.text);
                let Audit::Receipt(_, count) = route.audit else { panic!("{route}") };
                assert_eq!(world.entries(&world.hanako), at + count as i64, "{route}");
                assert!(answer.header("content-disposition").starts_with("attachment"), "{answer:?}");
                let document: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
                assert_eq!(
                    document["records"]["person.resident"][0]["record"]["particulars"]["name"]["family"],
                    "要木"
                );
                assert_eq!(
                    document["records"]["signin.account"][0]["record"]["passkeys"].as_array().unwrap().len(),
                    1
                );
                assert!(!document["records"]["signin.history"].as_array().unwrap().is_empty());
                assert!(!answer.text.contains("骨山"), "another resident's name");
                read += 1;
                continue;
            }
            (&Method::POST, _, "/my/number/aliases" | "/my/number/aliases/end" | "/my/number/lock") => {
                let page = hanako.get(&world, "/my/number/aliases").await;
                let at = world.entries(&world.hanako);
                let fields: &[(&str, &str)] = &[("kind", "permanent"), ("alias", "1")];
                let answer = hanako.fill(&world, &page, route.path, fields).await;
                assert_eq!(answer.status, StatusCode::SEE_OTHER, "{route}: {}", answer.text);
                assert_eq!(world.entries(&world.hanako), at + 1, "{route}");
                read += 1;
                continue;
            }
            (&Method::POST, _, "/office/find") => {
                let begun = begin(&world, &mut registrar, &number, "help-desk").await;
                assert_eq!(begun.status, StatusCode::SEE_OTHER, "{begun:?}");
                assert_eq!(world.entries(&world.hanako), before + 1, "{route}");
                read += 1;
                continue;
            }
            // They need a linked record: `links` has its own journeys.
            (&Method::POST, _, path)
                if [
                    "/my/links",
                    "/office/links",
                    "/office/findings",
                    "/office/introducers",
                    "/office/counter/{counter}/links/",
                ]
                .iter()
                .any(|at| path.starts_with(at)) =>
            {
                continue;
            }
            // It asks a bank: `counter` has its own journey.
            (&Method::POST, Who::AtCounter(kaname_person::Action::RegisterAccount), _) => continue,
            // Their forms are filled in the journeys of `office`.
            (&Method::POST, Who::AtCounter(_), path)
                if [
                    "event", "as-of", "lock", "aliases", "replace", "mandates", "proposal", "behalf",
                    "voucher", "cash", "photo",
                ]
                .iter()
                .any(|part| path.split('/').any(|one| one == *part)) =>
            {
                continue;
            }
            (_, Who::Officer(_), path) if path.starts_with("/office/decisions/") => continue,
            (method, Who::AtCounter(action), path) => {
                let registrars = allows(action, "registrar");
                let (officer, page) = match registrars {
                    false => (&mut payer, paying.clone()),
                    true => {
                        let page = counter_page(&world, &mut registrar, &number, "registration").await;
                        (&mut registrar, page)
                    }
                };
                let address = path.replace("{counter}", &counter_of(&page));
                let before = world.entries(&world.hanako);
                let answer = match *method {
                    Method::GET => officer.get(&world, &address).await,
                    _ => officer.fill(&world, &page, &address, &[]).await,
                };
                let wanted = match route.audit {
                    Audit::Nothing(_) => 0,
                    Audit::Receipt(_, count) => count as i64,
                };
                // She has no photo: `office` keeps one.
                let is_missing = path.ends_with("/picture") && answer.status == StatusCode::NOT_FOUND;
                assert!(is_missing || !answer.status.is_client_error(), "{route}: {answer:?}");
                assert_eq!(world.entries(&world.hanako) - before, wanted, "{route}");
                read += usize::from(wanted > 0);
                continue;
            }
            (&Method::POST, _, "/office/register") => {
                read += 1;
                continue; // a person who is new: `journeys`
            }
            _ if matches!(route.audit, Audit::Receipt(..)) => panic!("no example of how to call {route}"),
            _ => continue,
        };
        let wanted = match route.audit {
            Audit::Nothing(_) => 0,
            Audit::Receipt(_, count) => count as i64,
        };
        assert!(answer.status.is_success() || answer.status == StatusCode::NOT_FOUND, "{route}: {answer:?}");
        assert_eq!(world.entries(&world.hanako) - before, wanted, "{route}");
        read += usize::from(wanted > 0);
    }
    assert!(read >= 9, "only {read} routes read");
}

/// Calls a route as nobody in particular would: a GET, or a form with nothing in it.
async fn call(world: &World, browser: &Browser, route: &Route) -> Answer {
    let request = browser.request(route.method.clone(), &concrete(route.path));
    let request = match route.method {
        Method::POST => request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded"),
        _ => request,
    };
    world.send(request.body(Body::empty()).unwrap()).await
}

/// A form token that holds in this browser for this kind of route.
async fn token_of(world: &World, browser: &Browser, route: &Route) -> String {
    let (page, action) = match route.who {
        Who::Anyone | Who::Party | Who::Participant | Who::Agency(_) => ("/activate", "/activate"),
        Who::Resident => ("/my/number", "/my/number"),
        Who::OfficerComingIn | Who::Officer(_) | Who::AtCounter(_) => ("/office", "/office/signout"),
    };
    let page = browser.clone().get(world, page).await;
    page.form(action).into_iter().find(|(name, _)| name == "csrf").unwrap().1
}

pub(crate) fn concrete(path: &str) -> String {
    path.replace("{mandate}", "AAAAAAAAAAAAAAAAAAAAAA")
        .replace("{*rest}", "0/000")
        .replace("{id}", "run_00000000000000000000000000000000")
        .replace("{counter}", "ctr_00000000000000000000000000000000")
        .replace("{name}", "x")
        .replace("{uin}", "x")
        .replace("{code}", "busy")
}

pub(crate) async fn number_of(world: &World, browser: &mut Browser) -> String {
    let page = browser.get(world, "/my/number").await;
    let shown = browser.fill(world, &page, "/my/number", &[]).await;
    let after = shown.text.split("id=\"number\"").nth(1).unwrap_or_else(|| panic!("{}", shown.text));
    after.split("dir=\"ltr\">").nth(1).unwrap().split('<').next().unwrap().to_owned()
}

/// Begins a session at the counter with the resident of this number or reference.
pub(crate) async fn begin(world: &World, officer: &mut Browser, number: &str, purpose: &str) -> Answer {
    let page = officer.get(world, "/office/find").await;
    officer.fill(world, &page, "/office/find", &[("reference", number), ("purpose", purpose)]).await
}

/// The first page of a session for somebody who asks something.
pub(crate) async fn found(world: &World, officer: &mut Browser, number: &str) -> Answer {
    counter_page(world, officer, number, "help-desk").await
}

/// The first page of a session at the counter that begins now.
pub(crate) async fn counter_page(
    world: &World,
    officer: &mut Browser,
    number: &str,
    purpose: &str,
) -> Answer {
    let begun = begin(world, officer, number, purpose).await;
    match begun.location() {
        "" => begun,
        address => officer.get(world, address).await,
    }
}

/// The session at the counter that the banner of a page names.
pub(crate) fn counter_of(page: &Answer) -> String {
    let after =
        page.text.split("name=\"counter\" value=\"").nth(1).unwrap_or_else(|| panic!("{}", page.text));
    after.split('"').next().unwrap().to_owned()
}

pub(crate) fn allows(action: kaname_person::Action, role: &str) -> bool {
    kaname_person::policy::POLICY.iter().any(|(row, roles)| *row == action && roles.contains(&role))
}

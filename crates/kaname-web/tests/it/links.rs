//! Linked records without JavaScript: she sees one, says that it is not hers, officers settle it, and everybody can read the figures.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;
use kaname_person::link::check::{Check, Outcome, OutsideRow, check_rows};
use kaname_person::link::list::{CHECK, check_list};
use kaname_person::link::recall::{RECALL, TELL, recall, tell};
use kaname_person::link::{Desk, index};
use kaname_person::show::{Asking, open_resident};
use kaname_person::{Particulars, PersonError};
use kaname_signin::client_token::SCOPES;
use kaname_store::jobs;
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, PersonId};
use kaname_web::api::webhooks;

use crate::agency;
use crate::routes::{counter_of, counter_page, number_of};
use crate::world::{World, env};

fn desk(world: &World) -> Desk {
    Desk::new(world.store.clone(), world.keys.clone(), world.app.pack.clone())
}

/// What an insurer who knows her well would say of her.
fn record_of(world: &World, person: PersonId) -> Particulars {
    let (keys, pack) = (world.keys.clone(), world.app.pack.clone());
    let opened =
        world.store.write::<_, PersonError, _>(bucket_of(person, world.store.buckets()), move |tx| {
            open_resident(tx, &keys, &pack, &env(), &Asking::herself(person), &["name"])
        });
    Particulars { reference: "H-20017731".to_owned(), ..opened.unwrap().particulars }
}

fn check(world: &World, record: Particulars, run: u8) -> Outcome {
    let desk = desk(world);
    index::refresh(&desk, &env(), &mut |_| {}).unwrap();
    let ask =
        Check { source: "health-insurer", run: [run; 16], by: Actor::program("link-check", "registrar") };
    check_rows(&desk, &env(), &ask, &[OutsideRow { line: 1, record, number: None }]).unwrap()[0]
}

/// Links the insurer's record H-20017731 to her.
pub(crate) fn link_hanako(world: &World) {
    assert_eq!(check(world, record_of(world, world.hanako.person), 1), Outcome::Linked);
}

#[tokio::test]
async fn she_says_that_it_is_not_hers_with_one_click() {
    let world = World::new();
    assert_eq!(check(&world, record_of(&world, world.hanako.person), 1), Outcome::Linked);
    let mut hanako = world.signed_in(&world.hanako.passkey).await;
    let mut taro = world.signed_in(&world.taro.passkey).await;
    let page = hanako.get(&world, "/my/links").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("7731") && !page.text.contains("H-20017731"), "only the end of the number");
    let others = taro.get(&world, "/my/links").await;
    assert!(!others.text.contains("lnk_"), "nobody sees another's links");

    let before = world.entries(&world.hanako);
    let link = page.form("/my/links/report").into_iter().find(|(name, _)| name == "link").unwrap().1;
    let empty = taro.get(&world, "/my/data").await;
    let csrf = empty.form("/signout").into_iter().find(|(name, _)| name == "csrf").unwrap().1;
    let stolen = [("csrf".to_owned(), csrf), ("link".to_owned(), link)];
    let refused = taro.post(&world, "/my/links/report", &stolen).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND, "{refused:?}");
    assert_eq!(world.entries(&world.hanako), before);
    let done = hanako.fill(&world, &page, "/my/links/report", &[]).await;
    assert_eq!(done.location(), "/my/links?done=reported", "{}", done.text);
    assert_eq!(world.entries(&world.hanako), before + 1);
    let page = hanako.get(&world, "/my/links").await;
    assert!(!page.text.contains("/my/links/report"), "it is suspended: {}", page.text);

    // An officer undoes it.
    let mut registrar = world.signed_in(&world.registrar).await;
    let page = registrar.get(&world, "/office/links").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(!page.text.contains("H-20017731"), "the list names nobody");
    let before = world.entries(&world.hanako);
    let page = registrar.fill(&world, &page, "/office/links/report", &[]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(page.text.contains("H-20017731"), "the record and the resident stand side by side");
    assert_eq!(world.entries(&world.hanako), before + 1, "she finds in her log that she was looked at");
    let no_reason = registrar.fill(&world, &page, "/office/links/settle", &[("is", "right")]).await;
    assert_eq!(no_reason.status, StatusCode::BAD_REQUEST, "{no_reason:?}");
    let right = [("is", "right"), ("why", "compared the papers")];
    let one = registrar.fill(&world, &page, "/office/links/settle", &right).await;
    assert_eq!(one.location(), "/office/links?done=proposed", "one officer does not dismiss her word");
    let twice = registrar.fill(&world, &page, "/office/links/settle", &right).await;
    assert_eq!(twice.status, StatusCode::FORBIDDEN, "{twice:?}");
    let wrong = [("is", "wrong"), ("why", "it is another's")];
    let done = registrar.fill(&world, &page, "/office/links/settle", &wrong).await;
    assert_eq!(done.location(), "/office/links?done=settled", "{}", done.text);
    let again = registrar.fill(&world, &page, "/office/links/settle", &wrong).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{again:?}");
}

#[tokio::test]
async fn two_officers_see_the_candidates_side_by_side() {
    let world = World::new();
    let mut record = record_of(&world, world.hanako.person);
    record.address.line = "9-9 Somewhere else".to_owned();
    record.address.postcode = "999-9999".to_owned();
    record.address.city = "Elsewhere".to_owned();
    assert!(matches!(check(&world, record, 2), Outcome::Review(_)));
    let mut registrar = world.signed_in(&world.registrar).await;
    let list = registrar.get(&world, "/office/links").await;
    let before = world.entries(&world.hanako);
    let page = registrar.fill(&world, &list, "/office/links/case", &[]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(page.text.contains("H-20017731") && page.text.contains("Somewhere else"));
    assert_eq!(world.entries(&world.hanako), before + 1, "she finds in her log that she was looked at");
    let hidden = format!("{}", world.hanako.person);
    assert!(!page.text.contains(&hidden), "the page's source names nobody");
    let none = registrar
        .fill(&world, &page, "/office/links/decide", &[("choice", "nobody"), ("why", "asked")])
        .await;
    assert_eq!(none.location(), "/office/links?done=proposed", "{}", none.text);
    let again = [("choice", "nobody"), ("why", "asked")];
    let twice = registrar.fill(&world, &page, "/office/links/decide", &again).await;
    assert_eq!(twice.status, StatusCode::FORBIDDEN, "{twice:?}");
    assert!(twice.text.contains("own-decision"));
    for rubbish in ["", "AAAA", "%00", "nobody2"] {
        let answer = registrar.fill(&world, &page, "/office/links/decide", &[("choice", rubbish)]).await;
        assert!(answer.status.is_client_error(), "{rubbish}: {answer:?}");
    }
}

#[tokio::test]
async fn everybody_reads_the_figures_and_no_small_one() {
    let world = World::new();
    assert_eq!(check(&world, record_of(&world, world.hanako.person), 3), Outcome::Linked);
    let mut nobody = crate::world::Browser::default();
    let page = nobody.get(&world, "/statistics/links").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let request = nobody.request(axum::http::Method::GET, "/statistics/links");
    let mut request = request.body(axum::body::Body::empty()).unwrap();
    request.headers_mut().insert("accept", "application/json".parse().unwrap());
    let answer = world.send(request).await;
    let document: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    let sources = document["sources"].as_array().unwrap();
    let insurer = sources.iter().find(|source| source["source"] == "health-insurer").unwrap();
    assert_eq!(insurer["total"]["linked"], "few", "{document}");
    assert_eq!(insurer["total"]["wrong"], 0, "{document}");
}

/// Does the jobs of the register's links that are due.
fn work(world: &World) -> u64 {
    let desk = desk(world);
    let of_links = AtomicU64::new(0);
    let handler = |job: &jobs::Job| {
        let listeners =
            webhooks::listeners(&world.app.signin, &env()).map_err(|_| jobs::JobError::Later("parties"))?;
        let done = match job.kind.as_str() {
            CHECK => check_list(&desk, &env(), job),
            RECALL => recall(&desk, &env(), job),
            TELL => tell(&desk, &env(), &listeners, job),
            // What follows from registering the people of this world.
            _ => return Ok(()),
        };
        of_links.fetch_add(1, Ordering::Relaxed);
        done.map_err(|_| jobs::JobError::Later("link"))
    };
    let worker = jobs::Worker::new(world.store.clone());
    loop {
        let round = worker.round(&|| env().now, &handler).expect("a round");
        assert_eq!(round.failed, 0);
        if round.done == 0 {
            return of_links.load(Ordering::Relaxed);
        }
    }
}

/// What an insurer's list says of somebody.
fn line_of(reference: &str, of: &Particulars) -> String {
    let Particulars { name, born, sex, address, .. } = of;
    let (reading, latin) = (of.reading.clone().unwrap_or_default(), of.latin.clone().unwrap_or_default());
    let cells = [
        reference,
        &name.family,
        &name.given,
        &reading.family,
        &reading.given,
        &latin.family,
        &latin.given,
        &born.to_string(),
        sex,
        &address.postcode,
        &address.region,
        &address.city,
        &address.line,
    ];
    cells.map(|cell| format!("\"{cell}\"")).join(",")
}

const COLUMNS: &str = "reference,family_name,given_name,family_reading,given_reading,family_latin,given_latin,\
    birth_date,sex,postcode,region,city,address";

async fn send_list(world: &World, token: &str, kind: &str, body: &str) -> crate::world::Answer {
    let request = axum::http::Request::builder()
        .method(axum::http::Method::POST)
        .uri("/v1/links/health-insurer/lists")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", kind);
    world.send(request.body(axum::body::Body::from(body.to_owned())).unwrap()).await
}

/// An agency's own system hands in its list, sees counts and a word for each of its records, reads through a link, and is told when it
/// was wrong. Nothing it is told names a candidate.
#[tokio::test]
async fn an_agency_checks_its_own_list_and_nobody_elses() {
    let world = World::new();
    let party = agency::register(&world, "health-fund", SCOPES);
    let token = agency::token(&world.app.signin, &party, &SCOPES.join(" "), 0);
    let get = |path: &'static str| agency::call(&world, &token, axum::http::Method::GET, path, None);
    let hanako = record_of(&world, world.hanako.person);
    let mut moved = hanako.clone();
    moved.address.line = "9-9 Somewhere else".to_owned();
    moved.address.city = "Elsewhere".to_owned();
    let (good, unsure) = (line_of("H-20017731", &hanako), line_of("H-2", &moved));
    let text = format!("{COLUMNS}\n{good}\n{unsure}\nH-3,too,few\n");

    let taken = send_list(&world, &token, "text/csv", &text).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{taken:?}");
    let answer = agency::value(&taken);
    assert_eq!((&answer["rows"], &answer["linked"]), (&2.into(), &0.into()), "{answer}");
    assert_eq!(answer["rejected"][0]["code"], "column-count", "{answer}");
    assert_eq!(
        send_list(&world, &token, "text/plain", &text).await.status,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    let elsewhere =
        agency::call(&world, &token, axum::http::Method::GET, "/v1/links/pension/records/H-2", None);
    assert_eq!(elsewhere.await.status, StatusCode::FORBIDDEN);

    let before = world.entries(&world.hanako);
    assert_eq!(work(&world), 1);
    assert!(world.entries(&world.hanako) > before, "she finds in her log that she was compared");
    let again = send_list(&world, &token, "text/csv; charset=utf-8", &text).await;
    assert_eq!(again.status, StatusCode::OK, "{again:?}");
    let done = agency::value(&again);
    assert_eq!(
        (&done["state"], &done["linked"], &done["review"]),
        (&"done".into(), &1.into(), &1.into()),
        "{done}"
    );
    let path = format!("/v1/links/health-insurer/lists/{}", done["list"].as_str().unwrap());
    let state = agency::call(&world, &token, axum::http::Method::GET, &path, None).await;
    assert_eq!(agency::value(&state), done);
    for (reference, word) in [("H-20017731", "linked"), ("H-2", "review")] {
        let path = format!("/v1/links/health-insurer/records/{reference}");
        let outcome = agency::call(&world, &token, axum::http::Method::GET, &path, None).await;
        assert_eq!(agency::value(&outcome)["state"], word, "{outcome:?}");
        assert!(!outcome.text.contains(&hanako.name.family), "{outcome:?}");
    }
    assert_eq!(get("/v1/links/health-insurer/records/H-9").await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        get("/v1/links/health-insurer/records/H-2/person?attributeNames=firstName").await.status,
        StatusCode::NOT_FOUND
    );

    // It reads through the link and issues a card on it; she says that the record is not hers, and an officer undoes it.
    let read =
        get("/v1/links/health-insurer/records/H-20017731/person?attributeNames=firstName,personId").await;
    let read = agency::value(&read);
    assert_eq!(read["firstName"], hanako.name.given, "{read}");
    assert_eq!(read["personId"]["code"], 403, "{read}");
    let card = serde_json::json!({ "what": "card", "reference": "C-1" });
    let path = "/v1/links/health-insurer/records/H-20017731/issued";
    let issued = agency::call(&world, &token, axum::http::Method::POST, path, Some(&card)).await;
    assert_eq!(issued.status, StatusCode::NO_CONTENT, "{issued:?}");
    let mut browser = world.signed_in(&world.hanako.passkey).await;
    let page = browser.get(&world, "/my/links").await;
    browser.fill(&world, &page, "/my/links/report", &[]).await;
    let mut registrar = world.signed_in(&world.registrar).await;
    let page = registrar.get(&world, "/office/links").await;
    let page = registrar.fill(&world, &page, "/office/links/report", &[]).await;
    registrar.fill(&world, &page, "/office/links/settle", &[("is", "wrong"), ("why", "another's")]).await;
    work(&world);
    let told = agency::value(&get("/v1/links/notices").await);
    assert_eq!(told["notices"][0]["reference"], "H-20017731", "{told}");
    assert_eq!(told["notices"][0]["issued"][0], "card C-1", "{told}");
    let events = agency::value(&get("/v1/events").await);
    assert_eq!(events["events"][0]["topic"], "link.undone", "{events}");
    let page = registrar.get(&world, "/office/links").await;
    assert!(page.text.contains("health-fund"), "the office sees who was told: {}", page.text);
    let home = browser.get(&world, "/home").await;
    assert!(home.text.contains("data-links=\"1\""), "she is told on her first page: {}", home.text);
    let page = browser.get(&world, "/my/links").await;
    assert!(page.text.contains("health-fund"), "and who read it: {}", page.text);
    let path = format!("/v1/links/notices/{}/acknowledgement", told["notices"][0]["id"].as_str().unwrap());
    let done = agency::call(&world, &token, axum::http::Method::POST, &path, None).await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{done:?}");
    assert_eq!(agency::value(&get("/v1/links/notices").await)["notices"], serde_json::json!([]));
}

#[tokio::test]
async fn an_officer_hands_in_a_list_as_a_file() {
    let world = World::new();
    let mut registrar = world.signed_in(&world.registrar).await;
    let hanako = record_of(&world, world.hanako.person);
    let page = registrar.get(&world, "/office/links/lists").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let csrf = page.form("/office/links/lists").into_iter().find(|(name, _)| name == "csrf").unwrap().1;
    let text = format!("{COLUMNS}\n{}\nH-3,too,few\n", line_of("H-20017731", &hanako));
    for (csrf, file, status) in [
        (csrf.as_str(), text.as_str(), StatusCode::OK),
        (csrf.as_str(), "", StatusCode::UNPROCESSABLE_ENTITY),
        (csrf.as_str(), "not,our,columns\n1,2,3\n", StatusCode::UNPROCESSABLE_ENTITY),
        ("forged", text.as_str(), StatusCode::FORBIDDEN),
    ] {
        let body = format!(
            "--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n\
             --x\r\nContent-Disposition: form-data; name=\"source\"\r\n\r\nhealth-insurer\r\n\
             --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"list.csv\"\r\n\
             Content-Type: text/csv\r\n\r\n{file}\r\n--x--\r\n"
        );
        let request = registrar
            .request(axum::http::Method::POST, "/office/links/lists")
            .header("content-type", "multipart/form-data; boundary=x");
        let answer = registrar.send(&world, request.body(axum::body::Body::from(body)).unwrap()).await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
    assert_eq!(work(&world), 1, "the list is checked once");
    let mut browser = world.signed_in(&world.hanako.passkey).await;
    assert!(browser.get(&world, "/my/links").await.text.contains("7731"));
}

/// A resident at the counter says what is hers and what is not; it is written down in a session with her and no other.
#[tokio::test]
async fn what_a_resident_says_at_the_counter_is_written_down() {
    let world = World::new();
    link_hanako(&world);
    let (mut hanako, mut taro) =
        (world.signed_in(&world.hanako.passkey).await, world.signed_in(&world.taro.passkey).await);
    let (hers, his) = (number_of(&world, &mut hanako).await, number_of(&world, &mut taro).await);
    let mut registrar = world.signed_in(&world.registrar).await;
    let session = counter_page(&world, &mut registrar, &his, "correction").await;
    let empty = registrar.get(&world, &format!("/office/counter/{}/links", counter_of(&session))).await;
    assert!(!empty.text.contains("7731"), "{}", empty.text);

    let session = counter_page(&world, &mut registrar, &hers, "correction").await;
    let address = format!("/office/counter/{}/links", counter_of(&session));
    let page = registrar.get(&world, &address).await;
    assert!(page.text.contains("7731"), "{}", page.text);
    let confirmed = registrar.fill(&world, &page, &format!("{address}/confirm"), &[]).await;
    assert_eq!(confirmed.location(), format!("{address}?done=confirmed"), "{}", confirmed.text);
    let page = registrar.get(&world, &address).await;
    assert!(!page.text.contains(&format!("{address}/confirm")), "{}", page.text);
    let before = world.entries(&world.hanako);
    let reported = registrar.fill(&world, &page, &format!("{address}/report"), &[]).await;
    assert_eq!(reported.location(), format!("{address}?done=reported"), "{}", reported.text);
    assert_eq!(world.entries(&world.hanako), before + 1);

    // The page of her session does nothing in his.
    counter_page(&world, &mut registrar, &his, "correction").await;
    let stale = registrar.fill(&world, &page, &format!("{address}/report"), &[]).await;
    assert_eq!(stale.status, StatusCode::CONFLICT, "{}", stale.text);
}

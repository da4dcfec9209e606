//! Linked records without JavaScript: she sees one, says that it is not hers, officers settle it, and everybody can read the figures.

use axum::http::StatusCode;
use kaname_person::link::check::{Check, Outcome, OutsideRow, check_rows};
use kaname_person::link::{Desk, index};
use kaname_person::show::{Asking, open_resident};
use kaname_person::{Particulars, PersonError};
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, PersonId};

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
    let done = registrar.fill(&world, &page, "/office/links/settle", &[("is", "wrong")]).await;
    assert_eq!(done.location(), "/office/links?done=settled", "{}", done.text);
    let again = registrar.fill(&world, &page, "/office/links/settle", &[("is", "wrong")]).await;
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
    let twice = registrar.fill(&world, &page, "/office/links/decide", &[("choice", "nobody")]).await;
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

//! What the audit found, without JavaScript: who it is about stands side by side, in words, and officers decide with a reason.

use axum::http::StatusCode;
use kaname_person::audit::{Draft, Kind, count, raise};
use kaname_person::link::Desk;
use kaname_trust::Actor;
use kaname_trust::PersonId;

use crate::world::{World, env};

fn raised(world: &World, kind: Kind, people: Vec<PersonId>, detail: &str) -> Desk {
    let desk = Desk::new(world.store.clone(), world.keys.clone(), world.app.pack.clone());
    let draft = Draft { kind, people, link: None, detail: detail.to_owned() };
    assert!(raise(&desk, &env(), &Actor::program("audit", "auditor"), &draft).unwrap());
    desk
}

#[tokio::test]
async fn two_entries_of_one_person_are_merged_from_the_finding() {
    let world = World::new();
    let both = vec![world.hanako.person, world.taro.person];
    let desk = raised(&world, Kind::SamePersonTwice, both, "");
    let mut registrar = world.signed_in(&world.registrar).await;
    let list = registrar.get(&world, "/office/links").await;
    assert_eq!(list.status, StatusCode::OK, "{}", list.text);
    assert!(!list.text.contains("要木") && !list.text.contains("骨山"), "the list opens nobody");

    let before = (world.entries(&world.hanako), world.entries(&world.taro));
    let page = registrar.fill(&world, &list, "/office/findings/open", &[]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(
        page.text.contains("要木") && page.text.contains("骨山"),
        "both stand side by side: {}",
        page.text
    );
    assert!(!page.text.contains(&world.hanako.person.to_string()), "the page's source names nobody");
    let after = (world.entries(&world.hanako), world.entries(&world.taro));
    assert_eq!(after, (before.0 + 1, before.1 + 1), "each finds it in her log");

    let counts =
        page.text.split("name=\"counts\" value=\"").nth(1).and_then(|text| text.split('"').next()).unwrap();
    let counts = counts.to_owned();
    let silent = registrar.fill(&world, &page, "/office/findings/merge", &[("counts", &counts)]).await;
    assert!(silent.status.is_client_error(), "{silent:?}");
    let fields = [("counts", counts.as_str()), ("why", "one family book"), ("evidence", "family book 7")];
    let done = registrar.fill(&world, &page, "/office/findings/merge", &fields).await;
    assert_eq!(done.location(), "/office/links?done=merge", "{}", done.text);
    assert_eq!(count(&desk).unwrap()["same-person-twice"], [0, 1, 0]);
    let mut second = world.signed_in(&world.second_registrar).await;
    let waits = second.get(&world, "/office/decisions").await;
    assert!(waits.text.contains("/office/decisions/pro_"), "another officer decides: {}", waits.text);
}

#[tokio::test]
async fn a_finding_is_told_in_words_and_settled_with_a_reason() {
    let world = World::new();
    let detail = format!("registration two-people-at-once {} day 20000", world.newcomer);
    let desk = raised(&world, Kind::CounterPattern, Vec::new(), &detail);
    raised(&world, Kind::ImpossibleRelation, vec![world.hanako.person], "too-many-spouses");
    let mut registrar = world.signed_in(&world.registrar).await;
    let list = registrar.get(&world, "/office/links?lang=en").await;
    for raw in ["two-people-at-once", "day 20000", "too-many-spouses", &world.newcomer.to_string()] {
        assert!(!list.text.contains(raw), "{raw}: {}", list.text);
    }
    assert!(
        list.text.contains("Two people within seconds") && list.text.contains("登録 新子"),
        "{}",
        list.text
    );
    assert!(list.text.contains("Married to more people"), "{}", list.text);

    let page = registrar.fill(&world, &list, "/office/findings/open", &[]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let silent =
        registrar.fill(&world, &page, "/office/findings/settle", &[("is", "none"), ("why", " ")]).await;
    assert!(silent.status.is_client_error(), "{silent:?}");
    let fields = [("is", "none"), ("why", "asked the office")];
    let done = registrar.fill(&world, &page, "/office/findings/settle", &fields).await;
    assert_eq!(done.location(), "/office/links?done=settled", "{}", done.text);
    let settled: u64 = count(&desk).unwrap().values().map(|[_, _, dismissed]| dismissed).sum();
    assert_eq!(settled, 1);
}

//! Sessions at the counter through the router: the case of Japan's wrong bank accounts, what the browser keeps, and what two requests at
//! one instant do.

use axum::http::StatusCode;
use kaname_web::http::routes::{Who, table};

use crate::routes::{begin, counter_of, counter_page, number_of};
use crate::world::{Answer, Browser, HANAKO_ACCOUNT, TARO_ACCOUNT, World, ten_minutes_later};

async fn numbers(world: &World) -> (String, String) {
    let (mut hanako, mut taro) =
        (world.signed_in(&world.hanako.passkey).await, world.signed_in(&world.taro.passkey).await);
    (number_of(world, &mut hanako).await, number_of(world, &mut taro).await)
}

async fn account(world: &World, officer: &mut Browser, form: &Answer, number: &str) -> Answer {
    let address = format!("/office/counter/{}/account", counter_of(form));
    officer.fill(world, form, &address, &[("bank", "9901"), ("number", number)]).await
}

fn shows(answer: &Answer, someone: &crate::world::Someone) -> bool {
    someone.secrets.iter().any(|secret| answer.text.contains(secret.as_str()))
}

#[tokio::test]
async fn an_officer_who_forgets_to_end_registers_no_account_for_the_wrong_person() {
    let mut world = World::new();
    let (hers, his) = numbers(&world).await;
    let mut officer = world.signed_in(&world.payer).await;
    let served = counter_page(&world, &mut officer, &hers, "payout").await;
    let form = officer.get(&world, &format!("/office/counter/{}/account", counter_of(&served))).await;
    assert!(form.text.contains("華子郎"), "the banner says who is served: {}", form.text);

    // She leaves; the officer does not end the session. The next person gives his account, and it is typed into the page that is open:
    // the bank names another holder.
    let wrong = account(&world, &mut officer, &form, TARO_ACCOUNT).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.text);
    assert!(wrong.text.contains("holder-"), "{}", wrong.text);

    // The officer looks him up, and then goes back to the old tab: the page is of a session that is over.
    let next = counter_page(&world, &mut officer, &his, "payout").await;
    let stale = account(&world, &mut officer, &form, TARO_ACCOUNT).await;
    assert_eq!(stale.status, StatusCode::CONFLICT, "{}", stale.text);
    assert!(stale.text.contains("counter-over") && stale.text.contains("太朗丸"), "{}", stale.text);
    assert!(!stale.text.contains("華子郎"), "{}", stale.text);
    assert_eq!(stale.header("clear-site-data"), "\"cache\", \"storage\"");

    // In his own session it is registered for him.
    let his_form = officer.get(&world, &format!("/office/counter/{}/account", counter_of(&next))).await;
    let right = account(&world, &mut officer, &his_form, TARO_ACCOUNT).await;
    assert_eq!(right.status, StatusCode::OK, "{}", right.text);

    // And when nobody was looked up, the session that nobody ended is over after a few minutes, whatever is typed.
    world.at(ten_minutes_later);
    let late = account(&world, &mut officer, &his_form, HANAKO_ACCOUNT).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.text);
    assert!(late.text.contains("counter-over") && !shows(&late, &world.taro), "{}", late.text);

    // Each saw that she was served, and until when; the wrong account is nobody's.
    let (mut hanako, mut taro) =
        (world.signed_in(&world.hanako.passkey).await, world.signed_in(&world.taro.passkey).await);
    let (hers, his) = (hanako.get(&world, "/my/access").await, taro.get(&world, "/my/access").await);
    for (log, words) in [
        (&hers, ["窓口での対応の開始", "職員が次の方の対応を開始"]),
        (&his, ["窓口での対応の開始", "窓口での対応が自動で終了"]),
    ] {
        assert!(words.iter().all(|word| log.text.contains(word)), "{}", log.text);
    }
}

#[tokio::test]
async fn nothing_of_a_resident_stays_in_the_browser() {
    let world = World::new();
    let (hers, _) = numbers(&world).await;
    let mut officer = world.signed_in(&world.registrar).await;
    let page = counter_page(&world, &mut officer, &hers, "registration").await;
    assert!(shows(&page, &world.hanako));
    let address = format!("/office/counter/{}", counter_of(&page));
    for more in ["", "/registered"] {
        let shown = officer.get(&world, &format!("{address}{more}")).await;
        assert_eq!((shown.status, shown.header("cache-control")), (StatusCode::OK, "no-store"));
    }
    let ended = officer.fill(&world, &page, &format!("{address}/end"), &[]).await;
    assert_eq!(ended.location(), "/office/counter/ended");
    assert_eq!(ended.header("clear-site-data"), "\"cache\", \"storage\"");
    let after = officer.get(&world, "/office/counter/ended").await;
    assert_eq!(after.status, StatusCode::OK);
    for path in ["/office", "/office/find", "/office/register", &address, &format!("{address}/registered")] {
        let page = officer.get(&world, path).await;
        assert!(!shows(&page, &world.hanako), "{path}: {}", page.text);
    }

    // A sign-out ends it too, and so does the next sign-in in this browser.
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let page = counter_page(&world, &mut officer, &hers, "registration").await;
        sessions.push(counter_of(&page));
        match sessions.len() {
            1 => drop(officer.fill(&world, &page, "/office/signout", &[]).await),
            _ => {
                let form = officer.get(&world, "/signin").await;
                let fields = crate::world::passkey_fields(&form, &world.registrar);
                officer.post(&world, "/signin/passkey", &fields).await;
                let over = officer.get(&world, &format!("/office/counter/{}", sessions[1])).await;
                assert_eq!(over.status, StatusCode::CONFLICT, "{}", over.text);
                return;
            }
        }
        officer = world.signed_in(&world.registrar).await;
        let over = officer.get(&world, &format!("/office/counter/{}", sessions[0])).await;
        assert_eq!(over.status, StatusCode::CONFLICT, "{}", over.text);
    }
}

#[tokio::test]
async fn a_purpose_that_the_role_does_not_read_for_begins_nothing() {
    let world = World::new();
    let (hers, _) = numbers(&world).await;
    let before = world.entries(&world.hanako);
    let (registrar, payer) = (world.signed_in(&world.registrar).await, world.signed_in(&world.payer).await);
    for (officer, purpose) in [
        (&registrar, "payout"),
        (&registrar, "audit"),
        (&registrar, "own-access"),
        (&payer, "registration"),
        (&payer, ""),
    ] {
        let refused = begin(&world, &mut officer.clone(), &hers, purpose).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{purpose}: {}", refused.text);
    }
    assert_eq!(world.entries(&world.hanako), before);
}

/// Two officers serve two people, each from two tabs, and both people look at their own pages: every answer is about the right one, and
/// every entry stands in the right log.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_requests_at_one_instant_never_mix_two_people() {
    const ROUNDS: usize = 400;
    let world = World::new();
    let (hers, his) = numbers(&world).await;
    let (mut first, mut second) =
        (world.signed_in(&world.registrar).await, world.signed_in(&world.second_registrar).await);
    let one = counter_page(&world, &mut first, &hers, "registration").await;
    let two = counter_page(&world, &mut second, &his, "registration").await;
    let before = (world.entries(&world.hanako), world.entries(&world.taro));
    let tabs = [
        (first.clone(), counter_of(&one), true),
        (first.clone(), counter_of(&one), true),
        (second.clone(), counter_of(&two), false),
        (second.clone(), counter_of(&two), false),
    ];
    let people = [
        (world.signed_in(&world.hanako.passkey).await, true),
        (world.signed_in(&world.taro.passkey).await, false),
    ];
    let mut work = Vec::new();
    let world = std::sync::Arc::new(world);
    for (mut browser, counter, is_hers) in tabs {
        let world = std::sync::Arc::clone(&world);
        work.push(tokio::spawn(async move {
            let mut right = 0;
            for _ in 0..ROUNDS {
                let page = browser.get(&world, &format!("/office/counter/{counter}")).await;
                assert_eq!(page.status, StatusCode::OK, "{}", page.text);
                assert_eq!((shows(&page, &world.hanako), shows(&page, &world.taro)), (is_hers, !is_hers));
                right += 1;
            }
            right
        }));
    }
    for (mut browser, is_hers) in people {
        let world = std::sync::Arc::clone(&world);
        work.push(tokio::spawn(async move {
            let mut right = 0;
            for _ in 0..ROUNDS {
                let page = browser.get(&world, "/my/data").await;
                assert_eq!((shows(&page, &world.hanako), shows(&page, &world.taro)), (is_hers, !is_hers));
                right += 1;
            }
            right
        }));
    }
    let mut right = 0;
    for work in work {
        right += work.await.unwrap();
    }
    assert_eq!(right, 6 * ROUNDS);
    let after = (world.entries(&world.hanako), world.entries(&world.taro));
    let each = 3 * ROUNDS as i64;
    assert_eq!((after.0 - before.0, after.1 - before.1), (each, each));
}

/// One officer, two tabs, two people who come in turns: whatever the order in which the requests arrive, an answer is about the person
/// whose page asked, or a refusal; and no record is opened that the answer does not show.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_officer_with_two_tabs_never_mixes_two_people() {
    const ROUNDS: usize = 300;
    let world = World::new();
    let (hers, his) = numbers(&world).await;
    let officer = world.signed_in(&world.registrar).await;
    let world = std::sync::Arc::new(world);
    let before = (world.entries(&world.hanako), world.entries(&world.taro));
    let mut work = Vec::new();
    for (number, is_hers) in [(hers, true), (his, false)] {
        let (world, mut browser) = (std::sync::Arc::clone(&world), officer.clone());
        work.push(tokio::spawn(async move {
            let (mut begun, mut opened, mut refused) = (0, 0, 0);
            for _ in 0..ROUNDS {
                let answer = begin(&world, &mut browser, &number, "registration").await;
                if answer.status == StatusCode::SERVICE_UNAVAILABLE {
                    continue; // the other tab began at the same instant, again and again
                }
                assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
                begun += 1;
                let page = browser.get(&world, answer.location()).await;
                match page.status {
                    StatusCode::OK => {
                        assert_eq!(
                            (shows(&page, &world.hanako), shows(&page, &world.taro)),
                            (is_hers, !is_hers)
                        );
                        opened += 1;
                    }
                    StatusCode::CONFLICT => {
                        // It may say who is served now: the other one.
                        assert!(page.text.contains("counter-over"), "{}", page.text);
                        let (hanako, taro) = (shows(&page, &world.hanako), shows(&page, &world.taro));
                        assert!(if is_hers { !hanako } else { !taro }, "{}", page.text);
                        refused += 1;
                    }
                    other => panic!("{other}: {}", page.text),
                }
            }
            (begun, opened, refused)
        }));
    }
    let mut told = Vec::new();
    for work in work {
        told.push(work.await.unwrap());
    }
    let refused: i64 = told.iter().map(|(_, _, refused)| refused).sum();
    assert!(refused > 20, "the tabs did not get into each other's way: {told:?}");
    // One entry begins, one ends, one opens; a session that could not be kept has begun all the same.
    for (someone, before, (begun, opened, _)) in
        [(&world.hanako, before.0, told[0]), (&world.taro, before.1, told[1])]
    {
        let entries = world.entries(someone) - before;
        assert!(entries >= 2 * begun + opened - 1, "{entries} entries, {begun} begun, {opened} opened");
        assert!(opened > 0, "{told:?}");
    }
}

#[test]
fn the_routes_of_the_counter_lie_where_the_guard_finds_the_session() {
    let at_counter: Vec<_> =
        table().into_iter().filter(|route| matches!(route.who, Who::AtCounter(_))).collect();
    assert!(at_counter.len() >= 6);
    for route in at_counter {
        assert!(route.path.starts_with("/office/counter/{counter}"), "{route}");
    }
}

/// Somebody at the counter looks like a resident: the officer compares them and decides, and each decision leaves its trace.
#[tokio::test]
async fn whoever_looks_like_a_resident_is_compared_before_she_is_registered() {
    let world = World::new();
    let (hers, _) = numbers(&world).await;
    let mut officer = world.signed_in(&world.registrar).await;
    let page = officer.get(&world, "/office/register").await;
    let twin = [
        ("family_name", "要木"),
        ("given_name", "華子郎"),
        ("family_reading", "カナメギ"),
        ("given_reading", "ハナコロウ"),
        ("birth_year", "1980"),
        ("birth_month", "4"),
        ("birth_day", "21"),
        ("sex", "F"),
        ("status", "citizen"),
        ("evidence", "passport"),
    ];
    let before = (world.entries(&world.hanako), world.entries(&world.taro));
    let asked = officer.fill(&world, &page, "/office/register", &twin).await;
    assert_eq!(asked.status, StatusCode::CONFLICT, "{}", asked.text);
    assert!(shows(&asked, &world.hanako) && !shows(&asked, &world.taro), "{}", asked.text);
    assert!(world.entries(&world.hanako) > before.0, "she sees that she was compared");
    assert_eq!(world.entries(&world.taro), before.1);

    // Without a decision, or without a reason for it, nothing is registered; nor with what another officer was shown.
    for decision in
        [&[][..], &[("decision", "same-9")], &[("decision", "other")], &[("decision", "other"), ("why", " ")]]
    {
        let again = officer.fill(&world, &asked, "/office/register", decision).await;
        assert_eq!(again.status, StatusCode::CONFLICT, "{decision:?}: {}", again.text);
        assert!(again.text.contains("class=\"summary\""), "{decision:?}: {}", again.text);
    }
    let mut second = world.signed_in(&world.second_registrar).await;
    let csrf = second.get(&world, "/office").await.form("/office/signout")[0].1.clone();
    let mut stolen = asked.form("/office/register");
    stolen.retain(|(name, _)| name != "csrf");
    for (name, value) in [("csrf", csrf.as_str()), ("decision", "other"), ("why", "I say so")] {
        stolen.push((name.to_owned(), value.to_owned()));
    }
    let refused = second.post(&world, "/office/register", &stolen).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);

    // It is she: the officer serves her, and nobody is entered.
    let same = officer.fill(&world, &asked, "/office/register", &[("decision", "same-1")]).await;
    assert!(same.location().starts_with("/office/counter/ctr_"), "{same:?}");
    let served = officer.get(&world, same.location()).await;
    assert!(shows(&served, &world.hanako), "{}", served.text);

    // It is somebody else, and the officer says why: she is entered, with a number of her own.
    let why = [("decision", "other"), ("why", "Two passports, two faces")];
    let other = officer.fill(&world, &asked, "/office/register", &why).await;
    assert!(other.location().ends_with("/registered"), "{}", other.text);
    let new = officer.get(&world, other.location()).await;
    assert_eq!(new.status, StatusCode::OK);
    assert!(!new.text.contains(&hers), "{}", new.text);
    // Sent once more, the same form enters nobody else, and asks nothing.
    let again = officer.fill(&world, &asked, "/office/register", &why).await;
    assert!(again.location().ends_with("/registered"), "{}", again.text);
}

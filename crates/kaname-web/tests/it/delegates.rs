//! One resident acts for another, as the two of them see it.

use axum::http::StatusCode;

use crate::routes::number_of;
use crate::world::{Answer, Browser, World};

/// The address of the first person for whom she may act.
fn address(page: &Answer) -> String {
    let at = page.text.find("href=\"/for/").unwrap_or_else(|| panic!("nobody to act for: {}", page.text));
    page.text[at + 6..].split('"').next().unwrap().to_owned()
}

async fn offer(world: &World, hanako: &mut Browser, holder: &str, scope: &str) -> Answer {
    let page = hanako.get(world, "/my/delegates").await;
    let fields = [("kind", "representative"), ("holder", holder), (scope, "yes"), ("days", "30")];
    hanako.fill(world, &page, "/my/delegates", &fields).await
}

#[tokio::test]
async fn a_representative_acts_for_the_person_whose_name_stands_above() {
    let world = World::new();
    let mut hanako = world.signed_in(&world.hanako.passkey).await;
    let mut taro = world.signed_in(&world.taro.passkey).await;
    let number = number_of(&world, &mut taro).await;

    // A wrong form comes back; a number of nobody is told from a good one by nothing.
    let page = hanako.get(&world, "/my/delegates").await;
    let own = number_of(&world, &mut hanako).await;
    for (holder, scope, days, wrong) in [
        ("12", "scope-see-data", "30", "#holder"),
        (own.as_str(), "scope-see-data", "30", "#holder"),
        (number.as_str(), "scope-everything", "30", "#scope"),
        (number.as_str(), "scope-see-data", "0", "#days"),
        (number.as_str(), "scope-see-data", "1097", "#days"),
    ] {
        let fields = [("kind", "representative"), ("holder", holder), (scope, "yes"), ("days", days)];
        let again = hanako.fill(&world, &page, "/my/delegates", &fields).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "{holder} {scope} {days}");
        assert!(again.text.contains(&format!("href=\"{wrong}\"")), "{holder}: {}", again.text);
    }
    let nobody = kaname_person::number::samples(&world.app.pack, &[1; 16], 1)[0];
    let told = offer(&world, &mut hanako, nobody.as_str(), "scope-see-data").await;
    let done = offer(&world, &mut hanako, &number, "scope-see-data").await;
    assert_eq!((done.status, done.location()), (told.status, told.location()));
    assert_eq!(done.location(), "/my/delegates?done=given", "{}", done.text);

    // He sees her name and accepts; until then she is not told his.
    let page = hanako.get(&world, "/my/delegates").await;
    assert!(!page.text.contains(&world.taro.secrets[0]), "{}", page.text);
    let page = taro.get(&world, "/my/delegates").await;
    assert!(page.text.contains(&world.hanako.secrets[0]), "{}", page.text);
    assert!(!page.text.contains("href=\"/for/"));
    let accepted = taro.fill(&world, &page, "/my/delegates/accept", &[]).await;
    assert_eq!(accepted.location(), "/my/delegates?done=accepted", "{}", accepted.text);
    let page = taro.get(&world, "/my/delegates").await;
    let base = address(&page);
    assert!(hanako.get(&world, "/my/delegates").await.text.contains(&world.taro.secrets[0]));

    // Her data under her name; one line in his log and one in hers, with his name.
    let before = (world.entries(&world.hanako), world.entries(&world.taro));
    let data = taro.get(&world, &format!("{base}/data")).await;
    assert_eq!(data.status, StatusCode::OK, "{}", data.text);
    assert!(data.text.contains(&world.hanako.secrets[3]) && data.text.contains("class=\"acting\""));
    assert_eq!((world.entries(&world.hanako), world.entries(&world.taro)), (before.0 + 1, before.1 + 1));
    let log = hanako.get(&world, "/my/access").await;
    assert!(log.text.contains(&world.taro.secrets[0]), "{}", log.text);

    // Records that are linked to her: he says for her that one is not hers, and both names stand by it.
    crate::links::link_hanako(&world);
    let links = taro.get(&world, &format!("{base}/links")).await;
    assert_eq!(links.status, StatusCode::OK, "{}", links.text);
    assert!(links.text.contains("7731") && links.text.contains("class=\"acting\""), "{}", links.text);
    let before = (world.entries(&world.hanako), world.entries(&world.taro));
    let done = taro.fill(&world, &links, &format!("{base}/links/report"), &[]).await;
    assert_eq!(done.location(), format!("{base}/links?done=reported"), "{}", done.text);
    assert_eq!((world.entries(&world.hanako), world.entries(&world.taro)), (before.0 + 1, before.1 + 1));
    let hers = hanako.get(&world, "/my/links").await;
    assert!(!hers.text.contains("/my/links/report"), "it is suspended: {}", hers.text);

    // Another tab of his shows his own data, and this one still hers.
    let own = taro.get(&world, "/my/data").await;
    assert!(own.text.contains(&world.taro.secrets[3]) && !own.text.contains("class=\"acting\""));
    assert!(!own.text.contains(&world.hanako.secrets[3]));
    assert!(taro.get(&world, &format!("{base}/data")).await.text.contains(&world.hanako.secrets[3]));

    // Not what is out of scope, by page or by form; not for anybody else.
    for path in ["access", "payments", "number/aliases"] {
        let refused = taro.get(&world, &format!("{base}/{path}")).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}: {}", refused.text);
    }
    let before = world.entries(&world.hanako);
    let page = taro.get(&world, "/my/number").await;
    let csrf = page.form("/my/number")[0].clone();
    for (path, more) in [("number", ""), ("number/lock", "lock"), ("number/aliases", "kind")] {
        let fields =
            [csrf.clone(), (more.to_owned(), "on".to_owned()), ("request".to_owned(), "A".repeat(22))];
        let refused = taro.post(&world, &format!("{base}/{path}"), &fields).await;
        assert!(refused.status.is_client_error(), "{path}: {refused:?}");
    }
    assert_eq!(world.entries(&world.hanako), before);
    for path in ["", "/data", "/number"] {
        let hers = hanako.get(&world, &format!("{base}{path}")).await;
        assert_eq!(hers.status, StatusCode::NOT_FOUND, "{path}: the mandate is not hers to use");
    }
    for path in ["/for/x", "/for/AAAAAAAAAAAAAAAAAAAAAA", "/for/AAAAAAAAAAAAAAAAAAAAAA/data"] {
        assert_eq!(taro.get(&world, path).await.status, StatusCode::NOT_FOUND, "{path}");
    }

    // She ends it, and the page that he has open opens nothing more.
    let page = hanako.get(&world, "/my/delegates").await;
    let ended = hanako.fill(&world, &page, "/my/delegates/end", &[]).await;
    assert_eq!(ended.location(), "/my/delegates?done=ended", "{}", ended.text);
    let over = taro.get(&world, &format!("{base}/data")).await;
    assert_eq!(over.status, StatusCode::CONFLICT, "{}", over.text);
    assert!(over.text.contains("mandate-over") && !over.text.contains(&world.hanako.secrets[3]));
}

#[tokio::test]
async fn an_offer_can_be_refused_and_money_seen_for_another() {
    let world = World::new();
    let mut hanako = world.signed_in(&world.hanako.passkey).await;
    let mut taro = world.signed_in(&world.taro.passkey).await;
    let number = number_of(&world, &mut taro).await;
    offer(&world, &mut hanako, &number, "scope-payments").await;
    let page = taro.get(&world, "/my/delegates").await;
    let refused = taro.fill(&world, &page, "/my/delegates/refuse", &[]).await;
    assert_eq!(refused.location(), "/my/delegates?done=ended", "{}", refused.text);
    let page = taro.get(&world, "/my/delegates").await;
    assert!(!page.text.contains("/my/delegates/accept"), "{}", page.text);

    offer(&world, &mut hanako, &number, "scope-payments").await;
    let page = taro.get(&world, "/my/delegates").await;
    taro.fill(&world, &page, "/my/delegates/accept", &[]).await;
    let base = address(&taro.get(&world, "/my/delegates").await);
    let start = taro.get(&world, &base).await;
    assert!(start.text.contains(&format!("href=\"{base}/payments\"")), "{}", start.text);
    assert!(!start.text.contains(&format!("href=\"{base}/data\"")), "only what is in scope is offered");
    let before = world.entries(&world.hanako);
    let payments = taro.get(&world, &format!("{base}/payments")).await;
    assert_eq!(payments.status, StatusCode::OK, "{}", payments.text);
    assert_eq!(world.entries(&world.hanako), before + 1);
    assert_eq!(taro.get(&world, &format!("{base}/data")).await.status, StatusCode::FORBIDDEN);
}

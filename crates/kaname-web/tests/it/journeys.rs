//! Whole journeys: a sign-in for a relying party, a letter, an officer's day; and what thieves try on the way.

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use kaname_signin::bench::verifier;
use kaname_signin::{Holder, letter};
use kaname_web::http::client::form;

use crate::routes::{counter_of, counter_page, number_of};
use crate::world::{Answer, Browser, ISSUER, NOW, World, env, passkey_fields};

/// What goes back to the party.
fn answer_of(location: &str, name: &str) -> Option<String> {
    let query = location.split_once('?')?.1;
    let value = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")))?;
    Some(value.replace("%3A", ":").replace("%2F", "/").replace("%20", " ").replace("%27", "'"))
}

fn encoded(pairs: &[(String, String)]) -> String {
    let pairs: Vec<(&str, &str)> =
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    form(&pairs)
}

async fn post(world: &World, path: &str, pairs: &[(String, String)]) -> Answer {
    let request = axum::http::Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(encoded(pairs)))
        .unwrap();
    world.send(request).await
}

/// Pushes a request; gives the address for the browser.
async fn pushed(world: &World, verifier: &str) -> String {
    let mut pairs = world.party.request(verifier);
    pairs.extend(world.party.proof(world.party.sign(&world.party.claims(ISSUER, NOW))));
    pairs.dedup_by(|one, other| one.0 == other.0);
    let mut seen = std::collections::BTreeSet::new();
    pairs.retain(|(name, _)| seen.insert(name.clone()));
    let answer = post(world, "/par", &pairs).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    let document: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    form(&[("client_id", "city-library"), ("request_uri", document["request_uri"].as_str().unwrap())])
}

async fn redeemed(world: &World, code: &str, verifier: &str) -> Answer {
    let mut pairs = world.party.redeeming(code, verifier);
    pairs.extend(world.party.proof(world.party.sign(&world.party.claims(ISSUER, NOW))));
    post(world, "/token", &pairs).await
}

async fn userinfo(world: &World, token: &str) -> Answer {
    let request = axum::http::Request::builder()
        .uri("/userinfo")
        .header(header::AUTHORIZATION, format!("Bearer {token}"));
    world.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_resident_signs_in_at_a_party_and_gives_what_she_agreed_to() {
    let world = World::new();
    let (mut browser, verifier) = (Browser::default(), verifier());
    let address = format!("/authorize?{}", pushed(&world, &verifier).await);
    let page = browser.get(&world, &address).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(
        page.header("content-security-policy").contains("form-action 'self' https://city-library.example;")
    );

    let consent =
        browser.post(&world, "/signin/passkey", &passkey_fields(&page, &world.hanako.passkey)).await;
    assert_eq!(consent.status, StatusCode::OK, "{}", consent.text);
    assert!(consent.text.contains("市立図書館") || consent.text.contains("City Library"));
    let back = browser.fill(&world, &consent, "/consent", &[("decision", "allow")]).await;
    assert_eq!(back.status, StatusCode::SEE_OTHER, "{}", back.text);
    assert!(back.location().starts_with("https://city-library.example/callback?"), "{}", back.location());
    assert_eq!(answer_of(back.location(), "iss").as_deref(), Some(ISSUER));
    let code = answer_of(back.location(), "code").unwrap();

    let before = world.entries(&world.hanako);
    let tokens = redeemed(&world, &code, &verifier).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.text);
    assert_eq!(tokens.header("cache-control"), "no-store");
    let tokens: serde_json::Value = serde_json::from_str(&tokens.text).unwrap();
    let token = tokens["access_token"].as_str().unwrap();
    let claims = userinfo(&world, token).await;
    assert_eq!(claims.status, StatusCode::OK, "{}", claims.text);
    assert!(claims.text.contains("要木") && !claims.text.contains("扇町"), "{}", claims.text);
    assert_eq!(world.entries(&world.hanako) - before, 2, "one entry for each purpose");

    // A code works once, and its second use takes back what the first gave.
    let again = redeemed(&world, &code, &verifier).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST, "{}", again.text);
    assert!(again.text.contains("invalid_grant"));
    let refused = userinfo(&world, token).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(refused.header("www-authenticate").contains("error=\"invalid_token\""));

    // A second sign-in asks nothing: she is signed in, and has agreed.
    let address = format!("/authorize?{}", pushed(&world, &verifier).await);
    let straight = browser.get(&world, &address).await;
    assert!(straight.location().starts_with("https://city-library.example/callback?code="), "{straight:?}");

    // So may a sign-in with the letter, which leads back from the page of the squares: browsers ask that page whether it may.
    let printed = letter::issue(
        &world.app.signin,
        &env(),
        &kaname_trust::Actor::program("test", "program"),
        Holder::Resident(world.hanako.person),
    )
    .unwrap();
    let mut other = Browser::default();
    let page = other.get(&world, &format!("/authorize?{}", pushed(&world, &verifier).await)).await;
    let squares = other.fill(&world, &page, "/signin/letter", &[("letter", &printed.number)]).await;
    assert!(squares.text.contains("/signin/code"), "{}", squares.text);
    let policy = squares.header("content-security-policy");
    assert!(policy.contains("form-action 'self' https://city-library.example;"), "{policy}");

    // Disconnected, the party has to ask again.
    let services = browser.get(&world, "/my/services").await;
    let ended = browser.fill(&world, &services, "/my/services/end", &[]).await;
    assert_eq!(ended.status, StatusCode::SEE_OTHER, "{}", ended.text);
    let address = format!("/authorize?{}", pushed(&world, &verifier).await);
    assert!(browser.get(&world, &address).await.text.contains("/consent"));
}

#[tokio::test]
async fn refusing_tells_the_party_nothing_but_that() {
    let world = World::new();
    let (mut browser, verifier) = (Browser::default(), verifier());
    let page = browser.get(&world, &format!("/authorize?{}", pushed(&world, &verifier).await)).await;
    let consent =
        browser.post(&world, "/signin/passkey", &passkey_fields(&page, &world.hanako.passkey)).await;
    let back = browser.fill(&world, &consent, "/consent", &[("decision", "refuse")]).await;
    assert_eq!(answer_of(back.location(), "error").as_deref(), Some("access_denied"), "{back:?}");
    assert_eq!(answer_of(back.location(), "code"), None);
}

#[tokio::test]
async fn nothing_of_a_sign_in_can_be_used_elsewhere() {
    let world = World::new();
    let (mut browser, verifier) = (Browser::default(), verifier());
    let address = format!("/authorize?{}", pushed(&world, &verifier).await);
    let page = browser.get(&world, &address).await;
    let fields = passkey_fields(&page, &world.hanako.passkey);

    // Another browser with the same address, or with the answer of this one.
    let mut thief = Browser::default();
    assert_eq!(thief.get(&world, &address).await.status, StatusCode::BAD_REQUEST);
    thief.get(&world, "/activate").await;
    assert_eq!(thief.post(&world, "/signin/passkey", &fields).await.status, StatusCode::FORBIDDEN);

    // Each field tampered with: refused, and the page comes again with another challenge.
    for name in
        ["credential_id", "client_data_json", "authenticator_data", "signature", "user_handle", "next"]
    {
        let page = browser.get(&world, &address).await;
        let mut fields = passkey_fields(&page, &world.hanako.passkey);
        let field = fields.iter_mut().find(|(known, _)| known == name).unwrap();
        let another = if &field.1[4..5] == "A" { "B" } else { "A" };
        field.1.replace_range(4..5, another);
        let answer = browser.post(&world, "/signin/passkey", &fields).await;
        assert!(answer.status.is_client_error(), "{name}: {answer:?}");
        assert!(browser.cookie("kaname_session").is_none(), "{name}");
    }

    // Taken once, an answer is used up.
    let page = browser.get(&world, &address).await;
    let fields = passkey_fields(&page, &world.hanako.passkey);
    let mut copy = browser.clone();
    assert_eq!(browser.post(&world, "/signin/passkey", &fields).await.status, StatusCode::OK);
    let replayed = copy.post(&world, "/signin/passkey", &fields).await;
    assert!(replayed.status.is_client_error(), "{replayed:?}");
    assert!(copy.cookie("kaname_session").is_none());
}

#[tokio::test]
async fn a_session_begins_anew_with_each_sign_in() {
    let world = World::new();
    let mut browser = Browser::default();
    browser.set_cookie("kaname_session", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let page = browser.get(&world, "/signin").await;
    browser.post(&world, "/signin/passkey", &passkey_fields(&page, &world.hanako.passkey)).await;
    let first = browser.cookie("kaname_session").unwrap().clone();
    assert!(!first.starts_with("AAAAAAAA"));
    let page = browser.get(&world, "/signin").await;
    browser.post(&world, "/signin/passkey", &passkey_fields(&page, &world.taro.passkey)).await;
    assert_ne!(browser.cookie("kaname_session"), Some(&first));
    let mut old = Browser::default();
    old.set_cookie("kaname_session", &first);
    assert_eq!(old.get(&world, "/home").await.status, StatusCode::SEE_OTHER, "the first session has ended");

    let home = browser.get(&world, "/home").await;
    let out = browser.fill(&world, &home, "/signout", &[]).await;
    assert_eq!(out.location(), "/signed-out");
    assert!(browser.cookie("kaname_session").is_none());
}

#[tokio::test]
async fn a_sign_in_leads_to_our_own_pages_only() {
    let world = World::new();
    for (then, led_to) in [
        ("/my/data", "/my/data"),
        ("//evil.example", "/home"),
        ("https://evil.example/", "/home"),
        ("/%5Cevil.example", "/home"),
        ("javascript:alert(1)", "/home"),
        ("/%0d%0aSet-Cookie:%20a=b", "/home"),
    ] {
        let mut browser = Browser::default();
        let page = browser.get(&world, &format!("/signin?then={then}")).await;
        let answer =
            browser.post(&world, "/signin/passkey", &passkey_fields(&page, &world.hanako.passkey)).await;
        assert_eq!(answer.location(), led_to, "{then}");
    }
    // A party's address must be one that it has registered, to the letter.
    for address in [
        "https://city-library.example/callback/",
        "https://evil.example/",
        "https://city-library.example.evil.example/callback",
    ] {
        let mut pairs = world.party.request(&verifier());
        pairs.iter_mut().find(|(name, _)| name == "redirect_uri").unwrap().1 = address.to_owned();
        let answer = Browser::default().get(&world, &format!("/authorize?{}", encoded(&pairs))).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{address}");
        assert_eq!(answer.location(), "");
    }
}

#[tokio::test]
async fn nobody_sees_another_persons_data() {
    let world = World::new();
    let mut hanako = world.signed_in(&world.hanako.passkey).await;
    let mut taro = world.signed_in(&world.taro.passkey).await;
    let number = number_of(&world, &mut taro).await;
    let signins = taro.get(&world, "/my/signins").await;
    let theirs = signins.form("/my/signins/end").into_iter().find(|(name, _)| name == "session").unwrap().1;
    let mut seen = 0;
    for path in [
        "/home",
        "/my/data",
        "/my/number",
        "/my/access",
        "/my/payments",
        "/my/signins",
        "/my/services",
        "/activate/done",
    ] {
        let page = hanako.get(&world, path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
        for secret in world.taro.secrets.iter().chain([&number, &theirs]) {
            assert!(!page.text.contains(secret.as_str()), "{path} shows {secret}");
        }
        seen += world.hanako.secrets.iter().filter(|secret| page.text.contains(secret.as_str())).count();
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
    }
    assert!(seen >= 6, "her own data is there: {seen}");

    // His session's reference in her form.
    let page = hanako.get(&world, "/my/signins").await;
    let answer = hanako.fill(&world, &page, "/my/signins/end", &[("session", &theirs)]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(taro.get(&world, "/home").await.status, StatusCode::OK);
    // His token in her form.
    let his = taro.get(&world, "/my/number").await.form("/my/number")[0].1.clone();
    let page = hanako.get(&world, "/my/number").await;
    let answer = hanako.fill(&world, &page, "/my/number", &[("csrf", &his)]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_letter_begins_an_account_and_its_grid_signs_in() {
    let world = World::new();
    let printed = letter::issue(
        &world.app.signin,
        &env(),
        &kaname_trust::Actor::program("test", "program"),
        Holder::Resident(world.hanako.person),
    )
    .unwrap();
    let mut browser = Browser::default();
    let page = browser.get(&world, "/activate").await;
    let wrong = browser
        .fill(&world, &page, "/activate", &[("letter", &printed.number), ("code", "AAAA-AAAA-AAAA")])
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.text);
    let done = browser
        .fill(&world, &page, "/activate", &[("letter", &printed.number), ("code", &printed.code)])
        .await;
    assert_eq!(done.location(), "/activate/passkey", "{}", done.text);
    let before = world.entries(&world.hanako);
    let offer = browser.get(&world, "/activate/passkey").await;
    assert_eq!(offer.status, StatusCode::OK, "{}", offer.text);
    assert_eq!(world.entries(&world.hanako) - before, 1);
    let declined = browser.fill(&world, &offer, "/activate/no-passkey", &[]).await;
    assert_eq!(declined.location(), "/activate/done");

    let mut other = Browser::default();
    let page = other.get(&world, "/signin").await;
    let squares = other.fill(&world, &page, "/signin/letter", &[("letter", &printed.number)]).await;
    assert_eq!(squares.status, StatusCode::OK, "{}", squares.text);
    let asked: Vec<String> = squares
        .text
        .match_indices("<label for=\"")
        .map(|(at, _)| squares.text[at..].split('>').nth(1).unwrap().split('<').next().unwrap().to_owned())
        .collect();
    let code = |label: &String| {
        let at = label.find(|c: char| c.is_ascii_uppercase()).unwrap();
        let square = &label.as_bytes()[at..at + 2];
        printed.grid[usize::from(square[1] - b'1')][usize::from(square[0] - b'A')].clone()
    };
    let (first, second) = (code(&asked[0]), code(&asked[1]));
    let wrong = other.fill(&world, &squares, "/signin/code", &[("first", "AAA"), ("second", &second)]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.text);
    let right = other.fill(&world, &squares, "/signin/code", &[("first", &first), ("second", &second)]).await;
    assert!(
        matches!(right.location(), "/home")
            || right.text.contains("429")
            || right.status == StatusCode::UNPROCESSABLE_ENTITY,
        "{right:?}"
    );
}

#[tokio::test]
async fn an_officer_registers_somebody_once_and_hears_what_is_wrong() {
    let world = World::new();
    let mut officer = world.signed_in(&world.registrar).await;
    let page = officer.get(&world, "/office/register").await;
    let good = [
        ("family_name", "新居"),
        ("given_name", "来子"),
        ("family_reading", "アライ"),
        ("given_reading", "キタコ"),
        ("birth_year", "2001"),
        ("birth_month", "2"),
        ("birth_day", "28"),
        ("sex", "F"),
        ("status", "citizen"),
        ("evidence", "passport"),
    ];
    for (field, value, at) in [
        ("birth_day", "30", "birth_year"),
        ("family_name", "=1+1", "family_name"),
        ("family_reading", "arai", "family_reading"),
        ("sex", "X", "sex"),
        ("evidence", "", "evidence"),
        ("phone", "call me", "phone"),
    ] {
        let mut fields = good.to_vec();
        fields.retain(|(name, _)| *name != field);
        fields.push((field, value));
        let answer = officer.fill(&world, &page, "/office/register", &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}: {}", answer.text);
        assert!(answer.text.contains(&format!("href=\"#{at}\"")), "{field}: {}", answer.text);
    }
    let done = officer.fill(&world, &page, "/office/register", &good).await;
    assert!(done.location().ends_with("/registered"), "{done:?}");
    let first = officer.get(&world, done.location()).await;
    let again = officer.fill(&world, &page, "/office/register", &good).await;
    let second = officer.get(&world, again.location()).await;
    let number = |page: &Answer| {
        page.text
            .split("class=\"figure\"")
            .nth(1)
            .unwrap()
            .split("dir=\"ltr\">")
            .nth(1)
            .unwrap()
            .split('<')
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(number(&first), number(&second), "the same form registers once");
    assert_ne!(counter_of(&first), counter_of(&second), "and begins to serve her again");
    let opened = counter_page(&world, &mut officer, &number(&first), "help-desk").await;
    assert!(opened.text.contains("来子"), "{}", opened.text);
    let nobody = counter_page(&world, &mut officer, "no such reference", "help-desk").await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);

    // Another terminal's session opens nothing here, not even the same officer's.
    let address = format!("/office/counter/{}", counter_of(&opened));
    let mut second = world.signed_in(&world.registrar).await;
    let refused = second.get(&world, &address).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    assert!(!refused.text.contains("来子"), "{}", refused.text);
    assert_eq!(officer.get(&world, &address).await.status, StatusCode::OK);
}

#[tokio::test]
async fn two_officers_start_a_payout() {
    let world = World::new();
    let (mut first, mut second) =
        (world.signed_in(&world.payer).await, world.signed_in(&world.second_payer).await);
    let programme = world.app.pack.programmes[0].code.clone();
    let page = first.get(&world, "/office/payouts/new").await;
    let wrong = first.fill(&world, &page, "/office/payouts", &[("programme", "x")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.text);
    let planned = first.fill(&world, &page, "/office/payouts", &[("programme", &programme)]).await;
    assert!(planned.location().starts_with("/office/payouts/run_"), "{planned:?}");
    let address = planned.location().to_owned();
    let again = first.fill(&world, &page, "/office/payouts", &[("programme", &programme)]).await;
    assert_eq!(again.location(), address, "planned once");

    let mut own = first.get(&world, &address).await;
    for _ in 0..1_000 {
        if !own.text.contains("data-live") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        own = first.get(&world, &address).await;
    }
    assert!(!own.text.contains("/start\""), "whoever planned cannot start: {}", own.text);
    let page = second.get(&world, &address).await;
    let start = format!("{address}/start");
    let others = second.fill(&world, &page, &start, &[("people", "1")]).await;
    assert_eq!(others.status, StatusCode::CONFLICT, "other figures: {}", others.text);
    let fields: Vec<(String, String)> = page.form(&start);
    let csrf = own.form("/office/signout")[0].1.clone();
    let stolen: Vec<_> =
        fields.into_iter().map(|(n, v)| if n == "csrf" { (n, csrf.clone()) } else { (n, v) }).collect();
    let same = first.post(&world, &start, &stolen).await;
    assert_eq!(same.status, StatusCode::FORBIDDEN, "the planner: {}", same.text);
    assert!(same.text.contains("same-officer"));

    let empty = second.fill(&world, &page, &start, &[]).await;
    assert!(empty.status.is_client_error(), "an empty treasury: {}", empty.text);
    let (currency, amount) = (world.app.pack.currency, kaname_base::Amount::from_minor(1_000_000).unwrap());
    let id = env().id(world.store.buckets().home());
    let voted = world.store.write(world.store.buckets().home(), move |tx| {
        let by = kaname_trust::Actor::officer("off", "payments");
        kaname_pay::payout::appropriate(&env(), tx, &by, id, currency, amount)
    });
    voted.unwrap();
    let started = second.fill(&world, &page, &start, &[]).await;
    assert_eq!(started.location(), address, "{}", started.text);
    let mut done = second.get(&world, &address).await;
    for _ in 0..1_000 {
        if !done.text.contains("data-live") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        done = second.get(&world, &address).await;
    }
    let before = world.entries(&world.hanako);
    let payments = world.signed_in(&world.hanako.passkey).await.get(&world, "/my/payments").await;
    assert!(payments.text.contains(world.app.pack.voucher.text.get("ja")), "{}", payments.text);
    assert_eq!(world.entries(&world.hanako) - before, 1);
    let stop = format!("{address}/stop");
    let csrf =
        [("csrf".to_owned(), second.get(&world, "/office").await.form("/office/signout")[0].1.clone())];
    let over = second.post(&world, &stop, &csrf).await;
    assert_eq!(over.status, StatusCode::CONFLICT, "a finished run does not stop: {}", over.text);
    let request = second.request(Method::GET, &address).header(header::ACCEPT, "application/json");
    let mut request = request.body(Body::empty()).unwrap();
    request.headers_mut().insert(header::ACCEPT, "application/json".parse().unwrap());
    let figures = world.send(request).await;
    let figures: serde_json::Value = serde_json::from_str(&figures.text).unwrap();
    assert_eq!((figures["people"].as_u64(), figures["books_balance"].as_bool()), (Some(2), Some(true)));
    assert_eq!(figures["state"], "finished", "{figures}");
    cash_at_the_counter(&world, &mut first, &mut second).await;
}

/// She has no account: one officer prints her voucher at the counter, and another one pays it out, once, and to nobody else.
async fn cash_at_the_counter(world: &World, first: &mut Browser, second: &mut Browser) {
    let (mut hanako, mut taro) =
        (world.signed_in(&world.hanako.passkey).await, world.signed_in(&world.taro.passkey).await);
    let (hers, his) = (number_of(world, &mut hanako).await, number_of(world, &mut taro).await);
    let serve = async |officer: &mut Browser, number: &str| {
        let page = counter_page(world, officer, number, "payout").await;
        format!("/office/counter/{}", counter_of(&page))
    };
    let at = serve(first, &hers).await;
    let print = format!("{at}/voucher");
    let list = first.get(world, &print).await;
    let mut fields = list.form(&print);
    let mut seen = std::collections::BTreeSet::new();
    fields.retain(|(name, _)| name != "anew" && seen.insert(name.clone()));
    let before = world.entries(&world.hanako);
    let paper = first.post(world, &print, &fields).await;
    assert!(paper.text.contains("華子郎"), "{}", paper.text);
    assert_eq!(world.entries(&world.hanako), before + 1);
    let codes = paper.text.split("class=\"figure\"><bdi dir=\"ltr\">");
    let code = codes.last().unwrap().split('<').next().unwrap().to_owned();

    let pay = async |officer: &mut Browser, at: &str, code: &str| {
        let cash = format!("{at}/cash");
        let form = officer.get(world, &cash).await;
        officer.fill(world, &form, &cash, &[("code", code)]).await
    };
    let own = pay(first, &at, &code).await;
    assert_eq!(own.status, StatusCode::UNPROCESSABLE_ENTITY, "who printed it: {}", own.text);
    let strangers = serve(second, &his).await;
    for (at, code) in [(&strangers, code.as_str()), (&strangers, "x")] {
        let wrong = pay(second, at, code).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{code}: {}", wrong.text);
        assert!(wrong.text.contains("href=\"#code\""), "{}", wrong.text);
    }
    let at = serve(second, &hers).await;
    let paid = pay(second, &at, &code).await;
    assert_eq!(paid.status, StatusCode::OK, "{}", paid.text);
    let twice = pay(second, &at, &code).await;
    assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", twice.text);
    let payments = hanako.get(world, "/my/payments").await;
    assert!(payments.text.contains("現金で受け取りました"), "{}", payments.text);
}

#[tokio::test]
async fn only_the_countrys_languages_are_offered_and_the_choice_is_kept() {
    let world = World::new();
    let mut browser = Browser::default();
    let page = browser.get(&world, "/").await;
    assert!(page.text.contains("lang=ja") && page.text.contains("lang=en") && !page.text.contains("lang=ar"));
    assert!(page.text.contains("<html lang=\"ja\""));
    let page = browser.get(&world, "/?lang=en").await;
    assert!(page.text.contains("<html lang=\"en\""));
    assert!(browser.get(&world, "/activate").await.text.contains("<html lang=\"en\""));
    let page = browser.get(&world, "/?lang=ar").await;
    assert!(page.text.contains("<html lang=\"en\""), "not a language of the country");
}

#[tokio::test]
async fn an_officer_who_signs_in_after_another_leaves_no_session_behind() {
    let world = World::new();
    let mut browser = world.signed_in(&world.payer).await;
    let mut copy = browser.clone();
    assert_eq!(copy.get(&world, "/office").await.status, StatusCode::OK);
    let page = browser.get(&world, "/signin").await;
    let answer = browser.post(&world, "/signin/passkey", &passkey_fields(&page, &world.registrar)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    assert_eq!(browser.get(&world, "/office").await.status, StatusCode::OK);
    assert_eq!(copy.get(&world, "/office").await.status, StatusCode::SEE_OTHER);
}

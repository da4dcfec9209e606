//! What an officer does about the register, from the counter and from the list of what two decide.

use axum::http::StatusCode;
use kaname_person::number::resolve::{Resolve, resolve};
use kaname_trust::{Actor, ActorKind};

use crate::routes::{counter_of, counter_page, number_of};
use crate::world::{Answer, Browser, World, env};

const GROUNDS: [(&str, &str); 2] = [("why", "届出"), ("evidence", "届書 7")];

async fn serving(world: &World, officer: &mut Browser, number: &str) -> String {
    let page = counter_page(world, officer, number, "registration").await;
    format!("/office/counter/{}", counter_of(&page))
}

async fn send(
    world: &World,
    officer: &mut Browser,
    form: &str,
    action: &str,
    fields: &[(&str, &str)],
) -> Answer {
    let page = officer.get(world, form).await;
    assert_eq!(page.status, StatusCode::OK, "{form}: {}", page.text);
    officer.fill(world, &page, action, &[&GROUNDS[..], fields].concat()).await
}

/// The address of what waits, as the list of decisions has it.
fn waiting(page: &Answer) -> String {
    let after =
        page.text.split("href=\"/office/decisions/").nth(1).unwrap_or_else(|| panic!("{}", page.text));
    format!("/office/decisions/{}", after.split('"').next().unwrap())
}

async fn both_numbers(world: &World) -> (String, String) {
    let (mut hanako, mut taro) =
        (world.signed_in(&world.hanako.passkey).await, world.signed_in(&world.taro.passkey).await);
    (number_of(world, &mut hanako).await, number_of(world, &mut taro).await)
}

const ON: [(&str, &str); 3] = [("on_year", "2026"), ("on_month", "5"), ("on_day", "31")];

#[tokio::test]
async fn a_move_is_recorded_once_seen_by_her_and_struck_out() {
    let world = World::new();
    let (hers, _) = both_numbers(&world).await;
    let mut officer = world.signed_in(&world.registrar).await;
    let at = serving(&world, &mut officer, &hers).await;
    let kinds = officer.get(&world, &format!("{at}/event")).await;
    assert!(kinds.text.contains("event?kind=death"), "{}", kinds.text);

    let (form, action) = (format!("{at}/event?kind=move"), format!("{at}/event"));
    let new_home = [("postcode", "600-0001"), ("city", "京都市"), ("address", "軸町二丁目8番")];
    for (fields, wrong) in [
        (&[("why", "")][..], "#why"),
        (&[("evidence", " ")], "#evidence"),
        (&[("on_month", "13")], "#on_year"),
        (&[("on_year", "2099")], "#on_year"),
        (&[("city", "")], "#city"),
        (&[("city", "=1+1")], "#city"),
    ] {
        let before = officer.get(&world, &format!("{at}/history")).await;
        let fields: Vec<_> = [&ON[..], &new_home, fields].concat();
        let again = send(&world, &mut officer, &form, &action, &fields).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}: {}", again.text);
        assert!(again.text.contains(&format!("href=\"{wrong}\"")), "{fields:?}: {}", again.text);
        assert!(again.text.contains("京都市") || wrong == "#city", "what was typed is kept");
        let after = officer.get(&world, &format!("{at}/history")).await;
        assert_eq!(before.text.matches("id=\"entry-").count(), after.text.matches("id=\"entry-").count());
    }
    let before = world.entries(&world.hanako);
    let page = officer.get(&world, &form).await;
    for times in 1..=2 {
        let fields = [&GROUNDS[..], &ON, &new_home].concat();
        let done = officer.fill(&world, &page, &action, &fields).await;
        assert_eq!(done.location(), format!("{at}/history?done=recorded"), "{}", done.text);
        assert_eq!(world.entries(&world.hanako), before + 2 * times, "her record and her book are opened");
    }
    let history = officer.get(&world, &format!("{at}/history?done=recorded")).await;
    assert_eq!(history.text.matches("京都市").count(), 1, "sent twice, recorded once: {}", history.text);

    // The day before, nothing was known of her; nor long ago, of that day.
    let as_of = format!("{at}/as-of");
    let day = |day: &'static str| [("day_year", "2026"), ("day_month", "5"), ("day_day", day)];
    let before = send(&world, &mut officer, &as_of, &as_of, &day("30")).await;
    assert!(before.text.contains("何も記録されていません"), "{}", before.text);
    let since = send(&world, &mut officer, &as_of, &as_of, &day("31")).await;
    assert!(since.text.contains("京都市"), "{}", since.text);
    let wrong = send(&world, &mut officer, &as_of, &as_of, &day("32")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let known = [("known_year", "2026"), ("known_month", "1"), ("known_day", "1")];
    let unknown = send(&world, &mut officer, &as_of, &as_of, &[&day("31")[..], &known].concat()).await;
    assert!(unknown.text.contains("何も記録されていません"), "{}", unknown.text);

    // She reads the same in her own pages, with what it rests on.
    let mut hanako = world.signed_in(&world.hanako.passkey).await;
    let own = hanako.get(&world, "/my/history").await;
    assert!(own.text.contains("京都市") && own.text.contains("届書 7"), "{}", own.text);

    let annul = format!("{at}/event?kind=annulment&annuls=2");
    assert!(history.text.contains("event?kind=annulment&#38;annuls=2"), "{}", history.text);
    let done = send(&world, &mut officer, &annul, &action, &ON).await;
    assert_eq!(done.location(), format!("{at}/history?done=annulled"), "{}", done.text);
    let record = officer.get(&world, &at).await;
    assert!(record.text.contains("扇町四丁目7番") && !record.text.contains("京都市"), "{}", record.text);
    let twice = send(&world, &mut officer, &annul, &action, &ON).await;
    assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", twice.text);
}

#[tokio::test]
async fn a_death_that_was_a_mistake_is_struck_out_at_the_counter() {
    let world = World::new();
    let (hers, _) = both_numbers(&world).await;
    let mut officer = world.signed_in(&world.registrar).await;
    let at = serving(&world, &mut officer, &hers).await;
    let action = format!("{at}/event");
    let done = send(&world, &mut officer, &format!("{at}/event?kind=death"), &action, &ON).await;
    assert_eq!(done.location(), format!("{at}/history?done=recorded"), "{}", done.text);
    officer.get(&world, "/office/counter/ended").await;

    // Somebody else comes, and she again: who records events serves a closed entry too, the payments desk does not.
    let mut payer = world.signed_in(&world.payer).await;
    let closed = counter_page(&world, &mut payer, &hers, "payout").await;
    assert_eq!(closed.status, StatusCode::NOT_FOUND, "{}", closed.text);
    let at = serving(&world, &mut officer, &hers).await;
    let annul = format!("{at}/event?kind=annulment&annuls=2");
    let done = send(&world, &mut officer, &annul, &format!("{at}/event"), &ON).await;
    assert_eq!(done.location(), format!("{at}/history?done=annulled"), "{}", done.text);
    let open = counter_page(&world, &mut payer, &hers, "payout").await;
    assert_eq!(open.status, StatusCode::OK, "{}", open.text);
}

#[tokio::test]
async fn a_relation_names_the_other_who_sees_the_look() {
    let world = World::new();
    let (hers, his) = both_numbers(&world).await;
    let mut officer = world.signed_in(&world.registrar).await;
    let at = serving(&world, &mut officer, &hers).await;
    let (form, action) = (format!("{at}/event?kind=marriage"), format!("{at}/event"));
    for other in [hers.as_str(), "", "no-such-person"] {
        let fields = [&ON[..], &[("other", other)]].concat();
        let again = send(&world, &mut officer, &form, &action, &fields).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "{other}: {}", again.text);
        assert!(again.text.contains("href=\"#other\""), "{other}: {}", again.text);
    }
    let fields = [&ON[..], &[("other", his.as_str())]].concat();
    let done = send(&world, &mut officer, &form, &action, &fields).await;
    assert_eq!(done.location(), format!("{at}/history?done=recorded"), "{}", done.text);
    let before = (world.entries(&world.hanako), world.entries(&world.taro));
    let relations = officer.get(&world, &format!("{at}/relations")).await;
    assert!(relations.text.contains("太朗丸"), "{}", relations.text);
    assert_eq!((world.entries(&world.hanako), world.entries(&world.taro)), (before.0 + 1, before.1 + 1));

    // She reads with whom, in what happened and in her record; he finds that his name was read.
    let mut hanako = world.signed_in(&world.hanako.passkey).await;
    let before = world.entries(&world.taro);
    for page in ["/my/history", "/my/data"] {
        let own = hanako.get(&world, page).await;
        assert!(own.status == StatusCode::OK && own.text.contains("太朗丸"), "{page}: {}", own.text);
    }
    assert!(world.entries(&world.taro) >= before + 2, "each look stands in his log");
}

fn leads(world: &World, text: &str) -> bool {
    let actor = Actor::new(ActorKind::Party, "clinic", "relying-party");
    let ask = Resolve { text, actor: &actor, use_id: kaname_trust::keys::random() };
    resolve(&world.store, &world.keys, &world.app.pack, &env(), &ask).unwrap() == Some(world.hanako.person)
}

#[tokio::test]
async fn her_number_is_locked_replaced_by_two_and_stands_behind_an_alias() {
    let world = World::new();
    let (hers, _) = both_numbers(&world).await;
    let mut officer = world.signed_in(&world.registrar).await;
    let at = serving(&world, &mut officer, &hers).await;
    let lock = format!("{at}/number/lock");
    for (locked, word) in [(true, "locked"), (false, "unlocked")] {
        let done = send(&world, &mut officer, &lock, &lock, &[]).await;
        assert_eq!(done.location(), format!("{at}/number?done={word}"), "{}", done.text);
        assert_eq!(leads(&world, &hers), !locked);
    }
    let aliases = format!("{at}/number/aliases");
    let wrong = send(&world, &mut officer, &aliases, &aliases, &[("kind", "temporary"), ("days", "0")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.text);
    let made = send(&world, &mut officer, &aliases, &aliases, &[("kind", "permanent")]).await;
    assert_eq!(made.location(), format!("{at}/number?done=made"), "{}", made.text);
    let page = officer.get(&world, &format!("{at}/number")).await;
    let ended = officer.fill(&world, &page, &format!("{at}/number/aliases/end"), &[("alias", "1")]).await;
    assert_eq!(ended.location(), format!("{at}/number?done=ended"), "{}", ended.text);

    // One officer proposes another number, and nothing changes; another one approves, and the old one leads nobody to her.
    let replace = format!("{at}/number/replace");
    let proposed = send(&world, &mut officer, &replace, &replace, &[]).await;
    assert_eq!(proposed.location(), format!("{at}/number?done=proposed"), "{}", proposed.text);
    assert!(leads(&world, &hers));
    let own = officer.get(&world, "/office/decisions").await;
    let mine = officer.get(&world, &waiting(&own)).await;
    assert!(!mine.text.contains("value=\"approve\""), "{}", mine.text);
    let csrf = mine.form("/office/signout")[0].1.clone();
    let forced =
        [("csrf", csrf.as_str()), ("decision", "approve")].map(|(n, v)| (n.to_owned(), v.to_owned()));
    let alone = officer.post(&world, &waiting(&own), &forced).await;
    assert_eq!(alone.status, StatusCode::CONFLICT, "{}", alone.text);
    assert!(leads(&world, &hers));

    let mut second = world.signed_in(&world.second_registrar).await;
    let before = world.entries(&world.hanako);
    let list = second.get(&world, "/office/decisions").await;
    assert_eq!(world.entries(&world.hanako), before, "the list opens nobody");
    let address = waiting(&list);
    let one = second.get(&world, &address).await;
    assert!(one.text.contains("華子郎") && one.text.contains("届書 7"), "{}", one.text);
    assert_eq!(world.entries(&world.hanako), before + 1);
    let done = second.fill(&world, &one, &address, &[("decision", "approve")]).await;
    assert_eq!(done.location(), "/office/decisions?done=approved", "{}", done.text);
    assert!(!leads(&world, &hers));
    let gone = second.fill(&world, &one, &address, &[("decision", "approve")]).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND, "{}", gone.text);
    let mut hanako = world.signed_in(&world.hanako.passkey).await;
    assert_ne!(number_of(&world, &mut hanako).await, hers);
}

#[tokio::test]
async fn a_guardian_takes_two_officers_and_is_ended_by_one() {
    let world = World::new();
    let (hers, his) = both_numbers(&world).await;
    let mut officer = world.signed_in(&world.registrar).await;
    let at = serving(&world, &mut officer, &hers).await;
    let (form, action) = (format!("{at}/mandates/new"), format!("{at}/mandates"));
    let good = [("kind", "guardian"), ("holder", his.as_str()), ("scope-see-data", "yes"), ("days", "")];
    for (fields, wrong) in [
        (&[("kind", "counter")][..], "#kind"),
        (&[("holder", "x")], "#holder"),
        (&[("holder", hers.as_str())], "#scope"),
        (&[("scope-see-data", "")], "#scope"),
        (&[("days", "9999")], "#scope"),
        (&[("evidence", "")], "#evidence"),
    ] {
        let again = send(&world, &mut officer, &form, &action, &[&good[..], fields].concat()).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}: {}", again.text);
        assert!(again.text.contains(&format!("href=\"{wrong}\"")), "{fields:?}: {}", again.text);
    }
    let proposed = send(&world, &mut officer, &form, &action, &good).await;
    assert_eq!(proposed.location(), format!("{at}/mandates?done=proposed"), "{}", proposed.text);
    let mut taro = world.signed_in(&world.taro.passkey).await;
    let held = taro.get(&world, "/my/delegates").await;
    assert!(!held.text.contains("href=\"/for/"), "it does not hold yet: {}", held.text);

    let mut second = world.signed_in(&world.second_registrar).await;
    let address = waiting(&second.get(&world, "/office/decisions").await);
    // The name of one officer's page leads no other officer anywhere.
    assert_eq!(officer.get(&world, &address).await.status, StatusCode::NOT_FOUND);
    let one = second.get(&world, &address).await;
    assert!(one.text.contains("華子郎") && one.text.contains("太朗丸"), "{}", one.text);
    let done = second.fill(&world, &one, &address, &[("decision", "approve")]).await;
    assert_eq!(done.location(), "/office/decisions?done=approved", "{}", done.text);
    let held = taro.get(&world, "/my/delegates").await;
    let mandate = held.text.split("href=\"/for/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let events = taro.get(&world, &format!("/for/{mandate}/history")).await;
    assert!(events.status == StatusCode::OK && events.text.contains("旅券"), "{}", events.text);

    let list = officer.get(&world, &action).await;
    let ended = officer.fill(&world, &list, &format!("{at}/mandates/end"), &[]).await;
    assert_eq!(ended.location(), format!("{at}/mandates?done=ended"), "{}", ended.text);
    let over = taro.get(&world, &format!("/for/{mandate}/history")).await;
    assert_eq!(over.status, StatusCode::CONFLICT, "{}", over.text);
}

#[tokio::test]
async fn two_entries_are_merged_by_two_officers() {
    let world = World::new();
    let (hers, his) = both_numbers(&world).await;
    let mut officer = world.signed_in(&world.registrar).await;
    let at = serving(&world, &mut officer, &hers).await;
    let proposal = format!("{at}/proposal");
    for (fields, wrong) in [
        (&[("act", "")][..], "#act"),
        (&[("act", "merge"), ("other", "")], "#other"),
        (&[("act", "merge"), ("other", hers.as_str())], "#other"),
        (&[("act", "move-event"), ("other", his.as_str()), ("event", "x")], "#event"),
    ] {
        let again = send(&world, &mut officer, &proposal, &proposal, fields).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}: {}", again.text);
        assert!(again.text.contains(&format!("href=\"{wrong}\"")), "{fields:?}: {}", again.text);
    }
    let merge = [("act", "merge"), ("other", his.as_str())];
    for decision in ["refuse", "approve"] {
        let proposed = send(&world, &mut officer, &proposal, &proposal, &merge).await;
        assert_eq!(proposed.location(), format!("{at}?done=proposed"), "{}", proposed.text);
        let mut second = world.signed_in(&world.second_registrar).await;
        let address = waiting(&second.get(&world, "/office/decisions").await);
        let one = second.get(&world, &address).await;
        assert!(one.text.contains("華子郎") && one.text.contains("太朗丸"), "{}", one.text);
        let done = second.fill(&world, &one, &address, &[("decision", decision)]).await;
        assert!(done.location().starts_with("/office/decisions?done="), "{}", done.text);
        assert_eq!(leads(&world, &hers), decision == "refuse", "{decision}");
    }
    // Her number leads the registrar to the entry that counts.
    let page = counter_page(&world, &mut officer, &hers, "registration").await;
    assert!(page.text.contains("太朗丸"), "{}", page.text);
}

/// Somebody without a phone reads at the counter what others read at home; it stands in her log under a mandate for the day.
#[tokio::test]
async fn an_officer_stands_in_for_somebody_without_a_phone() {
    let world = World::new();
    let (hers, _) = both_numbers(&world).await;
    let mut officer = world.signed_in(&world.registrar).await;
    let at = serving(&world, &mut officer, &hers).await;
    let behalf = format!("{at}/behalf");
    for (fields, wrong) in
        [(&[("what", "")][..], "#what"), (&[("what", "see-log"), ("evidence", "")], "#evidence")]
    {
        let again = send(&world, &mut officer, &behalf, &behalf, fields).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}: {}", again.text);
        assert!(again.text.contains(&format!("href=\"{wrong}\"")), "{fields:?}: {}", again.text);
    }
    let before = world.entries(&world.hanako);
    let shown = send(&world, &mut officer, &behalf, &behalf, &[("what", "see-log")]).await;
    assert!(shown.status == StatusCode::OK && shown.text.contains("窓口での対応の開始"), "{}", shown.text);
    assert_eq!(world.entries(&world.hanako), before + 2);
    let payments = send(&world, &mut officer, &behalf, &behalf, &[("what", "payments")]).await;
    assert_eq!(payments.status, StatusCode::OK, "{}", payments.text);
    let mut hanako = world.signed_in(&world.hanako.passkey).await;
    let log = hanako.get(&world, "/my/access").await;
    assert!(log.text.contains("登録 係子"), "she reads who stood in: {}", log.text);
}

/// A file that is no photo is refused at its field; a photo is sealed, seen by her and the officer with a line each, and by nobody else.
#[tokio::test]
async fn a_photo_is_kept_at_the_counter() {
    let world = World::new();
    let (hers, _) = both_numbers(&world).await;
    let mut officer = world.signed_in(&world.registrar).await;
    let at = serving(&world, &mut officer, &hers).await;
    let page = officer.get(&world, &format!("{at}/photo")).await;
    assert!(page.status == StatusCode::OK && !page.text.contains("photo/picture"), "{}", page.text);
    // The shortest JPEG that says how large it is: start, one frame of 120 by 160 dots, end.
    let frame = [0xFF, 0xC0, 0, 11, 8, 0, 160, 0, 120, 1, 1, 0x11, 0];
    let jpeg = [&[0xFF, 0xD8][..], &frame, &[0xFF, 0xD9]].concat();
    let mut taro = world.signed_in(&world.taro.passkey).await;
    let large = [&jpeg[..2], &[0; 256 * 1024], &jpeg[2..]].concat();
    let bad = StatusCode::UNPROCESSABLE_ENTITY;
    let files = [(&b"GIF89a"[..], bad), (&[], bad), (&large, bad), (&jpeg, StatusCode::SEE_OTHER)];
    for (file, status) in files {
        let mut body = Vec::new();
        let fields = page.form(&format!("{at}/photo"));
        let grounds = GROUNDS.map(|(name, value)| (name.to_owned(), value.to_owned()));
        for (name, value) in fields.iter().chain(&grounds) {
            let part = format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        body.extend_from_slice(
            b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.jpg\"\r\n\r\n",
        );
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n--x--\r\n");
        let request = officer
            .request(axum::http::Method::POST, &format!("{at}/photo"))
            .header("content-type", "multipart/form-data; boundary=x")
            .header("origin", crate::world::ISSUER)
            .header("sec-fetch-site", "same-origin")
            .body(axum::body::Body::from(body))
            .unwrap();
        let answer = officer.send(&world, request).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert_eq!(answer.text.contains("file-error"), status == bad, "{}", answer.text);
    }
    let page = officer.get(&world, &format!("{at}/photo?done=kept")).await;
    assert!(page.text.contains("photo/picture"), "{}", page.text);
    let before = world.entries(&world.hanako);
    let picture = officer.get(&world, &format!("{at}/photo/picture")).await;
    assert_eq!((picture.status, picture.header("content-type")), (StatusCode::OK, "image/jpeg"));
    let mut hanako = world.signed_in(&world.hanako.passkey).await;
    assert!(hanako.get(&world, "/my/photo").await.text.contains("/my/photo/picture"));
    let own = hanako.get(&world, "/my/photo/picture").await;
    assert_eq!(own.header("x-content-type-options"), "nosniff");
    assert_eq!((own.status, own.text), (StatusCode::OK, String::from_utf8_lossy(&jpeg).into_owned()));
    assert_eq!(world.entries(&world.hanako), before + 3);
    assert!(!taro.get(&world, "/my/photo").await.text.contains("/my/photo/picture"));
    assert_eq!(taro.get(&world, "/my/photo/picture").await.status, StatusCode::NOT_FOUND);
}

/// A court's order is recorded by one officer and agreed to by another; who loses her home is written down as the country writes it.
#[tokio::test]
async fn a_guardianship_takes_two_and_a_home_can_be_lost() {
    let world = World::new();
    let (hers, his) = both_numbers(&world).await;
    let mut officer = world.signed_in(&world.registrar).await;
    let at = serving(&world, &mut officer, &hers).await;
    let (form, action) = (format!("{at}/event?kind=guardianship"), format!("{at}/event"));
    let fields = [("relation", "guardian"), ("other", his.as_str())];
    let proposed = send(&world, &mut officer, &form, &action, &[&fields[..], &ON].concat()).await;
    assert_eq!(proposed.location(), format!("{at}/history?done=proposed"), "{}", proposed.text);
    let history = officer.get(&world, &format!("{at}/history")).await;
    assert!(!history.text.contains("太朗丸"), "it does not hold yet");

    let mut second = world.signed_in(&world.second_registrar).await;
    let address = waiting(&second.get(&world, "/office/decisions").await);
    let one = second.get(&world, &address).await;
    assert!(one.text.contains("華子郎") && one.text.contains("太朗丸"), "{}", one.text);
    let done = second.fill(&world, &one, &address, &[("decision", "approve")]).await;
    assert_eq!(done.location(), "/office/decisions?done=approved", "{}", done.text);
    let mut hanako = world.signed_in(&world.hanako.passkey).await;
    assert!(hanako.get(&world, "/my/history").await.text.contains("太朗丸"), "and now it does");

    let form = format!("{at}/event?kind=move");
    let lost = [("postcode", ""), ("city", "京都市"), ("address", "住居不定"), ("care_of", "京都市役所")];
    let moved = send(&world, &mut officer, &form, &action, &[&lost[..], &ON].concat()).await;
    assert_eq!(moved.location(), format!("{at}/history?done=recorded"), "{}", moved.text);
    let data = hanako.get(&world, "/my/data").await;
    assert!(data.text.contains("住所不定") && data.text.contains("京都市役所様方"), "{}", data.text);
}

/// A person without papers is registered on the word of a resident; from some on another officer agrees first.
#[tokio::test]
async fn somebody_without_papers_is_introduced() {
    let world = World::new();
    let (hers, _) = both_numbers(&world).await;
    let mut officer = world.signed_in(&world.registrar).await;
    let page = officer.get(&world, "/office/register").await;
    let person = [
        ("family_name", "新田"),
        ("given_name", "無紙"),
        ("family_reading", "ニッタ"),
        ("given_reading", "ムカミ"),
        ("birth_year", "1951"),
        ("sex", "M"),
        ("status", "citizen"),
        ("evidence", "introduced"),
        ("introducer", hers.as_str()),
        ("introducer_how", "隣人として十年"),
    ];
    for (fields, wrong) in [
        (&[("introducer_how", "")][..], "#introducer_how"),
        (&[("introducer", "no-such-person")], "#introducer"),
        (&[("family_name", ""), ("given_name", "")], "#family_name"),
    ] {
        let again = officer.fill(&world, &page, "/office/register", &[&person[..], fields].concat()).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}: {}", again.text);
        assert!(again.text.contains(&format!("href=\"{wrong}\"")), "{fields:?}: {}", again.text);
    }
    let before = world.entries(&world.hanako);
    let done = officer.fill(&world, &page, "/office/register", &person).await;
    assert!(done.location().ends_with("/registered"), "{}", done.text);
    assert_eq!(world.entries(&world.hanako), before + 1, "she sees that she vouched");
    let counter = done.location().trim_end_matches("/registered").to_owned();
    let history = officer.get(&world, &format!("{counter}/history")).await;
    assert!(history.text.contains("隣人として十年"), "{}", history.text);
    assert!(history.text.contains("華子郎"), "who vouched is named: {}", history.text);
    assert!(!history.text.contains("introduced"), "in the reader's words: {}", history.text);
    // She has no fixed address: her letter is handed over.
    let first = officer.get(&world, &counter).await;
    let letter = officer.fill(&world, &first, &format!("{counter}/letter"), &[]).await;
    assert!(letter.text.contains("住所不定"), "{}", letter.text);

    // As often as the country lets one officer alone see to it, then another one agrees first.
    let alone = world.app.pack.introducers.review_from;
    let mut last = None;
    for n in 1..=u32::from(alone) {
        let page = officer.get(&world, "/office/register").await;
        let name = format!("紙無{}", char::from_u32(0x4E00 + n * 97).unwrap());
        let year = (1960 + n).to_string();
        let other = [("given_name", name.as_str()), ("birth_year", year.as_str())];
        let fields: Vec<(&str, &str)> = person
            .iter()
            .map(|(name, value)| {
                let changed = other.iter().find(|(known, _)| known == name);
                (*name, changed.map_or(*value, |(_, value)| *value))
            })
            .collect();
        let answer = officer.fill(&world, &page, "/office/register", &fields).await;
        last = Some((
            page,
            fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Vec<_>>(),
            answer,
        ));
        if last.as_ref().unwrap().2.status == StatusCode::UNPROCESSABLE_ENTITY {
            break;
        }
    }
    let (page, fields, refused) = last.unwrap();
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
    assert!(refused.text.contains("href=\"#introducer\""), "{}", refused.text);
    let mut second = world.signed_in(&world.second_registrar).await;
    let address = waiting(&second.get(&world, "/office/decisions").await);
    let one = second.get(&world, &address).await;
    assert!(one.text.contains("華子郎") && one.text.contains("隣人として十年"), "{}", one.text);
    let agreed = second.fill(&world, &one, &address, &[("decision", "approve")]).await;
    assert_eq!(agreed.location(), "/office/decisions?done=approved", "{}", agreed.text);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let done = officer.fill(&world, &page, "/office/register", &fields).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    assert!(done.location().starts_with("/office/counter/"), "{}", done.location());

    // Who vouches is listed; suspended, she vouches no more, and whom she brought in is looked at.
    let list = second.get(&world, "/office/introducers").await;
    assert_eq!(list.status, StatusCode::OK, "{}", list.text);
    assert!(!list.text.contains("華子郎"), "the list opens nobody: {}", list.text);
    let before = world.entries(&world.hanako);
    let one = second.fill(&world, &list, "/office/introducers/open", &[]).await;
    assert!(one.text.contains("華子郎") && one.text.contains("無紙"), "{}", one.text);
    assert_eq!(world.entries(&world.hanako), before + 1);
    let silent = [("is", "suspended"), ("why", " ")];
    let refused = second.fill(&world, &one, "/office/introducers/standing", &silent).await;
    assert!(refused.status.is_client_error(), "{refused:?}");
    let fields = [("is", "suspended"), ("why", "言葉を売った")];
    let done = second.fill(&world, &one, "/office/introducers/standing", &fields).await;
    assert_eq!(done.location(), "/office/introducers?done=suspended", "{}", done.text);
    let findings = second.get(&world, "/office/links").await;
    assert!(findings.text.matches("/office/findings/open").count() >= 2, "{}", findings.text);
    let page = officer.get(&world, "/office/register").await;
    let again = officer.fill(&world, &page, "/office/register", &person).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", again.text);
}

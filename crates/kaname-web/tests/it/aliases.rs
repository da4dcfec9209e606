//! A resident's aliases and the lock on her number, as she uses them without JavaScript.

use axum::http::StatusCode;
use kaname_person::number::resolve::{Resolve, resolve};
use kaname_trust::{Actor, ActorKind};

use crate::routes::number_of;
use crate::world::{Answer, World, env};

fn leads(world: &World, text: &str) -> bool {
    let actor = Actor::new(ActorKind::Party, "clinic", "relying-party");
    let ask = Resolve { text, actor: &actor, use_id: kaname_trust::keys::random() };
    resolve(&world.store, &world.keys, &world.app.pack, &env(), &ask).unwrap() == Some(world.hanako.person)
}

/// What stands in the headings of the list.
fn shown(page: &Answer) -> Vec<String> {
    let heads = page.text.split("<h3 id=\"alias-").skip(1);
    heads
        .map(|head| head.split("dir=\"ltr\">").nth(1).unwrap().split('<').next().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn she_makes_aliases_and_takes_them_back() {
    let world = World::new();
    let mut hanako = world.signed_in(&world.hanako.passkey).await;
    let page = hanako.get(&world, "/my/number/aliases").await;
    let make = "/my/number/aliases";
    for (fields, wrong) in [
        (&[("kind", "")][..], "#kind"),
        (&[("kind", "forever")], "#kind"),
        (&[("kind", "temporary"), ("days", "")], "#days"),
        (&[("kind", "temporary"), ("days", "0")], "#days"),
        (&[("kind", "temporary"), ("days", "367")], "#days"),
        (&[("kind", "temporary"), ("days", "-1")], "#days"),
    ] {
        let again = hanako.fill(&world, &page, make, fields).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
        assert!(again.text.contains(&format!("href=\"{wrong}\"")), "{fields:?}: {}", again.text);
    }
    for kind in ["permanent", "temporary", "single-use"] {
        let page = hanako.get(&world, make).await;
        for _ in 0..2 {
            // Sent twice, it makes one.
            let done = hanako.fill(&world, &page, make, &[("kind", kind), ("days", "7")]).await;
            assert_eq!(done.location(), "/my/number/aliases?done=made", "{}", done.text);
        }
    }
    let page = hanako.get(&world, make).await;
    let aliases = shown(&page);
    assert_eq!(aliases.len(), 3, "{aliases:?}");
    assert!(aliases.iter().all(|alias| leads(&world, alias)));
    assert!(!leads(&world, &aliases[0]), "the one for a single use was used");

    let done = hanako.fill(&world, &page, "/my/number/aliases/end", &[("alias", "1")]).await;
    assert_eq!(done.location(), "/my/number/aliases?done=ended", "{}", done.text);
    assert!(!leads(&world, &aliases[2]) && leads(&world, &aliases[1]));
    // Nobody sees or ends those of another.
    let mut taro = world.signed_in(&world.taro.passkey).await;
    let his = taro.get(&world, make).await;
    assert!(aliases.iter().all(|alias| !his.text.contains(alias.as_str())));
    let fields = [("csrf".to_owned(), his.form(make)[0].1.clone()), ("alias".to_owned(), "2".to_owned())];
    let refused = taro.post(&world, "/my/number/aliases/end", &fields).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND, "{}", refused.text);
    assert!(leads(&world, &aliases[1]));
}

#[tokio::test]
async fn she_locks_her_number_and_opens_it_again() {
    let world = World::new();
    let mut hanako = world.signed_in(&world.hanako.passkey).await;
    let number = number_of(&world, &mut hanako).await;
    assert!(leads(&world, &number));
    for (locked, done) in [(true, "locked"), (false, "unlocked"), (true, "locked")] {
        let page = hanako.get(&world, "/my/number/aliases").await;
        let answer = hanako.fill(&world, &page, "/my/number/lock", &[]).await;
        assert_eq!(answer.location(), format!("/my/number/aliases?done={done}"), "{}", answer.text);
        assert_eq!(leads(&world, &number), !locked);
    }
    // An officer still finds her; that is the authority.
    let mut registrar = world.signed_in(&world.registrar).await;
    let page = crate::routes::found(&world, &mut registrar, &number).await;
    assert!(page.text.contains(world.hanako.secrets[0].as_str()), "{}", page.text);
}

//! Sessions: no fixation, two clocks, a list that its holder governs, forms that cannot be forged; and what a dump shows.

use kaname_base::Instant;
use kaname_signin::Holder;
use kaname_signin::bench::give_passkey;
use kaname_signin::passkey::{self, PasskeyAnswer};
use kaname_signin::session::{self, Cookie};
use kaname_signin::{Level, Refusal, authorize};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::{PersonId, TrustError, person, seal};

use crate::world::{Journey, NOW, World, env, refusal, sign_in_page};

on_every_store!(a_sign_in_gives_a_new_session_and_ends_the_old_one, a_holder_ends_her_other_sessions);

fn sign_in(world: &World, who: &crate::world::Resident, old: Option<&session::Session>) -> Cookie {
    let journey = Journey::new();
    let step =
        authorize::start_own(&world.provider, &env(NOW), Level::Passkey, "/", &journey.browser).unwrap();
    let page = sign_in_page(step);
    let answer = PasskeyAnswer::read(&who.passkey.get(&page.passkey_options)).unwrap();
    let signed =
        passkey::sign_in(&world.provider, &env(NOW), &page.handle, &journey.browser, &answer, "Safari", old);
    signed.unwrap().cookie
}

fn open(
    world: &World,
    cookie: &Cookie,
    now: Instant,
) -> Result<session::Session, kaname_signin::SigninError> {
    session::open(&world.provider, &env(now), cookie.as_str())
}

fn a_sign_in_gives_a_new_session_and_ends_the_old_one(t: &TestStore) {
    let world = World::on(t);
    let first = sign_in(&world, &world.hanako, None);
    let old = open(&world, &first, NOW).unwrap();
    let second = sign_in(&world, &world.hanako, Some(&old));
    assert_ne!(first, second);
    assert_eq!(refusal(open(&world, &first, NOW)), Refusal::SessionNeeded);
    // Somebody else signs in in the same browser: her session, in another bucket, ends as well.
    let hers = open(&world, &second, NOW).unwrap();
    let third = sign_in(&world, &world.taro, Some(&hers));
    assert_eq!(refusal(open(&world, &second, NOW)), Refusal::SessionNeeded);
    open(&world, &third, NOW).unwrap();
    // And so it does when both live in one bucket.
    let person = neighbour(&world);
    let passkey = give_passkey(&world.provider, NOW, Holder::Resident(person)).unwrap();
    let his = open(&world, &third, NOW).unwrap();
    let fourth = sign_in(&world, &crate::world::Resident { person, passkey }, Some(&his));
    assert_eq!(refusal(open(&world, &third, NOW)), Refusal::SessionNeeded);
    open(&world, &fourth, NOW).unwrap();
}

/// Somebody else in the bucket of taro.
fn neighbour(world: &World) -> PersonId {
    let bucket = person::bucket_of(world.taro.person, world.store.buckets());
    let neighbour: PersonId = env(NOW.plus_seconds(1)).id(bucket);
    assert_ne!(neighbour, world.taro.person);
    let keys = world.keys.clone();
    let made = world.store.write(bucket, move |tx| seal::create_data_keys(tx, &keys, &[neighbour]).map(drop));
    made.unwrap_or_else(|error: TrustError| panic!("{error}"));
    neighbour
}

fn a_holder_ends_her_other_sessions(t: &TestStore) {
    let world = World::on(t);
    let (here, there) = (sign_in(&world, &world.hanako, None), sign_in(&world, &world.hanako, None));
    let session = open(&world, &here, NOW).unwrap();
    let lines = session::list(&world.provider, &env(NOW), &session).unwrap();
    assert_eq!((lines.len(), lines.iter().filter(|line| line.is_this).count()), (2, 1));
    let other = lines.iter().find(|line| !line.is_this).unwrap();
    let his = open(&world, &sign_in(&world, &world.taro, None), NOW).unwrap();
    assert_eq!(refusal(session::end_other(&world.provider, &his, &other.reference)), Refusal::NoSuchSession);
    session::end_other(&world.provider, &session, &other.reference).unwrap();
    assert_eq!(refusal(open(&world, &there, NOW)), Refusal::SessionNeeded);
    session::end(&world.provider, &session).unwrap();
    assert_eq!(refusal(open(&world, &here, NOW)), Refusal::SessionNeeded);
}

#[test]
fn a_session_ends_when_idle_and_in_the_end_always() {
    let world = World::new();
    let cookie = sign_in(&world, &world.hanako, None);
    let idle = world.provider.config().session_idle_seconds;
    assert_eq!(refusal(open(&world, &cookie, NOW.plus_seconds(idle))), Refusal::SessionNeeded);
    let mut now = NOW;
    let mut seen = 0;
    while open(&world, &cookie, now).is_ok() {
        now = now.plus_seconds(idle - 1);
        seen += 1;
    }
    assert_eq!(seen, 43_200 / (idle - 1) + 1);
}

#[test]
fn a_made_up_cookie_opens_nothing() {
    let world = World::new();
    let cookie = sign_in(&world, &world.hanako, None);
    let text = cookie.as_str();
    let last = if text.ends_with('A') { "E" } else { "A" };
    for bad in ["", "session", &text[..text.len() - 1], &[&text[..text.len() - 1], last].concat()] {
        assert_eq!(refusal(session::open(&world.provider, &env(NOW), bad)), Refusal::SessionNeeded, "{bad}");
    }
}

#[test]
fn a_form_of_another_session_is_refused() {
    let world = World::new();
    let (hers, his) = (world.own_session(&world.hanako), world.own_session(&world.taro));
    hers.check_form(hers.csrf()).unwrap();
    assert_eq!(hers.check_form(his.csrf()), Err(Refusal::FormForged));
    assert_eq!(hers.check_form(""), Err(Refusal::FormForged));
}

#[test]
fn a_dump_shows_neither_person_nor_party_nor_ticket() {
    let data = TestStore::sqlite();
    let world = World::on(&data);
    let journey = Journey::new();
    let code = world.code(&journey, &world.hanako, |_| {});
    let tokens = world.redeem(&journey, &code).unwrap();
    let cookie = sign_in(&world, &world.hanako, None);
    let kaname_store::Location::Sqlite(path) = data.config().location else { panic!("not SQLite") };
    let session = open(&world, &cookie, NOW).unwrap();
    drop((session, world));
    let mut dump = Vec::new();
    for suffix in ["", "-wal"] {
        let mut name = path.clone().into_os_string();
        name.push(suffix);
        dump.extend(std::fs::read(name).unwrap_or_default());
    }
    let holds = |needle: &[u8]| dump.windows(needle.len()).any(|window| window == needle);
    assert!(holds(b"signin_session"), "the dump was read");
    let secret = |ticket: &str| kaname_codec::b64::url_decode(ticket).unwrap()[18..].to_vec();
    for (what, needle) in [
        ("a code", secret(&code)),
        ("an access token", secret(&tokens.access_token)),
        ("a cookie", secret(cookie.as_str())),
        ("an agent", b"Safari".to_vec()),
        ("a nonce", b"n-0S6_WzA2Mj".to_vec()),
        ("a state", b"a state of the party's".to_vec()),
        ("a means", b"device-passkey".to_vec()),
    ] {
        assert!(!holds(&needle), "{what} stands in clear");
    }
}

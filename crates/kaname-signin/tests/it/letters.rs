//! Letters: activation, the grid, and what wrong tries cost.

use kaname_base::Instant;
use kaname_signin::authorize::{self, Browser, SignInPage, Step};
use kaname_signin::grid::{self, Reading, Square};
use kaname_signin::letter::{self, Letter};
use kaname_signin::passkey;
use kaname_signin::session::{self, Cookie};
use kaname_signin::{Holder, Level, Means, Refusal, SignedIn, SigninError};
use kaname_testkit::{TestStore, on_every_store};

use crate::world::{Journey, NOW, World, consent_page, env, payload, program, refusal, set, sign_in_page};

on_every_store!(
    a_letter_activates_once,
    the_grid_signs_in_at_the_lower_level,
    wrong_tries_wait_but_never_for_ever
);

fn issue(world: &World) -> Letter {
    letter::issue(&world.provider, &env(NOW), &program(), Holder::Resident(world.hanako.person)).unwrap()
}

fn activate(world: &World, letter: &Letter, code: &str, now: Instant) -> Result<Cookie, SigninError> {
    letter::activate(&world.provider, &env(now), &letter.number, code, "Firefox", None)
}

fn own_page(world: &World, browser: &Browser, now: Instant) -> SignInPage {
    sign_in_page(authorize::start_own(&world.provider, &env(now), Level::Letter, "/me", browser).unwrap())
}

fn read(letter: &Letter, square: Square) -> &str {
    let text = square.to_string();
    let (column, row) = (text.as_bytes()[0] - b'A', text.as_bytes()[1] - b'1');
    &letter.grid[usize::from(row)][usize::from(column)]
}

fn sign_in(
    world: &World,
    letter: &Letter,
    browser: &Browser,
    now: Instant,
    wrong: bool,
) -> Result<SignedIn, SigninError> {
    let page = own_page(world, browser, now);
    let [first, second] = grid::ask(&world.provider, &env(now), &page.handle, browser, &letter.number)?;
    let (first, second) = (read(letter, first), if wrong { "222" } else { read(letter, second) });
    let reading = Reading { number: &letter.number, first, second };
    grid::answer(&world.provider, &env(now), &page.handle, browser, reading, "Firefox", None)
}

fn a_letter_activates_once(t: &TestStore) {
    let world = World::on(t);
    let letter = issue(&world);
    assert_eq!(letter.number.len(), 14, "three groups of four");
    assert_eq!(refusal(activate(&world, &letter, "2222-2222-2222", NOW)), Refusal::CodeWrong);
    // As somebody types it.
    let typed = letter.code.to_lowercase().replace('-', " ");
    let session = world.session(&activate(&world, &letter, &typed, NOW).unwrap());
    assert_eq!((session.means(), session.level()), (Means::Activation, Level::Letter));
    assert_eq!(refusal(activate(&world, &letter, &letter.code, NOW)), Refusal::LetterUsed);
    passkey::begin_registration(&world.provider, &env(NOW), &session, "Hanako").unwrap();
    let later = env(NOW.plus_seconds(1_800));
    let late = passkey::begin_registration(&world.provider, &later, &session, "Hanako");
    assert_eq!(refusal(late), Refusal::StepUp);
}

fn the_grid_signs_in_at_the_lower_level(t: &TestStore) {
    let world = World::on(t);
    let letter = issue(&world);
    let journey = Journey::new();
    assert_eq!(
        refusal(sign_in(&world, &letter, &journey.browser, NOW, false)),
        Refusal::NoAccount,
        "not activated"
    );
    activate(&world, &letter, &letter.code, NOW).unwrap();
    let uri = world.push(&journey, |_| {}).unwrap();
    let page = sign_in_page(world.arrive(&journey, &uri).unwrap());
    let [first, second] =
        grid::ask(&world.provider, &env(NOW), &page.handle, &journey.browser, &letter.number).unwrap();
    let reading =
        Reading { number: &letter.number, first: read(&letter, first), second: read(&letter, second) };
    let answer =
        || grid::answer(&world.provider, &env(NOW), &page.handle, &journey.browser, reading, "Firefox", None);
    let signed = answer().unwrap();
    assert_eq!(refusal(answer()), Refusal::SquaresNotAsked, "a pair is answered once");
    let session = world.session(&signed.cookie);
    let step = world.give(&journey, &consent_page(signed.step), &session).unwrap();
    let code = &crate::world::answer(step)["code"];
    let claims = payload(&world.redeem(&journey, code).unwrap().id_token);
    assert_eq!(claims["acr"], "urn:kaname:loa:1");
    // The grid cannot make itself a passkey.
    let raised = passkey::begin_registration(&world.provider, &env(NOW), &session, "Hanako");
    assert_eq!(refusal(raised), Refusal::StepUp);
    // And a party that needs more gets the page for signing in once more.
    let high = Journey { browser: journey.browser.clone(), verifier: journey.verifier.clone() };
    let uri = world.push(&high, |pairs| set(pairs, "acr_values", "urn:kaname:loa:2")).unwrap();
    let page = sign_in_page(world.arrive_with(&high, &uri, Some(&session)).unwrap());
    let asked = grid::ask(&world.provider, &env(NOW), &page.handle, &high.browser, &letter.number);
    assert_eq!(refusal(asked), Refusal::LevelTooLow);
}

fn wrong_tries_wait_but_never_for_ever(t: &TestStore) {
    let world = World::on(t);
    let letter = issue(&world);
    let mut now = NOW;
    for round in 0..10 {
        if round >= 3 {
            // While it waits, not even the right code is looked at; and looking does not make it wait longer.
            assert_eq!(refusal(activate(&world, &letter, &letter.code, now)), Refusal::TryLater);
            now = now.plus_seconds(900);
        }
        assert_eq!(refusal(activate(&world, &letter, "2222-2222-2222", now)), Refusal::CodeWrong);
    }
    activate(&world, &letter, &letter.code, now.plus_seconds(900)).unwrap();
}

#[test]
fn a_letter_expires_and_a_new_one_takes_its_place() {
    let world = World::new();
    let (old, new) = (issue(&world), issue(&world));
    let late = NOW.plus_seconds(90 * 86_400);
    assert_eq!(refusal(activate(&world, &new, &new.code, late)), Refusal::LetterExpired);
    assert_eq!(refusal(activate(&world, &old, &old.code, NOW)), Refusal::CodeWrong);
    activate(&world, &new, &new.code, NOW).unwrap();
    sign_in(&world, &new, &Browser::new(), NOW, false).unwrap();
    let newest = issue(&world);
    assert_eq!(refusal(sign_in(&world, &new, &Browser::new(), NOW, false)), Refusal::CodeWrong);
    activate(&world, &newest, &newest.code, NOW).unwrap();
}

#[test]
fn the_same_squares_are_asked_until_they_are_answered() {
    let world = World::new();
    let letter = issue(&world);
    activate(&world, &letter, &letter.code, NOW).unwrap();
    let (mine, thief) = (Browser::new(), Browser::new());
    let ask = |browser: &Browser| {
        let page = own_page(&world, browser, NOW);
        grid::ask(&world.provider, &env(NOW), &page.handle, browser, &letter.number).unwrap()
    };
    let first = ask(&mine);
    assert!((0..20).all(|_| ask(&mine) == first && ask(&thief) == first));
    // Asked in the thief's browser last, they are not answered from mine.
    let page = own_page(&world, &mine, NOW);
    let reading = Reading { number: &letter.number, first: "222", second: "222" };
    let answer = grid::answer(&world.provider, &env(NOW), &page.handle, &mine, reading, "", None);
    assert_eq!(refusal(answer), Refusal::SquaresNotAsked);
    assert_eq!(ask(&mine), first);
    sign_in(&world, &letter, &mine, NOW, false).unwrap();
    assert_ne!(ask(&mine), first);
}

#[test]
fn three_wrong_answers_ask_for_other_squares_after_a_while() {
    let world = World::new();
    let letter = issue(&world);
    activate(&world, &letter, &letter.code, NOW).unwrap();
    let browser = Browser::new();
    let ask = |now| {
        let page = own_page(&world, &browser, now);
        grid::ask(&world.provider, &env(now), &page.handle, &browser, &letter.number)
    };
    let first = ask(NOW).unwrap();
    for _ in 0..3 {
        assert_eq!(refusal(sign_in(&world, &letter, &browser, NOW, true)), Refusal::CodeWrong);
    }
    assert_eq!(refusal(ask(NOW)), Refusal::TryLater);
    let later = NOW.plus_seconds(30);
    assert_ne!(ask(later).unwrap(), first);
    sign_in(&world, &letter, &browser, later, false).unwrap();
}

#[test]
fn a_number_that_does_not_exist_is_not_told() {
    let world = World::new();
    let browser = Browser::new();
    let page = own_page(&world, &browser, NOW);
    let ask = || grid::ask(&world.provider, &env(NOW), &page.handle, &browser, "2222-3333-4444").unwrap();
    assert_eq!(ask(), ask());
    let reading = Reading { number: "2222-3333-4444", first: "ABC", second: "DEF" };
    let answer = grid::answer(&world.provider, &env(NOW), &page.handle, &browser, reading, "", None);
    assert_eq!(refusal(answer), Refusal::CodeWrong);
    for bad in ["", "short", "OOOO-IIII-1111", "2222-3333-4444-5"] {
        let asked = grid::ask(&world.provider, &env(NOW), &page.handle, &browser, bad);
        assert_eq!(refusal(asked), Refusal::CodeWrong, "{bad}");
    }
}

#[test]
fn full_width_letters_are_read() {
    let world = World::new();
    let letter = issue(&world);
    let wide: String = letter.code.chars().map(|c| char::from_u32(c as u32 + 0xFEE0).unwrap()).collect();
    let cookie = activate(&world, &letter, &wide, NOW).unwrap();
    assert!(session::open(&world.provider, &env(NOW), cookie.as_str()).is_ok());
    assert!(matches!(sign_in(&world, &letter, &Browser::new(), NOW, false).unwrap().step, Step::Own(_)));
}

#[test]
fn an_erased_resident_has_no_account_any_more() {
    let world = World::new();
    let letter = issue(&world);
    let (keys, person) = (world.keys.clone(), world.hanako.person);
    let bucket = kaname_trust::person::bucket_of(person, world.store.buckets());
    world.store.write(bucket, move |tx| kaname_trust::seal::erase(tx, &keys, person)).unwrap();
    assert_eq!(refusal(activate(&world, &letter, &letter.code, NOW)), Refusal::NoAccount);
}

//! What travels sealed, in the hands of somebody who wants something else of it: flipped, cut, exchanged, used again, kept too long.

use kaname_codec::b64;
use kaname_signin::authorize::{self, Browser};
use kaname_signin::{Level, Parameters, Provider, Refusal, Step, sweep};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::Keys;

use crate::disclosure::{disclose, disclose_at};
use crate::world::{ISSUER, Journey, NOW, World, answer, consent_page, env, refusal, set, sign_in_page};

on_every_store!(
    what_happens_once_is_known_to_every_process_and_after_a_restart,
    of_many_at_once_one_browser_loads_a_request,
    of_many_at_once_one_answer_counts
);

const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// `text` with one bit of one byte turned, for every `step`th byte; then cut, and lengthened.
fn tampered(text: &str, step: usize) -> Vec<String> {
    let bytes = b64::url_decode(text).unwrap();
    let flipped = (0..bytes.len()).step_by(step).map(|at| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1 << (at % 8);
        bytes
    });
    let cut = [1, 23, 24, 39, 40, bytes.len() - 17, bytes.len() - 1].map(|length| bytes[..length].to_vec());
    let longer = [bytes.iter().chain(&[0]).copied().collect(), [&bytes[..], &bytes[..]].concat()];
    flipped.chain(cut).chain(longer).map(|bytes| b64::url_encode(&bytes)).collect()
}

#[test]
fn a_changed_handout_is_nothing() {
    let (world, journey) = (World::new(), Journey::new());
    let uri = world.push(&journey, |_| {}).unwrap();
    let mut refused = 0;
    for bad in tampered(uri.strip_prefix(PREFIX).unwrap(), 1) {
        let answer = world.arrive(&journey, &[PREFIX, &bad].concat());
        assert_eq!(refusal(answer), Refusal::RequestUriUnknown, "{bad}");
        refused += 1;
    }
    let page = sign_in_page(world.arrive(&journey, &uri).unwrap());
    for bad in tampered(&page.handle, 1) {
        let shown = authorize::show(&world.provider, &env(NOW), &bad, &journey.browser, None);
        assert_eq!(refusal(shown), Refusal::InteractionUnknown, "{bad}");
        refused += 1;
    }
    let code =
        world.code(&Journey { browser: journey.browser.clone(), ..Journey::new() }, &world.taro, |_| {});
    for bad in tampered(&code, 7) {
        assert_eq!(refusal(world.redeem(&journey, &bad)), Refusal::CodeUnknown, "{bad}");
        refused += 1;
    }
    let code = world.code(&journey, &world.hanako, |_| {});
    let token = world.redeem(&journey, &code).unwrap().access_token;
    for bad in tampered(&token, 1) {
        assert_eq!(refusal(disclose(&world, &bad)), Refusal::TokenUnknown, "{bad}");
        refused += 1;
    }
    assert!(refused > 500, "{refused}");
    disclose(&world, &token).unwrap();
}

#[test]
fn no_handout_passes_for_another_kind() {
    let (world, journey) = (World::new(), Journey::new());
    let uri = world.push(&journey, |_| {}).unwrap();
    let page = sign_in_page(world.arrive(&journey, &uri).unwrap());
    let code = world.code(&journey, &world.hanako, |_| {});
    let token = world.redeem(&journey, &code).unwrap().access_token;
    let pushed = uri.strip_prefix(PREFIX).unwrap();
    for other in [page.handle.as_str(), &code, &token] {
        let answer = world.arrive(&journey, &[PREFIX, other].concat());
        assert_eq!(refusal(answer), Refusal::RequestUriUnknown);
    }
    for other in [pushed, &code, &token] {
        let shown = authorize::show(&world.provider, &env(NOW), other, &journey.browser, None);
        assert_eq!(refusal(shown), Refusal::InteractionUnknown);
    }
    for other in [pushed, page.handle.as_str(), &token] {
        assert_eq!(refusal(world.redeem(&journey, other)), Refusal::CodeUnknown);
    }
    for other in [pushed, page.handle.as_str(), &code] {
        assert_eq!(refusal(disclose(&world, other)), Refusal::TokenUnknown);
    }
}

#[test]
fn a_handout_of_another_deployment_is_nothing() {
    let (world, journey) = (World::new(), Journey::new());
    let folder = tempfile::tempdir().unwrap();
    let others = Keys::create(&folder.path().join("keys")).unwrap();
    let config = world.provider.config().clone();
    let data = TestStore::sqlite();
    let store = data.open(&[kaname_trust::MIGRATIONS, kaname_person::MIGRATIONS, kaname_signin::MIGRATIONS]);
    let other = Provider::open(store, others, config, &env(NOW)).unwrap();
    let step = authorize::start_own(&other, &env(NOW), Level::Letter, "/me", &journey.browser).unwrap();
    let theirs = sign_in_page(step).handle;
    let shown = authorize::show(&world.provider, &env(NOW), &theirs, &journey.browser, None);
    assert_eq!(refusal(shown), Refusal::InteractionUnknown);
    authorize::show(&other, &env(NOW), &theirs, &journey.browser, None).unwrap();
}

#[test]
fn what_is_sealed_does_not_show() {
    let (world, journey) = (World::new(), Journey::new());
    let uri = world.push(&journey, |_| {}).unwrap();
    let page = sign_in_page(world.arrive(&journey, &uri).unwrap());
    let code = world.code(&Journey::new(), &world.hanako, |_| {});
    let (again, pushed) =
        (sign_in_page(world.arrive(&journey, &uri).unwrap()), uri.strip_prefix(PREFIX).unwrap());
    assert_ne!(page.handle, again.handle);
    for text in [pushed, page.handle.as_str(), &code] {
        let bytes = b64::url_decode(text).unwrap();
        for needle in [
            &b"strict"[..],
            b"callback",
            b"a state",
            b"n-0S6",
            b"birth_date",
            &world.hanako.person.bytes()[..],
        ] {
            assert!(!bytes.windows(needle.len()).any(|window| window == needle), "{needle:?}");
        }
    }
}

#[test]
fn nothing_is_written_for_a_page_that_anybody_may_load() {
    let world = World::new();
    sweep::sweep(&world.provider, &env(NOW.plus_seconds(10 * 86_400))).unwrap();
    for _ in 0..20 {
        let browser = Browser::new();
        authorize::start_own(&world.provider, &env(NOW), Level::Letter, "/me", &browser).unwrap();
        let parameters = Parameters::read(world.plain.request(&Journey::new().verifier)).unwrap();
        authorize::start(&world.provider, &env(NOW), &parameters, &browser, None).unwrap();
    }
    assert_eq!(sweep::sweep(&world.provider, &env(NOW.plus_seconds(20 * 86_400))).unwrap(), 0);
}

#[test]
fn a_code_that_nobody_asked_for_any_more_is_not_lengthened_by_its_mark() {
    let (world, journey) = (World::new(), Journey::new());
    let code = world.code(&journey, &world.hanako, |_| {});
    let tokens = world.redeem_as(&world.strict, &journey, &code, NOW.plus_seconds(59), |_| {}).unwrap();
    // The last moment at which the token holds: the mark of its code is still there.
    let last = NOW.plus_seconds(59 + 299);
    sweep::sweep(&world.provider, &env(last)).unwrap();
    disclose_at(&world, &tokens.access_token, last).unwrap();
    let late = world.redeem_as(&world.strict, &journey, &code, last, |_| {});
    assert_eq!(refusal(late), Refusal::CodeUsed);
    assert_eq!(refusal(disclose_at(&world, &tokens.access_token, last)), Refusal::TokenUnknown);
    // When all is over and swept, nothing comes to life again.
    let over = NOW.plus_seconds(86_400);
    assert!(sweep::sweep(&world.provider, &env(over)).unwrap() > 0);
    let late = world.redeem_as(&world.strict, &journey, &code, over, |_| {});
    assert_eq!(refusal(late), Refusal::CodeUnknown);
    assert_eq!(refusal(disclose_at(&world, &tokens.access_token, over)), Refusal::TokenUnknown);
}

#[test]
fn the_longest_request_goes_through() {
    let (world, journey) = (World::new(), Journey::new());
    let (state, nonce) = ("\u{7}".repeat(2_048), "名".repeat(682));
    let uri = world
        .push(&journey, |pairs| {
            set(pairs, "state", &state);
            set(pairs, "nonce", &nonce);
            set(pairs, "ui_locales", &"ja ".repeat(682));
        })
        .unwrap();
    let page = sign_in_page(world.arrive(&journey, &uri).unwrap());
    let signed = world.sign_in(&journey, &page, &world.hanako).unwrap();
    let session = world.session(&signed.cookie);
    let back = answer(world.give(&journey, &consent_page(signed.step), &session).unwrap());
    assert_eq!(back["state"], state);
    let tokens = world.redeem(&journey, &back["code"]).unwrap();
    assert_eq!(crate::world::payload(&tokens.id_token)["nonce"], nonce);
}

fn what_happens_once_is_known_to_every_process_and_after_a_restart(t: &TestStore) {
    let (world, journey) = (World::on(t), Journey::new());
    let another_process = || {
        let store = t.open(&[
            kaname_store::jobs::MIGRATIONS,
            kaname_trust::MIGRATIONS,
            kaname_person::MIGRATIONS,
            kaname_signin::MIGRATIONS,
        ]);
        Provider::open(store, world.keys.clone(), world.provider.config().clone(), &env(NOW)).unwrap()
    };
    let assertion = world.strict.sign(&world.strict.claims(ISSUER, NOW));
    let mut pairs = world.strict.request(&journey.verifier);
    pairs.extend(world.strict.proof(assertion).split_off(1));
    let push = |provider: &Provider| {
        kaname_signin::par::push(provider, &env(NOW), &Parameters::read(pairs.clone()).unwrap())
    };
    let uri = push(&world.provider).unwrap().request_uri;
    assert_eq!(refusal(push(&another_process())), Refusal::AssertionReplayed);

    let start = |provider: &Provider, browser: &Browser| {
        let parameters = Parameters::read([("client_id", "strict"), ("request_uri", &uri)]).unwrap();
        authorize::start(provider, &env(NOW), &parameters, browser, None)
    };
    let page = sign_in_page(start(&world.provider, &journey.browser).unwrap());
    assert_eq!(refusal(start(&another_process(), &Browser::new())), Refusal::RequestUriUnknown);
    sign_in_page(start(&another_process(), &journey.browser).unwrap());

    let passkey =
        kaname_signin::passkey::PasskeyAnswer::read(&world.hanako.passkey.get(&page.passkey_options))
            .unwrap();
    let sign_in = |provider: &Provider| {
        kaname_signin::passkey::sign_in(
            provider,
            &env(NOW),
            &page.handle,
            &journey.browser,
            &passkey,
            "",
            None,
        )
    };
    let signed = sign_in(&world.provider).unwrap();
    assert_eq!(refusal(sign_in(&another_process())), Refusal::InteractionStep);
    let consent = consent_page(signed.step);
    let give = |provider: &Provider| {
        let session = kaname_signin::session::open(provider, &env(NOW), signed.cookie.as_str()).unwrap();
        kaname_signin::consent::give(provider, &env(NOW), &consent.handle, &journey.browser, &session)
    };
    let code = answer(give(&world.provider).unwrap())["code"].clone();
    assert_eq!(refusal(give(&another_process())), Refusal::InteractionStep);
    let redeem = |provider: &Provider| {
        let mut pairs = world.strict.redeeming(&code, &journey.verifier);
        pairs.extend(world.strict.proof(world.strict.sign(&world.strict.claims(ISSUER, NOW))));
        kaname_signin::token::redeem(provider, &env(NOW), &Parameters::read(pairs).unwrap())
    };
    redeem(&world.provider).unwrap();
    assert_eq!(refusal(redeem(&another_process())), Refusal::CodeUsed);
}

fn of_many_at_once_one_browser_loads_a_request(t: &TestStore) {
    let (world, journey) = (World::on(t), Journey::new());
    let uri = world.push(&journey, |_| {}).unwrap();
    let loaded = std::thread::scope(|scope| {
        let load = || world.arrive(&Journey::new(), &uri).is_ok();
        let tries: Vec<_> = (0..4).map(|_| scope.spawn(load)).collect();
        tries.into_iter().map(|one| one.join().unwrap()).filter(|ok| *ok).count()
    });
    assert_eq!(loaded, 1);
}

fn of_many_at_once_one_answer_counts(t: &TestStore) {
    let (world, journey) = (World::on(t), Journey::new());
    world.code(&journey, &world.hanako, |_| {});
    let uri = world.push(&journey, |_| {}).unwrap();
    let page = sign_in_page(world.arrive(&journey, &uri).unwrap());
    let codes = std::thread::scope(|scope| {
        let answer = || match world.sign_in(&journey, &page, &world.hanako) {
            Ok(signed) => matches!(signed.step, Step::Redirect(_)),
            Err(_) => false,
        };
        let tries: Vec<_> = (0..4).map(|_| scope.spawn(answer)).collect();
        tries.into_iter().map(|one| one.join().unwrap()).filter(|is_code| *is_code).count()
    });
    assert_eq!(codes, 1);
}

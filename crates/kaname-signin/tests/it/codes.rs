//! Codes and what they become: each test breaks one thing.

use kaname_signin::Refusal;
use kaname_testkit::{TestStore, on_every_store};

use crate::disclosure::{disclose, disclose_at};
use crate::world::{Journey, NOW, World, refusal, set};

on_every_store!(
    a_code_is_used_once_and_a_second_use_takes_back_the_first,
    of_many_at_once_one_redeems_a_code
);

fn a_code_is_used_once_and_a_second_use_takes_back_the_first(t: &TestStore) {
    let (world, journey) = (World::on(t), Journey::new());
    let code = world.code(&journey, &world.hanako, |_| {});
    let tokens = world.redeem(&journey, &code).unwrap();
    disclose(&world, &tokens.access_token).unwrap();
    assert_eq!(refusal(world.redeem(&journey, &code)), Refusal::CodeUsed);
    assert_eq!(refusal(disclose(&world, &tokens.access_token)), Refusal::TokenUnknown);
    assert_eq!(refusal(world.redeem(&journey, &code)), Refusal::CodeUnknown);

    // Also when the second use would be refused by itself: too late, or by a thief without the verifier.
    let spoiled: [&dyn Fn(&str) -> Refusal; 2] = [
        &|code| refusal(world.redeem_as(&world.strict, &journey, code, NOW.plus_seconds(61), |_| {})),
        &|code| refusal(world.redeem(&Journey::new(), code)),
    ];
    for second_use in spoiled {
        let journey = Journey::new();
        let code = world.code(&journey, &world.hanako, |_| {});
        let tokens = world.redeem(&journey, &code).unwrap();
        disclose_at(&world, &tokens.access_token, NOW.plus_seconds(62)).unwrap();
        assert_eq!(second_use(&code), Refusal::CodeUsed);
        let late = disclose_at(&world, &tokens.access_token, NOW.plus_seconds(62));
        assert_eq!(refusal(late), Refusal::TokenUnknown);
    }
}

fn of_many_at_once_one_redeems_a_code(t: &TestStore) {
    let (world, journey) = (World::on(t), Journey::new());
    let code = world.code(&journey, &world.hanako, |_| {});
    let redeemed = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..4).map(|_| scope.spawn(|| world.redeem(&journey, &code).is_ok())).collect();
        tries.into_iter().map(|one| one.join().unwrap()).filter(|ok| *ok).count()
    });
    assert_eq!(redeemed, 1);
}

#[test]
fn each_parameter_is_checked() {
    let (world, journey) = (World::new(), Journey::new());
    let code = world.code(&journey, &world.hanako, |_| {});
    let other = Journey::new();
    for (name, value, expected) in [
        ("grant_type", "", Refusal::GrantType),
        ("grant_type", "password", Refusal::GrantType),
        ("grant_type", "refresh_token", Refusal::GrantType),
        ("code", "", Refusal::CodeMissing),
        ("code", "AAAA", Refusal::CodeUnknown),
        ("redirect_uri", "", Refusal::RedirectUriDiffers),
        ("redirect_uri", "https://strict.example/callback2", Refusal::RedirectUriDiffers),
        ("code_verifier", "", Refusal::VerifierMissing),
        ("code_verifier", "short", Refusal::VerifierWrong),
        ("code_verifier", other.verifier.as_str(), Refusal::VerifierWrong),
    ] {
        let answer = world.redeem_as(&world.strict, &journey, &code, NOW, |pairs| set(pairs, name, value));
        assert_eq!(refusal(answer), expected, "{name} = {value}");
    }
    // None of these used the code up.
    world.redeem(&journey, &code).unwrap();
}

#[test]
fn a_code_is_for_its_own_party_and_a_short_time() {
    let (world, journey) = (World::new(), Journey::new());
    let code = world.code(&journey, &world.hanako, |_| {});
    let answer = world.redeem_as(&world.plain, &journey, &code, NOW, |_| {});
    assert_eq!(refusal(answer), Refusal::CodeOfAnotherClient);
    let late = world.redeem_as(&world.strict, &journey, &code, NOW.plus_seconds(60), |_| {});
    assert_eq!(refusal(late), Refusal::CodeUnknown);
    world.redeem_as(&world.strict, &journey, &code, NOW.plus_seconds(59), |_| {}).unwrap();
}

#[test]
fn a_code_of_another_sign_in_does_not_fit() {
    let (world, mine, hers) = (World::new(), Journey::new(), Journey::new());
    let _ = world.code(&mine, &world.taro, |_| {});
    let code = world.code(&hers, &world.hanako, |_| {});
    // A swapped code: the party holds the verifier of its own sign-in.
    assert_eq!(refusal(world.redeem(&mine, &code)), Refusal::VerifierWrong);
}

#[test]
fn no_ticket_passes_for_another_kind() {
    let (world, journey) = (World::new(), Journey::new());
    let uri = world.push(&journey, |_| {}).unwrap();
    let ticket = uri.rsplit_once(':').unwrap().1;
    assert_eq!(refusal(world.redeem(&journey, ticket)), Refusal::CodeUnknown);
    assert_eq!(refusal(disclose(&world, ticket)), Refusal::TokenUnknown);
    let code = world.code(&journey, &world.hanako, |_| {});
    assert_eq!(refusal(disclose(&world, &code)), Refusal::TokenUnknown);
    let tokens = world.redeem(&journey, &code).unwrap();
    assert_eq!(refusal(world.redeem(&journey, &tokens.access_token)), Refusal::CodeUnknown);
    let late = disclose_at(&world, &tokens.access_token, NOW.plus_seconds(300));
    assert_eq!(refusal(late), Refusal::TokenUnknown);
}

//! What a bank, or somebody on the way, may tell us about a message.

use kaname_codec::iso20022::{GroupStatus, Report, Status, parse_pain002, write_pain002};
use kaname_pay::Refusal;
use kaname_pay::payout::{RunState, State, report};
use kaname_testkit::{TestStore, on_every_store};

use super::world::{World, auditor};

on_every_store!(
    a_report_that_is_not_ours_is_refused_whole,
    a_bank_may_reject_a_whole_message_and_accept_before_it_settles,
);

type Change = fn(&mut Report<'_>);

fn a_report_that_is_not_ours_is_refused_whole(t: &TestStore) {
    let changes: [(&str, Change); 9] = [
        ("of another message", |report| report.original_message_id = "0".repeat(32).into()),
        ("of another block", |report| report.original_payment_id = Some("0".repeat(32).into())),
        ("with a payment that is not in it", |report| {
            report.transfers[0].end_to_end_id = "0".repeat(32).into()
        }),
        ("with a payment twice", |report| report.transfers.push(report.transfers[0].clone())),
        ("that takes back what was rejected of all", |report| {
            report.message_status = Some(rejected_all());
            report.payment_status = None;
            report.transfers[0].status = Status::Settled;
        }),
        ("that says two things of all", |report| {
            report.message_status = Some(rejected_all());
            report.payment_status = Some(GroupStatus::All(Status::Settled));
            report.transfers.clear();
        }),
        ("with a payment of another payee", |report| {
            let mut id = report.transfers[0].end_to_end_id.to_string();
            let last = if id.ends_with('0') { "1" } else { "0" };
            id.replace_range(31.., last);
            report.transfers[0].end_to_end_id = id.into();
        }),
        ("without an end", |report| report.message_id = "".into()),
        ("that rejects all but names one as paid", |report| {
            report.message_status = None;
            report.payment_status = Some(rejected_all());
            report.transfers.truncate(1);
            report.transfers[0].status = Status::Settled;
        }),
    ];
    let world = World::new(t, 12);
    world.register_everyone();
    let run = world.approved();
    world.banks.iter().for_each(|wire| *wire.silent.lock().unwrap() = true);
    assert_eq!(world.pay(run.id).unwrap().run.state, RunState::Running, "no bank has answered");
    world.banks.iter().for_each(|wire| *wire.silent.lock().unwrap() = false);
    let before = report(&world.desk, &auditor(), run.id).unwrap();
    assert!(before.is_sound() && before.people(State::Sent) == 8);

    let messages: Vec<(usize, String)> = world
        .banks
        .iter()
        .enumerate()
        .flat_map(|(bank, wire)| {
            wire.submissions.lock().unwrap().iter().map(|id| (bank, id.clone())).collect::<Vec<_>>()
        })
        .collect();
    let forge = |change: &dyn Fn(&[u8]) -> Vec<u8>| {
        for (bank, id) in &messages {
            let wire = &world.banks[*bank];
            let honest = kaname_pay::Bank::status(&wire.bank, id).unwrap().unwrap();
            wire.forged.lock().unwrap().insert(id.clone(), change(&honest));
        }
        let outcome = world.pay(run.id).unwrap();
        assert_eq!(outcome.run.state, RunState::Running);
        outcome.refused_reports
    };
    for (name, change) in changes {
        let refused = forge(&|honest| {
            let mut report = parse_pain002(honest).unwrap();
            change(&mut report);
            // What cannot be written is sent as it would be by somebody who does not care.
            write_pain002(&report).unwrap_or_else(|_| honest[..honest.len() / 2].to_vec())
        });
        assert_eq!(refused.len(), messages.len(), "{name}");
        assert!(refused.iter().all(|(_, refusal)| *refusal == Refusal::ForeignReport), "{name}");
        let now = report(&world.desk, &auditor(), run.id).unwrap();
        assert_eq!((now.tallies, now.books), (before.tallies.clone(), before.books), "{name}");
    }
    // Reports of each other's messages.
    let (first, last) = (messages[0].clone(), messages[messages.len() - 1].clone());
    assert_ne!(first, last);
    let others = kaname_pay::Bank::status(&world.banks[last.0].bank, &last.1).unwrap().unwrap();
    world.banks.iter().for_each(|wire| wire.forged.lock().unwrap().clear());
    world.banks[first.0].forged.lock().unwrap().insert(first.1.clone(), others);
    assert_eq!(world.pay(run.id).unwrap().refused_reports, [(first.1, Refusal::ForeignReport)]);

    world.banks.iter().for_each(|wire| wire.forged.lock().unwrap().clear());
    assert_eq!(world.pay(run.id).unwrap().run.state, RunState::Finished);
    world.assert_all_is_paid(run.id);
}

fn a_bank_may_reject_a_whole_message_and_accept_before_it_settles(t: &TestStore) {
    let world = World::new(t, 12);
    world.register_everyone();
    let run = world.approved();
    let all = |status: fn() -> GroupStatus<'static>, into: State, people: u64| {
        for wire in &world.banks {
            for id in wire.submissions.lock().unwrap().clone() {
                let honest = kaname_pay::Bank::status(&wire.bank, &id).unwrap().unwrap();
                let mut report = parse_pain002(&honest).unwrap();
                report.message_status = Some(status());
                report.payment_status = None;
                report.transfers.clear();
                report.original_payment_id = None;
                wire.forged.lock().unwrap().insert(id, write_pain002(&report).unwrap());
            }
        }
        let outcome = world.pay(run.id).unwrap();
        assert_eq!(outcome.refused_reports, []);
        let now = report(&world.desk, &auditor(), run.id).unwrap();
        assert!(now.is_sound(), "{now:?}");
        assert_eq!(now.people(into), people);
        outcome.run.state
    };
    world.banks.iter().for_each(|wire| *wire.silent.lock().unwrap() = true);
    world.pay(run.id).unwrap();
    world.banks.iter().for_each(|wire| *wire.silent.lock().unwrap() = false);
    assert_eq!(all(|| GroupStatus::All(Status::Accepted), State::Sent, 8), RunState::Running);
    assert_eq!(all(rejected_all, State::Returned, 8), RunState::Finished);
    assert!(world.books().is_sound());
}

fn rejected_all() -> GroupStatus<'static> {
    GroupStatus::All(Status::Rejected { code: "AM04".into(), text: None })
}

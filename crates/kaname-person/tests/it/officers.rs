//! Officers, the policy, sector identifiers.

use kaname_base::pack::Pack;
use kaname_person::four_eyes;
use kaname_person::import::rejected;
use kaname_person::number::find_by_number;
use kaname_person::officer::{
    NewOfficer, OfficerChange, OfficerId, add_officer, change_officer, may_manage, officer, officers,
};
use kaname_person::officer_key::{give_key, prove};
use kaname_person::policy::{POLICY, SCOPES, as_text, may};
use kaname_person::register::find_by_reference;
use kaname_person::{Action, PersonError, Refusal};
use kaname_store::Value;
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::{Actor, ActorKind, Mandate, PersonId, TrustError};

use crate::world::{World, env, jane};

on_every_store!(
    officers_come_change_and_go,
    two_officers_do_what_one_may_not,
    an_officer_proves_herself_with_her_key_only,
    the_tables_can_be_distributed,
);

fn officers_come_change_and_go(t: &TestStore) {
    let w = World::new(t, "example");
    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    let work = move |tx: &mut kaname_store::Tx<'_>| {
        let env = env(1);
        let chief =
            add_officer(tx, &keys, &pack, &env, None, None, &new("Grace", "operations", &["administrator"]))?;
        assert_eq!(
            refused(add_officer(
                tx,
                &keys,
                &pack,
                &env,
                None,
                None,
                &new("Eve", "operations", &["administrator"])
            )),
            "not-allowed"
        );
        let by = officer(tx, &keys, chief)?.acting_as("administrator")?;
        let ann = add_officer(
            tx,
            &keys,
            &pack,
            &env,
            Some(&by),
            None,
            &new("Ann", "town-hall", &["registrar", "help-desk"]),
        )?;
        for (office, role, code) in [
            ("town-hall", "king", "unknown-role"),
            ("palace", "registrar", "unknown-office"),
            ("town-hall", "payments", "role-not-in-office"),
            ("audit", "administrator", "role-not-in-office"),
        ] {
            let eve = new("Eve", office, &[role]);
            assert_eq!(refused(add_officer(tx, &keys, &pack, &env, Some(&by), None, &eve)), code);
        }

        let found = officer(tx, &keys, ann)?;
        assert_eq!((found.name.as_str(), found.roles.len()), ("Ann", 2));
        assert_eq!(found.acting_as("auditor"), Err(Refusal::UnknownRole));
        let registrar = found.acting_as("registrar")?;
        assert_eq!(
            refused(change_officer(tx, &pack, &registrar, None, &change(ann, "audit", &["auditor"], true))),
            "not-allowed"
        );
        let moved = change(ann, "", &["auditor"], true);
        assert_eq!(refused(change_officer(tx, &pack, &by, None, &moved)), "role-not-in-office");
        change_officer(tx, &pack, &by, None, &change(ann, "audit", &["auditor"], false))?;
        let gone = officer(tx, &keys, ann)?;
        assert_eq!(gone.acting_as("auditor"), Err(Refusal::NoSuchOfficer));
        assert_eq!(officers(tx, &keys)?.len(), 2);

        // One officer's name in another's row does not open.
        let swap = "UPDATE person_officer SET wrapped = (SELECT o.wrapped FROM person_officer AS o
            WHERE o.bucket = $1 AND o.id = $3) WHERE person_officer.bucket = $1 AND person_officer.id = $2";
        tx.change_one(swap, &[Value::from(&ann), Value::from(&chief)])?;
        assert!(matches!(officer(tx, &keys, ann), Err(PersonError::Trust(TrustError::BrokenSeal))));
        Ok::<_, PersonError>(())
    };
    w.store.write(w.store.buckets().home(), work).expect("works");
}

fn new(name: &str, office: &str, roles: &[&str]) -> NewOfficer {
    let roles = roles.iter().map(|role| (*role).to_owned()).collect();
    NewOfficer { name: name.to_owned(), office: office.to_owned(), roles }
}

fn change(id: OfficerId, office: &str, roles: &[&str], active: bool) -> OfficerChange {
    let roles = roles.iter().map(|role| (*role).to_owned()).collect();
    OfficerChange { officer: id.to_string(), office: office.to_owned(), roles, active }
}

fn two_officers_do_what_one_may_not(t: &TestStore) {
    let w = World::new(t, "example");
    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    let work = move |tx: &mut kaname_store::Tx<'_>| {
        let env = env(1);
        let administrator = |name: &str| new(name, "operations", &["administrator"]);
        let grace = add_officer(tx, &keys, &pack, &env, None, None, &administrator("Grace"))?;
        let grace = officer(tx, &keys, grace)?.acting_as("administrator")?;
        // Alone she adds the second one; from then on there are two to do it.
        let ada = add_officer(tx, &keys, &pack, &env, Some(&grace), None, &administrator("Ada"))?;
        let ada_acts = officer(tx, &keys, ada)?.acting_as("administrator")?;
        let eve = new("Eve", "benefits", &["payments"]);
        for by in [&grace, &ada_acts] {
            let added = add_officer(tx, &keys, &pack, &env, Some(by), None, &eve);
            assert_eq!(refused(added), "two-officers");
            let gone = change(ada, "", &[], false);
            assert_eq!(refused(change_officer(tx, &pack, by, None, &gone)), "two-officers");
            let activated = may_manage(tx, &pack, Action::IssueOfficerActivation, by, None);
            assert_eq!(refused(activated), "two-officers", "nor can she make a letter for another one");
        }

        let manage = Action::ManageOfficers;
        let id = four_eyes::propose(tx, &keys, &env, &grace, manage, &eve)?;
        assert_eq!(
            refused(four_eyes::approve(tx, &keys, &env, &grace, id, four_eyes::ASKED)),
            "same-officer"
        );
        let clerk = Actor::officer("off_2", "registrar");
        assert_eq!(refused(four_eyes::approve(tx, &keys, &env, &clerk, id, four_eyes::ASKED)), "not-allowed");
        assert_eq!(refused(four_eyes::propose(tx, &keys, &env, &clerk, manage, &eve)), "not-allowed");
        let later = kaname_base::Env::new(env.now.plus_seconds(15 * 86_400), [9; 32]);
        assert_eq!(
            refused(four_eyes::approve(tx, &keys, &later, &ada_acts, id, four_eyes::ASKED)),
            "no-such-proposal"
        );
        assert_eq!(four_eyes::waiting(tx, &keys, env.now, std::slice::from_ref(&ada_acts))?.len(), 1);
        assert!(four_eyes::waiting(tx, &keys, env.now, std::slice::from_ref(&clerk))?.is_empty());
        assert!(four_eyes::waiting(tx, &keys, later.now, std::slice::from_ref(&ada_acts))?.is_empty());

        let approved = four_eyes::approve(tx, &keys, &env, &ada_acts, id, four_eyes::ASKED)?;
        // Stopped here, she does it again; the proof is for this action, and for whoever proposed.
        let approved_again = four_eyes::approve(tx, &keys, &env, &ada_acts, id, four_eyes::ASKED)?;
        assert_eq!(approved_again.second().id, approved.second().id);
        let by_ada = add_officer(tx, &keys, &pack, &env, Some(&ada_acts), Some(&approved), &eve);
        assert_eq!(refused(by_ada), "two-officers");
        let other = may_manage(tx, &pack, Action::IssueOfficerActivation, &grace, Some(&approved));
        assert_eq!(refused(other), "two-officers");
        let agreed: NewOfficer = approved.proposal().content()?;
        let eve_is = add_officer(tx, &keys, &pack, &env, Some(&grace), Some(&approved), &agreed)?;
        four_eyes::close(tx, &keys, &approved)?;
        assert_eq!(refused(four_eyes::close(tx, &keys, &approved)), "no-such-proposal");
        assert_eq!(
            refused(four_eyes::approve(tx, &keys, &env, &ada_acts, id, four_eyes::ASKED)),
            "no-such-proposal"
        );
        assert_eq!(officer(tx, &keys, eve_is)?.office.as_deref(), Some("benefits"));

        let taken_back = four_eyes::propose(tx, &keys, &env, &grace, manage, &eve)?;
        four_eyes::withdraw(tx, &keys, &ada_acts, taken_back)?;
        let late = four_eyes::approve(tx, &keys, &env, &ada_acts, taken_back, four_eyes::ASKED);
        assert_eq!(refused(late), "no-such-proposal");
        Ok::<_, PersonError>(())
    };
    w.store.write(w.store.buckets().home(), work).expect("works");
}

#[test]
fn every_shipped_pack_asks_for_two_where_a_use_case_asks_too() {
    for pack in Pack::shipped().iter().filter_map(|id| Pack::load_shipped(id)) {
        assert_eq!(four_eyes::unknown(&pack), Vec::<String>::new(), "{}", pack.id);
        for action in four_eyes::ASKED {
            assert!(four_eyes::is_asked(&pack, *action), "{}: {action}", pack.id);
        }
    }
}

fn the_tables_can_be_distributed(t: &TestStore) {
    let store = t.open(&[kaname_person::MIGRATIONS]);
    assert_eq!(kaname_store::lint::catalogue(&store).expect("reads"), []);
}

fn refused<T>(result: Result<T, PersonError>) -> &'static str {
    match result {
        Err(PersonError::Refused(refusal)) => refusal.code(),
        Err(error) => panic!("{error}"),
        Ok(_) => "done",
    }
}

#[test]
fn the_policy_reads_like_this() {
    let expected = include_str!("policy.txt");
    assert_eq!(as_text(), expected, "change tests/it/policy.txt only when the rules are meant to change");
    for (action, roles) in POLICY {
        let rows = POLICY.iter().filter(|(other, _)| other == action).count();
        assert_eq!((rows, roles.is_empty()), (1, false), "{action}");
    }
}

#[test]
fn nobody_borrows_rights_by_naming_a_role() {
    let acting = |kind, role: &str| may(&Actor::new(kind, "x", role), Action::OpenResident);
    assert_eq!(acting(ActorKind::Officer, "registrar"), Ok(()));
    for (kind, role) in [
        (ActorKind::Officer, "self"),
        (ActorKind::Officer, "program"),
        (ActorKind::Officer, "delegate"),
        (ActorKind::Officer, ""),
        (ActorKind::Party, "registrar"),
        (ActorKind::Party, "self"),
    ] {
        assert!(acting(kind, role).is_err(), "{kind:?} {role}");
    }
    let resident = Actor::new(ActorKind::Resident, "self", "registrar");
    assert!(may(&resident, Action::RegisterResident).is_err());
    for pack in Pack::shipped().iter().filter_map(|id| Pack::load_shipped(id)) {
        let known = |role: &&str| {
            ["self", "delegate", "agency", "program"].contains(role) || pack.role(role).is_some()
        };
        assert!(POLICY.iter().all(|(_, roles)| roles.iter().all(&known)), "{}", pack.id);
    }
}

#[test]
fn a_mandate_allows_what_is_in_its_scope_and_nothing_else() {
    let her = PersonId::from_bytes([7; 16]);
    let with = |scope: &[&str]| {
        let scope = scope.iter().map(|code| (*code).to_owned()).collect();
        Mandate::for_person(her, "man_1".to_owned(), "parent".to_owned(), scope)
    };
    let mut allowed = 0;
    for (action, scope) in SCOPES {
        let [holder, clerk] = [Actor::delegate(with(&[scope])), Actor::officer("off_1", "help-desk")];
        let clerk = Actor { mandate: Some(Box::new(with(&[scope]))), ..clerk };
        assert_eq!((may(&holder, *action), may(&clerk, *action)), (Ok(()), Ok(())), "{action}");
        let others: Vec<&str> = SCOPES.iter().map(|(_, code)| *code).filter(|code| code != scope).collect();
        assert!(may(&Actor::delegate(with(&others)), *action).is_err(), "{action}");
        allowed += 1;
    }
    assert!(allowed > 3, "only {allowed} actions");
    // Neither an officer's own rights nor the program's come with it.
    let all: Vec<&str> = SCOPES.iter().map(|(_, code)| *code).collect();
    let registrar = Actor { mandate: Some(Box::new(with(&all))), ..Actor::officer("off_1", "registrar") };
    assert!(may(&registrar, Action::RegisterResident).is_err());
    let program = Actor { mandate: Some(Box::new(with(&all))), ..Actor::program("import", "registrar") };
    assert!(may(&program, Action::OpenResident).is_err());
}

#[test]
fn nobody_looks_for_a_resident_without_the_role() {
    let t = TestStore::sqlite();
    let w = World::new(&t, "example");
    let person = w.register(1, jane()).expect("registers");
    let number = crate::numbers::reveal(&w, person);
    let by_reference =
        |role| refused(find_by_reference(&w.store, &w.keys, &crate::world::officer(role), "town", "A-1"));
    let by_number = |role| refused(find_by_number(&w.store, &w.keys, &crate::world::officer(role), &number));
    let file = w.file("rejects.csv", "");
    let rejects = |role| match rejected(&crate::world::officer(role), &file, 0, 9) {
        Err(refusal) => refusal.code(),
        Ok(_) => "done",
    };
    let no = "not-allowed";
    let roles = ["registrar", "payments", "help-desk", "auditor", "administrator"];
    assert_eq!(roles.map(by_reference), ["done", "done", "done", "done", no]);
    assert_eq!(roles.map(by_number), ["done", "done", "done", "done", no]);
    assert_eq!(roles.map(rejects), ["done", no, no, no, no]);
}

fn an_officer_proves_herself_with_her_key_only(t: &TestStore) {
    let w = World::new(t, "example");
    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    let work = move |tx: &mut kaname_store::Tx<'_>| {
        let env = env(1);
        let chief =
            add_officer(tx, &keys, &pack, &env, None, None, &new("Grace", "operations", &["administrator"]))?;
        let first = give_key(tx, &keys, None, chief)?;
        assert_eq!(
            refused(give_key(tx, &keys, None, chief)),
            "not-allowed",
            "only the first key is given freely"
        );
        let by = prove(tx, &keys, chief, &first)?.acting_as("administrator")?;
        let ann =
            add_officer(tx, &keys, &pack, &env, Some(&by), None, &new("Ann", "benefits", &["payments"]))?;
        assert_eq!(refused(prove(tx, &keys, ann, "")), "officer-key-wrong", "she has none yet");
        let hers = give_key(tx, &keys, Some(&by), ann)?;
        assert_eq!(refused(prove(tx, &keys, ann, &first)), "officer-key-wrong");
        assert_eq!(refused(prove(tx, &keys, chief, &hers)), "officer-key-wrong");
        let payments = prove(tx, &keys, ann, &hers)?.acting_as("payments")?;
        assert_eq!(refused(give_key(tx, &keys, Some(&payments), ann)), "not-allowed");
        let newer = give_key(tx, &keys, Some(&by), ann)?;
        assert_eq!(
            refused(prove(tx, &keys, ann, &hers)),
            "officer-key-wrong",
            "the newer one takes its place"
        );
        assert!(prove(tx, &keys, ann, &newer).is_ok());
        change_officer(tx, &pack, &by, None, &change(ann, "", &[], false))?;
        assert_eq!(refused(prove(tx, &keys, ann, &newer)), "no-such-officer");
        Ok::<_, PersonError>(())
    };
    w.store.write(w.store.buckets().home(), work).expect("works");
}

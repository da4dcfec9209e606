//! The invented world around the deployment: staff, letters, banks and accounts.

use std::fs::File;
use std::path::{Path, PathBuf};

use kaname_base::Env;
use kaname_person::officer::{NewOfficer, Officer, OfficerId, officers};
use kaname_person::register::person_of_reference;
use kaname_person::show::{Asking, open_resident};
use kaname_person::{PersonError, Resident};
use kaname_signin::{Holder, letter};
use kaname_sim::SimPerson;
use kaname_sim::bank::{SimAccount, accounts as invent_accounts};
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, PersonId};

use super::summary::{Accounts, LetterLine};
use crate::command::{self, officer};
use crate::deployment::Deployment;
use crate::error::Failure;
use crate::{clock, paper};

/// How many accounts are checked at a time.
pub(super) const ACCOUNTS_AT_ONCE: usize = 8_192;

/// The source under which `residents.csv` is imported.
const SOURCE: &str = "residents";

/// The officers that the payout takes.
pub(crate) struct Staff {
    pub(crate) planner: OfficerId,
    pub(crate) approver: OfficerId,
}

/// Names and roles of the invented officers; the first adds the others. Each is in the pack's first office that has the role.
const OFFICERS: [(&str, &str); 4] = [
    ("Ada Minster", "administrator"),
    ("Petra Plan", "payments"),
    ("Akira Approve", "payments"),
    ("Rei Register", "registrar"),
];

/// The officers, added when there are none.
pub(crate) fn staff(deployment: &Deployment) -> Result<Staff, Failure> {
    let keys = deployment.keys.clone();
    let home = deployment.store.buckets().home();
    let mut known = deployment.store.read(home, move |tx| officers(tx, &keys))?;
    let mut boss = known.iter().find_map(|officer| administrator(officer).ok());
    for (name, role) in OFFICERS {
        if known.iter().any(|officer| officer.name == name) {
            continue;
        }
        let office = deployment.pack.offices.iter().find(|office| office.roles.iter().any(|own| own == role));
        let office = office.ok_or_else(|| Failure::refused(format!("the pack has no office with {role}")))?;
        let roles = vec![role.to_owned()];
        let new = NewOfficer { name: name.to_owned(), office: office.code.clone(), roles: roles.clone() };
        let id = officer::add(deployment, boss.as_ref(), None, &new)?;
        officer::write_key(deployment, boss.as_ref(), None, id, &officer::key_file(deployment, id))?;
        let added = Officer { id, name: new.name, office: Some(new.office), roles, active: true };
        if boss.is_none() {
            boss = Some(administrator(&added)?);
        }
        known.push(added);
    }
    let by_name =
        |wanted: &str| known.iter().find(|officer| officer.name == wanted).map(|officer| officer.id);
    match (by_name(OFFICERS[1].0), by_name(OFFICERS[2].0)) {
        (Some(planner), Some(approver)) => Ok(Staff { planner, approver }),
        _ => Err(Failure::refused("the officers of the demonstration are missing")),
    }
}

fn administrator(officer: &Officer) -> Result<Actor, Failure> {
    officer.acting_as("administrator").map_err(Failure::refused)
}

/// Who gets a letter in the demonstration, and whether its code is used at once.
const RESIDENT_LETTERS: [(usize, bool); 4] = [(0, true), (1, true), (2, true), (3, false)];

/// Letters for the first residents and for the officers. Three residents are activated, and the officers where their letters
/// open the office. Letters that are there stay.
pub(super) fn letters(deployment: &Deployment, file: &Path) -> Result<Vec<LetterLine>, Failure> {
    let folder = deployment.folder.join("letters");
    let mut wanted: Vec<(String, PathBuf, bool, Holder)> = Vec::new();
    let people = read_people(file)?;
    for (place, activate) in RESIDENT_LETTERS {
        if let Some(person) = people.get(place) {
            let id =
                person_of_reference(&deployment.keys, deployment.store.buckets(), SOURCE, &person.reference);
            let path = folder.join(format!("resident-{}.html", place + 1));
            wanted.push(("resident".to_owned(), path, activate, Holder::Resident(id)));
        }
    }
    let keys = deployment.keys.clone();
    let home = deployment.store.buckets().home();
    for (place, officer) in
        deployment.store.read(home, move |tx| officers(tx, &keys))?.into_iter().enumerate()
    {
        let role = officer.roles.first().cloned().unwrap_or_default();
        let path = folder.join(format!("officer-{}-{role}.html", place + 1));
        // Where the office asks for a passkey, the code of the letter is for making one.
        let activate = deployment.config.office_by_letter;
        wanted.push((format!("officer, {role}"), path, activate, Holder::Officer(officer.id)));
    }
    let mut lines = Vec::new();
    for (holder_name, path, activate, holder) in wanted {
        if !path.exists() {
            let (name, address) = addressee(deployment, holder)?;
            let provider = deployment.provider()?;
            let issued = letter::issue(&provider, &clock::env(), &command::program(), holder)?;
            if activate {
                letter::activate(
                    &provider,
                    &clock::env(),
                    &issued.number,
                    &issued.code,
                    "kaname demo",
                    None,
                )?;
            }
            paper::write_letter(&path, deployment, &name, &address, &issued)?;
        }
        lines.push(LetterLine { holder: holder_name, file: path, activated: activate });
    }
    Ok(lines)
}

/// Name and address on the envelope. A resident's are read under a receipt, like everywhere.
fn addressee(deployment: &Deployment, holder: Holder) -> Result<(String, Vec<String>), Failure> {
    match holder {
        Holder::Officer(id) => {
            let keys = deployment.keys.clone();
            let home = deployment.store.buckets().home();
            let found = deployment.store.read(home, move |tx| officers(tx, &keys))?;
            let name = found.into_iter().find(|officer| officer.id == id).map(|officer| officer.name);
            Ok((name.unwrap_or_default(), Vec::new()))
        }
        Holder::Resident(person) => {
            let resident = open(deployment, person, clock::env())?;
            let particulars = &resident.particulars;
            let address = &particulars.address;
            let name = resident.display_name(&deployment.pack);
            let lines = [&address.postcode, &address.region, &address.city, &address.line];
            Ok((name, lines.into_iter().filter(|line| !line.is_empty()).cloned().collect()))
        }
    }
}

fn open(deployment: &Deployment, person: PersonId, env: Env) -> Result<Resident, Failure> {
    let Deployment { store, keys, pack, .. } = deployment;
    let (keys, pack) = (keys.clone(), pack.clone());
    let actor = Actor::program("letters", "program");
    let asking = Asking { person, actor, purpose: "registration".to_owned() };
    Ok(store.write::<_, PersonError, _>(bucket_of(person, store.buckets()), move |tx| {
        open_resident(tx, &keys, &pack, &env.again(), &asking, &["name", "address"])
    })?)
}

/// Accounts for nine in ten of the people in the file, opened at the simulated banks.
pub(super) fn accounts(
    deployment: &Deployment,
    file: &Path,
    seed: u64,
) -> Result<Vec<(PersonId, SimAccount)>, Failure> {
    let people = read_people(file)?;
    let invented: Vec<SimAccount> = invent_accounts(&people, &deployment.pack.banks, seed).collect();
    for (code, bank) in deployment.simulated_banks()? {
        bank.add(&invented).map_err(|error| Failure::unavailable(format!("bank {code}: {error}")))?;
    }
    let of = |account: SimAccount| {
        let person =
            person_of_reference(&deployment.keys, deployment.store.buckets(), SOURCE, &account.reference);
        (person, account)
    };
    Ok(invented.into_iter().map(of).collect())
}

/// What the check of account holders found, when it was done before: references and reasons, no names and no accounts.
pub(super) fn checked_accounts(folder: &Path) -> Option<Accounts> {
    serde_json::from_slice(&std::fs::read(folder.join(CHECKED)).ok()?).ok()
}

/// Keeps what the check found, so that a second run need not open everybody's record again.
pub(super) fn remember_accounts(folder: &Path, accounts: &Accounts) -> Result<(), Failure> {
    let text = serde_json::to_vec(accounts).expect("a summary is plain data");
    std::fs::write(folder.join(CHECKED), text).map_err(Failure::unavailable)
}

const CHECKED: &str = "world/accounts-checked.json";

fn read_people(file: &Path) -> Result<Vec<SimPerson>, Failure> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::usage(format!("cannot read {}: {error}", file.display()));
    let open = File::open(file).map_err(|error| failed(&error))?;
    kaname_sim::read_csv(std::io::BufReader::new(open)).map_err(|error| failed(&error))
}

//! Who comes into question for an outside record, and what the matching engine says of each. Opening one is a reading, in her log.

use std::collections::BTreeMap;

use kaname_base::Env;
use kaname_base::pack::source::{Agreement, Source};
use kaname_store::Tx;
use kaname_trust::access::{self, Access};
use kaname_trust::{Actor, PersonId, Receipt, Sealed};

use super::index::{self, Reach};
use super::rules::Candidate;
use super::table::{self, LinkRow};
use super::{Desk, Evidence, Link, LinkId, through};
use crate::linkage::{self, Field, Level, Profile, block_keys};
use crate::show::resident_with;
use crate::{Particulars, PersonError, Refusal, Resident, duplicate};

/// Who comes into question for a record.
#[derive(Clone, Default)]
pub(crate) struct Found {
    pub(crate) people: Vec<PersonId>,
    /// Whether there were more than are compared.
    pub(crate) too_many: bool,
}

/// What of a resident is read to compare her; stands in her access log, with the source.
pub(crate) const COMPARED: [&str; 5] = ["name", "birth_date", "sex", "address", "phone"];

/// Opens these people of the unit's bucket, each once, and compares each with the records that she came into question for. The
/// numbers in the answer are the places of the records.
pub(crate) fn open_and_compare(
    tx: &mut Tx<'_>,
    desk: &Desk,
    env: &Env,
    source: &Source,
    actor: &Actor,
    people: &BTreeMap<PersonId, Vec<usize>>,
    records: &[Particulars],
) -> Result<Vec<(usize, Candidate<PersonId>)>, PersonError> {
    let mut compared = Vec::new();
    let basis = source.legal_basis.get(&desk.pack.default_language().tag);
    let fields: Vec<&str> = COMPARED.into_iter().chain([source.code.as_str()]).collect();
    let accesses: Vec<Access<'_>> = people
        .keys()
        .map(|person| Access { person: *person, actor, purpose: &source.purpose, basis, fields: &fields })
        .collect();
    let receipts = access::record_many(tx, &desk.keys, env, &accesses)?;
    for (receipt, (person, places)) in receipts.iter().zip(people) {
        let resident = match resident_with(tx, receipt) {
            Ok(resident) => resident,
            // The index may name somebody who has left.
            Err(PersonError::Refused(Refusal::NoSuchResident)) => continue,
            Err(error) => return Err(error),
        };
        for place in places {
            let evidence = compare(desk, &records[*place], &resident);
            compared.push((*place, Candidate { person: *person, evidence }));
        }
    }
    Ok(compared)
}

/// Opens a link of the receipt's person.
pub(crate) fn link_with(receipt: &Receipt<'_>, row: &LinkRow) -> Result<Link, PersonError> {
    Ok(Sealed::<Link>::from_bytes(&row.sealed).open(receipt)?.of(row.person)?)
}

/// Opens one link, with an entry in the log of its person that names it.
pub(crate) fn open_link(
    tx: &mut Tx<'_>,
    desk: &Desk,
    env: &Env,
    actor: &Actor,
    person: PersonId,
    link: LinkId,
) -> Result<(LinkRow, Link), PersonError> {
    let row = table::link(tx, person, link)?.ok_or(Refusal::NoSuchLink)?;
    let receipt = log(tx, desk, env, actor, person, CORRECTION, &["link", &through(link)])?;
    let link = link_with(&receipt, &row)?;
    Ok((row, link))
}

/// The purpose under which links are put right.
pub(crate) const CORRECTION: &str = "correction";

/// Writes an entry for a purpose of the pack, and gives the receipt.
pub(crate) fn log<'u>(
    tx: &mut Tx<'u>,
    desk: &Desk,
    env: &Env,
    actor: &Actor,
    person: PersonId,
    purpose: &str,
    fields: &[&str],
) -> Result<Receipt<'u>, PersonError> {
    let purpose = desk.pack.purpose(purpose).ok_or(Refusal::UnknownPurpose)?;
    let basis = purpose.legal_basis.get(&desk.pack.default_language().tag);
    let access = Access { person, actor, purpose: &purpose.code, basis, fields };
    Ok(access::record(tx, &desk.keys, env, &access)?)
}

/// Seals a link again and keeps it in the state of its row.
pub(crate) fn keep(tx: &mut Tx<'_>, desk: &Desk, row: &mut LinkRow, link: &Link) -> Result<(), PersonError> {
    let key = kaname_trust::seal::data_key(tx, &desk.keys, row.person)?;
    row.sealed = key.seal(link).bytes().to_vec();
    table::replace_link(tx, row)?;
    row.version += 1;
    Ok(())
}

/// Who comes into question for each record.
pub(crate) fn candidates(
    desk: &Desk,
    records: &[&Particulars],
    reach: Reach,
) -> Result<Vec<Found>, PersonError> {
    let keys: Vec<Vec<Vec<u8>>> = records
        .iter()
        .map(|record| {
            let keys = block_keys(&Profile::of(record, &desk.pack));
            keys.iter().map(|key| key.bytes().to_vec()).collect()
        })
        .collect();
    index::search(desk, &keys, reach)
}

/// The forms in which a resident is looked for: as she is now, and under what the register knows of her past.
pub(crate) fn profiles(desk: &Desk, resident: &Resident) -> Vec<Profile> {
    past_and_present(resident).iter().flat_map(|form| duplicate::profiles(form, &desk.pack)).collect()
}

/// The most former names, and the most former addresses, that are looked at: the newest.
const MOST_PAST: usize = 4;

pub(crate) fn past_and_present(resident: &Resident) -> Vec<Particulars> {
    let now = &resident.particulars;
    let mut forms = vec![now.clone()];
    for former in resident.life.former_addresses.iter().rev().take(MOST_PAST) {
        forms.push(Particulars { address: former.address.clone(), ..now.clone() });
    }
    for former in resident.life.former_names.iter().rev().take(MOST_PAST) {
        let names = former.names.clone();
        forms.push(Particulars {
            name: names.name,
            reading: names.reading,
            latin: names.latin,
            ..now.clone()
        });
    }
    forms
}

/// What the matching engine says of a record and a resident, in the form of hers that fits best.
pub(crate) fn compare(desk: &Desk, record: &Particulars, resident: &Resident) -> Evidence {
    let record = Profile::of(record, &desk.pack);
    let of = |particulars: &Particulars| {
        linkage::compare(&desk.model, &record, &Profile::of(particulars, &desk.pack))
    };
    let forms = past_and_present(resident);
    let best = forms.iter().map(of).max_by(|a, b| a.weight.total_cmp(&b.weight));
    evidence_of(&best.expect("there is the present form"))
}

fn evidence_of(evidence: &linkage::Evidence) -> Evidence {
    let level = |field: Field| {
        evidence.fields.iter().find(|found| found.field == field).map_or(Level::Absent, |found| found.level)
    };
    // A name that sounds alike or has its parts in another order is the same name; a nickname or an initial is not enough.
    let same_name = |field| matches!(level(field), Level::Same | Level::Sound | Level::Swapped);
    let has_names = [Field::Given, Field::Family].into_iter().any(|field| level(field) != Level::Absent);
    let one_name = |field| matches!(level(field), Level::Absent);
    let name = has_names
        && [Field::Given, Field::Family].into_iter().all(|field| same_name(field) || one_name(field));
    let agrees = [
        (Agreement::Name, name),
        (Agreement::BirthDate, level(Field::Born) == Level::Same),
        (Agreement::Sex, level(Field::Sex) == Level::Same),
        (Agreement::Address, matches!(level(Field::Address), Level::Same | Level::StreetSlip)),
    ];
    Evidence {
        probability: (f64::from(evidence.probability) * 10_000.0).floor() as u32,
        weight: (f64::from(evidence.weight) * 1_000.0).round() as i64,
        fields: evidence
            .fields
            .iter()
            .map(|found| (found.field.code().to_owned(), found.level.code().to_owned()))
            .collect(),
        agrees: agrees.iter().filter(|(_, yes)| *yes).map(|(field, _)| field.word().to_owned()).collect(),
        number: false,
    }
}

//! Register look-ups by number: the number resolved, the reading logged with a receipt, the record opened; each durable before it is
//! answered, and each checked to be hers.

use std::sync::atomic::{AtomicUsize, Ordering};

use kaname_base::number::PersonNumber;
use kaname_person::PersonError;
use kaname_person::number::find_by_number;
use kaname_person::register::people_in_bucket;
use kaname_person::show::{Asking, number_with, open_resident, resident_with};
use kaname_trust::person::bucket_of;
use kaname_trust::{Access, Actor, access};

use super::{Measured, Place, import};
use crate::clock;
use crate::command::sim;
use crate::deployment::Deployment;
use crate::error::Failure;

/// Officers and agencies who ask at once. They share the flushes of the disk.
const ASKING: usize = 64;

pub(super) fn measure(place: &Place, count: u64) -> Result<Measured, Failure> {
    let people = (count / 2).clamp(1_000, 100_000);
    let deployment = place.deployment(people, 0)?;
    sim::write_people("example", 1, people, &place.file("residents.csv"))?;
    import::import(place, &deployment, people, true)?;
    let known = numbers(&deployment)?;
    let next = AtomicUsize::new(0);
    super::measure(place, "lookup", "look-ups", || {
        let failed = std::thread::scope(|scope| {
            let ask = || look_up_all(&deployment, &known, count as usize, &next);
            let asking: Vec<_> = (0..ASKING).map(|_| scope.spawn(ask)).collect();
            let answers = asking.into_iter().map(|thread| thread.join().expect("a look-up does not panic"));
            answers.filter_map(Result::err).next()
        });
        failed.map_or(Ok(count), Err)
    })
}

/// Takes the next number until all were asked for.
fn look_up_all(
    deployment: &Deployment,
    known: &[(PersonNumber, String)],
    count: usize,
    next: &AtomicUsize,
) -> Result<(), Failure> {
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        if at >= count {
            return Ok(());
        }
        // Far apart, so that no page of the database is asked for twice in a row.
        let (number, reference) = &known[at.wrapping_mul(7_919) % known.len()];
        look_up(deployment, number, reference)?;
    }
}

fn look_up(deployment: &Deployment, number: &PersonNumber, reference: &str) -> Result<(), Failure> {
    let Deployment { store, keys, pack, .. } = deployment;
    let actor = Actor::officer("off_bench", "registrar");
    let person = find_by_number(store, keys, &actor, number)?
        .ok_or_else(|| Failure::refused("a number that was given leads to nobody"))?;
    let ask = Asking { person, actor, purpose: "registration".to_owned() };
    let (keys, pack, env) = (keys.clone(), pack.clone(), clock::env());
    let found = store.write(bucket_of(person, store.buckets()), move |tx| {
        open_resident(tx, &keys, &pack, &env.again(), &ask, &["name", "birth_date", "address"])
    })?;
    match found.particulars.reference == reference {
        true => Ok(()),
        false => Err(Failure::refused("a look-up gave another person than the one asked for")),
    }
}

/// Everybody's number and reference, opened with a receipt each before the clock starts.
fn numbers(deployment: &Deployment) -> Result<Vec<(PersonNumber, String)>, Failure> {
    let Deployment { store, keys, .. } = deployment;
    let mut all = Vec::new();
    for bucket in store.buckets().all() {
        let (keys, env) = (keys.clone(), clock::env());
        let found = store.write::<_, PersonError, _>(bucket, move |tx| {
            let people = people_in_bucket(tx, None, usize::MAX)?;
            let actor = Actor::program("bench", "program");
            let (purpose, basis, fields) = ("registration", "bench", &["number"]);
            let accesses: Vec<_> = people
                .iter()
                .map(|person| Access { person: *person, actor: &actor, purpose, basis, fields })
                .collect();
            let mut found = Vec::with_capacity(people.len());
            for receipt in access::record_many(tx, &keys, &env.again(), &accesses)? {
                found.push((number_with(tx, &receipt)?, resident_with(tx, &receipt)?.particulars.reference));
            }
            Ok(found)
        })?;
        all.extend(found);
    }
    Ok(all)
}

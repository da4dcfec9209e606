//! Residents registered at a counter, each after the search for whoever looks like her, in a register that is full already: what it
//! costs, how many who are new are stopped for an officer, and how many of those who are there already are found.

use clap::Args;
use kaname_person::duplicate::register_checked;
use kaname_person::register::Register as Registration;
use kaname_person::{Entry, Numbers, Particulars, PersonError, Refusal};
use kaname_sim::SimPerson;
use kaname_sim::twice::{Rates, registered_twice};
use kaname_trust::{Actor, ActorKind};
use serde::Serialize;

use super::{Measured, Place, Size};
use crate::clock::env;
use crate::command::sim;
use crate::deployment::unknown_country;
use crate::error::Failure;
use crate::show;

/// How many people come to the counter: half of them are new, half are in the register already and are written down otherwise.
const COMING: usize = 1_000;

/// So many of a thousand new people may be stopped, and so many of those who come again must be. With the few names of an invented
/// country one is had for the other; beyond these something is broken.
const MOST_STOPPED: usize = 30;
const LEAST_FOUND: usize = 920;

#[derive(Args)]
pub(crate) struct Register {
    /// Whose people: their names, their errors, and how few of their names there are
    #[arg(long, default_value = "example")]
    country: String,
    #[command(flatten)]
    pub(super) size: Size,
}

#[derive(Serialize)]
pub(super) struct Registered {
    #[serde(flatten)]
    pub(super) measured: Measured,
    country: String,
    residents: u64,
    cpu_milliseconds_each: f64,
    /// Of so many who were nobody's second entry …
    new: usize,
    /// … so many had to wait for an officer.
    stopped: usize,
    /// Of so many who were in the register already …
    again: usize,
    /// … so many were noticed.
    found: usize,
}

pub(super) fn run(ask: &Register) -> Result<Registered, Failure> {
    let (place, residents) = (Place::new(&ask.size)?, ask.size.count.unwrap_or(100_000));
    let deployment = place.deployment_of(&ask.country, residents, 0)?;
    sim::write_people(&ask.country, 1, residents, &place.file("residents.csv"))?;
    super::import::import(&place, &deployment, residents, ask.size.json)?;
    // The same seed makes the same people, and second records of some of them.
    let rates = Rates { twice: 50, twins: 0, namesakes: 0 };
    let of = |seed, many| {
        let people = registered_twice(&ask.country, seed, many, rates);
        people.ok_or_else(|| unknown_country(&ask.country))
    };
    let again = of(1, residents.min(40_000))?.map(|one| one.record);
    // What the country's rules refuse is mended at the counter before anybody is looked for.
    let today = env().now.date_in(&deployment.pack.time_zone);
    let is_good = |record: &SimPerson| {
        let born = record.birth_date.to_string();
        Particulars::check(&entry(record, &born), &deployment.pack, today).is_ok()
    };
    let again = again.filter(|record| record.reference.ends_with('S') && is_good(record));
    let new = of(2, COMING as u64)?.map(|one| one.record).filter(|record| !record.reference.ends_with('S'));
    let coming: Vec<_> =
        new.take(COMING / 2).zip(again).flat_map(|(new, again)| [(new, false), (again, true)]).collect();

    let numbers = Numbers::new(&deployment.keys, &deployment.pack);
    let by = Actor::new(ActorKind::Officer, "bench", "registrar");
    let (mut stopped, mut found) = (0, 0);
    let measured = super::measure(&place, "register", "registrations", || {
        for (i, (one, is_here)) in coming.iter().enumerate() {
            let (record, born) = (one, one.birth_date.to_string());
            let mut request = [7; 16];
            request[..8].copy_from_slice(&(i as u64).to_be_bytes());
            let ask = Registration {
                request,
                entry: entry(record, &born),
                source: "counter",
                by: by.clone(),
                why: "bench",
                evidence: "passport",
            };
            let (store, keys, pack) = (&deployment.store, &deployment.keys, &deployment.pack);
            match register_checked(store, keys, pack, &numbers, &env(), &ask, None) {
                Ok(_) => {}
                Err(PersonError::Refused(Refusal::LooksLikeSomebody)) if *is_here => found += 1,
                Err(PersonError::Refused(Refusal::LooksLikeSomebody)) => stopped += 1,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(coming.len() as u64)
    })?;
    let each = coming.len() / 2;
    let registered = Registered {
        cpu_milliseconds_each: 1_000.0 / measured.per_core_second,
        measured,
        country: ask.country.clone(),
        residents,
        new: each,
        stopped,
        again: each,
        found,
    };
    match stopped * 1_000 <= each * MOST_STOPPED && found * 1_000 >= each * LEAST_FOUND {
        true => Ok(registered),
        false => Err(Failure::refused(format!(
            "{stopped} of {each} new people were stopped, and {found} of {each} who came again were found, at {:.2} ms each",
            registered.cpu_milliseconds_each
        ))),
    }
}

fn entry<'a>(record: &'a SimPerson, born: &'a str) -> Entry<'a> {
    Entry {
        family_name: &record.family_name,
        given_name: &record.given_name,
        family_reading: &record.family_reading,
        given_reading: &record.given_reading,
        family_latin: &record.family_latin,
        given_latin: &record.given_latin,
        birth_date: born,
        sex: &record.sex,
        status: &record.status,
        postcode: &record.postcode,
        region: &record.region,
        city: &record.city,
        address: &record.address,
        phone: &record.phone,
        email: &record.email,
        ..Entry::default()
    }
}

pub(super) fn print(registered: &Registered) {
    let Registered { country, residents, new, stopped, again, found, .. } = registered;
    println!("  beside {} residents of {country}", show::grouped(*residents));
    println!("  {stopped} of {new} new people were stopped for an officer");
    println!("  {found} of {again} who came again were noticed");
    println!("  {:.2} ms of CPU each", registered.cpu_milliseconds_each);
}

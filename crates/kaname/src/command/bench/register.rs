//! Residents registered at a counter, each after the search for whoever looks like her, in a register that is full already.

use kaname_person::duplicate::register_checked;
use kaname_person::register::Register;
use kaname_person::{Entry, Numbers, PersonError, Refusal};
use kaname_sim::twice::{Rates, registered_twice};
use kaname_trust::{Actor, ActorKind};

use super::{Measured, Place};
use crate::clock::env;
use crate::command::sim;
use crate::error::Failure;

/// How many people come to the counter: half of them are new, half are in the register already and are written down otherwise.
const COMING: u64 = 1_000;

pub(super) fn measure(place: &Place, count: u64, quiet: bool) -> Result<Measured, Failure> {
    let deployment = place.deployment(count, 0)?;
    sim::write_people("example", 1, count, &place.file("residents.csv"))?;
    super::import::import(place, &deployment, count, quiet)?;
    // The same seed makes the same people, and second records of some of them.
    let rates = Rates { twice: 50, twins: 0, namesakes: 0 };
    let of = |seed, many| registered_twice("example", seed, many, rates).expect("the country is shipped");
    let again = of(1, count.min(40_000)).filter(|one| one.record.reference.ends_with('S'));
    let new = of(2, COMING).filter(|one| !one.record.reference.ends_with('S'));
    let half = COMING as usize / 2;
    let coming: Vec<_> = new.take(half).zip(again.take(half)).flat_map(|(new, again)| [new, again]).collect();

    let numbers = Numbers::new(&deployment.keys, &deployment.pack);
    let by = Actor::new(ActorKind::Officer, "bench", "registrar");
    super::measure(place, "register", "registrations", || {
        let (mut registered, mut asked_about) = (0, 0);
        for (i, one) in coming.iter().enumerate() {
            let (record, born) = (&one.record, one.record.birth_date.to_string());
            let mut request = [7; 16];
            request[..8].copy_from_slice(&(i as u64).to_be_bytes());
            let ask = Register {
                request,
                entry: Entry {
                    family_name: &record.family_name,
                    given_name: &record.given_name,
                    birth_date: &born,
                    sex: &record.sex,
                    status: &record.status,
                    postcode: &record.postcode,
                    region: &record.region,
                    city: &record.city,
                    address: &record.address,
                    phone: &record.phone,
                    email: &record.email,
                    ..Entry::default()
                },
                source: "counter",
                by: by.clone(),
                why: "bench",
                evidence: "passport",
            };
            let (store, keys, pack) = (&deployment.store, &deployment.keys, &deployment.pack);
            match register_checked(store, keys, pack, &numbers, &env(), &ask, None) {
                Ok(_) => registered += 1,
                Err(PersonError::Refused(Refusal::LooksLikeSomebody)) => asked_about += 1,
                Err(error) => return Err(error.into()),
            }
        }
        // Most who come again must be noticed, and most who are new must not be taken for others.
        match asked_about * 10 >= half * 8 && registered * 10 >= half * 8 {
            true => Ok(coming.len() as u64),
            false => Err(Failure::refused(format!(
                "{registered} registered and {asked_about} asked about, of {half} new and {half} who came again"
            ))),
        }
    })
}

//! Use cases: an agency whose messages are signed has life events brought to an address of its own, of people whom it names or of all
//! whom it hears of, and ends that (DCI subscribe and unsubscribe). Nothing is confirmed by a token: the signature has said who asks.
//!
//! The message is a question like any other: taken once, done in the unit of work that takes it, and answered later by a job that
//! tells what was done.

use kaname_base::hex;
use kaname_store::Tx;
use kaname_trust::Access;
use kaname_trust::access;
use kaname_trust::person::bucket_of;
use serde::{Deserialize, Serialize};

use super::note_known;
use super::subscription::{self, Body, Signed};
use crate::agency::transaction::{self, Asked};
use crate::agency::{Desk, basis, name, whom};
use crate::{Action, PersonError, Refusal, policy};

/// What an agency wants to hear of.
#[derive(Clone)]
pub struct Wish {
    /// The topics of life events.
    pub topics: Vec<String>,
    /// What [`named`] gave for the people; empty for all whom the agency hears of.
    pub people: Vec<String>,
    /// What the interface needs to tell an event.
    pub told: String,
}

/// What became of one part of a message. The codes are the interface's own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Done {
    /// Events are brought, by these subscriptions.
    Begun(Vec<String>),
    /// The subscription is ended.
    Ended(String),
    /// Nothing was done.
    Refused {
        /// Why, by a code of the interface.
        code: String,
        /// Why, for people.
        text: String,
    },
}

/// What the agency calls those whom it names by number, alias or its own name. It hears of them from now on; each finds that in her log.
///
/// # Errors
/// [`Refusal::NotAllowed`]; [`Refusal::UnknownPurpose`] when no law lets the agency hear of anybody; [`Refusal::NoSuchResident`].
pub fn named(desk: Desk<'_>, who: &[String]) -> Result<Vec<String>, PersonError> {
    policy::may(&desk.agency.actor(), Action::ReadAsAgency)?;
    let Desk { store, keys, pack, env, agency, .. } = desk;
    agency.purpose(pack)?;
    let mut names = Vec::new();
    for who in who {
        let person = whom::resident(store, keys, pack, env, agency, who)?;
        let (with, of, pack, env) = (keys.clone(), agency.clone(), pack.clone(), env.again());
        store.write::<_, PersonError, _>(bucket_of(person, store.buckets()), move |tx| {
            let (purpose, actor) = (of.purpose(&pack)?, of.actor());
            let ask = Access {
                person,
                actor: &actor,
                purpose: &purpose.code,
                basis: basis(&pack, purpose),
                fields: &["life-events"],
            };
            access::record(tx, &with, &env.again(), &ask)?;
            Ok(note_known(tx, &with, &of, person)?)
        })?;
        names.push(name::of_person(keys, agency, person));
    }
    Ok(names)
}

/// Takes a message that asks for events to be brought to `address`, and does so. The same again is the same message, and done once.
///
/// # Errors
/// As [`transaction::open`].
pub fn begin(
    desk: Desk<'_>,
    ask: Asked<'_>,
    address: &str,
    wishes: Vec<Result<Wish, Done>>,
) -> Result<(), PersonError> {
    policy::may(&desk.agency.actor(), Action::TellAsAgency)?;
    let (keys, agency, env) = (desk.keys.clone(), desk.agency.clone(), desk.env.again());
    let address = address.to_owned();
    let begin_one = move |tx: &mut Tx<'_>, wish: &Wish| -> Result<Vec<String>, PersonError> {
        let signed = Signed { people: wish.people.clone(), told: wish.told.clone() };
        let begun = wish.topics.iter().map(|topic| {
            let body = Body::signed(topic, &address, signed.clone());
            subscription::begin_signed(tx, &keys, &env.again(), &agency, &body)
        });
        begun.collect()
    };
    transaction::open_with(desk, ask, move |tx| {
        let done = wishes.iter().map(|wish| match wish {
            Err(refused) => Ok(refused.clone()),
            Ok(wish) => match begin_one(tx, wish) {
                Ok(codes) => Ok(Done::Begun(codes)),
                Err(PersonError::Refused(refusal @ Refusal::TooMany)) => {
                    Ok(Done::Refused { code: refusal.code().to_owned(), text: refusal.to_string() })
                }
                Err(error) => Err(error),
            },
        });
        done.collect()
    })
}

/// Takes a message that ends subscriptions, and ends them all, or none if one of them is not there.
///
/// # Errors
/// As [`transaction::open`].
pub fn end(desk: Desk<'_>, ask: Asked<'_>, codes: Vec<String>, refused: Done) -> Result<(), PersonError> {
    policy::may(&desk.agency.actor(), Action::TellAsAgency)?;
    let (keys, agency) = (desk.keys.clone(), desk.agency.clone());
    transaction::open_with(desk, ask, move |tx| {
        let there = subscription::ids(tx, &keys, &agency)?;
        let meant: Option<Vec<_>> =
            codes.iter().map(|code| hex::decode(code).filter(|id| there.contains(id))).collect();
        let Some(meant) = meant else { return Ok(vec![refused.clone()]) };

        for id in &meant {
            subscription::end_one(tx, &keys, &agency, id)?;
        }
        Ok(codes.iter().map(|code| Done::Ended(code.clone())).collect())
    })
}

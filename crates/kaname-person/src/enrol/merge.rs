//! Use case: packets join the register, in any order, twice without harm.

use std::collections::BTreeSet;

use jiff::ToSpan;
use kaname_base::Env;
use kaname_base::pack::Pack;
use kaname_store::{Store, StoreError};
use kaname_trust::{Actor, Keys};

use super::KitId;
use super::kit::{GRACE_DAYS, KnownKit, known, missing};
use super::packet::{OpenPacket, kit_of, open_packet};
use super::table::{self, PacketState};
use crate::duplicate::{register_as_new, register_checked};
use crate::introduce::{Introducer, Vouch, introduced};
use crate::number::resolve::{Resolve, resolve};
use crate::register::Register;
use crate::{Action, Numbers, PersonError, Refusal, officer, policy};

/// What became of a packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Merged {
    /// The person is in the register, by this packet.
    Registered,
    /// It was merged before.
    AlreadyHere,
    /// Somebody in the register looks like the person: the packet is kept until an officer has decided.
    Waits,
    /// Why not. It tells nothing of the person.
    Refused(Refusal),
}

/// A packet that was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Of which kit it says it is, if it says so in a form that can be read.
    pub kit: Option<KitId>,
    /// Its place in the kit's count, when its signature was good.
    pub n: Option<i64>,
    /// What became of it.
    pub merged: Merged,
}

/// What an officer has decided of packets that wait: their people are nobody who is here.
#[derive(Clone, Default, Debug)]
pub struct Decided {
    /// Which packets: the kit, and the place in its count.
    pub new: Vec<(KitId, i64)>,
    /// Why.
    pub because: String,
}

/// Merges one packet. Killed at any point and run again, the person is registered once.
///
/// # Errors
/// [`Refusal::NotAllowed`] when the caller may not merge; [`PersonError::Store`], [`PersonError::Trust`]. Whatever is wrong with
/// the packet is told in the outcome.
#[expect(
    clippy::too_many_arguments,
    reason = "what a registration needs, the packet and what was decided of it"
)]
pub fn merge(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    numbers: &Numbers,
    env: &Env,
    by: &Actor,
    packet: &str,
    decided: &Decided,
) -> Result<Outcome, PersonError> {
    policy::may(by, Action::MergePackets)?;
    let mut outcome = Outcome { kit: None, n: None, merged: Merged::AlreadyHere };
    let done = merge_one(store, keys, pack, numbers, env, packet.trim(), decided, &mut outcome);
    outcome.merged = match done {
        Ok(merged) => merged,
        Err(PersonError::Refused(refusal)) => Merged::Refused(refusal),
        Err(error) => return Err(error),
    };
    Ok(outcome)
}

/// The packets that are missing of each kit of these: a later one came in, they did not.
///
/// # Errors
/// [`PersonError::Store`].
pub fn lost(store: &Store, kits: &BTreeSet<KitId>) -> Result<Vec<(KitId, Vec<i64>)>, PersonError> {
    let mut lost = Vec::new();
    for kit in kits {
        let kit = *kit;
        let counts =
            store.read::<_, StoreError, _>(store.buckets().home(), move |tx| table::counts(tx, kit))?;
        let missing = missing(&counts);
        if !missing.is_empty() {
            lost.push((kit, missing));
        }
    }
    Ok(lost)
}

#[expect(
    clippy::too_many_arguments,
    reason = "what a registration needs, the packet and where its outcome goes"
)]
fn merge_one(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    numbers: &Numbers,
    env: &Env,
    packet: &str,
    decided: &Decided,
    outcome: &mut Outcome,
) -> Result<Merged, PersonError> {
    let id = kit_of(packet)?;
    outcome.kit = Some(id);
    let home = store.buckets().home();
    let (kit, enroller) = {
        let keys = keys.clone();
        store.read::<_, PersonError, _>(home, move |tx| {
            let kit = known(tx, &keys, id)?.ok_or(Refusal::NoSuchKit)?;
            let enroller = officer::officer(tx, &keys, kit.officer)?;
            Ok((kit, enroller))
        })?
    };
    let open = open_packet(&kit, packet)?;
    outcome.n = Some(open.n);
    let index = keys.blind_index("person.enrol.packet", &open.id);
    let n = open.n;
    // What was merged stays so, whatever became of its kit and its officer since.
    if store.read::<_, StoreError, _>(home, move |tx| table::is_merged(tx, id, n, &index))? {
        return Ok(Merged::AlreadyHere);
    }
    let actor = enroller.acting_as("registrar").map_err(|_| Refusal::KitRevoked)?;
    check_days(&kit, pack, env, open.at)?;

    let (there, merged) =
        store.write::<_, StoreError, _>(home, move |tx| table::take_packet(tx, id, n, &index))?;
    if there != index {
        return Err(Refusal::PacketCounter.into());
    }
    if merged {
        return Ok(Merged::AlreadyHere);
    }
    let entry = open.entered.entry().map_err(|_| Refusal::PacketBroken)?;
    let vouch = match open.entered.introducer.as_str() {
        "" => None,
        number => Some(vouching(store, keys, pack, env, &actor, &open, number)?),
    };
    let ask = Register {
        request: open.id,
        entry,
        source: SOURCE,
        by: actor,
        why: "enrolment",
        evidence: &open.entered.evidence,
    };
    let enter = |ask: &Register<'_>| match decided.new.contains(&(id, n)) {
        true => register_as_new(store, keys, pack, numbers, env, ask, &decided.because),
        false => register_checked(store, keys, pack, numbers, env, ask, None),
    };
    // The enroller was alone with both: from where the country wants a second officer to look, the person comes to an office.
    let entered = match &vouch {
        None => enter(&ask),
        Some(vouch) => introduced(store, keys, pack, env, None, vouch, &ask, &enter),
    };
    let (state, merged) = match entered {
        Ok(_) => (PacketState::Merged, Merged::Registered),
        Err(PersonError::Refused(Refusal::LooksLikeSomebody)) => (PacketState::Waits, Merged::Waits),
        Err(PersonError::Refused(refusal)) => (PacketState::Refused, Merged::Refused(refusal)),
        Err(error) => return Err(error),
    };
    store.write::<_, StoreError, _>(home, move |tx| table::set_packet(tx, id, n, state))?;
    Ok(merged)
}

/// The resident who vouches.
fn vouching(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    by: &Actor,
    open: &OpenPacket,
    number: &str,
) -> Result<Vouch, PersonError> {
    let named = Resolve { text: number, actor: by, use_id: open.id };
    let person = resolve(store, keys, pack, env, &named)?.ok_or(Refusal::NoIntroducer)?;
    let introducer = Introducer::Resident(person);
    Ok(Vouch { request: open.id, introducer, how: open.entered.evidence.clone(), by: by.clone() })
}

/// Whose references a packet has.
const SOURCE: &str = "enrolment";

/// A kit holds on its days, and its packets find their way back within some more.
fn check_days(kit: &KnownKit, pack: &Pack, env: &Env, made_at: kaname_base::Instant) -> Result<(), Refusal> {
    if !kit.active {
        return Err(Refusal::KitRevoked);
    }
    let (made, today) = (made_at.date_in(&pack.time_zone), env.now.date_in(&pack.time_zone));
    let last = kit.until.checked_add(GRACE_DAYS.days()).unwrap_or(kit.until);
    if made < kit.from || kit.until < made || today < made || last < today {
        return Err(Refusal::KitExpired);
    }
    Ok(())
}

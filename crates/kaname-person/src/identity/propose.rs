//! Use cases: propose an act about an entry, list what waits, and open one proposal.

use kaname_base::Env;
use kaname_base::pack::Pack;
use kaname_store::{Store, StoreError, Tx};
use kaname_trust::person::bucket_of;
use kaname_trust::{Access, Actor, Keys, PersonId, Receipt, Sealed, access};

use super::rules::may_be_moved;
use super::{Act, Proposal, ProposalId, ProposalState, table as own};
use crate::event::basis;
use crate::event::follow::is_struck;
use crate::event::record::events_with;
use crate::{Action, PackVersion, PersonError, Refusal, policy, table};

/// An act to be proposed.
#[derive(Clone)]
pub struct NewProposal {
    /// Chosen by the caller with [`crate::register::new_request`]: the same request proposes once.
    pub request: [u8; 16],
    /// About whose entry: the second one of a merge, the one with two people in it, the one with the wrong event.
    pub person: PersonId,
    /// What is to be done.
    pub act: Act,
    /// Who proposes it.
    pub by: Actor,
    /// Why.
    pub why: String,
    /// What shows it.
    pub evidence: String,
}

/// Proposes an act that is possible as the two entries stand; nothing is changed yet. The same request again gives the same proposal.
///
/// # Errors
/// [`Refusal::NotAllowed`], [`Refusal::ReasonMissing`], [`Refusal::NoSuchResident`]; [`Refusal::UnknownRelation`] and
/// [`Refusal::RelatedToHerself`] for the other entry; [`Refusal::EntryMerged`] when either counts no more, [`Refusal::NotMerged`],
/// [`Refusal::NoSuchEvent`], [`Refusal::EventStands`]; [`Refusal::ProposedAlready`] by another request, [`Refusal::RequestReused`].
pub fn propose(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &NewProposal,
) -> Result<ProposalId, PersonError> {
    policy::may(&ask.by, Action::ProposeIdentity)?;
    policy::says_why(&[&ask.why, &ask.evidence])?;
    let mut other_counts = true;
    if let Some(other) = ask.act.other() {
        crate::event::record::check_other(store, ask.person, other)?;
        let leads = store
            .read::<_, StoreError, _>(bucket_of_person(store, other), move |tx| own::leads(tx, other))?;
        other_counts = leads.is_none();
    }
    let bucket = ask.person.bucket(store.buckets()).ok_or(Refusal::NoSuchResident)?;
    // Derived, so that the same request has one id; the low bits say in which bucket it lies.
    let hash = keys.blind_index("person.proposal", &ask.request);
    let id = in_bucket_of(hash, ask.person);
    let (keys, pack, env, ask) = (keys.clone(), pack.clone(), env.again(), ask.clone());
    store.write(bucket, move |tx| {
        let receipt = receipt(tx, &keys, &pack, &env.again(), ask.person, &ask.by)?;
        if let Some(row) = own::read(tx, id)? {
            let is_same = row.person == ask.person && opened(&row, &receipt)?.act == ask.act;
            return if is_same { Ok(id) } else { Err(Refusal::RequestReused.into()) };
        }
        if !other_counts {
            return Err(Refusal::EntryMerged.into());
        }
        is_possible(tx, ask.person, &ask.act, &receipt)?;
        if waits_already(tx, &ask, &receipt)? {
            return Err(Refusal::ProposedAlready.into());
        }
        let proposal = Proposal {
            act: ask.act.clone(),
            by: ask.by.clone(),
            at: env.now,
            why: ask.why.clone(),
            evidence: ask.evidence.clone(),
            pack: PackVersion::of(&pack),
            decided_by: None,
        };
        let sealed = receipt.data_key().seal(&proposal);

        own::insert(tx, id, ask.person, ProposalState::Waiting, sealed.bytes())?;
        Ok(id)
    })
}

/// Whether an act can be done with the entry as it stands.
pub(super) fn is_possible(
    tx: &mut Tx<'_>,
    person: PersonId,
    act: &Act,
    receipt: &Receipt<'_>,
) -> Result<(), PersonError> {
    let is_merged = own::leads(tx, person)?.is_some();
    match act {
        Act::Unmerge if !is_merged => Err(Refusal::NotMerged.into()),
        Act::Merge { .. } | Act::Split { .. } if is_merged => Err(Refusal::EntryMerged.into()),
        Act::MoveEvent { n, .. } => {
            let events = events_with(tx, receipt)?;
            may_be_moved(&events, *n)?;
            if is_struck(&events, *n) { Err(Refusal::NoSuchEvent.into()) } else { Ok(()) }
        }
        Act::Merge { .. } | Act::Unmerge | Act::Split { .. } => Ok(()),
    }
}

/// Whether the same was proposed by another request, and is not done.
fn waits_already(tx: &mut Tx<'_>, ask: &NewProposal, receipt: &Receipt<'_>) -> Result<bool, PersonError> {
    for (other, person, _) in own::open(tx)? {
        let row = own::read(tx, other)?.filter(|_| person == ask.person);
        if let Some(row) = row
            && opened(&row, receipt)?.act == ask.act
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A proposal's id: a hash, with the place of the person's rows in its last bytes as hers has it.
fn in_bucket_of(mut hash: [u8; 16], person: PersonId) -> ProposalId {
    let of_person = person.bytes();
    hash[14] = (hash[14] & 0xF0) | (of_person[14] & 0x0F);
    hash[15] = of_person[15];
    ProposalId::from_bytes(hash)
}

/// A proposal that is not done, as a list shows it: without what it says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// Which one.
    pub id: ProposalId,
    /// About whose entry.
    pub person: PersonId,
    /// How far it is.
    pub state: ProposalState,
}

/// All proposals that are not done; one read for each bucket. Opens nothing.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub fn waiting(store: &Store, by: &Actor) -> Result<Vec<Waiting>, PersonError> {
    policy::may(by, Action::ProposeIdentity)?;
    let mut all = Vec::new();
    for bucket in store.buckets().all() {
        let found = store.read::<_, StoreError, _>(bucket, own::open)?;
        all.extend(found.into_iter().map(|(id, person, state)| Waiting { id, person, state }));
    }
    Ok(all)
}

/// Opens a proposal, with its state. An entry of the access log of the person whose entry it is about.
///
/// # Errors
/// [`Refusal::NotAllowed`], [`Refusal::NoSuchProposal`].
pub fn proposal(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    by: &Actor,
    id: ProposalId,
) -> Result<(PersonId, Proposal, ProposalState), PersonError> {
    policy::may(by, Action::ProposeIdentity)?;
    let bucket = id.bucket(store.buckets()).ok_or(Refusal::NoSuchProposal)?;
    let (keys, pack, env, by) = (keys.clone(), pack.clone(), env.again(), by.clone());
    store.write(bucket, move |tx| {
        let (proposal, row, _) = open(tx, &keys, &pack, &env.again(), &by, id)?;
        Ok((row.person, proposal, row.state))
    })
}

/// Opens a proposal in the unit of its bucket.
pub(super) fn open<'u>(
    tx: &mut Tx<'u>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    by: &Actor,
    id: ProposalId,
) -> Result<(Proposal, own::ProposalRow, Receipt<'u>), PersonError> {
    let row = own::read(tx, id)?.ok_or(Refusal::NoSuchProposal)?;
    let receipt = receipt(tx, keys, pack, env, row.person, by)?;
    let proposal = opened(&row, &receipt)?;
    Ok((proposal, row, receipt))
}

fn opened(row: &own::ProposalRow, receipt: &Receipt<'_>) -> Result<Proposal, PersonError> {
    Ok(Sealed::<Proposal>::from_bytes(&row.sealed).open(receipt)?.of(row.person)?)
}

fn receipt<'u>(
    tx: &mut Tx<'u>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    person: PersonId,
    actor: &Actor,
) -> Result<Receipt<'u>, PersonError> {
    if table::resident(tx, person)?.is_none() {
        return Err(Refusal::NoSuchResident.into());
    }
    let (purpose, fields) = ("correction", &["proposal", "life-events"]);
    let access = Access { person, actor, purpose, basis: basis(pack, purpose), fields };
    Ok(access::record(tx, keys, env, &access)?)
}

/// The bucket in which a proposal lies.
pub(super) fn bucket_of_proposal(store: &Store, id: ProposalId) -> Result<kaname_base::Bucket, Refusal> {
    id.bucket(store.buckets()).ok_or(Refusal::NoSuchProposal)
}

/// The bucket of a person's rows.
pub(super) fn bucket_of_person(store: &Store, person: PersonId) -> kaname_base::Bucket {
    bucket_of(person, store.buckets())
}

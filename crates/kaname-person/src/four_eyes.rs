//! What one officer proposes and another approves: the pack says which actions need it (`[[four_eyes]]` in policy.toml).
//!
//! A use case of such an action takes `second: Option<&Approved>` beside the actor and asks [`check`] first. Whoever calls it
//! without gets [`Refusal::TwoOfficers`]; then it is proposed with what it needs to be done later ([`propose`]), and another
//! officer who may do it [`approve`]s. Only that makes an [`Approved`]: the proof that two agreed, which says what they agreed on.
//! When it is done, [`close`] puts it away. Stopped before that, the second officer approves again, and the use case, under the same
//! id, does nothing twice. Proposals lie in the home bucket, wrapped, and stay as the record of who did what together.

mod table;

use kaname_base::pack::Pack;
use kaname_base::{Env, Instant};
use kaname_store::Tx;
use kaname_trust::{Actor, ActorKind, Keys, TrustError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use self::table::ProposalRow;
use crate::{Action, PersonError, Refusal, policy};

kaname_base::id_types! {
    /// Something that one officer proposed.
    ProposalId(ProposalKind) = "prp";
}

/// The actions whose use cases ask for a second officer when the pack says so; a pack may name no other.
pub const ASKED: &[Action] = &[
    Action::ManageOfficers,
    Action::IssueOfficerActivation,
    Action::ReplaceNumber,
    Action::ManageParticipants,
    Action::RecordGuardianship,
];

/// A proposal that waits, as an officer who may do it sees it.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Its id.
    pub id: ProposalId,
    /// What is to be done.
    pub action: Action,
    /// Who proposed it.
    pub by: Actor,
    /// When.
    pub at: Instant,
    content: serde_json::Value,
}

/// Two officers agreed. Only [`approve`] makes one, and [`mine`] from the row that it wrote.
#[derive(Clone, Debug)]
pub struct Approved {
    proposal: Proposal,
    second: Actor,
}

#[derive(Serialize, Deserialize)]
struct Body {
    action: String,
    by: Actor,
    at: Instant,
    content: serde_json::Value,
    second: Option<Actor>,
}

/// A proposal that nobody approves is over after so long, in seconds: two weeks.
const WAITS_SECONDS: i64 = 14 * 86_400;

const KIND: &str = "person.proposal";

impl Proposal {
    /// What the use case needs, as it was proposed.
    ///
    /// # Errors
    /// [`PersonError::Trust`] when it is the content of another kind of proposal.
    pub fn content<T: DeserializeOwned>(&self) -> Result<T, PersonError> {
        Ok(serde_json::from_value(self.content.clone()).map_err(|_| TrustError::Unreadable(KIND))?)
    }
}

impl Approved {
    /// What was agreed on.
    pub fn proposal(&self) -> &Proposal {
        &self.proposal
    }

    /// Who proposed it: in whose name it is done.
    pub fn first(&self) -> &Actor {
        &self.proposal.by
    }

    /// Who approved it.
    pub fn second(&self) -> &Actor {
        &self.second
    }
}

/// Whether the country asks for a second officer.
pub fn is_asked(pack: &Pack, action: Action) -> bool {
    pack.four_eyes.iter().any(|asked| *asked == action.to_string())
}

/// Actions that a pack names and for which no use case asks for a second officer: mistakes of the pack.
pub fn unknown(pack: &Pack) -> Vec<String> {
    let known = |action: &&String| ASKED.iter().any(|known| known.to_string() == **action);
    pack.four_eyes.iter().filter(|action| !known(action)).cloned().collect()
}

/// Whether the actor may do it: by her role, and with a second officer where the country asks for one.
///
/// # Errors
/// [`Refusal::NotAllowed`]; [`Refusal::TwoOfficers`] when it has to be proposed first.
pub fn check(pack: &Pack, action: Action, by: &Actor, second: Option<&Approved>) -> Result<(), Refusal> {
    policy::may(by, action)?;
    match second {
        Some(approved) if approved.proposal.action == action && approved.first().id == by.id => Ok(()),
        Some(_) => Err(Refusal::TwoOfficers),
        None if is_asked(pack, action) && by.kind == ActorKind::Officer => Err(Refusal::TwoOfficers),
        None => Ok(()),
    }
}

/// Proposes something, in the home bucket.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub fn propose(
    tx: &mut Tx<'_>,
    keys: &Keys,
    env: &Env,
    by: &Actor,
    action: Action,
    content: &impl Serialize,
) -> Result<ProposalId, PersonError> {
    policy::may(by, action)?;
    let id: ProposalId = env.id(tx.bucket());
    let content = serde_json::to_value(content).expect("a proposal is plain data");
    let body = Body { action: action.to_string(), by: by.clone(), at: env.now, content, second: None };

    table::insert(tx, id, &wrap(keys, id, &body))?;
    Ok(id)
}

/// What waits for a second officer, of what this one may do, the oldest first.
///
/// # Errors
/// [`PersonError::Trust`] when a row was tampered with.
pub fn waiting(
    tx: &mut Tx<'_>,
    keys: &Keys,
    now: Instant,
    by: &[Actor],
) -> Result<Vec<Proposal>, PersonError> {
    let mut found = Vec::new();
    for row in table::open(tx)? {
        let proposal = read(keys, &row)?.0;
        let may = by.iter().any(|actor| policy::may(actor, proposal.action).is_ok());
        if may && now < proposal.at.plus_seconds(WAITS_SECONDS) {
            found.push(proposal);
        }
    }
    Ok(found)
}

/// Approves a proposal of one of these actions, as another officer than who made it. The same officer again gets the same answer,
/// until it is done. Whoever can carry out only some actions names those: an approval that nobody acts on would be lost.
///
/// # Errors
/// [`Refusal::NoSuchProposal`] when there is none, it is over, or it is of another action; [`Refusal::NotAllowed`]; [`Refusal::SameOfficer`].
pub fn approve(
    tx: &mut Tx<'_>,
    keys: &Keys,
    env: &Env,
    by: &Actor,
    id: ProposalId,
    of: &[Action],
) -> Result<Approved, PersonError> {
    let row = table::one(tx, id)?.filter(|row| row.open).ok_or(Refusal::NoSuchProposal)?;
    let (proposal, second) = read(keys, &row)?;
    if !of.contains(&proposal.action) {
        return Err(Refusal::NoSuchProposal.into());
    }
    policy::may(by, proposal.action)?;
    if by.id == proposal.by.id || by.kind != ActorKind::Officer {
        return Err(Refusal::SameOfficer.into());
    }
    if env.now >= proposal.at.plus_seconds(WAITS_SECONDS) {
        return Err(Refusal::NoSuchProposal.into());
    }
    match second {
        Some(second) if second.id == by.id => return Ok(Approved { proposal, second }),
        // Somebody else's approval stands; what she has begun she ends.
        Some(_) => return Err(Refusal::NoSuchProposal.into()),
        None => {}
    }

    save(tx, keys, row, &proposal, Some(by), true)?;
    Ok(Approved { proposal, second: by.clone() })
}

/// What this officer proposed, with the approval of another one if there is one; `None` when she has not proposed just this.
///
/// # Errors
/// [`PersonError::Trust`] when a row was tampered with.
pub fn mine(
    tx: &mut Tx<'_>,
    keys: &Keys,
    now: Instant,
    by: &Actor,
    action: Action,
    content: &impl Serialize,
) -> Result<Option<(ProposalId, Option<Approved>)>, PersonError> {
    let content = serde_json::to_value(content).expect("a proposal is plain data");
    for row in table::open(tx)? {
        let (proposal, second) = read(keys, &row)?;
        let is_it = proposal.action == action && proposal.by.id == by.id && proposal.content == content;
        if is_it && now < proposal.at.plus_seconds(WAITS_SECONDS) {
            let id = proposal.id;
            return Ok(Some((id, second.map(|second| Approved { proposal, second }))));
        }
    }
    Ok(None)
}

/// Takes a proposal back, or says no to it: whoever made it, or another officer who may do it.
///
/// # Errors
/// [`Refusal::NoSuchProposal`], [`Refusal::NotAllowed`].
pub fn withdraw(tx: &mut Tx<'_>, keys: &Keys, by: &Actor, id: ProposalId) -> Result<(), PersonError> {
    let row = table::one(tx, id)?.filter(|row| row.open).ok_or(Refusal::NoSuchProposal)?;
    let (proposal, _) = read(keys, &row)?;
    policy::may(by, proposal.action)?;

    save(tx, keys, row, &proposal, None, false)
}

/// Puts away what was done.
///
/// # Errors
/// [`Refusal::NoSuchProposal`] when it was put away before.
pub fn close(tx: &mut Tx<'_>, keys: &Keys, approved: &Approved) -> Result<(), PersonError> {
    let row = table::one(tx, approved.proposal.id)?.filter(|row| row.open).ok_or(Refusal::NoSuchProposal)?;

    save(tx, keys, row, &approved.proposal, Some(&approved.second), false)
}

fn save(
    tx: &mut Tx<'_>,
    keys: &Keys,
    row: ProposalRow,
    proposal: &Proposal,
    second: Option<&Actor>,
    open: bool,
) -> Result<(), PersonError> {
    let Proposal { id, action, by, at, content } = proposal.clone();
    let body = Body { action: action.to_string(), by, at, content, second: second.cloned() };
    let wrapped = wrap(keys, id, &body);
    Ok(table::replace(tx, &ProposalRow { open, wrapped, ..row })?)
}

fn read(keys: &Keys, row: &ProposalRow) -> Result<(Proposal, Option<Actor>), PersonError> {
    let plain = keys.unwrap(&context(row.id), &row.wrapped)?;
    let body: Body = serde_json::from_slice(&plain).map_err(|_| TrustError::Unreadable(KIND))?;
    let action = policy::POLICY.iter().map(|(action, _)| *action).find(|one| one.to_string() == body.action);
    let action = action.ok_or(TrustError::Unreadable(KIND))?;
    let Body { by, at, content, second, .. } = body;
    Ok((Proposal { id: row.id, action, by, at, content }, second))
}

fn wrap(keys: &Keys, id: ProposalId, body: &Body) -> Vec<u8> {
    let plain = serde_json::to_vec(body).expect("a body is plain data");
    keys.wrap(&context(id), &plain)
}

/// Bound into the wrapping, so that one proposal never stands for another.
fn context(id: ProposalId) -> Vec<u8> {
    [KIND.as_bytes(), b"\0", id.bytes()].concat()
}

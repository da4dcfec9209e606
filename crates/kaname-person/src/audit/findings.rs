//! What the audit found, and what officers make of it. A finding names people only inside what is wrapped.

use kaname_base::{Env, Instant};
use kaname_store::StoreError;
use kaname_trust::keys::BlindIndex;
use kaname_trust::{Actor, PersonId, TrustError};
use serde::{Deserialize, Serialize};

use super::table::{self, FindingRow};
use crate::link::{Desk, Evidence, LinkId, incident, lookup};
use crate::{Action, PersonError, Refusal, Resident, policy, serial};

/// What can be wrong in the register.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One account is linked to more than one person.
    SharedAccount,
    /// One outside record is linked to more than one resident.
    SharedRecord,
    /// The holder of an account has another name.
    HolderDiffers,
    /// Two entries may be one person.
    SamePersonTwice,
    /// A date that cannot be.
    ImpossibleDate,
    /// Two people who cannot be to each other what is recorded.
    ImpossibleRelation,
    /// The evidence of a link would no longer be enough.
    EvidenceChanged,
    /// Another resident fits a linked record as well.
    RivalAppeared,
    /// Somebody came in on the word of an introducer who may vouch no more.
    IntroducerSuspended,
    /// A counter where records follow each other faster than people do.
    CounterPattern,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 10] = [
        Kind::SharedAccount,
        Kind::SharedRecord,
        Kind::HolderDiffers,
        Kind::SamePersonTwice,
        Kind::ImpossibleDate,
        Kind::ImpossibleRelation,
        Kind::EvidenceChanged,
        Kind::RivalAppeared,
        Kind::IntroducerSuspended,
        Kind::CounterPattern,
    ];

    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Kind::SharedAccount => "shared-account",
            Kind::SharedRecord => "shared-record",
            Kind::HolderDiffers => "holder-differs",
            Kind::SamePersonTwice => "same-person-twice",
            Kind::ImpossibleDate => "impossible-date",
            Kind::ImpossibleRelation => "impossible-relation",
            Kind::EvidenceChanged => "evidence-changed",
            Kind::RivalAppeared => "rival-appeared",
            Kind::IntroducerSuspended => "introducer-suspended",
            Kind::CounterPattern => "counter-pattern",
        }
    }
}

/// Something that was found, before it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// What is wrong.
    pub kind: Kind,
    /// With whom; for two entries of one person both, for a counter nobody.
    pub people: Vec<PersonId>,
    /// With which link.
    pub link: Option<LinkId>,
    /// More about it, in words of ours and without personal data; what is found again under other circumstances says so here.
    pub detail: String,
}

/// What stands inside the wrap.
#[derive(Clone, Serialize, Deserialize)]
struct Body {
    #[serde(with = "serial::people")]
    people: Vec<PersonId>,
    link: Option<String>,
    detail: String,
    found_at: Instant,
    settled: Option<(Actor, String, Instant)>,
}

/// What officers make of a finding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Settled {
    /// Nobody has looked yet.
    Open,
    /// It is an error; what hangs on it is put right.
    Confirmed,
    /// It is none.
    Dismissed,
}

impl Settled {
    pub(super) fn code(self) -> i64 {
        match self {
            Settled::Open => 1,
            Settled::Confirmed => 2,
            Settled::Dismissed => 3,
        }
    }

    /// A stable word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Settled::Open => "open",
            Settled::Confirmed => "confirmed",
            Settled::Dismissed => "dismissed",
        }
    }
}

/// A finding, opened for an officer.
#[derive(Clone)]
pub struct Finding {
    /// Its name.
    pub id: BlindIndex,
    /// What is wrong.
    pub kind: Kind,
    /// With whom.
    pub people: Vec<PersonId>,
    /// With which link.
    pub link: Option<LinkId>,
    /// More about it.
    pub detail: String,
    /// When it was found.
    pub found_at: Instant,
}

/// What is known of a finding beside its kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum About<'a> {
    /// Nothing more.
    Nothing,
    /// Which date, which relation, how the holder differs: a word for which readers have a text.
    Word(&'a str),
    /// What was unusual at a counter.
    Pattern {
        /// What was done: a code of [`super::Act`].
        act: &'a str,
        /// What was unusual about it.
        word: &'a str,
        /// The officer's id, or the office by the pack's code.
        who: &'a str,
        /// The day, as it began in the time zone UTC.
        day: Instant,
    },
}

impl Finding {
    /// What is known of it beside its kind.
    pub fn about(&self) -> About<'_> {
        let parts: Vec<&str> = self.detail.split(' ').collect();
        match (self.kind, parts.as_slice()) {
            (Kind::CounterPattern, [act, word, who, "day", day]) => match day.parse::<i64>() {
                Ok(day) => About::Pattern { act, word, who, day: Instant::from_seconds(day * 86_400) },
                Err(_) => About::Nothing,
            },
            // Which version of a link or of a decision it was tells it from a later finding, and a reader nothing.
            (Kind::EvidenceChanged | Kind::RivalAppeared | Kind::IntroducerSuspended, _) | (_, [""]) => {
                About::Nothing
            }
            (_, [word]) => About::Word(word),
            _ => About::Nothing,
        }
    }
}

/// A finding with everybody whom it is about.
pub struct Opened {
    /// The finding.
    pub finding: Finding,
    /// Who, as they are now; somebody who is in no register any more is left out.
    pub people: Vec<(PersonId, Resident)>,
    /// What the matching engine says of two people.
    pub evidence: Option<Evidence>,
}

/// A finding that nobody has settled; opens nobody.
///
/// # Errors
/// As [`open_one`].
pub fn find(desk: &Desk, by: &Actor, id: BlindIndex) -> Result<Finding, PersonError> {
    policy::may(by, Action::SettleFinding)?;
    let bucket = desk.store.buckets().of_hash(&id);
    let row = desk.store.read::<_, StoreError, _>(bucket, move |tx| table::finding(tx, &id))?;
    opened(desk, &row.filter(|row| row.state == 1).ok_or(Refusal::NoSuchFinding)?)
}

/// What is opened of the people of a finding; it stands in the log of each.
const SHOWN: [&str; 7] = ["name", "birth_date", "sex", "address", "phone", "relations", "life-events"];

/// Opens a finding that nobody has settled, and everybody whom it is about, each with a line in her log.
///
/// # Errors
/// [`Refusal::NotAllowed`], [`Refusal::NoSuchFinding`].
pub fn open_one(desk: &Desk, env: &Env, by: &Actor, id: BlindIndex) -> Result<Opened, PersonError> {
    let finding = find(desk, by, id)?;
    let purpose = policy::puts_right(&by.role);
    let mut people = Vec::with_capacity(finding.people.len());
    for person in finding.people.iter().copied() {
        let (with, env, by) = (desk.clone(), env.again(), by.clone());
        let found = desk.store.write(desk.bucket_of(person), move |tx| {
            let receipt = lookup::log(tx, &with, &env.again(), &by, person, purpose, &SHOWN)?;
            crate::show::record_with(tx, &receipt)
        });
        match found {
            Ok(resident) => people.push((person, resident)),
            Err(PersonError::Refused(Refusal::NoSuchResident)) => {}
            Err(error) => return Err(error),
        }
    }
    let evidence = match people.as_slice() {
        [(_, one), (_, other)] => Some(lookup::compare(desk, &one.particulars, other)),
        _ => None,
    };
    Ok(Opened { finding, people, evidence })
}

const FINDING: &[u8] = b"person.finding";

/// Keeps a finding; the same one again changes nothing, not even when it was dismissed. Whether it is new.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub fn raise(desk: &Desk, env: &Env, by: &Actor, draft: &Draft) -> Result<bool, PersonError> {
    policy::may(by, Action::AuditRegistry)?;
    let id = id_of(desk, draft);
    let body = Body {
        people: draft.people.clone(),
        link: draft.link.map(|link| link.to_string()),
        detail: draft.detail.clone(),
        found_at: env.now,
        settled: None,
    };
    let row = FindingRow {
        id,
        kind: draft.kind.code().to_owned(),
        state: 1,
        wrapped: wrap(desk, &id, &body),
        version: 1,
    };
    let bucket = desk.store.buckets().of_hash(&id);
    Ok(desk.store.write::<_, StoreError, _>(bucket, move |tx| table::insert_finding(tx, &row))?)
}

/// Findings that nobody has settled, at most `most`, over all buckets.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub fn open(desk: &Desk, by: &Actor, most: usize) -> Result<Vec<Finding>, PersonError> {
    policy::may(by, Action::SettleFinding).or_else(|_| policy::may(by, Action::AuditRegistry))?;
    let mut findings = Vec::new();
    for bucket in desk.store.buckets().all() {
        let left = i64::try_from(most - findings.len()).unwrap_or(i64::MAX);
        let rows = desk.store.read::<_, StoreError, _>(bucket, move |tx| table::open_findings(tx, left))?;
        for row in rows {
            findings.push(opened(desk, &row)?);
        }
        if findings.len() >= most {
            break;
        }
    }
    findings.sort_by_key(|finding| (finding.kind, finding.found_at));
    Ok(findings)
}

fn opened(desk: &Desk, row: &FindingRow) -> Result<Finding, PersonError> {
    let body = unwrap(desk, &row.id, &row.wrapped)?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.code() == row.kind);
    Ok(Finding {
        id: row.id,
        kind: kind.ok_or(StoreError::Type(1))?,
        people: body.people,
        link: body.link.and_then(|link| LinkId::parse(&link).ok()),
        detail: body.detail,
        found_at: body.found_at,
    })
}

/// How many findings there are, by kind and state: open, confirmed, dismissed.
///
/// # Errors
/// [`PersonError::Store`].
pub fn count(desk: &Desk) -> Result<std::collections::BTreeMap<String, [u64; 3]>, PersonError> {
    let mut counts = std::collections::BTreeMap::new();
    for bucket in desk.store.buckets().all() {
        for (kind, state, count) in desk.store.read::<_, StoreError, _>(bucket, table::count_findings)? {
            let cells: &mut [u64; 3] = counts.entry(kind).or_default();
            if let Some(cell) = usize::try_from(state - 1).ok().and_then(|state| cells.get_mut(state)) {
                *cell += count.unsigned_abs();
            }
        }
    }
    Ok(counts)
}

/// Settles a finding. Confirming one about a link suspends the link and starts its clock.
///
/// # Errors
/// [`Refusal::NotAllowed`], [`Refusal::NoSuchFinding`] when there is none, or it was settled; [`Refusal::ReasonMissing`].
pub fn settle(
    desk: &Desk,
    env: &Env,
    by: &Actor,
    id: BlindIndex,
    is_error: bool,
    why: &str,
) -> Result<(), PersonError> {
    policy::may(by, Action::SettleFinding)?;
    policy::says_why(&[why])?;
    let bucket = desk.store.buckets().of_hash(&id);
    let found = desk.store.read::<_, StoreError, _>(bucket, move |tx| table::finding(tx, &id))?;
    let mut row = found.filter(|row| row.state == 1).ok_or(Refusal::NoSuchFinding)?;
    let mut body = unwrap(desk, &id, &row.wrapped)?;
    let link = body.link.as_deref().and_then(|link| LinkId::parse(link).ok());
    if is_error && let (Some(link), Some(person)) = (link, body.people.first()) {
        let report = incident::Report {
            person: *person,
            link,
            by: Actor::program("audit", policy::PROGRAM),
            why: row.kind.clone(),
        };
        match incident::report(desk, env, &report) {
            // It was undone meanwhile, or is gone with her: nothing is left to suspend.
            Ok(()) | Err(PersonError::Refused(Refusal::LinkState(_) | Refusal::NoSuchLink)) => {}
            Err(error) => return Err(error),
        }
    }

    body.settled = Some((by.clone(), why.to_owned(), env.now));
    row.state = if is_error { Settled::Confirmed } else { Settled::Dismissed }.code();
    row.wrapped = wrap(desk, &id, &body);
    desk.store.write::<_, StoreError, _>(bucket, move |tx| table::replace_finding(tx, &row))?;
    Ok(())
}

fn id_of(desk: &Desk, draft: &Draft) -> BlindIndex {
    let mut people = draft.people.clone();
    people.sort_unstable();
    let mut value = draft.kind.code().as_bytes().to_vec();
    for person in &people {
        value.push(0);
        value.extend_from_slice(person.bytes());
    }
    value.push(1);
    value.extend(draft.link.iter().flat_map(|link| *link.bytes()));
    value.push(2);
    value.extend_from_slice(draft.detail.as_bytes());
    desk.keys.blind_index("person.finding", &value)
}

fn wrap(desk: &Desk, id: &BlindIndex, body: &Body) -> Vec<u8> {
    let bytes = serde_json::to_vec(body).expect("a finding is plain data");
    desk.keys.wrap(&[FINDING, id].concat(), &bytes)
}

fn unwrap(desk: &Desk, id: &BlindIndex, wrapped: &[u8]) -> Result<Body, PersonError> {
    let bytes = desk.keys.unwrap(&[FINDING, id].concat(), wrapped)?;
    serde_json::from_slice(&bytes).map_err(|_| TrustError::Unreadable("person.finding").into())
}

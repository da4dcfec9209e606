//! Use case: report a wrong link, and the clock that such a report starts.
//!
//! The link is suspended in the same unit of work, so that nothing more is read through it; a job asks after the hours that the pack
//! gives whether somebody settled it, and if not it goes one step up, again and again, without anybody having to remember.

use kaname_base::{Env, Instant};
use kaname_store::jobs::{self, NewJob};
use kaname_store::{StoreError, Tx};
use kaname_trust::keys::BlindIndex;
use kaname_trust::{Actor, ActorKind, PersonId, TrustError};
use serde::{Deserialize, Serialize};

use super::rules;
use super::table::{self, Counted, IncidentRow};
use super::{Desk, LinkId, LinkState, Step, lookup};
use crate::{Action, PersonError, policy, serial};

/// Somebody says that a link is wrong.
#[derive(Clone)]
pub struct Report {
    /// On whose account it stands.
    pub person: PersonId,
    /// Which.
    pub link: LinkId,
    /// Who says so: the person herself, an officer, or the program that found something.
    pub by: Actor,
    /// Why: a code of ours, or an officer's words.
    pub why: String,
}

/// The job that asks whether an incident was settled.
pub const ESCALATE: &str = "link.escalate";

/// What wraps an incident.
const INCIDENT: &[u8] = b"person.link-incident";

/// What is known of an incident, wrapped.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct About {
    #[serde(with = "serial::person")]
    pub(crate) person: PersonId,
    #[serde(with = "serial::link")]
    pub(crate) link: LinkId,
    pub(crate) reported_at: Instant,
    pub(crate) by: Actor,
    pub(crate) why: String,
    /// Each time that the clock ran out.
    pub(crate) escalated_at: Vec<Instant>,
    pub(crate) settled_at: Option<Instant>,
    pub(crate) settled_by: Option<Actor>,
}

/// A report as officers see it: no person is named.
#[derive(Clone, Debug)]
pub struct Incident {
    /// Its name.
    pub id: BlindIndex,
    /// Which kind of record.
    pub source: String,
    /// When it was first reported.
    pub reported_at: Instant,
    /// By whom: the kind of reporter only, for a resident is never named.
    pub reporter: ActorKind,
    /// When the clock runs out next.
    pub due: Instant,
    /// How often it ran out.
    pub level: i64,
    /// To which role it went.
    pub escalated_to: Option<String>,
    /// Whose link it is; the office makes a handle of it.
    pub person: PersonId,
    /// The link.
    pub link: LinkId,
}

/// Suspends the link and starts the clock. Reporting it again changes nothing.
///
/// # Errors
/// [`crate::Refusal::NotAllowed`], [`crate::Refusal::NoSuchLink`], [`crate::Refusal::LinkState`] when it counts for nothing any more.
pub fn report(desk: &Desk, env: &Env, ask: &Report) -> Result<(), PersonError> {
    policy::may(&ask.by, Action::ReportLink)?;
    let (desk, with, env, ask) = (desk.clone(), desk.clone(), env.again(), ask.clone());
    desk.store.write(desk.bucket_of(ask.person), move |tx| report_in(tx, &with, &env.again(), &ask))
}

pub(super) fn report_in(tx: &mut Tx<'_>, desk: &Desk, env: &Env, ask: &Report) -> Result<(), PersonError> {
    let (mut row, mut link) = lookup::open_link(tx, desk, env, &ask.by, ask.person, ask.link)?;
    let state = row.state.reported()?;
    if row.state == state {
        return Ok(());
    }
    let source = desk.source(&link.source)?;
    let due = full_hour(env.now.plus_seconds(i64::from(source.wrong_link_hours) * 3_600));
    let turn = link.history.len() as i64;
    let id = incident_id(desk, ask.link, turn);
    let about = About {
        person: ask.person,
        link: ask.link,
        reported_at: env.now,
        by: ask.by.clone(),
        why: ask.why.clone(),
        escalated_at: Vec::new(),
        settled_at: None,
        settled_by: None,
    };

    row.state = state;
    link.history.push(Step { state, at: env.now, by: ask.by.clone(), why: ask.why.clone() });
    lookup::keep(tx, desk, &mut row, &link)?;
    let incident = IncidentRow {
        id,
        source: link.source.clone(),
        open: true,
        level: 0,
        due: due.micros(),
        wrapped: wrap(desk, &id, &about),
        version: 1,
    };
    table::open_incident(tx, &incident)?;
    count(tx, desk, env, &link.source, Counted::Reported)?;
    ask_again(tx, desk, env, &id, 0, due)
}

/// Asks for the job that looks at the incident when the clock runs out. Its id and body name nothing that stands elsewhere.
fn ask_again(
    tx: &mut Tx<'_>,
    desk: &Desk,
    env: &Env,
    id: &BlindIndex,
    level: i64,
    due: Instant,
) -> Result<(), PersonError> {
    let job = desk.keys.blind_index("person.link-clock", &[&id[..], &level.to_be_bytes()].concat());
    // The same bytes each time, so that asking twice asks once; and not those of the row, which would join the two tables.
    let body = clock_body(desk, id);
    let new = NewJob { id: job, kind: ESCALATE, body: &body, due };
    let _asked = jobs::enqueue(tx, env, &new)?;
    Ok(())
}

/// The incident's id under a cipher of its own.
fn clock_body(desk: &Desk, id: &BlindIndex) -> Vec<u8> {
    desk.keys.pseudonym("person.link-clock", PersonId::from_bytes(*id)).to_vec()
}

/// The handler of [`ESCALATE`]: one step up, unless it was settled. Doing it twice for one deadline steps once.
///
/// # Errors
/// [`PersonError::Store`], [`PersonError::Trust`].
pub fn escalate(desk: &Desk, env: &Env, job: &jobs::Job) -> Result<(), PersonError> {
    let body: [u8; 16] = job.body.as_slice().try_into().map_err(|_| TrustError::Unreadable(ESCALATE))?;
    let id = *desk.keys.person_of("person.link-clock", body).bytes();
    let (with, env, due) = (desk.clone(), env.again(), job.due);
    desk.store.write(job.bucket, move |tx| {
        let env = env.again();
        let Some(mut row) = table::incident(tx, &id)?.filter(|row| row.open) else { return Ok(()) };
        if row.due > due.micros() || env.now.micros() < row.due {
            return Ok(()); // this deadline was dealt with
        }
        let hours = with.pack.source(&row.source).map_or(24, |source| source.wrong_link_hours);
        let next = full_hour(env.now.plus_seconds(i64::from(hours) * 3_600));
        let mut about = open(&with, &id, &row.wrapped)?;

        about.escalated_at.push(env.now);
        row.level += 1;
        row.due = next.micros();
        row.wrapped = wrap(&with, &id, &about);
        table::replace_incident(tx, &row)?;
        ask_again(tx, &with, &env, &id, row.level, next)
    })
}

/// Reports that nobody has settled, those whose clock runs out first, over all buckets.
///
/// # Errors
/// [`crate::Refusal::NotAllowed`].
pub fn open_incidents(desk: &Desk, by: &Actor, most: usize) -> Result<Vec<Incident>, PersonError> {
    policy::may(by, Action::WatchLinks)?;
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let mut incidents = Vec::new();
    for bucket in desk.store.buckets().all() {
        let rows = desk.store.read::<_, StoreError, _>(bucket, move |tx| table::open_incidents(tx, limit))?;
        for row in rows {
            incidents.push(incident_of(desk, &row)?);
        }
        // Bounded, however many there are.
        if incidents.len() > 2 * most {
            incidents.sort_by_key(|incident| incident.due);
            incidents.truncate(most);
        }
    }
    incidents.sort_by_key(|incident| incident.due);
    incidents.truncate(most);
    Ok(incidents)
}

/// A report, opened: the record and the resident stand side by side.
pub struct Reported {
    /// The link, as it is kept.
    pub link: super::Link,
    /// Whose it is.
    pub resident: crate::Resident,
    /// How both agree now.
    pub evidence: super::Evidence,
}

/// Opens the report of a link for an officer who settles it; the resident finds in her log who looked.
///
/// # Errors
/// [`crate::Refusal::NotAllowed`], [`crate::Refusal::NoSuchLink`], [`crate::Refusal::LinkState`] unless it is suspended.
pub fn open_report(
    desk: &Desk,
    env: &Env,
    by: &Actor,
    person: PersonId,
    link: LinkId,
) -> Result<Reported, PersonError> {
    policy::may(by, Action::SettleLink)?;
    let (with, env, by) = (desk.clone(), env.again(), by.clone());
    desk.store.write(desk.bucket_of(person), move |tx| {
        let row = table::link(tx, person, link)?.ok_or(crate::Refusal::NoSuchLink)?;
        if row.state != LinkState::Suspended {
            return Err(crate::Refusal::LinkState(row.state).into());
        }
        let through = super::through(link);
        let fields: Vec<&str> = lookup::COMPARED.into_iter().chain([through.as_str()]).collect();
        let receipt = lookup::log(tx, &with, &env.again(), &by, person, lookup::CORRECTION, &fields)?;
        let link = lookup::link_with(&receipt, &row)?;
        let resident = crate::show::resident_with(tx, &receipt)?;
        let evidence = lookup::compare(&with, &link.outside, &resident);
        Ok(Reported { link, resident, evidence })
    })
}

/// The open report of this name.
///
/// # Errors
/// [`crate::Refusal::NotAllowed`], [`crate::Refusal::NoSuchCase`].
pub fn open_incident(desk: &Desk, by: &Actor, id: BlindIndex) -> Result<Incident, PersonError> {
    policy::may(by, Action::WatchLinks)?;
    for bucket in desk.store.buckets().all() {
        let found = desk.store.read::<_, StoreError, _>(bucket, move |tx| table::incident(tx, &id))?;
        if let Some(row) = found.filter(|row| row.open) {
            return incident_of(desk, &row);
        }
    }
    Err(crate::Refusal::NoSuchCase.into())
}

fn incident_of(desk: &Desk, row: &IncidentRow) -> Result<Incident, PersonError> {
    let about = open(desk, &row.id, &row.wrapped)?;
    let escalate_to = desk.pack.source(&row.source).map(|source| source.escalate_to.clone());
    Ok(Incident {
        id: row.id,
        source: row.source.clone(),
        reported_at: about.reported_at,
        reporter: about.by.kind,
        due: Instant::from_micros(row.due),
        level: row.level,
        escalated_to: escalate_to.filter(|_| row.level > 0),
        person: about.person,
        link: about.link,
    })
}

/// Settles the open incident of a link, in the unit of work that decides about it.
pub(crate) fn settle(
    tx: &mut Tx<'_>,
    desk: &Desk,
    env: &Env,
    link: &super::Link,
    by: &Actor,
) -> Result<(), PersonError> {
    // A link is reported at the step that suspended it; its incident is named by that step.
    for turn in (0..link.history.len()).rev() {
        if link.history[turn].state != LinkState::Suspended {
            continue;
        }
        let id = incident_id(desk, link.id, turn as i64);
        let Some(mut row) = table::incident(tx, &id)?.filter(|row| row.open) else { continue };
        let mut about = open(desk, &id, &row.wrapped)?;
        about.settled_at = Some(env.now);
        about.settled_by = Some(by.clone());
        row.open = false;
        row.wrapped = wrap(desk, &id, &about);
        table::replace_incident(tx, &row)?;
    }
    Ok(())
}

/// Counts something that happened to a link this month.
pub(crate) fn count(
    tx: &mut Tx<'_>,
    desk: &Desk,
    env: &Env,
    source: &str,
    what: Counted,
) -> Result<(), PersonError> {
    let month = rules::month_of(env.now.date_in(&desk.pack.time_zone));
    Ok(table::count_up(tx, source, month, what, 1)?)
}

fn incident_id(desk: &Desk, link: LinkId, turn: i64) -> BlindIndex {
    desk.keys.blind_index("person.link-incident", &[&link.bytes()[..], &turn.to_be_bytes()].concat())
}

fn wrap(desk: &Desk, id: &BlindIndex, about: &About) -> Vec<u8> {
    let bytes = serde_json::to_vec(about).expect("an incident is plain data");
    desk.keys.wrap(&[INCIDENT, id].concat(), &bytes)
}

pub(crate) fn open(desk: &Desk, id: &BlindIndex, wrapped: &[u8]) -> Result<About, PersonError> {
    let bytes = desk.keys.unwrap(&[INCIDENT, id].concat(), wrapped)?;
    serde_json::from_slice(&bytes).map_err(|_| TrustError::Unreadable("person.link-incident").into())
}

/// The full hour at or after a moment: the time in the table points at nobody.
fn full_hour(at: Instant) -> Instant {
    const HOUR: i64 = 3_600_000_000;
    Instant::from_micros(
        at.micros().div_euclid(HOUR) * HOUR + if at.micros().rem_euclid(HOUR) == 0 { 0 } else { HOUR },
    )
}

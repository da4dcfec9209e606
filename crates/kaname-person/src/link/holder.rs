//! Use case: show a person what is linked to her, and take her word: it is hers, or it is not.

use kaname_base::{Env, Instant};
use kaname_trust::{Actor, ActorKind, PersonId};

use super::table::{self, Counted};
use super::{Desk, Link, LinkId, LinkState, Method, Step, incident, lookup, recall, through};
use crate::show::Asking;
use crate::{Action, PersonError, Refusal, policy};

/// A link as its holder sees it.
#[derive(Clone)]
pub struct Held {
    /// Its name.
    pub id: LinkId,
    /// Which kind of record: a source of the pack.
    pub source: String,
    /// What it is now.
    pub state: LinkState,
    /// The agency's own id of the record, its end only: enough to know it again.
    pub reference_end: String,
    /// How it came about.
    pub method: Method,
    /// Which of name, date of birth, sex and address agreed.
    pub agrees: Vec<String>,
    /// Since when it counts.
    pub since: Option<Instant>,
    /// Until when it counted.
    pub until: Option<Instant>,
    /// Whether she confirmed it.
    pub confirmed: bool,
    /// Who was given data through it, when it was found wrong.
    pub readers: Vec<recall::Reader>,
    /// Whether the record was linked to somebody else before, by mistake.
    pub was_anothers: bool,
    /// When officers found that a report of it was mistaken.
    pub found_right: Option<Instant>,
    /// The last thing that was done to it.
    pub changed_at: Option<Instant>,
}

/// What is linked to a person, what counts first. For herself, for who acts for her, or for an officer who prints her a letter.
///
/// # Errors
/// [`Refusal::NotAllowed`], [`Refusal::UnknownPurpose`].
pub fn linked_to(desk: &Desk, env: &Env, ask: &Asking) -> Result<Vec<Held>, PersonError> {
    policy::may(&ask.actor, Action::SeeLinks)?;
    let (with, env, ask) = (desk.clone(), env.again(), ask.clone());
    desk.store.write(desk.bucket_of(ask.person), move |tx| {
        let rows = table::links_of(tx, ask.person)?;
        let receipt =
            lookup::log(tx, &with, &env.again(), &ask.actor, ask.person, &ask.purpose, &["linked-records"])?;
        let mut held = Vec::with_capacity(rows.len());
        for row in &rows {
            held.push(held_of(row.state, lookup::link_with(&receipt, row)?));
        }
        if ask.actor.kind == ActorKind::Resident && ask.actor.mandate.is_none() {
            recall::set_seen(tx, ask.person)?;
        }
        held.sort_by_key(|held| (held.state.code(), held.source.clone(), held.id));
        Ok(held)
    })
}

pub(super) fn held_of(state: LinkState, link: Link) -> Held {
    let reference: Vec<char> = link.outside.reference.chars().collect();
    let end = reference.len() - reference.len().min(4).min(reference.len() / 2);
    let back = |pair: &&[Step]| pair[0].state == LinkState::Suspended && pair[1].state == LinkState::Active;
    let found_right = link.history.windows(2).rfind(back).map(|pair| pair[1].at);
    Held {
        id: link.id,
        found_right: found_right.filter(|_| state == LinkState::Active),
        source: link.source,
        state,
        reference_end: reference[end..].iter().collect(),
        method: link.method,
        agrees: link.evidence.agrees,
        since: link.since,
        until: link.until,
        confirmed: link.confirmed_at.is_some(),
        readers: link.readers,
        was_anothers: link.was_anothers,
        changed_at: link.history.last().map(|step| step.at),
    }
}

/// The holder says that a link is hers; from now on it counts.
///
/// # Errors
/// [`Refusal::NoSuchLink`], [`Refusal::LinkState`] when it was reported or undone meanwhile.
pub fn confirm(
    desk: &Desk,
    env: &Env,
    actor: &Actor,
    person: PersonId,
    link: LinkId,
) -> Result<(), PersonError> {
    policy::may(actor, Action::ConfirmLink)?;
    let (with, env, actor) = (desk.clone(), env.again(), actor.clone());
    desk.store.write(desk.bucket_of(person), move |tx| {
        let env = env.again();
        let mut row = table::link(tx, person, link)?.ok_or(Refusal::NoSuchLink)?;
        let state = row.state.confirmed()?;
        let fields = ["linked-records", &through(link)];
        let receipt = lookup::log(tx, &with, &env, &actor, person, own_purpose(&actor), &fields)?;
        let mut link = lookup::link_with(&receipt, &row)?;
        if link.confirmed_at.is_some() {
            return Ok(());
        }

        link.confirmed_at = Some(env.now);
        link.since.get_or_insert(env.now);
        link.history.push(Step { state, at: env.now, by: actor.clone(), why: "confirmed".to_owned() });
        row.state = state;
        lookup::keep(tx, &with, &mut row, &link)?;
        incident::count(tx, &with, &env, &link.source, Counted::Confirmed)
    })
}

/// The purpose under which a person's own word is taken: hers, or the officer's who writes it down for her.
fn own_purpose(actor: &Actor) -> &'static str {
    match actor.kind {
        ActorKind::Resident => "own-access",
        _ => lookup::CORRECTION,
    }
}

//! Use case: settle a link that was reported: it is right, or it is undone.

use kaname_base::Env;
use kaname_store::jobs::{self, NewJob};
use kaname_trust::{Actor, PersonId};

use super::table::Counted;
use super::{Desk, LinkId, Step, incident, lookup, recall};
use crate::{Action, PersonError, Refusal, policy};

/// What officers found.
#[derive(Clone)]
pub struct Settle {
    /// On whose account the link stands.
    pub person: PersonId,
    /// Which.
    pub link: LinkId,
    /// Whether it is wrong.
    pub wrong: bool,
    /// Who settles it: nobody who had made it.
    pub by: Actor,
    /// Why, in the officer's words.
    pub why: String,
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Settled {
    /// The link is right, and another officer must agree.
    Proposed,
    /// It was done.
    Done,
}

/// Settles a suspended link. That it is wrong one officer says, for a wrong link harms; that it is right two say, where the pack asks
/// for four eyes. A wrong one is undone: what was issued on it is marked, whoever was given data through it is told, and
/// the outside record is free for whoever it belongs to.
///
/// # Errors
/// [`Refusal::NotAllowed`], [`Refusal::OwnDecision`] for an officer who had made it, or has found it right already,
/// [`Refusal::LinkState`] unless it is suspended.
pub fn settle(desk: &Desk, env: &Env, ask: &Settle) -> Result<Settled, PersonError> {
    policy::may(&ask.by, Action::SettleLink)?;
    let (with, env, ask) = (desk.clone(), env.again(), ask.clone());
    desk.store.write(desk.bucket_of(ask.person), move |tx| {
        let env = env.again();
        let (mut row, mut link) = lookup::open_link(tx, &with, &env, &ask.by, ask.person, ask.link)?;
        let state = match ask.wrong {
            true => row.state.severed(link.since.is_some())?,
            false => row.state.reinstated()?,
        };
        let makers = [Some(&link.by), link.approved_by.as_ref()];
        if makers.into_iter().flatten().any(|maker| maker.kind == ask.by.kind && maker.id == ask.by.id) {
            return Err(Refusal::OwnDecision.into());
        }
        let step = Step { state, at: env.now, by: ask.by.clone(), why: ask.why.clone() };
        let first = link.found_right.take();
        if !ask.wrong && with.source(&link.source)?.four_eyes {
            match first {
                None => {
                    link.found_right = Some(step);
                    lookup::keep(tx, &with, &mut row, &link)?;
                    return Ok(Settled::Proposed);
                }
                Some(first) if first.by.id == ask.by.id => return Err(Refusal::OwnDecision.into()),
                Some(_) => {}
            }
        }

        incident::settle(tx, &with, &env, &link, &ask.by)?;
        link.history.push(step);
        row.state = state;
        if ask.wrong {
            link.until = link.since.and(Some(env.now));
            for issued in &mut link.issued {
                issued.recalled_at.get_or_insert(env.now);
            }
            let body = recall::body(&with, ask.person, ask.link);
            let id = with.keys.blind_index("person.link-recall", ask.link.bytes());
            let _asked =
                jobs::enqueue(tx, &env, &NewJob { id, kind: recall::RECALL, body: &body, due: env.now })?;
        } else {
            link.since.get_or_insert(env.now);
        }
        lookup::keep(tx, &with, &mut row, &link)?;
        let what = if ask.wrong { Counted::Wrong } else { Counted::Reinstated };
        incident::count(tx, &with, &env, &link.source, what)?;
        Ok(Settled::Done)
    })
}

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

/// Settles a suspended link. A wrong one is undone: what was issued on it is marked, whoever was given data through it is told, and
/// the outside record is free for whoever it belongs to.
///
/// # Errors
/// [`Refusal::NotAllowed`], [`Refusal::OwnDecision`] for an officer who had made it, [`Refusal::LinkState`] unless it is suspended.
pub fn settle(desk: &Desk, env: &Env, ask: &Settle) -> Result<(), PersonError> {
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

        incident::settle(tx, &with, &env, &link, &ask.by)?;
        link.history.push(Step { state, at: env.now, by: ask.by.clone(), why: ask.why.clone() });
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
        incident::count(tx, &with, &env, &link.source, what)
    })
}

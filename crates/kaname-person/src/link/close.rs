//! Use cases: links follow the entry of the resident whose they are. When it is closed, nobody is left to confirm one that waits for her;
//! nothing is read through those that count, because nobody opens a closed entry for an agency ([`super::disclose`]).

use kaname_base::Env;
use kaname_trust::{Actor, PersonId};

use super::table;
use super::{Desk, LinkState, Step, lookup};
use crate::{Action, PersonError, policy};

/// Why a link was refused that nobody can confirm any more.
const CLOSED: &str = "entry-closed";

/// Refuses the links that wait for somebody whose entry was closed. Done twice, it changes nothing.
///
/// # Errors
/// [`crate::Refusal::NotAllowed`]; [`PersonError::Trust`], [`PersonError::Store`].
pub fn close(desk: &Desk, env: &Env, by: &Actor, person: PersonId) -> Result<usize, PersonError> {
    exchange(desk, env, by, person, LinkState::Proposed, LinkState::Refused)
}

/// Lets the links wait for her again that [`close`] refused, because the entry counts again.
///
/// # Errors
/// As [`close`].
pub fn reopen(desk: &Desk, env: &Env, by: &Actor, person: PersonId) -> Result<usize, PersonError> {
    exchange(desk, env, by, person, LinkState::Refused, LinkState::Proposed)
}

fn exchange(
    desk: &Desk,
    env: &Env,
    by: &Actor,
    person: PersonId,
    from: LinkState,
    to: LinkState,
) -> Result<usize, PersonError> {
    policy::may(by, Action::ReportLink)?;
    let (with, env, by) = (desk.clone(), env.again(), by.clone());
    desk.store.write(desk.bucket_of(person), move |tx| {
        let rows: Vec<_> = table::links_of(tx, person)?.into_iter().filter(|row| row.state == from).collect();
        if rows.is_empty() {
            return Ok(0);
        }
        let env = env.again();
        let fields = ["linked-records"];
        let receipt = lookup::log(tx, &with, &env, &by, person, lookup::CORRECTION, &fields)?;
        let mut count = 0;
        for mut row in rows {
            let mut link = lookup::link_with(&receipt, &row)?;
            let was_closed = link.history.last().is_some_and(|step| step.why == CLOSED);
            // One that she or an officer refused stays refused.
            if was_closed != (from == LinkState::Refused) {
                continue;
            }
            link.history.push(Step { state: to, at: env.now, by: by.clone(), why: CLOSED.to_owned() });
            row.state = to;
            lookup::keep(tx, &with, &mut row, &link)?;
            count += 1;
        }
        Ok(count)
    })
}

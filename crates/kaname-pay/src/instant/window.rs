//! Settlement windows: what all payments of a time add up to, for each participant. The nets add up to nothing; they are moved at
//! the settlement bank, and then leave the positions.

use kaname_base::pack::Pack;
use kaname_base::{Env, Instant};
use kaname_person::{Action, policy};
use kaname_store::{StoreError, Tx};
use kaname_trust::Actor;

use super::table::{self, WindowRow};
use super::{Refusal, books, rules};
use crate::PayError;
use crate::ids::{AccountId, TransferKind};
use crate::ledger;

const OPEN: i64 = 1;
const CLOSED: i64 = 2;
const SETTLED: i64 = 3;

/// A settlement window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Window {
    /// Counted from 1.
    pub number: i64,
    /// `open`, `closed` or `settled`.
    pub state: &'static str,
    /// When the first payment could fall into it.
    pub opened_at: Instant,
    /// When the last one could.
    pub closed_at: Option<Instant>,
    /// When it was settled.
    pub settled_at: Option<Instant>,
    /// What each participant receives, or pays below zero; empty while it is open.
    pub nets: Vec<(String, i64)>,
}

/// Closes the open window and opens the next one; what everybody receives or pays for it.
///
/// # Errors
/// [`Refusal::WindowState`] when nobody takes part yet; not allowed.
pub fn close(env: &Env, tx: &mut Tx<'_>, pack: &Pack, by: &Actor) -> Result<Window, PayError> {
    policy::may(by, Action::SettleWindow)?;
    let number = table::open_window(tx)?.ok_or(Refusal::WindowState)?;
    let mut row = table::window(tx, number)?.ok_or(Refusal::WindowState)?;
    let participants = table::all_participants(tx)?;
    let positions: Vec<AccountId> =
        participants.iter().map(|one| books::position(&one.code, pack.currency)).collect();
    let accounts = ledger::accounts(tx, &positions)?;
    let unsettled = table::unsettled(tx)?;
    let mut nets = Vec::with_capacity(participants.len());
    for (one, account) in participants.iter().zip(accounts) {
        let account = account.ok_or(Refusal::Ledger(crate::Refusal::NoSuchDebitAccount))?;
        let owed = unsettled.iter().filter(|(code, _)| *code == one.code).map(|(_, net)| net).sum();
        let net = rules::net(account.balance(), one.cap, owed);
        nets.push((one.code.clone(), net.ok_or(Refusal::Ledger(crate::Refusal::Overflow))?));
    }
    row.state = CLOSED;
    row.closed_at = env.now;
    row.closed_by = by.id.to_string();

    table::change_window(tx, &row)?;
    table::insert_nets(tx, number, &nets)?;
    table::insert_window(tx, number + 1, env.now)?;
    Ok(window_of(row, nets))
}

/// Says that the nets of a closed window were moved at the settlement bank: they leave the positions.
///
/// # Errors
/// [`Refusal::WindowState`], [`Refusal::WindowOfficer`]; not allowed.
pub fn settle(env: &Env, tx: &mut Tx<'_>, pack: &Pack, by: &Actor, number: i64) -> Result<Window, PayError> {
    policy::may(by, Action::SettleWindow)?;
    let row = table::window(tx, number)?.filter(|row| row.state == CLOSED);
    let mut row = row.ok_or(Refusal::WindowState)?;
    if row.closed_by == by.id {
        return Err(Refusal::WindowOfficer.into());
    }
    let nets = table::nets(tx, number)?;
    let transfers: Vec<_> = nets
        .iter()
        .filter_map(|(code, net)| {
            books::settle(env.id::<TransferKind>(tx.bucket()), code, *net, pack.currency)
        })
        .collect();
    row.state = SETTLED;
    row.settled_at = env.now;
    row.settled_by = by.id.to_string();

    table::change_window(tx, &row)?;
    for posted in ledger::post_batch(env, tx, &transfers)? {
        // A participant that received has spent it again within its cap: the money is on its way back to it in a later window.
        posted.map_err(|refusal| match refusal {
            crate::Refusal::InsufficientFunds => PayError::from(Refusal::NetDebitCap),
            other => other.into(),
        })?;
    }
    Ok(window_of(row, nets))
}

/// The newest windows.
///
/// # Errors
/// Not allowed; [`StoreError`].
pub fn windows(tx: &mut Tx<'_>, by: &Actor, most: i64) -> Result<Vec<Window>, PayError> {
    policy::may(by, Action::SettleWindow)?;
    let rows = table::windows(tx, most)?;
    let with_nets = rows.into_iter().map(|row| {
        let nets = table::nets(tx, row.number)?;
        Ok(window_of(row, nets))
    });
    with_nets.collect::<Result<Vec<_>, StoreError>>().map_err(Into::into)
}

fn window_of(row: WindowRow, nets: Vec<(String, i64)>) -> Window {
    Window {
        number: row.number,
        state: match row.state {
            OPEN => "open",
            CLOSED => "closed",
            _ => "settled",
        },
        opened_at: row.opened_at,
        closed_at: (row.state != OPEN).then_some(row.closed_at),
        settled_at: (row.state == SETTLED).then_some(row.settled_at),
        nets,
    }
}

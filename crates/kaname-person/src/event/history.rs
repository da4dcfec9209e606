//! Use cases: a resident's events, and her record as of a day or as it was known then. Each reading stands in her access log.

use jiff::civil::Date;
use kaname_base::Env;
use kaname_base::pack::Pack;
use kaname_store::Tx;
use kaname_trust::Keys;

use super::record::Book;
use super::rules::{Until, first_day, fold};
use super::{Change, LifeEvent};
use crate::show::{Asking, log};
use crate::{Action, PersonError, Refusal, Resident};

/// One of a resident's events, as a list shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct HistoryLine {
    /// Counts her events from 1, in the order in which they were recorded.
    pub n: i64,
    /// The event.
    pub event: LifeEvent,
    /// Which later event says that it did not happen, or not so.
    pub annulled_by: Option<i64>,
}

/// A record as of a day.
#[derive(Clone, PartialEq, Eq)]
pub struct AsOf {
    /// What she was then.
    pub resident: Resident,
    /// The day.
    pub day: Date,
}

/// What happened to a resident, in the order in which it was recorded.
///
/// # Errors
/// As [`crate::show::open_resident`].
pub fn history(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &Asking,
) -> Result<Vec<HistoryLine>, PersonError> {
    let receipt = log(tx, keys, pack, env, ask, Action::OpenResident, &["life-events"])?;
    let events = Book::with(tx, receipt)?.events;
    let annulled_by = |n: i64| {
        let annuls = |change: &Change| matches!(change, Change::Annulment { of } if *of == n);
        events.iter().find(|later| annuls(&later.event.change)).map(|later| later.n)
    };
    let line = |n, event: &LifeEvent| HistoryLine { n, event: event.clone(), annulled_by: annulled_by(n) };
    Ok(events.iter().map(|numbered| line(numbered.n, &numbered.event)).collect())
}

/// A resident's record as of a day: what held then, as it is known now or, with [`Until::known`], as it was known at a time. Today's
/// when no day is given.
///
/// # Errors
/// As [`crate::show::open_resident`]; [`Refusal::NotKnownThen`] for a day before anything is known of her; [`Refusal::DayToCome`].
pub fn as_of(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &Asking,
    until: Until,
    fields: &[&str],
) -> Result<AsOf, PersonError> {
    let receipt = log(tx, keys, pack, env, ask, Action::OpenResident, fields)?;
    let book = Book::with(tx, receipt)?;
    let today = env.now.date_in(&pack.time_zone);
    let day = until.day.unwrap_or(today);
    if today < day {
        return Err(Refusal::DayToCome.into());
    }
    let registered = book.entered.registered_at;
    let since = match first_day(&book.events) {
        _ if until.known.is_some_and(|known| known < registered) => registered.date_in(&pack.time_zone),
        Some(first) if first <= day => return folded(&book, day, until),
        first => first.unwrap_or_else(|| registered.date_in(&pack.time_zone)),
    };
    Err(Refusal::NotKnownThen { since }.into())
}

fn folded(book: &Book<'_>, day: Date, until: Until) -> Result<AsOf, PersonError> {
    let resident = fold(&book.entered, &book.events, Until { day: Some(day), ..until })?;
    Ok(AsOf { resident, day })
}

//! What events make of an entry: pure, so that any day can be asked for, and any number of histories tried.

use jiff::ToSpan;
use jiff::civil::Date;
use kaname_base::Instant;
use kaname_base::pack::MarriageRules;
use kaname_trust::PersonId;

use super::{Change, LifeEvent};
use crate::resident::{FormerAddress, FormerName};
use crate::{Names, Particulars, Refusal, Relation, RelationKind, Resident, Standing};

/// One of a resident's events; `n` counts them from 1 in the order in which they were recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Numbered {
    /// Its number.
    pub n: i64,
    /// The event.
    pub event: LifeEvent,
}

/// Which part of a history counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Until {
    /// What held on this day; everything when `None`.
    pub day: Option<Date>,
    /// As it was known at this time; as it is known now when `None`.
    pub known: Option<Instant>,
}

/// An entry as it was made, with events on top, in the order of the days from which they hold.
///
/// # Errors
/// The [`Refusal`] of the first event that cannot be. Events were all admitted once, so that what is stored always folds.
pub fn fold(entered: &Resident, events: &[Numbered], until: Until) -> Result<Resident, Refusal> {
    let known = |event: &&Numbered| until.known.is_none_or(|known| event.event.at <= known);
    let annulled: Vec<i64> =
        events.iter().filter(known).filter_map(|numbered| annuls(&numbered.event)).collect();
    let mut counted: Vec<&Numbered> = events
        .iter()
        .filter(known)
        .filter(|numbered| !annulled.contains(&numbered.n))
        .filter(|numbered| until.day.is_none_or(|day| numbered.event.day() <= day))
        .collect();
    counted.sort_by_key(|numbered| (numbered.event.day(), numbered.n));

    let mut state = entered.clone();
    for numbered in counted {
        apply(&mut state, numbered)?;
    }
    Ok(state)
}

/// The entry with one more event, if it can have happened; `today` is the country's date.
///
/// # Errors
/// [`Refusal::EventInFuture`], [`Refusal::EntryMerged`], [`Refusal::EventBeforeBirth`], [`Refusal::AfterDeath`], [`Refusal::LaterEvent`] when an event that is
/// recorded already cannot follow it, and what [`fold`] refuses.
pub fn admit(
    entered: &Resident,
    events: &[Numbered],
    new: &LifeEvent,
    today: Date,
) -> Result<Resident, Refusal> {
    let n = events.last().map_or(1, |last| last.n + 1);
    // Whatever day it is about: what is found out of somebody is recorded with the entry that counts.
    let now = fold(entered, events, Until::default())?.life.standing;
    if matches!(now, Standing::Merged { .. }) {
        allowed_in(now, &new.change)?;
    }
    if new.day() > today {
        return Err(Refusal::EventInFuture);
    }
    if let Change::Annulment { of } = new.change {
        can_be_annulled(events, of)?;
    }
    let with: Vec<Numbered> = events.iter().cloned().chain([Numbered { n, event: new.clone() }]).collect();
    fold(entered, &with, Until { day: Some(new.day()), known: None })?;
    // What it says of its own day is possible, so that what is in the way is a later one.
    fold(entered, &with, Until::default()).map_err(|_| Refusal::LaterEvent)
}

/// Younger than this nobody marries, whatever the law was.
pub(crate) const CHILD: i8 = 12;

/// Younger than this nobody is a guardian.
pub(crate) const LEAST_GUARDIAN: i8 = 16;

/// Whether two people can begin to be related as `change` says; each as she was on the day.
///
/// # Errors
/// [`Refusal::EntryMerged`], [`Refusal::OtherDead`], [`Refusal::TooYoung`], [`Refusal::MarriedAlready`], [`Refusal::CloseKin`],
/// [`Refusal::ParentYounger`].
pub(crate) fn may_relate(
    change: &Change,
    on: Date,
    law: &MarriageRules,
    (me, hers): (PersonId, &Resident),
    other: &Resident,
) -> Result<(), Refusal> {
    let Some(to) = change.other() else { return Ok(()) };
    let kin =
        matches!(change, Change::RelationBegins { relation: RelationKind::Parent | RelationKind::Child, .. });
    match other.life.standing {
        Standing::Merged { .. } => return Err(Refusal::EntryMerged),
        // Also after a death it may be found who the father was.
        Standing::Dead { .. } if !kin => return Err(Refusal::OtherDead),
        _ => {}
    }
    let is_kin = |kind| matches!(kind, RelationKind::Parent | RelationKind::Child);
    let (born, others_birth) = (hers.particulars.born.earliest(), other.particulars.born.earliest());
    match change {
        Change::Marriage { .. } => {
            if hers.life.relations_now().any(|of| of.to == to && is_kin(of.kind)) {
                return Err(Refusal::CloseKin);
            }
            let least = law.least_age.filter(|(_, since)| *since <= on).map_or(CHILD, |(age, _)| age);
            if is_younger(born, least, on) || is_younger(others_birth, least, on) {
                return Err(Refusal::TooYoung);
            }
            let spouses = |of: &Resident, but: PersonId| {
                let is_spouse = |one: &&Relation| one.kind == RelationKind::Spouse && one.to != but;
                of.life.relations_now().filter(is_spouse).count()
            };
            if spouses(hers, to).max(spouses(other, me)) >= law.spouses {
                return Err(Refusal::MarriedAlready);
            }
            Ok(())
        }
        Change::RelationBegins { relation, .. } => {
            let is_spouse = |of: &Relation| of.to == to && of.kind == RelationKind::Spouse;
            match relation {
                RelationKind::Parent | RelationKind::Child if hers.life.relations_now().any(is_spouse) => {
                    Err(Refusal::CloseKin)
                }
                RelationKind::Parent if born < others_birth => Err(Refusal::ParentYounger),
                RelationKind::Child if others_birth < born => Err(Refusal::ParentYounger),
                RelationKind::Guardian if is_younger(others_birth, LEAST_GUARDIAN, on) => {
                    Err(Refusal::TooYoung)
                }
                RelationKind::Ward if is_younger(born, LEAST_GUARDIAN, on) => Err(Refusal::TooYoung),
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// Whether somebody born then is younger than `years` on a day.
pub(crate) fn is_younger(born: Date, years: i8, on: Date) -> bool {
    born.checked_add(i64::from(years).years()).is_ok_and(|of_age| on < of_age)
}

/// The day on which the entry began: of registration, or of the earliest thing that is known to have happened.
pub fn first_day(events: &[Numbered]) -> Option<Date> {
    events.iter().map(|numbered| numbered.event.day()).min()
}

fn annuls(event: &LifeEvent) -> Option<i64> {
    match event.change {
        Change::Annulment { of } => Some(of),
        _ => None,
    }
}

fn can_be_annulled(events: &[Numbered], of: i64) -> Result<(), Refusal> {
    let found = events.iter().find(|numbered| numbered.n == of).ok_or(Refusal::NoSuchEvent)?;
    if events.iter().any(|numbered| annuls(&numbered.event) == Some(of)) {
        return Err(Refusal::NoSuchEvent);
    }
    match &found.event.change {
        Change::Annulment { .. } => Err(Refusal::EventStands),
        change if change.is_of_number() => Err(Refusal::EventStands),
        change if change.is_beginning() => Err(Refusal::EventStands),
        _ => Ok(()),
    }
}

/// Applies one event to the state of its day.
fn apply(state: &mut Resident, Numbered { n, event }: &Numbered) -> Result<(), Refusal> {
    let day = event.day();
    let change = &event.change;
    if !change.is_beginning() && day < state.particulars.born.earliest() {
        return Err(Refusal::EventBeforeBirth);
    }
    allowed_in(state.life.standing, change)?;
    match change {
        // An entry is made with them, and a number is no part of it. An annulment has struck its event already.
        Change::Registration
        | Change::Birth
        | Change::Arrival { .. }
        | Change::NumberReplaced
        | Change::NumberLocked
        | Change::NumberUnlocked
        | Change::SplitFrom { .. }
        | Change::SplitOff { .. }
        | Change::Annulment { .. } => {}
        Change::Move { address } => {
            if state.particulars.address == *address {
                return Err(Refusal::SameAddress);
            }
            move_to(state, address.clone(), day);
        }
        Change::ChangeOfName { names } => rename(state, names, day)?,
        Change::ChangeOfStatus { status, stay } => {
            let of = &mut state.particulars;
            if of.status == *status && of.stay == *stay {
                return Err(Refusal::NothingChanges);
            }
            of.status.clone_from(status);
            of.stay = *stay;
        }
        Change::ChangeOfContact { phone, email } => {
            let of = &mut state.particulars;
            if of.phone == *phone && of.email == *email {
                return Err(Refusal::NothingChanges);
            }
            of.phone.clone_from(phone);
            of.email.clone_from(email);
        }
        Change::Photo => state.life.photo = Some(*n),
        Change::Marriage { with, names } => {
            begin(state, Relation { kind: RelationKind::Spouse, to: *with, from: day, until: None })?;
            names.iter().try_for_each(|names| rename(state, names, day))?;
        }
        Change::Divorce { from, names } => {
            end(state, RelationKind::Spouse, *from, day)?;
            names.iter().try_for_each(|names| rename(state, names, day))?;
        }
        Change::RelationBegins { relation, to } => {
            begin(state, Relation { kind: *relation, to: *to, from: day, until: None })?;
        }
        Change::RelationEnds { relation, to } => end(state, *relation, *to, day)?,
        Change::Bereavement { of } => end_with_death(state, day, |relation| relation.to == *of),
        Change::Emigration { .. } => state.life.standing = Standing::Away { since: day },
        Change::Return { address } => {
            state.life.standing = Standing::Here;
            if let Some(address) = address.as_ref().filter(|address| **address != state.particulars.address) {
                move_to(state, address.clone(), day);
            }
        }
        Change::Death => {
            state.life.standing = Standing::Dead { on: day };
            end_with_death(state, day, |_| true);
        }
        Change::Correction { set } => {
            let before = state.particulars.clone();
            for corrected in set {
                state.particulars.put(corrected.field, &corrected.text).ok_or(Refusal::NothingChanges)?;
            }
            if state.particulars == before {
                return Err(Refusal::NothingChanges);
            }
        }
        Change::MergedInto { survivor } => state.life.standing = Standing::Merged { into: *survivor },
        Change::Absorbed { merged } => {
            if state.life.absorbed.contains(merged) {
                return Err(Refusal::NothingChanges);
            }
            state.life.absorbed.push(*merged);
        }
    }
    Ok(())
}

/// What can happen to somebody who stands so.
fn allowed_in(standing: Standing, change: &Change) -> Result<(), Refusal> {
    // Mistakes are corrected, and what others are to her ends, whoever she is.
    let always = matches!(
        change,
        Change::Registration
            | Change::NumberReplaced
            | Change::NumberLocked
            | Change::NumberUnlocked
            | Change::Correction { .. }
            | Change::Annulment { .. }
            | Change::RelationEnds { .. }
            | Change::Bereavement { .. }
            | Change::Absorbed { .. }
            | Change::SplitOff { .. }
    );
    // Also after she died: she has a second entry, or a child's father is found.
    let in_death = matches!(
        change,
        Change::MergedInto { .. }
            | Change::RelationBegins { relation: RelationKind::Parent | RelationKind::Child, .. }
    );
    match (standing, change) {
        _ if always => Ok(()),
        (Standing::Merged { .. }, _) => Err(Refusal::EntryMerged),
        (Standing::Dead { .. }, _) if in_death => Ok(()),
        (Standing::Dead { .. }, _) => Err(Refusal::AfterDeath),
        (Standing::Away { .. }, Change::Move { .. } | Change::Emigration { .. }) => Err(Refusal::NotHere),
        (Standing::Here, Change::Return { .. }) => Err(Refusal::NotAway),
        _ => Ok(()),
    }
}

fn move_to(state: &mut Resident, address: crate::Address, day: Date) {
    let of = &mut state.particulars;
    let before = std::mem::replace(&mut of.address, address);
    let from = of.address_since.replace(day);
    if !before.is_empty() {
        state.life.former_addresses.push(FormerAddress { address: before, from, until: day });
    }
}

fn rename(state: &mut Resident, names: &Names, day: Date) -> Result<(), Refusal> {
    let before = state.particulars.names();
    if before == *names {
        return Err(Refusal::NothingChanges);
    }
    state.particulars.set_names(names.clone());
    state.life.former_names.push(FormerName { names: before, until: day });
    Ok(())
}

fn begin(state: &mut Resident, new: Relation) -> Result<(), Refusal> {
    let again = |old: &&Relation| old.kind == new.kind && old.to == new.to;
    if state.life.relations_now().any(|old| again(&old)) {
        return Err(Refusal::AlreadyRelated);
    }
    state.life.relations.push(new);
    Ok(())
}

fn end(
    state: &mut Resident,
    kind: RelationKind,
    to: kaname_trust::PersonId,
    day: Date,
) -> Result<(), Refusal> {
    let is_it = |old: &&mut Relation| old.kind == kind && old.to == to && old.until.is_none();
    let relation = state.life.relations.iter_mut().find(is_it).ok_or(Refusal::NotRelated)?;
    relation.until = Some(day);
    Ok(())
}

/// Ends what ends when one of the two dies. She stays her children's mother.
fn end_with_death(state: &mut Resident, day: Date, which: impl Fn(&Relation) -> bool) {
    let lasts = |kind| matches!(kind, RelationKind::Parent | RelationKind::Child);
    for relation in &mut state.life.relations {
        if relation.until.is_none() && !lasts(relation.kind) && which(relation) {
            relation.until = Some(day);
        }
    }
}

impl Particulars {
    /// The forms of her name.
    pub fn names(&self) -> Names {
        Names { name: self.name.clone(), reading: self.reading.clone(), latin: self.latin.clone() }
    }

    fn set_names(&mut self, Names { name, reading, latin }: Names) {
        (self.name, self.reading, self.latin) = (name, reading, latin);
    }
}

//! Use case: an agency asks which of a few people it names fit what it says of them, and reads them. It never gets a list of people
//! whom it did not name: what is not pinned to a person is refused, however it is put.

use std::collections::BTreeMap;

use super::facts::Fact;
use super::read::{self, Answer, Statement, Withheld};
use super::{Desk, whom};
use crate::{Action, PersonError, Refusal, policy};

/// The most people that one answer names, whatever was asked. Whoever needs more asks more exactly.
pub const FAN_OUT: usize = 10;

/// What an agency asks.
#[derive(Clone)]
pub struct Search {
    /// The people, each by number, alias or the agency's own name for her. At most [`FAN_OUT`].
    pub who: Vec<String>,
    /// What must be true of those who are shown.
    pub condition: Condition,
    /// The attributes that are read of them.
    pub names: Vec<String>,
}

/// Statements, put together.
#[derive(Clone)]
pub enum Condition {
    /// Each of them; with none, always.
    All(Vec<Condition>),
    /// One of them at least.
    Any(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// A statement about the person.
    Is(Statement),
}

/// Reads those of the named people of whom the condition is true, in the order they were named. Each who is there is opened once,
/// with an entry for each purpose, whether the condition turns out to be true or not.
///
/// # Errors
/// [`Refusal::TooMany`]; [`Refusal::NotForAgency`] when the condition is about what the agency may not read.
pub fn search(desk: Desk<'_>, ask: &Search) -> Result<Vec<Answer>, PersonError> {
    policy::may(&desk.agency.actor(), Action::ReadAsAgency)?;
    if ask.who.len() > FAN_OUT {
        return Err(Refusal::TooMany.into());
    }
    let mut names = ask.names.clone();
    ask.condition.names(&mut names);
    let Desk { store, keys, pack, env, agency, .. } = desk;
    let mut seen = Vec::new();
    let mut found = Vec::new();
    for who in &ask.who {
        let person = match whom::resident(store, keys, pack, env, agency, who) {
            Ok(person) => person,
            Err(PersonError::Refused(Refusal::NoSuchResident)) => continue,
            Err(error) => return Err(error),
        };
        // One person under two names is one person.
        if seen.contains(&person) {
            continue;
        }
        seen.push(person);
        let answer = read::of_person(store, keys, pack, env, agency, person, &names)?;
        if ask.condition.holds_of(&answer)? {
            found.push(answer.into_iter().filter(|(name, _)| ask.names.contains(name)).collect());
        }
    }
    Ok(found)
}

impl Condition {
    /// Adds the names it speaks of.
    fn names(&self, into: &mut Vec<String>) {
        match self {
            Condition::All(parts) | Condition::Any(parts) => parts.iter().for_each(|part| part.names(into)),
            Condition::Not(part) => part.names(into),
            Condition::Is(statement) if into.contains(&statement.name) => {}
            Condition::Is(statement) => into.push(statement.name.clone()),
        }
    }

    /// Whether it is true of what was read. All of it is looked at, so that a refusal does not depend on what is true of her.
    fn holds_of(&self, answer: &Answer) -> Result<bool, PersonError> {
        let each = |parts: &[Condition]| -> Result<Vec<bool>, PersonError> {
            parts.iter().map(|part| part.holds_of(answer)).collect()
        };
        Ok(match self {
            Condition::All(parts) => each(parts)?.into_iter().all(|holds| holds),
            Condition::Any(parts) => each(parts)?.into_iter().any(|holds| holds),
            Condition::Not(part) => !part.holds_of(answer)?,
            Condition::Is(statement) => match answer.get(&statement.name) {
                Some(Ok(fact)) => statement.holds_of(fact),
                Some(Err(Withheld::NotRecorded)) => false,
                _ => return Err(Refusal::NotForAgency.into()),
            },
        })
    }
}

/// A text of an answer; none where it was withheld.
pub fn text<'a>(answer: &'a BTreeMap<String, Result<Fact, Withheld>>, name: &str) -> Option<&'a str> {
    match answer.get(name) {
        Some(Ok(Fact::Text(text))) => Some(text),
        _ => None,
    }
}

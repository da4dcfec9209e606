//! Use cases: an agency reads attributes of a person, has values compared, or has statements about her judged.

use std::collections::BTreeMap;
use std::sync::Arc;

use kaname_base::Env;
use kaname_base::pack::Pack;
use kaname_store::{Store, Tx};
use kaname_trust::person::bucket_of;
use kaname_trust::{Access, Keys, PersonId, access};

use super::facts::{self, Fact, Known, PERSON_ID, UIN};
use super::{Agency, basis, feed, name, whom};
use crate::{Action, PersonError, Refusal, policy, show};

/// Why an attribute was not given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Withheld {
    /// Nothing is called so.
    Unknown,
    /// The agency is not registered for it, or not for the purpose that it states.
    NotAllowed,
    /// The record has none.
    NotRecorded,
}

/// What an agency asked for, by the names it used.
pub type Answer = BTreeMap<String, Result<Fact, Withheld>>;

/// One statement about a person: `dateOfBirth < 1990-12-31`.
#[derive(Clone)]
pub struct Statement {
    /// What it is about.
    pub name: String,
    /// How it compares.
    pub operator: Operator,
    /// With what.
    pub value: Fact,
}

/// How a statement compares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is the sign of its name")]
pub enum Operator {
    Less,
    Greater,
    Equal,
    AtLeast,
    AtMost,
    NotEqual,
}

/// Reads attributes of the person whom the agency calls `who`. What it may not have is withheld by name; the rest is given.
///
/// # Errors
/// [`Refusal::NoSuchResident`], [`Refusal::NotAllowed`].
pub fn attributes(
    store: &Store,
    keys: &Keys,
    pack: &Arc<Pack>,
    env: &Env,
    agency: &Agency,
    who: &str,
    names: &[String],
) -> Result<Answer, PersonError> {
    policy::may(&agency.actor(), Action::ReadAsAgency)?;
    let person = whom::resident(store, keys, pack, env, agency, who)?;
    of_person(store, keys, pack, env, agency, person, names)
}

/// [`attributes`] of a person who is already found.
///
/// # Errors
/// As [`attributes`].
pub fn of_person(
    store: &Store,
    keys: &Keys,
    pack: &Arc<Pack>,
    env: &Env,
    agency: &Agency,
    person: PersonId,
    names: &[String],
) -> Result<Answer, PersonError> {
    policy::may(&agency.actor(), Action::ReadAsAgency)?;
    let (keys, pack, env, agency, names) =
        (keys.clone(), Arc::clone(pack), env.again(), agency.clone(), names.to_vec());
    store.write(bucket_of(person, store.buckets()), move |tx| {
        open(tx, &keys, &pack, &env.again(), &agency, person, &names, None)
    })
}

/// Compares what the agency says with the record. Gives the names that do not match, each with why.
///
/// # Errors
/// As [`attributes`].
pub fn mismatches(
    store: &Store,
    keys: &Keys,
    pack: &Arc<Pack>,
    env: &Env,
    agency: &Agency,
    who: &str,
    said: &BTreeMap<String, Fact>,
) -> Result<Vec<(String, Mismatch)>, PersonError> {
    let names: Vec<String> = said.keys().cloned().collect();
    let answer = attributes(store, keys, pack, env, agency, who, &names)?;
    let mut found = Vec::new();
    for (name, said) in said {
        match answer.get(name) {
            Some(Ok(fact)) if fact.is(said) => {}
            Some(Ok(_)) => found.push((name.clone(), Mismatch::Differs)),
            // What it may not read it may not guess either: it is told the same as of a name that does not exist.
            _ => found.push((name.clone(), Mismatch::NotThere)),
        }
    }
    Ok(found)
}

/// Why something does not match.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mismatch {
    /// There is no such attribute, or none for this agency.
    NotThere,
    /// The record says something else.
    Differs,
}

/// Whether all of the statements are true.
///
/// # Errors
/// As [`attributes`]; [`Refusal::NotForAgency`] when one of them is about what the agency may not read.
pub fn verdict(
    store: &Store,
    keys: &Keys,
    pack: &Arc<Pack>,
    env: &Env,
    agency: &Agency,
    who: &str,
    statements: &[Statement],
) -> Result<bool, PersonError> {
    let mut names: Vec<String> = statements.iter().map(|statement| statement.name.clone()).collect();
    names.dedup();
    let answer = attributes(store, keys, pack, env, agency, who, &names)?;
    let mut all = true;
    for statement in statements {
        match answer.get(&statement.name) {
            Some(Ok(fact)) => all &= statement.holds_of(fact),
            Some(Err(Withheld::NotRecorded)) => all = false,
            _ => return Err(Refusal::NotForAgency.into()),
        }
    }
    Ok(all)
}

impl Statement {
    /// Whether it says that two are the same.
    pub fn is_equal(&self) -> bool {
        self.operator == Operator::Equal
    }

    /// Whether it is true of this value.
    pub fn holds_of(&self, fact: &Fact) -> bool {
        let (left, right) = (fact.folded(), self.value.folded());
        match self.operator {
            Operator::Less => left < right,
            Operator::Greater => left > right,
            Operator::Equal => left == right,
            Operator::AtLeast => left >= right,
            Operator::AtMost => left <= right,
            Operator::NotEqual => left != right,
        }
    }
}

/// Runs in the person's bucket: one entry in the access log for each purpose, then only what that purpose covers. `through` names the
/// link that leads to her, if one does: then it stands in each entry, and the agency is given no name by which it could come back
/// another way.
#[expect(clippy::too_many_arguments, reason = "one more than the public functions, which differ in it")]
pub(crate) fn open(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    agency: &Agency,
    person: PersonId,
    names: &[String],
    through: Option<&str>,
) -> Result<Answer, PersonError> {
    let (mut answer, mut asked) = (Answer::new(), Vec::<(&str, &Known, &str)>::new());
    let mut number_for = None;
    for wanted in names {
        let given = match wanted.as_str() {
            PERSON_ID | UIN if through.is_some() => Err(Withheld::NotAllowed),
            PERSON_ID => Ok(Fact::Text(name::of_person(keys, agency, person))),
            UIN if agency.sees_numbers => {
                number_for = Some(agency.purpose(pack)?);
                continue;
            }
            UIN => Err(Withheld::NotAllowed),
            other => {
                match facts::find(other).map(|known| (known, agency.purpose_of(pack, known.attribute))) {
                    None => Err(Withheld::Unknown),
                    Some((_, None)) => Err(Withheld::NotAllowed),
                    Some((known, Some(purpose))) => {
                        asked.push((wanted, known, &purpose.code));
                        continue;
                    }
                }
            }
        };
        answer.insert(wanted.clone(), given);
    }
    let mut purposes: Vec<&str> = asked.iter().map(|(_, _, purpose)| *purpose).collect();
    purposes.sort_unstable();
    purposes.dedup();

    if (!purposes.is_empty() || number_for.is_some()) && through.is_none() {
        feed::note_known(tx, keys, agency, person)?;
    }
    let actor = agency.actor();
    let today = env.now.date_in(&pack.time_zone);
    for purpose in purposes {
        let of_purpose = || asked.iter().filter(|(_, _, known)| *known == purpose);
        let mut fields: Vec<&str> = of_purpose().map(|(_, known, _)| known.attribute).collect();
        fields.dedup();
        fields.extend(through);
        let purpose = pack.purpose(purpose).ok_or(Refusal::UnknownPurpose)?;
        let basis = basis(pack, purpose);
        let access = Access { person, actor: &actor, purpose: &purpose.code, basis, fields: &fields };
        let receipt = access::record(tx, keys, env, &access)?;
        let record = show::resident_with(tx, &receipt)?.particulars;
        for (wanted, known, _) in of_purpose() {
            let value = facts::value(known, &record, pack, today).ok_or(Withheld::NotRecorded);
            answer.insert((*wanted).to_owned(), value);
        }
    }
    if let Some(purpose) = number_for {
        let basis = basis(pack, purpose);
        let access = Access { person, actor: &actor, purpose: &purpose.code, basis, fields: &["number"] };
        let receipt = access::record(tx, keys, env, &access)?;
        let number = show::number_with(tx, &receipt)?;
        answer.insert(UIN.to_owned(), Ok(Fact::Text(number.as_str().to_owned())));
    }
    Ok(answer)
}

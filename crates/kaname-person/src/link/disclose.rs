//! Use case: whoever holds an outside record asks for the resident behind it. The entry in her log names the link, so that those who
//! were misled by a wrong one can be found.

use kaname_base::Env;
use kaname_store::StoreError;
use kaname_trust::{Actor, PersonId};

use super::table::{self, Standing};
use super::{Desk, LinkId, LinkState, lookup, outside_index, through};
use crate::show::resident_with;
use crate::{Action, PersonError, Refusal, Resident, policy};

/// Who asks for the resident behind an outside record.
#[derive(Clone)]
pub struct ReadThrough<'a> {
    /// Which kind of record.
    pub source: &'a str,
    /// The agency's own id of it.
    pub reference: &'a str,
    /// Who asks.
    pub by: Actor,
    /// For which purpose of the pack.
    pub purpose: &'a str,
    /// What is looked at.
    pub fields: &'a [&'a str],
}

/// The resident to whom an outside record is linked. A link that waits, is suspended or undone leads to nobody.
///
/// # Errors
/// [`Refusal::NotAllowed`], [`Refusal::UnknownPurpose`]; [`Refusal::NoSuchLink`] whatever the reason is.
pub fn read_through(
    desk: &Desk,
    env: &Env,
    ask: &ReadThrough<'_>,
) -> Result<(PersonId, LinkId, Resident), PersonError> {
    policy::may(&ask.by, Action::ReadThroughLink)?;
    desk.source(ask.source)?;
    let outside = outside_index(&desk.keys, ask.source, ask.reference);
    let bucket = desk.directory_bucket(&outside);
    let found = desk.store.read::<_, StoreError, _>(bucket, move |tx| table::entries(tx, &[outside]))?;
    let entry = found.into_iter().next().flatten().filter(|entry| entry.standing == Standing::Linked);
    let (person, link) = entry.and_then(|entry| entry.owner).ok_or(Refusal::NoSuchLink)?;

    let (with, env, by, purpose) = (desk.clone(), env.again(), ask.by.clone(), ask.purpose.to_owned());
    let mut fields: Vec<String> = ask.fields.iter().map(|field| (*field).to_owned()).collect();
    fields.push(through(link));
    desk.store.write(desk.bucket_of(person), move |tx| {
        let row = table::link(tx, person, link)?.ok_or(Refusal::NoSuchLink)?;
        if row.state != LinkState::Active {
            return Err(Refusal::NoSuchLink.into());
        }
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let receipt = lookup::log(tx, &with, &env.again(), &by, person, &purpose, &fields)?;
        Ok((person, link, resident_with(tx, &receipt)?))
    })
}

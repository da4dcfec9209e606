//! Use cases: an agency that holds an outside record asks for the resident behind it, and says what it issued because of that. The
//! entry in her log names the link, so that those who were misled by a wrong one can be found.

use kaname_base::Env;
use kaname_store::StoreError;
use kaname_trust::PersonId;

use super::table::{self, Standing};
use super::{Desk, Issued, LinkId, LinkState, lookup, outside_index, through};
use crate::agency::{Agency, read};
use crate::{Action, PersonError, Refusal, policy};

/// The most things that are kept as issued because of one link.
const MOST_ISSUED: usize = 64;

/// Which record an agency asks about.
#[derive(Clone, Copy)]
pub struct ReadThrough<'a> {
    /// Who asks.
    pub agency: &'a Agency,
    /// Which kind of record: one of the agency's own.
    pub source: &'a str,
    /// The agency's own id of it.
    pub reference: &'a str,
}

/// Attributes of the resident to whom an outside record is linked, those that the agency is registered for. A link that waits, is
/// suspended or undone leads to nobody. Neither her number nor a name for her is given this way: what is read through a link is read
/// through it each time, so that all of it is found when the link proves wrong.
///
/// # Errors
/// [`Refusal::NotAllowed`]; [`Refusal::NotForAgency`] for another agency's records; [`Refusal::NoSuchLink`] whatever the reason is.
pub fn read_through(
    desk: &Desk,
    env: &Env,
    ask: ReadThrough<'_>,
    names: &[String],
) -> Result<read::Answer, PersonError> {
    policy::may(&ask.agency.actor(), Action::ReadThroughLink)?;
    let (person, link) = owner(desk, ask)?;
    let (with, env, agency, names) = (desk.clone(), env.again(), ask.agency.clone(), names.to_vec());
    desk.store.write(desk.bucket_of(person), move |tx| {
        let row = table::link(tx, person, link)?.ok_or(Refusal::NoSuchLink)?;
        if row.state != LinkState::Active {
            return Err(Refusal::NoSuchLink.into());
        }
        let through = through(link);
        read::open(tx, &with.keys, &with.pack, &env.again(), &agency, person, &names, Some(&through))
    })
}

/// Keeps what an agency issued because of a link, such as a card, so that it is told when the link turns out wrong. Saying it twice
/// keeps it once.
///
/// # Errors
/// As [`read_through`]; [`Refusal::IdForm`] for an empty or long text, [`Refusal::TooMany`].
pub fn note_issued(
    desk: &Desk,
    env: &Env,
    ask: ReadThrough<'_>,
    what: &str,
    reference: &str,
) -> Result<(), PersonError> {
    let by = ask.agency.actor();
    policy::may(&by, Action::ReadThroughLink)?;
    if [what, reference].iter().any(|text| !(1..=256).contains(&text.len())) {
        return Err(Refusal::IdForm.into());
    }
    let (person, link) = owner(desk, ask)?;
    let (with, env) = (desk.clone(), env.again());
    let (what, reference) = (what.to_owned(), reference.to_owned());
    desk.store.write(desk.bucket_of(person), move |tx| {
        let env = env.again();
        let (mut row, mut link) = lookup::open_link(tx, &with, &env, &by, person, link)?;
        if row.state != LinkState::Active {
            return Err(Refusal::NoSuchLink.into());
        }
        let is_it =
            |issued: &Issued| issued.what == what && issued.reference == reference && issued.by.id == by.id;
        if link.issued.iter().any(is_it) {
            return Ok(());
        }
        if link.issued.len() >= MOST_ISSUED {
            return Err(Refusal::TooMany.into());
        }

        let (what, reference) = (what.clone(), reference.clone());
        link.issued.push(Issued { what, reference, by: by.clone(), at: env.now, recalled_at: None });
        lookup::keep(tx, &with, &mut row, &link)
    })
}

/// To whom the record is linked.
fn owner(desk: &Desk, ask: ReadThrough<'_>) -> Result<(PersonId, LinkId), PersonError> {
    ask.agency.holds(ask.source)?;
    desk.source(ask.source)?;
    let outside = outside_index(&desk.keys, ask.source, ask.reference);
    let bucket = desk.directory_bucket(&outside);
    let found = desk.store.read::<_, StoreError, _>(bucket, move |tx| table::entries(tx, &[outside]))?;
    let entry = found.into_iter().next().flatten().filter(|entry| entry.standing == Standing::Linked);
    entry.and_then(|entry| entry.owner).ok_or_else(|| Refusal::NoSuchLink.into())
}

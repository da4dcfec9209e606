//! Making links in the bucket of the people they are about.

use kaname_base::Env;
use kaname_base::pack::source::Source;
use kaname_store::Tx;
use kaname_trust::keys::BlindIndex;
use kaname_trust::{Actor, PersonId, seal};

use super::recall::{self, Affected};
use super::table::{self, Counted, LinkRow};
use super::{Desk, Doubt, Evidence, Link, LinkId, LinkState, Method, Step};
use super::{incident, lookup, rules, slot_index};
use crate::{PackVersion, Particulars, PersonError, policy};

/// A link to be made.
#[derive(Clone)]
pub(crate) struct NewLink {
    pub(crate) id: LinkId,
    pub(crate) person: PersonId,
    pub(crate) outside: BlindIndex,
    pub(crate) record: Particulars,
    pub(crate) evidence: Evidence,
    /// How often the record was linked, this time included.
    pub(crate) turn: i64,
    pub(crate) method: Method,
    pub(crate) by: Actor,
    pub(crate) approved_by: Option<Actor>,
}

/// Makes links of people of this unit's bucket; tells for each whether there was room. What is there already is left alone.
pub(crate) fn link_many(
    tx: &mut Tx<'_>,
    desk: &Desk,
    env: &Env,
    source: &Source,
    new: &[NewLink],
) -> Result<Vec<bool>, PersonError> {
    let mut rows: Vec<LinkRow> = Vec::with_capacity(new.len());
    let mut linked = Vec::with_capacity(new.len());
    let mut was_anothers = Vec::new();
    for new in new {
        let slot = slot_index(&desk.keys, &source.code, new.person);
        let there = table::links_of(tx, new.person)?;
        if there.iter().any(|row| row.link == new.id) {
            linked.push(true);
            continue;
        }
        let mine = |row: &&LinkRow| row.person == new.person && row.slot == slot && row.state.takes_a_place();
        let taken = there.iter().filter(mine).count() + rows.iter().filter(mine).count();
        if taken >= source.records_each as usize {
            linked.push(false);
            continue;
        }
        let state = LinkState::first(source, new.method == Method::Review);
        let link = Link {
            id: new.id,
            source: source.code.clone(),
            outside: new.record.clone(),
            method: new.method,
            evidence: new.evidence.clone(),
            by: new.by.clone(),
            approved_by: new.approved_by.clone(),
            since: (state == LinkState::Active).then_some(env.now),
            until: None,
            confirmed_at: None,
            history: vec![Step { state, at: env.now, by: new.by.clone(), why: String::new() }],
            issued: Vec::new(),
            readers: Vec::new(),
            found_right: None,
            was_anothers: new.turn > 1 && there.iter().all(|row| row.outside != new.outside),
            pack: PackVersion::of(&desk.pack),
        };
        if link.was_anothers {
            was_anothers.push((new.person, new.id));
        }
        let sealed = seal::data_key(tx, &desk.keys, new.person)?.seal(&link).bytes().to_vec();
        let (person, link, outside) = (new.person, new.id, new.outside);
        rows.push(LinkRow { person, link, slot, outside, state, version: 1, sealed });
        linked.push(true);
    }

    if !rows.is_empty() {
        // In the order of the ids, not of the agency's list.
        rows.sort_by_key(|row| (row.person, row.link));
        let month = rules::month_of(env.now.date_in(&desk.pack.time_zone));
        table::count_up(tx, &source.code, month, Counted::Linked, rows.len() as i64)?;
        table::insert_links(tx, &rows)?;
        for (person, link) in was_anothers {
            recall::insert_letter(tx, person, link, Affected::WasAnothers)?;
        }
    }
    Ok(linked)
}

/// Keeps what the agency says by now of a record that is linked. Where a field by which people are known, and that the source demands,
/// is another one now and does not agree, the link is suspended in the same unit of work. Whether officers have to look at it.
///
/// An address alone is no reason: people move, and the audit asks officers about it.
pub(super) fn update_link(
    desk: &Desk,
    env: &Env,
    person: PersonId,
    link: LinkId,
    record: &Particulars,
    evidence: &Evidence,
) -> Result<bool, PersonError> {
    let (with, env, record, evidence) = (desk.clone(), env.again(), record.clone(), evidence.clone());
    desk.store.write(desk.bucket_of(person), move |tx| {
        let (env, by) = (env.again(), Actor::program("link-check", policy::PROGRAM));
        let (mut row, mut held) = lookup::open_link(tx, &with, &env, &by, person, link)?;
        if !row.state.takes_a_place() {
            return Ok(false); // it counts for nothing any more
        }
        let demand = &with.source(&held.source)?.evidence;
        let speaks_against = rules::another_person(demand, &evidence, &held.outside, &record);

        if speaks_against && row.state != LinkState::Suspended {
            let why = Doubt::Changed.code().to_owned();
            incident::report_in(tx, &with, &env, &incident::Report { person, link, by: by.clone(), why })?;
            (row, held) = lookup::open_link(tx, &with, &env, &by, person, link)?;
        }
        held.outside = record.clone();
        held.evidence = evidence.clone();
        lookup::keep(tx, &with, &mut row, &held)?;
        Ok(row.state == LinkState::Suspended)
    })
}

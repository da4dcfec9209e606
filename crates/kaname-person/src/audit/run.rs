//! Use case: search the register for errors.

use std::collections::BTreeMap;

use kaname_base::{Bucket, Env, Instant};
use kaname_store::{StoreError, Tx};
use kaname_trust::access::{self, Access};
use kaname_trust::keys::BlindIndex;
use kaname_trust::{Actor, ActorKind, PersonId};

use super::findings::{Draft, Kind, raise};
use super::{rules, table};
use crate::link::index::{self, Reach};
use crate::link::table::{self as links, LinkRow, Standing};
use crate::link::{Desk, LinkId, LinkState, lookup};
use crate::linkage;
use crate::scatter::scatter_reads;
use crate::show::resident_with;
use crate::{Action, Particulars, PersonError, Refusal, Resident, policy};

/// People opened together.
const CHUNK: i64 = 500;

/// From which probability on two entries are shown to officers as one person.
const SAME_PERSON: f32 = 0.9;

/// How to audit.
#[derive(Clone)]
pub struct Audit {
    /// Who audits.
    pub by: Actor,
    /// Everybody, or only who changed since the last time.
    pub full: bool,
}

/// What an audit saw.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Audited {
    /// People in the register.
    pub people: u64,
    /// Those who were opened.
    pub opened: u64,
    /// Links that were compared again.
    pub links: u64,
    /// Findings that were not there before.
    pub new_findings: u64,
}

/// What an audit reads.
const FIELDS: [&str; 6] = ["name", "birth_date", "sex", "address", "phone", "linked-records"];
const PURPOSE: &str = "audit";

/// Searches the register and the links; what is found is kept. `progress` is told how many people were visited.
///
/// # Errors
/// [`Refusal::NotAllowed`]; a [`PersonError::Store`] ends it, and the next audit goes on with whoever was not done.
pub fn audit(
    desk: &Desk,
    env: &Env,
    ask: &Audit,
    progress: &mut dyn FnMut(u64),
) -> Result<Audited, PersonError> {
    policy::may(&ask.by, Action::AuditRegistry)?;
    index::refresh(desk, env, &mut |_| {})?;
    let mut run = Run { desk, env, ask, audited: Audited::default(), counters: rules::Counters::default() };
    for bucket in desk.store.buckets().all() {
        let mut after: Vec<u8> = Vec::new();
        while let Some(last) = run.visit(bucket, &after)? {
            after = last.bytes().to_vec();
            progress(run.audited.people);
        }
    }
    let counters = std::mem::take(&mut run.counters);
    for (officer, word, day) in counters.unusual() {
        let detail = format!("{word} {officer} day {day}");
        run.raise(Draft { kind: Kind::CounterPattern, people: Vec::new(), link: None, detail })?;
    }
    Ok(run.audited)
}

struct Run<'a> {
    desk: &'a Desk,
    env: &'a Env,
    ask: &'a Audit,
    audited: Audited,
    counters: rules::Counters,
}

/// Somebody who was opened, and what must still be looked up about her outside her bucket.
struct Seen {
    person: PersonId,
    mark: BlindIndex,
    drafts: Vec<Draft>,
    links: Vec<SeenLink>,
    particulars: Particulars,
    wrote: Vec<(String, Instant)>,
}

struct SeenLink {
    id: LinkId,
    outside: BlindIndex,
    record: Particulars,
    source: String,
    confirmed: bool,
    version: i64,
}

impl Run<'_> {
    /// One chunk of a bucket; the last person of it, or `None` at the end.
    fn visit(&mut self, bucket: Bucket, after: &[u8]) -> Result<Option<PersonId>, PersonError> {
        let (with, from, full) = (self.desk.clone(), after.to_vec(), self.ask.full);
        let (people, changed) = self.desk.store.read::<_, PersonError, _>(bucket, move |tx| {
            let people = table::people(tx, &from, CHUNK)?;
            let Some((last, _)) = people.last() else { return Ok((people, Vec::new())) };
            let rows = links::links_between(tx, &from, *last)?;
            let mut by_person: BTreeMap<PersonId, Vec<LinkRow>> = BTreeMap::new();
            for row in rows {
                by_person.entry(row.person).or_default().push(row);
            }
            let ids: Vec<PersonId> = people.iter().map(|(person, _)| *person).collect();
            let seen = table::seen(tx, &ids)?;
            let mut changed = Vec::new();
            for ((person, version), seen) in people.iter().zip(seen) {
                let rows = by_person.remove(person).unwrap_or_default();
                let mark = mark_of(&with, *version, &rows);
                if full || seen != Some(mark) {
                    changed.push((*person, mark, rows));
                }
            }
            Ok((people, changed))
        })?;
        let last = people.last().map(|(person, _)| *person);
        self.audited.people += people.len() as u64;
        if !changed.is_empty() {
            self.look_at(bucket, changed)?;
        }
        Ok(last)
    }

    fn look_at(
        &mut self,
        bucket: Bucket,
        changed: Vec<(PersonId, BlindIndex, Vec<LinkRow>)>,
    ) -> Result<(), PersonError> {
        let (with, env) = (self.desk.clone(), self.env.again());
        let actor = self.actor();
        let seen =
            self.desk.store.write(bucket, move |tx| open_many(tx, &with, &env.again(), &actor, &changed))?;
        self.audited.opened += seen.len() as u64;
        self.audited.links += seen.iter().map(|seen| seen.links.len() as u64).sum::<u64>();

        for seen in &seen {
            for draft in &seen.drafts {
                self.raise(draft.clone())?;
            }
            for (officer, at) in &seen.wrote {
                self.counters.note(officer, *at);
            }
        }
        self.check_directory(&seen)?;
        self.check_rivals(&seen)?;
        self.check_twice(&seen)?;

        // Said last: whoever was not done to the end is done again.
        let marks: Vec<(PersonId, BlindIndex)> = seen.iter().map(|seen| (seen.person, seen.mark)).collect();
        self.desk.store.write::<_, StoreError, _>(bucket, move |tx| {
            for (person, mark) in &marks {
                table::set_seen(tx, *person, mark)?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// One outside record, one resident: the directory must name this very link.
    fn check_directory(&mut self, seen: &[Seen]) -> Result<(), PersonError> {
        let mut by_bucket: BTreeMap<Bucket, Vec<(BlindIndex, PersonId, LinkId)>> = BTreeMap::new();
        for seen in seen {
            for link in &seen.links {
                let bucket = self.desk.store.buckets().of_hash(&link.outside);
                by_bucket.entry(bucket).or_default().push((link.outside, seen.person, link.id));
            }
        }
        let units = by_bucket.into_iter().map(|(bucket, asked)| {
            let work = move |tx: &mut Tx<'_>| {
                let indexes: Vec<BlindIndex> = asked.iter().map(|(outside, ..)| *outside).collect();
                let entries = links::entries(tx, &indexes)?;
                let others = asked.iter().zip(entries).filter_map(|((_, person, link), entry)| {
                    let owned = entry.is_some_and(|entry| {
                        matches!(entry.standing, Standing::Linked | Standing::Claimed)
                            && entry.owner == Some((*person, *link))
                    });
                    (!owned).then_some((*person, *link))
                });
                Ok::<_, PersonError>(others.collect::<Vec<_>>())
            };
            (bucket, work)
        });
        for (person, link) in
            scatter_reads(&self.desk.store, units.collect())?.gather()?.into_iter().flatten()
        {
            let detail = String::new();
            self.raise(Draft { kind: Kind::SharedRecord, people: vec![person], link: Some(link), detail })?;
        }
        Ok(())
    }

    /// Whether another resident fits a linked record as well as the one it is linked to.
    fn check_rivals(&mut self, seen: &[Seen]) -> Result<(), PersonError> {
        let asked: Vec<(&Seen, &SeenLink)> = seen
            .iter()
            .flat_map(|seen| seen.links.iter().map(move |link| (seen, link)))
            .filter(|(_, link)| !link.confirmed)
            .collect();
        let records: Vec<&Particulars> = asked.iter().map(|(_, link)| &link.record).collect();
        let found = lookup::candidates(self.desk, &records, Reach::SameDay)?;
        let mut others: Vec<(usize, PersonId)> = Vec::new();
        for (place, (found, (seen, _))) in found.iter().zip(&asked).enumerate() {
            others.extend(
                found.people.iter().filter(|person| **person != seen.person).map(|person| (place, *person)),
            );
        }
        for (place, person, resident) in self.open_others(others)? {
            let (seen, link) = asked[place];
            let rival = self.desk.source(&link.source)?.evidence.rival;
            let evidence = lookup::compare(self.desk, &link.record, &resident);
            if evidence.probability >= rival {
                let detail = format!("version {}", link.version);
                let people = vec![seen.person, person];
                self.raise(Draft { kind: Kind::RivalAppeared, people, link: Some(link.id), detail })?;
            }
        }
        Ok(())
    }

    /// Whether somebody else's entry is this person's too.
    fn check_twice(&mut self, seen: &[Seen]) -> Result<(), PersonError> {
        let records: Vec<&Particulars> = seen.iter().map(|seen| &seen.particulars).collect();
        let found = lookup::candidates(self.desk, &records, Reach::SameDay)?;
        let mut others: Vec<(usize, PersonId)> = Vec::new();
        for (place, (found, seen)) in found.iter().zip(seen).enumerate() {
            // In a full audit each pair is met from both sides; once is enough.
            let other = |person: &&PersonId| {
                if self.ask.full { **person > seen.person } else { **person != seen.person }
            };
            others.extend(found.people.iter().filter(other).map(|person| (place, *person)));
        }
        for (place, person, resident) in self.open_others(others)? {
            let seen = &seen[place];
            let [one, other] = [&seen.particulars, &resident.particulars]
                .map(|particulars| linkage::Profile::of(particulars, &self.desk.pack));
            let evidence = linkage::compare(&self.desk.model, &one, &other);
            if evidence.probability >= SAME_PERSON {
                let people = vec![seen.person, person];
                let detail = String::new();
                self.raise(Draft { kind: Kind::SamePersonTwice, people, link: None, detail })?;
            }
        }
        Ok(())
    }

    /// Opens people of any bucket, each once, with an entry in her log; the answer has one line for each place that asked.
    fn open_others(
        &self,
        asked: Vec<(usize, PersonId)>,
    ) -> Result<Vec<(usize, PersonId, Resident)>, PersonError> {
        let mut by_bucket: BTreeMap<Bucket, BTreeMap<PersonId, Vec<usize>>> = BTreeMap::new();
        for (place, person) in asked {
            let bucket = kaname_trust::person::bucket_of(person, self.desk.store.buckets());
            by_bucket.entry(bucket).or_default().entry(person).or_default().push(place);
        }
        let actor = self.actor();
        let units = by_bucket.into_iter().map(|(bucket, people)| {
            let (with, env, actor) = (self.desk.clone(), self.env.again(), actor.clone());
            let work = move |tx: &mut Tx<'_>| {
                let ids: Vec<PersonId> = people.keys().copied().collect();
                let receipts = receipts(tx, &with, &env.again(), &actor, &ids)?;
                let mut opened = Vec::new();
                for (receipt, (person, places)) in receipts.iter().zip(&people) {
                    match resident_with(tx, receipt) {
                        Ok(resident) => {
                            opened.extend(places.iter().map(|place| (*place, *person, resident.clone())));
                        }
                        Err(PersonError::Refused(Refusal::NoSuchResident)) => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok::<_, PersonError>(opened)
            };
            (bucket, work)
        });
        let opened = crate::scatter::scatter(&self.desk.store, units.collect())?.gather()?;
        Ok(opened.into_iter().flatten().collect())
    }

    /// Keeps a finding, and counts it when it is new.
    fn raise(&mut self, draft: Draft) -> Result<(), PersonError> {
        if raise(self.desk, self.env, &self.ask.by, &draft)? {
            self.audited.new_findings += 1;
        }
        Ok(())
    }

    fn actor(&self) -> Actor {
        match self.ask.by.kind {
            ActorKind::Officer => self.ask.by.clone(),
            _ => Actor::program("audit", policy::PROGRAM),
        }
    }
}

/// What a person and her links are like now: changes with each of them.
fn mark_of(desk: &Desk, version: i64, rows: &[LinkRow]) -> BlindIndex {
    let mut value = version.to_be_bytes().to_vec();
    for row in rows {
        value.extend_from_slice(row.link.bytes());
        value.extend_from_slice(&row.version.to_be_bytes());
    }
    desk.keys.blind_index("person.audit-mark", &value)
}

fn receipts<'u>(
    tx: &mut Tx<'u>,
    desk: &Desk,
    env: &Env,
    actor: &Actor,
    people: &[PersonId],
) -> Result<Vec<kaname_trust::Receipt<'u>>, PersonError> {
    let purpose = desk.pack.purpose(PURPOSE).ok_or(Refusal::UnknownPurpose)?;
    let basis = purpose.legal_basis.get(&desk.pack.default_language().tag);
    let accesses: Vec<Access<'_>> = people
        .iter()
        .map(|person| Access { person: *person, actor, purpose: PURPOSE, basis, fields: &FIELDS })
        .collect();
    Ok(access::record_many(tx, &desk.keys, env, &accesses)?)
}

/// Opens people of the unit's bucket and their links, and notes what is wrong with them alone.
fn open_many(
    tx: &mut Tx<'_>,
    desk: &Desk,
    env: &Env,
    actor: &Actor,
    changed: &[(PersonId, BlindIndex, Vec<LinkRow>)],
) -> Result<Vec<Seen>, PersonError> {
    let today = env.now.date_in(&desk.pack.time_zone);
    let people: Vec<PersonId> = changed.iter().map(|(person, ..)| *person).collect();
    let receipts = receipts(tx, desk, env, actor, &people)?;
    let mut all = Vec::with_capacity(changed.len());
    for (receipt, (person, mark, rows)) in receipts.iter().zip(changed) {
        let resident = match resident_with(tx, receipt) {
            Ok(resident) => resident,
            Err(PersonError::Refused(Refusal::NoSuchResident)) => continue,
            Err(error) => return Err(error),
        };
        let mut seen = Seen {
            person: *person,
            mark: *mark,
            drafts: Vec::new(),
            links: Vec::new(),
            particulars: resident.particulars.clone(),
            wrote: Vec::new(),
        };
        let draft =
            |kind, link, detail: &str| Draft { kind, people: vec![*person], link, detail: detail.to_owned() };
        for word in rules::impossible_dates(&resident, today) {
            seen.drafts.push(draft(Kind::ImpossibleDate, None, word));
        }
        if resident.registered_by.kind == ActorKind::Officer {
            seen.wrote.push((resident.registered_by.id.clone(), resident.registered_at));
        }
        for row in rows {
            if !row.state.takes_a_place() {
                continue;
            }
            let link = lookup::link_with(receipt, row)?;
            if let Some(word) = rules::impossible_link(&link, &resident, &desk.pack.time_zone) {
                seen.drafts.push(draft(Kind::ImpossibleDate, Some(link.id), word));
            }
            let evidence = lookup::compare(desk, &link.outside, &resident);
            let source = desk.source(&link.source)?;
            if row.state != LinkState::Suspended && rules::is_thin(source, &evidence) {
                let detail = format!("version {}", row.version);
                seen.drafts.push(draft(Kind::EvidenceChanged, Some(link.id), &detail));
            }
            seen.links.push(SeenLink {
                id: link.id,
                outside: row.outside,
                record: link.outside,
                source: link.source,
                confirmed: link.confirmed_at.is_some(),
                version: row.version,
            });
        }
        all.push(seen);
    }
    Ok(all)
}

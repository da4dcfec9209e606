//! Use case: search the register for errors.

use std::collections::{BTreeMap, BTreeSet};

use kaname_base::{Bucket, Env, Instant};
use kaname_store::{StoreError, Tx};
use kaname_trust::access::{self, Access};
use kaname_trust::keys::BlindIndex;
use kaname_trust::{Actor, ActorKind, PersonId, Sealed};

use super::counters::{Act, Counters, Pattern};
use super::findings::{Draft, Kind, raise};
use super::rules::Related;
use super::{rules, table};
use crate::event::{EventKind, LifeEvent};
use crate::link::index::{self, Reach};
use crate::link::rules::is_rival;
use crate::link::table::{self as links, LinkRow, Standing};
use crate::link::{Desk, Evidence, LinkId, LinkState, account, lookup};
use crate::linkage;
use crate::matching::{HolderMatch, compare_holder};
use crate::scatter::scatter_reads;
use crate::show::{record_with, resident_with};
use crate::{Action, Particulars, PersonError, Refusal, Resident, officer, policy};

/// People opened together.
const CHUNK: i64 = 500;

/// From which probability on two entries are shown to officers as one person.
const SAME_PERSON: f32 = 0.9;

/// How to audit.
#[derive(Clone)]
pub struct Audit<'a> {
    /// Who audits.
    pub by: Actor,
    /// Everybody, or only who changed since the last time.
    pub full: bool,
    /// Asks a bank, by its code, who holds an account; `None` when it cannot say.
    pub holder: &'a dyn Fn(&str, &str) -> Option<String>,
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
const FIELDS: [&str; 8] =
    ["name", "birth_date", "sex", "address", "phone", "relations", "linked-records", "life-events"];
const PURPOSE: &str = "audit";

/// Searches the register and the links; what is found is kept, and what officers did is kept for [`raise_patterns`], to
/// which other blocks may add. `progress` is told how many people were visited.
///
/// # Errors
/// [`Refusal::NotAllowed`]; a [`PersonError::Store`] ends it, and the next audit goes on with whoever was not done.
pub fn audit(
    desk: &Desk,
    env: &Env,
    ask: &Audit<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<Audited, PersonError> {
    policy::may(&ask.by, Action::AuditRegistry)?;
    index::refresh(desk, env, &mut |_| {})?;
    let mut run = Run { desk, env, ask, audited: Audited::default() };
    for bucket in desk.store.buckets().all() {
        let mut after: Vec<u8> = Vec::new();
        while let Some(last) = run.visit(bucket, &after)? {
            after = last.bytes().to_vec();
            progress(run.audited.people);
        }
    }
    Ok(run.audited)
}

/// Keeps what is unusual about counters as findings, over three months and all audits in them; tells how many are new.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub fn raise_patterns(
    desk: &Desk,
    env: &Env,
    by: &Actor,
    mut counters: Counters,
) -> Result<u64, PersonError> {
    policy::may(by, Action::AuditRegistry)?;
    let (keys, home) = (desk.keys.clone(), desk.store.buckets().home());
    let officers = desk.store.read::<_, PersonError, _>(home, move |tx| officer::officers(tx, &keys))?;
    let office_of = officers.into_iter().filter_map(|of| Some((of.id.to_string(), of.office?))).collect();
    counters.keep(desk)?;
    counters.add_kept(desk)?;
    let mut new = 0;
    for Pattern { act, who, word, day } in counters.unusual(&office_of) {
        let detail = format!("{} {word} {who} day {day}", act.code());
        let draft = Draft { kind: Kind::CounterPattern, people: Vec::new(), link: None, detail };
        new += u64::from(raise(desk, env, by, &draft)?);
    }
    Ok(new)
}

struct Run<'a> {
    desk: &'a Desk,
    env: &'a Env,
    ask: &'a Audit<'a>,
    audited: Audited,
}

/// Somebody who was opened, and what must still be looked up about her outside her bucket.
struct Seen {
    person: PersonId,
    mark: BlindIndex,
    drafts: Vec<Draft>,
    links: Vec<SeenLink>,
    resident: Resident,
    wrote: Vec<(Act, String, Instant)>,
}

struct SeenLink {
    id: LinkId,
    outside: BlindIndex,
    record: Particulars,
    evidence: Evidence,
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
                    changed.push((*person, *version, mark, rows));
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

    fn look_at(&mut self, bucket: Bucket, changed: Vec<Changed>) -> Result<(), PersonError> {
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
        }
        // Before these people count as done: whoever ends the audit here must not lose what their officers did.
        let mut noted = Counters::before(self.env.now);
        for seen in &seen {
            for (act, officer, at) in &seen.wrote {
                noted.note(*act, officer, seen.person, *at);
            }
        }
        noted.keep(self.desk)?;
        self.check_directory(&seen)?;
        self.check_rivals(&seen)?;
        self.check_twice(&seen)?;
        self.check_relations(&seen)?;
        self.check_holders(&seen)?;

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
        let asked: Vec<(&Seen, &SeenLink)> =
            seen.iter().flat_map(|seen| seen.links.iter().map(move |link| (seen, link))).collect();
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
            let demand = &self.desk.source(&link.source)?.evidence;
            let evidence = lookup::compare(self.desk, &link.record, &resident);
            // Whose holder has said that it is hers is asked about again only if somebody else fits better.
            let is_settled = link.confirmed && evidence.weight <= link.evidence.weight;
            if !is_settled && is_rival(demand, &link.evidence, &evidence) {
                let detail = format!("version {}", link.version);
                let people = vec![seen.person, person];
                self.raise(Draft { kind: Kind::RivalAppeared, people, link: Some(link.id), detail })?;
            }
        }
        Ok(())
    }

    /// Whether somebody else's entry is this person's too.
    fn check_twice(&mut self, seen: &[Seen]) -> Result<(), PersonError> {
        let records: Vec<&Particulars> = seen.iter().map(|seen| &seen.resident.particulars).collect();
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
            let [one, other] = [&seen.resident.particulars, &resident.particulars]
                .map(|particulars| linkage::Profile::of(particulars, &self.desk.pack));
            let evidence = linkage::compare(&self.desk.model, &one, &other);
            if evidence.probability >= SAME_PERSON && !rules::has_another_given_name(&evidence) {
                let people = vec![seen.person, person];
                let detail = String::new();
                self.raise(Draft { kind: Kind::SamePersonTwice, people, link: None, detail })?;
            }
        }
        Ok(())
    }

    /// Whether she and another can be to each other what is recorded. The other is opened whoever she is now: a relation to somebody who died
    /// should have ended, one to a second entry should be with the first.
    fn check_relations(&mut self, seen: &[Seen]) -> Result<(), PersonError> {
        let mut asked: Vec<(usize, PersonId)> = Vec::new();
        for (place, seen) in seen.iter().enumerate() {
            let others: BTreeSet<PersonId> = seen.resident.life.relations_now().map(|of| of.to).collect();
            asked.extend(others.into_iter().filter(|to| *to != seen.person).map(|to| (place, to)));
        }
        for (place, person, resident) in self.open_whoever(asked)? {
            let seen = &seen[place];
            for relation in seen.resident.life.relations_now().filter(|relation| relation.to == person) {
                let (hers, other) = (Related::of(&seen.resident), Related::of(&resident));
                if let Some(word) = rules::impossible_relation(relation, hers, other) {
                    let (people, detail) = (vec![seen.person, person], word.to_owned());
                    self.raise(Draft { kind: Kind::ImpossibleRelation, people, link: None, detail })?;
                }
            }
        }
        Ok(())
    }

    /// Whether the bank still has her as the holder of an account that is linked to her.
    fn check_holders(&mut self, seen: &[Seen]) -> Result<(), PersonError> {
        for seen in seen {
            for link in seen.links.iter().filter(|link| link.source == account::SOURCE) {
                let Some((bank, number)) = account::parts_of(&link.record.reference) else { continue };
                let Some(holder) = (self.ask.holder)(bank, number) else { continue };
                let found = compare_holder(&seen.resident.particulars, &holder);
                if !matches!(found, HolderMatch::Same(_)) {
                    let (people, detail) = (vec![seen.person], found.code().to_owned());
                    self.raise(Draft { kind: Kind::HolderDiffers, people, link: Some(link.id), detail })?;
                }
            }
        }
        Ok(())
    }

    /// Opens people of any bucket whose entries count; as [`Run::open_whoever`].
    fn open_others(
        &self,
        asked: Vec<(usize, PersonId)>,
    ) -> Result<Vec<(usize, PersonId, Resident)>, PersonError> {
        let mut opened = self.open_whoever(asked)?;
        opened.retain(|(.., resident)| !resident.life.standing.is_closed());
        Ok(opened)
    }

    /// Opens people of any bucket, each once, with an entry in her log; the answer has one line for each place that asked.
    fn open_whoever(
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
                    match record_with(tx, receipt) {
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

/// Somebody who changed: with the version of her record, what she is like now, and her links.
type Changed = (PersonId, i64, BlindIndex, Vec<LinkRow>);

/// Opens people of the unit's bucket and their links, and notes what is wrong with them alone.
fn open_many(
    tx: &mut Tx<'_>,
    desk: &Desk,
    env: &Env,
    actor: &Actor,
    changed: &[Changed],
) -> Result<Vec<Seen>, PersonError> {
    let today = env.now.date_in(&desk.pack.time_zone);
    let people: Vec<PersonId> = changed.iter().map(|(person, ..)| *person).collect();
    let receipts = receipts(tx, desk, env, actor, &people)?;
    let mut all = Vec::with_capacity(changed.len());
    for (receipt, (person, version, mark, rows)) in receipts.iter().zip(changed) {
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
            resident: resident.clone(),
            wrote: Vec::new(),
        };
        let draft =
            |kind, link, detail: &str| Draft { kind, people: vec![*person], link, detail: detail.to_owned() };
        for word in rules::impossible_dates(&resident, today) {
            seen.drafts.push(draft(Kind::ImpossibleDate, None, word));
        }
        for word in rules::impossible_alone(*person, &resident, &desk.pack.person.marriage) {
            seen.drafts.push(draft(Kind::ImpossibleRelation, None, word));
        }
        let mut wrote = |act, by: &Actor, at| {
            if by.kind == ActorKind::Officer {
                seen.wrote.push((act, by.id.clone(), at));
            }
        };
        wrote(Act::Registration, &resident.registered_by, resident.registered_at);
        if *version > 1 {
            for row in crate::table::events(tx, *person)? {
                let event = Sealed::<LifeEvent>::from_bytes(&row.sealed).open(receipt)?.of(*person)?;
                if event.kind() == EventKind::Correction {
                    wrote(Act::Correction, &event.by, event.at);
                }
            }
        }
        for row in rows {
            let link = lookup::link_with(receipt, row)?;
            for (place, step) in link.history.iter().enumerate() {
                // Two officers made it; the second one finished it.
                let second = link.approved_by.as_ref().filter(|_| place == 0);
                let by = second.unwrap_or(&step.by);
                if by.kind == ActorKind::Officer {
                    seen.wrote.push((Act::Link, by.id.clone(), step.at));
                }
            }
            if !row.state.takes_a_place() {
                continue;
            }
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
                evidence,
                source: link.source,
                confirmed: link.confirmed_at.is_some(),
                version: row.version,
            });
        }
        all.push(seen);
    }
    Ok(all)
}

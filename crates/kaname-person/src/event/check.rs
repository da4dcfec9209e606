//! Whether what is kept is what the events say, whether each relation has two sides, and whether two people can be what they are to each
//! other.
//!
//! Only people whom an event has changed are looked at: everybody else's record is her entry, and has no relations. Each look is
//! an entry of her access log, for an audit.

use std::collections::{BTreeMap, BTreeSet};

use kaname_base::pack::{MarriageRules, Pack};
use kaname_base::{Bucket, Env};
use kaname_store::{Store, Tx};
use kaname_trust::{Access, Actor, Keys, PersonId, access};

use super::record::Book;
use super::rules::{Until, fold};
use super::{basis, table as own};
use crate::audit::{Related, impossible_alone, impossible_relation};
use crate::{Action, PersonError, Relation, RelationKind, Standing, policy};

/// How many people are opened in one unit of work.
const BATCH: i64 = 256;

/// What a check found. People are named by their ids, which say nothing outside this deployment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Findings {
    /// How many records were folded anew.
    pub folded: u64,
    /// How many relations were looked at.
    pub relations: u64,
    /// People whose kept record is not what their events say.
    pub differ: Vec<PersonId>,
    /// People whose events do not fold at all.
    pub impossible: Vec<PersonId>,
    /// Relations that only one of the two has: who has it, what the other is to her, and the other.
    pub half: Vec<(PersonId, RelationKind, PersonId)>,
    /// Second entries whose other entry does not know of them.
    pub half_merged: Vec<PersonId>,
    /// Relations that cannot be, each with a word of [`impossible_relation`] or [`impossible_alone`]; the other, where it takes two.
    pub impossible_relations: Vec<(PersonId, &'static str, Option<PersonId>)>,
}

impl Findings {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.differ.is_empty()
            && self.impossible.is_empty()
            && self.half.is_empty()
            && self.half_merged.is_empty()
            && self.impossible_relations.is_empty()
    }
}

/// Checks the whole register. Memory grows with the number of relations, by some 120 bytes each.
///
/// # Errors
/// [`crate::Refusal::NotAllowed`]; [`PersonError::Trust`] when a seal is broken; [`PersonError::Store`].
pub fn check(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    by: &Actor,
) -> Result<Findings, PersonError> {
    policy::may(by, Action::AuditBooks)?;
    let mut findings = Findings::default();
    let (mut sides, mut merged) = (BTreeSet::new(), BTreeSet::new());
    let (mut relations, mut related) = (Vec::new(), BTreeMap::new());
    for bucket in store.buckets().all() {
        let mut after = None;
        loop {
            let looked = look(store, keys, pack, env, by, bucket, after)?;
            let Some(last) = looked.last() else { break };
            after = Some(last.person);
            for person in looked {
                findings.folded += 1;
                match person.is {
                    Kept::AsFolded => {}
                    Kept::Otherwise => findings.differ.push(person.person),
                    Kept::Impossible => findings.impossible.push(person.person),
                }
                sides.extend(person.relations.iter().map(|of| (person.person, of.kind, of.to)));
                if !person.relations.is_empty() || person.related.standing.is_closed() {
                    related.insert(person.person, person.related);
                }
                relations.extend(person.relations.into_iter().map(|of| (person.person, of)));
                let alone = person.alone.into_iter().map(|word| (person.person, word, None));
                findings.impossible_relations.extend(alone);
                merged.extend(person.merges.into_iter().map(|link| (person.person, link)));
            }
        }
    }
    findings.relations = sides.len() as u64;
    let has_other_side = |(person, kind, to): &&(PersonId, RelationKind, PersonId)| {
        sides.contains(&(*to, kind.other_way(), *person))
    };
    findings.half = sides.iter().filter(|side| !has_other_side(side)).copied().collect();
    let half_merged = merged.iter().filter(|(person, link)| {
        let other = match link {
            Merge::Into(survivor) => (*survivor, Merge::Absorbed(*person)),
            Merge::Absorbed(second) => (*second, Merge::Into(*person)),
        };
        !merged.contains(&other)
    });
    for (person, relation) in &relations {
        let (Some(hers), Some(other)) = (related.get(person), related.get(&relation.to)) else { continue };
        // Both sides of it say the same; and what is still with a second entry is for officers to move, not a broken book.
        let is_told =
            relation.to < *person && sides.contains(&(relation.to, relation.kind.other_way(), *person));
        let word = impossible_relation(relation, *hers, *other).filter(|word| *word != "other-merged");
        if let Some(word) = word.filter(|_| !is_told) {
            findings.impossible_relations.push((*person, word, Some(relation.to)));
        }
    }
    findings.half_merged = half_merged.map(|(person, _)| *person).collect();
    Ok(findings)
}

/// What was seen of one resident.
struct Looked {
    person: PersonId,
    is: Kept,
    relations: Vec<Relation>,
    related: Related,
    alone: Vec<&'static str>,
    merges: Vec<Merge>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Merge {
    Into(PersonId),
    Absorbed(PersonId),
}

enum Kept {
    AsFolded,
    Otherwise,
    Impossible,
}

fn look(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    by: &Actor,
    bucket: Bucket,
    after: Option<PersonId>,
) -> Result<Vec<Looked>, PersonError> {
    let (keys, env, by) = (keys.clone(), env.again(), by.clone());
    let basis = basis(pack, "audit").to_owned();
    let law = pack.person.marriage.clone();
    store.write(bucket, move |tx| {
        let after = after.map_or(Vec::new(), |person| person.bytes().to_vec());
        let people = own::changed(tx, &after, BATCH)?;
        let accesses: Vec<Access<'_>> = people
            .iter()
            .map(|person| Access {
                person: *person,
                actor: &by,
                purpose: "audit",
                basis: &basis,
                fields: &["relations", "life-events"],
            })
            .collect();
        let receipts = access::record_many(tx, &keys, &env, &accesses)?;
        receipts.into_iter().map(|receipt| look_at(tx, &law, receipt)).collect()
    })
}

fn look_at<'u>(
    tx: &mut Tx<'u>,
    law: &MarriageRules,
    receipt: kaname_trust::Receipt<'u>,
) -> Result<Looked, PersonError> {
    let person = receipt.person();
    let book = Book::with(tx, receipt)?;
    let kept = book.current()?;
    let is = match fold(&book.entered, &book.events, Until::default()) {
        Ok(folded) if folded == kept => Kept::AsFolded,
        Ok(_) => Kept::Otherwise,
        Err(_) => Kept::Impossible,
    };
    // A divorce that one side alone knows of leaves half a relation, and so shows.
    let relations = kept.life.relations_now().copied().collect();
    let absorbed = kept.life.absorbed.iter().map(|second| Merge::Absorbed(*second));
    let merges = match kept.life.standing {
        Standing::Merged { into } => absorbed.chain([Merge::Into(into)]).collect(),
        _ => absorbed.collect(),
    };
    let (related, alone) = (Related::of(&kept), impossible_alone(person, &kept, law));
    Ok(Looked { person, is, relations, related, alone, merges })
}

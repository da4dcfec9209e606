//! Use cases: a mandate begins.

use kaname_base::Env;
use kaname_base::pack::{MandateKind, Pack};
use kaname_store::{Store, Tx};
use kaname_trust::{Actor, Keys, Mandate, PersonId};

use super::table::{self, MandateState, Side};
use super::{
    GivenMandate, HeldMandate, HolderId, HolderName, MandateId, Terms, bucket_of, given_index, held_index,
    open_given, rules,
};
use crate::show::{self, Asking};
use crate::{Action, OfficerId, PackVersion, PersonError, Refusal};

/// A mandate is to begin.
#[derive(Clone)]
pub struct Give {
    /// Chosen by the caller: the same request begins one mandate.
    pub request: [u8; 16],
    /// For whom it is, and who gives or records it.
    pub asking: Asking,
    /// Who is to hold it.
    pub holder: PersonId,
    /// What it allows.
    pub terms: Terms,
    /// What shows that it is right: a birth report, a court's order. Empty when the person gives it herself.
    pub evidence: String,
}

/// A person names a representative. It holds when the representative has accepted it; until then nobody is told any name but hers,
/// which she gives with it.
///
/// # Errors
/// [`Refusal::MandateTerms`], [`Refusal::SamePerson`], [`Refusal::NotAllowed`], [`Refusal::NoSuchResident`];
/// [`Refusal::RequestReused`] for another holder or scope under a request that was done; [`Refusal::MandateThere`] when the holder has
/// the same mandate for her by another one.
pub fn offer(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &Give,
) -> Result<MandateId, PersonError> {
    let kind = pack.mandate(&ask.terms.kind).filter(|kind| kind.by_resident);
    kind.ok_or(Refusal::MandateTerms)?;
    begin(store, keys, pack, env, ask, Action::GiveMandate, MandateState::Offered)
}

/// The kinds that an officer records for a holder: not the one of the counter, which only [`stand_in`] makes, for the officer herself
/// and a day. With a resident as its holder, it would open anybody's data to anybody on one officer's word.
pub fn recordable(pack: &Pack) -> impl Iterator<Item = &MandateKind> {
    pack.mandates.iter().filter(|kind| kind.by_officer && kind.code != COUNTER)
}

/// An officer records a mandate on evidence. Where the country asks for four eyes, it holds when another officer has approved it.
///
/// # Errors
/// As [`offer`]; [`Refusal::ReasonMissing`] without evidence.
pub fn record(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &Give,
) -> Result<MandateId, PersonError> {
    let kind = recordable(pack).find(|kind| kind.code == ask.terms.kind);
    let four_eyes = kind.ok_or(Refusal::MandateTerms)?.four_eyes;
    crate::policy::says_why(&[&ask.evidence])?;
    let first = if four_eyes { MandateState::Proposed } else { MandateState::Offered };
    let id = begin(store, keys, pack, env, ask, Action::RecordMandate, first)?;

    let (keys, country, again) = (keys.clone(), pack.clone(), env.again());
    let holder = Asking { person: ask.holder, ..ask.asking.clone() };
    let name = store.write::<_, PersonError, _>(bucket_of(store, ask.holder), {
        let keys = keys.clone();
        move |tx| {
            let env = again.again();
            let receipt = show::log(tx, &keys, &country, &env, &holder, Action::RecordMandate, &["name"])?;
            Ok(show::resident_with(tx, &receipt)?.display_name(&country))
        }
    })?;
    let (person, now) = (ask.asking.person, env.now);
    store.write(bucket_of(store, person), move |tx| {
        let index = given_index(&keys, id);
        let mut row = table::one(tx, person, Side::Given, &index)?.ok_or(Refusal::NoSuchMandate)?;
        if row.holder.is_some() {
            return Ok(id);
        }

        let key = kaname_trust::seal::data_key(tx, &keys, person)?;
        row.holder = Some(key.seal(&HolderName { name: name.clone(), at: now }).bytes().to_vec());
        if row.state == MandateState::Offered {
            row.state = MandateState::Active;
        }
        table::replace(tx, person, &row)?;
        Ok(id)
    })
}

/// An officer stands in for a person who is before her, until the end of the day: the actor for what she then does. Each act stands
/// in the person's log with the officer and the mandate.
///
/// # Errors
/// [`Refusal::MandateTerms`], [`Refusal::NotAllowed`], [`Refusal::NoSuchResident`].
#[expect(clippy::too_many_arguments, reason = "each is another thing, and none has a default")]
pub fn stand_in(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    asking: &Asking,
    officer: (OfficerId, &str),
    scope: &[&str],
    evidence: &str,
) -> Result<Actor, PersonError> {
    let scope = scope.iter().map(|code| (*code).to_owned()).collect();
    let terms = Terms { kind: COUNTER.to_owned(), scope, days: Some(1) };
    let kind = pack.mandate(COUNTER).filter(|kind| kind.by_officer).ok_or(Refusal::MandateTerms)?;
    let receipt = show::log(tx, keys, pack, env, asking, Action::StandIn, &["birth_date", "mandates"])?;
    let resident = show::resident_with(tx, &receipt)?;
    let today = env.now.date_in(&pack.time_zone);
    let until = rules::last_day(kind, &terms, resident.particulars.born, today)?;

    let id = env.id(tx.bucket());
    let key = receipt.data_key();
    let given = GivenMandate {
        id,
        kind: terms.kind.clone(),
        scope: terms.scope.clone(),
        holder: HolderId::Officer(officer.0),
        until,
        evidence: evidence.to_owned(),
        by: asking.actor.clone(),
        at: env.now,
        pack: PackVersion::of(pack),
    };
    let (sealed, index) = (key.seal(&given), given_index(keys, id));
    let holder = key.seal(&HolderName { name: officer.1.to_owned(), at: env.now });
    table::insert(tx, asking.person, Side::Given, &index, MandateState::Offered, sealed.bytes())?;
    let mut row = table::one(tx, asking.person, Side::Given, &index)?.ok_or(Refusal::NoSuchMandate)?;
    (row.state, row.holder) = (MandateState::Active, Some(holder.bytes().to_vec()));
    table::replace(tx, asking.person, &row)?;
    let mandate = Mandate::for_person(asking.person, id.to_string(), terms.kind, terms.scope);
    Ok(Actor { mandate: Some(Box::new(mandate)), ..asking.actor.clone() })
}

/// The kind of mandate of an officer at a counter.
const COUNTER: &str = "counter";

/// Writes the row beside the person, then the one beside the holder. Killed between the two, nobody is told of it; asked again
/// with the same request, the second is written.
fn begin(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &Give,
    action: Action,
    first: MandateState,
) -> Result<MandateId, PersonError> {
    crate::policy::may(&ask.asking.actor, action)?;
    if ask.terms.kind == COUNTER {
        return Err(Refusal::MandateTerms.into());
    }
    if ask.holder == ask.asking.person {
        return Err(Refusal::SamePerson.into());
    }
    let id = MandateId::from_bytes(
        keys.blind_index("person.mandate", &[&ask.request[..], ask.asking.person.bytes()].concat()),
    );
    let held = {
        let (keys, pack, env, ask) = (keys.clone(), pack.clone(), env.again(), ask.clone());
        store.write(bucket_of(store, ask.asking.person), move |tx| {
            write_given(tx, &keys, &pack, &env.again(), &ask, action, first, id)
        })?
    };
    let (keys, holder) = (keys.clone(), ask.holder);
    store.write::<_, PersonError, _>(bucket_of(store, holder), move |tx| {
        crate::table::resident(tx, holder)?.filter(|row| row.active).ok_or(Refusal::NoSuchResident)?;
        let key = kaname_trust::seal::data_key(tx, &keys, holder)?;

        let (sealed, index) = (key.seal(&held), held_index(&keys, id));
        table::insert(tx, holder, Side::Held, &index, MandateState::Offered, sealed.bytes())?;
        Ok(())
    })?;
    Ok(id)
}

#[expect(clippy::too_many_arguments, reason = "one unit of work, called in one place")]
fn write_given(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &Give,
    action: Action,
    first: MandateState,
    id: MandateId,
) -> Result<HeldMandate, PersonError> {
    let kind = pack.mandate(&ask.terms.kind).ok_or(Refusal::MandateTerms)?;
    let fields = ["name", "birth_date", "mandates"];
    let receipt = show::log(tx, keys, pack, env, &ask.asking, action, &fields)?;
    let resident = show::resident_with(tx, &receipt)?;
    let (today, person) = (env.now.date_in(&pack.time_zone), ask.asking.person);
    let until = rules::last_day(kind, &ask.terms, resident.particulars.born, today)?;

    let given = GivenMandate {
        id,
        kind: ask.terms.kind.clone(),
        scope: ask.terms.scope.clone(),
        holder: HolderId::Resident(ask.holder),
        until,
        evidence: ask.evidence.clone(),
        by: ask.asking.actor.clone(),
        at: env.now,
        pack: PackVersion::of(pack),
    };
    let (sealed, index) = (receipt.data_key().seal(&given), given_index(keys, id));
    // What was approved once must not reach another holder, or further, under the same request.
    let there = table::one(tx, person, Side::Given, &index)?.map(|row| open_given(&row, &receipt));
    let is_same = |kept: &GivenMandate| {
        (&kept.holder, &kept.kind, &kept.scope) == (&given.holder, &given.kind, &given.scope)
    };
    let given = match there.transpose()? {
        Some(kept) if is_same(&kept) => kept,
        Some(_) => return Err(Refusal::RequestReused.into()),
        None => {
            let rows = table::all(tx, person, Side::Given)?;
            for row in rows.iter().filter(|row| row.state != MandateState::Ended) {
                let kept = open_given(row, &receipt)?;
                if is_same(&kept) && kept.until.is_none_or(|last| today <= last) {
                    return Err(Refusal::MandateThere.into());
                }
            }
            given
        }
    };

    table::insert(tx, person, Side::Given, &index, first, sealed.bytes())?;
    Ok(HeldMandate {
        id,
        for_whom: person,
        name: resident.display_name(pack),
        kind: given.kind,
        scope: given.scope,
        until: given.until,
        at: given.at,
    })
}

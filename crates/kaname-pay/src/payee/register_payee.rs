//! Use case: register where people are paid, after asking the bank whose account it is.
//!
//! For each person: ask the bank (outside any unit of work); claim the account in the directory, so that nobody else gets it;
//! compare the holder with the resident under a receipt and decide; confirm the claim, or give it back. Killed anywhere and
//! asked again, it ends the same way: the claim is hers already, and what is active stands.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, mpsc};

use kaname_base::{Bucket, Env};
use kaname_person::{Action, policy};
use kaname_store::{Store, StoreError, Tx};
use kaname_trust::{Actor, ActorKind, Keys, PersonId};

use crate::ids::{self, PayeeId, joined};
use crate::payee::rules::{self, Decision, Facts};
use crate::payee::table::{self, PayeeRow};
use crate::payee::{Desk, PayeeAccount, PayeeState, Reason};
use crate::receipts::receipts;
use crate::{BankAccount, PayError, Residents};

/// People of one bucket that are registered in one unit of work.
const AT_ONCE: usize = 1_024;

/// People whose accounts are claimed together.
const WAVE: usize = 16_384;

/// A person wants to be paid on an account.
#[derive(Clone, Debug)]
pub struct RegisterPayee {
    /// Who.
    pub person: PersonId,
    /// On which account.
    pub account: BankAccount,
    /// What it was taken from, such as `import` or `portal`.
    pub evidence: String,
    /// Whether an active account is to be replaced. Without it an active account always stays.
    pub replace: bool,
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Registration {
    /// She is paid on this account from now on.
    Active,
    /// She was before.
    Stands,
    /// She is not, and why.
    Refused(Reason),
}

/// Registers accounts; the answers are in the order of the commands.
///
/// # Errors
/// [`PayError::NotAllowed`]; [`PayError::Bank`] when a bank cannot be asked; what was registered before stands, and asking again is safe.
pub fn register_many(
    desk: &Desk,
    env: &Env,
    actor: &Actor,
    commands: &[RegisterPayee],
) -> Result<Vec<Registration>, PayError> {
    policy::may(actor, Action::RegisterAccount)?;
    let basis: Arc<str> = desk.basis().into();
    let mut answers = vec![Registration::Refused(Reason::NotRegistered); commands.len()];
    for wave in waves(rounds(desk, commands)) {
        let places: Vec<usize> = wave.iter().flatten().copied().collect();
        let asked = claim(desk, ask_banks(desk, &places, commands)?)?;
        let asked = Arc::new(asked);
        let mut units = Vec::with_capacity(wave.len());
        let mut from = 0;
        for round in &wave {
            let mine = from..from + round.len();
            from = mine.end;
            let (keys, residents, env) = (desk.keys.clone(), Arc::clone(&desk.residents), env.again());
            let (actor, basis, asked) = (actor.clone(), Arc::clone(&basis), Arc::clone(&asked));
            let bucket = bucket_of(desk, asked[mine.start].person);
            units.push((bucket, move |tx: &mut Tx<'_>| {
                decide(&env.again(), tx, &keys, &*residents, (&actor, &basis), &asked[mine.clone()])
            }));
        }
        let decided: Vec<Decided> = write_all(&desk.store, units)?.into_iter().flatten().collect();
        settle_claims(desk, &asked, &decided)?;
        for (place, decided) in places.into_iter().zip(decided) {
            answers[place] = decided.registration;
        }
    }
    Ok(answers)
}

/// Runs many units of work, so that those which wait together share a commit; the answers are in their order.
fn write_all<T, W>(store: &Store, units: Vec<(Bucket, W)>) -> Result<Vec<T>, PayError>
where
    T: Send + 'static,
    W: for<'u> FnMut(&mut Tx<'u>) -> Result<T, PayError> + Clone + Send + 'static,
{
    let (send, receive) = mpsc::channel();
    let mut waiting = 0;
    let mut answers: Vec<Option<T>> = units.iter().map(|_| None).collect();
    let mut failed = None;
    for (place, (bucket, work)) in units.into_iter().enumerate() {
        let reply = send.clone();
        let answer = move |answer| drop(reply.send((place, answer)));
        match store.submit_write(bucket, work.clone(), answer) {
            Ok(()) => waiting += 1,
            // Too much waits: take turns.
            Err(_) => match store.write(bucket, work) {
                Ok(answer) => answers[place] = Some(answer),
                Err(error) => failed = Some(error),
            },
        }
    }
    drop(send); // so that a unit which ends without an answer is not waited for
    // Each is waited for, also after a failure: none may still run when the caller goes on.
    for (place, answer) in receive.iter().take(waiting) {
        match answer {
            Ok(answer) => answers[place] = Some(answer),
            Err(error) => failed = Some(error),
        }
    }
    match failed {
        Some(error) => Err(error),
        None => answers.into_iter().map(|answer| answer.ok_or(StoreError::Crashed.into())).collect(),
    }
}

/// A command with what was found out before the unit of work.
struct Asked {
    person: PersonId,
    payee: PayeeId,
    account: BankAccount,
    index: [u8; 16],
    known_bank: bool,
    holder: Option<String>,
    claimed: bool,
    evidence: String,
    replace: bool,
}

/// What a unit of work decided, and which other account it set free.
struct Decided {
    registration: Registration,
    freed: Option<[u8; 16]>,
}

/// Places of commands that go together: of one bucket, each person once.
fn rounds(desk: &Desk, commands: &[RegisterPayee]) -> Vec<Vec<usize>> {
    let mut by_bucket: BTreeMap<Bucket, Vec<(Vec<usize>, HashSet<PersonId>)>> = BTreeMap::new();
    for (place, command) in commands.iter().enumerate() {
        let rounds = by_bucket.entry(bucket_of(desk, command.person)).or_default();
        match rounds.last_mut() {
            Some((places, people)) if places.len() < AT_ONCE && !people.contains(&command.person) => {
                places.push(place);
                people.insert(command.person);
            }
            _ => rounds.push((vec![place], HashSet::from([command.person]))),
        }
    }
    by_bucket.into_values().flatten().map(|(places, _)| places).collect()
}

/// Rounds that share the work on the directory, which lies in other buckets than theirs.
fn waves(rounds: Vec<Vec<usize>>) -> Vec<Vec<Vec<usize>>> {
    let mut waves: Vec<Vec<Vec<usize>>> = Vec::new();
    let mut people = 0;
    for round in rounds {
        people += round.len();
        match waves.last_mut() {
            Some(wave) if people <= WAVE => wave.push(round),
            _ => {
                people = round.len();
                waves.push(vec![round]);
            }
        }
    }
    waves
}

fn ask_banks(desk: &Desk, places: &[usize], commands: &[RegisterPayee]) -> Result<Vec<Asked>, PayError> {
    let ask = |place: &usize| {
        let RegisterPayee { person, account, evidence, replace } = commands[*place].clone();
        let bank = desk.banks.get(&account.bank).ok();
        let holder = bank.map(|bank| bank.holder(&account.number)).transpose()?.flatten();
        Ok(Asked {
            person,
            payee: ids::payee(&desk.keys, person),
            index: account_index(&desk.keys, &account),
            account,
            known_bank: bank.is_some(),
            holder,
            claimed: false,
            evidence,
            replace,
        })
    };
    places.iter().map(ask).collect()
}

/// Claims each account that a bank knows, in the bucket of the account's hash.
fn claim(desk: &Desk, mut asked: Vec<Asked>) -> Result<Vec<Asked>, PayError> {
    let mut by_bucket: BTreeMap<Bucket, Vec<usize>> = BTreeMap::new();
    for (place, one) in asked.iter().enumerate().filter(|(_, one)| one.holder.is_some()) {
        by_bucket.entry(desk.store.buckets().of_hash(&one.index)).or_default().push(place);
    }
    let mut units = Vec::with_capacity(by_bucket.len());
    for (bucket, places) in &by_bucket {
        let claims: Vec<_> = places.iter().map(|place| (asked[*place].index, asked[*place].payee)).collect();
        units.push((*bucket, move |tx: &mut Tx<'_>| Ok(table::claim(tx, &claims)?)));
    }
    let hers = write_all(&desk.store, units)?;
    for (place, is_hers) in by_bucket.into_values().flatten().zip(hers.into_iter().flatten()) {
        asked[place].claimed = is_hers;
    }
    Ok(asked)
}

fn decide(
    env: &Env,
    tx: &mut Tx<'_>,
    keys: &Keys,
    residents: &dyn Residents,
    (actor, basis): (&Actor, &str),
    asked: &[Asked],
) -> Result<Vec<Decided>, PayError> {
    let rows = table::payees(tx, &asked.iter().map(|one| one.payee).collect::<Vec<_>>())?;
    let people: Vec<PersonId> = asked.iter().map(|one| one.person).collect();
    let receipts = receipts(env, tx, keys, actor, basis, &people, &["name"])?;
    let mut matches = Vec::with_capacity(asked.len());
    for (one, receipt) in asked.iter().zip(&receipts) {
        matches.push(match (receipt, &one.holder) {
            (Some(receipt), Some(holder)) if one.claimed => residents.compare_holder(tx, receipt, holder)?,
            _ => None,
        });
    }
    let decisions: Vec<Decision> = asked
        .iter()
        .zip(&rows)
        .zip(matches)
        .map(|((one, row), holder)| {
            rules::decide(&Facts {
                existing: row.as_ref().map(|row| (row.state, row.account == one.index)),
                known_bank: one.known_bank,
                known_account: one.holder.is_some(),
                claimed: one.claimed,
                holder,
                replace: one.replace,
            })
        })
        .collect();

    let mut new = Vec::new();
    let mut decided = Vec::with_capacity(asked.len());
    for (((one, row), decision), receipt) in asked.iter().zip(rows).zip(decisions).zip(&receipts) {
        let decision = if receipt.is_some() { decision } else { Decision::Reject(Reason::NotRegistered) };
        let (registration, state) = match decision {
            Decision::Stands => (Registration::Stands, None),
            Decision::Activate => (Registration::Active, Some(PayeeState::Active)),
            Decision::Keep(reason) => (Registration::Refused(reason), Some(PayeeState::Refused(reason))),
            Decision::Reject(reason) => (Registration::Refused(reason), None),
        };
        let before = row.as_ref().map(|row| row.account).filter(|before| *before != one.index);
        decided.push(Decided { registration, freed: before.filter(|_| state == Some(PayeeState::Active)) });
        let (Some(state), Some(receipt)) = (state, receipt) else { continue };
        let record = receipt.data_key().seal(&PayeeAccount {
            account: one.account.clone(),
            holder: one.holder.clone().unwrap_or_default(),
            evidence: one.evidence.clone(),
            since: env.now,
            by: (actor.kind == ActorKind::Officer).then(|| actor.clone()),
        });
        let version = row.as_ref().map_or(0, |row| row.version);
        let next = PayeeRow {
            payee: one.payee,
            state,
            account: one.index,
            record: record.bytes().to_vec(),
            version,
        };
        match row {
            None => new.push(next),
            Some(_) => table::replace_payee(tx, &next)?,
        }
    }
    new.sort_unstable_by_key(|row| row.payee);
    table::insert_payees(tx, &new)?;
    Ok(decided)
}

/// Confirms the claims of what is active, and gives back those that led to nothing, and the account that was replaced.
fn settle_claims(desk: &Desk, asked: &[Asked], decided: &[Decided]) -> Result<(), PayError> {
    let mut by_bucket: BTreeMap<Bucket, Vec<([u8; 16], PayeeId, bool)>> = BTreeMap::new();
    for (one, decided) in asked.iter().zip(decided) {
        // A suspended account stays hers: nobody else is to be paid on it meanwhile.
        let stays = matches!(
            decided.registration,
            Registration::Active | Registration::Stands | Registration::Refused(Reason::Suspended)
        );
        let own = one.claimed.then_some((one.index, one.payee, stays));
        let freed = decided.freed.map(|index| (index, one.payee, false));
        for settled in own.into_iter().chain(freed) {
            by_bucket.entry(desk.store.buckets().of_hash(&settled.0)).or_default().push(settled);
        }
    }
    let units = by_bucket.into_iter().map(|(bucket, mut settled)| {
        // As in `table::claim`: the order in which people asked is not kept.
        settled.sort_by_key(|(index, _, _)| *index);
        let work = move |tx: &mut Tx<'_>| {
            for (index, payee, stays) in &settled {
                match stays {
                    true => table::confirm(tx, index, *payee)?,
                    false => table::release(tx, index, *payee)?,
                }
            }
            Ok(())
        };
        (bucket, work)
    });
    write_all(&desk.store, units.collect()).map(drop)
}

fn account_index(keys: &Keys, account: &BankAccount) -> [u8; 16] {
    keys.blind_index("pay.account", &joined(&[account.bank.as_bytes(), account.number.as_bytes()]))
}

fn bucket_of(desk: &Desk, person: PersonId) -> Bucket {
    kaname_trust::person::bucket_of(person, desk.store.buckets())
}

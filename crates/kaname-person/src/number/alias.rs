//! Alias numbers: what a person gives instead of her number. She makes them, and takes them back.
//!
//! An alias is allocated as a number is: a counter, another keyed permutation, a promise in the directory, then her own row.
//! So none is ever given twice. Its form is the pack's, of another length than the number's: none is ever anybody's number.

use jiff::ToSpan;
use jiff::civil::Date;
use kaname_base::number::PersonNumber;
use kaname_base::pack::{AliasKind, AliasRules, Pack};
use kaname_base::{Env, Instant};
use kaname_store::{Store, Tx};
use kaname_trust::held::Held;
use kaname_trust::keys::BlindIndex;
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, Keys, Receipt, Record, Sealed, TrustError, seal};
use serde::{Deserialize, Serialize};

use super::table::{self, AliasRow, NewAlias};
use super::{Numbers, promise_index};
use crate::show::{self, Asking};
use crate::{Action, PersonError, Refusal};

/// Whether an alias leads to its holder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AliasState {
    /// It does, until its last day.
    Active,
    /// She took it back.
    Revoked,
    /// It held for one use, which was made.
    Used,
}

impl AliasState {
    const ALL: [AliasState; 3] = [AliasState::Active, AliasState::Revoked, AliasState::Used];

    /// As stored, and as the texts have it.
    pub fn code(self) -> &'static str {
        match self {
            AliasState::Active => "active",
            AliasState::Revoked => "revoked",
            AliasState::Used => "used",
        }
    }

    pub(super) fn of_code(code: &str) -> Option<AliasState> {
        AliasState::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// An alias, sealed with its holder's data key.
#[derive(Clone, Serialize, Deserialize)]
struct SealedAlias {
    alias: String,
    made_at: Instant,
    by: Actor,
}

impl Record for SealedAlias {
    const KIND: &'static str = "person.alias";
}

/// How an alias came to its end, sealed.
#[derive(Clone, Serialize, Deserialize)]
struct AliasEnd {
    at: Instant,
    by: Actor,
}

impl Record for AliasEnd {
    const KIND: &'static str = "person.alias.end";
}

/// Somebody asks for an alias.
#[derive(Clone)]
pub struct MakeAlias {
    /// Chosen by the caller: the same request makes one.
    pub request: [u8; 16],
    /// For whom, and who asks.
    pub asking: Asking,
    /// How long it holds.
    pub kind: AliasKind,
    /// The last day of a temporary one; others have none.
    pub until: Option<Date>,
}

/// An alias as its holder sees it.
#[derive(Clone)]
pub struct Alias {
    /// Counts hers from 1; what is asked for to take it back.
    pub n: i64,
    /// What she gives away.
    pub alias: PersonNumber,
    /// How long it holds.
    pub kind: AliasKind,
    /// The last day of a temporary one.
    pub until: Option<Date>,
    /// Whether it leads to her; [`Alias::is_over`] says whether its last day has passed.
    pub state: AliasState,
    /// When it was made.
    pub made_at: Instant,
    /// When it was used or taken back, and by whom.
    pub ended: Option<(Instant, Actor)>,
}

impl Alias {
    /// Whether its last day is before `today`.
    pub fn is_over(&self, today: Date) -> bool {
        self.until.is_some_and(|until| until < today)
    }
}

/// The last day of an alias that is to hold for so many days more.
pub fn last_day(env: &Env, pack: &Pack, days: u16) -> Option<Date> {
    env.now.date_in(&pack.time_zone).checked_add(i64::from(days).days()).ok()
}

/// Makes an alias. The same request again answers the same one.
///
/// # Errors
/// [`Refusal::NoAliases`] when the country has none of this kind, [`Refusal::AliasPeriod`], [`Refusal::TooManyAliases`],
/// [`Refusal::NotAllowed`], [`Refusal::NoSuchResident`], [`Refusal::NumbersUsedUp`].
pub fn make_alias(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    aliases: &Numbers,
    env: &Env,
    ask: &MakeAlias,
) -> Result<PersonNumber, PersonError> {
    crate::policy::may(&ask.asking.actor, Action::ManageAliases)?;
    let rules = pack.alias.as_ref().filter(|rules| rules.kinds.contains(&ask.kind));
    let rules = rules.ok_or(Refusal::NoAliases)?;
    let today = env.now.date_in(&pack.time_zone);
    check_period(rules, ask.kind, ask.until, today)?;
    let person = ask.asking.person;
    let bucket = bucket_of(person, store.buckets());
    let request = keys.blind_index("person.alias.request", &ask.request);
    let (most, found) = (
        i64::from(rules.most),
        store.read::<_, PersonError, _>(bucket, move |tx| {
            Ok(table::aliases(tx, person)?.iter().any(|row| row.request == request))
        })?,
    );
    // A request that was done needs no other alias, and takes none.
    let promised = match found {
        true => None,
        false => {
            let index = |alias: &PersonNumber| index_of(keys, alias);
            Some(promise_index(store, aliases, person, index)?)
        }
    };

    let (keys, pack, env, ask) = (keys.clone(), pack.clone(), env.again(), ask.clone());
    store.write(bucket, move |tx| {
        let env = env.again();
        let receipt = show::log(tx, &keys, &pack, &env, &ask.asking, Action::ManageAliases, &["alias"])?;
        crate::table::resident(tx, person)?.filter(|row| row.active).ok_or(Refusal::NoSuchResident)?;
        let rows = table::aliases(tx, person)?;
        if let Some(row) = rows.iter().find(|row| row.request == request) {
            return read_alias(&row.sealed, &receipt);
        }
        let Some((alias, index)) = &promised else { return Err(Refusal::NoSuchAlias.into()) };
        if rows.iter().filter(|row| holds(row, today)).count() as i64 >= most {
            return Err(Refusal::TooManyAliases.into());
        }

        let body =
            SealedAlias { alias: alias.as_str().to_owned(), made_at: env.now, by: ask.asking.actor.clone() };
        let sealed = receipt.data_key().seal(&body);
        let new = NewAlias {
            n: rows.last().map_or(1, |row| row.n + 1),
            kind: ask.kind,
            until: ask.until.map(day_number),
            index,
            request: &request,
            sealed: sealed.bytes(),
        };
        table::insert_alias(tx, person, &new)?;
        Ok(*alias)
    })
}

/// Takes an alias back: from the moment this returns it leads nobody to her but the authority. One that has ended already stays so.
///
/// # Errors
/// [`Refusal::NoSuchAlias`], [`Refusal::NotAllowed`].
pub fn revoke_alias(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    asking: &Asking,
    n: i64,
) -> Result<(), PersonError> {
    let receipt = show::log(tx, keys, pack, env, asking, Action::ManageAliases, &["alias"])?;
    let rows = table::aliases(tx, asking.person)?;
    let row = rows.iter().find(|row| row.n == n).ok_or(Refusal::NoSuchAlias)?;
    if row.state != AliasState::Active {
        return Ok(());
    }

    let end = receipt.data_key().seal(&AliasEnd { at: env.now, by: asking.actor.clone() });
    table::end_alias(tx, asking.person, row, AliasState::Revoked, None, end.bytes())?;
    Ok(())
}

/// The aliases that a person was ever given, the newest first. A reading, with its entry.
///
/// # Errors
/// As [`show::open_resident`].
pub fn aliases_of(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    asking: &Asking,
) -> Result<Vec<Alias>, PersonError> {
    let receipt = show::log(tx, keys, pack, env, asking, Action::ManageAliases, &["alias"])?;
    let mut aliases = Vec::new();
    for row in table::aliases(tx, asking.person)?.iter().rev() {
        let body = Sealed::<SealedAlias>::from_bytes(&row.sealed).open(&receipt)?.of(asking.person)?;
        let ended = row.ended.as_ref().map(|ended| {
            let end = Sealed::<AliasEnd>::from_bytes(ended).open(&receipt)?.of(asking.person)?;
            Ok::<_, TrustError>((end.at, end.by))
        });
        aliases.push(Alias {
            n: row.n,
            alias: PersonNumber::from_stored(&body.alias).ok_or(TrustError::Unreadable(SealedAlias::KIND))?,
            kind: row.kind,
            until: row.until.and_then(day_of_number),
            state: row.state,
            made_at: body.made_at,
            ended: ended.transpose()?,
        });
    }
    Ok(aliases)
}

/// Every alias as it is kept, and how it ended.
pub(crate) fn held(tx: &mut Tx<'_>, receipt: &Receipt<'_>) -> Result<Vec<Held>, PersonError> {
    let mut all = Vec::new();
    for row in table::aliases(tx, receipt.person())? {
        all.push(Held::open::<SealedAlias>(receipt, row.state.code(), &row.sealed)?);
        if let Some(ended) = &row.ended {
            all.push(Held::open::<AliasEnd>(receipt, row.state.code(), ended)?);
        }
    }
    Ok(all)
}

/// What became of an alias that somebody used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Use {
    /// It leads to her.
    Leads,
    /// It did once. For the authority alone.
    Ended,
    /// It must be used up in a unit of work that writes.
    UsesUp,
}

/// What an alias of this person is good for.
pub(super) fn look(
    tx: &mut Tx<'_>,
    person: kaname_trust::PersonId,
    index: &BlindIndex,
    use_index: &BlindIndex,
    today: Date,
) -> Result<Option<(Use, AliasRow)>, PersonError> {
    if !crate::table::resident(tx, person)?.is_some_and(|row| row.active) {
        return Ok(None);
    }
    let Some(row) = table::aliases(tx, person)?.into_iter().find(|row| row.index == *index) else {
        return Ok(None); // promised, and never given
    };
    let good = match (row.state, row.kind) {
        // The answer to this very use was lost.
        (AliasState::Used, _) if row.used_by.as_ref() == Some(use_index) => Use::Leads,
        (AliasState::Active, _) if !holds(&row, today) => Use::Ended,
        (AliasState::Active, AliasKind::SingleUse) => Use::UsesUp,
        (AliasState::Active, _) => Use::Leads,
        (AliasState::Revoked | AliasState::Used, _) => Use::Ended,
    };
    Ok(Some((good, row)))
}

/// Uses up an alias of a single use.
pub(super) fn use_up(
    tx: &mut Tx<'_>,
    keys: &Keys,
    env: &Env,
    person: kaname_trust::PersonId,
    row: &AliasRow,
    use_index: &BlindIndex,
    by: &Actor,
) -> Result<(), PersonError> {
    let key = seal::data_key(tx, keys, person)?;
    let end = key.seal(&AliasEnd { at: env.now, by: by.clone() });
    table::end_alias(tx, person, row, AliasState::Used, Some(use_index), end.bytes())?;
    Ok(())
}

/// What stands for an alias in the tables.
pub(super) fn index_of(keys: &Keys, alias: &PersonNumber) -> BlindIndex {
    keys.blind_index("person.alias", alias.as_str().as_bytes())
}

fn read_alias(sealed: &[u8], receipt: &kaname_trust::Receipt<'_>) -> Result<PersonNumber, PersonError> {
    let body = Sealed::<SealedAlias>::from_bytes(sealed).open(receipt)?.of(receipt.person())?;
    Ok(PersonNumber::from_stored(&body.alias).ok_or(TrustError::Unreadable(SealedAlias::KIND))?)
}

fn holds(row: &AliasRow, today: Date) -> bool {
    row.state == AliasState::Active && row.until.is_none_or(|until| until >= day_number(today))
}

fn check_period(
    rules: &AliasRules,
    kind: AliasKind,
    until: Option<Date>,
    today: Date,
) -> Result<(), Refusal> {
    let fits = match (kind, until) {
        (AliasKind::Temporary, Some(until)) => {
            let days = today.until(until).map_or(-1, |span| i64::from(span.get_days()));
            (0..=i64::from(rules.longest_days)).contains(&days)
        }
        (AliasKind::Temporary, None) => false,
        (AliasKind::Permanent | AliasKind::SingleUse, until) => until.is_none(),
    };
    if fits { Ok(()) } else { Err(Refusal::AliasPeriod { longest_days: rules.longest_days }) }
}

/// A day as the table holds it: 20261122.
fn day_number(day: Date) -> i64 {
    i64::from(day.year()) * 10_000 + i64::from(day.month()) * 100 + i64::from(day.day())
}

fn day_of_number(number: i64) -> Option<Date> {
    let part = |part: i64| i8::try_from(part).ok();
    Date::new(i16::try_from(number / 10_000).ok()?, part(number / 100 % 100)?, part(number % 100)?).ok()
}

//! Letters on paper: a number, a code that activates the account once, and a grid of short codes for browsers without passkeys.
//!
//! Codes are kept as keyed hashes only; the letter's content is returned once, to be printed. Wrong tries make the letter wait,
//! longer each time but never for ever, so that nobody can lock a resident out for good by trying her letter.

use kaname_base::{Env, Instant};
use kaname_person::{Action, policy};
use kaname_store::Tx;
use kaname_trust::keys::{BlindIndex, random};
use kaname_trust::{Actor, Keys};
use serde::{Deserialize, Serialize};

use crate::account::{Account, LetterInForce};
use crate::error::Kept;
use crate::holder::{Holder, HolderRow, unwrap, wrap};
use crate::provider::Provider;
use crate::rules::Means;
use crate::rules::same;
use crate::session::{self, Cookie, Entrance, Session};
use crate::{Refusal, SigninError, close, rules, table};

/// What is printed on a letter. It exists once, in memory: nothing can show it again.
pub struct Letter {
    /// The letter's number, in groups: the user name of who signs in with the grid.
    pub number: String,
    /// The one-time code, in groups.
    pub code: String,
    /// Five rows of eight squares; row 1 column A first.
    pub grid: [[String; COLUMNS]; ROWS],
    /// It can be activated until then.
    pub expires: Instant,
}

/// Columns A to H.
pub const COLUMNS: usize = 8;
/// Rows 1 to 5.
pub const ROWS: usize = 5;
/// A to Z and 2 to 9 without I and O: nothing that looks like another one. 32 of them, so 5 bits each.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// 60 bits.
const NUMBER_LENGTH: usize = 12;
/// 60 bits.
const CODE_LENGTH: usize = 12;
/// 15 bits for a square.
const SQUARE_LENGTH: usize = 3;

const KIND: &str = "signin.letter";
const NUMBER: &str = "signin.letter-number";
const CODE: &str = "signin.letter-code";
const SQUARE: &str = "signin.letter-square";

/// A letter as kept.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Body {
    pub(crate) holder: HolderRow,
    #[serde(with = "crate::bytes")]
    code: BlindIndex,
    /// Eight bytes for each square.
    #[serde(with = "crate::bytes")]
    squares: Vec<u8>,
    expires: Instant,
    /// Wrong tries since the last right one.
    wrong: u32,
    wait_until: Instant,
    /// Squares that were asked and wait for their answer.
    pub(crate) asked: Option<crate::grid::Asked>,
    /// Pairs that were answered; never asked again in this order.
    pub(crate) used: Vec<u16>,
}

/// A letter as it was read.
pub(crate) struct Row {
    pub(crate) letter: BlindIndex,
    version: i64,
    pub(crate) body: Body,
}

/// Makes a letter for a holder. It takes the place of any earlier one, whose grid then opens nothing any more; passkeys stay.
/// Opens nothing about a person.
///
/// # Errors
/// [`SigninError::NotAllowed`]; [`Refusal::NoAccount`] for somebody whose entry in the register is closed; [`SigninError::Store`].
pub fn issue(provider: &Provider, env: &Env, by: &Actor, holder: Holder) -> Result<Letter, SigninError> {
    policy::may(
        by,
        match holder {
            Holder::Resident(_) => Action::IssueActivation,
            Holder::Officer(_) => Action::IssueOfficerActivation,
        },
    )?;
    let keys = provider.keys();
    let bucket = holder.bucket(provider.buckets()).ok_or(Refusal::NoAccount)?;
    let (number, code) = (draw::<NUMBER_LENGTH>(), draw::<CODE_LENGTH>());
    let letter = keys.blind_index(NUMBER, number.as_bytes());
    let squares: Vec<String> = (0..ROWS * COLUMNS).map(|_| draw::<SQUARE_LENGTH>()).collect();
    let expires = env.now.plus_seconds(provider.config().letter_seconds);
    let body = Body {
        holder: holder.row(keys),
        code: code_mac(keys, &letter, &code),
        squares: squares
            .iter()
            .enumerate()
            .flat_map(|(at, text)| square_mac(keys, &letter, at, text))
            .collect(),
        expires,
        wrong: 0,
        wait_until: env.now,
        asked: None,
        used: Vec::new(),
    };
    let wrapped = wrap(keys, KIND, &letter, &body);
    // The grid signs in for as long as the letter is in force; the row is swept when it cannot be.
    let until = rules::coarse(env.now.plus_seconds(ROW_SECONDS));
    provider.store().write(provider.buckets().of_hash(&letter), move |tx| {
        table::insert_letter(tx, &letter, until, &wrapped).map_err(SigninError::from)
    })?;

    // If we stop here, a letter is kept that no account points at: it opens nothing.
    let with = keys.clone();
    let replaced = provider.store().write(bucket, move |tx| {
        close::may_sign_in(tx, holder)?;
        let row = holder.row(&with);
        let mut account = Account::load(tx, &with, &row)?;
        let replaced = account.letter.replace(LetterInForce { letter, activated: false });

        account.save(tx, &with, &row)?;
        Ok::<_, SigninError>(replaced)
    })?;
    // If we stop here, the letter before is kept although it opens nothing.
    if let Some(LetterInForce { letter, .. }) = replaced {
        provider.store().write(provider.buckets().of_hash(&letter), move |tx| {
            table::delete_letter(tx, &letter).map_err(SigninError::from)
        })?;
    }
    let mut squares = squares.into_iter();
    let grid =
        std::array::from_fn(|_| std::array::from_fn(|_| squares.next().expect("40 squares were drawn")));
    Ok(Letter { number: grouped(&number), code: grouped(&code), grid, expires })
}

/// How long a letter's row is kept: ten years.
const ROW_SECONDS: i64 = 10 * 366 * 86_400;

/// Activates an account with the letter's number and code, once. The session that begins may register a passkey.
///
/// # Errors
/// [`Refusal::CodeWrong`] for a number or a code that is wrong, without telling which; [`Refusal::TryLater`];
/// [`Refusal::LetterUsed`]; [`Refusal::LetterExpired`].
pub fn activate(
    provider: &Provider,
    env: &Env,
    number: &str,
    code: &str,
    agent: &str,
    replaces: Option<&Session>,
) -> Result<Cookie, SigninError> {
    let number = normal(number, NUMBER_LENGTH).ok_or(Refusal::CodeWrong)?;
    let code = normal(code, CODE_LENGTH).ok_or(Refusal::CodeWrong)?;
    let letter = provider.keys().blind_index(NUMBER, number.as_bytes());
    let holder = check_code(provider, env, letter, code)??.holder(provider.keys());

    // The code is used up here, in the account's row: a stop before this leaves it as good as it was.
    let bucket = holder.bucket(provider.buckets()).ok_or(Refusal::CodeWrong)?;
    let entrance = Entrance {
        holder,
        means: Means::Activation,
        requested: None,
        has_answered: false,
        agent: agent.to_owned(),
        replaces: replaces.map(|old| (old.bucket(), old.place())),
        maybe_copied: false,
    };
    let (with, env) = (provider.clone(), env.clone());
    let entered = provider.store().write(bucket, move |tx| {
        let keys = with.keys();
        let row = holder.row(keys);
        let mut account = Account::load(tx, keys, &row)?;
        match account.letter {
            Some(LetterInForce { letter: in_force, activated: false }) if in_force == letter => {}
            _ => return Err(Refusal::LetterUsed.into()),
        }
        account.letter = Some(LetterInForce { letter, activated: true });

        account.save(tx, keys, &row)?;
        session::enter(tx, &with, &env.again(), &entrance)
    })?;
    if let Some(old) = replaces.filter(|old| old.bucket() != bucket) {
        session::end(provider, old)?;
    }
    Ok(entered.session.cookie(provider))
}

fn check_code(provider: &Provider, env: &Env, letter: BlindIndex, code: String) -> Kept<HolderRow> {
    let (with, now) = (provider.keys().clone(), env.now);
    provider.store().write(provider.buckets().of_hash(&letter), move |tx| {
        let Some(mut row) = load(tx, &with, letter)? else { return Ok(Err(Refusal::CodeWrong)) };
        if let Err(refusal) = row.body.may_try(now) {
            return Ok(Err(refusal));
        }
        let is_right = same(&code_mac(&with, &letter, &code), &row.body.code);
        if is_right && now >= row.body.expires {
            return Ok(Err(Refusal::LetterExpired));
        }

        row.body.count(is_right, now);
        row.save(tx, &with)?;
        Ok(if is_right { Ok(row.body.holder) } else { Err(Refusal::CodeWrong) })
    })
}

/// The keyed hash of a letter's number, as somebody typed it.
pub(crate) fn of_number(keys: &Keys, number: &str) -> Option<BlindIndex> {
    Some(keys.blind_index(NUMBER, normal(number, NUMBER_LENGTH)?.as_bytes()))
}

pub(crate) fn load(tx: &mut Tx<'_>, keys: &Keys, letter: BlindIndex) -> Result<Option<Row>, SigninError> {
    let Some((version, body)) = table::letter(tx, &letter)? else { return Ok(None) };
    Ok(Some(Row { letter, version, body: unwrap(keys, KIND, &letter, &body)? }))
}

impl Row {
    /// Writes it over the version that was read.
    pub(crate) fn save(&self, tx: &mut Tx<'_>, keys: &Keys) -> Result<(), SigninError> {
        Ok(table::replace_letter(
            tx,
            &self.letter,
            self.version,
            &wrap(keys, KIND, &self.letter, &self.body),
        )?)
    }

    /// Whether `text` is what stands in a square, as somebody typed it.
    pub(crate) fn square_is(&self, keys: &Keys, square: u8, text: &str) -> bool {
        let at = usize::from(square);
        let kept = self.body.squares.get(at * 8..at * 8 + 8);
        match (normal(text, SQUARE_LENGTH), kept) {
            (Some(text), Some(kept)) => same(&square_mac(keys, &self.letter, at, &text), kept),
            _ => false,
        }
    }
}

impl Body {
    /// Whether a try is looked at now.
    pub(crate) fn may_try(&self, now: Instant) -> Result<(), Refusal> {
        if now < self.wait_until { Err(Refusal::TryLater) } else { Ok(()) }
    }

    /// Counts a try.
    pub(crate) fn count(&mut self, is_right: bool, now: Instant) {
        self.wrong = if is_right { 0 } else { self.wrong.saturating_add(1) };
        self.wait_until = now.plus_seconds(rules::wait_seconds(self.wrong));
    }
}

fn code_mac(keys: &Keys, letter: &BlindIndex, code: &str) -> BlindIndex {
    keys.blind_index(CODE, &[&letter[..], code.as_bytes()].concat())
}

fn square_mac(keys: &Keys, letter: &BlindIndex, at: usize, text: &str) -> [u8; 8] {
    let mac = keys.blind_index(SQUARE, &[&letter[..], &[at as u8], text.as_bytes()].concat());
    mac[..8].try_into().expect("a blind index has 16 bytes")
}

/// `N` random characters; each byte gives one, as 32 divides 256.
fn draw<const N: usize>() -> String {
    random::<N>().iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

fn grouped(text: &str) -> String {
    let groups: Vec<&str> =
        (0..text.len()).step_by(4).map(|at| &text[at..(at + 4).min(text.len())]).collect();
    groups.join("-")
}

/// What somebody typed, as it was printed: capitals, without spaces and hyphens, full-width letters made plain.
fn normal(typed: &str, length: usize) -> Option<String> {
    if typed.len() > 200 {
        return None;
    }
    let plain = |c: char| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        _ => c,
    };
    let is_gap =
        |c: &char| c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{30FC}' | '\u{2212}');
    let text: String =
        typed.chars().map(plain).filter(|c| !is_gap(c)).map(|c| c.to_ascii_uppercase()).collect();
    let good = text.len() == length && text.bytes().all(|b| ALPHABET.contains(&b));
    good.then_some(text)
}

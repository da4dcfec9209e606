//! Signing in with the letter's grid, where the browser has no passkey: two squares, each pair asked for once.

use std::sync::Arc;

use kaname_base::Env;
use kaname_trust::Keys;
use kaname_trust::keys::{BlindIndex, random};
use serde::{Deserialize, Serialize};

use crate::account::{Account, LetterInForce, SignedIn, go_on};
use crate::authorize::waiting;
use crate::error::Kept;
use crate::holder::HolderRow;
use crate::letter::{self, COLUMNS, ROWS};
use crate::provider::Provider;
use crate::rules::same;
use crate::rules::{Level, Means};
use crate::session::{self, Entrance, Session};
use crate::{Browser, Refusal, SigninError};

/// A square of the grid: column A to H, row 1 to 5. Shown as `B4`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Square(u8);

impl std::fmt::Display for Square {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (row, column) = (usize::from(self.0) / COLUMNS, usize::from(self.0) % COLUMNS);
        write!(f, "{}{}", char::from(b'A' + column as u8), row + 1)
    }
}

/// Squares that wait for their answer, in one browser.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Asked {
    pair: (u8, u8),
    #[serde(with = "crate::bytes")]
    browser: BlindIndex,
    wrong: u8,
}

const SQUARES: u8 = (ROWS * COLUMNS) as u8;
/// Wrong answers to one pair before another is asked.
const TRIES: u8 = 3;
/// Pairs of a letter that are used before a new letter is needed: half of them, so that drawing stays quick.
const MOST_USED: usize = (SQUARES as usize) * (SQUARES as usize - 1) / 2;
const BROWSER: &str = "signin.grid-browser";
const NOBODY: &str = "signin.grid-nobody";

/// Asks for two squares of the letter with this number.
///
/// The same two are asked until they are answered: whoever knows some squares cannot load the page until those are asked. For a number
/// that does not exist two squares are asked all the same, always the same ones, so that the page does not tell.
///
/// # Errors
/// [`Refusal::LevelTooLow`] when the sign-in needs a passkey; [`Refusal::TryLater`]; [`Refusal::LetterExpired`] when all
/// pairs are used; those of [`crate::authorize::show`].
pub fn ask(
    provider: &Provider,
    env: &Env,
    handle: &str,
    browser: &Browser,
    number: &str,
) -> Result<[Square; 2], SigninError> {
    check_level(waiting(provider, env, handle, browser)?.level())?;
    let letter = letter::of_number(provider.keys(), number).ok_or(Refusal::CodeWrong)?;
    let (with, now, browser) = (provider.keys().clone(), env.now, browser.clone());
    let pair = provider.store().write(provider.buckets().of_hash(&letter), move |tx| {
        let Some(mut row) = letter::load(tx, &with, letter)? else { return Ok(nobodys(&with, &letter)) };
        row.body.may_try(now)?;
        let mark = with.blind_index(BROWSER, browser.as_bytes());
        let (pair, wrong) = match &row.body.asked {
            Some(asked) if asked.browser == mark => return Ok(asked.pair),
            Some(asked) => (asked.pair, asked.wrong),
            None => (new_pair(&row.body.used)?, 0),
        };

        row.body.asked = Some(Asked { pair, browser: mark, wrong });
        row.save(tx, &with)?;
        Ok::<_, SigninError>(pair)
    })?;
    Ok([Square(pair.0), Square(pair.1)])
}

/// What somebody read from the two squares.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// The letter's number.
    pub number: &'a str,
    /// What stands in the first square.
    pub first: &'a str,
    /// What stands in the second square.
    pub second: &'a str,
}

/// Signs in with the two squares that were asked.
///
/// # Errors
/// [`Refusal::CodeWrong`]; [`Refusal::TryLater`]; [`Refusal::SquaresNotAsked`] when they were asked in another browser;
/// [`Refusal::NoAccount`] when the letter is not in force; those of [`ask`].
pub fn answer(
    provider: &Provider,
    env: &Env,
    handle: &str,
    browser: &Browser,
    reading: Reading<'_>,
    agent: &str,
    replaces: Option<&Session>,
) -> Result<SignedIn, SigninError> {
    let requested = Arc::new(waiting(provider, env, handle, browser)?);
    check_level(requested.level())?;
    let letter = letter::of_number(provider.keys(), reading.number).ok_or(Refusal::CodeWrong)?;
    let holder = check(provider, env, letter, browser, reading)??.holder(provider.keys());

    let bucket = holder.bucket(provider.buckets()).ok_or(Refusal::NoAccount)?;
    let entrance = Entrance {
        holder,
        means: Means::Grid,
        requested: Some(Arc::clone(&requested)),
        has_answered: false,
        agent: agent.to_owned(),
        replaces: replaces.map(|old| (old.bucket(), old.place())),
        maybe_copied: false,
    };
    let (with, env_in) = (provider.clone(), env.clone());
    let entered = provider.store().write(bucket, move |tx| {
        match Account::load(tx, with.keys(), &holder.row(with.keys()))?.letter {
            Some(LetterInForce { letter: in_force, activated: true }) if in_force == letter => {}
            _ => return Err(Refusal::NoAccount.into()),
        }

        session::enter(tx, &with, &env_in.again(), &entrance)
    })?;
    go_on(provider, env, &requested, entered, replaces)
}

fn check(
    provider: &Provider,
    env: &Env,
    letter: BlindIndex,
    browser: &Browser,
    reading: Reading<'_>,
) -> Kept<HolderRow> {
    let (with, now, browser) = (provider.keys().clone(), env.now, browser.clone());
    let (first, second) = (reading.first.to_owned(), reading.second.to_owned());
    provider.store().write(provider.buckets().of_hash(&letter), move |tx| {
        let Some(mut row) = letter::load(tx, &with, letter)? else { return Ok(Err(Refusal::CodeWrong)) };
        if let Err(refusal) = row.body.may_try(now) {
            return Ok(Err(refusal));
        }
        let mark = with.blind_index(BROWSER, browser.as_bytes());
        let asked = match row.body.asked.take() {
            Some(asked) if same(&asked.browser, &mark) => asked,
            _ => return Ok(Err(Refusal::SquaresNotAsked)),
        };
        // Both are compared always, so that the time does not tell which one was wrong.
        let is_right =
            row.square_is(&with, asked.pair.0, &first) & row.square_is(&with, asked.pair.1, &second);

        row.body.count(is_right, now);
        if is_right || asked.wrong + 1 >= TRIES {
            row.body.used.push(number_of(asked.pair));
        } else {
            row.body.asked = Some(Asked { wrong: asked.wrong + 1, ..asked });
        }
        row.save(tx, &with)?;
        Ok(if is_right { Ok(row.body.holder) } else { Err(Refusal::CodeWrong) })
    })
}

fn check_level(level: Level) -> Result<(), Refusal> {
    if level <= Means::Grid.level() { Ok(()) } else { Err(Refusal::LevelTooLow) }
}

/// Two different squares that were not asked in this order before.
fn new_pair(used: &[u16]) -> Result<(u8, u8), Refusal> {
    if used.len() >= MOST_USED {
        return Err(Refusal::LetterExpired);
    }
    loop {
        let pair = pair_of(random());
        if !used.contains(&number_of(pair)) {
            return Ok(pair);
        }
    }
}

/// What is asked for a number that does not exist.
fn nobodys(keys: &Keys, letter: &BlindIndex) -> (u8, u8) {
    let mac = keys.blind_index(NOBODY, letter);
    pair_of(mac[..8].try_into().expect("a blind index has 16 bytes"))
}

/// Two different squares from 8 random bytes; 2^64 is so much larger than their number that none is preferred.
fn pair_of(random: [u8; 8]) -> (u8, u8) {
    let squares = u64::from(SQUARES);
    let value = u64::from_be_bytes(random) % (squares * (squares - 1));
    let (first, second) = (value / (squares - 1), value % (squares - 1));
    let second = if second >= first { second + 1 } else { second };
    (first as u8, second as u8)
}

fn number_of((first, second): (u8, u8)) -> u16 {
    u16::from(first) * u16::from(SQUARES) + u16::from(second)
}

//! A simulated bank. It keeps its books in a folder of its own, never in the deployment's database, so that a test can ask the
//! bank, and not us, who was paid.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use kaname_base::{Currency, pack};
use kaname_codec::iso20022::{self, GroupStatus, Status};
use kaname_pay::{Bank, BankAccount, BankError};

use crate::SimPerson;
use crate::random::Random;

/// An account that a person names, and what the bank knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimAccount {
    /// Whose application it stands in: the person's reference.
    pub reference: String,
    /// The account.
    pub account: BankAccount,
    /// Its holder as the bank writes the name.
    pub holder: String,
    /// Whether the holder is another person: such an account must be refused.
    pub is_other_persons: bool,
    /// Whether it will have been closed when money arrives: the bank gives that back.
    pub closes: bool,
}

/// Accounts for nine in ten of `people`. One in a hundred is deliberately held by the next person on the list, one in two
/// hundred closes before it is paid on. The same seed gives the same accounts.
pub fn accounts<'a>(
    people: &'a [SimPerson],
    banks: &'a [pack::Bank],
    seed: u64,
) -> impl Iterator<Item = SimAccount> + 'a {
    people.iter().enumerate().filter_map(move |(place, person)| {
        let mut random = Random::new(seed ^ ACCOUNTS, place as u64);
        let has_none = random.below(10) == 0;
        if has_none || banks.is_empty() {
            return None;
        }
        let bank = random.pick(banks);
        let digits = u32::try_from(bank.account_digits).unwrap_or(u32::MAX).clamp(6, 18);
        // Counting up from a start of its own, so that no two people are given one number by accident.
        let number = (place as u64 + 1).wrapping_mul(7_919) % 10u64.pow(digits);
        let holder_place = (place + 1) % people.len();
        let is_other_persons =
            random.below(100) == 0 && holder_name(&people[holder_place]) != holder_name(person);
        let holder = if is_other_persons { &people[holder_place] } else { person };
        Some(SimAccount {
            reference: person.reference.clone(),
            account: BankAccount {
                bank: bank.code.clone(),
                number: format!("{number:0width$}", width = digits as usize),
            },
            holder: holder_name(holder),
            is_other_persons,
            closes: !is_other_persons && random.below(200) == 0,
        })
    })
}

/// Tells the drawing of accounts from other drawings of a seed.
const ACCOUNTS: u64 = 0x6163_636F_756E_7473;

/// A name as a bank writes it: half-width katakana where there is a reading, else capitals in Latin letters, else as written.
pub fn holder_name(person: &SimPerson) -> String {
    let joined = |family: &str, given: &str| format!("{family} {given}");
    if !person.family_reading.is_empty() {
        return half_width(&joined(&person.family_reading, &person.given_reading));
    }
    if !person.family_latin.is_empty() || !person.given_latin.is_empty() {
        return joined(&person.given_latin, &person.family_latin).trim().to_uppercase();
    }
    joined(&person.given_name, &person.family_name).trim().to_uppercase()
}

/// One bank with its books in a folder.
pub struct SimBank {
    code: String,
    folder: PathBuf,
    currency: Currency,
    accounts: RwLock<HashMap<String, Holding>>,
}

#[derive(Clone)]
struct Holding {
    holder: String,
    closes: bool,
}

/// Money that the bank has put on an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Credit {
    /// The payer's id of the payment.
    pub end_to_end_id: String,
    /// The account.
    pub number: String,
    /// How much, in minor units.
    pub amount_minor: u64,
}

impl SimBank {
    /// Opens the bank in its folder, which is made when it is not there.
    ///
    /// # Errors
    /// [`io::Error`] when the folder cannot be used.
    pub fn open(folder: &Path, code: &str, currency: Currency) -> io::Result<SimBank> {
        for part in ["credits", "answers"] {
            fs::create_dir_all(folder.join(part))?;
        }
        let text = match fs::read_to_string(folder.join(ACCOUNT_BOOK)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let accounts = text.lines().filter_map(read_account).collect();
        Ok(SimBank {
            code: code.to_owned(),
            folder: folder.to_owned(),
            currency,
            accounts: RwLock::new(accounts),
        })
    }

    /// Opens accounts at this bank; those of other banks are passed over, and so is a number that is there.
    ///
    /// # Errors
    /// [`io::Error`] when the book cannot be written.
    pub fn add<'a>(&self, accounts: impl IntoIterator<Item = &'a SimAccount>) -> io::Result<()> {
        let mut known = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
        let mut lines = String::new();
        for new in accounts.into_iter().filter(|new| new.account.bank == self.code) {
            let holding = Holding { holder: new.holder.clone(), closes: new.closes };
            if !known.contains_key(&new.account.number) {
                let mark = if new.closes { "closes" } else { "open" };
                lines.push_str(&format!("{}\t{mark}\t{}\n", new.account.number, new.holder));
                known.insert(new.account.number.clone(), holding);
            }
        }
        let mut book = OpenOptions::new().create(true).append(true).open(self.folder.join(ACCOUNT_BOOK))?;
        book.write_all(lines.as_bytes())?;
        book.sync_all()
    }

    /// Puts another holder into the book, as a bank does that had the wrong one. The last line of an account counts.
    ///
    /// # Errors
    /// [`io::Error`] when the book cannot be written.
    pub fn correct_holder(&self, number: &str, holder: &str) -> io::Result<()> {
        let mut known = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
        let Some(holding) = known.get_mut(number) else { return Ok(()) };
        holding.holder = holder.to_owned();
        let mark = if holding.closes { "closes" } else { "open" };
        let mut book = OpenOptions::new().create(true).append(true).open(self.folder.join(ACCOUNT_BOOK))?;
        book.write_all(format!("{number}\t{mark}\t{holder}\n").as_bytes())?;
        book.sync_all()
    }

    /// All that the bank has put on accounts, sorted.
    ///
    /// # Errors
    /// [`io::Error`] when the books cannot be read.
    pub fn credits(&self) -> io::Result<Vec<Credit>> {
        let mut credits = Vec::new();
        for entry in fs::read_dir(self.folder.join("credits"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "tsv") {
                credits.extend(fs::read_to_string(path)?.lines().filter_map(read_credit));
            }
        }
        credits.sort_unstable();
        Ok(credits)
    }

    /// Carries out a message: who is credited, and the report.
    fn carry_out(&self, message_id: &str, message: &[u8]) -> Result<(String, Vec<u8>), String> {
        let exponent_of = |code: &str| (code == self.currency.code()).then(|| self.currency.exponent());
        let asked = iso20022::parse_pain001(message, &exponent_of).map_err(|error| error.to_string())?;
        if asked.header.message_id != message_id {
            return Err("the message has another id".to_owned());
        }
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        let mut credits = String::new();
        let mut statuses = Vec::with_capacity(asked.transfers.len());
        for transfer in &asked.transfers {
            let (iso20022::Account::Iban(number) | iso20022::Account::Other(number)) =
                &transfer.creditor_account;
            let refused = match accounts.get(&**number) {
                None => Some(("AC01", "no such account")),
                Some(holding) if holding.closes => Some(("AC04", "the account is closed")),
                Some(_) => None,
            };
            let status = match refused {
                None => {
                    let line = format!("{}\t{number}\t{}\n", transfer.end_to_end_id, transfer.amount_minor);
                    credits.push_str(&line);
                    Status::Settled
                }
                Some((code, text)) => Status::Rejected { code: code.into(), text: Some(text.into()) },
            };
            statuses.push(iso20022::TransferStatus { end_to_end_id: transfer.end_to_end_id.clone(), status });
        }
        let report = iso20022::Report {
            message_id: message_id.chars().rev().collect::<String>().into(),
            // No clock in this world: the day it was asked for is the day it is done.
            created: asked.header.created.clone(),
            original_message_id: asked.header.message_id.clone(),
            message_status: Some(GroupStatus::Part),
            original_payment_id: Some(asked.header.payment_id.clone()),
            payment_status: Some(GroupStatus::Part),
            transfers: statuses,
        };
        Ok((credits, iso20022::write_pain002(&report).map_err(|error| error.to_string())?))
    }

    fn error(&self, message: impl ToString) -> BankError {
        BankError { bank: self.code.clone(), message: message.to_string() }
    }
}

impl Bank for SimBank {
    fn holder(&self, number: &str) -> Result<Option<String>, BankError> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        Ok(accounts.get(number).map(|holding| holding.holder.clone()))
    }

    /// A message is carried out once: what it did is a file under its id, put there whole. Killed before the answer is written,
    /// the bank carries it out again, to the same file.
    fn submit(&self, message_id: &str, message: &[u8]) -> Result<(), BankError> {
        let answer = self.answer(message_id).ok_or_else(|| self.error("not an id of a message"))?;
        if answer.exists() {
            return Ok(());
        }
        let (credits, report) = self.carry_out(message_id, message).map_err(|words| self.error(words))?;
        let credited = self.folder.join("credits").join(format!("{message_id}.tsv"));
        put(&credited, credits.as_bytes()).map_err(|error| self.error(error))?;
        put(&answer, &report).map_err(|error| self.error(error))
    }

    fn status(&self, message_id: &str) -> Result<Option<Vec<u8>>, BankError> {
        let answer = self.answer(message_id).ok_or_else(|| self.error("not an id of a message"))?;
        match fs::read(answer) {
            Ok(report) => Ok(Some(report)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.error(error)),
        }
    }
}

const ACCOUNT_BOOK: &str = "accounts.tsv";

impl SimBank {
    fn answer(&self, message_id: &str) -> Option<PathBuf> {
        let is_plain = !message_id.is_empty() && message_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_plain.then(|| self.folder.join("answers").join(format!("{message_id}.xml")))
    }
}

/// A file appears whole or not at all.
fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

fn read_account(line: &str) -> Option<(String, Holding)> {
    let mut parts = line.splitn(3, '\t');
    let (number, mark, holder) = (parts.next()?, parts.next()?, parts.next()?);
    Some((number.to_owned(), Holding { holder: holder.to_owned(), closes: mark == "closes" }))
}

fn read_credit(line: &str) -> Option<Credit> {
    let mut parts = line.split('\t');
    Some(Credit {
        end_to_end_id: parts.next()?.to_owned(),
        number: parts.next()?.to_owned(),
        amount_minor: parts.next()?.parse().ok()?,
    })
}

/// Full-width katakana as banks write it: half-width, voiced marks apart, small letters large.
fn half_width(text: &str) -> String {
    const FULL: &str = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲンァィゥェォッャュョー";
    const HALF: &str = "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜｦﾝｱｲｳｴｵﾂﾔﾕﾖｰ";
    const VOICED: &str = "ガギグゲゴザジズゼゾダヂヅデドバビブベボヴ";
    const UNVOICED: &str = "ｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾊﾋﾌﾍﾎｳ";
    const HALF_VOICED: &str = "パピプペポ";
    const UNHALF_VOICED: &str = "ﾊﾋﾌﾍﾎ";
    let mut written = String::with_capacity(text.len());
    for letter in text.chars() {
        let found = |from: &str, to: &str| {
            from.chars().position(|known| known == letter).and_then(|place| to.chars().nth(place))
        };
        if let Some(plain) = found(FULL, HALF) {
            written.push(plain);
        } else if let Some(base) = found(VOICED, UNVOICED) {
            written.extend([base, 'ﾞ']);
        } else if let Some(base) = found(HALF_VOICED, UNHALF_VOICED) {
            written.extend([base, 'ﾟ']);
        } else {
            written.push(letter);
        }
    }
    written
}

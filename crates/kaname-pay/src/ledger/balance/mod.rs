//! Balances in memory, between one batch and the next (docs/adr/0013).
//!
//! What the database says is the truth, and always whole: every batch writes what its accounts hold in the same unit of work as its
//! transfers. A small batch writes it into the rows of the accounts. A large one appends it as a *run*, in order of account,
//! instead of changing as many pages as it has accounts; now and then the newest balances of all runs go into the rows, in order, and
//! the runs are forgotten. Whoever reads takes the greater version of row and runs.
//!
//! The memory spares reading what the batch before has just written. It is kept under that batch's token, which was drawn by lot and is
//! in the database with what it stands for: a batch that finds another token there (another process wrote, or the unit of work
//! was undone) finds no memory under it, and reads anew.

mod table;

use std::collections::{HashMap, VecDeque};
use std::sync::{LazyLock, Mutex, PoisonError};

use kaname_base::Instant;
use kaname_store::{StoreError, Tx};

use crate::ids::AccountId;
use crate::ledger::Account;
use crate::ledger::table as accounts_table;
use table::Noted;
pub(crate) use table::{insert_marks, mark, mark_after, mark_count};

/// Up to so many changed accounts, a batch writes their rows.
const SMALL: usize = 512;

/// Balances noted in runs before they go into the rows: four for each account, within these bounds.
const NOTED: std::ops::Range<u64> = 4_096..2_097_152;

/// Which part of what is left goes there with each batch, so that none takes much longer than the others.
const STEP: usize = 16;

/// Accounts in memory, over all buckets: some 500 MiB when the ledgers have as many.
const MOST: usize = 1 << 22;

/// The accounts of a bucket as far as they are known, while a batch has them.
pub(crate) struct Balances {
    token: [u8; 16],
    number: i64,
    /// When the batch takes place.
    pub(crate) at: Instant,
    known: Known,
    changed: Vec<u32>,
}

#[derive(Default)]
struct Known {
    places: HashMap<AccountId, u32>,
    held: Vec<Held>,
    /// How many balances stand in runs, and of how many accounts the newest stands there only.
    noted: u64,
    only_noted: u64,
    /// What is going into the rows: accounts against their order, so that the next is the last.
    settling: Vec<u32>,
    /// The last run that is forgotten when they are there, and how many balances are noted up to it.
    settling_to: (i64, u64),
}

struct Held {
    account: Account,
    is_changed: bool,
    /// Whether a run says more than its row.
    is_noted: bool,
}

impl Balances {
    /// Takes the bucket's books for a batch.
    pub(crate) fn take(tx: &mut Tx<'_>, now: Instant) -> Result<Balances, StoreError> {
        let token = kaname_trust::keys::random::<16>();
        let head = table::take(tx, &token, now)?;
        let known = match remembered(&head.before) {
            Some(known) => known,
            None => Known::read(tx)?,
        };
        Ok(Balances { token, number: head.number, at: head.at, known, changed: Vec::new() })
    }

    /// Reads those of the accounts that are not known yet. They are in order of id.
    pub(crate) fn find(&mut self, tx: &mut Tx<'_>, ids: &[AccountId]) -> Result<(), StoreError> {
        let unknown = |id: &&AccountId| !self.known.places.contains_key(*id);
        let unknown: Vec<AccountId> = ids.iter().filter(unknown).copied().collect();
        if unknown.is_empty() {
            return Ok(());
        }
        for account in accounts_table::account_rows(tx, &unknown)?.into_iter().flatten() {
            self.known.add(account, false);
        }
        Ok(())
    }

    /// Where an account is held.
    pub(crate) fn place(&self, id: AccountId) -> Option<u32> {
        self.known.places.get(&id).copied()
    }

    /// The account in a place.
    pub(crate) fn account(&self, place: u32) -> &Account {
        &self.known.held[place as usize].account
    }

    /// Changes an account.
    pub(crate) fn set(&mut self, place: u32, account: Account) {
        let held = &mut self.known.held[place as usize];
        held.account = account;
        if !std::mem::replace(&mut held.is_changed, true) {
            self.changed.push(place);
        }
    }

    /// Writes what has changed, and remembers it for the next batch.
    pub(crate) fn write(mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let held = &mut self.known.held;
        self.changed.sort_unstable_by_key(|place| held[*place as usize].account.id);
        for place in &self.changed {
            held[*place as usize].is_changed = false;
        }
        if self.changed.len() <= SMALL {
            self.known.settle(tx, &self.changed)?;
        } else {
            let accounts: Vec<&Account> =
                self.changed.iter().map(|place| &held[*place as usize].account).collect();
            table::insert_run(tx, self.number, &accounts)?;
            self.known.noted += accounts.len() as u64;
            for place in &self.changed {
                let was = std::mem::replace(&mut self.known.held[*place as usize].is_noted, true);
                self.known.only_noted += u64::from(!was);
            }
            self.known.settle_some(tx, self.number)?;
        }
        if self.known.held.len() > MOST / 2 && self.known.settling.is_empty() {
            self.known.keep_noted();
        }
        remember(self.token, self.known);
        Ok(())
    }
}

impl Known {
    /// What the runs say; the rows of other accounts are read when they are asked for.
    fn read(tx: &mut Tx<'_>) -> Result<Known, StoreError> {
        let mut known = Known::default();
        let parts = table::run_parts(tx)?;
        if parts.is_empty() {
            return Ok(known);
        }
        let noted = table::run_bodies(tx, &parts)?;
        known.noted = noted.len() as u64;
        let mut ids: Vec<AccountId> = noted.iter().map(|noted| noted.id).collect();
        ids.sort_unstable();
        ids.dedup();
        for account in accounts_table::account_rows(tx, &ids)?.into_iter().flatten() {
            known.add(account, true);
        }
        for noted in noted {
            if let Some(place) = known.places.get(&noted.id) {
                noted.onto(&mut known.held[*place as usize].account);
            }
        }
        Ok(known)
    }

    fn add(&mut self, account: Account, is_noted: bool) {
        self.places.insert(account.id, self.held.len() as u32);
        self.only_noted += u64::from(is_noted);
        self.held.push(Held { account, is_changed: false, is_noted });
    }

    /// Forgets accounts whose rows say it all: there are too many.
    fn keep_noted(&mut self) {
        let held = std::mem::take(&mut self.held);
        self.places = HashMap::new();
        self.only_noted = 0;
        for Held { account, .. } in held.into_iter().filter(|held| held.is_noted) {
            self.add(account, true);
        }
    }

    /// Writes the rows of these accounts, which are in order of id.
    fn settle(&mut self, tx: &mut Tx<'_>, places: &[u32]) -> Result<(), StoreError> {
        let accounts = places.iter().map(|place| &self.held[*place as usize].account);
        accounts_table::update_balances(tx, accounts)?;
        for place in places {
            let was = std::mem::replace(&mut self.held[*place as usize].is_noted, false);
            self.only_noted -= u64::from(was);
        }
        Ok(())
    }

    /// Brings a part of what the runs say into the rows, when they say enough.
    fn settle_some(&mut self, tx: &mut Tx<'_>, number: i64) -> Result<(), StoreError> {
        if self.settling.is_empty() {
            if self.noted < (4 * self.only_noted).clamp(NOTED.start, NOTED.end) {
                return Ok(());
            }
            let mut noted: Vec<u32> = (0..).take(self.held.len()).collect();
            noted.retain(|place| self.held[*place as usize].is_noted);
            noted.sort_unstable_by_key(|place| std::cmp::Reverse(self.held[*place as usize].account.id));
            self.settling = noted;
            self.settling_to = (number, self.noted);
        }
        let step = (self.settling.len() / STEP).max(1_024).min(self.settling.len());
        let mut now: Vec<u32> = self.settling.split_off(self.settling.len() - step);
        now.reverse();
        self.settle(tx, &now)?;
        if self.settling.is_empty() {
            let (last, noted) = self.settling_to;
            table::forget_runs(tx, last)?;
            self.noted -= noted;
        }
        Ok(())
    }
}

/// Accounts of the unit's bucket, in the order asked.
pub(crate) fn accounts(tx: &mut Tx<'_>, ids: &[AccountId]) -> Result<Vec<Option<Account>>, StoreError> {
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    // The runs first: what goes from there into the rows in the meantime is found in the rows.
    let noted = noted(tx, &sorted)?;
    let mut accounts = accounts_table::account_rows(tx, ids)?;
    for account in accounts.iter_mut().flatten() {
        noted.get(&account.id).into_iter().for_each(|noted| noted.onto(account));
    }
    Ok(accounts)
}

/// Accounts with an id above `after`, in order.
pub(crate) fn accounts_after(tx: &mut Tx<'_>, after: &[u8], most: i64) -> Result<Vec<Account>, StoreError> {
    let mut accounts = accounts_table::account_rows_after(tx, after, most)?;
    let ids: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
    let noted = noted(tx, &ids)?;
    for account in &mut accounts {
        noted.get(&account.id).into_iter().for_each(|noted| noted.onto(account));
    }
    Ok(accounts)
}

/// The newest that the runs say of these accounts, which are in order of id.
fn noted(tx: &mut Tx<'_>, ids: &[AccountId]) -> Result<HashMap<AccountId, Noted>, StoreError> {
    let mut parts = table::run_parts(tx)?;
    parts.retain(|part| part.may_have(ids));
    let mut newest: HashMap<AccountId, Noted> = HashMap::new();
    for parts in parts.chunks(1_024) {
        for noted in table::run_bodies(tx, parts)? {
            let is_newest = newest.get(&noted.id).is_none_or(|before| before.version < noted.version);
            if is_newest && ids.binary_search(&noted.id).is_ok() {
                newest.insert(noted.id, noted);
            }
        }
    }
    Ok(newest)
}

/// What is remembered, by token; the tokens in the order in which they were left.
#[derive(Default)]
struct Memory {
    known: HashMap<[u8; 16], Known>,
    order: VecDeque<[u8; 16]>,
    accounts: usize,
}

static MEMORY: LazyLock<Mutex<Memory>> = LazyLock::new(Mutex::default);

fn remembered(token: &[u8; 16]) -> Option<Known> {
    let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    let known = memory.known.remove(token)?;
    memory.accounts -= known.held.len();
    Some(known)
}

/// Keeps it; what was left longest ago makes room.
fn remember(token: [u8; 16], known: Known) {
    let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    memory.accounts += known.held.len();
    memory.known.insert(token, known);
    memory.order.push_back(token);
    if memory.order.len() > 2 * memory.known.len() + 64 {
        let Memory { known, order, .. } = &mut *memory;
        order.retain(|token| known.contains_key(token)); // most of them were taken since
    }
    while memory.accounts > MOST {
        let Some(oldest) = memory.order.pop_front() else { return };
        if let Some(known) = memory.known.remove(&oldest) {
            memory.accounts -= known.held.len();
        }
    }
}

//! Plain ledgers in SQL, without anything that this one does besides.

use postgres::{Client, NoTls};
use rusqlite::Connection;

use super::{Orders, Timed, cpu_seconds_of_family, table, timed};
use crate::clock;
use crate::command::bench::Place;
use crate::error::Failure;

const BUCKET: i64 = 0;

/// So many transfers are posted one by one on a server: it takes long.
const ONE_BY_ONE: usize = 4_000;

/// Row at a time on SQLite, with a commit for each batch.
pub(super) fn on_sqlite(place: &Place, orders: &Orders) -> Result<Vec<Timed>, Failure> {
    let mut connection = Connection::open(place.file("peer.sqlite")).map_err(Failure::unavailable)?;
    let failed = |error: rusqlite::Error| Failure::unavailable(error);
    connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    connection.pragma_update(None, "cache_size", -65_536).map_err(failed)?;
    connection.execute_batch(table::SQLITE).map_err(failed)?;
    let all = connection.transaction().map_err(failed)?;
    for id in &orders.accounts {
        all.prepare_cached(&numbered(table::OPEN))
            .and_then(|mut s| s.execute((BUCKET, id.bytes())))
            .map_err(failed)?;
    }
    all.commit().map_err(failed)?;

    let count = orders.pairs.len();
    let timed = timed(place, "plain, row at a time", orders, count, None, |(_, batch)| {
        let unit = connection.transaction().map_err(failed)?;
        let post = || -> rusqlite::Result<()> {
            let mut add = unit.prepare_cached(&numbered(table::ADD))?;
            let mut debit = unit.prepare_cached(&numbered(table::DEBIT))?;
            let mut credit = unit.prepare_cached(&numbered(table::CREDIT))?;
            for t in &batch {
                let minor = t.amount.stored();
                add.execute((BUCKET, t.id.bytes(), t.debit.bytes(), t.credit.bytes(), minor))?;
                debit.execute((BUCKET, t.debit.bytes(), minor))?;
                credit.execute((BUCKET, t.credit.bytes(), minor))?;
            }
            Ok(())
        };
        post().and_then(|()| unit.commit()).map_err(failed)
    })?;
    let sums = connection.query_row(&numbered(table::SUMS), [BUCKET], |row| Ok((row.get(0)?, row.get(1)?)));
    check(sums.map_err(failed)?, count)?;
    Ok(vec![timed])
}

/// SQLite numbers `$3, $1` by first appearance, and `?3, ?1` as they say.
fn numbered(sql: &str) -> String {
    sql.replace('$', "?")
}

/// One statement for each batch on PostgreSQL, and row at a time with a commit for each transfer.
pub(super) fn on_postgres(place: &Place, orders: &Orders, url: &str) -> Result<Vec<Timed>, Failure> {
    let server = Server::of(url)?;
    let mut client = Client::connect(url, NoTls).map_err(Failure::unavailable)?;
    let failed = |error: postgres::Error| Failure::unavailable(error);
    client.batch_execute(table::POSTGRES).map_err(failed)?;
    let ids: Vec<&[u8]> = orders.accounts.iter().map(|id| id.bytes().as_slice()).collect();
    client.execute(table::OPEN_MANY, &[&BUCKET, &ids]).map_err(failed)?;

    let many = client.prepare(table::ADD_MANY).map_err(failed)?;
    let count = orders.pairs.len();
    let batched = timed(place, "plain, a statement a batch", orders, count, Some(&server), |(_, batch)| {
        let ids: Vec<&[u8]> = batch.iter().map(|t| t.id.bytes().as_slice()).collect();
        let debits: Vec<&[u8]> = batch.iter().map(|t| t.debit.bytes().as_slice()).collect();
        let credits: Vec<&[u8]> = batch.iter().map(|t| t.credit.bytes().as_slice()).collect();
        let amounts: Vec<i64> = batch.iter().map(|t| t.amount.stored()).collect();
        client.execute(&many, &[&BUCKET, &ids, &debits, &credits, &amounts]).map(drop).map_err(failed)
    })?;
    let sums = client.query_one(table::SUMS, &[&BUCKET]).map_err(failed)?;
    check((sums.get(0), sums.get(1)), count)?;

    let (add, debit, credit) =
        (client.prepare(table::ADD), client.prepare(table::DEBIT), client.prepare(table::CREDIT));
    let (add, debit, credit) = (add.map_err(failed)?, debit.map_err(failed)?, credit.map_err(failed)?);
    let few = count.min(ONE_BY_ONE);
    let single = timed(place, "plain, row at a time", orders, few, Some(&server), |(_, batch)| {
        for t in &batch {
            let (id, from, to, minor) =
                (&t.id.bytes()[..], &t.debit.bytes()[..], &t.credit.bytes()[..], t.amount.stored());
            let mut unit = client.transaction().map_err(failed)?;
            unit.execute(&add, &[&BUCKET, &id, &from, &to, &minor]).map_err(failed)?;
            unit.execute(&debit, &[&BUCKET, &from, &minor]).map_err(failed)?;
            unit.execute(&credit, &[&BUCKET, &to, &minor]).map_err(failed)?;
            unit.commit().map_err(failed)?;
        }
        Ok(())
    })?;
    Ok(vec![batched, single])
}

fn check((debits, credits): (i64, i64), count: usize) -> Result<(), Failure> {
    let expected = 100 * count as i64;
    match debits == expected && credits == expected {
        true => Ok(()),
        false => Err(Failure::refused("the plain ledger's books do not add up after the bench")),
    }
}

/// A database server on this machine.
pub(super) struct Server {
    postmaster: u32,
}

impl Server {
    pub(super) fn of(url: &str) -> Result<Server, Failure> {
        let mut client = Client::connect(url, NoTls).map_err(Failure::unavailable)?;
        let row = client.query_one(table::BACKEND, &[]).map_err(Failure::unavailable)?;
        let backend: i32 = row.get(0);
        match clock::parent_of(&backend.to_string()) {
            Some(postmaster) => Ok(Server { postmaster }),
            None => Err(Failure::unavailable("the database server is not on this machine")),
        }
    }

    /// CPU seconds of all its processes.
    pub(super) fn cpu_seconds(&self) -> Option<f64> {
        cpu_seconds_of_family(self.postmaster)
    }
}

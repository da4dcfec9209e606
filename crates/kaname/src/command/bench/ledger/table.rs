//! The only SQL of the plain ledgers that the ledger is measured beside.

/// A ledger as anybody would write it: a row for each transfer, and its two accounts changed. On SQLite.
pub(super) const SQLITE: &str = "CREATE TABLE peer_account (bucket INTEGER NOT NULL, id BLOB NOT NULL,
    debits INTEGER NOT NULL, credits INTEGER NOT NULL, PRIMARY KEY (bucket, id)) WITHOUT ROWID;
CREATE TABLE peer_transfer (bucket INTEGER NOT NULL, id BLOB NOT NULL, debit BLOB NOT NULL,
    credit BLOB NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (bucket, id)) WITHOUT ROWID;";

/// The same on PostgreSQL.
pub(super) const POSTGRES: &str = "DROP TABLE IF EXISTS peer_account, peer_transfer;
CREATE TABLE peer_account (bucket BIGINT NOT NULL, id BYTEA NOT NULL,
    debits BIGINT NOT NULL, credits BIGINT NOT NULL, PRIMARY KEY (bucket, id));
CREATE TABLE peer_transfer (bucket BIGINT NOT NULL, id BYTEA NOT NULL, debit BYTEA NOT NULL,
    credit BYTEA NOT NULL, amount BIGINT NOT NULL, PRIMARY KEY (bucket, id));";

pub(super) const OPEN: &str = "INSERT INTO peer_account (bucket, id, debits, credits) VALUES ($1, $2, 0, 0)";
pub(super) const OPEN_MANY: &str = "INSERT INTO peer_account (bucket, id, debits, credits)
    SELECT $1, u.id, 0, 0 FROM UNNEST($2::bytea[]) AS u(id)";
pub(super) const ADD: &str =
    "INSERT INTO peer_transfer (bucket, id, debit, credit, amount) VALUES ($1, $2, $3, $4, $5)";
pub(super) const DEBIT: &str = "UPDATE peer_account SET debits = debits + $3 WHERE bucket = $1 AND id = $2";
pub(super) const CREDIT: &str =
    "UPDATE peer_account SET credits = credits + $3 WHERE bucket = $1 AND id = $2";

/// A whole batch in one statement: the rows go in, and each account is changed once.
pub(super) const ADD_MANY: &str =
    "WITH entry AS (INSERT INTO peer_transfer (bucket, id, debit, credit, amount)
        SELECT $1, u.* FROM UNNEST($2::bytea[], $3::bytea[], $4::bytea[], $5::bigint[]) AS u
        RETURNING debit, credit, amount),
    delta AS (SELECT s.id, SUM(s.paid)::bigint AS paid, SUM(s.received)::bigint AS received FROM (
        SELECT debit AS id, amount AS paid, 0 AS received FROM entry
        UNION ALL SELECT credit AS id, 0 AS paid, amount AS received FROM entry) AS s GROUP BY s.id)
    UPDATE peer_account AS a SET debits = a.debits + delta.paid, credits = a.credits + delta.received
    FROM delta WHERE a.bucket = $1 AND a.id = delta.id";

pub(super) const SUMS: &str =
    "SELECT CAST(SUM(debits) AS BIGINT), CAST(SUM(credits) AS BIGINT) FROM peer_account WHERE bucket = $1";
pub(super) const BACKEND: &str = "VALUES (pg_backend_pid())";

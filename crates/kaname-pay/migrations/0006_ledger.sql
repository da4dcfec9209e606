-- A closed account lets nothing but releases through. `last_transfer` begins the account's chain: each transfer names the one before it
-- on both of its accounts. `version` counts the links of the chain, which begins anew here for what was there before.
ALTER TABLE pay_account ADD COLUMN closed BIGINT;
ALTER TABLE pay_account ADD COLUMN last_transfer BYTEA;
UPDATE pay_account SET version = 0;

-- More kinds: 4 pending until `expires_at`, 5 and 6 up to what the debit or credit account has left (`asked` is the most that was
-- wanted, `amount` what was moved), 7 and 8 closing the debit or credit account, 9 expiry of pending.
ALTER TABLE pay_transfer ADD COLUMN expires_at BIGINT;
ALTER TABLE pay_transfer ADD COLUMN asked BIGINT;
ALTER TABLE pay_transfer ADD COLUMN debit_before BYTEA;
ALTER TABLE pay_transfer ADD COLUMN credit_before BYTEA;

-- One row for a bucket's books, which every batch changes first: whoever comes next waits for it. `token` is drawn anew by each batch
-- and says which history the balances are of; `token_before` is the one that the batch found.
CREATE TABLE pay_ledger (
    bucket BIGINT NOT NULL,
    number BIGINT NOT NULL,
    token BYTEA NOT NULL,
    token_before BYTEA NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (bucket)
) WITHOUT ROWID;

-- Balances that a large batch left and that are newer than the rows of pay_account: some accounts in order of id, packed.
CREATE TABLE pay_balance_run (
    bucket BIGINT NOT NULL,
    number BIGINT NOT NULL,
    part BIGINT NOT NULL,
    first_account BYTEA NOT NULL,
    last_account BYTEA NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (bucket, number, part)
) WITHOUT ROWID;

-- What an account held after each 256th link of its chain, so that any moment of the past is found in a few steps.
CREATE TABLE pay_mark (
    bucket BIGINT NOT NULL,
    account BYTEA NOT NULL,
    posted_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    transfer BYTEA NOT NULL,
    debits_posted BIGINT NOT NULL,
    credits_posted BIGINT NOT NULL,
    debits_pending BIGINT NOT NULL,
    credits_pending BIGINT NOT NULL,
    PRIMARY KEY (bucket, account, posted_at, version)
) WITHOUT ROWID;

-- Pending transfers with a time, in the order in which their time is over; swept away when it is.
CREATE TABLE pay_expiry (
    bucket BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    pending BYTEA NOT NULL,
    PRIMARY KEY (bucket, expires_at, pending)
) WITHOUT ROWID;

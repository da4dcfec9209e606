-- Accounts of the ledger. `currency` is the ISO 4217 code and its decimals in one number (see ledger/table.rs);
-- `version` counts changes, and is compared and set.
CREATE TABLE pay_account (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    currency BIGINT NOT NULL,
    code BIGINT NOT NULL,
    account_limit BIGINT NOT NULL,
    debits_posted BIGINT NOT NULL,
    credits_posted BIGINT NOT NULL,
    debits_pending BIGINT NOT NULL,
    credits_pending BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (bucket, id)
) WITHOUT ROWID;

-- Transfers. Rows are only ever added. `kind`: 0 posted, 1 pending, 2 post of pending, 3 void of pending.
CREATE TABLE pay_transfer (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    debit BYTEA NOT NULL,
    credit BYTEA NOT NULL,
    amount BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    pending BYTEA,
    code BIGINT NOT NULL,
    posted_at BIGINT NOT NULL,
    PRIMARY KEY (bucket, id)
) WITHOUT ROWID;

-- Pending transfers that were posted or voided, each once.
CREATE TABLE pay_resolution (
    bucket BIGINT NOT NULL,
    pending BYTEA NOT NULL,
    resolved_by BYTEA NOT NULL,
    kind BIGINT NOT NULL,
    PRIMARY KEY (bucket, pending)
) WITHOUT ROWID;

-- Money on its way to another bucket: taken from here into this bucket's clearing account, not yet arrived there.
CREATE TABLE pay_outbox (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    to_bucket BIGINT NOT NULL,
    to_account BYTEA NOT NULL,
    currency BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    code BIGINT NOT NULL,
    PRIMARY KEY (bucket, id)
) WITHOUT ROWID;

-- Where a person is paid. `payee` is this block's name for her; the account itself stands in the seal only.
-- `account` is the blind index of the account, `state`: 1 active, 2 refused, 3 suspended.
CREATE TABLE pay_payee (
    bucket BIGINT NOT NULL,
    payee BYTEA NOT NULL,
    state BIGINT NOT NULL,
    reason TEXT NOT NULL,
    account BYTEA NOT NULL,
    record BYTEA NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (bucket, payee)
) WITHOUT ROWID;

-- Whose an account is, in the bucket of the account's hash, so that no two persons are paid on one account.
-- `state`: 1 claimed, 2 confirmed.
CREATE TABLE pay_account_index (
    bucket BIGINT NOT NULL,
    account BYTEA NOT NULL,
    payee BYTEA NOT NULL,
    state BIGINT NOT NULL,
    PRIMARY KEY (bucket, account)
) WITHOUT ROWID;

-- Payout runs, in the home bucket. `state`: 1 planning, 2 planned, 3 approved, 4 running, 5 stopped, 6 finished.
CREATE TABLE pay_run (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    programme TEXT NOT NULL,
    currency BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    state BIGINT NOT NULL,
    planned_by TEXT NOT NULL,
    planned_at BIGINT NOT NULL,
    approved_by TEXT NOT NULL,
    approved_at BIGINT NOT NULL,
    people BIGINT NOT NULL,
    total BIGINT NOT NULL,
    list_hash BYTEA NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (bucket, id)
) WITHOUT ROWID;

-- One bucket's part of a run: the frozen list's digest, and how far the run has come.
-- `done_to` is the last payee whose batch is made; `batches` counts them.
CREATE TABLE pay_run_part (
    bucket BIGINT NOT NULL,
    run BYTEA NOT NULL,
    programme TEXT NOT NULL,
    currency BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    planned_at BIGINT NOT NULL,
    people BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    done_to BYTEA NOT NULL,
    batches BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (bucket, run)
) WITHOUT ROWID;

-- One row for each payee of a run: by its key she can be in it once only.
-- `state`: 1 planned, 2 sent, 3 paid, 4 voucher, 5 pending, 6 returned.
CREATE TABLE pay_entitlement (
    bucket BIGINT NOT NULL,
    run BYTEA NOT NULL,
    payee BYTEA NOT NULL,
    state BIGINT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (bucket, run, payee)
) WITHOUT ROWID;

-- Messages to banks. `body` (the message) and `members` (who is in it) are wrapped with the master key; the body is
-- emptied when the bank has answered. `state`: 1 made, 2 submitted, 3 answered.
CREATE TABLE pay_bank_message (
    bucket BIGINT NOT NULL,
    run BYTEA NOT NULL,
    batch BIGINT NOT NULL,
    bank TEXT NOT NULL,
    people BIGINT NOT NULL,
    total BIGINT NOT NULL,
    state BIGINT NOT NULL,
    members BYTEA NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (bucket, run, batch, bank)
) WITHOUT ROWID;

-- Cash vouchers. `code` is a keyed hash; the code itself is sealed for the resident in `record`.
CREATE TABLE pay_voucher (
    bucket BIGINT NOT NULL,
    run BYTEA NOT NULL,
    payee BYTEA NOT NULL,
    code BYTEA NOT NULL,
    record BYTEA NOT NULL,
    PRIMARY KEY (bucket, run, payee)
) WITHOUT ROWID;

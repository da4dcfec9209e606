-- Banks and wallets that take part in instant payments, in the home bucket, as everything of instant payments is: a payment
-- changes two positions, and they must lie together. `jwks` are the keys that they sign with; `state`: 1 active, 2 suspended.
CREATE TABLE pay_participant (
    bucket BIGINT NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    kind BIGINT NOT NULL,
    address TEXT NOT NULL,
    jwks TEXT NOT NULL,
    state BIGINT NOT NULL,
    cap BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (bucket, code)
) WITHOUT ROWID;

-- Instant payments. `state`: 1 reserved, 2 unknown, 3 committed, 4 aborted, 5 reversed. `purpose`: 1 pay, 2 refund of `original`,
-- 3 request, 4 mandate. `digest` is a keyed hash of the order, `details` (accounts and text) are wrapped with the master key.
-- `pending` is the ledger's transfer. `due` is when the worker comes back to it; empty when nothing is left to do.
-- `told`: 1 the payee's participant knows the end, 2 the payer's, 4 the compensation is posted.
CREATE TABLE pay_instant (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    payer TEXT NOT NULL,
    payee TEXT NOT NULL,
    amount BIGINT NOT NULL,
    purpose BIGINT NOT NULL,
    original BYTEA,
    digest BYTEA NOT NULL,
    pending BYTEA NOT NULL,
    details BYTEA NOT NULL,
    reserved_at BIGINT NOT NULL,
    state BIGINT NOT NULL,
    reason TEXT NOT NULL,
    due BIGINT,
    attempts BIGINT NOT NULL,
    ask_after BIGINT NOT NULL,
    told BIGINT NOT NULL,
    compensation BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    settle_window BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (bucket, id)
) WITHOUT ROWID;
CREATE INDEX pay_instant_due ON pay_instant (bucket, due) WHERE due IS NOT NULL;

-- Messages of participants that were acted on, until they are too old to be sent again.
CREATE TABLE pay_message_seen (
    bucket BIGINT NOT NULL,
    message BYTEA NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (bucket, message)
) WITHOUT ROWID;

-- Settlement windows, counted from 1. `state`: 1 open, 2 closed, 3 settled.
CREATE TABLE pay_window (
    bucket BIGINT NOT NULL,
    number BIGINT NOT NULL,
    state BIGINT NOT NULL,
    opened_at BIGINT NOT NULL,
    closed_at BIGINT NOT NULL,
    closed_by TEXT NOT NULL,
    settled_at BIGINT NOT NULL,
    settled_by TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (bucket, number)
) WITHOUT ROWID;

-- What a participant receives (or, below zero, pays) for a closed window.
CREATE TABLE pay_window_net (
    bucket BIGINT NOT NULL,
    number BIGINT NOT NULL,
    participant TEXT NOT NULL,
    net BIGINT NOT NULL,
    PRIMARY KEY (bucket, number, participant)
) WITHOUT ROWID;

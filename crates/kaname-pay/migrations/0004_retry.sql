-- Who was sent her money again, and in which message last: what an earlier message says of her is no longer about it.
CREATE TABLE pay_retry (
    bucket BIGINT NOT NULL,
    run BYTEA NOT NULL,
    payee BYTEA NOT NULL,
    batch BIGINT NOT NULL,
    PRIMARY KEY (bucket, run, payee)
) WITHOUT ROWID;

-- Whether somebody who vouched may still do so, beside what she vouched for: sealed beside a resident, wrapped for an officer.
CREATE TABLE person_introducer (
    bucket BIGINT NOT NULL,
    introducer BYTEA NOT NULL,
    suspended BIGINT NOT NULL,
    version BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (bucket, introducer)
) WITHOUT ROWID;

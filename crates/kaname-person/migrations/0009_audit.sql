-- What a person and her links were like when she was audited last: a keyed hash of their versions.
CREATE TABLE person_audit_seen (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    mark BYTEA NOT NULL,
    PRIMARY KEY (bucket, id)
) WITHOUT ROWID;

-- What an audit found, in the bucket of a hash of it: found again, it is the same row. `wrapped` says of whom. `state`: 1 open,
-- 2 confirmed, 3 dismissed.
CREATE TABLE person_finding (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    kind TEXT NOT NULL,
    state BIGINT NOT NULL,
    wrapped BYTEA NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (bucket, id)
) WITHOUT ROWID;
CREATE INDEX person_finding_open ON person_finding (bucket, id) WHERE state = 1;

-- What officers propose about an entry: that it be merged, split, or lose an event. In the bucket of the person whose entry it is; what
-- it says is sealed with her data key.
CREATE TABLE person_proposal (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    person BYTEA NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (bucket, id)
) WITHOUT ROWID;

-- For whom somebody vouched who has no papers: one row for each, beside the introducer. A resident's is sealed with her key, in her
-- bucket; an officer's is wrapped, in the home bucket.
CREATE TABLE person_introduction (
    bucket BIGINT NOT NULL,
    introducer BYTEA NOT NULL,
    n BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (bucket, introducer, n)
) WITHOUT ROWID;

-- Sessions at the counter, in the home bucket: one at most for each officer. `wrapped` says which resident and why, on which
-- terminal, and since when; the row goes when the session ends.
CREATE TABLE person_counter (
    bucket BIGINT NOT NULL,
    officer BYTEA NOT NULL,
    version BIGINT NOT NULL,
    wrapped BYTEA NOT NULL,
    PRIMARY KEY (bucket, officer)
) WITHOUT ROWID;

-- With what an officer proves by command line that it is she: a keyed hash of her id and her secret.
CREATE TABLE person_officer_key (
    bucket BIGINT NOT NULL,
    officer BYTEA NOT NULL,
    key_index BYTEA NOT NULL,
    PRIMARY KEY (bucket, officer)
) WITHOUT ROWID;

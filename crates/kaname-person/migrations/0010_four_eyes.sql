-- What one officer proposes and another approves, in the home bucket. `wrapped` says what, by whom, and who approved it; a closed
-- proposal stays, as the record of who did it together.
CREATE TABLE person_four_eyes (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    wrapped BYTEA NOT NULL,
    PRIMARY KEY (bucket, id)
) WITHOUT ROWID;

-- In which office of the pack an officer works. An officer of before there were offices has no row.
CREATE TABLE person_officer_office (
    bucket BIGINT NOT NULL,
    officer BYTEA NOT NULL,
    office TEXT NOT NULL,
    PRIMARY KEY (bucket, officer)
) WITHOUT ROWID;

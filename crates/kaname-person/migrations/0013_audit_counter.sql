-- What an officer did on one day, for the audit to count over three months: in the bucket of a hash of act and officer, the day
-- counted since 1970. `wrapped` says who, what, when and for whom.
CREATE TABLE person_audit_counter (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    day BIGINT NOT NULL,
    wrapped BYTEA NOT NULL,
    PRIMARY KEY (bucket, id, day)
) WITHOUT ROWID;

-- Cases that were decided and cut off before they were done.
CREATE INDEX person_link_cut_off ON person_link_directory (bucket, outside) WHERE state = 2;

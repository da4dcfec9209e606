-- What agencies have told of people, each agency apart. `owner` is a keyed hash of agency and person; `part` says what a row is:
--   1  the file that the agency keeps of her · 2  an identity it claims for her · 3  an enrolment · 4  a picture or paper of an enrolment.
-- `item` is a keyed hash of the agency's own id of it. Everything else is sealed with her data key.
CREATE TABLE agency_file (
    bucket BIGINT NOT NULL,
    owner BYTEA NOT NULL,
    part BIGINT NOT NULL,
    item BYTEA NOT NULL,
    version BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (bucket, owner, part, item)
) WITHOUT ROWID;

-- What an agency has files of, so that it finds them again: in the agency's bucket, by keyed hashes; `body` is wrapped.
CREATE TABLE agency_list (
    bucket BIGINT NOT NULL,
    agency BYTEA NOT NULL,
    part BIGINT NOT NULL,
    item BYTEA NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (bucket, agency, part, item)
) WITHOUT ROWID;

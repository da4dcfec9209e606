-- Lists that agencies' systems and officers hand in, in the bucket of a hash of the list. `wrapped` says whose it is, how far it is,
-- and holds the rows until all are checked. `state`: 1 being checked, 2 done.
CREATE TABLE person_link_list (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    state BIGINT NOT NULL,
    wrapped BYTEA NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (bucket, id)
) WITHOUT ROWID;

-- Residents whom a wrong link affects: `what` is 1 when somebody else's record was linked to her, 2 when hers was linked to somebody
-- else. `written`: whether she was sent a letter; `seen`: whether she has seen it in the portal.
CREATE TABLE person_link_letter (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    link BYTEA NOT NULL,
    what BIGINT NOT NULL,
    written BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    PRIMARY KEY (bucket, id, link)
) WITHOUT ROWID;
CREATE INDEX person_link_unwritten ON person_link_letter (bucket, id, link) WHERE written = 0;

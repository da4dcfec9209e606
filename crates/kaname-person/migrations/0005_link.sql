-- Links between outside records and residents. `slot` is a keyed hash of person and source: it counts a person's records of one
-- source, and tells nobody which source it is. `outside` is the blind index of the outside record. `state`: 1 proposed, 2 active,
-- 3 suspended, 4 severed, 5 refused. All else is in the seal.
CREATE TABLE person_link (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    link BYTEA NOT NULL,
    slot BYTEA NOT NULL,
    outside BYTEA NOT NULL,
    state BIGINT NOT NULL,
    version BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (bucket, id, link)
) WITHOUT ROWID;

-- Whose an outside record is, in the bucket of its blind index: one record, one resident. `state`: 1 in review, 2 being linked,
-- 3 linked, 4 refused, 5 free again. `content` is a keyed hash of what the agency says, so that the same row is known again.
-- `run` and `line` say which check decided it. `turn` counts how often the record was linked. `opened` is the case of one in
-- review, wrapped with the master key, because nobody knows yet whose data it is; it is emptied when the case is decided.
CREATE TABLE person_link_directory (
    bucket BIGINT NOT NULL,
    outside BYTEA NOT NULL,
    state BIGINT NOT NULL,
    id BYTEA,
    link BYTEA,
    content BYTEA NOT NULL,
    run BYTEA NOT NULL,
    line BIGINT NOT NULL,
    turn BIGINT NOT NULL,
    opened BYTEA NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (bucket, outside)
) WITHOUT ROWID;
CREATE INDEX person_link_review ON person_link_directory (bucket, outside) WHERE state = 1;

-- How far each check of a file is. Moved forward only when everything before is durable everywhere.
CREATE TABLE person_link_run (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    state BIGINT NOT NULL,
    next_byte BIGINT NOT NULL,
    next_line BIGINT NOT NULL,
    linked BIGINT NOT NULL,
    review BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    already BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    rejects_bytes BIGINT NOT NULL,
    PRIMARY KEY (bucket, id)
) WITHOUT ROWID;

-- What is counted, a month a row: `what` is 1 linked, 2 confirmed by the holder, 3 reported wrong, 4 found wrong, 5 reinstated.
CREATE TABLE person_link_count (
    bucket BIGINT NOT NULL,
    source TEXT NOT NULL,
    month BIGINT NOT NULL,
    what BIGINT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (bucket, source, month, what)
) WITHOUT ROWID;

-- Reports of wrong links. `wrapped` says of which link, since when and from whom. `state`: 1 open, 2 settled. `level` counts how
-- often the clock ran out; `due` is the full hour in which it runs out next.
CREATE TABLE person_link_incident (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    source TEXT NOT NULL,
    state BIGINT NOT NULL,
    level BIGINT NOT NULL,
    due BIGINT NOT NULL,
    wrapped BYTEA NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (bucket, id)
) WITHOUT ROWID;
CREATE INDEX person_link_open ON person_link_incident (bucket, due) WHERE state = 1;

-- What agencies are told of links that were wrong, in the bucket of a hash of the agency. `wrapped` says which record.
CREATE TABLE person_link_notice (
    bucket BIGINT NOT NULL,
    agency TEXT NOT NULL,
    id BYTEA NOT NULL,
    state BIGINT NOT NULL,
    wrapped BYTEA NOT NULL,
    PRIMARY KEY (bucket, agency, id)
) WITHOUT ROWID;

-- Who may be meant by a record: keyed hashes of what two records of one person most likely share, in the bucket of the hash.
CREATE TABLE person_match_key (
    bucket BIGINT NOT NULL,
    key BYTEA NOT NULL,
    id BYTEA NOT NULL,
    PRIMARY KEY (bucket, key, id)
) WITHOUT ROWID;

-- Which version of a person's record her keys were made from.
CREATE TABLE person_match_seen (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (bucket, id)
) WITHOUT ROWID;

-- One row for each person: her data key, wrapped by the master key, and how many access entries she has.
-- Erasing a person empties `wrapped`: nothing else can open her seals. The row stays, so that her entries still count.
CREATE TABLE trust_holder (
    bucket BIGINT NOT NULL,
    holder BYTEA NOT NULL,
    wrapped BYTEA NOT NULL,
    entries BIGINT NOT NULL,
    PRIMARY KEY (bucket, holder)
) WITHOUT ROWID;

-- How many entries each bucket has had: the next one's place.
CREATE TABLE trust_entry_count (
    bucket BIGINT NOT NULL,
    entries BIGINT NOT NULL,
    PRIMARY KEY (bucket)
) WITHOUT ROWID;

-- The access log. `place` counts without gaps in the bucket, `n` without gaps for the person.
-- `leaf` is the commitment that stands in the public log; `body` is sealed with the person's data key.
CREATE TABLE trust_entry (
    bucket BIGINT NOT NULL,
    place BIGINT NOT NULL,
    holder BYTEA NOT NULL,
    n BIGINT NOT NULL,
    leaf BYTEA NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (bucket, place)
) WITHOUT ROWID;
CREATE UNIQUE INDEX trust_entry_of_holder ON trust_entry (bucket, holder, n);

-- How many entries have a place in the Merkle log: one row in the home bucket, compared and set, so that the log cannot fork.
CREATE TABLE trust_log_head (
    bucket BIGINT NOT NULL,
    size BIGINT NOT NULL,
    PRIMARY KEY (bucket)
) WITHOUT ROWID;

-- Which entries of which bucket stand where in the log: places [from_place, to_place) begin at index first_index.
CREATE TABLE trust_log_range (
    bucket BIGINT NOT NULL,
    first_index BIGINT NOT NULL,
    of_bucket BIGINT NOT NULL,
    from_place BIGINT NOT NULL,
    to_place BIGINT NOT NULL,
    PRIMARY KEY (bucket, first_index)
) WITHOUT ROWID;

-- How far each bucket's entries are in the log.
CREATE TABLE trust_log_cursor (
    bucket BIGINT NOT NULL,
    of_bucket BIGINT NOT NULL,
    next_place BIGINT NOT NULL,
    PRIMARY KEY (bucket, of_bucket)
) WITHOUT ROWID;

-- Everything about a person, side by side, so that registering her touches one page of the database and not three. `part` says what
-- a row is, and `n` counts the rows of one part from 1:
--   1  her record. `number_index` is the number she has now. `origin_file` and `origin_line` say which import (or which form at
--      a counter) she came with: they make an import repeatable. `content_index` is a keyed hash of her particulars, so that
--      the same row is known again without opening the seal.
--   2  a number she was given, the last one or an earlier one, with its `number_index`. The truth about whose a number is.
--   3  a life event, never changed. `request` is the caller's own id of what was asked.
CREATE TABLE person_record (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    part BIGINT NOT NULL,
    n BIGINT NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    number_index BYTEA,
    origin_file BYTEA,
    origin_line BIGINT,
    content_index BYTEA,
    request BYTEA,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (bucket, id, part, n)
) WITHOUT ROWID;

-- Whom a number was promised to, in the bucket of the number's hash. Written first and never changed: it makes a number
-- unique across buckets. A promise that person_record does not confirm was cut short, and counts for nothing.
CREATE TABLE person_number (
    bucket BIGINT NOT NULL,
    number_index BYTEA NOT NULL,
    id BYTEA NOT NULL,
    PRIMARY KEY (bucket, number_index)
) WITHOUT ROWID;

-- How far each number scheme is used up: the next counter that no process has leased yet.
CREATE TABLE person_number_lease (
    bucket BIGINT NOT NULL,
    scheme TEXT NOT NULL,
    next BIGINT NOT NULL,
    PRIMARY KEY (bucket, scheme)
) WITHOUT ROWID;

-- How far each import is. Moved forward only when everything before is durable everywhere.
CREATE TABLE person_import (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    state TEXT NOT NULL,
    next_byte BIGINT NOT NULL,
    next_line BIGINT NOT NULL,
    registered BIGINT NOT NULL,
    already_here BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    rejects_bytes BIGINT NOT NULL,
    PRIMARY KEY (bucket, id)
) WITHOUT ROWID;

-- Staff. The name is wrapped; roles are codes of the pack, separated by spaces.
CREATE TABLE person_officer (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    state TEXT NOT NULL,
    roles TEXT NOT NULL,
    wrapped BYTEA NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (bucket, id)
) WITHOUT ROWID;

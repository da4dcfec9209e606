-- Up to which place an agency's feed is no longer kept, so that places are never given twice and a late reader is told.
CREATE TABLE agency_feed_mark (
    bucket BIGINT NOT NULL,
    agency BYTEA NOT NULL,
    gone BIGINT NOT NULL,
    PRIMARY KEY (bucket, agency)
) WITHOUT ROWID;

-- Questions that are answered later, in the agency's bucket. `item` is a keyed hash of the agency's own id of it, `digest` of what was
-- asked. `state`: 0 waits, 1 was answered, 2 nobody took the answer. `day` counts from 1970. `body` is wrapped; it names no person.
CREATE TABLE agency_transaction (
    bucket BIGINT NOT NULL,
    agency BYTEA NOT NULL,
    item BYTEA NOT NULL,
    state BIGINT NOT NULL,
    day BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (bucket, agency, item)
) WITHOUT ROWID;

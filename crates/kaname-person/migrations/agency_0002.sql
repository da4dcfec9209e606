-- Of which people an agency hears: those whose record it has read. `known` is a keyed hash of agency and person.
CREATE TABLE agency_known (
    bucket BIGINT NOT NULL,
    known BYTEA NOT NULL,
    PRIMARY KEY (bucket, known)
) WITHOUT ROWID;

-- Up to which of a person's life events agencies were told, so that they hear of them in order.
CREATE TABLE agency_told (
    bucket BIGINT NOT NULL,
    person BYTEA NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (bucket, person)
) WITHOUT ROWID;

-- What an agency is told, one after another, in the agency's bucket. `event` makes it be told once; `body` is wrapped.
CREATE TABLE agency_feed (
    bucket BIGINT NOT NULL,
    agency BYTEA NOT NULL,
    n BIGINT NOT NULL,
    event BYTEA NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (bucket, agency, n)
) WITHOUT ROWID;
CREATE UNIQUE INDEX agency_feed_once ON agency_feed (bucket, agency, event);

-- Where events are sent. `state`: 0 waits for its confirmation, 1 is active, 2 has stopped because nobody answered. `queued` says that
-- a job delivers; `generation` counts the jobs; `position` is the last row of the feed that arrived.
CREATE TABLE agency_subscription (
    bucket BIGINT NOT NULL,
    agency BYTEA NOT NULL,
    id BYTEA NOT NULL,
    state BIGINT NOT NULL,
    queued BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    position BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (bucket, agency, id)
) WITHOUT ROWID;

-- Topics that agencies have made, in the home bucket.
CREATE TABLE agency_topic (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (bucket, id)
) WITHOUT ROWID;

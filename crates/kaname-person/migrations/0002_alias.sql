-- Alias numbers. `n` counts a person's from 1. Whom one was promised to stands in person_number, under its own index, so that no copy
-- of the tables tells an alias from a number there. `request` and `used_by` are keyed hashes of ids that callers chose: asked
-- again, the answer is the same. `until_day` is the last day (in the country, such as
-- 20261122) of a temporary one. `ended` says when and by whom.
CREATE TABLE person_alias (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    n BIGINT NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    kind TEXT NOT NULL,
    until_day BIGINT,
    alias_index BYTEA NOT NULL,
    request BYTEA NOT NULL,
    used_by BYTEA,
    sealed BYTEA NOT NULL,
    ended BYTEA,
    PRIMARY KEY (bucket, id, n)
) WITHOUT ROWID;

-- Whose number is locked. No row: it never was.
CREATE TABLE person_number_lock (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (bucket, id)
) WITHOUT ROWID;

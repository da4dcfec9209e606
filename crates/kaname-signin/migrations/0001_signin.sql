-- Relying parties, in the home bucket. `body` is their registration as JSON; it says nothing of any person.
CREATE TABLE signin_client (
    bucket BIGINT NOT NULL,
    client TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (bucket, client)
) WITHOUT ROWID;

-- Keys that sign ID tokens, in the home bucket; the private half wrapped by the master key.
-- `published` and `retires` are microseconds; a key signs from some time after the first until some time before the second.
CREATE TABLE signin_key (
    bucket BIGINT NOT NULL,
    kid TEXT NOT NULL,
    role TEXT NOT NULL,
    published BIGINT NOT NULL,
    retires BIGINT NOT NULL,
    wrapped BYTEA NOT NULL,
    PRIMARY KEY (bucket, kid)
) WITHOUT ROWID;

-- Counts the changes of the two tables above, so that every process knows when to read them again.
CREATE TABLE signin_edition (
    bucket BIGINT NOT NULL,
    name TEXT NOT NULL,
    edition BIGINT NOT NULL,
    PRIMARY KEY (bucket, name)
) WITHOUT ROWID;

-- What may be used once, by a keyed hash, until it expires: client assertions (RFC 7523 section 3, jti), answered challenges.
CREATE TABLE signin_assertion (
    bucket BIGINT NOT NULL,
    assertion BYTEA NOT NULL,
    expires BIGINT NOT NULL,
    PRIMARY KEY (bucket, assertion)
) WITHOUT ROWID;

-- One sign-in on its way, from the pushed request to the access token. `body` is wrapped: it says who uses what.
CREATE TABLE signin_interaction (
    bucket BIGINT NOT NULL,
    interaction BYTEA NOT NULL,
    version BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (bucket, interaction)
) WITHOUT ROWID;

-- Sign-in accounts, by this block's own name for the holder: passkeys, and which letter counts. `body` is wrapped.
CREATE TABLE signin_account (
    bucket BIGINT NOT NULL,
    holder BYTEA NOT NULL,
    version BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (bucket, holder)
) WITHOUT ROWID;

-- Letters, in the bucket of the keyed hash of their id. `body` is wrapped, and holds codes as keyed hashes only.
CREATE TABLE signin_letter (
    bucket BIGINT NOT NULL,
    letter BYTEA NOT NULL,
    version BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (bucket, letter)
) WITHOUT ROWID;

-- Browser sessions, in the holder's bucket. The key is half of the cookie; the other half is kept as a keyed hash in `body`.
CREATE TABLE signin_session (
    bucket BIGINT NOT NULL,
    session BYTEA NOT NULL,
    holder BYTEA NOT NULL,
    version BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (bucket, session)
) WITHOUT ROWID;
CREATE INDEX signin_session_of_holder ON signin_session (bucket, holder);

-- What a holder has agreed to give to a party. `party` and `granted` are keyed hashes, different for each holder, so that a
-- second sign-in can be checked without opening `body`, which is sealed.
CREATE TABLE signin_consent (
    bucket BIGINT NOT NULL,
    holder BYTEA NOT NULL,
    party BYTEA NOT NULL,
    granted BYTEA NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (bucket, holder, party)
) WITHOUT ROWID;

-- Sign-ins of a holder, counted. Time, party and means stand in `body`, which is sealed.
CREATE TABLE signin_history (
    bucket BIGINT NOT NULL,
    holder BYTEA NOT NULL,
    n BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (bucket, holder, n)
) WITHOUT ROWID;

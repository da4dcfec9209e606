-- A sign-in on its way is not kept any more: it travels sealed. Whoever is in the middle of one starts again,
-- and whoever was signed in signs in again.
DROP TABLE signin_interaction;
DROP TABLE signin_assertion;

-- What happens once, by a keyed hash, until it could not happen again anyway: a client assertion is used (RFC 7523 section 3, jti),
-- a pushed request loaded, a challenge answered, a code redeemed. `how` says as much as telling a second time from the first
-- takes. Those that expire together lie together, so that they are swept as one piece.
CREATE TABLE signin_once (
    bucket BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    mark BYTEA NOT NULL,
    how BYTEA NOT NULL,
    PRIMARY KEY (bucket, expires, mark)
) WITHOUT ROWID;

-- Browser sessions, in the holder's bucket and beside each other. The cookie is the key of the row, sealed.
DROP TABLE signin_session;
CREATE TABLE signin_session (
    bucket BIGINT NOT NULL,
    holder BYTEA NOT NULL,
    session BYTEA NOT NULL,
    version BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (bucket, holder, session)
) WITHOUT ROWID;

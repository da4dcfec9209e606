-- Kits with which officers enrol people where there is no network. `wrapped` has the private key that opens a kit's packets, the
-- public key that its signatures are checked with, and its days. All in the home bucket.
CREATE TABLE person_enrol_kit (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    state TEXT NOT NULL,
    officer BYTEA NOT NULL,
    version BIGINT NOT NULL,
    wrapped BYTEA NOT NULL,
    PRIMARY KEY (bucket, id)
) WITHOUT ROWID;

-- Which packets of a kit have come in: `n` is the kit's own count, so that a missing one shows. `packet_index` is a keyed hash of
-- the packet's id, which has nothing in common with the person's. Written before she is registered, and set when that is done.
CREATE TABLE person_enrol_packet (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    n BIGINT NOT NULL,
    packet_index BYTEA NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (bucket, id, n)
) WITHOUT ROWID;

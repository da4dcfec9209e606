-- Who may act for whom. Each mandate has a row beside the person for whom it is (side 1: the truth about whether it holds), and one
-- beside its holder (side 2: how she finds it). Nothing in clear is on both: `mandate_index` is a keyed hash of the mandate's id
-- under another key on each side, and who the other one is stands in the seals.
-- `state` of side 1: offered, proposed (waits for a second officer), active, ended. Side 2 has none of its own.
CREATE TABLE person_mandate (
    bucket BIGINT NOT NULL,
    id BYTEA NOT NULL,
    side BIGINT NOT NULL,
    mandate_index BYTEA NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    holder BYTEA,
    ended BYTEA,
    PRIMARY KEY (bucket, id, side, mandate_index)
) WITHOUT ROWID;

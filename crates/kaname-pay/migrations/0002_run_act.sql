-- Who did what to a payout run, in the home bucket. `step`: 1 planned, 2 funded, 3 approved, 4 started, 5 stopped.
CREATE TABLE pay_run_act (
    bucket BIGINT NOT NULL,
    run BYTEA NOT NULL,
    place BIGINT NOT NULL,
    step BIGINT NOT NULL,
    officer TEXT NOT NULL,
    role TEXT NOT NULL,
    acted_at BIGINT NOT NULL,
    PRIMARY KEY (bucket, run, place)
) WITHOUT ROWID;

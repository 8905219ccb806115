-- +goose Up
-- How far the leaves of each followed log were looked at for receipts: those before upto have theirs, if they get any.
CREATE TABLE receipted (
    log_no INTEGER PRIMARY KEY REFERENCES log (no),
    upto   INTEGER NOT NULL
) STRICT;

-- What was decided at this node's exits, counted by hour and by what decisions have in common. The hash of an hour's rows is
-- a leaf of the own log: who changes a row is caught.
CREATE TABLE audit (
    hour_us   INTEGER NOT NULL,
    way       TEXT NOT NULL,
    party     TEXT NOT NULL,
    person    TEXT NOT NULL,
    agreement TEXT NOT NULL,
    author    TEXT NOT NULL,
    kind      TEXT NOT NULL,
    tlp       TEXT NOT NULL,
    allowed   INTEGER NOT NULL,
    reason    TEXT NOT NULL,
    count     INTEGER NOT NULL,
    first_us  INTEGER NOT NULL,
    last_us   INTEGER NOT NULL,
    PRIMARY KEY (hour_us, way, party, person, agreement, author, kind, tlp, allowed, reason)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE audit;
DROP TABLE receipted;

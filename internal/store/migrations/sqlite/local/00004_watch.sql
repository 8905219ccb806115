-- +goose Up
-- How sure the surest match of a sighting is, in thousandths, and that match with its evidence (JSON), for whoever decides.
ALTER TABLE sighting ADD COLUMN sure INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sighting ADD COLUMN evidence BLOB NOT NULL DEFAULT x'';

-- What each sensor last told of itself (JSON).
CREATE TABLE sensor (
    name     TEXT   PRIMARY KEY,
    told_us  INTEGER NOT NULL,
    report   BLOB NOT NULL
) STRICT;

-- +goose Down
DROP TABLE sensor;
ALTER TABLE sighting DROP COLUMN evidence;
ALTER TABLE sighting DROP COLUMN sure;

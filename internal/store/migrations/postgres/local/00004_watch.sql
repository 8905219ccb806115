-- +goose Up
-- How sure the surest match of a sighting is, in thousandths, and that match with its evidence (JSON), for whoever decides.
ALTER TABLE sighting ADD COLUMN sure BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sighting ADD COLUMN evidence BYTEA NOT NULL DEFAULT '';

-- What each sensor last told of itself (JSON).
CREATE TABLE sensor (
    name     TEXT   PRIMARY KEY,
    told_us  BIGINT NOT NULL,
    report   BYTEA NOT NULL
);

-- +goose Down
DROP TABLE sensor;
ALTER TABLE sighting DROP COLUMN evidence;
ALTER TABLE sighting DROP COLUMN sure;

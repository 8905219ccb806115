-- +goose Up
-- The token itself is never stored: only its SHA-256.
CREATE TABLE token (
    id         TEXT    PRIMARY KEY,
    hash       BLOB    NOT NULL UNIQUE,
    name       TEXT    NOT NULL,
    scopes     TEXT    NOT NULL,
    party      TEXT    NOT NULL DEFAULT '',
    created_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL DEFAULT 0,
    revoked_us INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

-- What became of requests to add objects over TAXII, each for the token that made it, until kept_us.
CREATE TABLE taxii_status (
    id      TEXT    PRIMARY KEY,
    caller  TEXT    NOT NULL,
    kept_us INTEGER NOT NULL,
    body    BLOB    NOT NULL
) STRICT;
CREATE INDEX taxii_status_kept ON taxii_status (kept_us);

-- How far each feed was read, and what became of its last run.
CREATE TABLE feed (
    name   TEXT    PRIMARY KEY,
    cursor BLOB    NOT NULL,
    state  BLOB    NOT NULL
) STRICT;

-- What detection found of indicators of others: it waits for a person, who sends it as a record or refuses it.
CREATE TABLE sighting (
    id         TEXT    PRIMARY KEY,
    indicator  TEXT    NOT NULL,
    target     BLOB    NOT NULL,
    agreement  TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    count      INTEGER NOT NULL,
    first_us   INTEGER NOT NULL,
    last_us    INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    decided_us INTEGER NOT NULL DEFAULT 0,
    leaf       TEXT    NOT NULL DEFAULT '',
    reason     TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX sighting_state ON sighting (state, created_us);
CREATE INDEX sighting_indicator ON sighting (indicator, state);

-- +goose Down
DROP TABLE sighting;
DROP TABLE feed;
DROP TABLE taxii_status;
DROP TABLE setting;
DROP TABLE token;

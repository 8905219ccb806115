-- +goose Up
-- The token itself is never stored: only its SHA-256.
CREATE TABLE token (
    id         TEXT    PRIMARY KEY,
    hash       BYTEA   NOT NULL UNIQUE,
    name       TEXT    NOT NULL,
    scopes     TEXT    NOT NULL,
    party      TEXT    NOT NULL DEFAULT '',
    created_us BIGINT  NOT NULL,
    expires_us BIGINT  NOT NULL DEFAULT 0,
    revoked_us BIGINT  NOT NULL DEFAULT 0
);

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value BYTEA NOT NULL
);

-- What became of requests to add objects over TAXII, each for the token that made it, until kept_us.
CREATE TABLE taxii_status (
    id      TEXT    PRIMARY KEY,
    caller  TEXT    NOT NULL,
    kept_us BIGINT  NOT NULL,
    body    BYTEA   NOT NULL
);
CREATE INDEX taxii_status_kept ON taxii_status (kept_us);

-- How far each feed was read, and what became of its last run.
CREATE TABLE feed (
    name   TEXT    PRIMARY KEY,
    cursor BYTEA   NOT NULL,
    state  BYTEA   NOT NULL
);

-- What detection found of indicators of others: it waits for a person, who sends it as a record or refuses it.
CREATE TABLE sighting (
    id         TEXT    PRIMARY KEY,
    indicator  TEXT    NOT NULL,
    target     BYTEA    NOT NULL,
    agreement  TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    count      BIGINT NOT NULL,
    first_us   BIGINT NOT NULL,
    last_us    BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    decided_us BIGINT NOT NULL DEFAULT 0,
    leaf       TEXT    NOT NULL DEFAULT '',
    reason     TEXT    NOT NULL DEFAULT ''
);

CREATE INDEX sighting_state ON sighting (state, created_us);
CREATE INDEX sighting_indicator ON sighting (indicator, state);

-- +goose Down
DROP TABLE sighting;
DROP TABLE feed;
DROP TABLE taxii_status;
DROP TABLE setting;
DROP TABLE token;

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

-- +goose Down
DROP TABLE feed;
DROP TABLE taxii_status;
DROP TABLE setting;
DROP TABLE token;

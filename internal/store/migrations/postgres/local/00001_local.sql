-- +goose Up
-- The token itself is never stored: only its SHA-256.
CREATE TABLE token (
    id         TEXT    PRIMARY KEY,
    hash       BYTEA   NOT NULL UNIQUE,
    name       TEXT    NOT NULL,
    scopes     TEXT    NOT NULL,
    created_us BIGINT  NOT NULL,
    expires_us BIGINT  NOT NULL DEFAULT 0,
    revoked_us BIGINT  NOT NULL DEFAULT 0
);

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value BYTEA NOT NULL
);

-- +goose Down
DROP TABLE setting;
DROP TABLE token;

-- +goose Up
-- People who sign in to the screens. The secret is an argon2id hash in PHC form, empty where a person has none.
CREATE TABLE person (
    name       TEXT    PRIMARY KEY,
    shown      TEXT    NOT NULL,
    secret     TEXT    NOT NULL,
    roles      TEXT    NOT NULL,
    officer    TEXT    NOT NULL DEFAULT '',
    created_us BIGINT NOT NULL,
    ended_us   BIGINT NOT NULL DEFAULT 0
);

-- The session's token itself is never stored: only its hash.
CREATE TABLE session (
    hash       TEXT    PRIMARY KEY,
    data       BYTEA   NOT NULL,
    expires_us BIGINT NOT NULL
);
CREATE INDEX session_expires ON session (expires_us);

-- +goose Down
DROP TABLE session;
DROP TABLE person;

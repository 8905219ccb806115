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

-- What people sign in with besides a password: passkeys, and secrets of programs that show codes.
CREATE TABLE factor (
    person     TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    label      TEXT    NOT NULL,
    data       BYTEA    NOT NULL,
    created_us BIGINT NOT NULL,
    used_us    BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, id, person)
);
CREATE INDEX factor_person ON factor (person);

-- The session's token itself is never stored: only its hash.
CREATE TABLE session (
    hash       TEXT    PRIMARY KEY,
    data       BYTEA   NOT NULL,
    expires_us BIGINT NOT NULL
);
CREATE INDEX session_expires ON session (expires_us);

-- +goose Down
DROP TABLE factor;
DROP TABLE session;
DROP TABLE person;

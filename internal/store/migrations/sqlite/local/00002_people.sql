-- +goose Up
-- People who sign in to the screens. The secret is an argon2id hash in PHC form, empty where a person has none.
CREATE TABLE person (
    name       TEXT    PRIMARY KEY,
    shown      TEXT    NOT NULL,
    secret     TEXT    NOT NULL,
    roles      TEXT    NOT NULL,
    officer    TEXT    NOT NULL DEFAULT '',
    created_us INTEGER NOT NULL,
    ended_us   INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What people sign in with besides a password: passkeys, and secrets of programs that show codes.
CREATE TABLE factor (
    person     TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    label      TEXT    NOT NULL,
    data       BLOB    NOT NULL,
    created_us INTEGER NOT NULL,
    used_us    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, id, person)
) STRICT;
CREATE INDEX factor_person ON factor (person);

-- The session's token itself is never stored: only its hash.
CREATE TABLE session (
    hash       TEXT    PRIMARY KEY,
    data       BLOB    NOT NULL,
    expires_us INTEGER NOT NULL
) STRICT;
CREATE INDEX session_expires ON session (expires_us);

-- +goose Down
DROP TABLE factor;
DROP TABLE session;
DROP TABLE person;

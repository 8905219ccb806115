-- +goose Up
-- Who is told outside the screens that something waits. The secret signs what a webhook gets; the state (JSON) says what became
-- of the last message and when each occasion was last told of.
CREATE TABLE notifier (
    name       TEXT    PRIMARY KEY,
    kind       TEXT    NOT NULL,
    target     TEXT    NOT NULL,
    language   TEXT    NOT NULL,
    occasions  TEXT    NOT NULL,
    secret     BYTEA   NOT NULL,
    created_us BIGINT  NOT NULL,
    state      BYTEA   NOT NULL
);

-- Messages that are to be sent: one for each notifier and occasion, which gathers what comes meanwhile.
CREATE TABLE notice (
    notifier TEXT    NOT NULL,
    occasion TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    count    BIGINT  NOT NULL,
    path     TEXT    NOT NULL,
    since_us BIGINT  NOT NULL,
    due_us   BIGINT  NOT NULL,
    tries    BIGINT  NOT NULL DEFAULT 0,
    PRIMARY KEY (notifier, occasion)
);

-- +goose Down
DROP TABLE notice;
DROP TABLE notifier;

-- +goose Up
-- Acts that officers write, approve and sign here before they are published. The request is what they say (JSON); the
-- file, once the words are fixed, is the draft with its approvals and signatures (docs/formats.md).
CREATE TABLE draft (
    id         TEXT   PRIMARY KEY,
    agreement  TEXT   NOT NULL,
    act        TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    revision   BIGINT NOT NULL,
    begun_by   TEXT   NOT NULL,
    begun_us   BIGINT NOT NULL,
    changed_by TEXT   NOT NULL,
    changed_us BIGINT NOT NULL,
    request    BYTEA NOT NULL,
    file       BYTEA NOT NULL,
    leaf       TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX draft_changed ON draft (changed_us);

-- +goose Down
DROP TABLE draft;

-- +goose Up
CREATE VIEW clock AS SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER) AS now_us;

-- author is empty for the own party's logs; the logs of others are followed.
CREATE TABLE log (
    no         INTEGER PRIMARY KEY,
    id         TEXT    NOT NULL UNIQUE,
    origin     TEXT    NOT NULL UNIQUE,
    author     TEXT    NOT NULL DEFAULT '',
    agreement  TEXT    NOT NULL,
    generation INTEGER NOT NULL,
    public     INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    retired_us INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE head (
    log_no     INTEGER PRIMARY KEY REFERENCES log (no),
    size       INTEGER NOT NULL,
    serial     INTEGER NOT NULL,
    fence      INTEGER NOT NULL,
    root       BLOB    NOT NULL,
    frontier   BLOB    NOT NULL,
    checkpoint BLOB    NOT NULL
) STRICT;

-- Object hashes of leaves idx, idx+1, …; a row never crosses a multiple of 256.
CREATE TABLE leaf (
    log_no INTEGER NOT NULL,
    idx    INTEGER NOT NULL,
    hashes BLOB    NOT NULL,
    PRIMARY KEY (log_no, idx)
) STRICT, WITHOUT ROWID;

-- Complete tiles only: 256 hashes, and the hash of the subtree they make.
CREATE TABLE tile (
    log_no INTEGER NOT NULL,
    level  INTEGER NOT NULL,
    n      INTEGER NOT NULL,
    root   BLOB    NOT NULL,
    hashes BLOB    NOT NULL,
    PRIMARY KEY (log_no, level, n)
) STRICT, WITHOUT ROWID;

-- state: 0 bytes in this row, 1 bytes in a file, 2 erased. idx is NULL for an attachment.
CREATE TABLE object (
    seq    INTEGER PRIMARY KEY,
    prefix INTEGER NOT NULL,
    log_no INTEGER NOT NULL,
    idx    INTEGER,
    state  INTEGER NOT NULL,
    size   INTEGER NOT NULL,
    hash   BLOB    NOT NULL,
    bytes  BLOB
) STRICT;

-- Where to find objects by the first eight bytes of their hash: those with seq up to object_filed.upto.
-- The few after it are found by reading them (names.go says why).
CREATE TABLE object_name (
    prefix INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    PRIMARY KEY (prefix, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE object_filed (upto INTEGER NOT NULL) STRICT;
INSERT INTO object_filed (upto) VALUES (0);

CREATE TABLE tombstone (
    hash   BLOB    PRIMARY KEY,
    at_us  INTEGER NOT NULL,
    issuer TEXT    NOT NULL,
    reason TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE lease (
    name       TEXT    PRIMARY KEY,
    holder     TEXT    NOT NULL,
    fence      INTEGER NOT NULL,
    expires_us INTEGER NOT NULL
) STRICT;
INSERT INTO lease (name, holder, fence, expires_us) VALUES ('writer', '', 0, 0);

-- One step of an epoch's key, sealed to its owner. chain names the audience in an own log; audience is its JSON, with the
-- epoch's first row alone, and empty for all members.
CREATE TABLE epoch_key (
    log_no     INTEGER NOT NULL,
    epoch      TEXT NOT NULL,
    step       INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    chain      TEXT NOT NULL,
    audience   BLOB NOT NULL,
    commitment TEXT NOT NULL,
    sealed     BLOB NOT NULL,
    PRIMARY KEY (log_no, epoch, step)
) STRICT, WITHOUT ROWID;

-- Which seal keys were given which step of an epoch of an own log, in which wrap; lost: the wrap is not here any more.
CREATE TABLE epoch_given (
    log_no INTEGER NOT NULL,
    epoch  TEXT NOT NULL,
    key_id TEXT NOT NULL,
    step   INTEGER NOT NULL,
    wrap   BLOB NOT NULL,
    lost   INTEGER NOT NULL,
    PRIMARY KEY (log_no, epoch, key_id)
) STRICT, WITHOUT ROWID;

-- Wraps of epochs' keys of followed logs that have not come: asked for again when they are due.
CREATE TABLE wrap_wanted (
    log_no INTEGER NOT NULL,
    hash   BLOB NOT NULL,
    idx    INTEGER NOT NULL,
    tries  INTEGER NOT NULL,
    due_us INTEGER NOT NULL,
    PRIMARY KEY (log_no, hash)
) STRICT, WITHOUT ROWID;

-- Places of keyrings, so that a log's keys are known without reading the log.
CREATE TABLE keyring (
    log_no INTEGER NOT NULL,
    serial INTEGER NOT NULL,
    idx    INTEGER NOT NULL,
    PRIMARY KEY (log_no, serial)
) STRICT, WITHOUT ROWID;

-- Other parties' nodes: where they are reached, and who named them to us (nobody: a person compared a fingerprint).
CREATE TABLE peer (
    party      TEXT   PRIMARY KEY,
    url        TEXT   NOT NULL,
    mirror     TEXT   NOT NULL,
    introduced TEXT   NOT NULL,
    keyring    BLOB  NOT NULL,
    cosigns    INTEGER NOT NULL, -- 1: it only co-signs, and is told nothing else
    updated_us INTEGER NOT NULL
) STRICT;

-- Keyrings of other parties that a person compared and accepted.
CREATE TABLE pin (
    party     TEXT    PRIMARY KEY,
    pinned_us INTEGER NOT NULL,
    keyring   BLOB  NOT NULL
) STRICT;

-- The journal of collections: when the objects of a record were added, one microsecond for each of count. cause is 0 for
-- the first time, later the seq of what made them visible to more.
CREATE TABLE added (
    seq     INTEGER NOT NULL,
    cause   INTEGER NOT NULL,
    date_us INTEGER NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (seq, cause)
) STRICT, WITHOUT ROWID;
CREATE TABLE added_last (end_us INTEGER NOT NULL) STRICT;
INSERT INTO added_last (end_us) VALUES (0);

-- What a follower keeps of another party's log beside its rows: where it is fetched from, how far its leaves are here
-- (ahead of the head while a signed tree is being taken), the largest signed checkpoint that was ever seen, and when one
-- was last verified.
CREATE TABLE follow (
    log_no  INTEGER PRIMARY KEY REFERENCES log (no),
    source  TEXT    NOT NULL,
    staged  INTEGER NOT NULL,
    serial  INTEGER NOT NULL,
    target  BLOB NOT NULL,
    seen_us INTEGER NOT NULL
) STRICT;

-- What was taken of an author under an agreement, in all its logs: in the window of its quota, and altogether.
CREATE TABLE spent (
    agreement  TEXT NOT NULL,
    author     TEXT NOT NULL,
    since_us   INTEGER NOT NULL,
    leaves     INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    garbage    INTEGER NOT NULL,
    all_leaves INTEGER NOT NULL,
    all_bytes  INTEGER NOT NULL,
    PRIMARY KEY (agreement, author)
) STRICT, WITHOUT ROWID;

-- Leaves of followed logs whose object has not come.
CREATE TABLE absent (
    log_no   INTEGER NOT NULL,
    idx      INTEGER NOT NULL,
    hash     BLOB NOT NULL,
    PRIMARY KEY (log_no, idx)
) STRICT, WITHOUT ROWID;

-- Places of epoch records in followed logs, so that their keys are learnt without reading the log.
CREATE TABLE epoch_at (
    log_no INTEGER NOT NULL,
    idx    INTEGER NOT NULL,
    PRIMARY KEY (log_no, idx)
) STRICT, WITHOUT ROWID;

-- Objects that came after the head had passed their leaf, until the index has taken them.
CREATE TABLE late (
    log_no INTEGER NOT NULL,
    idx    INTEGER NOT NULL,
    PRIMARY KEY (log_no, idx)
) STRICT, WITHOUT ROWID;

-- What this node co-signed last as a witness, by origin. vkey is the log's key where nothing else here names it.
CREATE TABLE cosigned (
    origin     TEXT PRIMARY KEY,
    vkey       TEXT NOT NULL,
    size       INTEGER NOT NULL,
    root       BLOB NOT NULL,
    checkpoint BLOB NOT NULL,
    at_us      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The largest checkpoint of a log that enough witnesses have co-signed.
CREATE TABLE enough (
    log_no     INTEGER PRIMARY KEY,
    size       INTEGER NOT NULL,
    checkpoint BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Proofs that a party signed two histories. Each is kept; a person decides what becomes of it.
CREATE TABLE evidence (
    id           TEXT PRIMARY KEY,
    log_id       TEXT NOT NULL,
    party        TEXT NOT NULL,
    found_us     INTEGER NOT NULL,
    published_us INTEGER NOT NULL DEFAULT 0,
    file         BLOB NOT NULL
) STRICT;

-- +goose Down
DROP TABLE added_last;
DROP TABLE added;
DROP TABLE evidence;
DROP TABLE enough;
DROP TABLE cosigned;
DROP TABLE late;
DROP TABLE epoch_at;
DROP TABLE absent;
DROP TABLE spent;
DROP TABLE follow;
DROP TABLE pin;
DROP TABLE keyring;
DROP TABLE peer;
DROP TABLE epoch_key;
DROP TABLE epoch_given;
DROP TABLE wrap_wanted;
DROP TABLE lease;
DROP TABLE tombstone;
DROP TABLE object_filed;
DROP TABLE object_name;
DROP TABLE object;
DROP TABLE tile;
DROP TABLE leaf;
DROP TABLE head;
DROP TABLE log;
DROP VIEW clock;

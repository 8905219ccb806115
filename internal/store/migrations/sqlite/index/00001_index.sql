-- +goose Up
-- Which rules made the index: of another version, it is built again.
CREATE TABLE ix_meta (
    name  TEXT    PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How far each log is indexed: the leaves [0, size).
CREATE TABLE ix_log (
    no   INTEGER PRIMARY KEY,
    size INTEGER NOT NULL
) STRICT;

-- One row for each leaf whose object is here. no is the object's seq in the truth scope: the order of arrival. What many
-- records have alike stands once, in the form that they share; ix_entry shows both as one.
CREATE TABLE ix_record (
    no         INTEGER PRIMARY KEY,
    idx        INTEGER NOT NULL,
    leaf       BLOB NOT NULL,
    object     BLOB NOT NULL,
    id         TEXT NOT NULL,
    form       INTEGER NOT NULL,
    time_us    INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    parts      INTEGER NOT NULL
) STRICT;

-- key is the SHA-256 of the columns after it.
CREATE TABLE ix_form (
    no        INTEGER PRIMARY KEY,
    key       BLOB NOT NULL UNIQUE,
    log_no    INTEGER NOT NULL,
    standing  TEXT NOT NULL,
    sealed    INTEGER NOT NULL,
    kind      TEXT NOT NULL,
    stage     TEXT NOT NULL,
    agreement TEXT NOT NULL,
    author    TEXT NOT NULL,
    officer   TEXT NOT NULL,
    signers   TEXT NOT NULL,
    tlp       TEXT NOT NULL,
    pap       TEXT NOT NULL,
    parties   TEXT NOT NULL,
    persons   TEXT NOT NULL
) STRICT;

CREATE VIEW ix_entry AS SELECT r.no, f.log_no, r.idx, r.leaf, r.object, f.standing, f.sealed, r.id, f.kind, f.stage, f.agreement, f.author,
    f.officer, f.signers, r.time_us, r.expires_us, f.tlp, f.pap, f.parties, f.persons, r.parts
    FROM ix_record r JOIN ix_form f ON f.no = r.form;

-- What is counted of an author's valid records under an agreement. what: 0 records of a kind, 1 those of them that answer
-- nothing, 2 records that serve any commitment, 3 records of a kind that serve the commitment label, 4 records of a kind
-- that were answered with one of the kind label.
CREATE TABLE ix_tally (
    no        INTEGER PRIMARY KEY,
    agreement TEXT NOT NULL,
    author    TEXT NOT NULL,
    what      INTEGER NOT NULL,
    label     TEXT NOT NULL,
    kind      TEXT NOT NULL,
    count     INTEGER NOT NULL,
    UNIQUE (agreement, author, what, label, kind)
) STRICT;

-- The same by time: by months from the year 0 for commitments, else by days from 1970.
CREATE TABLE ix_bucket (
    tally  INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    count  INTEGER NOT NULL,
    PRIMARY KEY (tally, bucket)
) STRICT, WITHOUT ROWID;

-- The records of tallies 0 and 3, newest last: those that came a few at a time. A row of ix_pack has many of one tally, with times from
-- first_us to last_us (servings.go has the format).
CREATE TABLE ix_serves (
    tally   INTEGER NOT NULL,
    time_us INTEGER NOT NULL,
    no      INTEGER NOT NULL,
    answers INTEGER NOT NULL,
    PRIMARY KEY (tally, time_us, no)
) STRICT, WITHOUT ROWID;

CREATE TABLE ix_pack (
    tally    INTEGER NOT NULL,
    last_us  INTEGER NOT NULL,
    last_no  INTEGER NOT NULL,
    first_us INTEGER NOT NULL,
    data     BLOB NOT NULL,
    PRIMARY KEY (tally, last_us, last_no)
) STRICT, WITHOUT ROWID;

-- Which leaves a valid record answers; how long the records of tallies 4 waited; answered leaves that are not here.
CREATE TABLE ix_answers (
    no   INTEGER NOT NULL,
    leaf BLOB NOT NULL,
    PRIMARY KEY (no, leaf)
) STRICT, WITHOUT ROWID;
CREATE TABLE ix_answered (
    tally    INTEGER NOT NULL,
    delay_us INTEGER NOT NULL,
    start_no INTEGER NOT NULL,
    start_us INTEGER NOT NULL,
    PRIMARY KEY (tally, delay_us, start_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX ix_answered_start ON ix_answered (start_no, tally);
CREATE TABLE ix_expected (
    leaf BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE ix_ref (
    leaf BLOB    NOT NULL,
    no   INTEGER NOT NULL,
    rel  TEXT    NOT NULL,
    PRIMARY KEY (leaf, no, rel)
) STRICT, WITHOUT ROWID;

-- Recalls and releases by their target.
CREATE TABLE ix_change (
    target   BLOB    NOT NULL,
    no       INTEGER NOT NULL,
    action   TEXT    NOT NULL,
    tlp      TEXT    NOT NULL,
    pap      TEXT    NOT NULL,
    audience INTEGER NOT NULL,
    parties  TEXT    NOT NULL,
    persons  TEXT    NOT NULL,
    objects  TEXT    NOT NULL,
    PRIMARY KEY (target, no)
) STRICT, WITHOUT ROWID;

-- What receipts cover: leaves [lo, hi) of the log with an origin, parted at the multiples of 4096 in block, so that those of one
-- leaf are found beside each other. A receipt of one leaf by its hash alone stands in ix_ref.
CREATE TABLE ix_receipt (
    origin TEXT NOT NULL,
    block  INTEGER NOT NULL,
    lo     INTEGER NOT NULL,
    hi     INTEGER NOT NULL,
    no     INTEGER NOT NULL,
    at_us  INTEGER NOT NULL,
    PRIMARY KEY (origin, block, lo, no)
) STRICT, WITHOUT ROWID;

CREATE TABLE ix_act (
    no        INTEGER PRIMARY KEY,
    agreement TEXT    NOT NULL,
    act       TEXT    NOT NULL,
    date      TEXT    NOT NULL,
    author    TEXT    NOT NULL,
    party     TEXT    NOT NULL,
    parent    TEXT    NOT NULL,
    proposal  TEXT    NOT NULL
) STRICT;

CREATE TABLE ix_party (
    id    TEXT    PRIMARY KEY,
    no    INTEGER NOT NULL,
    names TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ix_key (
    log_no  INTEGER NOT NULL,
    id      TEXT    NOT NULL,
    party   TEXT    NOT NULL,
    role    TEXT    NOT NULL,
    names   TEXT    NOT NULL,
    no      INTEGER NOT NULL,
    revoked INTEGER NOT NULL,
    PRIMARY KEY (log_no, id)
) STRICT, WITHOUT ROWID;

-- The STIX objects of intel records, in the order of their bundle. The id is type--uuid; off and len are where the object's
-- bytes stand in the record's payload; marking is what it says of itself; many: its id stands elsewhere too.
CREATE TABLE ix_stix (
    no      INTEGER NOT NULL,
    ord     INTEGER NOT NULL,
    type    TEXT    NOT NULL,
    uuid    BLOB    NOT NULL,
    spec    TEXT    NOT NULL,
    version TEXT    NOT NULL,
    off     INTEGER NOT NULL,
    len     INTEGER NOT NULL,
    marking INTEGER NOT NULL,
    many    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (no, ord)
) STRICT, WITHOUT ROWID;

-- What a decision sees of an object besides its time, as the caller writes it. One number for each that there is.
CREATE TABLE ix_class (
    no        INTEGER PRIMARY KEY,
    agreement TEXT    NOT NULL,
    item      TEXT    NOT NULL,
    UNIQUE (agreement, item)
) STRICT;

-- Where objects stand in the collection of their agreement: the one with the place ord in record no was added at date_us,
-- the next at date_us + 1, and so on, count of them. Dates are from the journal of the truth scope.
CREATE TABLE ix_place (
    class      INTEGER NOT NULL,
    date_us    INTEGER NOT NULL,
    no         INTEGER NOT NULL,
    ord        INTEGER NOT NULL,
    count      INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    PRIMARY KEY (class, date_us)
) STRICT, WITHOUT ROWID;
CREATE INDEX ix_place_no ON ix_place (no);

-- Where the row of a leaf's hash, a record's id or a STIX object's id stands: key is a number made of the name, no the record's, ord
-- the object's place in its bundle (handle.go has both). The newest wait in ix_fresh until they are many enough for a run.
CREATE TABLE ix_fresh (
    key INTEGER NOT NULL,
    no  INTEGER NOT NULL,
    ord INTEGER NOT NULL,
    PRIMARY KEY (key, no, ord)
) STRICT, WITHOUT ROWID;
CREATE TABLE ix_run (
    no      INTEGER PRIMARY KEY,
    handles INTEGER NOT NULL
) STRICT;
CREATE TABLE ix_handle (
    run   INTEGER NOT NULL,
    first INTEGER NOT NULL,
    part  INTEGER NOT NULL,
    data  BLOB NOT NULL,
    PRIMARY KEY (run, first, part)
) STRICT, WITHOUT ROWID;

-- Full text: terms only, never the text (postings.go has the format). A segment is a run of documents, a document a part
-- of a record: its row_no is the record's no times 4096, plus the part. Its blocks have the numbers no * 1048576 and on.
CREATE TABLE ix_segment (
    no        INTEGER PRIMARY KEY,
    docs      INTEGER NOT NULL,
    low       INTEGER NOT NULL,
    high      INTEGER NOT NULL,
    row_nos   BLOB NOT NULL,
    directory BLOB NOT NULL
) STRICT;

CREATE TABLE ix_block (
    no   INTEGER PRIMARY KEY,
    data BLOB NOT NULL
) STRICT;

-- +goose Down
DROP TABLE ix_handle;
DROP TABLE ix_run;
DROP TABLE ix_fresh;
DROP TABLE ix_block;
DROP TABLE ix_segment;
DROP TABLE ix_place;
DROP TABLE ix_class;
DROP TABLE ix_stix;
DROP TABLE ix_key;
DROP TABLE ix_party;
DROP TABLE ix_act;
DROP TABLE ix_receipt;
DROP TABLE ix_change;
DROP TABLE ix_ref;
DROP TABLE ix_expected;
DROP TABLE ix_answered;
DROP TABLE ix_answers;
DROP TABLE ix_pack;
DROP TABLE ix_serves;
DROP TABLE ix_bucket;
DROP TABLE ix_tally;
DROP VIEW ix_entry;
DROP TABLE ix_form;
DROP TABLE ix_record;
DROP TABLE ix_log;
DROP TABLE ix_meta;

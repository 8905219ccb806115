// Package store keeps what a node must not lose: the rows of its logs, its objects, and its local settings.
//
// It promises that what a method reports as written is on the disk (or in the database cluster) and stays there
// through a kill or a power cut, and that one text of SQL runs alike on SQLite and on PostgreSQL; the same suite of
// tests holds both to it. Three scopes are kept apart by name: *truth* (logs, heads, leaves, tiles, objects, tombstones,
// the writer's lease, epoch keys), *local* (API tokens, settings) and the *index*, which can be dropped and made again, in
// three files on SQLite and in three sets of tables on PostgreSQL.
//
// It is not for deciding anything: it knows nothing of records, signatures or Merkle trees, and the caller
// (internal/ledger) computes every hash that is stored here.
//
// Start reading at open.go, then commit.go, which holds the one transaction that everything else leans on; for the
// index, index.go.
package store

// Package ledger keeps a party's verifiable logs and the objects they commit to: it sequences, signs, stores, proves,
// serves and audits them.
//
// It promises that what Append returned is durable, is covered by a signed checkpoint that is written outside the
// database as well, and will never be contradicted by this log: not after a kill, not with a full disk, not by a
// second process, and not from an old backup. Logs follow C2SP tlog-tiles, so that any other program can audit them.
//
// It is not for judging what is in an object: a leaf is 0x01 ‖ SHA-256(object), and an object is opaque bytes. Who may
// fetch what is decided by the caller's authorize function.
//
// Start reading at sequence.go (the pure step function that decides) with batch.go and place.go, then run.go (the thin
// shell that acts), then handler.go and audit.go, which are the two ends of the same protocol. docs/ledger.md says what
// is durable when.
package ledger

// Package node is one running node of a party: it wires the keys, the store, the ledger and the record formats
// together and runs what has to run in the background.
//
// It promises that a record is signed, sealed and durable in the party's log before [Node.Publish] returns, and that a
// node which may be behind its own published history signs nothing until that is settled ([Restore]).
//
// It is not an HTTP server (package api) and knows no command line (cmd/mithaq). Start reading at [Init] and [Open].
package node

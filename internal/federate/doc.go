// Package federate is what a node does with other parties' nodes: it tells them what changed and learns it from them,
// follows their logs, co-signs their checkpoints, serves what it follows to those who cannot reach the author, and keeps
// what proves that somebody signed two histories.
//
// It promises that nothing is believed because of where it came from: of a followed log nothing is kept that does not follow
// from a checkpoint which the log's own key signed, a history once kept is never replaced by another, and two contradicting
// checkpoints become a file that anybody can verify offline. A stranger costs a bounded amount of time and memory. What
// decides is a step function or a plain value: goroutines, clocks and connections are in thin shells, so that the same code
// runs on a node and in a simulation of thirty of them.
//
// It knows no agreements, judges no records (internal/record and the index do, before one is used), and decides nothing about
// who may have what; requests between nodes are signed by package httpsig.
//
// Start reading at follow.go, the state and its one Step; then prove.go and walk.go, its two phases; then runner.go, the
// shell that fetches and stores. evidence.go is the proof of two histories; [Feed] is how others learn of changes.
package federate

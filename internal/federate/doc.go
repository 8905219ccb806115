// Package federate is what a node does with other parties' nodes: it tells them what changed and learns it from them,
// follows their logs, co-signs their checkpoints, and serves what it follows to those who cannot reach the author.
//
// It promises that nothing is believed because of where it came from, and that a stranger costs a bounded amount of time
// and memory. What decides is a step function or a plain value: goroutines, clocks and connections are in thin shells.
//
// It knows no agreements and opens no records; who may have what is asked of its caller. Start reading at [Feed]; requests
// between nodes are signed by package httpsig.
package federate

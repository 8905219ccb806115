// Package simulate runs a federation of parties in one process, in virtual time, from a seed: authors, followers, witnesses
// and a depositary with real keyrings, signatures, trees and sealed records, over a network that loses, repeats, reorders and
// delays, on machines that stop, pause, lose their memory and come back from old backups, among hosts that lie.
//
// What decides is the program's own: the sequencer and the lease of internal/ledger, the follower and the witness of
// internal/federate, the fold of internal/agreement, the epoch keys of internal/record. What is made up is around them: disks
// and networks are maps, time is a number, and the wrap of an epoch key is a slip that only its addressee can turn into the
// key, because a lattice for each of them would be most of the time.
//
// It promises that one seed is one history, and that what it asserts is what a party would notice: all honest members reach
// one state of the agreement and hold the same records, each once; who was meant to can open a record and nobody else can,
// whatever bytes they got; two honest parties that can reach each other know of every fork between what they were shown; what
// was acknowledged stays. That the asserts can fail is tested by breaking one part after the other: see parts.go.
//
// age draws its file keys from the system, so hashes of sealed objects differ from run to run; nothing depends on them.
//
// It is not for measuring: nothing in it takes real time. Start reading at world.go.
package simulate

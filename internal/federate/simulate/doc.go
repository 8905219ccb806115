// Package simulate runs a federation of parties in one process, in virtual time, from a seed: authors, followers, witnesses
// and a depositary with real keyrings, signatures and trees, over a network that loses, repeats, reorders and delays, on
// machines that stop, lose their memory and come back from old backups, among hosts that lie.
//
// It promises that one seed is one history, the same on every machine, and that what it asserts is what a party would
// notice: all honest members hold the same records and the same agreement state, nobody else can open anything, and two
// honest parties that can reach each other know of every fork between what they were shown.
//
// It is not for measuring: nothing in it takes real time, disks and networks are maps. Start reading at world.go.
package simulate

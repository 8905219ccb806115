// Package plan turns STIX patterns into what an index can find and what bounded state can decide.
//
// It promises that a plan finds what its pattern would: a pattern whose values alone decide becomes keys of the
// index; every other one is woken by the rarest value that it cannot hold without, and then decided by the matcher
// of stix/pattern itself, so that there is one reading of the language. [Batch] gives that matcher's verdicts on
// given observations; [Stream] does the same on events as they come, within the bounds it states and counts.
// It is not the index and reads no traffic. Start reading at [Compile].
package plan

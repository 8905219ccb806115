// Package exchange is the ground that other programs' formats share: what stands between a STIX 2.1 bundle and a MISP
// event, a list, a rule or a log line. The formats themselves are its subfolders, one each.
//
// It promises that nothing is dropped in silence (a [Report] says what a conversion could not carry, where and why), that
// the same input makes the same identifiers everywhere, and that time and memory are bounded by the input. It decides
// nothing about who may have what, reads no clock and does no input or output: readers and writers are parameters.
//
// Start reading at [Alternatives], which takes a pattern apart into the values that lists and rules can carry, and
// [Indicator], what every export reads.
package exchange

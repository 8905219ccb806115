// Package evidence gathers what a network's own traffic says about an event beside the indicator that names it: whether
// the destination is new or rarely visited here, whether somebody calls it like clockwork, whether a fingerprint is rare,
// whether a certificate is odd, whether a name in a TLS hello was ever resolved to that address.
//
// It promises named signs with a weight in log-odds and the rows or packets they were made of; fixed memory, in which
// what was unused for longest gives way; and that it never says "unusual" of a network it has not watched long enough to
// know what is usual. It does not judge: a sign by itself is context, and what follows from the sum is for package
// engine. Start reading at [History.Observe], then [History.Signs]; [Rhythm] is how beacons are told from people.
package evidence

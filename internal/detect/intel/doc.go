// Package intel reads indicators: STIX bundles, and plain lists of domains, addresses, URLs and hashes.
//
// It promises that every indicator ends up in the set or in the report, with the reason: over-broad, expired,
// revoked, not STIX, no value in traffic. It keeps nothing of what it reads but what the index and the plans need.
// It is not a feed's client, and matches nothing. Start reading at [Compiler].
package intel

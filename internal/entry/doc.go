// Package entry makes what the index keeps of a record: its author and times, its marking, what it refers to, its words, where its STIX
// objects stand.
//
// It promises that a record of another party is verified before anything of it is believed, that the same leaf gives the same entry, and
// that what cannot be read gives one that says so. It does not read or write the index (internal/store does), nor decide who may see
// what. Start reading at [Maker].
package entry

import "github.com/mithaq/mithaq/internal/store"

// The standing of a record, as its entry says.
const (
	Valid      = store.StandingValid      // signed by keys in force
	NotVouched = store.StandingNotVouched // signed by a key that was revoked from an earlier place on
	Erased     = store.StandingErased     // its contents were destroyed; a tombstone says so
	Sealed     = "sealed"                 // sealed to others: only its place can be checked
	Invalid    = "invalid"                // does not verify
)

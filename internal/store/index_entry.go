package store

import (
	"time"

	"github.com/mithaq/mithaq/internal/arabic"
)

// Indexed is what the index says of one leaf. Everything but the first six fields is empty when the record could not be
// opened or was erased.
type Indexed struct {
	No       int64 // order of arrival: the object's seq in the truth scope
	LogNo    int64
	Index    int64
	Leaf     [32]byte
	Object   [32]byte
	Standing string // StandingValid counts; the other words are the caller's
	Sealed   bool

	ID, Kind, Agreement, Author, Officer string
	Stage                                string   // within its kind, where it has stages
	Signers                              []string // key ids
	Time, Expires                        time.Time
	TLP, PAP                             string
	Parties, Persons                     []string // audience; both empty: none was named
	Parts                                int      // rows of full text
}

// The standings that the index itself understands: a valid record counts as evidence, an erased one has no contents.
const (
	StandingValid      = "valid"
	StandingNotVouched = "not-vouched-for"
	StandingErased     = "erased"
	StandingSealed     = "sealed" // to others: its place may be taken by what it holds, once that can be opened
)

// IndexEntry is one leaf as it is written to the index.
type IndexEntry struct {
	Indexed
	Serves  []string
	Refs    []IndexRef
	Change  *Change
	Receipt *IndexReceipt
	Act     *IndexAct
	Keyring *IndexKeyring
	STIX    []IndexSTIX
	Text    IndexText
}

// IndexText is the terms of each part of a record, as numbers of a vocabulary.
type IndexText struct {
	Parts      [][]uint32
	Vocabulary *arabic.Vocabulary
}

// IndexRef is a reference to a leaf.
type IndexRef struct {
	Leaf [32]byte
	Rel  string
}

// Change is a recall or a release: what it does to its target.
type Change struct {
	Target   [32]byte
	Action   string // withdraw, narrow, erase, release
	TLP, PAP string
	Audience bool // whether it names one
	Parties  []string
	Persons  []string
	Objects  []string // STIX ids
}

// IndexAct is an act.
type IndexAct struct {
	Agreement, Act, Date, Author, Party, Parent, Proposal string
}

// IndexKeyring is what a keyring record teaches: the party's names, its keys, and which of them are vouched for to
// where.
type IndexKeyring struct {
	Party, Names string // names as JSON
	Keys         []IndexKey
}

// IndexKey is a key of a keyring.
type IndexKey struct {
	ID, Role, Names string
	Revoked         int64 // size of the log up to which it is vouched for; -1: not revoked
	Distrusted      bool  // what it signed from Revoked on is not vouched for
}

// IndexSTIX is one STIX object of a record's bundle.
type IndexSTIX struct {
	ID, Type    string // type--uuid, and the type
	SpecVersion string
	Version     string // modified, else created, as it is written; empty when it has neither
	Offset      int    // of its bytes in the record's payload
	Length      int
	Marking     int64 // what the object says of itself, as the caller writes it
	Many        bool  // as read: other objects here may have the same id
}

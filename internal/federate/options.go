package federate

import (
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/record"
)

// Options say how a log is followed. The zero value takes the tree alone, as a witness does.
type Options struct {
	// Objects also takes the objects of the leaves.
	Objects bool
	// Wraps says which wraps of an epoch record are taken: one's own, or for a mirror all. Nil: none.
	Wraps func(record.WrapRef) bool
	// Cosigners are the witnesses whose later cosignatures are added to a checkpoint that is here.
	Cosigners []note.Verifier
	// Ahead is how many bundles are fetched at once. Default: 8.
	Ahead int
	// Objects that are stored in one transaction: at most PieceLeaves of them, and about PieceBytes. Defaults: 4096, 8 MiB.
	PieceLeaves int
	PieceBytes  int64
	// Every is how often the host is asked when nobody tells of a new head. Default: one minute.
	Every time.Duration
	// RetryFirst and RetryMost bound the pause after a failed round, which doubles. Defaults: 1 s, 5 min.
	RetryFirst, RetryMost time.Duration
	// StaleAfter is how long a log may show no valid checkpoint before a person is told. Default: 24 h.
	StaleAfter time.Duration
	// Purse is what the author may still send under the agreement. Nil: one of this log alone, with Quota in it.
	Purse *Purse
	Quota Quota
}

func (o Options) withDefaults() Options {
	setDefault(&o.Ahead, 8)
	setDefault(&o.PieceLeaves, 4096)
	setDefault(&o.PieceBytes, 8<<20)
	setDefault(&o.Every, time.Minute)
	setDefault(&o.RetryFirst, time.Second)
	setDefault(&o.RetryMost, 5*time.Minute)
	setDefault(&o.StaleAfter, 24*time.Hour)
	return o
}

func setDefault[T int | int64 | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

package node

import (
	"sync"

	"github.com/mithaq/mithaq/internal/record"
)

// besideRollMost bounds how many places of a log are remembered: what is forgotten is opened and read instead.
const besideRollMost = 1 << 14

// besideRoll remembers where this process itself appended records that are neither acts nor entries of a roll, so that who
// reads the log for its roll need not open them: a bundle of a thousand objects is dear to verify, and bundles are most of
// what is appended.
type besideRoll struct {
	mu     sync.Mutex
	places map[string]map[int64]struct{} // guarded by mu: by log id
}

// note remembers a record that was appended.
func (b *besideRoll) note(rec record.Record, log string, index int64) {
	if rec.Kind == record.KindAct || rec.Kind == record.KindRoll {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.places == nil {
		b.places = map[string]map[int64]struct{}{}
	}
	if b.places[log] == nil {
		b.places[log] = map[int64]struct{}{}
	}
	if len(b.places[log]) < besideRollMost {
		b.places[log][index] = struct{}{}
	}
}

// has says whether a place holds nothing for the roll.
func (b *besideRoll) has(log string, index int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.places[log][index]
	return ok
}

// forget drops what stands before a place: the roll was read to there.
func (b *besideRoll) forget(log string, before int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for index := range b.places[log] {
		if index < before {
			delete(b.places[log], index)
		}
	}
}

package node

import (
	"github.com/mithaq/mithaq/internal/entry"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/stix"
)

// bundleTLP is the strictest TLP marking of a bundle's objects; ok is false where an object carries none, because then
// nobody said how far it may go, and no less than the default holds.
func bundleTLP(bundle []byte) (strictest record.TLP, ok bool) {
	b := readIntel(bundle)
	markings := stix.MarkingsOf(b.objects)
	level, marked, all := stix.TLPClear, 0, true
	for i, v := range b.values {
		if b.objects[i].Type == "marking-definition" {
			continue
		}
		own := entry.OwnTLP(v, markings)
		if own == stix.TLPNone {
			all = false
			continue
		}
		level = max(level, own)
		marked++
	}
	return record.TLP(level.String()), all && marked > 0
}

package store

import (
	"cmp"
	"context"
	"slices"
)

// markMany notes which of the entries' STIX objects share an id with another, and notes it of the other. While the index
// is being built nothing is looked up: Finish does it for all.
func markMany(ctx context.Context, t *tx, entries []IndexEntry) error {
	if complete, err := stixComplete(ctx, t.QueryRowContext); err != nil || !complete {
		return err
	}
	mine := map[int64]int{} // by key
	here := map[int64]bool{}
	var keys []int64
	for i := range entries {
		here[entries[i].No] = true
		for _, o := range entries[i].STIX {
			_, uuid := splitSTIX(o.ID)
			key := stixKey(uuid)
			if mine[key]++; mine[key] == 1 {
				keys = append(keys, key)
			}
		}
	}
	var many []handle
	for part := range slices.Chunk(keys, idsAtOnce) {
		list, err := findHandles(ctx, t.c.kind, t.asking, part...)
		if err != nil {
			return err
		}
		for len(list) > 0 {
			n := 1
			for n < len(list) && list[n].key == list[0].key {
				n++
			}
			for _, h := range list[:n] {
				if n > 1 && (here[h.no] || n <= mine[h.key]+1) { // the one that was alone before did not know
					many = append(many, h)
				}
			}
			list = list[n:]
		}
	}
	return writeMany(ctx, t, many)
}

// writeMany notes that STIX objects share their id with others.
func writeMany(ctx context.Context, t *tx, many []handle) error {
	slices.SortFunc(many, func(a, b handle) int { return cmp.Or(cmp.Compare(a.no, b.no), cmp.Compare(a.ord, b.ord)) })
	for len(many) > 0 {
		n := 1 // bundles come again as they are: often all of one in a row
		for n < len(many) && many[n].no == many[0].no && many[n].ord <= many[n-1].ord+1 {
			n++
		}
		if _, err := t.exec(ctx, markRow, many[0].no, many[0].ord, many[n-1].ord); err != nil {
			return err
		}
		many = many[n:]
	}
	return nil
}

const markRow = `UPDATE ix_stix SET many = 1 WHERE no = $1 AND ord >= $2 AND ord <= $3`

// sharing gathers, of handles in order, the STIX objects that share an id.
type sharing struct {
	many   []handle
	before handle
}

func (s *sharing) see(h handle) {
	if h.key == s.before.key && h.key&3 == handleSTIX {
		if n := len(s.many); n == 0 || s.many[n-1] != s.before {
			s.many = append(s.many, s.before)
		}
		s.many = append(s.many, h)
	}
	s.before = h
}

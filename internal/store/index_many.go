package store

import (
	"cmp"
	"context"
	"slices"
)

// manyAmong returns which STIX objects of a batch, whose handles are given in order and not yet written, share an id with
// another, and the others that were alone until now. While the index is being built nothing is looked up: Finish does it for all.
func manyAmong(ctx context.Context, t *tx, batch []handle) (many []handle, err error) {
	if complete, err := stixComplete(ctx, t.QueryRowContext); err != nil || !complete {
		return nil, err
	}
	objects := slices.DeleteFunc(slices.Clone(batch), func(h handle) bool { return h.key&3 != handleSTIX })
	for len(objects) > 0 {
		n := min(idsAtOnce, len(objects))
		for n < len(objects) && objects[n].key == objects[n-1].key {
			n++
		}
		keys := make([]int64, n)
		for i, h := range objects[:n] {
			keys[i] = h.key
		}
		list, err := findHandles(ctx, t.c, t.asking, keys...)
		if err != nil {
			return nil, err
		}
		many = appendMany(many, sortHandles(append(list, objects[:n]...)), objects[:n])
		objects = objects[n:]
	}
	return many, nil
}

// appendMany appends, of all that have the keys of a batch, what has to be told of others. Both are in order.
func appendMany(many, all, batch []handle) []handle {
	for len(all) > 0 {
		n, mine := 1, 0
		for n < len(all) && all[n].key == all[0].key {
			n++
		}
		for mine < len(batch) && batch[mine].key == all[0].key {
			mine++
		}
		for _, h := range all[:n] {
			_, own := slices.BinarySearchFunc(batch[:mine], h, compareHandles)
			if n > 1 && (own || n <= mine+1) { // the one that was alone before did not know
				many = append(many, h)
			}
		}
		all, batch = all[n:], batch[mine:]
	}
	return many
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

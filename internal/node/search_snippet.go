package node

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/mithaq/mithaq/internal/arabic"
	"github.com/mithaq/mithaq/internal/entry"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// snippetBudget is how many bytes of objects are opened for the snippets of one page, so that a page of large bundles comes
// while one types; smallObject is how large an object may be and still be opened after that.
const (
	snippetBudget = 256 << 10
	smallObject   = 8 << 10
)

// snippet opens the record in truth and shows the text around what was found. The index itself holds no text. A record that
// cannot be opened, because the keys are not here or it was erased this instant, has no snippet.
func (s *searching) snippet(ctx context.Context, e store.Indexed, parts []int) ([]Fragment, error) {
	m, err := s.maker(ctx, e.LogNo)
	if err != nil {
		return nil, err
	}
	object, err := s.node.store.ObjectAt(ctx, e.No, e.Object)
	if errors.Is(err, store.ErrErased) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.OfStore(err)
	}
	if s.opened += len(object); s.opened > snippetBudget && len(object) > smallObject {
		return nil, nil
	}
	r, err := m.Open(e.Index, store.Arrival{Seq: e.No, Hash: e.Object, Bytes: object})
	if errors.Is(err, record.ErrNotForUs) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening what was found: %w", err)
	}
	part, err := entry.TextPart(r, parts[0])
	return highlight(m.Words, part, s.words), err
}

func (s *searching) maker(ctx context.Context, logNo int64) (*entry.Maker, error) {
	if m, ok := s.makers[logNo]; ok {
		return m, nil
	}
	m, err := s.node.entryMaker(ctx, logNo)
	if err != nil {
		return nil, err
	}
	if s.makers == nil {
		s.makers = map[int64]*entry.Maker{}
	}
	s.makers[logNo] = m
	return m, nil
}

// snippetBytes is how much text stands on each side of what was found.
const snippetBytes = 80

// highlight picks the segment in which most of the query is found and marks it there.
func highlight(x *arabic.Indexer, part []entry.Segment, q arabic.Query) []Fragment {
	var best entry.Segment
	var found []arabic.Span
	most := 0
	for _, seg := range part {
		spans, which := x.Mark(q, seg.Text, seg.Language)
		here := 0
		for _, yes := range which {
			if yes {
				here++
			}
		}
		if here > most {
			best, found, most = seg, spans, here
		}
		if most == len(q.Clauses) {
			break
		}
	}
	if most == 0 {
		return nil
	}
	return fragments(best.Text, found)
}

// fragments cuts the text around the first span.
func fragments(text string, spans []arabic.Span) []Fragment {
	from, to := around(text, spans[0].Start, spans[0].End)
	var out []Fragment
	put := func(s string, found bool) {
		if s != "" {
			out = append(out, Fragment{Text: s, Found: found})
		}
	}
	at := from
	if from > 0 {
		put("…", false)
	}
	for _, sp := range spans {
		if sp.Start < at || sp.End > to {
			continue
		}
		put(text[at:sp.Start], false)
		put(text[sp.Start:sp.End], true)
		at = sp.End
	}
	put(text[at:to], false)
	if to < len(text) {
		put("…", false)
	}
	return out
}

// around widens [start, end) by snippetBytes on each side, to a word's edge when one is near.
func around(text string, start, end int) (from, to int) {
	from, to = max(0, start-snippetBytes), min(len(text), end+snippetBytes)
	if from > 0 {
		if i := strings.IndexAny(text[from:start], " \n\t"); i >= 0 {
			from += i + 1
		}
	}
	if to < len(text) {
		if i := strings.LastIndexAny(text[end:to], " \n\t"); i >= 0 {
			to = end + i
		}
	}
	for from > 0 && !utf8.RuneStart(text[from]) {
		from--
	}
	for to < len(text) && !utf8.RuneStart(text[to]) {
		to++
	}
	return from, to
}

package engine_test

import (
	"testing"

	"github.com/mithaq/mithaq/internal/detect/engine"
	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/index"
)

// TestGroupsAreLookedUpInEachSet gives the same certificate's values again and again: they match as soon as an indicator
// for one of them is there, and no more when it is gone.
func TestGroupsAreLookedUpInEachSet(t *testing.T) {
	names := func(texts ...string) *event.Group {
		g := &event.Group{}
		for _, text := range texts {
			g.Values = append(g.Values, event.Value{Kind: index.Domain, Field: "certificate.san", Text: []byte(text)})
		}
		return g
	}
	set := func(b *index.Builder) *index.Set {
		s, err := index.Build(b, 1)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	id := index.ID{1}
	bad := &index.Builder{}
	src, err := bad.Source(index.Source{Feed: "feed"})
	if err != nil {
		t.Fatal(err)
	}
	if err := bad.Add(index.Domain, []byte("bad.example"), index.Row{Indicator: id, Source: src, Confidence: index.NoConfidence}); err != nil {
		t.Fatal(err)
	}
	store := index.NewStore(set(&index.Builder{}))
	var seen []string
	e := engine.New(store, nil, engine.Options{}, func(m *engine.Match) {
		seen = append(seen, m.Seen.Value)
		for _, also := range m.Also {
			seen = append(seen, also.Value)
		}
	})
	harmless, other := names("good.example", "fine.example"), names("x.example", "bad.example", "BAD.example.")
	show := func(want int) {
		t.Helper()
		seen = seen[:0]
		ev := event.Event{Values: []event.Value{{Kind: index.Domain, Field: "tls.sni", Text: []byte("good.example")}}, Groups: []*event.Group{harmless, other}}
		e.Event(&ev)
		if len(seen) != want {
			t.Errorf("%q, want %d", seen, want)
		}
	}
	show(0)
	show(0)
	if err := store.Apply(bad, nil, 2); err != nil {
		t.Fatal(err)
	}
	show(2)
	show(2)
	if err := store.Apply(&index.Builder{}, []index.ID{id}, 3); err != nil {
		t.Fatal(err)
	}
	show(0)
	if stats := e.Stats(); stats.Events != 5 || stats.Values != 5*6 {
		t.Errorf("%+v", stats)
	}
}

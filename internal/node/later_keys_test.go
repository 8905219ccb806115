package node

import (
	"testing"

	"github.com/mithaq/mithaq/internal/entry"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/store"
)

// TestRecordsUnderLaterKeysAreRead: who may sign depends on the place in the log. What another party signed with a key that its first
// keyring did not have is found by its words and handed to detection like the rest.
func TestRecordsUnderLaterKeysAreRead(t *testing.T) {
	ctx := t.Context()
	n := newTestNode(t)
	mustChange(t, n, KeyChange{Action: "rotate", Role: "officer"})
	r := mustPublish(t, n, Draft{Kind: "intel", TLP: "CLEAR", Body: []byte(`{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000000","objects":[` +
		`{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-000000000001","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z",` +
		`"name":"Heron","pattern":"[domain-name:value = 'a.example']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"}]}`)})
	if err := n.WaitIndexed(ctx, r.Log, r.Index+1); err != nil {
		t.Fatal(err)
	}
	n.book(r.Log).log.Author = n.party.ID // as if it were another's
	if found, err := n.Search(ctx, SearchQuery{Text: "heron"}); err != nil || len(found.Results) != 1 || len(found.Results[0].Snippet) == 0 {
		t.Errorf("by its words: %+v, %v", found, err)
	}
	d, err := n.decideFor(ctx, n.Owner())
	if err != nil {
		t.Fatal(err)
	}
	list, err := n.store.Index().ByID(ctx, r.Record)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	s := sensing{node: n, decision: d, makers: map[int64]*entry.Maker{}}
	if got, err := s.open(ctx, list[0]); err != nil || got.ID != r.Record {
		t.Errorf("for detection: %v, %v", got.ID, err)
	}
	object, err := n.store.Object(ctx, list[0].Object)
	if err != nil {
		t.Fatal(err)
	}
	if e, err := n.entryOf(ctx, ledger.Object{Hash: list[0].Object, Bytes: object, Logs: []ledger.LogInfo{{ID: r.Log}}}); err != nil || e.Standing != store.StandingValid {
		t.Errorf("before it is indexed: %+v, %v", e, err)
	}
}

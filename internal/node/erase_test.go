package node

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
)

// killedErasure brings a node into the state that a kill leaves between the recall and the deed.
func killedErasure(t *testing.T, n *Node, index int64) Receipt {
	t.Helper()
	ctx := context.Background()
	o, l, err := n.openAt(ctx, "own", index)
	if err != nil {
		t.Fatal(err)
	}
	draft, err := recallOf(o.view, Erasure{Reason: "legal"})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.intend(intent{Log: l.ID, From: l.Size}); err != nil {
		t.Fatal(err)
	}
	return mustPublish(t, n, draft)
}

func standing(t *testing.T, n *Node, index int64) string {
	t.Helper()
	got, err := n.Record(context.Background(), n.Owner(), "own", index)
	if err != nil {
		t.Fatal(err)
	}
	return got.Standing
}

func TestAnErasureThatWasKilledIsFinished(t *testing.T) {
	n := newTestNode(t)
	mustPublish(t, n, reportDraft("secret"))
	mustPublish(t, n, reportDraft("kept"))
	killedErasure(t, n, 1)
	n = reopened(t, n)
	if got := standing(t, n, 1); got != StandingErased {
		t.Errorf("after the kill it is %s", got)
	}
	if got := standing(t, n, 2); got != StandingValid {
		t.Errorf("another record is %s", got)
	}
	if _, err := os.Stat(filepath.Join(n.dir, intentName)); !os.IsNotExist(err) {
		t.Errorf("the order was not forgotten: %v", err)
	}
	// Killed before the recall: it never happened.
	if err := n.intend(intent{Log: n.mustOwn(t), From: 4}); err != nil {
		t.Fatal(err)
	}
	n = reopened(t, n)
	if got := standing(t, n, 2); got != StandingValid {
		t.Errorf("without a recall it is %s", got)
	}
	// And another erasure first finishes the one before.
	mustPublish(t, n, reportDraft("third"))
	killedErasure(t, n, 2)
	if _, err := n.Erase(context.Background(), "own", 4, Erasure{Reason: "error"}); err != nil {
		t.Fatal(err)
	}
	for _, index := range []int64{2, 4} {
		if got := standing(t, n, index); got != StandingErased {
			t.Errorf("place %d is %s", index, got)
		}
	}
	if err := os.WriteFile(filepath.Join(n.dir, intentName), []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	shut(t, n)
	_, err := Open(context.Background(), n.dir, OpenOptions{})
	wantCode(t, err, fault.Invalid)
}

func (n *Node) mustOwn(t *testing.T) string {
	t.Helper()
	l, err := n.resolveLog(context.Background(), "own")
	if err != nil {
		t.Fatal(err)
	}
	return l.ID
}

func TestWhatCannotBeErased(t *testing.T) {
	ctx := context.Background()
	n := newTestNode(t)
	act := Draft{Kind: "act", TLP: "CLEAR", Body: []byte(`{"act":"declare","date":"2026-11-01","declarations":[{"en":"x"}]}`)}
	mustPublish(t, n, act)
	for _, index := range []int64{0, 1} {
		_, err := n.Erase(ctx, "own", index, Erasure{Reason: "error"})
		wantCode(t, err, fault.Forbidden)
	}
	_, err := n.Erase(ctx, "own", 7, Erasure{Reason: "error"})
	wantCode(t, err, fault.NotFound)
	mustPublish(t, n, reportDraft("x"))
	_, err = n.Erase(ctx, "own", 2, Erasure{Reason: "mood"})
	wantCode(t, err, fault.Invalid)
	_, err = n.Erase(ctx, "own", 2, Erasure{Reason: "error", Note: "a\x00b"})
	wantCode(t, err, fault.Invalid)
	// A recall of the keyring, put into the log by hand, is not obeyed either.
	keyring, err := n.Record(ctx, n.Owner(), "own", 0)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]string{"target": keyring.Leaf, "action": "erase", "reason": "other"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = n.Publish(ctx, "own", Draft{Kind: "recall", TLP: "CLEAR", Body: body})
	wantCode(t, err, fault.Forbidden)
	putRecall(t, n, body)
	if err := n.obeyErasures(ctx, n.mustOwn(t), 0); err != nil {
		t.Fatal(err)
	}
	for index := range int64(4) {
		if got := standing(t, n, index); got != StandingValid {
			t.Errorf("place %d is %s", index, got)
		}
	}
}

// putRecall appends a recall past what Publish checks, as another version of the program might have.
func putRecall(t *testing.T, n *Node, body []byte) {
	t.Helper()
	id := n.mustOwn(t)
	k, err := n.keyring(id)
	if err != nil {
		t.Fatal(err)
	}
	officer, err := n.officerFor(k, record.KindRecall)
	if err != nil {
		t.Fatal(err)
	}
	rec := record.Record{Agreement: k.Log.Agreement, Author: k.Party, Officer: officer.ID, Kind: record.KindRecall,
		Marking: record.Marking{TLP: record.TLPClear}, Body: body}
	if _, err := n.append(context.Background(), id, rec, officer, uint64(k.Serial), 0, nil); err != nil {
		t.Fatal(err)
	}
}

func TestErasedContentsAreGone(t *testing.T) {
	ctx := context.Background()
	n := newTestNode(t)
	big := reportDraft("small")
	body, err := json.Marshal(map[string]any{"period": map[string]string{"from": "2026-10-01", "to": "2026-10-31"},
		"summary": map[string]string{"en": hex.EncodeToString(make([]byte, 30<<10))}})
	if err != nil {
		t.Fatal(err)
	}
	big.Body = body
	for _, d := range []Draft{reportDraft("small"), big} {
		r := mustPublish(t, n, d)
		if _, err := n.Erase(ctx, "own", r.Index, Erasure{Reason: "legal", Note: "by order"}); err != nil {
			t.Fatal(err)
		}
		_, err := n.RecordBody(ctx, n.Owner(), "own", r.Index)
		wantCode(t, err, fault.Gone)
		_, err = n.Object(ctx, Viewer{Own: true}, "own", r.Index)
		wantCode(t, err, fault.Gone)
		_, err = n.Erase(ctx, "own", r.Index, Erasure{Reason: "legal"})
		wantCode(t, err, fault.Gone)
		if _, err := n.Proof(ctx, "own", r.Index); err != nil {
			t.Errorf("its place can no longer be proved: %v", err)
		}
		recall, err := n.Record(ctx, n.Owner(), "own", r.Index+1)
		if err != nil || recall.Kind != string(record.KindRecall) || recall.Refs[0].Leaf != r.Leaf {
			t.Errorf("%+v, %v", recall, err)
		}
	}
	shut(t, n)
	if got := audited(t, n.dir); got[StandingErased] != 2 || got[StandingValid] != 3 {
		t.Errorf("records: %v", got)
	}
}

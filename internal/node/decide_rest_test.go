package node

import (
	"strings"
	"testing"

	"github.com/mithaq/mithaq/internal/fault"
)

// TestWhatIsLeftOfARecordIsShown: when an author takes single objects back, everybody gets the others as before, nobody the ones taken back,
// and the author is told which.
func TestWhatIsLeftOfARecordIsShown(t *testing.T) {
	ctx := t.Context()
	n := newTestNode(t)
	objects := names("0", "1", "2")
	r := mustPublish(t, n, Draft{Kind: "intel", TLP: "CLEAR", Body: plainBundle(objects)})
	owner, machine, stranger := n.Owner(), Viewer{Own: true}, Viewer{}
	see := func(when string, v Viewer, recalled int, want ...int) RecordView {
		t.Helper()
		got := must(n.Record(ctx, v, "own", r.Index))(t)
		body := strings.TrimSuffix(string(bundleOf(bundlePrefix, "00000000-0000-4000-8000-000000000000", nil, "}")), "]}}")
		for i, o := range want {
			if i > 0 {
				body += ","
			}
			body += string(objects[o].Raw)
		}
		if body += "]}}"; len(want) == 0 {
			body = ""
		}
		if string(got.Body) != body || len(got.Recalled) != recalled || got.Partial != (len(want) > 0 && len(want) < len(objects)) || (len(want) > 0) != (got.Standing == StandingValid) {
			t.Errorf("%s: %+v, body %s, want %s", when, got, got.Body, body)
		}
		return got
	}
	take := func(c Change) Receipt {
		t.Helper()
		return must(n.ChangeRecord(ctx, "own", r.Index, c))(t)
	}
	see("published", stranger, 0, 0, 1, 2)
	recall := take(Change{Action: "withdraw", Reason: "error", Objects: []string{objects[1].ID}})
	see("one taken back, to a stranger", stranger, 0, 0, 2)
	see("one taken back, to a machine of the author's", machine, 1, 0, 2)
	got := see("one taken back, to the author", owner, 1, 0, 2)
	if got.Recalled[0] != (RecalledView{objects[1].ID, recall.Leaf}) || !strings.Contains(got.Why, recall.Leaf) || len(got.WhyIn) != 3 {
		t.Errorf("the author is told %+v", got)
	}
	if _, err := n.RecordBody(ctx, owner, "own", r.Index); fault.CodeOf(err) != fault.Forbidden {
		t.Errorf("the exact bytes: %v", err)
	}
	if list := must(n.Records(ctx, stranger, "own", r.Index, 1))(t); !list[0].Partial || list[0].Body != nil {
		t.Errorf("in the list: %+v", list[0])
	}
	take(Change{Action: "narrow", Reason: "source", TLP: "AMBER", Objects: []string{objects[2].ID}})
	see("another narrowed, to a stranger", stranger, 0, 0)
	see("another narrowed, to the author", owner, 1, 0, 2)
	take(Change{Action: "withdraw", Reason: "error", Objects: []string{objects[0].ID, objects[2].ID}})
	see("all taken back", owner, 0)
}

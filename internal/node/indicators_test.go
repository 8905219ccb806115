package node

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/detect/feed"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// indicators makes a bundle; each is "N" or "N marking-definition--…".
func indicators(modified string, list ...string) []byte {
	var objects []string
	for _, one := range list {
		n, marking, marked := strings.Cut(one, " ")
		more := ""
		if marked {
			more = `,"object_marking_refs":["` + marking + `"]`
		}
		objects = append(objects, fmt.Sprintf(`{"type":"indicator","spec_version":"2.1","id":"%s","created":"2026-01-01T00:00:00.000Z","modified":"%s","indicator_types":["malicious-activity"],"pattern":"[domain-name:value = 'x%s.example']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"%s}`,
			indicatorID(n), modified, n, more))
	}
	return []byte(`{"type":"bundle","id":"bundle--3b1e6f0a-5d0c-4a38-8e21-7a1f2b3c4d5e","objects":[` + strings.Join(objects, ",") + `]}`)
}

func indicatorID(n string) string { return "indicator--9d2b6f3c-7c3e-4f58-9a40-00000000000" + n }

// following is a reader that keeps its cursor.
type following struct {
	t      *testing.T
	n      *Node
	cursor string
}

// next tells what the changes since are: +N for an indicator, -N for one gone, -record, ?N for verdicts, ! for a reset.
func (f *following) next() string {
	f.t.Helper()
	var out []string
	for {
		page, err := f.n.Indicators(context.Background(), f.cursor)
		if err != nil {
			f.t.Fatal(err)
		}
		f.cursor = page.Cursor
		if page.Reset {
			out = append(out, "!")
		}
		for _, c := range page.Changes {
			out = append(out, changeText(c))
		}
		if !page.More {
			slices.Sort(out)
			return strings.Join(out, " ")
		}
	}
}

func changeText(c feed.Changed) string {
	n := strings.TrimPrefix(c.ID, indicatorID(""))
	switch {
	case c.Gone && c.ID == "":
		return "-record"
	case c.Gone:
		return "-" + n
	case c.Verdicts != nil:
		return fmt.Sprintf("?%s:%d/%d/%d", n, c.Verdicts.Confirmed, c.Verdicts.Refused, c.Verdicts.Partners)
	}
	return "+" + n
}

func (f *following) want(what, want string) {
	f.t.Helper()
	if got := f.next(); got != want {
		f.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// TestIndicatorsFollowDecisions: each indicator is decided on, and every change of the answer is a change.
func TestIndicatorsFollowDecisions(t *testing.T) {
	ctx, n := context.Background(), newTestNode(t)
	f := &following{t: t, n: n}
	f.want("nothing yet", "!")
	f.want("still nothing", "")
	red := " marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
	mixed := Draft{Kind: "intel", TLP: "TLP:GREEN", Body: indicators("2026-01-02T00:00:00.000Z", "1", "2", "3"+red)}
	_, err := n.Publish(ctx, "own", mixed)
	wantCode(t, err, fault.Invalid) // who may have the record would have the third
	_, err = n.Preview(ctx, "own", mixed)
	wantCode(t, err, fault.Invalid)
	mixed.Body, mixed.checked = wrapBundle(mixed.Body), true // as another program might sign it
	first := mustPublish(t, n, mixed)
	f.want("what is marked RED by itself is for persons", "+1 +2")
	second := mustPublish(t, n, Draft{Kind: "intel", TLP: "TLP:GREEN", Body: indicators("2026-01-01T00:00:00.000Z", "1")})
	f.want("another record with the same indicator", "+1")
	if _, err := n.ChangeRecord(ctx, "own", first.Index, Change{Action: "narrow", Reason: "error", Objects: []string{indicatorID("1")}}); err != nil {
		t.Fatal(err)
	}
	f.want("an indicator of a record is recalled: what is left comes back", "+1 +2 -record")
	if _, err := n.ChangeRecord(ctx, "own", second.Index, Change{Action: "withdraw", Reason: "error"}); err != nil {
		t.Fatal(err)
	}
	f.want("the other record is recalled", "-record")
	fresh := &following{t: t, n: n}
	fresh.want("who begins now", "! +2")
	mustPublish(t, n, Draft{Kind: "intel", TLP: "TLP:RED", Persons: []string{n.Owner().Person}, Body: indicators("2026-01-02T00:00:00.000Z", "4")})
	f.want("a RED record is for persons, not for a machine", "")

	if _, err := n.AddSightings(ctx, []FoundSighting{{Indicator: indicatorID("2"), Record: first.Leaf, Count: 300, First: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Last: time.Date(2026, 3, 5, 1, 0, 0, 0, time.UTC)}}); err != nil {
		t.Fatal(err)
	}
	waiting, err := n.Sightings(ctx, store.SightingWaiting)
	if err != nil || len(waiting) != 1 || waiting[0].First != "2026-03-04" || waiting[0].Author != n.party.ID {
		t.Fatalf("%+v, %v", waiting, err)
	}
	_, err = n.ApproveSighting(ctx, waiting[0].ID, SightingVerdict{Victim: "the port authority"})
	wantCode(t, err, fault.Forbidden)
	if shown, err := n.Sighting(ctx, waiting[0].ID); err != nil || shown.Victim == nil || shown.Victim.Allowed || shown.Victim.Hosts != nil || len(shown.Victim.Why["ar"]) < 2 {
		t.Errorf("%+v, %v", shown.Victim, err)
	}
	done, err := n.ApproveSighting(ctx, waiting[0].ID, SightingVerdict{})
	if err != nil || done.State != store.SightingApproved || done.Leaf == "" {
		t.Fatalf("%+v, %v", done, err)
	}
	_, err = n.ApproveSighting(ctx, waiting[0].ID, SightingVerdict{})
	wantCode(t, err, fault.Conflict)
	f.want("a person's verdict", "?2:1/0/0")
	p, err := n.Find(ctx, done.Leaf)
	if err != nil {
		t.Fatal(err)
	}
	sent, err := n.Record(ctx, n.Owner(), p.Log, p.Index)
	if err != nil {
		t.Fatal(err)
	}
	said, err := record.Parse[record.Sighting](record.Record{Kind: record.KindSighting, Body: []byte(sent.Body)})
	if err != nil || said.Count != 256 || said.First != "2026-03-04" || said.Target != first.Leaf || len(said.Note) > 0 || sent.TLP != "TLP:AMBER" {
		t.Errorf("%+v %+v, %v", said, sent, err)
	}
	_, err = n.AddSightings(ctx, []FoundSighting{{Indicator: indicatorID("9"), Record: first.Leaf, Count: 1}})
	wantCode(t, err, fault.NotFound)
	_, err = n.Indicators(ctx, "nonsense")
	wantCode(t, err, fault.Invalid)
}

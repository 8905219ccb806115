package node

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/store"
	"github.com/mithaq/mithaq/taxii"
)

// TestTypesBothWays asks for types when there are few of them and as if there were many: the answers are the same, in versions,
// under views and on later pages as well.
func TestTypesBothWays(t *testing.T) {
	ctx := context.Background()
	n := newTestNode(t)
	object := func(typ string, i int, modified string) taxii.Object {
		more := map[string]string{"identity": `"identity_class":"group","name":"a"`, "tool": `"name":"a"`, "campaign": `"name":"a"`}[typ]
		raw := fmt.Appendf(nil, `{"type":%q,"spec_version":"2.1","id":"%s--00000000-0000-4000-8000-%012d","created":"2026-01-01T00:00:00.000Z","modified":%q,%s}`, typ, typ, i, modified, more)
		o, err := taxii.ReadObject(raw)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	b, owner := collections{n}, account.TAXIICaller{Owner: true}
	c := must(b.list(ctx, owner))(t)[0]
	at := taxii.Place{Root: TAXIIRoot, Collection: c.id()}
	for batch := range 4 {
		var list []taxii.Object
		for i := range 30 {
			list = append(list, object([]string{"identity", "identity", "identity", "tool", "campaign"}[i%5], batch/2*30+i, fmt.Sprintf("2026-01-0%dT00:00:00.000Z", batch+1)))
		}
		status := must(b.Add(ctx, owner, at, taxii.Submission{Objects: list, Received: time.Now()}))(t)
		if status.SuccessCount != len(list) {
			t.Fatalf("%+v", status)
		}
	}
	info := must(n.reader.Log(ctx, c.log))(t)
	if err := n.WaitIndexed(ctx, c.log, info.Size); err != nil {
		t.Fatal(err)
	}
	all := must(b.Objects(ctx, owner, at, taxii.Query{Filter: taxii.Filter{Versions: taxii.Versions{All: true}}, Limit: 1000, MaxBytes: 1 << 20}))(t)
	if len(all.Entries) != 120 {
		t.Fatalf("%d objects", len(all.Entries))
	}
	for i, q := range []taxii.Query{
		{Filter: taxii.Filter{Types: []string{"tool"}}}, {Filter: taxii.Filter{Types: []string{"tool", "campaign", "tool"}}}, {Filter: taxii.Filter{Types: []string{"none"}}},
		{Filter: taxii.Filter{Types: []string{"tool"}, Versions: taxii.Versions{All: true}}}, {Filter: taxii.Filter{Types: []string{"tool"}, Versions: taxii.Versions{First: true}}},
		{Filter: taxii.Filter{Types: []string{"identity"}, AddedAfter: all.Entries[60].DateAdded}}, {Filter: taxii.Filter{Types: []string{"campaign"}}, After: all.Entries[90].DateAdded}, {},
	} {
		for _, view := range []*View{nil, {Types: []string{"tool", "identity"}}} {
			in := c
			in.view = view
			answer := func(few int) (dates []int64) {
				s := must(n.query(ctx, owner, in, q))(t)
				s.few = few
				if err := s.each(ctx, func(p store.Placed) (bool, error) { dates = append(dates, p.Date); return true, nil }); err != nil {
					t.Fatal(err)
				}
				return dates
			}
			looked, gone := answer(fewOfTypes), answer(0)
			if !slices.Equal(looked, gone) {
				t.Errorf("query %d, view %v: %d looked up, %d by going through", i, view, len(looked), len(gone))
			}
			if len(q.Types) == 1 && q.Types[0] == "tool" && len(looked) == 0 {
				t.Errorf("query %d: nothing was found", i)
			}
		}
	}
}

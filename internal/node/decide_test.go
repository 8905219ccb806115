package node

import (
	"context"
	"strings"
	"testing"
)

// A stranger gets nothing but CLEAR, a machine of the party nothing RED, and the named officer all of it.
func TestWhoMayHaveWhat(t *testing.T) {
	ctx := context.Background()
	n := newTestNode(t)
	owner := n.Owner()
	if !owner.Own || owner.Person == "" {
		t.Fatalf("the owner is %+v", owner)
	}
	machine, stranger := Viewer{Own: true}, Viewer{}
	body := []byte(`{"period":{"from":"2026-10-01","to":"2026-10-31"},"summary":{"en":"Quiet."}}`)
	for _, c := range []struct {
		tlp                        string
		persons                    []string
		toOwner, toMachine, toRest bool
	}{
		{"TLP:CLEAR", nil, true, true, true},
		{"TLP:GREEN", nil, true, true, false},
		{"TLP:AMBER+STRICT", nil, true, true, false},
		{"TLP:RED", []string{owner.Person}, true, false, false},
	} {
		r, err := n.Publish(ctx, "own", Draft{Kind: "report", TLP: c.tlp, Persons: c.persons, Body: body})
		if err != nil {
			t.Fatal(err)
		}
		for _, who := range []struct {
			name string
			v    Viewer
			want bool
		}{{"owner", owner, c.toOwner}, {"machine", machine, c.toMachine}, {"stranger", stranger, c.toRest}} {
			got, err := n.Record(ctx, who.v, "own", r.Index)
			if err != nil {
				t.Fatal(err)
			}
			if shown := got.Standing == StandingValid && len(got.Body) > 0; shown != who.want {
				t.Errorf("%s to the %s: %s (%s)", c.tlp, who.name, got.Standing, got.Why)
			}
			if !who.want && (len(got.Body) > 0 || got.ID != "" || !strings.HasPrefix(got.Why, "Denied")) {
				t.Errorf("%s to the %s tells more than its place: %+v", c.tlp, who.name, got)
			}
		}
	}
}

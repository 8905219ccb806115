package node

import (
	"context"
	"fmt"
	"testing"
)

func bundleWith(n int, values ...string) []byte {
	text := fmt.Sprintf(`{"type":"bundle","id":"bundle--00000000-0000-4000-8000-%012d","objects":[`, n)
	for i, v := range values {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprintf(`{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-%012d","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z",`+
			`"valid_from":"2026-01-01T00:00:00Z","pattern_type":"stix","pattern":"[domain-name:value = '%s']"}`, 1000*n+i, v)
	}
	return []byte(text + "]}")
}

// A value that stands everywhere tells nothing, and that is said instead of a list.
func TestCommonValuesAreCapped(t *testing.T) {
	ctx := context.Background()
	n := newTestNode(t)
	const records = maxPlaces + 3
	for i := range records {
		values := []string{"common.example", fmt.Sprintf("only%d.example", i)}
		if i < 2 {
			values = append(values, "rare.example")
		}
		if _, err := n.Publish(ctx, "own", Draft{Kind: "intel", TLP: "GREEN", Body: bundleWith(i, values...)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.awaitCollections(ctx); err != nil {
		t.Fatal(err)
	}
	c, err := n.Correlate(ctx, Viewer{Own: true}, "own", 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Values) != 2 || c.Values[0].Value != "common.example" || !c.Values[0].Capped || len(c.Values[0].Others) != 0 {
		t.Errorf("%+v", c)
	}
	if r := c.Values[1]; r.Value != "rare.example" || r.Capped || len(r.Others) != 1 || r.Others[0].Index != 2 || r.Others[0].How != "same" {
		t.Errorf("%+v", r)
	}
	if c, err := n.Correlate(ctx, Viewer{}, "own", 1); err != nil || len(c.Values) > 0 {
		t.Errorf("a stranger is told %+v (%v)", c, err)
	}
}

package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/stix/pattern"
)

func planOf(t interface{ Fatal(...any) }, text string) *Plan {
	parsed, err := pattern.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Compile(parsed)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestWaitingOutlivesTheStream: cut anywhere, saved and restored, a stream says of every later observation what it would have said.
func TestWaitingOutlivesTheStream(t *testing.T) {
	p := planOf(t, "([domain-name:value = 'a.example'] FOLLOWEDBY [network-traffic:dst_port = 443 AND network-traffic:protocols[*] = 'tcp']) WITHIN 60 SECONDS")
	rapid.Check(t, func(t *rapid.T) {
		whole, cut := NewStream(Limits{}), NewStream(Limits{})
		at := int64(1000)
		for n := range rapid.IntRange(1, 30).Draw(t, "observations") {
			at += rapid.Int64Range(-20, 40).Draw(t, "step")
			properties, kind := map[string]any{"value": rapid.SampledFrom([]string{"a.example", "b.example"}).Draw(t, "name")}, "domain-name"
			if rapid.Bool().Draw(t, "traffic") {
				kind, properties = "network-traffic", map[string]any{"dst_port": rapid.SampledFrom([]int64{80, 443}).Draw(t, "port"), "protocols": []any{"tcp", "tls"}}
			}
			when := time.Unix(at, 0).UTC()
			o := pattern.Observation{ID: fmt.Sprint(n), First: when, Last: when, Number: 1, Objects: []*pattern.Object{{ID: "x", Type: kind, Properties: properties}}}
			key := rapid.SampledFrom([]string{"10.0.0.1", "10.0.0.2"}).Draw(t, "host")
			if rapid.Bool().Draw(t, "restart") {
				saved := cut.Save()
				cut = NewStream(Limits{})
				if err := cut.Restore(saved); err != nil {
					t.Fatal(err)
				}
				if rapid.Bool().Draw(t, "again") { // what waits is read once more
					for _, st := range cut.states {
						st := st.Value.(*state)
						for _, o := range slices.Clone(st.waiting) {
							if found := cut.Event(index.ID{1}, p, st.key, o); found != nil {
								t.Fatalf("what was read again matched: %v", found)
							}
						}
					}
				}
			}
			names := func(list []pattern.Observation) (out []string) {
				for _, o := range list {
					out = append(out, o.ID)
				}
				return out
			}
			want, got := names(whole.Event(index.ID{1}, p, key, o)), names(cut.Event(index.ID{1}, p, key, o))
			if strings.Join(want, " ") != strings.Join(got, " ") || whole.Waiting() != cut.Waiting() {
				t.Fatalf("%v and %d waiting, want %v and %d", got, cut.Waiting(), want, whole.Waiting())
			}
		}
	})
}

func TestDamagedWaitingIsTold(t *testing.T) {
	p := planOf(t, "[domain-name:value = 'a.example'] AND [domain-name:value = 'b.example']")
	s := NewStream(Limits{})
	s.Event(index.ID{1}, p, "10.0.0.1", pattern.Observation{ID: "1", Number: 1, Objects: []*pattern.Object{{ID: "x", Type: "domain-name", Properties: map[string]any{"value": "a.example"}}}})
	saved := s.Save()
	for _, bad := range []string{"", "nonsense", string(saved[:len(saved)-2]), strings.Replace(string(saved), "a.example", "b.example", 1), strings.Replace(string(saved), "waiting/1", "waiting/2", 1)} {
		if err := NewStream(Limits{}).Restore([]byte(bad)); !errors.Is(err, ErrSaved) {
			t.Errorf("%.40q: %v", bad, err)
		}
	}
	again := NewStream(Limits{})
	if err := again.Restore(saved); err != nil || again.Waiting() != 1 {
		t.Errorf("%d wait, %v", again.Waiting(), err)
	}
	few := NewStream(Limits{States: 1, Observations: 1, Total: 1})
	if err := few.Restore(saved); err != nil || few.Waiting() > 1 {
		t.Errorf("%d wait, %v", few.Waiting(), err)
	}
}

func FuzzRestore(f *testing.F) {
	f.Add([]byte(`{"indicator":"indicator--9d2b6f3c-7c3e-4f58-9a40-1b2c3d4e5f60","key":"10.0.0.1","newest":"2026-01-01T00:00:00Z","waiting":[{"id":"1","first":"2026-01-01T00:00:00Z","last":"2026-01-01T00:00:00Z","number":1,"objects":[{"ID":"x","Type":"domain-name","Properties":{"value":"a.example","n":[1,2.5,{"m":1e400}]}}]}]}` + "\n"))
	f.Add([]byte(`{"indicator":"indicator--9d2b6f3c-7c3e-4f58-9a40-1b2c3d4e5f60","waiting":[{"objects":[null]}]}`))
	p := planOf(f, "[domain-name:value = 'a.example'] AND [domain-name:value = 'b.example']")
	f.Fuzz(func(_ *testing.T, body []byte) {
		sum := sha256.Sum256(body)
		s := NewStream(Limits{})
		if s.Restore(append([]byte(savedHead+hex.EncodeToString(sum[:])+"\n"), body...)) != nil {
			return
		}
		id, _ := index.ParseID("indicator--9d2b6f3c-7c3e-4f58-9a40-1b2c3d4e5f60")
		s.Event(id, p, "10.0.0.1", pattern.Observation{Number: 1, Objects: []*pattern.Object{{ID: "x", Type: "domain-name", Properties: map[string]any{"value": "b.example"}}}})
		s.Save()
	})
}

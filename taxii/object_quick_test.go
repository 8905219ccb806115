package taxii

import (
	"strings"
	"testing"

	"github.com/mithaq/mithaq/stix"
)

// FuzzReadQuickly: what is read quickly is what reading goes the long way finds too.
func FuzzReadQuickly(f *testing.F) {
	const id = `"id":"identity--00000000-0000-4000-8000-000000000000"`
	for _, seed := range []string{`{` + id + `,"type":"identity"}`, `{` + id + `,"type":1}`, `{"a":1,"\u0061":2}`, `{"id":"\ud800"}`, "{\"id\":\"\xff\"}",
		`{"type":"a","type":"b"}`, `{"created":"\u0032024"} `, `{"a":[1,2,{"id":1}]}x`, `{"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`, `{"a":1e-400}`, `{"a":01}`, `{}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var quick, long header
		if len(raw) == 0 || raw[0] != '{' || !quick.readQuickly(new(stix.Reader), raw) {
			return
		}
		if _, reason := measure(raw); reason != "" {
			return
		}
		if err := long.read(raw); err != nil || quick != long {
			t.Errorf("%q: %+v, want %+v, %v", raw, quick, long, err)
		}
	})
}

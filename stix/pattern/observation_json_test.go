package pattern_test

import (
	"encoding/json"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mithaq/mithaq/stix/pattern"
)

// writeAndRead checks that observations come back as they were.
func writeAndRead(t *testing.T, name string, list []pattern.Observation) {
	t.Helper()
	written, err := json.Marshal(list)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var again []pattern.Observation
	if err := json.Unmarshal(written, &again); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(list)+len(again) > 0 && !reflect.DeepEqual(list, again) {
		t.Errorf("%s: %+v is read as %+v from %s", name, list, again, written)
	}
}

// TestObservationsAreWrittenWhole: what was read of STIX comes back with all that is needed for references, and numbers as they were.
func TestObservationsAreWrittenWhole(t *testing.T) {
	for _, dir := range suites() {
		seen := map[string]bool{}
		for _, c := range readLines[verdictCase](t, filepath.Join(dir, "cases.jsonl")) {
			if seen[c.Observations] {
				continue
			}
			seen[c.Observations] = true
			text, err := os.ReadFile(filepath.Join(dir, c.Observations))
			if err != nil {
				t.Fatal(err)
			}
			if list, err := pattern.ParseObservations(text); err == nil {
				writeAndRead(t, c.Observations, list)
			}
		}
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 1000, time.UTC)
	deep := any("bottom")
	for range 98 {
		deep = []any{deep}
	}
	writeAndRead(t, "values", []pattern.Observation{{ID: "1", First: at, Last: at, Number: 2, Objects: []*pattern.Object{{ID: "x", Type: "file", Properties: map[string]any{
		"one": int64(1), "float": 1.0, "small": 1e-300, "most": math.Inf(1), "least": math.Inf(-1), "big": new(big.Int).Lsh(big.NewInt(1), 200), "null": nil,
		"list": []any{true, "<a>\u0000", map[string]any{}}, "deep": deep}}}}})
	for _, bad := range []string{`1`, `{}`, `{"first":"2026-01-01T00:00:00Z","last":"x"}`, `{"first":"2026-01-01T00:00:00Z","last":"2026-01-01T00:00:00Z","objects":[null]}`,
		`{"first":"2026-01-01T00:00:00Z","last":"2026-01-01T00:00:00Z","data":1}`, `{"first":"2026-01-01T00:00:00Z","last":"2026-01-01T00:00:00Z","x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`} {
		var o pattern.Observation
		if err := json.Unmarshal([]byte(bad), &o); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
}

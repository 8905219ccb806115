package node

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/internal/store"
)

// TestPackedSpans packs and unpacks: what comes out of a part is the part.
func TestPackedSpans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var spans []store.STIXSpan
		end := 0
		for i := range rapid.IntRange(0, 50).Draw(t, "n") {
			s := store.STIXSpan{Ord: i, Offset: end + rapid.IntRange(0, 1<<20).Draw(t, "gap"), Length: rapid.IntRange(0, 1<<20).Draw(t, "length")}
			end = s.Offset + s.Length
			spans = append(spans, s)
		}
		packed, ok := packSpans(spans)
		if !ok {
			t.Fatal("not packed")
		}
		from := rapid.IntRange(0, len(spans)).Draw(t, "from")
		to := rapid.IntRange(from, len(spans)+3).Draw(t, "to")
		if got := unpackSpans(packed, from, to); !slices.Equal(got, spans[from:min(to, len(spans))]) {
			t.Fatalf("%v, want %v", got, spans[from:min(to, len(spans))])
		}
	})
	for _, odd := range [][]store.STIXSpan{{{Ord: 1}}, {{Ord: 0, Offset: 5, Length: 5}, {Ord: 1, Offset: 9}}, {{Length: -1}}} {
		if _, ok := packSpans(odd); ok {
			t.Errorf("%v was packed", odd)
		}
	}
}

// TestScanSpans finds objects in a payload as JSON has them.
func TestScanSpans(t *testing.T) {
	const list = `{"a":"}\\","b":[{"c":"\"]"}],"d":"","e":"\\\""} ,
		{}, {"x":{"y":[]}}`
	payload := []byte(`{"body":{"bundle":{"objects":[` + list + `],"z":{}}}}`)
	first := len(`{"body":{"bundle":{"objects":[`)
	var objects []json.RawMessage
	if err := json.Unmarshal([]byte("["+list+"]"), &objects); err != nil {
		t.Fatal(err)
	}
	extent := store.STIXExtent{Count: len(objects), First: first}
	at := first
	for _, o := range objects {
		at += bytes.Index(payload[at:], o)
		extent.Offsets, extent.Lengths = extent.Offsets+at, extent.Lengths+len(o)
		at += len(o)
	}
	spans, ok := scanSpans(payload, extent)
	if !ok || len(spans) != 3 {
		t.Fatalf("%+v, %v", spans, ok)
	}
	for i, s := range spans {
		if string(payload[s.Offset:s.Offset+s.Length]) != string(objects[i]) {
			t.Errorf("object %d is %s", i, payload[s.Offset:s.Offset+s.Length])
		}
	}
	for _, wrong := range []store.STIXExtent{{Count: 4, First: first}, {Count: 1, First: first}, {Count: 3, First: first - 1}, {Count: 1, First: -1}, {Count: 1, First: 1 << 30}} {
		if _, ok := scanSpans(payload, wrong); ok {
			t.Errorf("%+v was taken", wrong)
		}
	}
}

// TestSpanCache keeps within its bound and what was asked for last.
func TestSpanCache(t *testing.T) {
	var c spanCache
	big := make([]byte, spansBytes/16)
	for no := range int64(100) {
		c.keep(no, big)
		if _, ok := c.get(no); !ok {
			t.Fatalf("%d is not there", no)
		}
		if _, ok := c.get(0); !ok {
			t.Fatalf("0 was forgotten at %d although it is asked for", no)
		}
		if held := len(c.young) + len(c.old); held*len(big) > spansBytes {
			t.Fatalf("%d are kept", held)
		}
	}
	if _, ok := c.get(1); ok {
		t.Error("1 is still there")
	}
	c.keep(1000, make([]byte, spansBytes))
	if _, ok := c.get(1000); ok {
		t.Error("what is over the bound was kept")
	}
}

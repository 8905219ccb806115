package stix

import (
	"fmt"
	"strings"
	"testing"
)

// TestReaderForgetsTheValueBefore: one Reader reads like a fresh one each time, and tells where things stand.
func TestReaderForgetsTheValueBefore(t *testing.T) {
	var r Reader
	for _, src := range []string{`{"a":["x",{"b":"\u00e9"}],"c":1}`, `[]`, `"text"`, ` {"a":{}}`, `[` + strings.Repeat(`1,`, 2*keptNodes) + `1]`, `{"z":null}`} {
		v, err := r.Read([]byte(src), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		fresh, err := OpenValue([]byte(src), Limits{})
		if err != nil || describeValue(v, src) != describeValue(fresh, src) {
			t.Errorf("%.60s: %s, %v", src, describeValue(v, src), err)
		}
	}
	if _, err := r.Read([]byte(`{"a":`), Limits{}); err == nil {
		t.Error("half an object was read")
	}
	if _, err := r.Read([]byte(`[1e999]`), Limits{}); err == nil {
		t.Error("a number beyond a double was taken without being asked for")
	}
	if v, err := r.Read([]byte(`[1e999]`), Limits{AnyNumber: true}); err != nil || v.Len() != 1 {
		t.Errorf("any number: %v", err)
	}
}

func describeValue(v Value, src string) string {
	if v.IsString() && (!v.Is(v.Text()) || string(v.TextBytes()) != v.Text()) {
		return "two texts"
	}
	if !strings.HasPrefix(src[v.Start():], string(v.Raw())) {
		return "it stands elsewhere"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%q %d", v.Text(), v.Start())
	for name, inner := range v.Children() {
		fmt.Fprintf(&b, " %q(%s)", name, describeValue(inner, src))
	}
	return b.String()
}

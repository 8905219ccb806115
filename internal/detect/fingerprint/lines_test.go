package fingerprint

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/internal/detect/hello"
)

// reference is what Lines has to write.
func reference(t interface{ Fatal(...any) }, e *Event) string {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func line(e *Event) string {
	var out bytes.Buffer
	l := NewLines(&out)
	l.Add(*e)
	l.Add(*e) // the chains out of memory
	half := out.Len() / 2
	if out.String()[:half] != out.String()[half:] {
		return "the second differs: " + out.String()
	}
	return out.String()[:half]
}

// texts are strings as hostile hellos and certificates hold them, among any others.
func texts() *rapid.Generator[string] {
	bad := []string{"", "\"", "\\", "</script>&", "\u2028\u2029", "\x00\x1f\x7f", "\xff\xfe", "\xed\xa0\x80", "\ufffd", "a\xe2\x80", "\b\f\n\r\t", "plain text of many letters", "exactly8", "seven78\"", "\xf0\x9f\x92\xa9", "bücher.example"}
	any := rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bytes")) })
	parts := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(bad), any, rapid.String()), 0, 4)
	return rapid.Custom(func(t *rapid.T) string {
		s := ""
		for _, p := range parts.Draw(t, "parts") {
			s += p
		}
		return s
	})
}

// fill puts something drawn into every exported field, so that a field added later is tested, too.
func fill(t *rapid.T, v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time:
		at := time.Unix(rapid.Int64Range(-62_167_219_200, 253_402_300_799).Draw(t, "seconds"), rapid.SampledFrom([]int64{0, 1, 120_000_000, 999_999_999, 1000}).Draw(t, "nanos"))
		v.Set(reflect.ValueOf(at.UTC()))
		return
	case netip.Addr:
		b := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "address")
		a := netip.AddrFrom16([16]byte(b))
		if rapid.Bool().Draw(t, "4") {
			a = netip.AddrFrom4([4]byte(b))
		}
		v.Set(reflect.ValueOf(a))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(texts().Draw(t, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, "int"))
	case reflect.Uint16:
		v.SetUint(uint64(rapid.Uint16().Draw(t, "port")))
	case reflect.Pointer:
		if rapid.Bool().Draw(t, "there") {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem())
		}
	case reflect.Slice:
		if n := rapid.IntRange(-1, 3).Draw(t, "n"); n >= 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(t, v.Index(i))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(t, v.Field(i))
			}
		}
	default:
		t.Fatalf("nothing is drawn for %s", v.Type())
	}
}

// TestLinesAreEncodingJSON: every event gives the bytes that encoding/json gives.
func TestLinesAreEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var e Event
		fill(t, reflect.ValueOf(&e).Elem())
		if got, want := line(&e), reference(t, &e); got != want {
			t.Fatalf("%s\n%s", got, want)
		}
	})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		events, _ := runBytes(t, captureOf(segmentsOf(handshake(t, version, nil), 1460)), Options{})
		for i := range events {
			if got, want := line(&events[i]), reference(t, &events[i]); got != want {
				t.Errorf("%s\n%s", got, want)
			}
		}
	}
}

// TestLinesAllocateNothing once their room is made.
func TestLinesAllocateNothing(t *testing.T) {
	events, _ := runBytes(t, captureOf(segmentsOf(handshake(t, tls.VersionTLS12, nil), 1460)), Options{})
	var out bytes.Buffer
	l := NewLines(&out)
	if n := testing.AllocsPerRun(100, func() { out.Reset(); l.Add(events[0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzQuoted(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\\x00\u2028\xff", "exactly8exactly8\x7f", "\ud7ff\ufffd"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var out bytes.Buffer
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(s); err != nil {
			t.Fatal(err)
		}
		if got := hello.AppendQuoted(nil, s); string(got)+"\n" != out.String() {
			t.Errorf("%s, not %s", got, out.String())
		}
	})
}

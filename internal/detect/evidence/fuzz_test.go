package evidence_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"net/netip"
	"testing"

	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/evidence"
	"github.com/mithaq/mithaq/internal/detect/index"
)

// FuzzHistory shows a small history events of any kind at any time. Its signs have a name, a reason and a finite weight, and
// it keeps no more than it has room for.
func FuzzHistory(f *testing.F) {
	f.Add([]byte("0123456789abcdef0123456789abcdef"))
	f.Add(make([]byte, 300))
	f.Add(append([]byte("0000"), bytes.Repeat([]byte("o"), 1200)...)) // times that run over
	f.Fuzz(func(t *testing.T, text []byte) {
		h := evidence.New(evidence.Options{Seed: 1, Destinations: 4, Series: 4, Calls: 64, Names: 4, Settled: 1})
		var ev event.Event
		var signs []evidence.Sign
		at := int64(0)
		for n := int64(1); len(text) >= 12; n, text = n+1, text[12:] {
			ev.Reset()
			ev.File, ev.Format, ev.Line = "f", []string{"zeek-json", "packets"}[text[0]&1], n
			ev.Log = []string{"dns", "conn", "flow", "flow-end", "tls", ""}[int(text[1])%6]
			at += int64(int32(binary.LittleEndian.Uint32(text[2:]))) << (text[0] >> 2)
			ev.Time, ev.Facts.Begin = at, at*int64(text[0]>>1&1)
			ev.Facts.Bytes, ev.Facts.Duration = int64(int8(text[6]))<<40, int64(int8(text[7]))<<50
			if text[8]&1 == 1 {
				ev.Src = netip.AddrFrom4([4]byte{10, 0, 0, text[8]})
			}
			if text[9]&1 == 1 {
				ev.Dst, ev.DstPort = netip.AddrFrom4([4]byte{192, 0, 2, text[9] & 7}), uint16(text[10])
			}
			ev.AddString(index.Domain, []string{"query", "tls.sni", "host", "x"}[text[10]&3], string(text[10:11]))
			ev.AddString(index.JA3, "ja3", string(text[11:12]))
			ev.AddString(index.Address, "answers", []string{"192.0.2.1", "no address", ""}[int(text[11])%3])
			h.Observe(&ev)
			signs = h.Signs(signs[:0], &ev)
			for _, s := range signs {
				if s.Name == "" || s.Why == "" || math.IsNaN(s.Weight) || math.IsInf(s.Weight, 0) {
					t.Fatalf("%+v", s)
				}
			}
			if series, calls, _ := h.Calls(); series > 4 || calls > 64+128 {
				t.Fatalf("%d series, %d calls", series, calls)
			}
		}
		h.Beacons(func(b evidence.Beacon) {
			if len(b.Signs) == 0 || len(b.Signs[len(b.Signs)-1].Rows) == 0 {
				t.Errorf("%+v", b)
			}
		})
	})
}

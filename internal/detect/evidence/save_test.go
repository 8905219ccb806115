package evidence

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/index"
)

func small(seed uint64) Options {
	return Options{Seed: seed, Destinations: 4, Series: 5, Calls: 64, Names: 8, Settled: 1}
}

// anyEvent draws an event of a small network.
func anyEvent(t *rapid.T, n int) *event.Event {
	ev := &event.Event{Time: rapid.Int64Range(0, 1<<40).Draw(t, "time") * 1e6}
	ev.File, ev.Format, ev.Line = fmt.Sprint("f", n/50), "zeek-json", int64(n)
	ev.Log = rapid.SampledFrom([]string{"dns", "ssl", "conn"}).Draw(t, "log")
	ev.Src = netip.AddrFrom4([4]byte{10, 0, 0, rapid.Byte().Draw(t, "src") % 20})
	ev.Dst, ev.DstPort = netip.AddrFrom4([4]byte{192, 0, 2, rapid.Byte().Draw(t, "dst") % 20}), 443
	ev.Facts.Bytes, ev.Facts.Duration = rapid.Int64Range(0, 1<<33).Draw(t, "bytes"), rapid.Int64Range(0, 1e12).Draw(t, "duration")
	name := rapid.SampledFrom([]string{"a.example", "b.example", "c.example"}).Draw(t, "name")
	if ev.Log == "dns" {
		ev.AddString(index.Domain, "query", name)
		ev.AddString(index.Address, "answers", ev.Dst.String())
	} else {
		ev.AddString(index.Domain, "server_name", name)
		ev.AddString(index.JA4, "ja4", rapid.SampledFrom([]string{"t13d1516h2_8daaf6152771_02713d6af862", "t12i020200_aaaaaaaaaaaa_bbbbbbbbbbbb"}).Draw(t, "ja4"))
	}
	return ev
}

// TestSavedHistoryGoesOn: what is loaded says of what comes after exactly what the one that was saved would have said, and is
// saved as the same bytes again.
func TestSavedHistoryGoesOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := New(small(9))
		n := 0
		for range rapid.IntRange(0, 300).Draw(t, "before") {
			n++
			h.Observe(anyEvent(t, n))
		}
		saved := h.Save()
		loaded, err := Load(saved, small(1))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(loaded.Save(), saved) {
			t.Fatal("saved again it is not the same")
		}
		for range rapid.IntRange(1, 50).Draw(t, "after") {
			n++
			ev := anyEvent(t, n)
			h.Observe(ev)
			loaded.Observe(ev)
			if a, b := h.Signs(nil, ev), loaded.Signs(nil, ev); !reflect.DeepEqual(a, b) {
				t.Fatalf("%+v\nand loaded\n%+v", a, b)
			}
		}
		if a, b := h.Prints(9), loaded.Prints(9); !reflect.DeepEqual(a, b) {
			t.Fatalf("%+v\nand loaded\n%+v", a, b)
		}
	})
}

// TestLoadKeepsItsBounds where there was more room before, and refuses what is damaged.
func TestLoadKeepsItsBounds(t *testing.T) {
	h := New(Options{Seed: 3})
	for i := range 4000 {
		ev := &event.Event{Time: int64(i+1) * 1e9, Src: netip.AddrFrom4([4]byte{10, 0, byte(i >> 6), byte(i)}), Dst: netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}), DstPort: 443}
		ev.File, ev.Format, ev.Line = "f", "zeek-json", 1
		h.Observe(ev)
	}
	saved := h.Save()
	l, err := Load(saved, small(3))
	if err != nil {
		t.Fatal(err)
	}
	if series, calls, _ := l.Calls(); series == 0 || series > 5 || calls > 64+maxCalls {
		t.Errorf("%d series, %d calls", series, calls)
	}
	if last := l.series.all[l.series.newest].calls; last[0].time != 4000e9 {
		t.Errorf("what was used last is not there: %v", last)
	}
	for _, at := range []int{0, 20, len(saved) / 2, len(saved) - 1} {
		broken := bytes.Clone(saved)
		broken[at] ^= 1
		if _, err := Load(broken, small(3)); !errors.Is(err, ErrSaved) {
			t.Errorf("byte %d: %v", at, err)
		}
	}
	if _, err := Load(saved[:len(saved)-9], small(3)); !errors.Is(err, ErrSaved) {
		t.Errorf("cut: %v", err)
	}
}

// TestFilesAreForgottenOldestFirst: places of files seen long ago lose the file's name and never get another's.
func TestFilesAreForgottenOldestFirst(t *testing.T) {
	var f files
	first := f.spot(&event.Place{File: "0", Format: "zeek-tsv", Line: 7})
	for i := range maxFiles {
		f.spot(&event.Place{File: fmt.Sprint(i + 1), Format: "zeek-tsv", Line: 1})
	}
	last := f.spot(&event.Place{File: fmt.Sprint(maxFiles), Format: "zeek-tsv", Line: 9})
	second := f.spot(&event.Place{File: "1", Format: "zeek-tsv", Line: 3})
	if p := f.place(first); p.File != "" || p.Line != 7 {
		t.Errorf("%+v", p)
	}
	if p := f.place(last); p.File != fmt.Sprint(maxFiles) || p.Line != 9 {
		t.Errorf("%+v", p)
	}
	if p := f.place(second); p.File != "1" || p.Line != 3 || len(f.places) != maxFiles {
		t.Errorf("%+v", p)
	}
}

// FuzzLoad: whatever a file holds, its digest right or not, it is refused or gives a history that works.
func FuzzLoad(f *testing.F) {
	h := New(small(2))
	ev := &event.Event{Time: 1e18, Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("192.0.2.1"), DstPort: 443}
	ev.AddString(index.JA3, "ja3", "x")
	ev.AddString(index.Domain, "server_name", "a.example")
	h.Observe(ev)
	f.Add(h.Save())
	f.Add(New(small(2)).Save())
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := Load(sealed(b), small(1))
		if err != nil {
			if !errors.Is(err, ErrSaved) {
				t.Fatal(err)
			}
			return
		}
		l.Observe(ev)
		l.Signs(nil, ev)
		l.Beacons(func(Beacon) {})
		l.Prints(5)
		if series, calls, _ := l.Calls(); series > 5 || calls > 64+maxCalls {
			t.Fatalf("%d series, %d calls", series, calls)
		}
		if _, err := Load(l.Save(), small(1)); err != nil {
			t.Fatal(err)
		}
	})
}

// sealed gives bytes the digest that Load asks for.
func sealed(b []byte) []byte {
	b = b[:max(0, len(b)-sha256.Size)]
	sum := sha256.Sum256(b)
	return append(bytes.Clone(b), sum[:]...)
}

package packet

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

func TestOverlapReadings(t *testing.T) {
	pool := NewPool(1 << 20)
	var s Stream
	s.Reset(pool, 1024)
	s.Add(0, []byte("GOODBYE"), false)
	if got := s.Add(2, []byte("ODB"), false); got != 0 || s.Conflict() {
		t.Errorf("the same bytes again: %v", got)
	}
	if got := s.Add(5, []byte("xxx"), false); got != AddedConflict|AddedNew {
		t.Errorf("%v", got)
	}
	if string(s.First()) != "GOODBYEx" || string(s.Later()) != "GOODBxxx" {
		t.Errorf("%q, %q", s.First(), s.Later())
	}
}

func TestDoubtedBytesGiveWay(t *testing.T) {
	for _, doubtedFirst := range []bool{true, false} {
		var s Stream
		s.Reset(NewPool(1<<20), 1024)
		if doubtedFirst {
			s.Add(0, []byte("forged"), true)
			s.Add(0, []byte("honest"), false)
		} else {
			s.Add(0, []byte("honest"), false)
			s.Add(0, []byte("forged"), true)
		}
		if string(s.First()) != "honest" || string(s.Later()) != "forged" {
			t.Errorf("doubted first %v: %q, %q", doubtedFirst, s.First(), s.Later())
		}
	}
}

func TestShiftBeforeAGuessedBeginning(t *testing.T) {
	var s Stream
	s.Reset(NewPool(1<<20), 64)
	s.Add(0, []byte("second"), false)
	if !s.Shift(5) {
		t.Fatal("no room")
	}
	s.Add(0, []byte("first"), false)
	if string(s.First()) != "firstsecond" {
		t.Errorf("%q", s.First())
	}
	if s.Shift(60) {
		t.Error("shifted out of the window")
	}
}

func TestPoolKeepsItsBudget(t *testing.T) {
	p := NewPool(64 << 10)
	var held [][]byte
	for range 100 {
		if b := p.Get(3000); b != nil {
			held = append(held, b)
		}
	}
	if len(held) != 16 || p.Refused == 0 {
		t.Fatalf("%d buffers", len(held))
	}
	for _, b := range held {
		p.Put(b)
	}
	if b := p.Get(60 << 10); b == nil || p.Allocated() > 64<<10 {
		t.Errorf("free buffers of another size made no room: %d", p.Allocated())
	}
}

// model is a Stream made simple: one entry per byte.
type model struct {
	first, later map[int]byte
	conflict     bool
}

// TestStreamAgainstModel adds pieces anyhow and compares with a byte-wise model.
func TestStreamAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const window = 300
		pool := NewPool(1 << 20)
		var s Stream
		s.Reset(pool, window)
		m := model{first: map[int]byte{}, later: map[int]byte{}}
		discarded := 0
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			if rapid.IntRange(0, 9).Draw(t, "what") == 0 {
				n := discarded + rapid.IntRange(0, len(s.First())).Draw(t, "discard")
				s.Discard(n)
				discarded = s.Start()
				continue
			}
			offset := rapid.IntRange(0, 400).Draw(t, "offset")
			data := rapid.SliceOfN(rapid.SampledFrom([]byte("aab")), 1, 60).Draw(t, "data")
			added := s.Add(offset, data, false)
			if added&AddedScattered != 0 {
				continue
			}
			conflict := false
			for i, c := range data {
				at := offset + i
				if at < discarded || at >= discarded+window {
					continue
				}
				if have, ok := m.first[at]; ok && have != c {
					conflict = true
				} else if !ok {
					m.first[at] = c
				}
				m.later[at] = c
			}
			m.conflict = m.conflict || conflict
			if conflict != (added&AddedConflict != 0) {
				t.Fatalf("conflict %v, want %v", added, conflict)
			}
		}
		for i := range s.Pieces() {
			from, data := s.Piece(i)
			for k, c := range data {
				if m.first[from+k] != c {
					t.Fatalf("byte %d is %c, want %c", from+k, c, m.first[from+k])
				}
				delete(m.first, from+k)
			}
		}
		for at := range m.first {
			if at >= discarded && at < discarded+window {
				t.Fatalf("byte %d is missing", at)
			}
		}
		if later := s.Later(); later != nil {
			for k, c := range later {
				if m.later[discarded+k] != c {
					t.Fatalf("later byte %d is %c, want %c", discarded+k, c, m.later[discarded+k])
				}
			}
		} else if m.conflict && len(s.First()) > 0 && s.Later() == nil && s.Conflict() {
			t.Fatal("no other reading")
		}
	})
}

func TestStreamSteadyStateAllocatesNothing(t *testing.T) {
	pool := NewPool(1 << 20)
	data := bytes.Repeat([]byte("x"), 1400)
	var s Stream
	round := func() {
		s.Reset(pool, 16<<10)
		for i := range 5 {
			s.Add(i*1400, data, false)
		}
		s.Add(9000, data, false)
		s.Release()
	}
	round()
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzStream(f *testing.F) {
	f.Add([]byte("\x00\x05hello\x03\x05abcde"))
	f.Fuzz(func(t *testing.T, script []byte) {
		var s Stream
		s.Reset(NewPool(1<<16), 500)
		for len(script) >= 2 {
			offset, n := int(script[0])*3, min(int(script[1]&0x7f), len(script)-2)
			s.Add(offset, script[2:2+n], script[1]&0x80 != 0)
			script = script[2+n:]
			switch offset % 7 {
			case 0:
				s.Discard(s.Start() + len(s.First())/2)
			case 1:
				s.SkipGap()
			case 2:
				s.Shift(offset % 13)
			}
			for i := range s.Pieces() {
				s.Piece(i)
			}
			if later := s.Later(); later != nil && len(later) != len(s.First()) {
				t.Fatal("readings of different lengths")
			}
		}
	})
}

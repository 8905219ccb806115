package evidence

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
)

// savedMagic begins what Save makes. The form is for the same program after a restart, not for others: what has another
// version is refused, and a history begins anew.
const savedMagic = "mithaq evidence 1\n"

// Save makes bytes of everything the history holds, so that Load brings it back: what is new, rare or like clockwork here,
// and the places it was seen at. They are as bounded as the history is, some 60 bytes for each entry of its tables and 20 for
// each call, end with their SHA-256, and hold the seed and the addresses of the network's hosts: they are for a file that only the sensor
// reads.
func (h *History) Save() []byte {
	w := writer{b: make([]byte, 0, len(savedMagic)+1024+24*h.series.kept)}
	w.b = append(w.b, savedMagic...)
	w.b = binary.LittleEndian.AppendUint64(w.b, h.options.Seed)
	w.number(h.first)
	w.number(h.last)
	w.number(h.hellos)
	w.uint(uint64(h.files.next))
	w.uint(uint64(len(h.files.places)))
	for _, p := range h.files.places {
		w.text(p.File)
		w.text(p.Format)
		w.text(p.Log)
	}
	for _, word := range h.sources {
		w.uint(word)
	}
	w.census(h.destinations)
	w.census(h.names)
	w.census(h.prints)
	w.uint(uint64(len(h.printed)))
	for _, key := range slices.Sorted(maps.Keys(h.printed)) {
		p := h.printed[key]
		w.hash(key)
		w.text(p.Kind)
		w.text(p.Value)
	}
	w.resolutions(h.resolved)
	w.ledger(h.series)
	sum := sha256.Sum256(w.b)
	return append(w.b, sum[:]...)
}

// writer appends numbers of any size in few bytes.
type writer struct{ b []byte }

func (w *writer) uint(n uint64) { w.b = binary.AppendUvarint(w.b, n) }

// number writes one that is never negative.
func (w *writer) number(n int64) { w.uint(uint64(max(n, 0))) }

// hash writes a number that fills its eight bytes.
func (w *writer) hash(n uint64) { w.b = binary.LittleEndian.AppendUint64(w.b, n) }

func (w *writer) text(s string) {
	w.uint(uint64(len(s)))
	w.b = append(w.b, s...)
}

func (w *writer) census(c *census) {
	c.settle()
	n := 0
	for i := range c.rows {
		for k := range c.rows[i] {
			if c.rows[i][k].key != 0 {
				n++
			}
		}
	}
	w.number(c.total)
	w.uint(uint64(n))
	for i := range c.rows {
		for k := range c.rows[i] {
			e := &c.rows[i][k]
			if e.key == 0 {
				continue
			}
			w.hash(e.key)
			w.hash(e.sources)
			w.number(e.first)
			w.number(e.last)
			w.number(e.at)
			w.uint(uint64(e.count))
			w.uint(uint64(e.file))
		}
	}
}

func (w *writer) resolutions(t *resolutions) {
	n := 0
	for i := range t.rows {
		for k := range t.rows[i] {
			if t.rows[i][k].name != 0 {
				n++
			}
		}
	}
	w.uint(t.clock)
	w.uint(uint64(n))
	for i := range t.rows {
		for k := range t.rows[i] {
			r := &t.rows[i][k]
			if r.name == 0 {
				continue
			}
			w.hash(r.name)
			w.uint(r.used)
			w.number(r.at)
			w.uint(uint64(r.file))
			over := uint64(0)
			if r.over {
				over = 1
			}
			w.uint(over)
			w.uint(uint64(r.n))
			for _, a := range r.addresses[:r.n] {
				w.hash(a)
			}
		}
	}
}

// ledger writes the series, the one unused for longest first, so that reading them in that order restores the order.
func (w *writer) ledger(l *ledger) {
	l.settle()
	w.number(l.dropped)
	w.uint(uint64(l.find.used))
	for i := l.oldest; i >= 0; i = l.all[i].newer {
		s := &l.all[i]
		if s.key == 0 {
			continue
		}
		w.hash(s.key)
		w.b = append(w.b, s.src[:]...)
		w.b = append(w.b, s.dst[:]...)
		w.uint(uint64(s.port))
		w.number(s.missed)
		w.uint(uint64(len(s.calls)))
		last := int64(0)
		for _, c := range s.calls {
			w.number(c.time - last)
			last = c.time
			w.number(c.at)
			w.uint(uint64(c.bytes))
			w.uint(uint64(c.duration))
			w.uint(uint64(c.file))
		}
	}
}

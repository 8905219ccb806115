package evidence

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/mithaq/mithaq/internal/detect/event"
)

// ErrSaved means that bytes are not what Save made: another version, or damaged.
var ErrSaved = errors.New("not a whole saved history of this version")

// Load makes a History of what Save made. Its seed is the one saved, whatever the options say. Tables may have other sizes
// than they had: what was unused for longest is left out. The error is ErrSaved.
func Load(saved []byte, o Options) (*History, error) {
	const sum = sha256.Size
	if len(saved) < len(savedMagic)+sum || string(saved[:len(savedMagic)]) != savedMagic {
		return nil, fmt.Errorf("reading what evidence remembers: %w", ErrSaved)
	}
	body := saved[:len(saved)-sum]
	if sha256.Sum256(body) != [sum]byte(saved[len(body):]) {
		return nil, fmt.Errorf("reading what evidence remembers: %w", ErrSaved)
	}
	r := reader{b: body[len(savedMagic):]}
	o.Seed = r.hash()
	h := New(o)
	h.first, h.last, h.hellos = r.time(), r.time(), r.number()
	h.files.next = uint32(r.most(math.MaxUint32))
	for range r.count(maxFiles) {
		h.files.places = append(h.files.places, event.Place{File: r.text(), Format: r.text(), Log: r.text()})
	}
	h.files.settle()
	for i := range h.sources {
		h.sources[i] = r.uint()
	}
	r.census(h.destinations)
	r.census(h.names)
	r.census(h.prints)
	for range r.count(maxPrinted) {
		key := r.hash()
		h.printed[key] = Print{Kind: r.text(), Value: r.text()}
	}
	r.resolutions(h.resolved)
	r.ledger(h.series)
	if r.bad || len(r.b) != 0 {
		return nil, fmt.Errorf("reading what evidence remembers: %w", ErrSaved)
	}
	return h, nil
}

// reader reads what writer wrote. After the first thing that is wrong, all is zero and bad says so.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) fail() uint64 {
	r.bad, r.b = true, nil
	return 0
}

func (r *reader) uint() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		return r.fail()
	}
	r.b = r.b[size:]
	return n
}

// most reads a number of which more than a limit would be damage.
func (r *reader) most(limit uint64) uint64 {
	n := r.uint()
	if n > limit {
		return r.fail()
	}
	return n
}

// count reads how many things follow, of a byte at least each.
func (r *reader) count(limit int) int {
	return int(r.most(uint64(min(limit, len(r.b)))))
}

func (r *reader) number() int64 { return int64(r.most(math.MaxInt64)) }

func (r *reader) time() int64 { return int64(r.most(latest - 1)) }

func (r *reader) hash() uint64 {
	if len(r.b) < 8 {
		return r.fail()
	}
	n := binary.LittleEndian.Uint64(r.b)
	r.b = r.b[8:]
	return n
}

func (r *reader) bytes(n int) []byte {
	if n > len(r.b) {
		r.fail()
		return make([]byte, n)
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) text() string { return string(r.bytes(r.count(1 << 16))) }

func (r *reader) small() uint32 { return uint32(r.most(math.MaxUint32)) }

func (r *reader) census(c *census) {
	c.total = r.number()
	for range r.count(math.MaxInt32) {
		e := entry{key: r.hash(), sources: r.hash(), first: r.time(), last: r.time(), at: r.number(), count: r.small(), file: r.small()}
		if r.bad {
			return
		}
		if e.key == 0 || c.find(e.key) != nil {
			r.fail()
			return
		}
		c.put(e)
	}
}

func (r *reader) resolutions(t *resolutions) {
	t.clock = r.uint()
	for range r.count(math.MaxInt32) {
		v := resolution{name: r.hash(), used: r.uint(), at: r.number(), file: r.small(), over: r.most(1) == 1}
		v.n = uint8(r.most(uint64(len(v.addresses))))
		for i := range v.addresses[:v.n] {
			v.addresses[i] = r.hash()
		}
		if r.bad {
			return
		}
		if v.name == 0 || t.get(v.name) != nil {
			r.fail()
			return
		}
		t.put(v)
	}
}

func (r *reader) ledger(l *ledger) {
	dropped := r.number()
	calls := make([]call, 0, maxCalls)
	for range r.count(math.MaxInt32) {
		s := series{key: r.hash(), src: [16]byte(r.bytes(16)), dst: [16]byte(r.bytes(16)), port: uint16(r.most(math.MaxUint16)), missed: r.number()}
		calls = calls[:0]
		last := int64(0)
		for range r.count(maxCalls) {
			last += r.time()
			c := call{time: last, at: r.number(), bytes: r.small(), duration: r.small(), file: r.small()}
			if last < 0 || last >= latest {
				r.fail()
			}
			calls = append(calls, c)
		}
		if r.bad {
			return
		}
		if s.key == 0 || l.get(s.key) != nil {
			r.fail()
			return
		}
		l.restore(s, calls)
	}
	l.dropped = dropped
}

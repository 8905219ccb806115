package evidence

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"net/netip"
	"time"

	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/index"
)

// Options bounds a History. Zeros mean the defaults.
type Options struct {
	Seed         uint64 // random: nobody outside can fill one row of a table on purpose
	Destinations int    // rows of four destinations, names or fingerprints each: 65,536; 640 bytes a row for the three tables
	Series       int    // who calls whom: 65,536
	Calls        int    // kept in all series: 1,048,576, of 32 bytes each
	Names        int    // names whose addresses are remembered: 65,536
	// Settled is how long a network has to be watched before "new" means anything: a day.
	Settled time.Duration
}

// History is what a network's traffic was like so far. It is for one goroutine.
type History struct {
	options      Options
	files        files
	sources      crowd
	destinations *census // addresses
	names        *census // domains
	prints       *census // fingerprints of clients
	hellos       int64
	printed      map[uint64]Print // what the first of them look like
	resolved     *resolutions
	series       *ledger
	first, last  int64
	room         rhythmRoom
}

// New makes a History of a network of which nothing is known yet.
func New(o Options) *History {
	set := func(n *int, normal int) {
		if *n <= 0 {
			*n = normal
		}
	}
	set(&o.Destinations, 1<<16)
	set(&o.Series, 1<<16)
	set(&o.Calls, 1<<20)
	set(&o.Names, 1<<16)
	if o.Settled <= 0 {
		o.Settled = 24 * time.Hour
	}
	return &History{options: o, destinations: newCensus(o.Destinations), names: newCensus(o.Destinations), prints: newCensus(o.Destinations / 16),
		resolved: newResolutions(o.Names), printed: map[uint64]Print{}, series: newLedger(o.Series, o.Calls)}
}

// part is what a value is to a history.
type part uint8

const (
	other   part = iota
	query        // a name that was asked for
	answer       // a name or address that it stands for
	visited      // the name of who is spoken to
)

// partOf knows the fields of all inputs.
func partOf(field string) part {
	switch field {
	case "query", "dns.query", "dns.rrname", "dns.query.rrname", "dns.queries.rrname":
		return query
	case "answers", "dns.answer", "dns.rdata", "dns.answers.rdata", "dns.grouped.A", "dns.grouped.AAAA", "dns.grouped.CNAME":
		return answer
	case "server_name", "tls.sni", "quic.sni", "host", "http.host", "http.hostname", "http.connect":
		return visited
	}
	return other
}

// latest is a time after that of any honest event, in the year 2116: the difference of two times before it is a number.
const latest = 1 << 62

// Observe takes an event in. It allocates only while the history still grows.
func (h *History) Observe(ev *event.Event) {
	at := ev.Facts.Begin
	if at == 0 {
		at = ev.Time
	}
	if at < 0 || at >= latest {
		at = 0
	}
	if at != 0 {
		if h.first == 0 || at < h.first {
			h.first = at
		}
		h.last = max(h.last, at)
	}
	if !ev.Src.IsValid() {
		return
	}
	src := h.address(ev.Src)
	h.sources.add(src)
	where := h.files.spot(&ev.Place)
	dns := ev.Log == "dns" || ev.Log == "mdns"
	asked := uint64(0)
	for i := range ev.Values {
		v := &ev.Values[i]
		switch v.Kind {
		case index.JA4, index.JA3:
			h.hellos++
			key := h.text(v.Text)
			h.prints.meet(key, src, at, where)
			h.nameOf(key, v)
		case index.Domain:
			switch p := partOf(v.Field); {
			case p == query && asked == 0:
				asked = h.text(v.Text)
				h.names.meet(asked, src, at, where)
				h.resolved.ask(asked, where)
				h.call(pair(src, asked), at, where, ev, true)
			case p == visited && !dns:
				h.names.meet(h.text(v.Text), src, at, where)
			}
		case index.Address:
			if asked != 0 && partOf(v.Field) == answer {
				if a, ok := addressOf(v); ok {
					h.resolved.answer(asked, h.address(a))
				}
			}
		}
	}
	if !dns && ev.Dst.IsValid() && ev.DstPort != 53 {
		dst := h.address(ev.Dst)
		if ev.Log != "flow-end" { // its beginning was an event
			h.destinations.meet(dst, src, at, where)
		}
		h.call(pair(src, h.end(dst, ev.DstPort)), at, where, ev, false)
	}
}

func addressOf(v *event.Value) (netip.Addr, bool) {
	if v.Addr.IsValid() {
		return v.Addr, true
	}
	return index.ParseAddress(v.Text)
}

func (h *History) call(key uint64, at int64, where spot, ev *event.Event, named bool) {
	if at == 0 {
		return
	}
	c := call{time: at, at: where.at, file: where.file, bytes: uint32(min(max(ev.Facts.Bytes, 0), math.MaxUint32)),
		duration: uint32(min((max(ev.Facts.Duration, 0)+999_999)/1e6, math.MaxUint32))}
	h.series.add(key, ev, named, c)
}

// pair mixes two hashes into one that is never 0.
func pair(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0x9e3779b97f4a7c15, bits.RotateLeft64(b, 32)^0xe7037ed1a0b428db)
	return hi ^ lo | 1
}

func (h *History) address(a netip.Addr) uint64 {
	b := a.As16()
	return pair(binary.LittleEndian.Uint64(b[:8])^h.options.Seed, binary.LittleEndian.Uint64(b[8:]))
}

func (h *History) end(address uint64, port uint16) uint64 { return pair(address, uint64(port)+1) }

// text hashes a name without regard to case, and without its last dot.
func (h *History) text(b []byte) uint64 {
	b = bytes.TrimSuffix(b, []byte("."))
	sum := h.options.Seed ^ uint64(len(b))*0x9e3779b97f4a7c15
	for len(b) >= 8 {
		hi, lo := bits.Mul64(sum^fold(binary.LittleEndian.Uint64(b)), 0xa0761d6478bd642f)
		sum, b = hi^lo, b[8:]
	}
	tail := uint64(0)
	for i, c := range b {
		tail |= uint64(c) << (8 * i)
	}
	return pair(sum, fold(tail))
}

// fold makes the capital letters among eight bytes small, and leaves others that differ from them in that bit alone.
func fold(w uint64) uint64 {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	low := w &^ high
	fromA := low + (0x80-'A')*ones
	afterZ := low + (0x80-'Z'-1)*ones
	return w | (fromA&^afterZ&high&^w)>>2
}

// Calls tells how many series and calls are kept, and how many series gave way.
func (h *History) Calls() (series, calls int, dropped int64) {
	h.series.settle()
	return h.series.find.used, h.series.kept, h.series.dropped
}

package fingerprint

import "github.com/mithaq/mithaq/internal/detect/hello"

// otherReading looks for client hellos in both readings of streams whose segments overlap with
// different bytes. What the receiver took is not known, so a hello that only one of them shows
// is reported too, marked as such.
func (e *Engine) otherReading(s *session, f *flow) {
	for d := range s.dir {
		r := &s.dir[d]
		if !r.stream.Conflict() || s.client >= 0 && int8(d) != s.client {
			continue
		}
		e.readAgain(s, f, d, r.stream.First())
		e.readAgain(s, f, d, r.stream.Later())
	}
}

// readAgain reads one reading of a client's direction from where TLS begins in it.
func (e *Engine) readAgain(s *session, f *flow, d int, b []byte) {
	r := &s.dir[d]
	var h hello.ClientHello
	start := -1
	for _, offset := range append([]int{0, r.start}, offsetsOf(r)...) {
		at := offset - r.stream.Start()
		if at < 0 || at >= len(b) {
			continue
		}
		if possible, sure := hello.StartsTLS(b[at:]); possible && sure {
			start = offset
			break
		}
	}
	if start < 0 {
		return
	}
	before, client := s.n, s.client
	if client < 0 {
		s.client = int8(d)
	}
	var side hello.Side
	side.Reset(e.pool, start)
	var it hello.Item
	for side.Next(b, r.stream.Start(), &it) {
		if it.Kind == hello.ItemHandshake && it.Type == hello.TypeClientHello && h.Parse(it.Body, false) == nil {
			if ev := e.newEvent(s, f, &h, 0, true); ev != nil {
				ev.Reading = "other"
				ev.Packet = s.begun.Packet
			}
		}
	}
	side.Release()
	if s.n == before {
		s.client = client
	}
}

func offsetsOf(r *direction) []int {
	var list []int
	for _, c := range r.candidates[:r.n] {
		list = append(list, int(c.offset))
	}
	return list
}

package fingerprint

import (
	"bytes"

	"github.com/mithaq/mithaq/internal/detect/hello"
	"github.com/mithaq/mithaq/internal/detect/packet"
)

// findClient looks for the beginning of TLS in direction d.
func (e *Engine) findClient(s *session, f *flow, d int, p *packet.Info) {
	r := &s.dir[d]
	first := r.stream.First()
	if r.stream.Start() == 0 && len(first) > 0 {
		if possible, sure := hello.StartsTLS(first); possible {
			if sure {
				e.begin(s, d, 0)
			}
			return
		}
		if first[0]&0x80 != 0 && e.readSSL2(s, f, d, first, p) {
			return
		}
	}
	for _, c := range r.candidates[:r.n] {
		if possible, sure := hello.StartsTLS(r.bytesAt(int(c.offset))); possible && sure {
			e.begin(s, d, int(c.offset))
			return
		}
	}
	// A line of another protocol may come in one segment with what follows it.
	for {
		k := newlineTLS(first, r.newline)
		if k < 0 {
			r.newline = max(0, len(first)-2)
			break
		}
		possible, sure := hello.StartsTLS(first[k+1:])
		if possible && sure {
			e.begin(s, d, k+1)
			return
		}
		if possible {
			r.newline = k
			return
		}
		r.newline = k + 1
	}
	if k := proxyHeader(first); k > 0 && k < len(first) {
		if possible, sure := hello.StartsTLS(first[k:]); possible && sure {
			e.begin(s, d, k)
		}
	}
}

// newlineTLS finds, from a place on, the end of a line and the beginning of a handshake record behind it: "\n\x16\x03".
// It gives the place of the newline, -1 when there is none. Text is full of newlines and has no such record: what it looks
// for is the second byte.
func newlineTLS(b []byte, from int) int {
	for at := from + 1; at < len(b); at++ {
		k := bytes.IndexByte(b[at:], 0x16)
		if k < 0 {
			return -1
		}
		if at += k; b[at-1] == '\n' && at+1 < len(b) && b[at+1] == 3 {
			return at - 1
		}
	}
	return -1
}

// proxyHeader gives the length of a binary PROXY protocol header, 0 when there is none
// (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt, section 2.2).
func proxyHeader(b []byte) int {
	if len(b) < 16 || string(b[:12]) != "\r\n\r\n\x00\r\nQUIT\n" {
		return 0
	}
	return 16 + int(b[14])<<8 + int(b[15])
}

// bytesAt gives the bytes from an offset to the next gap.
func (r *direction) bytesAt(offset int) []byte {
	for i := range r.stream.Pieces() {
		from, data := r.stream.Piece(i)
		if offset >= from && offset < from+len(data) {
			return data[offset-from:]
		}
	}
	return nil
}

// begin starts reading TLS in the client's direction d at an offset.
func (e *Engine) begin(s *session, d, offset int) {
	r := &s.dir[d]
	s.client = int8(d)
	r.skipTo(offset)
	r.begun, r.start = true, offset
	r.side.Reset(e.pool, offset)
	other := &s.dir[1-d]
	other.candidates[0], other.n = candidate{}, max(other.n, 1)
	f := &e.flows.flows[s.flow]
	for _, c := range r.candidates[:r.n] {
		if int(c.offset) != offset || !c.acked {
			continue
		}
		answer := int(int32(c.peer - f.half[1-d].base))
		if other.gaveUp || !f.half[1-d].known {
			// The answer begins at what this segment acknowledged, whatever was before.
			f.half[1-d].base, f.half[1-d].known, f.half[1-d].midstream = c.peer, true, false
			other.stream.Reset(e.pool, streamWindow)
			other.gaveUp, answer = false, 0
		}
		if answer >= 0 {
			other.candidates[0] = candidate{offset: int32(answer)}
		}
		break
	}
	for k := range s.dir {
		s.server.ccs[k] = false
	}
}

// skipTo makes the stream begin at an offset behind a gap.
func (r *direction) skipTo(offset int) {
	for range maxSkips {
		first := r.stream.Start() + len(r.stream.First())
		if offset < first {
			return
		}
		if len(r.stream.First()) > 0 {
			r.stream.Discard(first)
		}
		if r.stream.Pieces() == 0 {
			return
		}
		r.stream.SkipGap()
	}
}

const maxSkips = 16

// findServer looks for the server's answer in direction d: where the client's hello said that it
// begins, or where a segment begins that looks like it.
func (e *Engine) findServer(s *session, f *flow, d int) {
	r := &s.dir[d]
	for k, c := range r.candidates[:r.n] {
		b := r.bytesAt(int(c.offset))
		if len(b) == 0 {
			continue
		}
		var v2 hello.ServerHello2
		if s.dir[1-d].ssl2 && b[0]&0x80 != 0 {
			if n, err := v2.Parse(b); err == nil && n > 0 {
				s.server.seen, s.server.version, s.server.resumed = true, v2.Version, v2.SessionHit
				if len(v2.Certificate) > 0 && s.server.chain[0] == nil {
					s.server.chain[0] = &hello.Chain{}
					s.server.chain[0].Add(v2.Certificate)
				}
				r.begun, r.start = true, int(c.offset)
				r.side.Reset(e.pool, int(c.offset)+n)
				return
			}
			continue
		}
		possible, sure := hello.StartsServerTLS(b)
		if !possible && k == 0 && c.offset > 0 {
			continue
		}
		if possible && sure {
			r.skipTo(int(c.offset))
			r.begun, r.start = true, int(c.offset)
			r.side.Reset(e.pool, int(c.offset))
			return
		}
	}
}

// readSSL2 reads a hello in the form of SSL 2. It tells whether there is one, or may be.
func (e *Engine) readSSL2(s *session, f *flow, d int, first []byte, p *packet.Info) bool {
	var h hello.ClientHello
	n, err := h.ParseSSL2(first)
	if err != nil {
		return false
	}
	if n == 0 {
		return true
	}
	e.begin(s, d, 0)
	s.dir[d].ssl2 = true
	s.dir[d].side.Reset(e.pool, n)
	e.newEvent(s, f, &h, p.Tunnels, false)
	return true
}

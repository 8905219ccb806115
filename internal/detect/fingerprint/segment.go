package fingerprint

import (
	"github.com/mithaq/mithaq/internal/detect/hello"
	"github.com/mithaq/mithaq/internal/detect/packet"
)

// How far a TCP timestamp may be from those seen before it is doubted. Clocks tick up to once a
// microsecond in theory and a millisecond in practice; captures reorder and lose packets.
const timestampSlack = 100_000

// outsideWindow is how far from the window a segment is taken for another stream's.
const outsideWindow = 4 << 20

// segment takes a TCP segment.
func (e *Engine) segment(p *packet.Info) {
	d, hash := e.from, e.place.Hash
	i := e.flows.find(&e.key, hash)
	if i < 0 {
		if len(p.Payload) == 0 && p.Flags&packet.FlagSYN == 0 {
			return
		}
		var occupied bool
		if i, occupied = e.flows.place(hash); occupied {
			e.dropped[dropFlow]++
			if s := e.flows.flows[i].session; s >= 0 {
				e.finish(s)
			}
		}
		e.flows.put(i, &e.key, hash, e.now)
	}
	f := &e.flows.flows[i]
	doubted := e.doubtTimestamp(f, d, p)
	if p.Flags&packet.FlagSYN != 0 && !doubted {
		e.syn(f, d, p)
	}
	f.last = e.now
	if f.done {
		if p.Flags&(packet.FlagFIN|packet.FlagRST) != 0 && !doubted {
			f.half[d].closed = true
		}
		return
	}
	// A doubted segment never says where a stream begins.
	if len(p.Payload) > 0 && (!doubted || f.half[d].known) {
		e.payload(i, d, p, doubted)
	}
	if doubted {
		return
	}
	if p.Flags&packet.FlagACK != 0 {
		if peer := &f.half[1-d]; peer.known && !peer.confirmed && p.Ack-peer.base < confirmWindow {
			peer.confirmed = true
		}
	}
	if p.Flags&(packet.FlagFIN|packet.FlagRST) != 0 && e.inPlace(f, d, p) {
		f.half[d].closed = f.half[d].closed || p.Flags&packet.FlagFIN != 0
		f.reset = f.reset || p.Flags&packet.FlagRST != 0
	}
}

// confirmWindow is how far behind a stream's beginning an acknowledgement still confirms it.
const confirmWindow = 1 << 20

// inPlace tells whether a FIN or RST has the sequence number that is due: receivers ignore others
// (RFC 5961), and they are how a forger would make a listener look away.
func (e *Engine) inPlace(f *flow, d int, p *packet.Info) bool {
	h := &f.half[d]
	if !h.known || f.done {
		return true
	}
	due := h.base
	if f.session >= 0 {
		s := &e.sessions[f.session]
		if s.dir[d].gaveUp || s.dir[d].side.Broken() {
			return true
		}
		due += uint32(s.dir[d].stream.End())
	}
	return p.Seq+uint32(len(p.Payload)) == due || p.Seq == due
}

// syn notes where a stream begins. A SYN on a connection that is over, or of which nothing was
// heard for long, begins another one.
func (e *Engine) syn(f *flow, d int, p *packet.Info) {
	h := &f.half[d]
	base := p.Seq + 1
	if h.known && h.base == base && !h.midstream {
		return // sent again
	}
	if p.Flags&packet.FlagACK == 0 {
		quiet := e.now-f.last > idleTimeout
		if f.done || f.reset || quiet || f.half[0].closed || f.half[1].closed {
			if f.session >= 0 {
				e.finish(f.session)
			}
			*f = flow{key: f.key, session: -1, last: e.now}
			h = &f.half[d]
			h.tsKnown, h.tsFirst, h.tsLast = p.HasTimestamp, p.TSVal, p.TSVal
		}
	}
	if h.known && h.midstream && e.late(f, d, base) {
		f.announce(e, d, p)
		return
	}
	if h.known && (e.hasData(f, d) || h.confirmed && p.Flags&packet.FlagACK != 0) {
		e.anomaly(AnomalyHandshake, p) // it contradicts a stream that is being read
		e.mark(f, AnomalyHandshake)
		return
	}
	if h.known && !h.midstream {
		e.anomaly(AnomalyHandshake, p)
		e.mark(f, AnomalyHandshake)
	}
	h.base, h.known, h.midstream = base, true, false
	f.announce(e, d, p)
}

// late tells whether a SYN that the capture has behind the stream's first bytes, as cards with several queues do, says that the
// stream begins where it was thought to, or before that where nothing was read yet. The beginning is then known.
func (e *Engine) late(f *flow, d int, base uint32) bool {
	h := &f.half[d]
	if before := int(int32(h.base - base)); before != 0 {
		if f.session < 0 || before < 0 || !e.sessions[f.session].dir[d].shift(before) {
			return false
		}
	}
	h.base, h.midstream = base, false
	return true
}

// announce notes who opened the connection, as a SYN from d says.
func (f *flow) announce(e *Engine, d int, p *packet.Info) {
	if p.Flags&packet.FlagACK == 0 {
		f.synFrom(d)
	} else {
		f.synFrom(1 - d)
	}
	if f.session >= 0 {
		e.sessions[f.session].syn = f.opener()
	}
}

// synFrom remembers who opened the connection, in the spare bits of dcid, which only QUIC uses.
func (f *flow) synFrom(d int) { f.dcid = uint64(d) + 1 }

func (f *flow) opener() int8 { return int8(f.dcid) - 1 }

func (e *Engine) hasData(f *flow, d int) bool {
	return f.session >= 0 && (e.sessions[f.session].dir[d].stream.Pieces() > 0 || e.sessions[f.session].dir[d].stream.Start() > 0)
}

func (e *Engine) mark(f *flow, kind AnomalyKind) {
	if f.session >= 0 {
		e.sessions[f.session].anomalies |= 1 << kind
	}
}

// doubtTimestamp tells whether a segment's timestamps are ones its sender cannot have sent: its
// value is older than what it sent before, which the receiver drops (RFC 7323, section 5), or it
// echoes what the other side never sent. An answer to a SYN must echo exactly: that is where
// forged answers try to end a connection, or to begin it differently, for whoever listens.
// Three in a row are believed: the clock was changed.
func (e *Engine) doubtTimestamp(f *flow, d int, p *packet.Info) bool {
	if !p.HasTimestamp {
		return false
	}
	h, peer := &f.half[d], &f.half[1-d]
	old := h.tsKnown && int32(p.TSVal-h.tsLast) < -timestampSlack
	strange := p.Flags&packet.FlagACK != 0 && p.TSEcr != 0 && peer.tsKnown &&
		(int32(p.TSEcr-peer.tsFirst) < -timestampSlack || int32(p.TSEcr-peer.tsLast) > timestampSlack)
	if p.TSEcr != 0 && !h.known && f.opener() == int8(1-d) {
		strange = !peer.tsKnown || int32(p.TSEcr-peer.tsFirst) < 0 || int32(p.TSEcr-peer.tsLast) > 0
	}
	if (old || strange) && h.doubtedInARow < 3 {
		h.doubtedInARow++
		e.anomaly(AnomalyTimestamp, p)
		e.mark(f, AnomalyTimestamp)
		return true
	}
	if !h.tsKnown || h.doubtedInARow >= 3 {
		h.tsFirst, h.tsLast = p.TSVal, p.TSVal
	}
	h.tsKnown, h.doubtedInARow = true, 0
	if int32(p.TSVal-h.tsLast) > 0 {
		h.tsLast = p.TSVal
	}
	return false
}

// payload puts the bytes of a segment into its stream and reads on.
func (e *Engine) payload(i int32, d int, p *packet.Info, doubted bool) {
	f := &e.flows.flows[i]
	var s *session
	if f.session >= 0 {
		s = &e.sessions[f.session]
		e.touch(f.session)
	} else {
		s = e.open(i, hello.OverTCP)
		s.syn = f.opener()
		for k := range s.dir {
			s.dir[k].stream.Reset(e.pool, streamWindow)
		}
	}
	r := &s.dir[d]
	if r.gaveUp {
		return
	}
	seq := p.Seq
	if p.Flags&packet.FlagSYN != 0 {
		seq++
	}
	offset, data := e.offset(f, s, d, seq, p)
	if r.side.Broken() {
		// Nothing more can be read here: only what contradicts the bytes that are there still matters.
		data = data[:max(0, min(len(data), r.stream.End()-offset))]
	}
	if len(data) == 0 {
		return
	}
	added := r.stream.Add(offset, data, doubted)
	for try := 0; added&packet.AddedNoRoom != 0 && try < 4 && e.oldest != f.session; try++ {
		e.dropped[dropSession]++
		e.finish(e.oldest)
		added = r.stream.Add(offset, data, doubted)
	}
	if added&packet.AddedNoRoom != 0 {
		e.dropped[dropBuffer]++
	}
	if added&packet.AddedScattered != 0 {
		e.dropped[dropScattered]++
	}
	if added&packet.AddedConflict != 0 {
		e.anomaly(AnomalyOverlap, p)
		s.anomalies |= 1 << AnomalyOverlap
	}
	if !r.begun && offset > 0 && added&packet.AddedNew != 0 && r.n < len(r.candidates) {
		if possible, _ := hello.StartsTLS(data); possible || data[0] == 0x15 || data[0] == 0x16 {
			r.candidates[r.n] = candidate{offset: int32(offset), peer: p.Ack, acked: p.Flags&packet.FlagACK != 0}
			r.n++
		}
	}
	if r.n == 0 || r.candidates[0].offset != 0 {
		// The peer's position when the stream began answers offset zero.
		if offset == 0 && p.Flags&packet.FlagACK != 0 && !r.begun && r.n < len(r.candidates) {
			r.candidates[r.n] = candidate{peer: p.Ack, acked: true}
			r.n++
		}
	}
	e.read(f.session, d, p)
}

// offset gives a segment's place in its stream and the bytes that belong there.
func (e *Engine) offset(f *flow, s *session, d int, seq uint32, p *packet.Info) (int, []byte) {
	h, r := &f.half[d], &s.dir[d]
	data := p.Payload
	if !h.known {
		h.base, h.known, h.midstream = seq, true, true
	}
	offset := int(int32(seq - h.base))
	fresh := r.stream.Pieces() == 0 && r.stream.Start() == 0
	if fresh && (offset < -len(data) || offset > outsideWindow) {
		// Nothing was read yet: the handshake seen does not fit, so it was forged or another's.
		e.anomaly(AnomalySequence, p)
		s.anomalies |= 1 << AnomalySequence
		h.base, h.midstream, offset = seq, true, 0
	}
	if offset < 0 {
		if h.midstream && r.shift(-offset) {
			h.base = seq
			return 0, data
		}
		if -offset >= len(data) {
			return 0, nil
		}
		return 0, data[-offset:]
	}
	return offset, data
}

// shift makes room for n bytes before the beginning of a stream of which nothing was read. It tells whether that was possible.
func (r *direction) shift(n int) bool {
	if r.begun || !r.stream.Shift(n) {
		return false
	}
	r.newline = 0
	for k := range r.candidates[:r.n] {
		r.candidates[k].offset += int32(n)
	}
	return true
}

// read goes on in direction d as far as its bytes allow, and in the other one too when this
// direction was what it waited for.
func (e *Engine) read(at int32, d int, p *packet.Info) {
	s := &e.sessions[at]
	f := &e.flows.flows[s.flow]
	r := &s.dir[d]
	if !r.begun {
		if s.client < 0 || s.client == int8(d) {
			e.findClient(s, f, d, p)
		}
		if !r.begun && s.client == int8(1-d) {
			e.findServer(s, f, d)
		}
		if !r.begun {
			if r.stream.End() >= e.opts.Scan || r.stream.Pieces() == 0 {
				e.giveUp(at, d)
			}
			return
		}
		if int8(d) == s.client && !s.dir[1-d].begun && !s.dir[1-d].gaveUp {
			e.findServer(s, f, 1-d)
			if s.dir[1-d].begun && e.items(s, f, 1-d, p) {
				e.finish(at)
				return
			}
		}
	}
	if e.items(s, f, d, p) {
		e.finish(at)
	}
}

// items reads the TLS records of direction d. It tells whether the session is over.
func (e *Engine) items(s *session, f *flow, d int, p *packet.Info) bool {
	r := &s.dir[d]
	var it hello.Item
	for r.side.Next(r.stream.First(), r.stream.Start(), &it) {
		if it.Kind == hello.ItemHandshake && it.Type == hello.TypeClientHello && int8(d) == s.client {
			var h hello.ClientHello
			if h.Parse(it.Body, false) == nil {
				e.newEvent(s, f, &h, p.Tunnels, false)
			}
			continue
		}
		if s.item(d, &it, e.memory) {
			return true
		}
	}
	if r.side.Broken() && s.n == 0 {
		return true // it only looked like TLS
	}
	if read := r.side.Consumed(); read-r.stream.Start() > keepRead {
		r.stream.Discard(min(read, r.stream.Start()+len(r.stream.First())))
		if read-r.start > maxHandshake {
			return true
		}
	}
	return false
}

// giveUp stops reading a direction in which no TLS began within the bytes that are searched.
func (e *Engine) giveUp(at int32, d int) {
	s := &e.sessions[at]
	other := &s.dir[1-d]
	s.dir[d].gaveUp = true
	if s.client >= 0 { // there are events; the other side is still worth reading
		if s.client != int8(d) {
			e.finish(at)
		}
		return
	}
	if other.gaveUp || other.stream.End() >= e.opts.Scan {
		e.finish(at)
	}
}

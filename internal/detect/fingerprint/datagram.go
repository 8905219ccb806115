package fingerprint

import (
	"encoding/binary"

	"github.com/mithaq/mithaq/internal/detect/hello"
	"github.com/mithaq/mithaq/internal/detect/packet"
)

const (
	cryptoWindow = 64 << 10 // bytes of CRYPTO data of one side that are kept
	maxInitials  = 256      // of one connection that are opened
)

// quicState is what is known of a QUIC connection.
type quicState struct {
	keys       *hello.InitialKeys
	dcid, scid []byte // of the client's first Initial, or its first after a Retry
	server     []byte // the server's connection id
	original   []byte // the first dcid, when there was a Retry
	retry      bool
	negotiated bool // the server asked for another version
	initials   int
	read       [2]int // how far the CRYPTO streams were read: 0 the client's, 1 the server's
	crypto     [2]*packet.Stream
}

func (q *quicState) facts() *QUICFacts {
	return &QUICFacts{
		Version: hello.QUICVersionName(q.keys.Version), ClientDCID: hexText(q.dcid), ClientSCID: hexText(q.scid),
		ServerSCID: hexText(q.server), OriginalDCID: hexText(q.original), Retry: q.retry,
	}
}

// datagram takes a UDP datagram. Most are neither QUIC nor DTLS in the clear, and cost nothing.
func (e *Engine) datagram(p *packet.Info) {
	b := p.Payload
	if len(b) < 13 {
		return
	}
	switch {
	case hello.StartsQUIC(b), b[0]&0x80 != 0 && b[1]|b[2]|b[3]|b[4] == 0:
		e.quicDatagram(p)
	case hello.LooksLikeDTLS(b), b[0]>>5 == 1:
		e.dtlsDatagram(p)
	case hello.StartsGoogleQUIC(b):
		e.googleQUIC++
	}
}

// datagramFlow finds the flow of the datagram under way; create makes one.
func (e *Engine) datagramFlow(create bool) (int32, int) {
	d, hash := e.from, e.place.Hash
	i := e.flows.find(&e.key, hash)
	if i >= 0 || !create {
		return i, d
	}
	i, occupied := e.flows.place(hash)
	if occupied {
		e.dropped[dropFlow]++
		if s := e.flows.flows[i].session; s >= 0 {
			e.finish(s)
		}
	}
	e.flows.put(i, &e.key, hash, e.now)
	return i, d
}

func (e *Engine) quicDatagram(p *packet.Info) {
	b := p.Payload
	for range 8 { // packets in one datagram
		h, rest, err := hello.ParseQUIC(b)
		if err != nil {
			return
		}
		switch h.Type {
		case hello.QUICInitial:
			e.initial(p, b, &h)
		case hello.QUICRetry:
			if q := e.answered(p); q != nil {
				q.retry = true
			}
		case hello.QUICNegotiation:
			if q := e.answered(p); q != nil {
				q.negotiated = true
			}
		}
		if len(rest) == 0 {
			return
		}
		b = rest
	}
}

// answered gives the connection whose server sent the packet, nil when there is none.
func (e *Engine) answered(p *packet.Info) *quicState {
	i, d := e.datagramFlow(false)
	if i < 0 || e.flows.flows[i].session < 0 {
		return nil
	}
	s := &e.sessions[e.flows.flows[i].session]
	if int8(d) == s.client {
		return nil
	}
	return s.quic
}

// initial opens a QUIC Initial packet with the keys of its connection, or with those that its own
// header gives, and reads the CRYPTO frames in it.
func (e *Engine) initial(p *packet.Info, b []byte, h *hello.QUICHeader) {
	i, d := e.datagramFlow(false)
	if i >= 0 {
		f := &e.flows.flows[i]
		f.last = e.now
		if f.session >= 0 && e.sessions[f.session].quic != nil {
			e.knownInitial(i, d, p, b, h)
			return
		}
		if f.dcid == connectionHash(h.DCID) {
			return // the first Initial of a connection that was read already, sent again
		}
	}
	e.firstInitial(d, p, b, h)
}

func connectionHash(dcid []byte) uint64 {
	h := uint64(len(dcid)) + 0x9e3779b97f4a7c15
	for _, v := range dcid {
		h = (h ^ uint64(v)) * 0x100000001b3
	}
	return h
}

// firstInitial opens what may be the first packet of a connection.
func (e *Engine) firstInitial(d int, p *packet.Info, b []byte, h *hello.QUICHeader) {
	if !e.sources.allow(&p.Src, e.now) {
		e.dropped[dropInitial]++
		return
	}
	keys, err := hello.NewInitialKeys(h.Version, h.DCID)
	if err != nil {
		return
	}
	frames, ok := keys.Open(b, h, false, e.space)
	if !ok {
		return
	}
	i, _ := e.datagramFlow(true)
	f := &e.flows.flows[i]
	if f.session >= 0 { // a DTLS connection was there
		e.finish(f.session)
	}
	s := e.open(i, hello.OverQUIC)
	s.client = int8(d)
	s.quic = &quicState{keys: keys, dcid: clone(h.DCID), scid: clone(h.SCID)}
	for k := range s.quic.crypto {
		s.quic.crypto[k] = &s.dir[k].stream
		s.quic.crypto[k].Reset(e.pool, cryptoWindow)
	}
	f.dcid, f.done = connectionHash(h.DCID), false
	e.crypto(i, p, frames, 0)
}

func clone(b []byte) []byte { return append([]byte{}, b...) }

// knownInitial opens an Initial of a connection whose beginning was seen.
func (e *Engine) knownInitial(i int32, d int, p *packet.Info, b []byte, h *hello.QUICHeader) {
	f := &e.flows.flows[i]
	s := &e.sessions[f.session]
	q := s.quic
	e.touch(f.session)
	if q.initials++; q.initials > maxInitials {
		e.dropped[dropInitial]++
		return
	}
	side := 0
	if int8(d) != s.client {
		side = 1
	}
	keys := q.keys
	if h.Version != keys.Version { // compatible version negotiation (RFC 9368) keeps the identifier
		var err error
		if keys, err = hello.NewInitialKeys(h.Version, q.dcid); err != nil {
			return
		}
	}
	frames, ok := keys.Open(b, h, side == 1, e.space)
	if !ok {
		if side == 1 {
			return
		}
		// After a Retry the client uses the identifier that the server gave, and new keys; or
		// another connection begins between the same ports.
		if !e.sources.allow(&p.Src, e.now) {
			e.dropped[dropInitial]++
			return
		}
		var err error
		if keys, err = hello.NewInitialKeys(h.Version, h.DCID); err != nil {
			return
		}
		if frames, ok = keys.Open(b, h, false, e.space); !ok {
			return
		}
		if !q.retry && len(h.Token) == 0 && s.n > 0 {
			e.finish(f.session)
			e.firstInitial(d, p, b, h)
			return
		}
		q.original = q.dcid
		q.dcid, q.scid, q.server = clone(h.DCID), clone(h.SCID), nil
		q.retry = q.retry || len(h.Token) > 0
		f.dcid = connectionHash(h.DCID)
		for k := range q.crypto {
			q.crypto[k].Reset(e.pool, cryptoWindow)
		}
		q.read = [2]int{}
	}
	if side == 0 && q.negotiated && keys.Version != q.keys.Version {
		q.negotiated = false // the client begins again
		for k := range q.crypto {
			q.crypto[k].Reset(e.pool, cryptoWindow)
		}
		q.read = [2]int{}
	}
	q.keys = keys
	if side == 1 && q.server == nil {
		q.server = clone(h.SCID)
	}
	e.crypto(i, p, frames, side)
}

// crypto puts the CRYPTO frames of one side into their stream and reads the messages in it.
func (e *Engine) crypto(i int32, p *packet.Info, frames []byte, side int) {
	f := &e.flows.flows[i]
	at := f.session
	s := &e.sessions[at]
	q := s.quic
	stream := q.crypto[side]
	for offset, data := range hello.CryptoFrames(frames) {
		added := stream.Add(offset, data, false)
		if added&packet.AddedConflict != 0 {
			e.anomaly(AnomalyCryptoOverlap, p)
			s.anomalies |= 1 << AnomalyCryptoOverlap
		}
		if added&packet.AddedNoRoom != 0 {
			e.dropped[dropBuffer]++
		}
		if added&packet.AddedScattered != 0 {
			e.dropped[dropScattered]++
		}
	}
	over := e.messages(s, f, stream.First(), p, side, false)
	if later := stream.Later(); later != nil && side == 0 {
		read := q.read[0]
		q.read[0] = 0
		before := s.n
		e.messages(s, f, later, p, side, true)
		for _, ev := range s.events[before:s.n] {
			ev.Reading = "other"
		}
		q.read[0] = read
	}
	if over {
		e.finish(at)
	}
}

// messages reads the handshake messages of a CRYPTO stream, again those of its other reading. It tells whether the session is over.
func (e *Engine) messages(s *session, f *flow, b []byte, p *packet.Info, side int, again bool) bool {
	q := s.quic
	for len(b)-q.read[side] >= 4 {
		m := b[q.read[side]:]
		length := int(binary.BigEndian.Uint32(m) & 0xffffff)
		if 4+length > len(m) {
			return length > cryptoWindow
		}
		body := m[4 : 4+length]
		q.read[side] += 4 + length
		switch {
		case side == 0 && m[0] == hello.TypeClientHello:
			var h hello.ClientHello
			if h.Parse(body, false) == nil {
				e.newEvent(s, f, &h, p.Tunnels, again)
			}
		case side == 1 && m[0] == hello.TypeServerHello:
			s.server.hello(body, e.memory)
			if s.server.seen {
				return true
			}
		}
	}
	return false
}

// dtlsDatagram reads a datagram of DTLS.
func (e *Engine) dtlsDatagram(p *packet.Info) {
	b := p.Payload
	starts := hello.StartsDTLS(b)
	i, d := e.datagramFlow(starts)
	if i < 0 {
		return
	}
	f := &e.flows.flows[i]
	f.last = e.now
	if f.session < 0 {
		if !starts || f.done && f.dcid == connectionHash(dtlsRandom(b)) {
			return
		}
		s := e.open(i, hello.OverDTLS)
		s.client = int8(d)
		s.dtls = new([2]hello.DatagramSide)
		s.dtls[0].Reset(e.pool)
		s.dtls[1].Reset(e.pool)
		f.done, f.dcid = false, connectionHash(dtlsRandom(b))
	} else {
		e.touch(f.session)
	}
	at := f.session
	s := &e.sessions[at]
	if s.dtls == nil {
		return
	}
	over := false
	take := func(it *hello.Item) {
		if it.Kind == hello.ItemHandshake && it.Type == hello.TypeClientHello && int8(d) == s.client {
			var h hello.ClientHello
			if h.Parse(it.Body, true) == nil {
				e.newEvent(s, f, &h, p.Tunnels, false)
			}
			return
		}
		over = s.item(d, it, e.memory) || over
	}
	if b[0]>>5 == 1 { // the short header of DTLS 1.3
		take(&hello.Item{Kind: hello.ItemApplication})
	} else {
		s.dtls[d].Read(b, take)
	}
	if over {
		e.finish(at)
	}
}

// dtlsRandom gives the random value of the ClientHello that a datagram begins with, which stays
// the same when it is sent again.
func dtlsRandom(b []byte) []byte {
	const at = 13 + 12 + 2
	if len(b) < at+32 {
		return nil
	}
	return b[at : at+32]
}

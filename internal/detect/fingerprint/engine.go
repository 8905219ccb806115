package fingerprint

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/mithaq/mithaq/internal/detect/capture"
	"github.com/mithaq/mithaq/internal/detect/dns"
	"github.com/mithaq/mithaq/internal/detect/hello"
	"github.com/mithaq/mithaq/internal/detect/packet"
	"github.com/mithaq/mithaq/internal/detect/room"
)

const (
	idleTimeout   = 60e9 // a session of which nothing was heard for so many nanoseconds is over
	closedTimeout = 5e9  // the same after FIN or RST: a forged one must not end it at once
	expireEvery   = 1e6  // nanoseconds between looks at which sessions are over
	relinkAfter   = 1e8  // nanoseconds; see touch
)

// Engine follows connections packet by packet. It is for one goroutine.
type Engine struct {
	opts     Options
	emit     func(Event)
	decoder  *packet.Decoder
	pool     *packet.Pool
	flows    flowTable
	sessions []session
	free     []int32
	newest   int32 // of the sessions in use
	oldest   int32
	sources  sources
	memory   *hello.Memory
	spare    []*Event
	space    []byte // for decrypted QUIC packets
	info     packet.Info
	place    Place
	key      flowKey // of the packet under way, and which end sent it
	from     int

	beginning Beginning // what Options.Stream is given, again and again
	now       int64
	expired   int64 // when expire was last called
	torn      bool  // a fault came amidst a packet: what is in the tables may contradict itself

	packets, bytes, tcp, udp, events int64
	anomalies                        [anomalyKinds]int64
	dropped                          [drops]int64
	googleQUIC                       int64
}

// NewEngine makes an Engine that calls emit for every event.
func NewEngine(opts Options, emit func(Event)) *Engine {
	opts.defaults()
	e := &Engine{
		opts: opts, emit: emit,
		decoder:  packet.NewDecoder(opts.Fragments, opts.FragmentBytes),
		pool:     packet.NewPool(opts.Buffer),
		flows:    newFlowTable(opts.Flows, opts.Seed|1),
		sessions: room.Make[session](opts.Sessions),
		free:     make([]int32, opts.Sessions),
		space:    make([]byte, 1<<16+64),
		memory:   hello.NewMemory(),
	}
	for i := range e.free {
		e.free[i] = int32(len(e.free) - 1 - i)
	}
	e.anew()
	return e
}

// anew makes all that is not carried over here as it is before the first packet.
func (e *Engine) anew() {
	*e = Engine{
		opts: e.opts, emit: e.emit, decoder: e.decoder, pool: e.pool, flows: e.flows, sessions: e.sessions, free: e.free,
		newest: -1, oldest: -1, memory: e.memory, spare: e.spare, space: e.space,
		sources: sources{rate: float64(e.opts.InitialsPerSource), seed: e.opts.Seed},
	}
}

// Forget makes the engine as new, for another capture: nothing is known of what came before, and counts begin at zero. Its tables
// stay, which take longer to make than most captures to read. What is under way ends without an event: see Flush.
func (e *Engine) Forget() {
	if e.torn || e.oldest >= 0 {
		*e = *NewEngine(e.opts, e.emit)
		return
	}
	e.decoder.Forget()
	clear(e.flows.tags)
	e.anew()
}

// Packet takes the next packet. Its bytes are not kept.
func (e *Engine) Packet(p *capture.Packet) {
	e.packets++
	e.bytes += int64(len(p.Data))
	if p.Time != 0 {
		e.now = p.Time
	} else {
		e.now += 1e6 // a capture without times: a millisecond a packet
	}
	e.place = Place{Packet: p.Number, Time: p.Time}
	problem := e.decoder.Decode(p.Link, p.Data, e.now, &e.info)
	if e.decoder.Overlapped() {
		e.anomaly(AnomalyFragmentOverlap, &e.info)
	}
	if problem == packet.ProblemNone {
		e.dispatch()
	} else if e.opts.Broken != nil && problem.Damaged() {
		e.opts.Broken(problem, e.place)
	}
	for e.decoder.Later(&e.info) {
		e.dispatch()
	}
	if e.oldest >= 0 && (e.now-e.expired >= expireEvery || e.now < e.expired) {
		e.expire()
	}
}

func (e *Engine) dispatch() {
	e.from = e.key.set(&e.info)
	e.place.Hash = e.key.hash(e.flows.seed)
	e.flows.ahead(e.place.Hash)
	if e.opts.Packet != nil {
		e.opts.Packet(&e.info, e.place)
	}
	if e.info.Protocol == packet.ProtocolTCP {
		e.tcp++
		e.segment(&e.info)
		return
	}
	e.udp++
	if e.opts.Datagram != nil {
		e.opts.Datagram(&e.info, e.place)
	}
	e.datagram(&e.info)
}

// Flush ends every session that is open, oldest first by the packet of their hello: the end of
// the capture. The engine can go on afterwards.
func (e *Engine) Flush() {
	var open []int32
	for i := e.oldest; i >= 0; i = e.sessions[i].newer {
		open = append(open, i)
	}
	slices.SortStableFunc(open, func(a, b int32) int {
		return int(e.sessions[a].begun.Packet - e.sessions[b].begun.Packet)
	})
	for _, i := range open {
		e.finish(i)
	}
}

// Stats tells what was counted so far.
func (e *Engine) Stats() Stats {
	s := Stats{
		Packets: e.packets, Bytes: e.bytes, TCP: e.tcp, UDP: e.udp, Events: e.events,
		Problems: e.decoder.Counts.Map(), Anomalies: map[string]int64{}, Dropped: map[string]int64{}, Seen: map[string]int64{},
	}
	for k, v := range e.anomalies {
		if v > 0 {
			s.Anomalies[AnomalyKind(k).String()] = v
		}
	}
	for k, v := range e.dropped {
		if v > 0 {
			s.Dropped[dropNames[k]] = v
		}
	}
	if e.googleQUIC > 0 {
		s.Seen["google-quic"] = e.googleQUIC
	}
	return s
}

func (e *Engine) anomaly(kind AnomalyKind, p *packet.Info) {
	e.anomalies[kind]++
	if e.opts.Anomaly != nil {
		e.opts.Anomaly(Anomaly{
			Kind: kind, Packet: e.place.Packet, Time: time.Unix(0, e.place.Time).UTC(),
			Src: p.SrcAddr().String(), Dst: p.DstAddr().String(), SrcPort: p.SrcPort, DstPort: p.DstPort,
		})
	}
}

// open gives flow i a session, taking the oldest one when there is no other.
func (e *Engine) open(i int32, transport hello.Transport) *session {
	if len(e.free) == 0 {
		e.dropped[dropSession]++
		e.finish(e.oldest)
	}
	at := e.free[len(e.free)-1]
	e.free = e.free[:len(e.free)-1]
	s := &e.sessions[at]
	*s = session{newer: -1, older: e.newest, flow: i, inUse: true, client: -1, syn: -1, begun: e.place, last: e.now, placed: e.now, transport: transport}
	if e.newest >= 0 {
		e.sessions[e.newest].newer = at
	} else {
		e.oldest = at
	}
	e.newest = at
	e.flows.flows[i].session = at
	return s
}

// touch notes that the session is in use. Its place in the order is exact to relinkAfter only: each change of place
// touches three more sessions.
func (e *Engine) touch(at int32) {
	s := &e.sessions[at]
	s.last = e.now
	if at == e.newest || e.now-s.placed < relinkAfter && e.now >= s.placed {
		return
	}
	e.renew(at)
}

// renew makes the session the newest.
func (e *Engine) renew(at int32) {
	s := &e.sessions[at]
	s.placed = e.now
	if at == e.newest {
		return
	}
	e.unlink(s)
	s.older, s.newer = e.newest, -1
	e.sessions[e.newest].newer = at
	e.newest = at
}

func (e *Engine) unlink(s *session) {
	if s.older >= 0 {
		e.sessions[s.older].newer = s.newer
	} else {
		e.oldest = s.newer
	}
	if s.newer >= 0 {
		e.sessions[s.newer].older = s.older
	} else {
		e.newest = s.older
	}
}

// expire ends sessions of which nothing was heard for long. They are in the order of last use, so
// only the oldest needs a look; closed ones wait behind it for at most the idle timeout.
func (e *Engine) expire() {
	e.expired = e.now
	for e.oldest >= 0 {
		s := &e.sessions[e.oldest]
		f := &e.flows.flows[s.flow]
		limit := int64(idleTimeout)
		if f.reset || f.half[0].closed && f.half[1].closed {
			limit = closedTimeout
		}
		if e.now-s.last < limit {
			return
		}
		// A connection that was quiet before TLS began may still begin it.
		undecided := s.n == 0 && s.transport == hello.OverTCP
		e.finish(e.oldest)
		f.done = !undecided
	}
}

// finish ends a session: its events go out, its buffers go back, its flow is not read any more.
func (e *Engine) finish(at int32) {
	s := &e.sessions[at]
	f := &e.flows.flows[s.flow]
	if s.transport == hello.OverTCP {
		e.otherReading(s, f)
		if s.n == 0 && e.opts.Stream != nil {
			e.tellBeginning(s, f)
		}
	}
	for i, ev := range s.events[:s.n] {
		s.server.fill(ev, e.memory)
		if s.quic != nil {
			ev.QUIC = s.quic.facts()
		}
		for kind := range anomalyKinds {
			if s.anomalies>>kind&1 == 1 {
				ev.Anomalies = append(ev.Anomalies, kind.String())
			}
		}
		s.events[i] = nil
		e.events++
		e.emit(*ev)
		*ev = Event{}
		e.spare = append(e.spare, ev)
	}
	e.unlink(s)
	for d := range s.dir {
		s.dir[d].stream.Release()
		s.dir[d].side.Release()
	}
	if s.dtls != nil {
		s.dtls[0].Release()
		s.dtls[1].Release()
	}
	s.inUse, s.quic, s.dtls, s.server, s.n = false, nil, nil, serverFacts{}, 0
	e.free = append(e.free, at)
	f.session, f.done = -1, true
}

// newEvent makes the event of a client hello that a packet completed, and adds it to the session.
// It returns nil when the session has enough, or again says that the same may come again and it did.
func (e *Engine) newEvent(s *session, f *flow, h *hello.ClientHello, tunnels uint8, again bool) *Event {
	var p packet.Info
	endpoints(&p, &f.key, int(s.client))
	ev := e.empty()
	*ev = Event{
		Packet: e.place.Packet, Time: time.Unix(0, e.place.Time).UTC(), Tunnels: int(tunnels),
		Src: p.SrcAddr(), Dst: p.DstAddr(), SrcPort: p.SrcPort, DstPort: p.DstPort,
	}
	ev.describe(h, s.transport, e.memory)
	ev.Service = dns.Encrypted(p.DstAddr(), p.DstPort, textOf(ev.SNI), ev.ALPN)
	if ev.Service == "dot" && s.transport == hello.OverQUIC {
		ev.Service = "doq"
	}
	for _, old := range s.events[:s.n] {
		// The same hello again after a QUIC Retry or a DTLS HelloVerifyRequest is no other hello.
		repeated := s.transport != hello.OverTCP && old.random == ev.random && !s.server.retry
		if repeated || again && old.same(ev) {
			e.spare = append(e.spare, ev)
			return nil
		}
	}
	if s.n == maxHellos {
		e.dropped[dropHello]++
		e.spare = append(e.spare, ev)
		return nil
	}
	ev.Hello = s.n + 1
	s.server.sessionSize = copy(s.server.session[:], h.SessionID)
	s.events[s.n] = ev
	s.n++
	return ev
}

// empty gives an event to fill in, one that was used before when there is one: they are as many as sessions need.
func (e *Engine) empty() *Event {
	n := len(e.spare)
	if n == 0 {
		return new(Event)
	}
	ev := e.spare[n-1]
	e.spare = e.spare[:n-1]
	return ev
}

// endpoints fills in addresses and ports for what the given end sent.
func endpoints(p *packet.Info, k *flowKey, from int) {
	src, dst := &p.Src, &p.Dst
	p.SrcPort, p.DstPort = k.lowPort(), k.highPort()
	if from == 1 {
		src, dst = dst, src
		p.SrcPort, p.DstPort = p.DstPort, p.SrcPort
	}
	for i := range 2 {
		binary.BigEndian.PutUint64(src[i*8:], k.low[i])
		binary.BigEndian.PutUint64(dst[i*8:], k.high[i])
	}
	p.Protocol = uint8(k.rest >> 32)
}

// tellBeginning hands the beginning of a connection that is not TLS to the listener.
func (e *Engine) tellBeginning(s *session, f *flow) {
	client := int(s.syn)
	if client < 0 {
		client = 0
		if f.key.lowPort() < f.key.highPort() { // a guess: servers have the smaller port
			client = 1
		}
	}
	if s.dir[0].stream.Pieces() == 0 && s.dir[1].stream.Pieces() == 0 {
		return
	}
	b := &e.beginning
	*b = Beginning{FromClient: &s.dir[client].stream, FromServer: &s.dir[1-client].stream, Place: s.begun}
	endpoints(&b.Client, &f.key, client)
	endpoints(&b.Server, &f.key, 1-client)
	e.opts.Stream(b)
}

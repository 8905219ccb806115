package traffic

import (
	"bytes"
	"context"
	"io"
	"net/netip"

	"github.com/mithaq/mithaq/internal/detect/capture"
	"github.com/mithaq/mithaq/internal/detect/dns"
	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/fingerprint"
	"github.com/mithaq/mithaq/internal/detect/http1"
	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/packet"
)

// Options adjusts a run.
type Options struct {
	Seed uint64 // random: keeps tables in memory from being filled on purpose
	// Damage is told of damaged places in the capture and of packets that are damaged in themselves, with where they are; nil: nobody.
	Damage func(string)
}

// Stats is what was read of one capture.
type Stats struct {
	Packets   int64            `json:"packets"`
	Bytes     int64            `json:"bytes"`
	Events    int64            `json:"events"`
	Malformed map[string]int64 `json:"malformed,omitempty"` // packets and places of the file that gave nothing, by kind
	Dropped   map[string]int64 `json:"dropped,omitempty"`   // what gave way to the bounds of memory
	Anomalies map[string]int64 `json:"anomalies,omitempty"`
}

// IsCapture tells whether a file that begins with these four bytes is a capture.
func IsCapture(head []byte) bool {
	if len(head) < 4 {
		return false
	}
	switch string(head[:4]) {
	case "\xa1\xb2\xc3\xd4", "\xd4\xc3\xb2\xa1", "\xa1\xb2\x3c\x4d", "\x4d\x3c\xb2\xa1", "\x0a\x0d\x0d\x0a", "\xa1\xb2\xcd\x34", "\x34\xcd\xb2\xa1":
		return true
	}
	return false
}

// Source turns packets into events, those of one capture after the other or one by one: for captures that never end. It is for one
// goroutine.
type Source struct {
	*source
	engine *fingerprint.Engine
}

// NewSource makes a Source that calls yield for every event, which is valid during the call. name is what events call the place they
// were found at, when that is no capture which Run reads.
func NewSource(name string, opts Options, yield func(*event.Event)) *Source {
	s := &Source{source: newSource(name, yield)}
	s.engine = fingerprint.NewEngine(s.listen(opts), s.hello)
	return s
}

// Run forgets what came before and reads a capture, which events call by its name. The error is that of fingerprint.Run; the Stats
// are right with one, too.
func (s *Source) Run(ctx context.Context, name string, r io.Reader) (Stats, error) {
	s.event.File, s.events = name, 0
	s.seen.forget()
	counts, err := s.engine.Run(ctx, r)
	s.seen.flush(s.over)
	return s.stats(counts), err
}

// Packet takes the next packet. Its bytes are not kept. It allocates nothing for packets that carry nothing to match.
func (s *Source) Packet(p *capture.Packet) { s.engine.Packet(p) }

// Flush ends what is under way: connections that are open are told of as they stand.
func (s *Source) Flush() {
	s.engine.Flush()
	s.seen.flush(s.over)
}

// Stats tells what was counted so far.
func (s *Source) Stats() Stats { return s.stats(s.engine.Stats()) }

func newSource(name string, yield func(*event.Event)) *source {
	s := &source{yield: yield, seen: newRecent()}
	s.over = s.ended
	s.event.File, s.event.Format = name, "packets"
	return s
}

func (s *source) listen(opts Options) fingerprint.Options {
	o := fingerprint.Options{Seed: opts.Seed, Packet: s.packet, Datagram: s.datagram, Stream: s.stream}
	o.Name(opts.Damage)
	return o
}

func (s *source) stats(counts fingerprint.Stats) Stats {
	stats := Stats{Packets: counts.Packets, Bytes: counts.Bytes, Events: s.events, Malformed: counts.Problems, Dropped: counts.Dropped, Anomalies: counts.Anomalies}
	if stats.Malformed == nil {
		stats.Malformed = map[string]int64{}
	}
	for kind, n := range counts.Damage {
		stats.Malformed[kind] += n
	}
	return stats
}

type source struct {
	yield  func(*event.Event)
	event  event.Event
	seen   *recent
	chains chains
	over   func(*connection) // ended, made once: a packet must not allocate
	events int64
}

// begin makes the event empty and notes where it is.
func (s *source) begin(log string, place fingerprint.Place, protocol uint8) *event.Event {
	ev := &s.event
	ev.Reset()
	ev.Log, ev.Packet, ev.Time = log, place.Packet, place.Time
	ev.Protocol = "tcp"
	if protocol == packet.ProtocolUDP {
		ev.Protocol = "udp"
	}
	return ev
}

func (s *source) end() {
	s.events++
	s.yield(&s.event)
}

func flow(ev *event.Event, p *packet.Info, turned bool) {
	ev.Src, ev.Dst, ev.SrcPort, ev.DstPort = p.SrcAddr(), p.DstAddr(), p.SrcPort, p.DstPort
	if turned {
		ev.Src, ev.Dst, ev.SrcPort, ev.DstPort = ev.Dst, ev.Src, ev.DstPort, ev.SrcPort
	}
}

// packet makes an event of a connection's addresses at its first packet.
func (s *source) packet(p *packet.Info, place fingerprint.Place) {
	if _, first := s.seen.see(p, place, s.over); !first {
		return
	}
	ev := s.begin("flow", place, p.Protocol)
	answer := p.Protocol == packet.ProtocolTCP && p.Flags&(packet.FlagSYN|packet.FlagACK) == packet.FlagSYN|packet.FlagACK
	flow(ev, p, answer)
	ev.AddAddress("src", nil, ev.Src)
	ev.AddAddress("dst", nil, ev.Dst)
	s.end()
}

// ended makes an event of how long a connection lasted and how much it carried. There is nothing in it to match.
func (s *source) ended(c *connection) {
	ev := s.begin("flow-end", fingerprint.Place{Packet: c.packet, Time: c.first}, c.protocol)
	ev.Src, ev.Dst = netip.AddrFrom16(c.src).Unmap(), netip.AddrFrom16(c.dst).Unmap()
	ev.SrcPort, ev.DstPort = c.srcPort, c.dstPort
	ev.Facts.Begin, ev.Facts.Duration, ev.Facts.Bytes = c.first, max(c.last-c.first, 1), c.bytes
	s.yield(ev)
}

// datagram reads DNS.
func (s *source) datagram(p *packet.Info, place fingerprint.Place) {
	if isDNS(p.SrcPort) || isDNS(p.DstPort) {
		s.dns(p.Payload, p, place, false)
	}
}

// isDNS tells whether DNS in the clear is spoken on a port: DNS, multicast DNS, LLMNR.
func isDNS(port uint16) bool { return port == 53 || port == 5353 || port == 5355 }

func (s *source) dns(message []byte, p *packet.Info, place fingerprint.Place, turned bool) {
	m, err := dns.Parse(message)
	if err != nil {
		return
	}
	ev := s.begin("dns", place, p.Protocol)
	flow(ev, p, turned || p.Protocol == packet.ProtocolUDP && m.Response)
	for _, q := range m.Questions {
		ev.AddString(index.Domain, "dns.query", q.Name)
	}
	for _, r := range m.Records {
		ev.AddString(index.Domain, "dns.answer", r.Target)
		if r.Addr.IsValid() {
			ev.AddAddress("dns.answer", nil, r.Addr)
		}
		if len(m.Questions) == 0 || r.Name != m.Questions[0].Name {
			ev.AddString(index.Domain, "dns.name", r.Name)
		}
	}
	s.end()
}

// stream reads what is not TLS: HTTP/1 and DNS over TCP, in both readings where segments overlap.
func (s *source) stream(b *fingerprint.Beginning) {
	for _, side := range []*packet.Stream{b.FromClient, b.FromServer} {
		if side == nil {
			continue
		}
		first, later := side.First(), side.Later()
		readings := [][]byte{first}
		if later != nil && !bytes.Equal(first, later) {
			readings = append(readings, later)
		}
		for _, reading := range readings {
			if b.Client.DstPort == 53 {
				for message := range dns.Stream(reading) {
					s.dns(message, &b.Client, b.Place, false)
				}
			} else if side == b.FromClient {
				s.http(reading, b)
			}
		}
	}
}

func (s *source) http(reading []byte, b *fingerprint.Beginning) {
	for r := range http1.Requests(reading) {
		ev := s.begin("http", b.Place, packet.ProtocolTCP)
		flow(ev, &b.Client, false)
		host := r.Host
		if i := bytes.LastIndexByte(host, ':'); i > 0 && !index.IsIPv6(host) {
			host = host[:i]
		}
		ev.AddHost("http.host", host)
		begin := len(ev.Scratch)
		ev.Scratch = r.AppendURL(ev.Scratch)
		if url := ev.Scratch[begin:len(ev.Scratch):len(ev.Scratch)]; len(url) > 0 {
			ev.Add(index.URL, "http.url", url)
		} else if name, _, ok := bytes.Cut(r.Target, []byte(":")); ok && string(r.Method) == "CONNECT" {
			ev.AddHost("http.connect", name)
		}
		ev.Add(index.URL, "http.referer", r.Referer)
		ev.AddOther("network-traffic:x_user_agent", "http.user_agent", r.UserAgent)
		s.end()
	}
}

// hello turns a client hello with what the server showed into an event.
func (s *source) hello(h fingerprint.Event) {
	at := int64(0)
	if h.Time.Unix() != 0 || h.Time.Nanosecond() != 0 {
		at = h.Time.UnixNano()
	}
	log, protocol := "tls", uint8(packet.ProtocolTCP)
	if h.Transport != "tcp" {
		log, protocol = h.Transport, packet.ProtocolUDP
	}
	ev := s.begin(log, fingerprint.Place{Packet: h.Packet, Time: at}, protocol)
	ev.Src, ev.Dst = h.Src, h.Dst
	ev.SrcPort, ev.DstPort = h.SrcPort, h.DstPort
	if h.SNI != nil {
		ev.AddHost("tls.sni", ev.Bytes(*h.SNI))
	}
	ev.AddString(index.JA3, "tls.ja3", h.JA3)
	ev.AddString(index.JA4, "tls.ja4", h.JA4)
	ev.Facts.Service = h.Service
	if len(h.ServerChain) > 0 {
		ev.Facts.Certificate = certificateOf(ev, &h)
	}
	if h.JA3S != nil {
		ev.AddString(index.JA3S, "tls.ja3s", *h.JA3S)
	}
	ev.Groups = s.chains.add(s.chains.add(ev.Groups, h.ServerChain), h.ClientChain)
	s.end()
}

// certificateOf tells what evidence is made of.
func certificateOf(ev *event.Event, h *fingerprint.Event) event.Certificate {
	own := &h.ServerChain[0]
	c := event.Certificate{Subject: ev.Bytes(own.Subject), Issuer: ev.Bytes(own.Issuer)}
	if own.NotBefore != nil && own.NotAfter != nil {
		c.From, c.Until = own.NotBefore.Unix(), own.NotAfter.Unix()
	}
	if h.SNIMatches != nil {
		c.Name = event.No
		if *h.SNIMatches {
			c.Name = event.Yes
		}
	}
	return c
}

package fingerprint

import (
	"crypto/tls"
	"encoding/binary"
	"net/netip"
	"runtime"
	"testing"

	"github.com/mithaq/mithaq/internal/detect/capture"
)

// TestSteadyStateAllocatesNothing lets connections begin, talk and end without a hello.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	e := NewEngine(Options{Flows: 1 << 10, Sessions: 64, Buffer: 1 << 20}, func(Event) {})
	data := make([]byte, 1400)
	copy(data, "GET / HTTP/1.1\r\n")
	dns := make([]byte, 60)
	port := uint16(1)
	var p capture.Packet
	send := func(b []byte) {
		p.Number++
		p.Time += 1e6
		p.Link, p.Data = capture.LinkRaw, b
		e.Packet(&p)
	}
	opening := tcpPacket(client4, server4, 99, 0, syn, nil)
	up, down := tcpPacket(client4, server4, 100, 1, ack, data), tcpPacket(server4, client4, 1, 100, ack, data)
	udp := udpPacket(client4, server4, dns)
	round := func() {
		port++
		binary.BigEndian.PutUint16(opening[20:], port)
		binary.BigEndian.PutUint16(up[20:], port)
		binary.BigEndian.PutUint16(down[22:], port)
		send(opening)
		for i := range uint32(12) {
			binary.BigEndian.PutUint32(up[24:], 100+i*1400)
			binary.BigEndian.PutUint32(down[24:], 1+i*1400)
			send(up)
			send(down)
			send(udp)
		}
	}
	for range 3000 {
		round()
	}
	if n := testing.AllocsPerRun(500, round); n != 0 {
		t.Errorf("%v allocations for 37 packets", n)
	}
}

// TestHalfOpenFlood sends a million SYNs and half a million beginnings of streams from different
// ends. Memory stays where it was and a real handshake is still read.
func TestHalfOpenFlood(t *testing.T) {
	var events []Event
	e := NewEngine(Options{Flows: 1 << 12, Sessions: 1 << 8, Buffer: 2 << 20}, func(ev Event) { events = append(events, ev) })
	opening := tcpPacket(client4, server4, 99, 0, syn, nil)
	half := tcpPacket(client4, server4, 100, 1, ack, []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"))
	var p capture.Packet
	send := func(b []byte, i uint32) {
		binary.BigEndian.PutUint32(b[12:], i)
		p = capture.Packet{Number: int64(i), Time: int64(i) * 1000, Link: capture.LinkRaw, Data: b}
		e.Packet(&p)
	}
	var before, after runtime.MemStats
	for i := range uint32(20_000) {
		send(opening, i)
		send(half, i)
	}
	runtime.GC()
	runtime.ReadMemStats(&before)
	many := uint32(1_000_000)
	if testing.Short() {
		many = 40_000
	}
	for i := range many {
		send(opening, i+1<<24)
		if i%2 == 0 {
			send(half, i+1<<25)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if after.HeapAlloc > before.HeapAlloc+1<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before.HeapAlloc, after.HeapAlloc)
	}
	stats := e.Stats()
	if stats.Dropped["flows"] == 0 || stats.Dropped["sessions"] == 0 {
		t.Errorf("%+v", stats.Dropped)
	}
	feed(e, captureOf(segmentsOf(handshake(t, tls.VersionTLS12, nil), 1460)))
	e.Flush()
	if len(events) != 1 || !events[0].Established {
		t.Errorf("%+v", events)
	}
}

// TestBuffersAreBounded opens streams that all claim huge certificates.
func TestBuffersAreBounded(t *testing.T) {
	e := NewEngine(Options{Flows: 1 << 10, Sessions: 512, Buffer: 4 << 20}, func(Event) {})
	bursts := handshake(t, tls.VersionTLS12, nil)
	huge := []byte("\x16\x03\x03\x40\x00\x0b\x0f\xff\xff")
	huge = append(huge, make([]byte, 0x4000-4)...)
	flight := append([]byte{}, bursts[1].data[:5+int(bursts[1].data[3])<<8+int(bursts[1].data[4])]...)
	for range 8 {
		flight = append(flight, huge...)
	}
	streams := 2000
	if testing.Short() {
		streams = 300 // nine times what the buffers hold
	}
	for i := range streams {
		c := newCapturing()
		from := netip.AddrPortFrom(client4.Addr(), uint16(i+1))
		c.segments(segmentsOf([]burst{bursts[0], {false, flight}}, 1460), from, server4)
		feed(e, c.file)
	}
	if e.pool.Allocated() > 4<<20 {
		t.Errorf("%d bytes of buffers", e.pool.Allocated())
	}
	e.Flush()
	if int(e.events) != streams {
		t.Errorf("%d events", e.events)
	}
}

// BenchmarkConnections is the steady state without hellos: few connections with much in them, and
// more ends than there are places, two packets each.
func BenchmarkConnections(b *testing.B) {
	for name, ends := range map[string]uint32{"1000": 1000, "1000000": 1_000_000} {
		b.Run(name, func(b *testing.B) {
			e := NewEngine(Options{}, func(Event) {})
			data := make([]byte, 1400)
			up, down := tcpPacket(client4, server4, 100, 1, ack, data), tcpPacket(server4, client4, 1, 100, ack, data)
			p := capture.Packet{Link: capture.LinkRaw, Time: 1e18}
			i := uint32(0)
			b.ReportAllocs()
			for b.Loop() {
				i++
				packet, at := up, 12
				if i&1 == 1 {
					packet, at = down, 16
				}
				binary.BigEndian.PutUint32(packet[at:], i/2%ends)
				binary.BigEndian.PutUint32(packet[24:], 100+i/2/ends*1400)
				p.Number, p.Data = int64(i), packet
				p.Time += 1000
				e.Packet(&p)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
		})
	}
}

// FuzzRun reads damaged captures.
func FuzzRun(f *testing.F) {
	f.Add(captureOf(segmentsOf(handshake(f, tls.VersionTLS12, nil), 1460)))
	ch, sh := quicHellos(f)
	c := newCapturing()
	c.packet(udpPacket(client4, server4, sealInitial(1, dcid, dcid, scid, nil, false, 0, padded(cryptoFrame(0, ch), 1150))))
	c.packet(udpPacket(server4, client4, sealInitial(1, dcid, scid, serverID, nil, true, 0, cryptoFrame(0, sh))))
	f.Add(c.file)
	d := newCapturing()
	for _, b := range dtlsDatagrams(1, 0, make([]byte, 200), 90) {
		d.packet(udpPacket(client4, server4, b))
	}
	f.Add(d.file)
	f.Fuzz(func(t *testing.T, file []byte) {
		e := NewEngine(Options{Flows: 64, Sessions: 8, Buffer: 1 << 18, Fragments: 4, Stream: func(*Beginning) {}}, func(e Event) {
			if len(e.JA4) != 36 || !e.Src.IsValid() {
				t.Fatalf("%+v", e)
			}
		})
		feed(e, file)
		e.Flush()
		if len(e.free) != 8 {
			t.Fatalf("%d of 8 sessions came back", len(e.free))
		}
		if e.pool.Allocated() > 1<<18 {
			t.Fatal("over the budget")
		}
	})
}

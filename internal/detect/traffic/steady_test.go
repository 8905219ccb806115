package traffic_test

import (
	"encoding/binary"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"

	"github.com/mithaq/mithaq/internal/detect/capture"
	"github.com/mithaq/mithaq/internal/detect/engine"
	"github.com/mithaq/mithaq/internal/detect/evidence"
	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/traffic"
)

// replay writes packets of connections that come and go, in room of its own, and hands them to the whole way from packet
// to match.
type replay struct {
	source *traffic.Source
	packet capture.Packet
	frame  []byte
}

func newReplay(t testing.TB) *replay {
	t.Helper()
	b := &index.Builder{}
	src, err := b.Source(index.Source{Feed: "feed"})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"bad.example", "worse.example"} {
		if err := b.Add(index.Domain, []byte(key), index.Row{Source: src, Confidence: index.NoConfidence}); err != nil {
			t.Fatal(err)
		}
	}
	set, err := index.Build(b, 1)
	if err != nil {
		t.Fatal(err)
	}
	history := evidence.New(evidence.Options{Seed: 1, Series: 1 << 10, Calls: 1 << 14, Destinations: 1 << 8, Names: 1 << 8})
	e := engine.New(index.NewStore(set), nil, engine.Options{History: history}, func(*engine.Match) { t.Error("a match") })
	c := newCapture(t)
	c.add("10.0.0.1", "192.0.2.1", &layers.TCP{SrcPort: 1, DstPort: 443, ACK: true, Window: 1000}, make([]byte, 600))
	return &replay{source: traffic.NewSource("x", traffic.Options{Seed: 1}, e.Event), frame: c.file.Bytes()[24+16:],
		packet: capture.Packet{Link: capture.LinkEthernet}}
}

// send sends a TCP segment of one of 200 hosts.
func (r *replay) send(host, port uint16, server byte, seq uint32, flags byte, n int) {
	const ip, tcp = 14, 34
	copy(r.frame[ip+12:], net.IPv4(10, 0, byte(host>>8), byte(host)).To4())
	r.frame[ip+19] = server
	binary.BigEndian.PutUint16(r.frame[ip+2:], uint16(40+n))
	binary.BigEndian.PutUint16(r.frame[tcp:], port)
	binary.BigEndian.PutUint32(r.frame[tcp+4:], seq)
	r.frame[tcp+13] = flags
	r.packet.Number++
	r.packet.Time = 1e18 + r.packet.Number*1e6
	r.packet.Data = r.frame[:54+n]
	r.packet.Length = len(r.packet.Data)
	r.source.Packet(&r.packet)
}

const (
	syn = 2
	fin = 17
	ack = 16
)

// connection sends one from its beginning to its end.
func (r *replay) connection(host, port uint16, server byte) {
	r.send(host, port, server, 99, syn, 0)
	for i := range uint32(20) {
		r.send(host, port, server, 100+600*i, ack, 600)
	}
	r.send(host, port, server, 100+20*600, fin, 0)
}

// TestPacketsAllocateNothing: not in the decoder, the connections, the index, nor in what evidence remembers.
func TestPacketsAllocateNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine, and a million packets to fill what it remembers")
	}
	r := newReplay(t)
	port := uint16(0)
	round := func() {
		port++
		r.connection(port%200, port, byte(port%7))
	}
	for range 60_000 { // tables and series fill up
		round()
	}
	if n := testing.AllocsPerRun(500, round); n != 0 {
		t.Errorf("%v allocations in a connection of 22 packets", n)
	}
}

// TestMemoryStaysFlat replays connections and hellos of ever new hosts. MITHAQ_REPLAY says for how long (1h); without it
// two million packets do.
func TestMemoryStaysFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine and two million packets")
	}
	r := newReplay(t)
	long, err := time.ParseDuration(os.Getenv("MITHAQ_REPLAY"))
	if err != nil {
		long = 0
	}
	begin, n := time.Now(), 0
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	run := func(packets int, until time.Time) {
		for from := r.packet.Number; r.packet.Number-from < int64(packets) || time.Now().Before(until); n++ {
			r.connection(uint16(n%5000), uint16(n*7919), byte(n%251))
		}
	}
	run(1_000_000, begin.Add(long/5))
	before := heap()
	run(1_000_000, begin.Add(long))
	after := heap()
	t.Logf("%d packets in %s, heap %d KiB after a fifth of the time, %d KiB at the end", r.packet.Number, time.Since(begin).Round(time.Second), before>>10, after>>10)
	if after > before+before/20+1<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
	runtime.KeepAlive(r)
}

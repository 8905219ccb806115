package traffic_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/traffic"
)

// captureFile writes packets as a pcap file, a second apart.
type captureFile struct {
	t    testing.TB
	file bytes.Buffer
	w    *pcapgo.Writer
	n    int
}

func newCapture(t testing.TB) *captureFile {
	c := &captureFile{t: t}
	c.w = pcapgo.NewWriter(&c.file)
	if err := c.w.WriteFileHeader(65536, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *captureFile) add(src, dst string, transport gopacket.SerializableLayer, payload []byte) {
	eth := &layers.Ethernet{SrcMAC: make(net.HardwareAddr, 6), DstMAC: make(net.HardwareAddr, 6), EthernetType: layers.EthernetTypeIPv4}
	ip := &layers.IPv4{Version: 4, TTL: 64, SrcIP: net.ParseIP(src), DstIP: net.ParseIP(dst)}
	switch l := transport.(type) {
	case *layers.TCP:
		ip.Protocol = layers.IPProtocolTCP
		_ = l.SetNetworkLayerForChecksum(ip)
	case *layers.UDP:
		ip.Protocol = layers.IPProtocolUDP
		_ = l.SetNetworkLayerForChecksum(ip)
	}
	buffer := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, eth, ip, transport, gopacket.Payload(payload)); err != nil {
		c.t.Fatal(err)
	}
	c.n++
	b := buffer.Bytes()
	if err := c.w.WritePacket(gopacket.CaptureInfo{Timestamp: time.Unix(int64(c.n), 0), CaptureLength: len(b), Length: len(b)}, b); err != nil {
		c.t.Fatal(err)
	}
}

func dnsAnswer(t testing.TB) []byte {
	m := &layers.DNS{ID: 1, QR: true, Questions: []layers.DNSQuestion{{Name: []byte("Bad.example"), Type: layers.DNSTypeA, Class: layers.DNSClassIN}},
		Answers: []layers.DNSResourceRecord{{Name: []byte("bad.example"), Type: layers.DNSTypeA, Class: layers.DNSClassIN, IP: net.ParseIP("192.0.2.7").To4()}}}
	buffer := gopacket.NewSerializeBuffer()
	if err := m.SerializeTo(buffer, gopacket.SerializeOptions{FixLengths: true}); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

func TestRun(t *testing.T) {
	c := newCapture(t)
	c.add("10.0.0.53", "10.0.0.7", &layers.UDP{SrcPort: 53, DstPort: 5000}, dnsAnswer(t))
	tcp := func(seq uint32, syn, ack bool) *layers.TCP {
		return &layers.TCP{SrcPort: 4000, DstPort: 8080, Seq: seq, SYN: syn, ACK: ack, Window: 1000}
	}
	c.add("10.0.0.7", "192.0.2.7", tcp(99, true, false), nil)
	request := "GET /a HTTP/1.1\r\nHost: bad.example:8080\r\nUser-Agent: x\r\n\r\n"
	c.add("10.0.0.7", "192.0.2.7", tcp(100, false, true), []byte(request[:20]))
	c.add("10.0.0.7", "192.0.2.7", tcp(120, false, true), []byte(request[20:]))
	file := append(c.file.Bytes(), "cut"...)
	var got, ends []string
	stats, err := traffic.NewSource("", traffic.Options{Seed: 1}, func(ev *event.Event) {
		if ev.Log == "flow-end" {
			ends = append(ends, fmt.Sprintf("%d %v>%v %d bytes in %s", ev.Packet, ev.Src, ev.Dst, ev.Facts.Bytes, time.Duration(ev.Facts.Duration)))
			return
		}
		ev.Spread()
		var values []string
		for _, v := range ev.Values {
			values = append(values, fmt.Sprintf("%s=%s", v.Field, v.Text))
		}
		got = append(got, fmt.Sprintf("%d %s %v:%d>%v:%d %s %s", ev.Packet, ev.Log, ev.Src, ev.SrcPort, ev.Dst, ev.DstPort, ev.Protocol, strings.Join(values, " ")))
	}).Run(context.Background(), "x.pcap", bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"1 flow 10.0.0.53:53>10.0.0.7:5000 udp src=10.0.0.53 dst=10.0.0.7",
		"1 dns 10.0.0.7:5000>10.0.0.53:53 udp dns.query=bad.example dns.answer=192.0.2.7",
		"2 flow 10.0.0.7:4000>192.0.2.7:8080 tcp src=10.0.0.7 dst=192.0.2.7",
	}
	if len(got) != 4 || !slices.Equal(got[:3], want) || !strings.Contains(got[3], "http 10.0.0.7:4000>192.0.2.7:8080 tcp http.host=bad.example http.url=http://bad.example:8080/a") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	if want := "2 10.0.0.7>192.0.2.7 58 bytes in 2s"; !slices.Contains(ends, want) {
		t.Errorf("%q, want %q", ends, want)
	}
	if stats.Packets != 4 || stats.Malformed["truncated"] != 1 {
		t.Errorf("%+v", stats)
	}
}

// TestDamageIsNamed with its place, a broken packet by its number.
func TestDamageIsNamed(t *testing.T) {
	c := newCapture(t)
	c.add("10.0.0.7", "192.0.2.7", &layers.UDP{SrcPort: 5000, DstPort: 6000}, []byte("x"))
	file := c.file.Bytes()
	frame := append(make([]byte, 12), 0x08, 0x00, 0x45, 0, 0, 20) // an IPv4 header that ends after four bytes
	for _, v := range []int{1_700_000_000, 0, len(frame), len(frame)} {
		file = binary.LittleEndian.AppendUint32(file, uint32(v))
	}
	file = append(append(file, frame...), "cut"...)
	var told []string
	source := traffic.NewSource("", traffic.Options{Damage: func(what string) { told = append(told, what) }}, func(*event.Event) {})
	if _, err := source.Run(context.Background(), "x.pcap", bytes.NewReader(file)); err != nil {
		t.Fatal(err)
	}
	if len(told) != 2 || told[0] != "truncated-header in packet 2" || !strings.Contains(told[1], "after packet 2") {
		t.Errorf("%q", told)
	}
}

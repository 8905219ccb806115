package packet

import (
	"bytes"
	"encoding/binary"
	"net"
	"strings"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"github.com/mithaq/mithaq/internal/detect/capture"
)

var (
	mac1, mac2 = net.HardwareAddr{2, 0, 0, 0, 0, 1}, net.HardwareAddr{2, 0, 0, 0, 0, 2}
	v4a, v4b   = net.IPv4(192, 0, 2, 1).To4(), net.IPv4(198, 51, 100, 2).To4()
	v6a, v6b   = net.ParseIP("2001:db8::1"), net.ParseIP("2001:db8::2")
)

func build(t testing.TB, list ...gopacket.SerializableLayer) []byte {
	t.Helper()
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true}, list...); err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(buf.Bytes())
}

// inner is an IP packet with a UDP datagram that says hello.
func inner4(t testing.TB) []byte {
	return build(t, &layers.IPv4{Version: 4, IHL: 5, TTL: 9, Protocol: layers.IPProtocolUDP, SrcIP: v4a, DstIP: v4b},
		&layers.UDP{SrcPort: 1234, DstPort: 4321}, gopacket.Payload("hello"))
}

func inner6(t testing.TB) []byte {
	return build(t, &layers.IPv6{Version: 6, HopLimit: 9, NextHeader: layers.IPProtocolTCP, SrcIP: v6a, DstIP: v6b},
		&layers.TCP{SrcPort: 1234, DstPort: 4321, Seq: 7, ACK: true, Options: []layers.TCPOption{
			{OptionType: 8, OptionLength: 10, OptionData: []byte{0, 0, 0, 5, 0, 0, 0, 6}}}}, gopacket.Payload("hello"))
}

func ether(t layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{SrcMAC: mac1, DstMAC: mac2, EthernetType: t}
}

func outer(p layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{Version: 4, IHL: 5, TTL: 9, Protocol: p, SrcIP: net.IPv4(10, 0, 0, 1).To4(), DstIP: net.IPv4(10, 0, 0, 2).To4()}
}

func raw(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch v := p.(type) {
		case string:
			b = append(b, v...)
		case []byte:
			b = append(b, v...)
		case int:
			b = binary.BigEndian.AppendUint16(b, uint16(v))
		}
	}
	return b
}

func TestEveryWayToWrapAPacket(t *testing.T) {
	four, six := inner4(t), inner6(t)
	frame := build(t, ether(layers.EthernetTypeIPv4), gopacket.Payload(four))
	udp := func(port layers.UDPPort, payload []byte) []byte {
		return build(t, ether(layers.EthernetTypeIPv4), outer(layers.IPProtocolUDP), &layers.UDP{SrcPort: 999, DstPort: port}, gopacket.Payload(payload))
	}
	gre := func(payload []byte) []byte {
		return build(t, ether(layers.EthernetTypeIPv4), outer(layers.IPProtocolGRE), gopacket.Payload(payload))
	}
	type wrapped struct {
		link    capture.LinkType
		data    []byte
		tunnels int
	}
	for name, c := range map[string]wrapped{
		"ethernet":           {capture.LinkEthernet, frame, 0},
		"ethernet, IPv6":     {capture.LinkEthernet, build(t, ether(layers.EthernetTypeIPv6), gopacket.Payload(six)), 0},
		"802.3 with SNAP":    {capture.LinkEthernet, raw([]byte(mac1), []byte(mac2), len(four)+8, "\xaa\xaa\x03\x00\x00\x00", 0x0800, four), 0},
		"VLAN":               {capture.LinkEthernet, raw([]byte(mac1), []byte(mac2), 0x8100, 5, 0x0800, four), 0},
		"QinQ":               {capture.LinkEthernet, raw([]byte(mac1), []byte(mac2), 0x88a8, 5, 0x8100, 6, 0x86dd, six), 0},
		"provider bridge":    {capture.LinkEthernet, raw([]byte(mac1), []byte(mac2), 0x88e7, 0, 1, frame), 0},
		"MPLS":               {capture.LinkEthernet, raw([]byte(mac1), []byte(mac2), 0x8847, "\x00\x01\x00\x40\x00\x01\x01\x40", six), 0},
		"MPLS pseudowire":    {capture.LinkEthernet, raw([]byte(mac1), []byte(mac2), 0x8847, "\x00\x01\x01\x40", 0, 0, frame), 0},
		"PPPoE":              {capture.LinkEthernet, raw([]byte(mac1), []byte(mac2), 0x8864, 0x1100, 1, len(four)+2, 0x0021, four), 0},
		"SLL":                {capture.LinkSLL, raw(0, 1, 6, []byte(mac1), 0, 0x86dd, six), 0},
		"SLL2":               {capture.LinkSLL2, raw(0x0800, 0, 0, 1, 1, "\x00\x06", []byte(mac1), 0, four), 0},
		"raw":                {capture.LinkRaw, four, 0},
		"raw IPv6":           {capture.LinkIPv6, six, 0},
		"null, little":       {capture.LinkNull, raw("\x02\x00\x00\x00", four), 0},
		"null, big":          {capture.LinkNull, raw("\x00\x00\x00\x1e", six), 0},
		"loop":               {capture.LinkLoop, raw("\x00\x00\x00\x02", four), 0},
		"PPP":                {capture.LinkPPP, raw("\xff\x03", 0x0021, four), 0},
		"PPP, compressed":    {capture.LinkPPP, raw("\x57", six), 0},
		"PPP with direction": {capture.LinkPPPWithDir, raw("\x01\xff\x03", 0x0021, four), 0},
		"PPP ether":          {capture.LinkPPPEther, raw(0x1100, 1, len(four)+2, 0x0021, four), 0},
		"Cisco HDLC":         {capture.LinkCiscoHDLC, raw("\x0f\x00", 0x0800, four), 0},
		"802.11":             {capture.Link80211, raw("\x88\x01", make([]byte, 24), "\xaa\xaa\x03\x00\x00\x00", 0x0800, four), 0},
		"4in4":               {capture.LinkRaw, build(t, outer(layers.IPProtocolIPv4), gopacket.Payload(four)), 1},
		"6in4":               {capture.LinkRaw, build(t, outer(layers.IPProtocolIPv6), gopacket.Payload(six)), 1},
		"4in6": {capture.LinkRaw, build(t, &layers.IPv6{Version: 6, NextHeader: layers.IPProtocolIPv4, SrcIP: v6a, DstIP: v6b},
			gopacket.Payload(four)), 1},
		"GRE":               {capture.LinkEthernet, gre(raw(0, 0x0800, four)), 1},
		"GRE, all fields":   {capture.LinkEthernet, gre(raw(0xb000, 0x86dd, 0, 0, 0, 1, 0, 2, six)), 1},
		"GRE, PPTP":         {capture.LinkEthernet, gre(raw(0x3081, 0x880b, len(four)+2, 1, 0, 1, 0, 1, "\x00\x21", four)), 1},
		"GRE, bridged":      {capture.LinkEthernet, gre(raw(0, 0x6558, frame)), 1},
		"ERSPAN I":          {capture.LinkEthernet, gre(raw(0, 0x88be, frame)), 1},
		"ERSPAN II":         {capture.LinkEthernet, gre(raw(0x1000, 0x88be, 0, 1, "\x10\x01\x00\x00", 0, 0, frame)), 1},
		"ERSPAN III":        {capture.LinkEthernet, gre(raw(0x1000, 0x22eb, 0, 1, "\x20\x01\x00\x00", 0, 0, 0, 0, frame)), 1},
		"ERSPAN III, sub":   {capture.LinkEthernet, gre(raw(0x1000, 0x22eb, 0, 1, "\x20\x01\x00\x00", 0, 0, 0, 1, make([]byte, 8), frame)), 1},
		"VXLAN":             {capture.LinkEthernet, udp(4789, raw(0x0800, 0, 0, 0x0500, frame)), 1},
		"VXLAN GPE":         {capture.LinkEthernet, udp(4790, raw(0x0c00, 1, 0, 0x0500, four)), 1},
		"GENEVE":            {capture.LinkEthernet, udp(6081, raw(0x0100, 0x6558, 0, 0x0500, 0, 0, frame)), 1},
		"GENEVE, IP":        {capture.LinkEthernet, udp(6081, raw(0, 0x86dd, 0, 0x0500, six)), 1},
		"GTP":               {capture.LinkEthernet, udp(2152, raw("\x30\xff", len(four), 0, 1, four)), 1},
		"GTP, extension":    {capture.LinkEthernet, udp(2152, raw("\x34\xff", len(four)+8, 0, 1, 0, "\x00\x85", "\x01\x00\x00\x00", four)), 1},
		"Teredo":            {capture.LinkEthernet, udp(3544, raw("\x00\x00\x00\x01\x02\x03\x04\x05", six)), 1},
		"L2TP":              {capture.LinkEthernet, udp(1701, raw(0x0002, 1, 1, 0xff03, 0x0021, four)), 1},
		"MPLS in UDP":       {capture.LinkEthernet, udp(6635, raw("\x00\x01\x01\x40", six)), 1},
		"VXLAN in a VXLAN":  {capture.LinkEthernet, udp(4789, raw(0x0800, 0, 0, 0x0500, udp(8472, raw(0x0800, 0, 0, 0x0500, frame)))), 2},
		"IPv6 with options": {capture.LinkRaw, raw("\x60\x00\x00\x00", len(six)-40+16, "\x00\x09", []byte(v6a), []byte(v6b), "\x3c\x00\x01\x04\x00\x00\x00\x00", "\x06\x00\x01\x04\x00\x00\x00\x00", six[40:]), 0},
		"AH":                {capture.LinkRaw, build(t, outer(layers.IPProtocolAH), gopacket.Payload(raw("\x11\x04\x00\x00", make([]byte, 20), four[20:]))), 0},
		"trailing padding":  {capture.LinkEthernet, raw(frame, make([]byte, 9)), 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := NewDecoder(0, 0)
			var info Info
			if p := d.Decode(c.link, c.data, 1, &info); p != ProblemNone {
				t.Fatalf("%v: % x", p, c.data)
			}
			if info.SrcPort != 1234 || info.DstPort != 4321 || string(info.Payload) != "hello" || int(info.Tunnels) != c.tunnels {
				t.Fatalf("%+v", info)
			}
			if name == "AH" {
				return
			}
			if want := map[bool]string{false: "192.0.2.1", true: "2001:db8::1"}[info.IPv6]; info.SrcAddr().String() != want {
				t.Errorf("source %s", info.SrcAddr())
			}
			if info.IPv6 && (!info.HasTimestamp || info.TSVal != 5 || info.TSEcr != 6 || info.Seq != 7) {
				t.Errorf("%+v", info)
			}
			// Cut anywhere, it must be a problem or a shorter payload, and nothing else.
			for n := range c.data {
				if p := d.Decode(c.link, c.data[:n:n], 1, &info); p == ProblemNone && c.tunnels == 0 && !strings.HasPrefix("hello", string(info.Payload)) {
					t.Fatalf("cut to %d bytes: %+v", n, info)
				}
			}
		})
	}
}

func TestPortAloneMakesNoTunnel(t *testing.T) {
	data := build(t, outer(layers.IPProtocolUDP), &layers.UDP{SrcPort: 4789, DstPort: 53}, gopacket.Payload("\x08 this is no VXLAN"))
	d := NewDecoder(0, 0)
	var info Info
	if p := d.Decode(capture.LinkRaw, data, 1, &info); p != ProblemNone || info.SrcPort != 4789 || info.Tunnels != 0 {
		t.Errorf("%v %+v", p, info)
	}
}

func TestEndlessNestingEnds(t *testing.T) {
	data := inner4(t)
	for range 60 {
		data = build(t, outer(layers.IPProtocolIPv4), gopacket.Payload(data))
	}
	d := NewDecoder(0, 0)
	var info Info
	if p := d.Decode(capture.LinkRaw, data, 1, &info); p != ProblemTooDeep {
		t.Error(p)
	}
}

// fragments6 cuts the payload of an IPv6 packet.
func fragment6(id uint32, next byte, offset int, more bool, data []byte) []byte {
	flags := offset
	if more {
		flags |= 1
	}
	b := raw("\x60\x00\x00\x00", len(data)+8, "\x2c\x09", []byte(v6a), []byte(v6b))
	return raw(b, []byte{next, 0}, flags, int(id>>16), int(id&0xffff), data)
}

func fragment4(id uint16, offset int, more bool, data []byte) []byte {
	flags := offset / 8
	if more {
		flags |= 0x2000
	}
	return raw("\x45\x00", len(data)+20, int(id), flags, "\x09\x11\x00\x00", []byte(v4a), []byte(v4b), data)
}

func TestFragmentsInAnyOrder(t *testing.T) {
	whole := inner4(t)[20:]
	big := append(bytes.Clone(whole[:8]), bytes.Repeat([]byte("0123456789abcdef"), 20)...)
	binary.BigEndian.PutUint16(big[4:], uint16(len(big)))
	six := build(t, &layers.IPv6{Version: 6, NextHeader: 17, SrcIP: v6a, DstIP: v6b}, gopacket.Payload(big))[40:]
	orders := [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 1, 0}}
	for _, order := range orders {
		for _, v6 := range []bool{false, true} {
			d := NewDecoder(0, 0)
			var info Info
			var p Problem
			for _, i := range order {
				from, to := i*112, min((i+1)*112, len(big))
				data := fragment4(7, from, to < len(big), big[from:to])
				if v6 {
					data = fragment6(7, 17, from, to < len(big), six[from:to])
				}
				p = d.Decode(capture.LinkRaw, data, 1, &info)
			}
			if p != ProblemNone || !bytes.Equal(info.Payload, big[8:]) || !info.Reassembled {
				t.Errorf("order %v, v6 %v: %v %+v", order, v6, p, info)
			}
			if d.Later(&info) {
				t.Error("another reading where there is none")
			}
		}
	}
}

func TestOverlappingFragmentsGiveBothReadings(t *testing.T) {
	head := inner4(t)[20:28]
	binary.BigEndian.PutUint16(head[4:], 24)
	d := NewDecoder(0, 0)
	var info Info
	d.Decode(capture.LinkRaw, fragment4(9, 0, true, append(bytes.Clone(head), "innocent"...)), 1, &info)
	d.Decode(capture.LinkRaw, fragment4(9, 8, true, []byte("evilevil")), 1, &info)
	if !d.Overlapped() {
		t.Error("the overlap was not noticed")
	}
	if p := d.Decode(capture.LinkRaw, fragment4(9, 16, false, []byte("the end.")), 1, &info); p != ProblemNone || string(info.Payload) != "innocentthe end." {
		t.Errorf("%v %q", p, info.Payload)
	}
	if !d.Later(&info) || string(info.Payload) != "evilevilthe end." || info.SrcAddr().String() != "192.0.2.1" || !info.Later {
		t.Errorf("%q", info.Payload)
	}
	if d.Later(&info) {
		t.Error("a third reading")
	}
}

// TestFragmentFlood sends first fragments of a million datagrams.
func TestFragmentFlood(t *testing.T) {
	d := NewDecoder(64, 1<<20)
	var info Info
	data := fragment6(0, 17, 0, true, make([]byte, 1200))
	for i := range 100_000 {
		binary.BigEndian.PutUint32(data[44:], uint32(i))
		d.Decode(capture.LinkRaw, data, int64(i), &info)
	}
	if d.fragments.pool.Allocated() > 1<<20 || d.Counts[ProblemFragmentEvicted] < 99_000 {
		t.Errorf("%d bytes, %v", d.fragments.pool.Allocated(), d.Counts.Map())
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	frame := build(t, ether(layers.EthernetTypeIPv6), gopacket.Payload(inner6(t)))
	tunnel := build(t, ether(layers.EthernetTypeIPv4), outer(layers.IPProtocolUDP), &layers.UDP{SrcPort: 1, DstPort: 4789}, gopacket.Payload(raw(0x0800, 0, 0, 0, frame)))
	d := NewDecoder(0, 0)
	var info Info
	half, rest := fragment4(3, 0, true, make([]byte, 800)), fragment4(3, 800, false, make([]byte, 800))
	round := func() {
		d.Decode(capture.LinkEthernet, frame, 1, &info)
		d.Decode(capture.LinkEthernet, tunnel, 1, &info)
		d.Decode(capture.LinkRaw, half, 1, &info)
		d.Decode(capture.LinkRaw, rest, 1, &info)
	}
	round()
	if n := testing.AllocsPerRun(1000, round); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzDecode(f *testing.F) {
	frame := build(f, ether(layers.EthernetTypeIPv4), gopacket.Payload(inner4(f)))
	f.Add(uint16(1), frame)
	f.Add(uint16(101), fragment6(1, 6, 0, true, make([]byte, 16)))
	f.Add(uint16(1), build(f, ether(layers.EthernetTypeIPv4), outer(layers.IPProtocolUDP), &layers.UDP{SrcPort: 1, DstPort: 6081}, gopacket.Payload(raw(0x0100, 0x6558, 0, 0x0500, 0, 0, frame))))
	f.Add(uint16(1), build(f, ether(layers.EthernetTypeIPv4), outer(layers.IPProtocolGRE), gopacket.Payload(raw(0xb000, 0x86dd, 0, 0, 0, 1, 0, 2, inner6(f)))))
	f.Fuzz(func(t *testing.T, link uint16, data []byte) {
		d := NewDecoder(4, 1<<18)
		var info Info
		for range 2 {
			if p := d.Decode(capture.LinkType(link), data, 1, &info); p == ProblemNone && len(info.Payload) > len(data) {
				t.Fatal("a payload longer than its packet")
			}
			for d.Later(&info) {
				_ = info.SrcAddr()
			}
		}
	})
}

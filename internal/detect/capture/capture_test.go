package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"
)

// classicFile writes a pcap file.
func classicFile(order binary.AppendByteOrder, magic uint32, link LinkType, packets [][]byte) []byte {
	b := order.AppendUint32(nil, magic)
	b = order.AppendUint16(b, 2)
	b = order.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...)
	b = order.AppendUint32(b, 65535)
	b = order.AppendUint32(b, uint32(link))
	for i, p := range packets {
		b = order.AppendUint32(b, uint32(1_700_000_000+i))
		b = order.AppendUint32(b, 500)
		b = order.AppendUint32(b, uint32(len(p)))
		b = order.AppendUint32(b, uint32(len(p)+1))
		if magic == 0xa1b2cd34 {
			b = append(b, make([]byte, 8)...)
		}
		b = append(b, p...)
	}
	return b
}

func block(order binary.AppendByteOrder, kind uint32, body []byte) []byte {
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	b := order.AppendUint32(nil, kind)
	b = order.AppendUint32(b, uint32(len(body)+12))
	b = append(b, body...)
	return order.AppendUint32(b, uint32(len(body)+12))
}

func sectionBlock(order binary.AppendByteOrder) []byte {
	body := order.AppendUint32(nil, byteOrderMagic)
	body = order.AppendUint16(body, 1)
	body = order.AppendUint16(body, 0)
	return block(order, blockSection, order.AppendUint64(body, ^uint64(0)))
}

func interfaceBlock(order binary.AppendByteOrder, link LinkType, options ...byte) []byte {
	body := order.AppendUint16(nil, uint16(link))
	body = order.AppendUint16(body, 0)
	body = order.AppendUint32(body, 0)
	return block(order, blockInterface, append(body, options...))
}

func enhancedBlock(order binary.AppendByteOrder, which uint32, ts uint64, p []byte) []byte {
	body := order.AppendUint32(nil, which)
	body = order.AppendUint32(body, uint32(ts>>32))
	body = order.AppendUint32(body, uint32(ts))
	body = order.AppendUint32(body, uint32(len(p)))
	body = order.AppendUint32(body, uint32(len(p)))
	return block(order, blockEnhanced, append(body, p...))
}

func simpleBlock(order binary.AppendByteOrder, p []byte) []byte {
	return block(order, blockSimple, append(order.AppendUint32(nil, uint32(len(p))), p...))
}

type taken struct {
	number, time int64
	link         LinkType
	data         string
}

func readAll(t testing.TB, data []byte) ([]taken, Counts) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(data), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var all []taken
	var p Packet
	for {
		if err := r.Next(&p); errors.Is(err, io.EOF) {
			return all, r.Counts()
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, taken{p.Number, p.Time, p.Link, string(p.Data)})
	}
}

var three = [][]byte{[]byte("first packet of the three"), []byte("second packet, a bit longer"), []byte("third and last packet here")}

func TestClassicVariants(t *testing.T) {
	for name, c := range map[string]struct {
		order binary.AppendByteOrder
		magic uint32
		nanos int64
	}{
		"little":      {binary.LittleEndian, 0xa1b2c3d4, 500_000},
		"big":         {binary.BigEndian, 0xa1b2c3d4, 500_000},
		"nanoseconds": {binary.BigEndian, 0xa1b23c4d, 500},
		"kuznetzov":   {binary.LittleEndian, 0xa1b2cd34, 500_000},
	} {
		all, counts := readAll(t, classicFile(c.order, c.magic, LinkSLL, three))
		if len(all) != 3 || counts.Total() != 0 {
			t.Fatalf("%s: %d packets, damage %v", name, len(all), counts.Map())
		}
		if last := all[2]; last != (taken{3, 1_700_000_002e9 + c.nanos, LinkSLL, string(three[2])}) {
			t.Errorf("%s: %+v", name, last)
		}
	}
}

func TestBlocksOfTwoSections(t *testing.T) {
	var file []byte
	file = append(file, sectionBlock(binary.BigEndian)...)
	file = append(file, interfaceBlock(binary.BigEndian, LinkRaw, 0, 9, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0)...) // nanoseconds
	file = append(file, interfaceBlock(binary.BigEndian, LinkPPP, 0, 9, 0, 1, 0x8a, 0, 0, 0)...)          // 2^-10 s
	file = append(file, block(binary.BigEndian, 0xbad, []byte("a block of someone's own"))...)
	file = append(file, enhancedBlock(binary.BigEndian, 0, 1_700_000_000_000_000_007, three[0])...)
	file = append(file, enhancedBlock(binary.BigEndian, 1, 3<<10|512, three[1])...)
	file = append(file, sectionBlock(binary.LittleEndian)...)
	file = append(file, interfaceBlock(binary.LittleEndian, LinkEthernet)...)
	file = append(file, simpleBlock(binary.LittleEndian, three[2])...)
	file = append(file, enhancedBlock(binary.LittleEndian, 1, 5, three[0])...) // the interface of the other section
	all, counts := readAll(t, file)
	want := []taken{
		{1, 1_700_000_000_000_000_007, LinkRaw, string(three[0])},
		{2, 3_500_000_000, LinkPPP, string(three[1])},
		{3, 0, LinkEthernet, string(three[2])},
	}
	if len(all) != 3 || counts[DamageInterface] != 1 || counts.Total() != 1 {
		t.Fatalf("%+v, damage %v", all, counts.Map())
	}
	for i := range want {
		if all[i] != want[i] {
			t.Errorf("%+v, want %+v", all[i], want[i])
		}
	}
}

func TestCompressedAndBrokenlyCompressed(t *testing.T) {
	var packets [][]byte
	for i := range 3000 {
		packets = append(packets, bytes.Repeat([]byte{byte(i), byte(i >> 3)}, 50+i%300))
	}
	file := classicFile(binary.LittleEndian, 0xa1b2c3d4, LinkEthernet, packets)
	var gz, zs bytes.Buffer
	w := gzip.NewWriter(&gz)
	_, _ = w.Write(file)
	_ = w.Close()
	z, err := zstd.NewWriter(&zs)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = z.Write(file)
	_ = z.Close()
	for name, data := range map[string][]byte{"gzip": gz.Bytes(), "zstd": zs.Bytes()} {
		if all, counts := readAll(t, data); len(all) != len(packets) || counts.Total() != 0 {
			t.Errorf("%s: %d packets, damage %v", name, len(all), counts.Map())
		}
		all, counts := readAll(t, data[:len(data)*2/3])
		if len(all) == 0 || len(all) >= len(packets) || counts[DamageCompression] != 1 {
			t.Errorf("%s, cut: %d packets, damage %v", name, len(all), counts.Map())
		}
	}
}

func TestDamageIsReportedAndReadingGoesOn(t *testing.T) {
	classic := classicFile(binary.LittleEndian, 0xa1b2c3d4, LinkEthernet, append(three, three...))
	first := 24
	broken := bytes.Clone(classic)
	copy(broken[first+16+len(three[0])+8:], "\xff\xff\xff\xff\xff\xff\xff\xff") // lengths of the second record
	all, counts := readAll(t, broken)
	if len(all) != 5 || counts[DamageHeader] != 1 || all[1].data != string(three[2]) {
		t.Errorf("%+v, damage %v", all, counts.Map())
	}
	all, counts = readAll(t, classic[:len(classic)-5])
	if len(all) != 6 || counts[DamageTruncated] != 1 || all[5].data != string(three[2][:len(three[2])-5]) {
		t.Errorf("%+v, damage %v", all, counts.Map())
	}

	var ng []byte
	ng = append(ng, sectionBlock(binary.LittleEndian)...)
	ng = append(ng, interfaceBlock(binary.LittleEndian, LinkEthernet)...)
	at := len(ng)
	for i := range 6 {
		ng = append(ng, enhancedBlock(binary.LittleEndian, 0, uint64(i), three[i%3])...)
	}
	broken = bytes.Clone(ng)
	broken[at+4] ^= 0x55 // the length of the first packet's block
	var told []Damage
	r, err := NewReader(bytes.NewReader(broken), Options{Damage: func(d Damage) { told = append(told, d) }})
	if err != nil {
		t.Fatal(err)
	}
	var p Packet
	n := 0
	for r.Next(&p) == nil {
		n++
	}
	if n != 5 || len(told) != 1 || told[0].Offset != int64(at) || told[0].Kind != DamageHeader {
		t.Errorf("%d packets, %v", n, told)
	}
	if len(told) == 1 && !strings.Contains(told[0].String(), "bad-header at byte") {
		t.Errorf("%s", told[0])
	}
}

func TestNotACapture(t *testing.T) {
	for _, data := range []string{"", "abc", "GIF89a is not a capture", "\xd4\xc3\xb2\xa1short", "\x1f\x8b"} {
		if _, err := NewReader(strings.NewReader(data), Options{}); err == nil {
			t.Errorf("%q was taken for a capture", data)
		}
	}
}

// TestHeavyDamageStaysCheap reads a capture with a wrong header at every step: the search for the
// next one must not move the whole buffer each time.
func TestHeavyDamageStaysCheap(t *testing.T) {
	file := classicFile(binary.LittleEndian, 0xa1b2c3d4, LinkEthernet, nil)
	packet := make([]byte, 20)
	for range 200_000 {
		rec := classicFile(binary.LittleEndian, 0xa1b2c3d4, LinkEthernet, [][]byte{packet, packet})[24:]
		file = append(file, rec...)
		file = append(file, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"...)
	}
	all, counts := readAll(t, file)
	if len(all) < 300_000 || counts[DamageHeader] < 100_000 {
		t.Errorf("%d packets, damage %v", len(all), counts.Map())
	}
}

func TestNoAllocationPerPacket(t *testing.T) {
	var packets [][]byte
	for range 5000 {
		packets = append(packets, make([]byte, 400))
	}
	r, err := NewReader(bytes.NewReader(classicFile(binary.LittleEndian, 0xa1b2c3d4, LinkEthernet, packets)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var p Packet
	if n := testing.AllocsPerRun(4000, func() { _ = r.Next(&p) }); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
}

func TestAnyPacketsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		packets := rapid.SliceOf(rapid.SliceOfN(rapid.Byte(), 0, 2000)).Draw(t, "packets")
		ng := append(sectionBlock(binary.LittleEndian), interfaceBlock(binary.LittleEndian, LinkRaw)...)
		for i, p := range packets {
			ng = append(ng, enhancedBlock(binary.LittleEndian, 0, uint64(i), p)...)
		}
		for _, file := range [][]byte{ng, classicFile(binary.BigEndian, 0xa1b2c3d4, LinkRaw, packets)} {
			r, err := NewReader(bytes.NewReader(file), Options{})
			if err != nil {
				t.Fatal(err)
			}
			var p Packet
			for i, want := range packets {
				if err := r.Next(&p); err != nil || !bytes.Equal(p.Data, want) || p.Number != int64(i+1) {
					t.Fatalf("packet %d: %v", i, err)
				}
			}
			if err := r.Next(&p); !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
		}
	})
}

func FuzzReader(f *testing.F) {
	f.Add(classicFile(binary.LittleEndian, 0xa1b2c3d4, LinkEthernet, three))
	f.Add(classicFile(binary.BigEndian, 0xa1b2cd34, LinkEthernet, three))
	ng := append(sectionBlock(binary.LittleEndian), interfaceBlock(binary.LittleEndian, LinkEthernet)...)
	f.Add(append(ng, enhancedBlock(binary.LittleEndian, 0, 1, three[0])...))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := NewReader(bytes.NewReader(data), Options{})
		if err != nil {
			return
		}
		defer r.Close()
		var p Packet
		before := int64(0)
		for r.Next(&p) == nil {
			if p.Number <= before || len(p.Data) > MaxPacket || p.Length < len(p.Data) {
				t.Fatalf("packet %d after %d, %d of %d bytes", p.Number, before, len(p.Data), p.Length)
			}
			before = p.Number
		}
	})
}

package packet

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/internal/detect/capture"
)

// TestTheUsualWayReadsTheSame: what is decoded in few steps comes out as the general way has it, bytes that are wrong included.
func TestTheUsualWayReadsTheSame(t *testing.T) {
	general, short := NewDecoder(4, 1<<16), NewDecoder(4, 1<<16)
	rapid.Check(t, func(t *rapid.T) {
		protocol := rapid.SampledFrom([]byte{ProtocolTCP, ProtocolUDP, 1}).Draw(t, "protocol")
		body := rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "body")
		if protocol == ProtocolTCP && len(body) > 12 {
			body[12] = rapid.SampledFrom([]byte{0x50, 0x80, 0xf0, 0x10}).Draw(t, "header")
		}
		if protocol == ProtocolUDP && len(body) > 8 && rapid.Bool().Draw(t, "tunnel") {
			copy(body[2:], []byte{portVXLAN >> 8, portVXLAN & 0xff, 0, byte(len(body))})
		}
		b := append([]byte{12: 8, 13: 0}, 0x45, 0, 0, byte(20+len(body)), 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 192, 0, 2, 7)
		b = append(b, body...)
		if rapid.Bool().Draw(t, "odd") {
			b[rapid.IntRange(12, min(len(b), 34)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "value")
		}
		b = b[:rapid.IntRange(14, len(b)).Draw(t, "cut")]
		var want, got Info
		general.info, general.layers = &want, 0
		wantProblem := general.link(capture.LinkEthernet, b)
		gotProblem := short.Decode(capture.LinkEthernet, b, 0, &got)
		if gotProblem != wantProblem || !bytes.Equal(got.Payload, want.Payload) {
			t.Fatalf("%v, %d bytes; the general way: %v, %d bytes", gotProblem, len(got.Payload), wantProblem, len(want.Payload))
		}
		if got.Payload, want.Payload = nil, nil; !same(got, want) {
			t.Fatalf("%+v\nthe general way: %+v", got, want)
		}
	})
	b := append([]byte{12: 8, 13: 0}, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, ProtocolTCP, 0, 0, 10, 0, 0, 1, 192, 0, 2, 7)
	b = append(b, make([]byte, 20)...)
	b[len(b)-8] = 0x50
	short.info, short.layers = &Info{}, 0
	if _, usual := short.usual(b); !usual {
		t.Error("a plain segment is not a usual packet")
	}
}

// same compares all but the payload.
func same(a, b Info) bool {
	return a.Src == b.Src && a.Dst == b.Dst && a.SrcPort == b.SrcPort && a.DstPort == b.DstPort && a.Protocol == b.Protocol && a.IPv6 == b.IPv6 &&
		a.Flags == b.Flags && a.Tunnels == b.Tunnels && a.HasTimestamp == b.HasTimestamp && a.Seq == b.Seq && a.Ack == b.Ack &&
		a.TSVal == b.TSVal && a.TSEcr == b.TSEcr && a.Cut == b.Cut
}

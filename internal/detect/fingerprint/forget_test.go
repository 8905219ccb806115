package fingerprint

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"reflect"
	"testing"
)

// TestForgetsWhatWasUnderWay has an engine give up reading amidst a connection and a fragmented datagram: the next capture is read as
// by a new one.
func TestForgetsWhatWasUnderWay(t *testing.T) {
	client, server := netip.MustParseAddrPort("192.0.2.1:4000"), netip.MustParseAddrPort("192.0.2.2:443")
	file := captureOf(segmentsOf(handshake(t, 0x0304, nil), 300))
	want, counts := runBytes(t, file, Options{})

	var got []Event
	e := NewEngine(Options{}, func(ev Event) { got = append(got, ev) })
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := e.Run(ctx, bytes.NewReader(file)); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	c := newCapturing()
	c.packet(tcpPacket(client, server, 99, 0, syn, nil))
	c.packet(tcpPacket(client, server, 100, 0, ack, []byte("\x16\x03\x01")))
	fragment := ipPacket(client.Addr(), server.Addr(), 17, make([]byte, 64))
	fragment[6] = 0x20 // more of it to come
	c.packet(fragment)
	feed(e, c.file)
	for range 2 {
		if e.oldest < 0 {
			t.Error("nothing is under way")
		}
		got = nil
		again, err := e.Run(context.Background(), bytes.NewReader(file))
		if err != nil || !reflect.DeepEqual(got, want) || !reflect.DeepEqual(again, counts) {
			t.Fatalf("%v\n%+v %+v\nwant\n%+v %+v", err, got, again, want, counts)
		}
		feed(e, c.file)
	}
	e.torn = true
	got = nil
	if again, err := e.Run(context.Background(), bytes.NewReader(file)); err != nil || !reflect.DeepEqual(got, want) || !reflect.DeepEqual(again, counts) || e.torn {
		t.Fatalf("after a fault: %v\n%+v %+v", err, got, again)
	}
}

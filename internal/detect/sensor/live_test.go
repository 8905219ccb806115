//go:build linux

package sensor_test

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/sensor"
)

// TestLive reads the loopback interface, where that is permitted, until it sees what was sent.
func TestLive(t *testing.T) {
	live, err := sensor.OpenLive("lo", 1)
	if errors.Is(err, os.ErrPermission) {
		t.Skip("reading an interface is not permitted here")
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := net.Dial("udp", "127.0.0.1:9")
	if err != nil {
		t.Fatal(err)
	}
	local := conn.LocalAddr().(*net.UDPAddr)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for ctx.Err() == nil {
			_, _ = conn.Write([]byte("x")) // nobody listens: errors come back
			select {
			case <-ctx.Done():
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	seen := false
	err = live.Run(ctx, func(ev *event.Event) {
		if ev.SrcPort == uint16(local.Port) && ev.DstPort == 9 {
			seen = true
			cancel()
		}
	})
	<-sent
	if !seen || !errors.Is(err, context.Canceled) {
		t.Errorf("seen: %v, %v", seen, err)
	}
	if _, there := live.Dropped()["kernel"]; !there {
		t.Error("what the kernel dropped is not counted")
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := sensor.OpenLive("no-such-card", 1); err == nil {
		t.Error("an interface that is not there was opened")
	}
}

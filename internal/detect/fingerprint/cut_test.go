//go:build unix

package fingerprint

import (
	"context"
	"crypto/tls"
	"os"
	"path/filepath"
	"testing"

	"github.com/mithaq/mithaq/internal/detect/packet"
)

// TestFileCutOffWhileRead: what was read before counts, and nothing falls over.
func TestFileCutOffWhileRead(t *testing.T) {
	c := newCapturing()
	list := segmentsOf(handshake(t, tls.VersionTLS13, nil), 1460)
	for range 1000 {
		c.segments(list, client4, server4)
	}
	name := filepath.Join(t.TempDir(), "capture.pcap")
	if err := os.WriteFile(name, c.file, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	hellos := 0
	opts := Options{Packet: func(_ *packet.Info, p Place) {
		if p.Packet == 100 {
			if err := os.Truncate(name, 1<<16); err != nil {
				t.Fatal(err)
			}
		}
	}}
	stats, err := Run(context.Background(), f, opts, func(Event) { hellos++ })
	if err != nil || stats.Damage["read-error"] != 1 || hellos == 0 || stats.Packets < 100 {
		t.Errorf("%v, %+v, %d hellos", err, stats, hellos)
	}
}

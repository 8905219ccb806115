package sensor_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/mithaq/mithaq/internal/detect/sensor"
)

// FuzzBuffer opens sightings that a disk spoiled. What is found later is sent all the same, and nothing is kept for ever.
func FuzzBuffer(f *testing.F) {
	good := `{"indicator":"indicator--9d2b6f3c-7c3e-4f58-9a40-000000000001","record":"` + leaf + `","count":3}` + "\n"
	f.Add([]byte(good + good))
	f.Add([]byte(good + "{\n\x00\n" + good[:20]))
	f.Add(append(make([]byte, 70_000), '\n'))
	f.Fuzz(func(t *testing.T, text []byte) {
		name := filepath.Join(t.TempDir(), "sightings")
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := sensor.OpenBuffer(name, int64(len(text))+1000)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = b.Close() }()
		if err := b.Add([]sensor.Found{{Indicator: "x", Record: leaf, Count: 7}}); err != nil {
			t.Fatal(err)
		}
		sent := false
		if err := b.Drain(func(found []sensor.Found) error {
			last := found[len(found)-1]
			sent = last.Indicator == "x" && last.Count == 7
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if waiting, _ := b.Counts(); waiting != 0 || !sent {
			t.Errorf("%d wait, sent: %v", waiting, sent)
		}
	})
}

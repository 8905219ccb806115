//go:build unix

package capture

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// readFile reads a capture from a file, mapped or not, in steps of some bytes.
func readFile(t *testing.T, name string, mapped bool, step int, each func(n int64)) ([]Packet, Counts) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := NewReader(f, Options{Map: mapped})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if (r.mapped != nil) != mapped {
		t.Fatalf("mapped: %v", r.mapped != nil)
	}
	r.in.step = step
	var list []Packet
	var p Packet
	for r.Next(&p) == nil {
		each(p.Number)
		q := p
		q.Data = append([]byte{}, p.Data...)
		list = append(list, q)
	}
	return list, r.Counts()
}

// TestMappedReadsTheSame: packets at the ends of what is in view, damaged places, and what is written meanwhile.
func TestMappedReadsTheSame(t *testing.T) {
	var packets [][]byte
	for i := range 3000 {
		p := make([]byte, 60+i*7%1400)
		binary.LittleEndian.PutUint32(p, uint32(i))
		packets = append(packets, p)
	}
	packets = append(packets, make([]byte, MaxPacket))
	whole := classicFile(binary.LittleEndian, 0xa1b2c3d4, LinkEthernet, packets)
	damaged := append([]byte{}, whole...)
	for i := 700_000; i < 701_000; i++ {
		damaged[i] = 0xff
	}
	name := filepath.Join(t.TempDir(), "capture.pcap")
	for _, file := range [][]byte{whole, damaged, whole[:len(whole)-100]} {
		if err := os.WriteFile(name, file, 0o600); err != nil {
			t.Fatal(err)
		}
		want, damage := readFile(t, name, false, 0, func(int64) {})
		for _, step := range []int{1 << 16, 1 << 18, mappedStep} {
			got, same := readFile(t, name, true, step, func(int64) {})
			if !reflect.DeepEqual(got, want) || same != damage {
				t.Fatalf("%d packets with %v, not %d with %v", len(got), same, len(want), damage)
			}
		}
	}
	if err := os.WriteFile(name, whole[:len(whole)-1_000_000], 0o600); err != nil {
		t.Fatal(err)
	}
	got, _ := readFile(t, name, true, 1<<16, func(n int64) {
		if n == 10 {
			if err := os.WriteFile(name, whole, 0o600); err != nil { // nothing is cut off: the beginning is the same
				t.Fatal(err)
			}
		}
	})
	if len(got) != len(packets) {
		t.Errorf("%d packets of a growing file, not %d", len(got), len(packets))
	}
}

// TestFaultIsNotOurs: only a fault within the mapped file is one of a file that became shorter.
func TestFaultIsNotOurs(t *testing.T) {
	r := &Reader{mapped: make([]byte, 10)}
	defer func() {
		if r.Fault(recover()) || r.Fault("boom") || r.counts.Total() != 0 {
			t.Error("another panic was taken for a fault")
		}
	}()
	_ = make([]int, 1)[len(r.mapped)]
}

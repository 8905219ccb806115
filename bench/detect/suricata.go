package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/mithaq/mithaq/bench/internal/measure"
)

// measureDatasets loads the same values into Suricata's datasets, addresses as ipv4 and all else as string, and reads an
// empty capture. What counts is the memory and processor time beyond those of a run without datasets. A program that is
// not installed is left out.
func measureDatasets(out io.Writer, list []byte, buckets, bare, ours int) error {
	if _, err := exec.LookPath("suricata"); err != nil {
		fmt.Fprintln(out, "suricata is not installed")
		return nil
	}
	dir, err := os.MkdirTemp("", "datasets")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var head [24]byte
	binary.LittleEndian.PutUint32(head[:], 0xa1b2c3d4)
	binary.LittleEndian.PutUint32(head[4:], 2|4<<16)
	binary.LittleEndian.PutUint32(head[16:], 65535)
	binary.LittleEndian.PutUint32(head[20:], 1)
	var frame [16 + 60]byte // one empty Ethernet frame: a capture without any is refused
	binary.LittleEndian.PutUint32(frame[8:], 60)
	binary.LittleEndian.PutUint32(frame[12:], 60)
	var addresses, others bytes.Buffer
	values := 0
	lines := bufio.NewScanner(bytes.NewReader(list))
	for ; lines.Scan(); values++ {
		if a, err := netip.ParseAddr(lines.Text()); err == nil && a.Is4() {
			fmt.Fprintln(&addresses, a)
		} else {
			fmt.Fprintln(&others, base64.StdEncoding.EncodeToString(lines.Bytes()))
		}
	}
	const plain = "%YAML 1.1\n---\nlogging:\n  default-log-level: error\n"
	set := func(name, kind string) string {
		return "  " + name + ":\n    type: " + kind + "\n    load: " + filepath.Join(dir, name) + "\n"
	}
	with := plain + fmt.Sprintf("datasets:\n  limits:\n    single-hashsize: %[1]d\n    total-hashsizes: %[2]d\n  defaults:\n    memcap: 8gb\n    hashsize: %[1]d\n", buckets, 4*buckets) +
		set("addresses", "ipv4") + set("others", "string")
	for name, text := range map[string][]byte{"capture": append(head[:], frame[:]...), "addresses": addresses.Bytes(), "others": others.Bytes(),
		"without.yaml": []byte(plain), "with.yaml": []byte(with)} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return err
		}
	}
	var used [2]time.Duration
	var memory [2]int64
	for i, config := range []string{"without.yaml", "with.yaml"} {
		// #nosec G204 -- a benchmark runs what it compares
		cmd := exec.Command("suricata", "-c", filepath.Join(dir, config), "-r", filepath.Join(dir, "capture"), "-l", dir, "--runmode", "single", "-S", "/dev/null")
		var told bytes.Buffer
		cmd.Stdout, cmd.Stderr = &told, &told
		if err := cmd.Start(); err != nil {
			return err
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			memory[i] = peak(cmd.Process.Pid)
		}()
		if err := cmd.Wait(); err != nil {
			return fmt.Errorf("running suricata: %w: %.500s", err, told.String())
		}
		<-ended
		usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		if !ok {
			return errors.New("the system tells no usage")
		}
		used[i] = time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	more := memory[1] - memory[0]
	if more <= int64(values) {
		return errors.New("suricata did not load its datasets")
	}
	fmt.Fprintf(out, "Suricata's datasets, %d buckets each: %.1f bytes a value, loaded in %.2f CPU s; %.1f times the index itself, %.1f times with provenance\n",
		buckets, float64(more)/float64(values), (used[1] - used[0]).Seconds(), float64(more)/float64(bare), float64(more)/float64(ours))
	return nil
}

// peak watches a process until it is gone and gives the most memory it had, in bytes. What the system tells of it afterwards
// takes in the memory of who started it.
func peak(pid int) int64 {
	most := int64(0)
	for {
		now := measure.Peak(pid)
		if now == 0 {
			return most
		}
		most = max(most, now)
		time.Sleep(5 * time.Millisecond)
	}
}

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/mithaq/mithaq/bench/internal/measure"
)

// measureFever gives DCSO's fever the same EVE lines over its socket, with a Bloom filter of the same indicators (made by
// bloom, of DCSO too). Nothing is forwarded, nothing dropped; what counts is the processor time of the whole process
// after its filter was loaded. A program that is not installed is left out.
func measureFever(out io.Writer, list []byte, eve string, repeats int) error {
	for _, name := range []string{"fever", "bloom"} {
		if _, err := exec.LookPath(name); err != nil {
			fmt.Fprintf(out, "%s is not installed\n", name)
			return nil
		}
	}
	text, err := measure.ReadGzip(eve)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "fever")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	filter, socket := filepath.Join(dir, "filter"), filepath.Join(dir, "in")
	count := bytes.Count(list, []byte("\n"))
	for _, args := range [][]string{{"create", "-n", strconv.Itoa(count), "-p", "0.0001", filter}, {"insert", filter}} {
		cmd := exec.Command("bloom", args...) // #nosec G204 -- a benchmark runs what it compares
		cmd.Stdin = bytes.NewReader(list)
		if told, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("making a Bloom filter: %w: %.300s", err, told)
		}
	}
	idle, _, err := runFever(dir, filter, socket, nil, 0)
	if err != nil {
		return err
	}
	used, memory, err := runFever(dir, filter, socket, text, repeats)
	if err != nil {
		return err
	}
	lines := float64(bytes.Count(text, []byte("\n")) * repeats)
	fmt.Fprintf(out, "fever: %d lines in %.2f CPU s, %.2f of it start and end: %.0f lines/CPU s, %d MiB\n", int(lines), used.Seconds(), idle.Seconds(),
		lines/(used-idle).Seconds(), memory>>20)
	return nil
}

func runFever(dir, filter, socket string, text []byte, repeats int) (used time.Duration, memory int64, err error) {
	// #nosec G204 -- a benchmark runs what it compares
	cmd := exec.Command("fever", "run", "--in-socket", socket, "--in-buffer-drop=false", "--in-buffer-length", "1000", "--out-socket", "",
		"--bloom-file", filter, "--dummy", "--mgmt-socket", filepath.Join(dir, "control"), "--logfile", filepath.Join(dir, "log"))
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	stop := func() (time.Duration, int64, error) {
		memory := measure.Peak(cmd.Process.Pid)
		_ = cmd.Process.Signal(syscall.SIGTERM) // when it is gone already, Wait says so
		_ = cmd.Wait()                          // it ends by the signal
		usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		if !ok {
			return 0, 0, errors.New("the system tells no usage")
		}
		return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), memory, nil
	}
	var conn net.Conn
	for range 600 {
		if conn, err = net.Dial("unix", socket); err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil {
		_, _, stopped := stop()
		return 0, 0, errors.Join(err, stopped)
	}
	for range repeats {
		if _, err := conn.Write(text); err != nil {
			_, _, stopped := stop()
			return 0, 0, errors.Join(fmt.Errorf("giving fever lines: %w", err), stopped)
		}
	}
	if err := conn.Close(); err != nil {
		return 0, 0, err
	}
	time.Sleep(3 * time.Second) // it reads what waits, a thousand lines at most
	return stop()
}

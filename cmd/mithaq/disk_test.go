package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mithaq/mithaq/internal/node"
	"github.com/mithaq/mithaq/internal/store/disktest"
)

// wantRefusal holds what the program said against the rules for errors: one line, with these words, exit code 1.
func wantRefusal(t *testing.T, what, stderr string, code int, words ...string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
	last := lines[len(lines)-1]
	for _, w := range words {
		if !strings.Contains(last, w) {
			t.Errorf("%s: it does not say %q: %s", what, w, stderr)
		}
	}
	if code != exitNo || len(lines) != 1 || !strings.HasPrefix(last, "mithaq: ") {
		t.Errorf("%s: exit code %d: %s", what, code, stderr)
	}
}

// reportFile writes a report of about size bytes that no compression makes smaller.
func reportFile(t *testing.T, size int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.json")
	var noise strings.Builder
	seed := uint32(os.Getpid()) // any number will do
	for noise.Len() < size {
		seed = seed*1664525 + 1013904223
		fmt.Fprintf(&noise, "%08x", seed)
	}
	if err := os.WriteFile(path, quiet(noise.String()).Body, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAFullDisk(t *testing.T) {
	disk, remount := disktest.Small(t, 4)
	dir := filepath.Join(disk, "node")
	mustMithaq(t, "init", "--dir", dir, "--name", "en=Sahlan", "--public")
	cmd := serving(t, dir)
	running := true
	stop := func() {
		if running {
			_ = cmd.Process.Signal(os.Interrupt)
			_ = cmd.Wait()
			running = false
		}
	}
	defer stop()
	file := reportFile(t, 50_000)
	var acked []node.Receipt
	for {
		out, errs, code := mithaq(t, "publish", "--json", "--tlp", "CLEAR", "--kind", "report", "--dir", dir, file)
		if code != exitOK {
			wantRefusal(t, "publishing", errs, code, "disk is full", "free some space")
			break
		}
		var r node.Receipt
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatal(err)
		}
		acked = append(acked, r)
	}
	if len(acked) == 0 {
		t.Fatal("nothing was acknowledged before the disk was full")
	}
	_, errs, code := mithaq(t, "init", "--dir", filepath.Join(disk, "second"), "--name", "en=Darb")
	wantRefusal(t, "making a node", errs, code)
	if _, err := os.Stat(filepath.Join(disk, "second")); !os.IsNotExist(err) {
		t.Errorf("half a node was left: %v", err)
	}
	_, errs, code = mithaq(t, "backup", filepath.Join(disk, "backup.mithaq"), "--dir", dir)
	wantRefusal(t, "backing up", errs, code)
	entries, err := os.ReadDir(disk)
	if err != nil || len(entries) != 1 {
		t.Errorf("left on the disk: %v %v", entries, err)
	}
	remount(0, "size=64m")
	mustMithaq(t, "publish", "--tlp", "CLEAR", "--kind", "report", "--dir", dir, file) // the same daemon goes on
	stop()
	checkAcknowledged(t, dir, acked)
}

func TestAReadOnlyDirectory(t *testing.T) {
	disk, remount := disktest.Small(t, 4)
	dir := filepath.Join(disk, "node")
	mustMithaq(t, "init", "--dir", dir, "--name", "en=Sahlan", "--public")
	file := reportFile(t, 100)
	mustMithaq(t, "publish", "--tlp", "CLEAR", "--kind", "report", "--dir", dir, file)
	remount(syscall.MS_RDONLY, "")
	for what, args := range map[string][]string{
		"publish": {"publish", "--kind", "report", "--dir", dir, file},
		"serve":   {"serve", "--dir", dir, "--listen", "127.0.0.1:0"},
		"erase":   {"erase", "1", "--reason", "error", "--dir", dir},
		"token":   {"token", "create", "--name", "x", "--dir", dir},
		"rotate":  {"key", "rotate", "officer", "--dir", dir},
		"init":    {"init", "--dir", filepath.Join(disk, "second"), "--name", "en=Darb"},
	} {
		_, errs, code := mithaq(t, args...)
		wantRefusal(t, what, errs, code)
		if !strings.Contains(errs, "cannot be written") && !strings.Contains(errs, "read-only") {
			t.Errorf("%s says %s", what, errs)
		}
	}
	remount(0, "size=8m")
	if out := mustMithaq(t, "log", "verify", "--objects", "--dir", dir); !strings.Contains(out, "2 valid") {
		t.Error(out)
	}
}

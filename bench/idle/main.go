// Command idle measures what logs cost a node that nobody writes to: processor time and resident memory.
//
//	go run ./bench/idle [-logs 1000] [-seconds 10]
package main

import (
	"context"
	"crypto/ed25519"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/store"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "idle:", err)
		os.Exit(1)
	}
}

func run() error {
	logs := flag.Int("logs", 1000, "idle logs")
	seconds := flag.Float64("seconds", 10, "how long to watch")
	flag.Parse()
	if err := os.MkdirAll("bench/out", 0o700); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("bench/out", "bench-idle-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx := context.Background()
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(dir, "truth.db"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	guard, err := ledger.OpenFileGuard(store.OS(), filepath.Join(dir, "guard"))
	if err != nil {
		return err
	}
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	open := func() (*ledger.Ledger, error) {
		return ledger.Open(ctx, ledger.Config{Store: db, Guard: guard, Signer: func(id string, _ uint64) (ledger.LogSigner, error) {
			return ledger.NewLogSigner("mithaq/"+id, key.Public().(ed25519.PublicKey), func(m []byte) ([]byte, error) { return ed25519.Sign(key, m), nil }), nil
		}})
	}
	l, err := open()
	if err != nil {
		return err
	}
	for i := range *logs {
		id := fmt.Sprintf("l-idle-%d", i)
		if err := l.Create(ctx, ledger.LogSpec{ID: id, Origin: "mithaq/" + id, Agreement: "own"}); err != nil {
			return err
		}
		if _, err := l.Append(ctx, id, ledger.Entry{Object: []byte(id)}); err != nil {
			return err
		}
	}
	if err := l.Close(ctx); err != nil {
		return err
	}
	start := time.Now()
	if l, err = open(); err != nil {
		return err
	}
	defer func() { _ = l.Close(ctx) }()
	fmt.Printf("opened %d logs in %v, %d goroutines\n", *logs, time.Since(start).Round(time.Millisecond), runtime.NumGoroutine())
	before := used()
	time.Sleep(time.Duration(*seconds * float64(time.Second)))
	fmt.Printf("idle for %g s: %.2f %% of one core, %s\n", *seconds, (used()-before).Seconds()/(*seconds)*100, resident())
	return nil
}

// used is the processor time of this process so far.
func used() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func resident() string {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "resident memory unknown"
	}
	for line := range strings.Lines(string(b)) {
		if s, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return "resident " + strings.TrimSpace(s)
		}
	}
	return "resident memory unknown"
}

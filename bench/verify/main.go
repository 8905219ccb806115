// Command verify measures how long a stranger's audit of a log takes over HTTP on loopback.
//
//	go run ./bench/verify [-leaves 1000000] [-workers 8] [-dir DIR]
//
// The log is laid down without appending one by one; serving and auditing share this machine's processors.
package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

const origin = "mithaq/l-verify"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "verify:", err)
		os.Exit(1)
	}
}

func run() error {
	leaves := flag.Int("leaves", 1_000_000, "leaves in the log")
	workers := flag.Int("workers", 0, "bundles fetched at once; 0: the default")
	base := flag.String("dir", "bench/out", "folder for the log")
	flag.Parse()
	if err := os.MkdirAll(*base, 0o700); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(*base, "bench-verify-")
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
	signer := ledger.NewLogSigner(origin, key.Public().(ed25519.PublicKey), func(m []byte) ([]byte, error) { return ed25519.Sign(key, m), nil })
	l, err := ledger.Open(ctx, ledger.Config{Store: db, Guard: guard, Signer: func(string, uint64) (ledger.LogSigner, error) { return signer, nil },
		QueueEntries: 20000, LogEntries: 20000, BatchEntries: 8192})
	if err != nil {
		return err
	}
	defer func() { _ = l.Close(ctx) }()
	if err := l.Create(ctx, ledger.LogSpec{ID: "l-verify", Origin: origin, Agreement: "own", Public: true}); err != nil {
		return err
	}
	start := time.Now()
	if err := fill(ctx, l, *leaves); err != nil {
		return err
	}
	fmt.Printf("laid down %d leaves (with objects of 64 bytes, from 16384 goroutines) in %v\n", *leaves, time.Since(start).Round(time.Millisecond))
	return audit(ctx, l, key, *workers)
}

func fill(ctx context.Context, l *ledger.Ledger, leaves int) error {
	next := make(chan uint64, 1024)
	errs := make(chan error, 1)
	var wg sync.WaitGroup
	for range 16384 {
		wg.Go(func() {
			for i := range next {
				o := make([]byte, 64)
				binary.BigEndian.PutUint64(o, i)
				if _, err := l.Append(ctx, "l-verify", ledger.Entry{Object: o}); err != nil {
					select {
					case errs <- err:
					default:
					}
				}
			}
		})
	}
	for i := range leaves {
		next <- uint64(i)
	}
	close(next)
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

func audit(ctx context.Context, l *ledger.Ledger, key ed25519.PrivateKey, workers int) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	gate, err := openGate()
	if err != nil {
		return err
	}
	handler := ledger.NewHandler(l, gate, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Close() }()
	src, err := ledger.HTTPSource("http://"+listener.Addr().String()+"/log/l-verify", "")
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(ledger.VKey(origin, key.Public().(ed25519.PublicKey)))
	if err != nil {
		return err
	}
	for range 3 {
		var check [sha256.Size]byte
		start := time.Now()
		report, err := ledger.Audit(ctx, src, ledger.AuditOptions{Origin: origin, Verifier: verifier, Workers: workers,
			Leaf: func(_ int64, leaf []byte) error { check[0] ^= leaf[1]; return nil }})
		if err != nil {
			return err
		}
		took := time.Since(start)
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Printf("audited %d leaves, %d bundles, %d tiles over HTTP in %v (%.0f leaves/s); heap in use %d MB\n",
			report.Head.Size, report.Bundles, report.Tiles, took.Round(time.Millisecond), float64(report.Head.Size)/took.Seconds(), m.HeapInuse>>20)
	}
	return nil
}

// strangers asks the decision for callers of whom nothing is known.
type strangers struct {
	mu      sync.Mutex
	decider *policy.Decider
}

func openGate() (*strangers, error) {
	book, err := policy.NewBook(policy.NoRules(record.OwnAgreement))
	if err != nil {
		return nil, err
	}
	return &strangers{decider: book.NewDecider()}, nil
}

func (s *strangers) Log(_ *http.Request, l ledger.LogInfo) (policy.Item, policy.Grant, error) {
	it := policy.Item{ID: l.ID, Agreement: l.Agreement, Author: "p-bench", Kind: policy.KindLog, Marking: policy.Marking{TLP: policy.TLPClear}}
	s.mu.Lock()
	defer s.mu.Unlock()
	return it, s.decider.Decide(policy.Request{Exit: policy.ToLog(), Item: it, Now: time.Now()}).Grant, nil
}

func (s *strangers) Object(*http.Request, ledger.Object) (policy.Item, policy.Grant, error) {
	return policy.Item{}, policy.Grant{}, ledger.ErrNotFound
}

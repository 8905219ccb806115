// Command append measures how many small records a second become durable leaves when 64 goroutines append one at a
// time, beside tessera's POSIX driver with the same leaves on the same disk, in alternating runs.
//
//	go run ./bench/append [-dir DIR] [-rounds 3] [-seconds 5]
//
// Ours stores the object of 600 bytes as well and acknowledges when leaf, object and a signed, published checkpoint
// over it are durable and guarded. tessera stores the 33-byte leaf alone, and is measured twice: acknowledged when the
// leaf is integrated, which is durable but in no checkpoint yet; and when a published checkpoint covers it, which is
// what ours means. Its checkpoints follow a clock of at least 100 ms, so with one append at a time from each goroutine
// the second is bounded by goroutines × 10 a second; only the first says something about the storage. Both call fsync.
package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"

	shared "github.com/mithaq/mithaq/bench/internal/measure"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/store"
)

const (
	origin     = "mithaq/l-bench"
	objectSize = 600
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "append:", err)
		os.Exit(1)
	}
}

type config struct {
	dir        string
	rounds     int
	seconds    float64
	goroutines int
}

func run() error {
	var c config
	flag.StringVar(&c.dir, "dir", "bench/out", "folder on the disk to measure")
	flag.IntVar(&c.rounds, "rounds", 3, "alternating runs of each")
	flag.Float64Var(&c.seconds, "seconds", 5, "length of a run")
	flag.IntVar(&c.goroutines, "goroutines", 64, "goroutines that append")
	profile := flag.String("cpuprofile", "", "write a CPU profile of mithaq's runs alone to this file and skip tessera")
	flag.Parse()
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	if *profile != "" {
		return profiled(c, *profile)
	}
	fmt.Printf("%d goroutines, one append at a time each; objects of %d bytes; %g s a run; folder %s\n", c.goroutines, objectSize, c.seconds, c.dir)
	fmt.Println("mithaq: SQLite WAL, synchronous=FULL; leaf + object + signed checkpoint + guard, all fsynced before the answer")
	fmt.Println("tessera: POSIX, batch 64 / 5 ms, no antispam, checkpoints every 100 ms (its shortest); leaf alone, fsynced, integrated before the answer")
	fmt.Println("awaited: the same, answered when a published checkpoint covers the leaf (PublicationAwaiter, asked every 5 ms)")
	fmt.Printf("%-6s %14s %14s %8s %14s\n", "run", "mithaq /s", "tessera /s", "ratio", "awaited /s")
	var ours, theirs, ratios, awaited []float64
	for i := range c.rounds {
		a, err := measure(c, openMithaq)
		if err != nil {
			return err
		}
		b, err := measure(c, openTessera)
		if err != nil {
			return err
		}
		w, err := measure(c, openAwaited)
		if err != nil {
			return err
		}
		ours, theirs, ratios, awaited = append(ours, a), append(theirs, b), append(ratios, a/b), append(awaited, w)
		fmt.Printf("%-6d %14.0f %14.0f %8.2f %14.0f\n", i+1, a, b, a/b, w)
	}
	fmt.Printf("%-6s %14.0f %14.0f %8.2f %14.0f\n", "median", median(ours), median(theirs), median(ratios), median(awaited))
	return latency(c)
}

// profiled measures mithaq once under the CPU profiler.
func profiled(c config, file string) error {
	return shared.Profile(file, func() error {
		rate, err := measure(c, openMithaq)
		fmt.Printf("mithaq %.0f /s\n", rate)
		return err
	})
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}

// subject is a log that can be appended to.
type subject struct {
	append func(ctx context.Context, object []byte) error
	close  func() error
}

// measure returns the rate of acknowledged appends.
func measure(c config, open func(ctx context.Context, dir string) (subject, error)) (float64, error) {
	dir, err := os.MkdirTemp(c.dir, "bench-append-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s, err := open(ctx, dir)
	if err != nil {
		return 0, err
	}
	var next, done atomic.Uint64
	var first atomic.Pointer[error]
	var wg sync.WaitGroup
	start := time.Now()
	end := start.Add(time.Duration(c.seconds * float64(time.Second)))
	for range c.goroutines {
		wg.Go(func() {
			object := make([]byte, objectSize)
			for time.Now().Before(end) {
				payload(object, next.Add(1))
				if err := s.append(ctx, object); err != nil {
					first.CompareAndSwap(nil, &err)
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	rate := float64(done.Load()) / time.Since(start).Seconds()
	if e := first.Load(); e != nil {
		return 0, *e
	}
	return rate, s.close()
}

func latency(c config) error {
	dir, err := os.MkdirTemp(c.dir, "bench-append-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx := context.Background()
	s, err := openMithaq(ctx, dir)
	if err != nil {
		return err
	}
	var took []time.Duration
	for i := range uint64(1000) {
		object := make([]byte, objectSize)
		payload(object, i)
		start := time.Now()
		if err := s.append(ctx, object); err != nil {
			return err
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	fmt.Printf("one record at a time, durable and in a signed checkpoint: median %v, 99th percentile %v, of %d\n", took[500], took[990], len(took))
	return s.close()
}

// payload writes the i-th object into b: unlike any other, and it does not compress.
func payload(b []byte, i uint64) {
	var seed [32]byte
	binary.BigEndian.PutUint64(seed[:], i)
	_, _ = rand.NewChaCha8(seed).Read(b)
}

func openMithaq(ctx context.Context, dir string) (subject, error) {
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(dir, "truth.db"))
	if err != nil {
		return subject{}, err
	}
	g, err := ledger.OpenFileGuard(store.OS(), filepath.Join(dir, "guard"))
	if err != nil {
		return subject{}, err
	}
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	signer := ledger.NewLogSigner(origin, key.Public().(ed25519.PublicKey), func(m []byte) ([]byte, error) { return ed25519.Sign(key, m), nil })
	l, err := ledger.Open(ctx, ledger.Config{Store: db, Guard: g, Signer: func(string, uint64) (ledger.LogSigner, error) { return signer, nil }})
	if err != nil {
		return subject{}, err
	}
	if err := l.Create(ctx, ledger.LogSpec{ID: "l-bench", Origin: origin, Agreement: "own"}); err != nil {
		return subject{}, err
	}
	return subject{
		append: func(ctx context.Context, object []byte) error {
			_, err := l.Append(ctx, "l-bench", ledger.Entry{Object: object})
			return err
		},
		close: func() error {
			if err := l.Close(context.Background()); err != nil {
				return err
			}
			if err := g.Close(); err != nil {
				return err
			}
			return db.Close()
		},
	}, nil
}

func openTessera(ctx context.Context, dir string) (subject, error) {
	return tesseraLog(ctx, dir, false)
}

func openAwaited(ctx context.Context, dir string) (subject, error) { return tesseraLog(ctx, dir, true) }

// tesseraLog opens a log whose appends return when the leaf is integrated, or when a published checkpoint covers it.
func tesseraLog(ctx context.Context, dir string, published bool) (subject, error) {
	driver, err := posix.New(ctx, posix.Config{Path: dir})
	if err != nil {
		return subject{}, err
	}
	secret, _, err := note.GenerateKey(nil, "bench")
	if err != nil {
		return subject{}, err
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		return subject{}, err
	}
	a, shutdown, reader, err := tessera.NewAppender(ctx, driver, tessera.NewAppendOptions().
		WithCheckpointSigner(signer).WithBatching(64, 5*time.Millisecond).WithCheckpointInterval(100*time.Millisecond))
	if err != nil {
		return subject{}, err
	}
	awaiter := tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, 5*time.Millisecond)
	return subject{
		append: func(ctx context.Context, object []byte) error {
			h := sha256.Sum256(object)
			future := a.Add(ctx, tessera.NewEntry(append([]byte{1}, h[:]...)))
			if published {
				_, _, err := awaiter.Await(ctx, future)
				return err
			}
			_, err := future()
			return err
		},
		close: func() error { return shutdown(context.Background()) },
	}, nil
}

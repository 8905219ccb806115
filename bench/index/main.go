// Command index measures the index on one machine: how fast it is built again from the log, how long searches take as
// one types, and how long the counts behind "kept promises" take. The node, its log and its index are in a temporary
// folder that is removed afterwards, unless -dir names one to keep.
//
//	go run ./bench/index [-records 1000000] [-sealed 0] [-bundle 0] [-searches 2000] [-dir DIR] [-cpuprofile FILE]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/mithaq/mithaq/bench/internal/measure"
	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/node"
)

type settings struct {
	records, sealed, searches, bundle int
	dir, profile                      string
	keep                              bool
}

func main() {
	var s settings
	flag.IntVar(&s.records, "records", 1_000_000, "records in the log")
	flag.IntVar(&s.sealed, "sealed", 0, "of every 100 records, how many are sealed to the party's own hybrid key")
	flag.IntVar(&s.searches, "searches", 2000, "searches to time")
	flag.IntVar(&s.bundle, "bundle", 0, "make every record a bundle of so many STIX objects")
	flag.StringVar(&s.dir, "dir", "", "a folder to keep the node in and to use again")
	flag.StringVar(&s.profile, "cpuprofile", "", "write a processor profile of the rebuild, and beside it, with .search after its name, one of the searches, and with .allocs, where memory was taken")
	flag.BoolVar(&s.keep, "keep", false, "do not throw the index away first: only search")
	flag.Parse()
	if err := run(context.Background(), s); err != nil {
		fmt.Fprintln(os.Stderr, "bench/index:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) (err error) {
	if s.dir == "" {
		work, err := os.MkdirTemp("", "mithaq-bench-*")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(work) }()
		s.dir = filepath.Join(work, "node")
	}
	if _, err := os.Stat(s.dir); errors.Is(err, os.ErrNotExist) {
		if err := fill(ctx, s); err != nil {
			return err
		}
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if !s.keep {
			_ = os.Remove(filepath.Join(s.dir, "index.db"+suffix))
		}
	}
	fmt.Printf("load when it began: %s\n", measure.Load())
	n, err := rebuild(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close(ctx)) }()
	if err := status(ctx, n); err != nil {
		return err
	}
	if s.profile != "" {
		if err := writeAllocs(s.profile + ".allocs"); err != nil {
			return err
		}
		return measure.Profile(s.profile+".search", func() error { return search(ctx, n, s.searches) })
	}
	return search(ctx, n, s.searches)
}

// writeAllocs writes what has been allocated so far, by where.
func writeAllocs(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}

// rebuild opens the node without an index and waits until it has one.
func rebuild(ctx context.Context, s settings) (n *node.Node, err error) {
	err = measure.Profile(s.profile, func() error {
		n, err = watchRebuild(ctx, s)
		return err
	})
	if err != nil {
		return nil, err
	}
	return n, sizes(s)
}

func watchRebuild(ctx context.Context, s settings) (*node.Node, error) {
	opening := time.Now()
	n, err := node.Open(ctx, s.dir, node.OpenOptions{Secret: node.SecretSource{KeyFile: filepath.Join(s.dir, "unlock.key")}})
	if err != nil {
		return nil, err
	}
	fmt.Printf("opened the node in %.0f ms\n", time.Since(opening).Seconds()*1000)
	start, busy := time.Now(), measure.Processor()
	for {
		state, err := n.IndexState(ctx)
		if err != nil {
			return nil, err
		}
		if state.Ready {
			took := time.Since(start)
			cpu := measure.Processor() - busy
			fmt.Printf("rebuild: %d leaves in %.1f s: %.0f/s; processor %.1f s, %.1f µs a record; load %s\n", state.Size, took.Seconds(),
				float64(state.Size)/took.Seconds(), cpu.Seconds(), float64(cpu.Microseconds())/float64(state.Size), measure.Load())
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return n, nil
}

// sizes tells how large the files are, against the JSON of the bundles in them.
func sizes(s settings) error {
	var truth, index int64
	err := filepath.WalkDir(s.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil && strings.HasPrefix(e.Name(), "index.db") {
			index += info.Size()
		} else if err == nil {
			truth += info.Size()
		}
		return err
	})
	fmt.Printf("files: truth and objects %.0f MB, index %.0f MB\n", float64(truth)/1e6, float64(index)/1e6)
	if data, err := os.ReadFile(filepath.Join(s.dir, "json.size")); err == nil {
		var n int64
		if _, err := fmt.Sscan(string(data), &n); err != nil {
			return err
		}
		fmt.Printf("the bundles' JSON: %.0f MB, the files %.2f times that\n", float64(n)/1e6, float64(truth+index)/float64(n))
	}
	return err
}

// status times the page of kept promises of the agreement.
func status(ctx context.Context, n *node.Node) error {
	var times []time.Duration
	var v node.StatusView
	for range 50 {
		start := time.Now()
		var err error
		if v, err = n.Status(ctx, "bench", agreement.Period{}); err != nil {
			return err
		}
		times = append(times, time.Since(start))
	}
	d := v.Promises[0].Deadlines[0]
	report(fmt.Sprintf("kept promises: %d records serve %d commitments; %d met, %d late, %d open, %d overdue; the first took %.1f ms",
		v.Records, len(v.Promises), d.Met, d.Late, d.Open, d.Passed, times[0].Seconds()*1000), times)
	return nil
}

// search types queries letter by letter, as a person does, and times each.
func search(ctx context.Context, n *node.Node, count int) error {
	d := newDice(7)
	byLanguage := map[string][]time.Duration{}
	var all, busy []time.Duration
	var found int
	for len(all) < count {
		language, text := d.query()
		runes := []rune(text)
		for i := 2; i <= len(runes) && len(all) < count; i++ {
			start, cpu := time.Now(), measure.Processor()
			r, err := n.Search(ctx, node.SearchQuery{Text: string(runes[:i]), Limit: 20})
			if err != nil {
				return err
			}
			took := time.Since(start)
			busy = append(busy, measure.Processor()-cpu)
			found += len(r.Results)
			all, byLanguage[language] = append(all, took), append(byLanguage[language], took)
		}
	}
	for _, language := range []string{"ar", "en", "fr", "indicator"} {
		report("search "+language, byLanguage[language])
	}
	report(fmt.Sprintf("search, every keystroke, %.1f results on average", float64(found)/float64(len(all))), all)
	report("the same, processor time instead of the clock", busy)
	fmt.Printf("load at the end: %s\n", measure.Load())
	return nil
}

func report(what string, times []time.Duration) {
	if len(times) == 0 {
		return
	}
	slices.Sort(times)
	at := func(q float64) float64 { return times[min(len(times)-1, int(q*float64(len(times))))].Seconds() * 1000 }
	fmt.Printf("%s: %d times, median %.1f ms, 95th percentile %.1f ms, 99th %.1f ms, most %.1f ms\n", what, len(times), at(.5), at(.95), at(.99), at(1))
}

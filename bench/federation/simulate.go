package main

import (
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mithaq/mithaq/bench/internal/measure"
	"github.com/mithaq/mithaq/internal/federate/simulate"
)

// again runs one seed, and where it fails finds the smallest world that still does.
func again(out io.Writer, seed uint64) error {
	c := simulate.ConfigOf(seed)
	err := simulate.Run(c)
	if err == nil {
		fmt.Fprintf(out, "seed %d comes right: %+v\n", seed, c)
		return nil
	}
	fmt.Fprintf(out, "%v\n%+v\nshrinking…\n", err, c)
	less := simulate.Shrink(c)
	fmt.Fprintf(out, "smallest: %+v\n%v\n", less, simulate.Run(less))
	return fmt.Errorf("seed %d does not come right", seed)
}

// many runs seeds on all processors and says which do not come right.
func many(out io.Writer, from, seeds uint64) error {
	start := time.Now()
	var next, failed atomic.Uint64
	next.Store(from)
	var wg sync.WaitGroup
	var say sync.Mutex
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				seed := next.Add(1) - 1
				if seed >= from+seeds {
					return
				}
				err := simulate.Run(simulate.ConfigOf(seed))
				say.Lock()
				if err != nil {
					failed.Add(1)
					fmt.Fprintf(out, "%v\n  rerun and shrink: go run ./bench/federation -seed %d\n", err, seed)
				}
				if done := seed - from + 1; done%1000 == 0 {
					fmt.Fprintf(out, "%d seeds after %s\n", done, time.Since(start).Round(time.Second))
				}
				say.Unlock()
			}
		})
	}
	wg.Wait()
	took, used := time.Since(start), measure.Processor()
	fmt.Fprintf(out, "%d seeds from %d on in %s, %s of processor time (%.0f ms each), %d failed; %s\n", seeds, from, took.Round(time.Second),
		used.Round(time.Second), used.Seconds()*1000/float64(seeds), failed.Load(), measure.Load())
	if failed.Load() > 0 {
		return fmt.Errorf("%d seeds do not come right", failed.Load())
	}
	return nil
}

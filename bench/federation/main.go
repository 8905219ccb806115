// Command federation runs simulated federations, one for each seed, and says which of them do not come right. What it
// asserts is in internal/federate/simulate.
//
//	go run ./bench/federation -seeds 10000
//	go run ./bench/federation -seed 17        one seed again; when it fails, the smallest world that still does
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mithaq/mithaq/internal/federate/simulate"
)

func main() {
	seeds := flag.Uint64("seeds", 100, "how many seeds, from -from on")
	from := flag.Uint64("from", 0, "first seed")
	one := flag.Int64("seed", -1, "run this seed alone, and shrink it when it fails")
	flag.Parse()
	if *one >= 0 {
		os.Exit(again(uint64(*one))) // #nosec G115 -- checked not to be negative
	}
	os.Exit(many(*from, *seeds))
}

func again(seed uint64) int {
	c := simulate.ConfigOf(seed)
	err := simulate.Run(c)
	if err == nil {
		fmt.Printf("seed %d comes right: %+v\n", seed, c)
		return 0
	}
	fmt.Printf("%v\n%+v\nshrinking…\n", err, c)
	less := simulate.Shrink(c)
	fmt.Printf("smallest: %+v\n%v\n", less, simulate.Run(less))
	return 1
}

func many(from, seeds uint64) int {
	start := time.Now()
	var next, failed atomic.Uint64
	next.Store(from)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				seed := next.Add(1) - 1
				if seed >= from+seeds {
					return
				}
				if err := simulate.Run(simulate.ConfigOf(seed)); err != nil {
					failed.Add(1)
					fmt.Printf("%v\n  rerun and shrink: go run ./bench/federation -seed %d\n", err, seed)
				}
			}
		})
	}
	wg.Wait()
	fmt.Printf("%d seeds in %s, %d failed\n", seeds, time.Since(start).Round(time.Second), failed.Load())
	if failed.Load() > 0 {
		return 1
	}
	return 0
}

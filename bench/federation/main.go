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
)

func main() {
	seeds := flag.Uint64("seeds", 100, "how many seeds, from -from on")
	from := flag.Uint64("from", 0, "first seed")
	one := flag.Int64("seed", -1, "run this seed alone, and shrink it when it fails")
	flag.Parse()
	var err error
	if *one >= 0 {
		err = again(os.Stdout, uint64(*one))
	} else {
		err = many(os.Stdout, *from, *seeds)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

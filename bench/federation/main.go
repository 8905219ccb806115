// Command federation runs simulated federations, one for each seed, and says which of them do not come right, and measures
// following between real nodes on loopback; it ends what it started. Linux only: it reads /proc. What the simulation
// asserts is in internal/federate/simulate.
//
//	go run ./bench/federation -seeds 10000
//	go run ./bench/federation -seed 17        one seed again; when it fails, the smallest world that still does
//	go run ./bench/federation -publish 200    from publish to searchable on 10 other nodes, 5 of 7 witnesses
//	go run ./bench/federation -quiet 1200     one node that follows that many hosts with nothing new, watched for 3 minutes
//	go run ./bench/federation -tree 1000000   first sync of leaves and tree
//	go run ./bench/federation -large 7        first sync of seven objects of 48 MiB: what it takes of memory
//	go run ./bench/federation -records 100000 first sync of records, opened and indexed
//	go run ./bench/federation -seal 1200      what sealing to that many members costs: a record, a join, a leave
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/mithaq/mithaq/bench/internal/measure"
)

func main() {
	seeds := flag.Uint64("seeds", 100, "how many seeds, from -from on")
	from := flag.Uint64("from", 0, "first seed")
	one := flag.Int64("seed", -1, "run this seed alone, and shrink it when it fails")
	quiet := flag.Int("quiet", 0, "follow this many logs on as many hosts with nothing new")
	watch := flag.Duration("watch", 3*time.Minute, "how long the node of -quiet is watched")
	serve := flag.Int("serve-hosts", 0, "be the quiet hosts; this program starts itself so")
	tree := flag.Int("tree", 0, "first sync of this many leaves and their tree")
	large := flag.Int("large", 0, "first sync of this many objects of the largest size")
	records := flag.Int("records", 0, "first sync of this many records, opened and indexed, and of as many STIX objects in bundles of 100")
	serveLog := flag.String("serve-bulk", "", "serve a log from memory; this program starts itself so")
	publish := flag.Int("publish", 0, "publish this many records among 11 nodes with 5 of 7 witnesses")
	seal := flag.Int("seal", 0, "seal to this many members, to one more, and to one less")
	every := flag.Duration("every", 500*time.Millisecond, "how often another record is published beside those of -publish")
	pause := flag.Duration("pause", 500*time.Millisecond, "how long -publish waits between its records; 0: it publishes as fast as they are found")
	profile := flag.String("cpuprofile", "", "write a processor profile of this process here")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := measure.Profile(*profile, func() error {
		switch {
		case *serve > 0:
			return serveHosts(os.Stdin, *serve)
		case *serveLog != "":
			b, err := parseBulk(*serveLog)
			if err != nil {
				return err
			}
			return serveBulk(os.Stdin, b)
		case *seal > 0:
			return sealToMany(ctx, os.Stdout, *seal)
		case *publish > 0:
			return publishAround(ctx, os.Stdout, *publish, *every, *pause)
		case *tree > 0:
			return syncTree(ctx, os.Stdout, *tree)
		case *large > 0:
			return syncLarge(ctx, os.Stdout, *large)
		case *records > 0:
			if err := syncRecords(ctx, os.Stdout, bulk{Records: *records}); err != nil {
				return err
			}
			return syncRecords(ctx, os.Stdout, bulk{Records: max(*records/100, 2), Objects: 100})
		case *quiet > 0:
			return followQuiet(ctx, os.Stdout, *quiet, *watch)
		case *one >= 0:
			return again(os.Stdout, uint64(*one))
		default:
			return many(os.Stdout, *from, *seeds)
		}
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

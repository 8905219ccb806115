package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/mithaq/mithaq/bench/internal/measure"
	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/federate/simulate"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/node"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// first syncs: another process serves a log from memory, this one follows it over HTTP on loopback into SQLite.

// bulk is what the served log holds.
type bulk struct {
	Records int  // leaves
	Objects int  // STIX objects in each record; 0: reports
	Bare    bool // leaves alone, whose objects nobody has
	Large   int  // bytes of each object, which nobody here can open; 0: records
}

// author makes the log. Its party is the same for one bulk in every process, and so is the log's id.
func (b bulk) author() (*simulate.Author, error) {
	a, err := hostParty(9999)
	if err != nil {
		return nil, err
	}
	at := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	for i := range b.Records - 1 {
		switch {
		case b.Bare:
			var hash [32]byte
			binary.BigEndian.PutUint64(hash[:], uint64(i)+1) // #nosec G115 -- not negative
			err = a.Log.AppendLeaf(hash)
		case b.Large > 0:
			err = a.Log.Append(b.large(i))
		case b.Objects > 0:
			err = a.Publish(record.KindIntel, fmt.Appendf(nil, `{"bundle":%s}`, bundleOf(i, b.Objects)), at)
		default:
			err = a.Report(fmt.Sprintf("Report %d on phishing against ministry %d by way of invoices", i, i%97), at)
		}
		if err != nil {
			return nil, err
		}
	}
	return a, nil
}

// large is an object that looks sealed to somebody else.
func (b bulk) large(n int) []byte {
	o := make([]byte, b.Large)
	_, _ = rand.NewChaCha8([32]byte{byte(n)}).Read(o)
	copy(o, "MQO1\x02")
	return o
}

// bundleOf is a bundle of made-up indicators.
func bundleOf(n, objects int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"type":"bundle","id":"bundle--%08x-0000-4000-8000-000000000000","objects":[`, n)
	for i := range objects {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"type":"indicator","spec_version":"2.1","id":"indicator--%08x-0000-4000-8000-%012x","created":"2026-11-01T08:00:00.000Z","modified":"2026-11-01T08:00:00.000Z",`+
			`"name":"Host %d of campaign %d","indicator_types":["malicious-activity"],"pattern":"[domain-name:value = 'h%d-%d.example.net']","pattern_type":"stix","valid_from":"2026-11-01T08:00:00Z"}`, n, i, i, n%53, n, i)
	}
	return b.String() + "]}"
}

// serveBulk is the process of the served log; it says its address and ends with its standard input.
func serveBulk(in io.Reader, b bulk) error {
	a, err := b.author()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	serveLog(mux, a.Log)
	go func() { _ = (&http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}).Serve(l) }()
	fmt.Println("http://" + l.Addr().String())
	_, err = io.Copy(io.Discard, in)
	return err
}

// startBulk starts that process.
func startBulk(ctx context.Context, b bulk) (url string, end func() error, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-serve-bulk", fmt.Sprintf("%d,%d,%t,%d", b.Records, b.Objects, b.Bare, b.Large)) // #nosec G204 -- this very program
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	text, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	if _, err := fmt.Fscanln(text, &url); err != nil {
		return "", nil, errors.Join(fmt.Errorf("the served log did not start: %w", err), cmd.Wait())
	}
	return url, func() error { return errors.Join(in.Close(), cmd.Wait()) }, nil
}

// parseBulk reads what startBulk passes.
func parseBulk(s string) (b bulk, err error) {
	_, err = fmt.Sscanf(s, "%d,%d,%t,%d", &b.Records, &b.Objects, &b.Bare, &b.Large)
	return b, err
}

// timed runs something and says how long it took by the clock and by this process's processor.
func timed(do func() error) (clock, processor time.Duration, err error) {
	start, before := time.Now(), measure.Processor()
	err = do()
	return time.Since(start), measure.Processor() - before, err
}

func rate(n int, d time.Duration) string { return fmt.Sprintf("%.0f", float64(n)/d.Seconds()) }

// syncTree measures leaves and tree: what a witness, and every follower at first, takes of a log.
func syncTree(ctx context.Context, out io.Writer, records int) error {
	clock, processor, err := syncShelf(ctx, bulk{Records: records, Bare: true}, federate.Options{})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "| first sync of %d leaves and their tree | %s/s by the clock, %s/s of processor time (client), peak memory %d MB, its own at the end %d MB; %s | 50,000/s |\n",
		records, rate(records, clock), rate(records, processor), measure.Peak(os.Getpid())/1e6, measure.Own(os.Getpid())/1e6, measure.Load())
	return nil
}

// syncLarge measures what following takes of memory when objects are as large as they may be.
func syncLarge(ctx context.Context, out io.Writer, objects int) error {
	clock, _, err := syncShelf(ctx, bulk{Records: objects + 1, Large: record.MaxObject}, federate.Options{Objects: true})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "| first sync of %d objects of %d MiB: fetched, verified, stored | %.0f MB/s by the clock, peak memory of the process %d MB, its own at the end %d MB; %s | 64 MB |\n",
		objects, record.MaxObject>>20, float64(objects)*record.MaxObject/1e6/clock.Seconds(), measure.Peak(os.Getpid())/1e6, measure.Own(os.Getpid())/1e6, measure.Load())
	return nil
}

// syncShelf follows a log into a store, without a node around it.
func syncShelf(ctx context.Context, b bulk, o federate.Options) (clock, processor time.Duration, err error) {
	url, end, err := startBulk(ctx, b)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, end()) }()
	dir, err := os.MkdirTemp("", "mithaq-bench-*")
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(dir, "truth.db"))
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	guard, err := ledger.OpenFileGuard(db.Files(), filepath.Join(dir, "guard"))
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, guard.Close()) }()
	led, err := ledger.Open(ctx, ledger.Config{Store: db, Guard: guard, Signer: func(string, uint64) (ledger.LogSigner, error) { return nil, errors.New("nothing is signed here") }})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, led.Close(context.WithoutCancel(ctx))) }()
	a, err := hostParty(9999)
	if err != nil {
		return 0, 0, err
	}
	k := a.Keyring
	if err := led.Follow(ctx, ledger.FollowSpec{ID: k.Log.ID, Origin: k.Log.Origin, Author: k.Party, Agreement: k.Log.Agreement, Source: url}); err != nil {
		return 0, 0, err
	}
	runner := federate.Runner{Shelf: led, Clock: time.Now, Logger: slog.New(slog.DiscardHandler), Tell: func(context.Context, federate.Log, federate.Notice) {},
		Options: func(federate.Log) federate.Options { return o },
		Open: func(l federate.Log, source string) (federate.Source, error) {
			return ledger.HTTPSourceWith(source+"/log/"+l.ID, ledger.HTTPOptions{})
		}}
	clock, processor, err = timed(func() error {
		round, err := runner.Sync(ctx, k.Log.ID)
		if err == nil && round.Err == nil && round.Size != int64(b.Records) {
			err = fmt.Errorf("%d of %d leaves came", round.Size, b.Records)
		}
		return errors.Join(err, round.Err)
	})
	return clock, processor, err
}

// syncRecords measures a node that follows a log whose records it opens and indexes.
func syncRecords(ctx context.Context, out io.Writer, b bulk) (err error) {
	url, end, err := startBulk(ctx, b)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	dir, err := os.MkdirTemp("", "mithaq-bench-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	n, err := node.Init(ctx, filepath.Join(dir, "node"), node.InitOptions{Names: record.Names{"en": "Bench"}, Listen: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close(context.WithoutCancel(ctx))) }()
	a, err := hostParty(9999)
	if err != nil {
		return err
	}
	if err := n.FollowAs(ctx, a.Keyring.Log, a.Party, url); err != nil {
		return err
	}
	var fetched time.Duration
	clock, processor, err := timed(func() error {
		start := time.Now()
		round, err := n.Sync(ctx, a.Log.ID)
		fetched = time.Since(start)
		if err := errors.Join(err, round.Err); err != nil {
			return err
		}
		return n.WaitIndexed(ctx, a.Log.ID, int64(b.Records))
	})
	if err != nil {
		return err
	}
	what, count, asked := "records", b.Records, "5,000/s"
	if b.Objects > 0 {
		what, count, asked = fmt.Sprintf("STIX objects, %d in a record", b.Objects), b.Records*b.Objects, "10,000/s"
	}
	fmt.Fprintf(out, "| first sync of %d %s: fetched, verified, stored (%s/s), opened and indexed | %s/s by the clock, %s/s of processor time, peak memory %d MB; %s | %s |\n",
		count, what, rate(count, fetched), rate(count, clock), rate(count, processor), measure.Peak(os.Getpid())/1e6, measure.Load(), asked)
	return nil
}

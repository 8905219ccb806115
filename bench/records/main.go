// Command records measures whole records on a node: how fast reports are signed, sealed and durable when several callers
// publish at once, and how fast a stranger audits the log over HTTP with every record opened and its signature verified.
//
//	go run ./bench/records [-records 20000] [-callers 64]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/node"
)

func main() {
	records := flag.Int("records", 20000, "records to publish")
	callers := flag.Int("callers", 64, "callers that publish at once")
	profile := flag.String("cpuprofile", "", "write a profile of the processor's time to this file")
	flag.Parse()
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench/records:", err)
			os.Exit(1)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			fmt.Fprintln(os.Stderr, "bench/records:", err)
			os.Exit(1)
		}
		defer pprof.StopCPUProfile()
	}
	if err := measure(context.Background(), *records, *callers); err != nil {
		fmt.Fprintln(os.Stderr, "bench/records:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, records, callers int) (err error) {
	work, err := os.MkdirTemp("", "mithaq-bench-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	n, err := node.Init(ctx, filepath.Join(work, "node"), node.InitOptions{Names: map[string]string{"en": "Bench"}, Public: true, Logger: logger})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close(ctx)) }()
	fmt.Printf("| figure | seen |\n| --- | --- |\n")
	for _, tlp := range []string{"TLP:CLEAR", "TLP:AMBER"} {
		rate, err := publish(ctx, n, tlp, records, callers)
		if err != nil {
			return err
		}
		fmt.Printf("| %s reports signed, durable and in a signed checkpoint, %d callers | %.0f/s |\n", tlp, callers, rate)
	}
	logs, err := n.Logs(ctx)
	if err != nil {
		return err
	}
	srv := httptest.NewServer(api.New(n, api.Options{Logger: logger}))
	defer srv.Close()
	url := srv.URL + "/log/" + logs[0].ID + "/"
	for _, objects := range []bool{false, true} {
		start := time.Now()
		report, err := node.AuditURL(ctx, url, node.AuditOptions{Objects: objects})
		if err != nil {
			return err
		}
		if !report.OK() {
			return fmt.Errorf("the log does not hold: %s", report.Broken)
		}
		what := "leaves and tree"
		if objects {
			what = "every record opened and verified (half are sealed to others, " + report.Tally() + ")"
		}
		fmt.Printf("| audit over HTTP, %s | %.0f leaves/s |\n", what, float64(report.Size)/time.Since(start).Seconds())
	}
	http.DefaultClient.CloseIdleConnections()
	return nil
}

func publish(ctx context.Context, n *node.Node, tlp string, records, callers int) (float64, error) {
	body := []byte(`{"period":{"from":"2026-10-01","to":"2026-10-31"},"summary":{"en":"A small report, as a duty officer writes it at night.","ar":"تقرير صغير"}}`)
	var g errgroup.Group
	g.SetLimit(callers)
	start := time.Now()
	for range records {
		g.Go(func() error {
			_, err := n.Publish(ctx, "own", node.Draft{Kind: "report", TLP: tlp, Body: body})
			return err
		})
	}
	err := g.Wait()
	return float64(records) / time.Since(start).Seconds(), err
}

package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/mithaq/mithaq/internal/detect/fingerprint"
	"github.com/mithaq/mithaq/internal/detect/packet"
)

type fingerprintCmd struct {
	JSON    bool     `help:"Print one JSON line per client hello."`
	Stats   bool     `help:"Print what was counted, as JSON, on standard error."`
	Verbose bool     `help:"Name every packet and place of a capture that cannot be read (at most 1,000)." short:"v"`
	Files   []string `arg:"" name:"file" help:"Captures (pcap, pcapng, also gzip or zstd); - is standard input."`
}

func (fingerprintCmd) Help() string {
	return `Example: mithaq fingerprint --json traffic.pcapng

Prints every TLS, DTLS and QUIC client hello with JA3, JA4, name, ALPN and ECH, and what the server's side showed. Damaged
packets never stop a run: they are counted on standard error, and named with --verbose. Exit code 2: a file is no capture.`
}

func (c *fingerprintCmd) Run(ctx context.Context, a *app) error {
	a.lateGC()
	out := bufio.NewWriterSize(a.stdout, 1<<16)
	emit, done := c.printer(out)
	var seed [8]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return err
	}
	opts := fingerprint.Options{Seed: binary.LittleEndian.Uint64(seed[:])}
	worst, named, file := exitOK, 0, ""
	if c.Verbose {
		opts.Name(func(what string) {
			if named++; named <= 1000 {
				fmt.Fprintf(a.stderr, "mithaq: %s: %s\n", file, what)
			}
		})
	}
	engine := fingerprint.NewEngine(opts, emit)
	for _, file = range c.Files {
		stats, err := c.read(ctx, a, file, engine)
		if err != nil {
			fmt.Fprintf(a.stderr, "mithaq: %s: %v\n", file, err)
			worst = exitUnread
		}
		if c.Stats {
			if err := json.NewEncoder(a.stderr).Encode(map[string]any{"file": file, "stats": stats}); err != nil {
				return err
			}
		} else if damage := counted(damaged(stats)); damage != "" {
			fmt.Fprintf(a.stderr, "mithaq: %s: %s\n", file, damage)
		}
	}
	if err := errors.Join(done(), out.Flush()); err != nil {
		return err
	}
	if worst != exitOK {
		return exitCode(worst)
	}
	return nil
}

// printer returns what takes the events and what ends the output.
func (c *fingerprintCmd) printer(out io.Writer) (emit func(fingerprint.Event), done func() error) {
	if !c.JSON {
		table := fingerprint.NewTable(out)
		return table.Add, table.Close
	}
	lines := fingerprint.NewLines(out)
	return lines.Add, lines.Close
}

func (c *fingerprintCmd) read(ctx context.Context, a *app, file string, engine *fingerprint.Engine) (fingerprint.Stats, error) {
	if file == "-" {
		return engine.Run(ctx, a.stdin)
	}
	f, err := os.Open(file) // #nosec G304 -- the user names the file
	if err != nil {
		return fingerprint.Stats{}, err
	}
	defer func() { _ = f.Close() }()
	return engine.Run(ctx, f)
}

// damaged counts what was damaged, in the capture and in its packets.
func damaged(stats fingerprint.Stats) map[string]int64 {
	counts := maps.Clone(stats.Damage)
	for p := range packet.Problems {
		if n := stats.Problems[p.String()]; n > 0 && p.Damaged() {
			counts[p.String()] += n
		}
	}
	return counts
}

func counted(counts map[string]int64) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if counts[name] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[name], name))
		}
	}
	return strings.Join(parts, ", ")
}

package main

import (
	"bufio"
	"bytes"
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
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/detect/engine"
	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/evidence"
	"github.com/mithaq/mithaq/internal/detect/feed"
	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/intel"
	"github.com/mithaq/mithaq/internal/detect/logs"
	"github.com/mithaq/mithaq/internal/detect/traffic"
	"github.com/mithaq/mithaq/internal/detect/warning"
)

type detectCmd struct {
	dirFlag
	Indicators  []string `help:"Indicators: STIX bundles, or lists with one domain, address, URL or hash a line (also gzip, zstd); 'node' for all that the node here may use, or a node's address (its token in MITHAQ_TOKEN). Several times, or with commas." required:"" placeholder:"FILE" short:"i"`
	Publish     bool     `help:"Put what was found of partners' indicators up for a person's approval: see 'mithaq sighting'."`
	Shadow      []string `help:"Indicators on trial: their matches are printed as shadow, with the level they would have had, and make no sighting." placeholder:"FILE"`
	Beacons     bool     `help:"At the end, print as context what calls its destination like clockwork though no indicator names it."`
	Subdomains  bool     `help:"Let the domains of lists stand for every name below them, too."`
	Warninglist []string `help:"Lists of well-known harmless values (MISP's format) that lower a match." placeholder:"FILE"`
	Suppress    bool     `help:"Leave matches out whose value is on a warning list; they are counted."`
	Validity    string   `help:"When an indicator has to be valid: at the time of the event, now, or any time." enum:"event,now,any" default:"event"`
	Mapping     string   `help:"What the fields of other JSON lines are (TOML)." placeholder:"FILE"`
	Sightings   string   `help:"Write STIX sightings: counts and times in steps, nothing of the traffic." placeholder:"FILE"`
	As          string   `help:"How matches are printed: as JSON lines of mithaq's own, or for a SIEM as cef (syslog) or ecs (JSON lines)." enum:"json,cef,ecs" default:"json"`
	JSONSummary bool     `help:"Print the summary on standard error as JSON." name:"json-summary"`
	Verbose     bool     `help:"Name every refused indicator, and every line, packet and place of a capture that cannot be read (at most 1,000)." short:"v"`
	Inputs      []string `arg:"" name:"input" help:"Captures (pcap, pcapng), Zeek logs (TSV, JSON), Suricata EVE, STIX observed data; also gzip or zstd; - is standard input."`
}

func (detectCmd) Help() string {
	return `Example: mithaq detect --indicators shared.json capture.pcapng dns.log eve.json

Prints each match as a JSON line: what was seen, where (packet or line), by which indicator, from whom, why it counts and how sure that is; and a summary on standard error. Lines and packets that cannot be read are counted and never stop a run. Exit code 0: done, whether there were matches or not; 2: a file cannot be read.`
}

// detection is one run.
type detection struct {
	cmd       *detectCmd
	app       *app
	engine    *engine.Engine
	packets   *traffic.Source // nil before the first capture
	reading   string          // the capture that is being read
	history   *evidence.History
	started   time.Time
	enc       *json.Encoder
	lines     *alertLines // instead of JSON, for a SIEM
	failed    error
	sightings *engine.Sightings
	mapping   *logs.Mapping
	client    *api.Client // of the node that indicators come from or sightings go to; nil: none
	feed      *feed.Feed  // of indicators from a node; nil: none
	files     intel.Compiled
	base      *index.Set // of the files, beside a feed
	named     int        // problems named so far
	summary   detectSummary
}

type detectSummary struct {
	Indicators intel.Report             `json:"indicators"`
	Inputs     map[string]logs.Stats    `json:"inputs"`
	Packets    map[string]traffic.Stats `json:"packets,omitempty"`
	Engine     engine.Stats             `json:"engine"`
	FromNode   int                      `json:"indicators_from_node,omitempty"`
	Suppressed int64                    `json:"suppressed"`
}

func (c *detectCmd) Run(ctx context.Context, a *app) error {
	a.lateGC()
	d := &detection{cmd: c, app: a, summary: detectSummary{Inputs: map[string]logs.Stats{}, Packets: map[string]traffic.Stats{}}}
	out := bufio.NewWriter(a.stdout)
	d.enc = json.NewEncoder(out)
	d.enc.SetEscapeHTML(false)
	if c.As != "json" {
		d.lines = newAlertLines(out, c.As)
	}
	done, err := d.connect(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := d.prepare(ctx); err != nil {
		fmt.Fprintln(a.stderr, "mithaq:", err)
		return exitCode(exitUnread)
	}
	worst := exitOK
	for i, name := range c.Inputs {
		if i > 0 {
			if err := d.pull(ctx); err != nil { // what was recalled meanwhile fires no more
				return err
			}
		}
		if err := d.input(ctx, name); err != nil {
			if errors.Is(err, context.Canceled) {
				return err
			}
			fmt.Fprintf(a.stderr, "mithaq: %v\n", err)
			worst = exitUnread
		}
	}
	if c.Beacons {
		d.engine.Beacons()
	}
	d.summary.Engine = d.engine.Stats()
	if err := errors.Join(d.failed, out.Flush(), d.writeSightings(), d.publish(ctx)); err != nil {
		return err
	}
	if err := d.report(); err != nil {
		return err
	}
	if worst != exitOK {
		return exitCode(worst)
	}
	return nil
}

func seed() (uint64, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return 0, fmt.Errorf("drawing a random number: %w", err)
	}
	return binary.LittleEndian.Uint64(b[:]), nil
}

// prepare reads indicators, warning lists and the mapping.
func (d *detection) prepare(ctx context.Context) error {
	now := time.Now()
	compiler := &intel.Compiler{Subdomains: d.cmd.Subdomains, Refused: func(r intel.Refusal) { d.name("indicator left out: " + r.String()) }}
	if d.cmd.Validity == "now" {
		compiler.Now = now
	}
	var lists *warning.Lists
	for _, name := range d.cmd.Warninglist {
		text, err := os.ReadFile(name) // #nosec G304 -- the user names the file
		if err != nil {
			return err
		}
		if lists == nil {
			lists = &warning.Lists{}
		}
		if err := lists.Add(text); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	compiler.Warnings, compiler.Warned = lists, func(r intel.Refusal) { d.name("indicator to look at: " + r.String()) }
	for _, name := range slices.Concat(d.cmd.Indicators, d.cmd.Shadow) {
		if isNode(name) {
			continue
		}
		if err := d.open(name, func(r io.Reader) error { return compiler.Read(name, r) }); err != nil {
			return err
		}
	}
	if d.cmd.Mapping != "" {
		text, err := os.ReadFile(d.cmd.Mapping) // #nosec G304 -- the user names the file
		if err != nil {
			return err
		}
		if d.mapping, err = logs.ParseMapping(text); err != nil {
			return fmt.Errorf("%s: %w", d.cmd.Mapping, err)
		}
	}
	d.files = compiler.Compiled()
	d.summary.Indicators = d.files.Report
	random, err := seed()
	if err != nil {
		return err
	}
	d.started, d.history = now, evidence.New(evidence.Options{Seed: random})
	validity := map[string]engine.Validity{"event": engine.ValidAtEvent, "now": engine.ValidNow, "any": engine.ValidAlways}[d.cmd.Validity]
	options := engine.Options{
		Validity: validity, Now: now, Warnings: lists, History: d.history,
		Shadow:   func(s index.Source) bool { return slices.Contains(d.cmd.Shadow, s.Feed) },
		Feedback: d.feedback,
	}
	set, err := index.Build(d.files.Builder, random)
	if err != nil {
		return err
	}
	store := index.NewStore(set)
	if d.feed, err = d.openFeed(random, lists); err != nil {
		return err
	}
	if d.feed != nil {
		store, options.Allowed = d.feed.Store(), d.feed.Allowed
		d.base = set
	}
	d.engine = engine.New(store, d.files.Plans, options, d.match)
	if err := d.pull(ctx); err != nil {
		return err
	}
	if d.cmd.Sightings != "" || d.cmd.Publish {
		d.sightings = engine.NewSightings()
	}
	return nil
}

func (d *detection) match(m *engine.Match) {
	if d.cmd.Suppress && len(m.Warnings) > 0 {
		d.summary.Suppressed++
		return
	}
	if d.sightings != nil {
		d.sightings.Add(m)
	}
	switch {
	case d.failed != nil:
	case d.lines != nil:
		d.failed = d.lines.write(m)
	default:
		d.failed = d.enc.Encode(m)
	}
}

// name tells of a problem on standard error, with --verbose, so many times at most.
func (d *detection) name(problem string) {
	const most = 1000
	if d.named++; d.cmd.Verbose && d.named <= most {
		fmt.Fprintln(d.app.stderr, "mithaq: "+problem)
	}
}

func (d *detection) open(name string, read func(io.Reader) error) error {
	if name == "-" {
		return read(d.app.stdin)
	}
	f, err := os.Open(name) // #nosec G304 -- the user names the file
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	return read(f)
}

// bufferSize of inputs: the format is told by what is in it.
const bufferSize = 1 << 18

// input reads one capture or log.
func (d *detection) input(ctx context.Context, name string) error {
	return d.open(name, func(file io.Reader) error {
		if isCaptureFile(file) { // which is not read but mapped, if nothing lies in between
			return d.capture(ctx, name, file)
		}
		r, done, err := decompressed(file)
		if err != nil {
			return fmt.Errorf("reading %s: %w", name, err)
		}
		defer done()
		if head, err := r.Peek(4); err == nil && traffic.IsCapture(head) {
			return d.capture(ctx, name, r)
		}
		opts := logs.Options{Mapping: d.mapping, Malformed: func(m logs.Malformed) { d.name("line left out: " + m.String()) }}
		stats, err := logs.Read(ctx, name, r, opts, func(ev *event.Event) { d.engine.Event(ev) })
		d.summary.Inputs[name] = stats
		return err
	})
}

// capture reads one capture. All are read with the same tables, which take longer to make than most captures to read.
func (d *detection) capture(ctx context.Context, name string, r io.Reader) error {
	if d.packets == nil {
		random, err := seed()
		if err != nil {
			return err
		}
		d.packets = traffic.NewSource("", traffic.Options{Seed: random, Damage: func(what string) { d.name(d.reading + ": " + what) }}, d.engine.Event)
	}
	d.reading = name
	stats, err := d.packets.Run(ctx, name, r)
	d.summary.Packets[name] = stats
	return err
}

// isCaptureFile tells whether a file is a capture and will be read from its beginning.
func isCaptureFile(file io.Reader) bool {
	f, ok := file.(*os.File)
	if !ok {
		return false
	}
	var head [4]byte
	if at, err := f.Seek(0, io.SeekCurrent); err != nil || at != 0 {
		return false
	}
	_, err := f.ReadAt(head[:], 0)
	return err == nil && traffic.IsCapture(head[:])
}

// decompressed undoes gzip and zstd.
func decompressed(file io.Reader) (r *bufio.Reader, done func(), err error) {
	r = bufio.NewReaderSize(file, bufferSize)
	head, err := r.Peek(4)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, nil, err
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, nil, err
		}
		return bufio.NewReaderSize(z, bufferSize), func() {}, nil
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(1<<27))
		if err != nil {
			return nil, nil, err
		}
		return bufio.NewReaderSize(z, bufferSize), z.Close, nil
	}
	return r, func() {}, nil
}

func (d *detection) writeSightings() error {
	if d.cmd.Sightings == "" {
		return nil
	}
	bundle, err := d.sightings.Bundle(rand.Reader, time.Now())
	if err != nil {
		return err
	}
	if err := os.WriteFile(d.cmd.Sightings, bundle, 0o600); err != nil {
		return fmt.Errorf("writing sightings: %w", err)
	}
	return nil
}

// report prints the summary.
func (d *detection) report() error {
	w, s := d.app.stderr, &d.summary
	if d.cmd.JSONSummary {
		return json.NewEncoder(w).Encode(s)
	}
	fmt.Fprintf(w, "indicators: %d in use", s.Indicators.Indicators+s.FromNode)
	if s.Indicators.Patterns > 0 {
		fmt.Fprintf(w, ", %d of them patterns of several parts", s.Indicators.Patterns)
	}
	if s.Indicators.Scans > 0 {
		fmt.Fprintf(w, " (%d without a value to look for: asked about every event)", s.Indicators.Scans)
	}
	for _, reason := range slices.Sorted(maps.Keys(s.Indicators.Refused)) {
		fmt.Fprintf(w, "; left out, %s: %d", reason, s.Indicators.Refused[reason])
	}
	for _, list := range slices.Sorted(maps.Keys(s.Indicators.Warned)) {
		fmt.Fprintf(w, "; on the warning list %q: %d", list, s.Indicators.Warned[list])
	}
	fmt.Fprintln(w)
	for _, name := range slices.Sorted(maps.Keys(s.Inputs)) {
		in := s.Inputs[name]
		fmt.Fprintf(w, "%s: %s, %d lines, %d events", name, in.Format, in.Lines, in.Events)
		printCounts(w, in.Malformed)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Packets)) {
		in := s.Packets[name]
		fmt.Fprintf(w, "%s: packets, %d packets, %d events", name, in.Packets, in.Events)
		printCounts(w, in.Malformed)
	}
	fmt.Fprintf(w, "matches: %d alerts, %d context, by %d indicators", s.Engine.Matches[engine.Alert], s.Engine.Matches[engine.Context], s.Engine.Indicators)
	if n := s.Engine.Matches[engine.Shadow]; n > 0 {
		fmt.Fprintf(w, ", %d more in shadow", n)
	}
	if s.Suppressed > 0 {
		fmt.Fprintf(w, " (%d of these not printed: on a warning list)", s.Suppressed)
	}
	printCounts(w, s.Engine.LeftOut)
	if n := s.Engine.LeftOut["not-valid-then"]; n > 0 {
		fmt.Fprintf(w, "%d hits did not count because their indicator was not valid at that time: see --validity\n", n)
	}
	if drop := s.Engine.Dropped; drop.States+drop.Observations+drop.Late+drop.Errors > 0 {
		fmt.Fprintf(w, "patterns over several events: %d states and %d observations given up, %d too late, %d without a verdict\n",
			drop.States, drop.Observations, drop.Late, drop.Errors)
	}
	return nil
}

// printCounts ends a line with what was counted by kind.
func printCounts(w io.Writer, counts map[string]int64) {
	if text := counted(counts); text != "" {
		fmt.Fprint(w, "; ", text)
	}
	fmt.Fprintln(w)
}

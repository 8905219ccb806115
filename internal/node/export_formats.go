package node

import (
	"archive/tar"
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/exchange/lists"
	"github.com/mithaq/mithaq/internal/exchange/misp"
	"github.com/mithaq/mithaq/internal/exchange/rpz"
	"github.com/mithaq/mithaq/internal/exchange/siem"
	"github.com/mithaq/mithaq/internal/exchange/suricata"
	"github.com/mithaq/mithaq/internal/exchange/zeek"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/stix"
)

// exportFormat is one format, and the use it is for: a rule that alerts is passive, a zone that blocks is not.
type exportFormat struct {
	name, contentType, extension string
	use                          policy.Use
	open                         func(io.Writer, *Export) (exportSink, error)
}

// exportSink takes what leaves, record by record.
type exportSink interface {
	add(exportedRecord) error
	close() (exchange.Report, error)
}

func exportFormats() []exportFormat {
	text := "text/plain; charset=utf-8"
	return []exportFormat{
		{"stix", "application/stix+json;version=2.1", ".json", policy.UseRead, openSTIX},
		{"csv", "text/csv; charset=utf-8", ".csv", policy.UseRead, func(w io.Writer, x *Export) (exportSink, error) {
			return &writerSink{w: lists.NewWriter(w, x.banner())}, nil
		}},
		{"misp", "application/json", ".json", policy.UseRead, func(w io.Writer, x *Export) (exportSink, error) {
			return &mispSink{w: bufio.NewWriter(w), events: newEvents()}, nil
		}},
		{"misp-feed", "application/x-tar", ".tar", policy.UseRead, func(w io.Writer, x *Export) (exportSink, error) {
			return &feedSink{tar: tar.NewWriter(w), events: newEvents()}, nil
		}},
		{"suricata", text, ".rules", policy.UsePassive, func(w io.Writer, x *Export) (exportSink, error) {
			opts, err := x.suricata()
			if err != nil {
				return nil, err
			}
			out, err := suricata.NewWriter(w, opts)
			return &writerSink{w: out, until: x.now}, err
		}},
		{"suricata-datasets", "application/x-tar", ".tar", policy.UsePassive, func(w io.Writer, x *Export) (exportSink, error) {
			opts, err := x.suricata()
			if err != nil {
				return nil, err
			}
			out, err := suricata.NewDatasets(w, opts)
			return &writerSink{w: out, until: x.now}, err
		}},
		{"zeek", text, ".intel", policy.UsePassive, func(w io.Writer, x *Export) (exportSink, error) {
			return &writerSink{w: zeek.NewWriter(w, x.banner()), until: x.now}, nil
		}},
		{"rpz", text, ".zone", policy.UseActive, func(w io.Writer, x *Export) (exportSink, error) {
			out, err := rpz.NewWriter(w, rpz.Options{Zone: x.query.Zone, Action: x.query.Action, Serial: x.now, Banner: x.banner()})
			return &writerSink{w: out, until: x.now}, err
		}},
		{"cef", text, ".cef", policy.UseRead, openLines},
		{"ecs", "application/x-ndjson", ".ndjson", policy.UseRead, openLines},
	}
}

// ExportFormats are the names of the formats.
func ExportFormats() []string {
	var names []string
	for _, f := range exportFormats() {
		names = append(names, f.name)
	}
	return names
}

// suricata reads the range of identifiers.
func (x *Export) suricata() (suricata.Options, error) {
	opts := suricata.Options{Banner: x.banner()}
	if x.query.SIDs == "" {
		return opts, nil
	}
	first, last, ok := strings.Cut(x.query.SIDs, "-")
	var errFirst, errLast error
	opts.First, errFirst = strconv.Atoi(first)
	opts.Last, errLast = strconv.Atoi(last)
	if !ok || errFirst != nil || errLast != nil {
		return opts, fmt.Errorf("the range of sids %q is not FIRST-LAST: write for example 1000000-1999999", fault.Clip(x.query.SIDs))
	}
	return opts, nil
}

// writerSink feeds the indicators of records to a writer.
type writerSink struct {
	w     exchange.Writer
	until time.Time // not zero: what is no longer valid then is left out
	extra exchange.Report
}

func (s *writerSink) add(rec exportedRecord) error {
	for _, o := range rec.objects {
		if o.Type != "indicator" || o.Revoked {
			continue
		}
		in, err := exchange.ReadIndicator(o.Object, o.origin)
		if err != nil {
			s.extra.Lose(o.ID, "%v", err)
			continue
		}
		if !s.until.IsZero() && !in.Until.IsZero() && !in.Until.After(s.until) {
			s.extra.Read++
			s.extra.Lose(o.ID, "it is no longer valid")
			continue
		}
		if err := s.w.Add(in); err != nil {
			return err
		}
	}
	return nil
}

func (s *writerSink) close() (exchange.Report, error) {
	report, err := s.w.Close()
	report.Join("", s.extra)
	return report, err
}

// stixSink writes one bundle, its objects byte for byte.
type stixSink struct {
	w      *bufio.Writer
	first  bool
	report exchange.Report
}

func openSTIX(w io.Writer, x *Export) (exportSink, error) {
	var names []string
	for _, s := range x.of {
		names = append(names, s.id)
	}
	s := &stixSink{w: bufio.NewWriter(w), first: true}
	fmt.Fprintf(s.w, "{\"type\":\"bundle\",\"id\":\"bundle--%s\",\"objects\":[\n", exchange.UUID(append(names, x.now.UTC().Format(time.RFC3339Nano))...))
	return s, nil
}

func (s *stixSink) add(rec exportedRecord) error {
	for _, o := range rec.objects {
		if !s.first {
			_, _ = s.w.WriteString(",\n") // a bufio.Writer keeps its error
		}
		s.first = false
		s.report.Read++
		s.report.Made++
		if _, err := s.w.Write(o.Raw); err != nil {
			return err
		}
	}
	return nil
}

func (s *stixSink) close() (exchange.Report, error) {
	_, _ = s.w.WriteString("\n]}\n") // a bufio.Writer keeps its error
	return s.report, s.w.Flush()
}

// events makes MISP events of records, with what was said about their objects elsewhere.
type events struct {
	said   map[string][]exported // sightings and opinions by what they are about
	report exchange.Report
}

func newEvents() *events { return &events{said: map[string][]exported{}} }

func (s *events) about(target string, o exported) { s.said[target] = append(s.said[target], o) }

// of makes the event of what leaves of a record; ok is false for a record of nothing but sightings and opinions, or of which only
// definitions are left because newer versions of all else stand in another.
func (s *events) of(rec exportedRecord) (e misp.Event, ok bool, err error) {
	var objects []stix.Object
	for _, o := range rec.objects {
		ok = ok || o.Type != "sighting" && o.Type != "opinion" && o.Type != "marking-definition" && o.Type != "extension-definition"
	}
	if !ok {
		return e, false, nil
	}
	for _, o := range rec.objects {
		if o.Type == "sighting" || o.Type == "opinion" {
			continue
		}
		objects = append(objects, o.Object)
		for _, said := range s.said[o.ID] {
			objects = append(objects, said.Object)
		}
		delete(s.said, o.ID)
	}
	origin := rec.objects[0].origin
	for _, o := range rec.objects {
		if strings.Contains(o.origin.TLP, "RED") {
			origin.TLP = o.origin.TLP
		}
	}
	opts := misp.FromOptions{Info: strings.TrimSpace(origin.Mark + " mithaq record " + rec.id + " under " + origin.Label), Seed: rec.id, Author: origin.Name, Time: rec.time,
		Tags: []string{strings.ToLower(origin.TLP)}, Mark: origin.Mark}
	if origin.PAP != "" {
		opts.Tags = append(opts.Tags, origin.PAP)
	}
	e, report, err := misp.FromSTIX(objects, opts)
	s.report.Join("", report)
	return e, true, err
}

// rest reports what was said about objects that are not exported.
func (s *events) rest() exchange.Report {
	for _, target := range slices.Sorted(maps.Keys(s.said)) {
		for _, o := range s.said[target] {
			s.report.Lose(o.ID, "it is about %s, which is not exported", exchange.Clip(target))
		}
	}
	return s.report
}

// mispSink writes events the way a MISP server answers.
type mispSink struct {
	*events
	w     *bufio.Writer
	begun bool
}

func (s *mispSink) add(rec exportedRecord) error {
	e, ok, err := s.of(rec)
	if err != nil || !ok {
		return err
	}
	b, err := e.JSON()
	if err != nil {
		return err
	}
	s.separate()
	_, err = s.w.Write(b)
	return err
}

func (s *mispSink) separate() {
	between := ",\n"
	if !s.begun {
		between = "{\"response\":[\n"
	}
	s.begun = true
	_, _ = s.w.WriteString(between) // a bufio.Writer keeps its error
}

func (s *mispSink) close() (exchange.Report, error) {
	if !s.begun {
		s.separate()
	}
	_, _ = s.w.WriteString("\n]}\n") // a bufio.Writer keeps its error
	return s.rest(), s.w.Flush()
}

// feedSink writes a MISP feed as an archive: a folder that a web server can offer as it is.
type feedSink struct {
	*events
	tar    *tar.Writer
	heads  []misp.Event // without their attributes
	hashes bytes.Buffer
}

func (s *feedSink) add(rec exportedRecord) error {
	e, ok, err := s.of(rec)
	if err != nil || !ok {
		return err
	}
	b, err := e.JSON()
	if err != nil {
		return err
	}
	if err := e.Hashes(&s.hashes); err != nil {
		return err
	}
	s.heads = append(s.heads, e.Head())
	return s.put(misp.Entry{UUID: e.UUID()}.FileName(), b)
}

func (s *feedSink) put(name string, b []byte) error {
	if err := s.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(b)), ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	_, err := s.tar.Write(b)
	return err
}

func (s *feedSink) close() (exchange.Report, error) {
	manifest, err := misp.ManifestOf(s.heads)
	if err != nil {
		return s.report, err
	}
	if err := s.put(misp.ManifestName, manifest); err != nil {
		return s.report, err
	}
	if err := s.put(misp.HashesName, s.hashes.Bytes()); err != nil {
		return s.report, err
	}
	return s.rest(), s.tar.Close()
}

// lineSink writes log lines: sightings, and as ECS also what there is to look for.
type lineSink struct {
	w      *bufio.Writer
	ecs    bool
	device siem.Device
	seen   map[string]exchange.Indicator // by id, what sightings need of them
	report exchange.Report
}

func openLines(w io.Writer, x *Export) (exportSink, error) {
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	return &lineSink{w: bufio.NewWriter(w), ecs: x.query.Format == "ecs", device: siem.Device{Host: host, Version: x.query.Version}, seen: map[string]exchange.Indicator{}}, nil
}

func (s *lineSink) add(rec exportedRecord) error {
	for _, o := range rec.objects {
		if o.Type != "indicator" {
			continue
		}
		in, err := exchange.ReadIndicator(o.Object, o.origin)
		if err != nil {
			s.report.Lose(o.ID, "%v", err)
			continue
		}
		s.seen[o.ID] = exchange.Indicator{ID: in.ID, Name: in.Name, Alternatives: in.Alternatives[:min(1, len(in.Alternatives))]}
		if s.ecs && !o.Revoked {
			if err := s.line(siem.OfIndicator(in)); err != nil {
				return err
			}
		}
	}
	for _, o := range rec.objects {
		if o.Type != "sighting" || o.Revoked {
			continue
		}
		v, err := o.Open()
		if err != nil {
			s.report.Lose(o.ID, "%v", err)
			continue
		}
		var of *exchange.Indicator
		if in, ok := s.seen[v.Get("sighting_of_ref").Text()]; ok {
			of = &in
		}
		e, err := siem.OfSighting(o.Object, of, o.origin)
		if err != nil {
			return err
		}
		if err := s.line(e); err != nil {
			return err
		}
	}
	return nil
}

func (s *lineSink) line(e siem.Event) error {
	s.report.Read++
	s.report.Made++
	var line []byte
	var err error
	if s.ecs {
		line, err = e.ECS()
	} else {
		line = []byte(e.CEF(s.device))
	}
	if err == nil {
		_, err = s.w.Write(append(line, '\n'))
	}
	return err
}

func (s *lineSink) close() (exchange.Report, error) { return s.report, s.w.Flush() }

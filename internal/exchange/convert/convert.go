package convert

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/exchange/lists"
	"github.com/mithaq/mithaq/internal/exchange/misp"
	"github.com/mithaq/mithaq/stix"
)

// Formats are the names of the formats that are read.
func Formats() []string { return []string{"stix", "misp", "misp-galaxy", "csv", "text"} }

// Options is what a file does not say of itself.
type Options struct {
	Format  string            // one of Formats; empty: by what is in the file
	Name    string            // of the list, for a list
	Time    time.Time         // now: when indicators of a list are made
	Columns map[string]string // of a table; see lists.Options
	TLP     stix.TLP          // marks the indicators of a list
	MISP    misp.ToOptions
}

// Bundle is one bundle that a file became: what makes one record.
type Bundle struct {
	STIX   []byte
	Event  *misp.Conversion // of a MISP event
	List   bool             // made of values that stand in a list, at the time of reading
	Title  string
	Report exchange.Report
}

// Read gives the bundles of a file to take, one by one. The report counts what was read of the whole file.
func Read(b []byte, opts Options, take func(Bundle) error) (format string, report exchange.Report, err error) {
	format = opts.Format
	if format == "" {
		format = Sniff(b)
	}
	switch format {
	case "stix":
		return format, report, take(Bundle{STIX: bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))}) // a byte order mark is no JSON
	case "misp":
		report, err = events(b, opts.MISP, take)
	case "misp-galaxy":
		g, err := misp.ReadGalaxy(b)
		if err != nil {
			return format, report, err
		}
		return format, g.Report, take(Bundle{STIX: g.Bundle, Title: g.Title, Report: g.Report})
	case "csv", "text":
		report, err = list(b, format, opts, take)
	default:
		err = fmt.Errorf("there is no format %q: use %s", exchange.Clip(format), strings.Join(Formats(), ", "))
	}
	return format, report, err
}

func events(b []byte, opts misp.ToOptions, take func(Bundle) error) (exchange.Report, error) {
	var report exchange.Report
	all, err := misp.Read(b)
	if err != nil {
		return report, err
	}
	for i, e := range all {
		c, err := misp.ToSTIX(e, opts)
		if err != nil {
			return report, err
		}
		prefix := ""
		if len(all) > 1 {
			prefix = fmt.Sprintf("event %d", i)
		}
		report.Join(prefix, c.Report)
		if err := take(Bundle{STIX: c.Bundle, Event: &c, Title: e.Info(), Report: c.Report}); err != nil {
			return report, err
		}
	}
	return report, nil
}

func list(b []byte, format string, opts Options, take func(Bundle) error) (exchange.Report, error) {
	options := lists.Options{Name: opts.Name, Time: opts.Time, TLP: opts.TLP, Columns: opts.Columns}
	if opts.Format != "" {
		options.Form = format
	}
	taken := false
	report, err := lists.Read(bytes.NewReader(b), options, func(bundle []byte) error {
		taken = true
		return take(Bundle{STIX: bundle, List: true, Title: opts.Name})
	})
	if err == nil && !taken {
		first := ""
		if len(report.Losses) > 0 {
			first = ": " + report.Losses[0].Place + ": " + report.Losses[0].Why
		}
		err = errors.New("it is neither JSON (a STIX bundle, MISP events) nor a list: no line of it holds a value that could be looked for" + first)
	}
	return report, err
}

// Sniff tells a file's format by what is in it: stix, misp, misp-galaxy, or text, which a table is as well.
func Sniff(b []byte) string {
	b = bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(b) == 0 || b[0] != '{' && b[0] != '[' {
		return "text"
	}
	if b[0] == '[' && !looksLikeJSON(b) {
		return "text" // [2001:db8::1], or a defanged value
	}
	// The members that stand nearest to the beginning decide, so that a large file is not read twice.
	dec := jsontext.NewDecoder(bytes.NewReader(b), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	for range 512 {
		tok, err := dec.ReadToken()
		if err != nil {
			break
		}
		if kind, _ := dec.StackIndex(dec.StackDepth()); tok.Kind() != '"' || kind != '{' {
			continue
		}
		if dec.StackDepth() == 1 && (tok.String() == "authors" || tok.String() == "values") {
			return "misp-galaxy"
		}
		switch tok.String() {
		case "Event", "response", "Attribute", "Orgc", "threat_level_id", "info":
			return "misp"
		case "spec_version", "objects":
			return "stix"
		}
	}
	return "stix"
}

// looksLikeJSON tells whether a list's first element is an object or another list.
func looksLikeJSON(b []byte) bool {
	rest := bytes.TrimLeft(b[1:], " \t\r\n")
	return len(rest) > 0 && (rest[0] == '{' || rest[0] == ']' && len(bytes.TrimSpace(rest[1:])) == 0)
}

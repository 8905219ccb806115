package lists

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/exchange"
)

// header is the first row that Writer writes; Read knows its columns.
func header() []string {
	return []string{"type", "value", "name", "description", "indicator_id", "pattern_type", "pattern", "valid_from", "valid_until", "confidence", "labels", "tlp", "pap", "author", "agreement", "record"}
}

// Writer writes indicators as a table in CSV (RFC 4180), one row for each value. A pattern that is no plain value has a row
// with the pattern alone.
type Writer struct {
	csv    *csv.Writer
	report exchange.Report
	err    error
}

// NewWriter begins a table. Banner lines stand before it as comments.
func NewWriter(w io.Writer, banner []string) *Writer {
	for _, line := range banner {
		fmt.Fprintf(w, "# %s\n", exchange.OneLine(line))
	}
	c := &Writer{csv: csv.NewWriter(w)}
	c.err = c.csv.Write(header())
	return c
}

// Add writes an indicator's rows.
func (c *Writer) Add(in exchange.Indicator) error {
	if c.err != nil {
		return c.err
	}
	c.report.Read++
	until := ""
	if !in.Until.IsZero() {
		until = in.Until.UTC().Format(time.RFC3339)
	}
	confidence := ""
	if in.Confidence >= 0 {
		confidence = strconv.Itoa(in.Confidence)
	}
	row := func(typ, value, pattern string) {
		c.report.Made++
		c.err = c.csv.Write([]string{typ, cell(value), cell(in.Name), cell(in.Description), in.ID, cell(in.PatternType), cell(pattern), in.From.UTC().Format(time.RFC3339), until,
			confidence, cell(strings.Join(in.Labels, ";")), in.Origin.TLP, in.Origin.PAP, cell(in.Origin.Name), in.Origin.Agreement, in.Origin.Record})
	}
	for _, terms := range in.Alternatives {
		t, with, ok := exchange.Single(terms)
		if typ := rowType(t); ok && len(with) == 0 && typ != "" {
			value := t.Value
			if t.Below {
				value = "*." + value
			}
			if cell(value) != value {
				c.report.Lose(in.ID, "%s is changed so that no spreadsheet takes it for a formula", exchange.Clip(value))
			}
			row(typ, value, "")
			continue
		}
		text, err := exchange.Pattern(terms)
		if err != nil {
			c.report.Lose(in.ID, "%v", err)
			continue
		}
		row("", "", text)
	}
	if in.Inexpressible != "" {
		if strings.Contains(strings.TrimSpace(in.Pattern), "\n") {
			c.report.Lose(in.ID, "the lines of its pattern of type %s are joined: take it as STIX or MISP", exchange.Clip(in.PatternType))
		}
		row("", "", in.Pattern)
	}
	return c.err
}

// Close writes what is left, and says what became of it all.
func (c *Writer) Close() (exchange.Report, error) {
	c.csv.Flush()
	if c.err == nil {
		c.err = c.csv.Error()
	}
	return c.report, c.err
}

// rowType names the type of a value the way Read takes it; empty for what is no plain value.
func rowType(t exchange.Term) string {
	switch kind := t.Kind(); kind {
	case exchange.Address, exchange.Network:
		return "address"
	case exchange.Domain, exchange.URL, exchange.Email, exchange.JA3, exchange.JA3S, exchange.JA4, exchange.FileName, exchange.Mutex, exchange.UserAgent:
		return string(kind)
	case exchange.FileHash:
		name := strings.ToLower(strings.ReplaceAll(t.Algorithm(), "-", ""))
		for _, known := range hashTypes() {
			if name == known {
				return name
			}
		}
	}
	return ""
}

// cell keeps a spreadsheet from taking text for a formula, and other people's direction and control characters out.
func cell(s string) string {
	s = exchange.OneLine(s)
	if s != "" && strings.IndexByte("=+-@", s[0]) >= 0 {
		return "'" + s
	}
	return s
}

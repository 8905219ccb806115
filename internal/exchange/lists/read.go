package lists

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/stix"
)

// Options is what a list does not say of itself.
type Options struct {
	// Name is what the list is called; it is part of the indicators' identifiers.
	Name string
	// Time is when the indicators are made, and from when on they hold where the list does not say.
	Time time.Time
	// Until is up to when they hold; zero: without an end.
	Until time.Time
	// TLP marks every indicator; TLPNone leaves that to the record.
	TLP stix.TLP
	// Columns gives types to columns of a table, by their name in the header or their number from 1 ("2"): one of [Types], or
	// "name", "description", "confidence", "labels", "from", "until", or "skip". Columns that it does not name are guessed by
	// their header.
	Columns map[string]string
	// Form is "csv" or "text"; empty: by its looks.
	Form string
	// Objects is how many indicators one bundle holds at most; 5,000 by default.
	Objects int
}

// Bounds on one list.
const (
	maxLine    = 64 << 10
	maxEntries = 5_000_000
)

// Read reads a list and hands out bundles of indicators. Lines that are passed over are in the report. The error is that of
// the reader, of emit, or about options and bounds.
func Read(r io.Reader, opts Options, emit func(bundle []byte) error) (exchange.Report, error) {
	if opts.Objects <= 0 {
		opts.Objects = 5000
	}
	in := bufio.NewReaderSize(r, maxLine)
	if mark, err := in.Peek(3); err == nil && string(mark) == "\xef\xbb\xbf" {
		_, _ = in.Discard(3)
	}
	l := &list{opts: opts, emit: emit, seen: map[string]int{}}
	head, err := in.Peek(maxLine)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return l.report, fmt.Errorf("reading a list: %w", err)
	}
	if bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff}) {
		return l.report, errors.New("reading a list: it is UTF-16: save it as UTF-8")
	}
	comma := delimiter(head)
	switch {
	case opts.Form == "text" || opts.Form == "" && comma == 0:
		err = l.text(in)
	default:
		if comma == 0 {
			comma = ','
		}
		err = l.table(in, comma)
	}
	if err == nil {
		err = l.flush()
	}
	if err != nil {
		return l.report, fmt.Errorf("reading a list: %w", err)
	}
	return l.report, nil
}

// list is one list being read.
type list struct {
	opts   Options
	emit   func([]byte) error
	seen   map[string]int // lines by pattern
	out    []exchange.Properties
	report exchange.Report
	number int // of bundles handed out
}

// text reads one value a line. Empty lines and comments (#, ;, //) are no values; what follows a value after a blank is its
// description. A line of a hosts file is the name that it redirects.
func (l *list) text(in *bufio.Reader) error {
	for line := 1; ; line++ {
		b, err := in.ReadSlice('\n')
		long := errors.Is(err, bufio.ErrBufferFull)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = in.ReadSlice('\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		ended := err != nil
		place := "line " + strconv.Itoa(line)
		text := strings.TrimSpace(string(b))
		switch {
		case long:
			l.report.Read++
			l.report.Lose(place, "it is longer than %d bytes", maxLine)
		case text == "" || isComment(text):
		case !utf8.ValidString(text):
			l.report.Read++
			l.report.Lose(place, "it is not UTF-8")
		default:
			value, rest := cutBlank(text)
			if t, ok := address(value); ok && rest != "" && (t.Value == "0.0.0.0" || t.Value == "127.0.0.1" || t.Value == "::") {
				value, rest = cutBlank(rest)
			}
			value = strings.TrimRight(value, ",")
			if err := l.take(line, place, entry{typ: "auto", value: value, description: strings.TrimSpace(strings.TrimLeft(rest, "#;/, \t"))}); err != nil {
				return err
			}
		}
		if ended {
			return nil //nolint:nilerr // the end of the list
		}
	}
}

func isComment(s string) bool {
	return s[0] == '#' || s[0] == ';' || strings.HasPrefix(s, "//")
}

func cutBlank(s string) (first, rest string) {
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		return s[:i], strings.TrimSpace(s[i:])
	}
	return s, ""
}

// entry is one value with what the list says of it.
type entry struct {
	typ, value        string
	name, description string
	labels            []string
	confidence        string
	from, until       string
}

// take makes an indicator of an entry.
func (l *list) take(line int, place string, e entry) error {
	if l.report.Read++; l.report.Read > maxEntries {
		return fmt.Errorf("it has more than %d values: split it", maxEntries)
	}
	t, why := Given(e.typ, e.value)
	if why != "" {
		l.report.Lose(place, "%s: %s", exchange.Clip(e.value), why)
		return nil
	}
	text, err := exchange.Pattern([]exchange.Term{t})
	if err != nil {
		l.report.Lose(place, "%s: it cannot be written as a pattern", exchange.Clip(e.value))
		return nil //nolint:nilerr // one bad value is told and does not stop the rest
	}
	if first, twice := l.seen[text]; twice {
		l.report.Lose(place, "%s: line %d has it already", exchange.Clip(e.value), first)
		return nil
	}
	p, why := l.indicator(t, text, e)
	if why != "" {
		l.report.Lose(place, "%s: %s", exchange.Clip(e.value), why)
		return nil
	}
	l.seen[text] = line
	l.report.Made++
	l.out = append(l.out, p)
	if len(l.out) >= l.opts.Objects {
		return l.flush()
	}
	return nil
}

func (l *list) indicator(t exchange.Term, text string, e entry) (p exchange.Properties, why string) {
	at := stix.FormatTimestamp(l.opts.Time)
	p = exchange.Properties{"type": "indicator", "spec_version": "2.1", "id": "indicator--" + exchange.UUID("list", l.opts.Name, text), "created": at, "modified": at,
		"name": t.Value, "pattern": text, "pattern_type": "stix", "valid_from": at, "indicator_types": []string{"unknown"}}
	if t.Below {
		p["name"] = "*." + t.Value
	}
	if e.name != "" {
		p["name"] = e.name
	}
	if e.description != "" {
		p["description"] = e.description
	}
	if len(e.labels) > 0 {
		p["labels"] = e.labels
	}
	if l.opts.TLP != stix.TLPNone {
		p["object_marking_refs"] = []string{l.opts.TLP.MarkingID()}
	}
	from, until := l.opts.Time, l.opts.Until
	var ok bool
	if e.from != "" {
		if from, ok = moment(e.from); !ok {
			return nil, "from when on it holds is no time: " + exchange.Clip(e.from)
		}
		p["valid_from"] = stix.FormatTimestamp(from)
	}
	if e.until != "" {
		if until, ok = moment(e.until); !ok {
			return nil, "up to when it holds is no time: " + exchange.Clip(e.until)
		}
	}
	if !until.IsZero() {
		if !until.After(from) {
			return nil, "it ends before it begins to hold"
		}
		p["valid_until"] = stix.FormatTimestamp(until)
	}
	if e.confidence != "" {
		n, err := strconv.Atoi(strings.TrimSuffix(e.confidence, "%"))
		if err != nil || n < 0 || n > 100 {
			return nil, "its confidence is no number from 0 to 100: " + exchange.Clip(e.confidence)
		}
		p["confidence"] = n
	}
	return p, ""
}

// moment reads a time as tables write it: ISO 8601, with or without a time of day, or seconds since 1970.
func moment(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", time.DateOnly, "2006-01-02 15:04:05 MST"} {
		if at, err := time.Parse(layout, s); err == nil && at.Year() >= 1970 && at.Year() < 9999 {
			return at.UTC(), true
		}
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > 0 && n < 1<<37 {
		return time.Unix(n, 0).UTC(), true
	}
	return time.Time{}, false
}

// flush hands out a bundle of what was made.
func (l *list) flush() error {
	if len(l.out) == 0 {
		return nil
	}
	var b bytes.Buffer
	l.number++
	fmt.Fprintf(&b, `{"type":"bundle","id":"bundle--%s","objects":[`, exchange.UUID("list", l.opts.Name, stix.FormatTimestamp(l.opts.Time), strconv.Itoa(l.number)))
	for i, p := range l.out {
		raw, err := p.Encode()
		if err != nil {
			return err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(raw)
	}
	if l.opts.TLP != stix.TLPNone {
		b.WriteByte(',')
		b.Write(l.opts.TLP.MarkingDefinition())
	}
	b.WriteString("]}")
	l.out = l.out[:0]
	return l.emit(b.Bytes())
}

// delimiter tells what separates the columns of a table: what stands equally often in each of its first lines; 0 when it
// does not look like a table.
func delimiter(head []byte) rune {
	if i := bytes.LastIndexByte(head, '\n'); i > 0 && len(head) >= maxLine {
		head = head[:i] // the last line may be cut
	}
	var lines []string
	for line := range strings.Lines(string(head)) {
		if line = strings.TrimSpace(line); line != "" && !isComment(line) && len(lines) < 20 {
			lines = append(lines, line)
		}
	}
	for _, comma := range "\t;,|" {
		if columnsOf(strings.Join(lines, "\n"), comma) > 1 {
			return comma
		}
	}
	return 0
}

// columnsOf is how many columns every row has, when it is the same number; else 0.
func columnsOf(text string, comma rune) int {
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = comma, true, -1
	count := 0
	for {
		row, err := r.Read()
		switch {
		case err != nil:
			return count
		case count != 0 && len(row) != count:
			return 0
		}
		count = len(row)
	}
}

package logs

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/mithaq/mithaq/internal/detect/event"
)

// Options says how to read. The zero value is good.
type Options struct {
	// Mapping says what the fields of JSON lines are that are neither Zeek's nor EVE's; nil leaves such lines alone.
	Mapping *Mapping
	// Malformed is told of each line that cannot be read.
	Malformed func(Malformed)
}

// Malformed is a line, or an object, that could not be read.
type Malformed struct {
	File string
	Line int64
	Kind string
}

// String tells a person where and what.
func (m Malformed) String() string { return fmt.Sprintf("%s:%d: %s", m.File, m.Line, m.Kind) }

// Stats is what was read of one input.
type Stats struct {
	Format    string           `json:"format"`
	Lines     int64            `json:"lines"`
	Bytes     int64            `json:"bytes"`
	Events    int64            `json:"events"`
	Malformed map[string]int64 `json:"malformed,omitempty"`
}

// ErrUnknown means that an input is no log that can be read.
var ErrUnknown = errors.New("neither a Zeek log, Suricata EVE, STIX nor JSON lines with a mapping")

// maxLine is the longest line in bytes; longer ones are counted and passed over.
const maxLine = 4 << 20

// lineReader is one format.
type lineReader interface {
	// line reads a line into an event that is empty; the problem is "" when it could.
	line(ev *event.Event, line []byte) (problem string)
}

// Read finds out the format of r, which is not compressed, by its first bytes and calls yield for every event. The
// event is valid during the call. The error is ErrUnknown, that of ctx, or of reading; the Stats are right with one,
// too.
func Read(ctx context.Context, name string, r *bufio.Reader, opts Options, yield func(*event.Event)) (Stats, error) {
	in := &input{name: name, r: r, opts: opts, yield: yield, stats: Stats{Malformed: map[string]int64{}}}
	in.event.File = name
	head, err := r.Peek(min(r.Size(), 1<<14))
	if err != nil && !errors.Is(err, io.EOF) {
		return in.stats, fmt.Errorf("reading %s: %w", name, err)
	}
	format, reader := in.detect(head)
	in.event.Format, in.stats.Format = format, format
	switch format {
	case "":
		return in.stats, fmt.Errorf("reading %s: %w", name, ErrUnknown)
	case "stix":
		err = in.observed(ctx)
	default:
		err = in.lines(ctx, reader)
	}
	if err != nil {
		return in.stats, fmt.Errorf("reading %s: %w", name, err)
	}
	return in.stats, nil
}

type input struct {
	name  string
	r     *bufio.Reader
	opts  Options
	yield func(*event.Event)
	event event.Event
	stats Stats
	long  []byte
}

// detect tells the format by the beginning of an input. An empty one is a log without lines.
func (in *input) detect(head []byte) (format string, r lineReader) {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	log := logOf(in.name)
	switch {
	case len(head) == 0:
		return "empty", newZeekTSV(log)
	case bytes.HasPrefix(head, []byte("#separator")) || bytes.HasPrefix(head, []byte("#fields")) || bytes.HasPrefix(head, []byte("#set_separator")):
		return "zeek-tsv", newZeekTSV(log)
	}
	has := func(b []byte, name string) bool { return bytes.Contains(b, []byte(`"`+name+`"`)) }
	// A broken first line must not hide what the others are.
	for line := range bytes.Lines(head) {
		switch {
		case line[0] != '{':
		case has(line, "event_type"):
			return "eve", newEVE()
		case has(line, "_path") || has(line, "id.orig_h") || has(line, "ts"):
			return "zeek-json", newZeekJSON(log)
		}
	}
	switch {
	case has(head, "bundle") || has(head, "observed-data") || has(head, "spec_version"):
		return "stix", nil
	case in.opts.Mapping != nil:
		return "json", in.opts.Mapping.reader(log)
	}
	return "", nil
}

// logOf gives a log's name by its file's: dns for dns.log, dns.09:00:00-10:00:00.log.gz and conn.json.
func logOf(name string) string {
	base := path.Base(strings.ReplaceAll(name, `\`, "/"))
	log, _, _ := strings.Cut(base, ".")
	return log
}

// readLine gives the next line without its end; long says that it is longer than what is taken.
func (in *input) readLine() (line []byte, long bool, err error) {
	line, err = in.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		in.long = append(in.long[:0], line...)
		in.stats.Bytes += int64(len(line))
		for errors.Is(err, bufio.ErrBufferFull) {
			line, err = in.r.ReadSlice('\n')
			in.stats.Bytes += int64(len(line))
			if len(in.long) <= maxLine {
				in.long = append(in.long, line...)
			}
		}
		line, long = in.long, len(in.long) > maxLine
	} else {
		in.stats.Bytes += int64(len(line))
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), long, err
}

func (in *input) lines(ctx context.Context, r lineReader) error {
	tsv, isTSV := r.(*zeekTSV)
	for {
		if in.stats.Lines&0xfff == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		line, long, err := in.readLine()
		if err != nil && !errors.Is(err, io.EOF) {
			in.malformed("read-error")
			return err
		}
		if len(line) > 0 || err == nil {
			in.stats.Lines++
			switch {
			case long:
				in.malformed("line-too-long")
			case len(line) == 0:
			case isTSV && line[0] == '#':
				tsv.head(line)
			default:
				in.take(r, line)
			}
		}
		if err != nil { // the end: any other error has been returned
			return nil //nolint:nilerr // io.EOF is how reading ends
		}
	}
}

// take reads one line and hands its event on.
func (in *input) take(r lineReader, line []byte) {
	ev := &in.event
	ev.Reset()
	ev.Line = in.stats.Lines
	if problem := r.line(ev, line); problem != "" {
		in.malformed(problem)
		return
	}
	in.stats.Events++
	in.yield(ev)
}

func (in *input) malformed(kind string) {
	in.stats.Malformed[kind]++
	if in.opts.Malformed != nil {
		in.opts.Malformed(Malformed{File: in.name, Line: in.stats.Lines, Kind: kind})
	}
}

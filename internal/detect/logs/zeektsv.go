package logs

import (
	"bytes"
	"encoding/hex"
	"strings"

	"github.com/mithaq/mithaq/internal/detect/event"
)

// zeekTSV reads Zeek's own log format: head lines that begin with #, then fields between separators.
type zeekTSV struct {
	separator    byte
	setSeparator []byte
	empty, unset []byte
	log          string
	fields       []field
	room         []byte // where values with escapes are put together
	escapes      bool   // whether there are any in the line
}

func newZeekTSV(log string) *zeekTSV {
	return &zeekTSV{separator: '\t', setSeparator: []byte(","), empty: []byte("(empty)"), unset: []byte("-"), log: log}
}

// head takes a head line.
func (z *zeekTSV) head(line []byte) {
	name, rest, _ := bytes.Cut(line, []byte{z.separator})
	if bytes.HasPrefix(line, []byte("#separator ")) {
		if sep := unescape(nil, line[len("#separator "):]); len(sep) == 1 {
			z.separator = sep[0]
		}
		return
	}
	switch string(name) {
	case "#set_separator":
		if len(rest) > 0 {
			z.setSeparator = bytes.Clone(rest)
		}
	case "#empty_field":
		z.empty = bytes.Clone(rest)
	case "#unset_field":
		z.unset = bytes.Clone(rest)
	case "#path":
		z.log = string(rest)
	case "#fields":
		z.fields = z.fields[:0]
		for _, f := range strings.Split(string(rest), string(z.separator)) {
			z.fields = append(z.fields, zeekField(z.log, f))
		}
	}
}

// line reads one line into the event. The problem is empty when it could.
func (z *zeekTSV) line(ev *event.Event, line []byte) (problem string) {
	if len(z.fields) == 0 {
		return "no-fields"
	}
	z.room, z.escapes = z.room[:0], bytes.IndexByte(line, '\\') >= 0
	ev.Log = z.log
	var q request
	n := 0
	for ; n < len(z.fields); n++ {
		text := line
		end := firstOf(line, z.separator)
		if end >= 0 {
			text = line[:end]
		}
		if f := &z.fields[n]; f.role != ignored && !bytes.Equal(text, z.unset) && !bytes.Equal(text, z.empty) {
			z.value(f, ev, &q, text)
		}
		if end < 0 {
			n++
			line = nil
			break
		}
		line = line[end+1:]
	}
	if n != len(z.fields) || line != nil {
		return "wrong-field-count"
	}
	q.finish(ev)
	return ""
}

// value takes one field, which may be a set or vector.
func (z *zeekTSV) value(f *field, ev *event.Event, q *request, text []byte) {
	if f.single() {
		f.take(ev, q, z.plain(text))
		return
	}
	for len(text) > 0 {
		part := text
		if i := bytes.Index(text, z.setSeparator); i >= 0 {
			part, text = text[:i], text[i+len(z.setSeparator):]
		} else {
			text = nil
		}
		f.take(ev, q, z.plain(part))
	}
}

// single tells whether a comma in the field's value is part of it.
func (f *field) single() bool {
	switch f.role {
	case uri, url, userAgent, httpHost, mailboxes, timeOf, uidOf, srcAddr, dstAddr, certSubject, certIssuer:
		return true
	case hostName:
		return f.name != "answers" && f.name != "san.dns"
	}
	return false
}

// plain undoes \x escapes.
func (z *zeekTSV) plain(text []byte) []byte {
	if !z.escapes || bytes.IndexByte(text, '\\') < 0 {
		return text
	}
	begin := len(z.room)
	z.room = unescape(z.room, text)
	return z.room[begin:]
}

// unescape appends text with \xHH and \\ undone.
func unescape(dst, text []byte) []byte {
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			if text[i+1] == 'x' && i+3 < len(text) {
				var b [1]byte
				if _, err := hex.Decode(b[:], text[i+2:i+4]); err == nil {
					dst = append(dst, b[0])
					i += 3
					continue
				}
			}
			if text[i+1] == '\\' {
				i++
			}
		}
		dst = append(dst, text[i])
	}
	return dst
}

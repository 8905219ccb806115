package logs

import (
	"github.com/mithaq/mithaq/internal/detect/event"
)

// zeekJSON reads Zeek's JSON lines, with or without _path.
type zeekJSON struct {
	fallback string // the log's name when lines do not give one
	logs     map[string]map[string]field
	logNames map[string]string
	cursor   cursor
}

func newZeekJSON(log string) *zeekJSON {
	return &zeekJSON{fallback: log, logs: map[string]map[string]field{}, logNames: map[string]string{}}
}

// maxLogs bounds how many names of logs and fields are remembered: a hostile file can make up any number.
const maxLogs = 1024

// intern gives a name as a string without allocating for names seen before.
func (z *zeekJSON) intern(b []byte) string {
	if s, ok := z.logNames[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(z.logNames) < maxLogs {
		z.logNames[s] = s
	}
	return s
}

func (z *zeekJSON) field(fields map[string]field, log string, name []byte) field {
	if f, ok := fields[string(name)]; ok {
		return f
	}
	f := zeekField(log, string(name))
	if len(fields) < maxLogs {
		fields[f.name] = f
	}
	return f
}

func (z *zeekJSON) line(ev *event.Event, line []byte) (problem string) {
	c := &z.cursor
	*c = cursor{b: line, room: c.room[:0]}
	ev.Log = z.fallback
	fields := z.of(ev.Log)
	var q request
	for first := true; ; first = false {
		name, ok := c.key(first)
		if !ok {
			break
		}
		f := z.field(fields, ev.Log, name)
		switch {
		case f.role == ignored:
			c.skip()
		case f.role == logName:
			if text := c.scalar(); len(text) > 0 {
				ev.Log = z.intern(text)
				fields = z.of(ev.Log)
			}
		default:
			z.value(&f, ev, &q)
		}
	}
	if c.bad {
		return "bad-json"
	}
	q.finish(ev)
	return ""
}

func (z *zeekJSON) of(log string) map[string]field {
	fields, ok := z.logs[log]
	if !ok {
		fields = map[string]field{}
		if len(z.logs) < maxLogs {
			z.logs[log] = fields
		}
	}
	return fields
}

// value takes a scalar, or each of a list.
func (z *zeekJSON) value(f *field, ev *event.Event, q *request) {
	c := &z.cursor
	if c.peek() != '[' {
		if text := c.scalar(); text != nil {
			f.take(ev, q, text)
		}
		return
	}
	for first := true; c.element(first); first = false {
		if text := c.scalar(); text != nil {
			f.take(ev, q, text)
		}
	}
}

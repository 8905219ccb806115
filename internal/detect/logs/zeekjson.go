package logs

import (
	"github.com/mithaq/mithaq/internal/detect/event"
)

// zeekJSON reads Zeek's JSON lines, with or without _path.
type zeekJSON struct {
	fallback string // the log's name when lines do not give one
	logs     map[string]*object
	names    names
	cursor   cursor
}

func newZeekJSON(log string) *zeekJSON {
	return &zeekJSON{fallback: log, logs: map[string]*object{}, names: names{}}
}

// maxLogs bounds how many names of logs and fields are remembered: a hostile file can make up any number.
const maxLogs = 1024

// names gives texts as strings without allocating for those seen before.
type names map[string]string

func (n names) of(b []byte) string {
	if s, ok := n[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(n) < maxLogs {
		n[s] = s
	}
	return s
}

func (z *zeekJSON) line(ev *event.Event, line []byte) (problem string) {
	c := &z.cursor
	*c = cursor{b: line, room: c.room[:0]}
	ev.Log = z.fallback
	fields := z.of(ev.Log)
	var q request
	for m := c.wanted(fields, nil); m != nil; m = c.wanted(fields, m) {
		if m.field.role != logName {
			z.value(&m.field, ev, &q)
			continue
		}
		if text := c.scalar(); len(text) > 0 && string(text) != ev.Log {
			ev.Log = z.names.of(text)
			fields = z.of(ev.Log)
			m = fields.find([]byte(m.field.name))
		}
	}
	if c.bad {
		return "bad-json"
	}
	q.finish(ev)
	return ""
}

// of gives what is known of a log's fields.
func (z *zeekJSON) of(log string) *object {
	fields, ok := z.logs[log]
	if !ok {
		fields = newObject(func(name string) *member { return newMember(name, zeekField(log, name), nil) })
		if len(z.logs) < maxLogs {
			z.logs[log] = fields
		}
	}
	return fields
}

// value takes a scalar, or each of a list.
func (z *zeekJSON) value(f *field, ev *event.Event, q *request) {
	c := &z.cursor
	if c.at('"') || c.peek() != '[' {
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

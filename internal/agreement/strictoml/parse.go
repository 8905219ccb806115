package strictoml

import (
	"bytes"
	"errors"
	"sort"
	"strconv"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// MaxBytes is the largest file that is read.
const MaxBytes = 1 << 20

type kind int

const (
	kindString kind = iota
	kindInt
	kindBool
	kindArray
	kindTable
	kindOther
)

func (k kind) String() string {
	return [...]string{"text", "a whole number", "true or false", "a list", "a table", "a value of another kind"}[k]
}

type value struct {
	pos    Pos
	kind   kind
	text   string
	number int64
	truth  bool
	items  []*value
	table  *Table
}

// Parse reads a file into tables. The problems of TOML itself stop it; what the tables mean is for the caller,
// who reports to the same log and asks it for the error at the end. The returned table is nil when parsing stopped.
func Parse(file string, data []byte, log *Log) *Table {
	b := &builder{file: file, data: data, log: log}
	if !b.acceptable() {
		return nil
	}
	b.lines = lineStarts(data)
	if at := deepest(data); at >= 0 {
		log.Add(b.at(at), "write the values one below the other, each under its own [[section]]", "brackets nest deeper than %d levels", maxNesting)
		return nil
	}
	if !b.shortKeys() || !b.valid() {
		return nil
	}
	return b.build()
}

type builder struct {
	file  string
	data  []byte
	lines []int
	log   *Log
	p     unstable.Parser
}

func (b *builder) acceptable() bool {
	start := Pos{File: b.file, Line: 1, Column: 1}
	switch {
	case len(b.data) > MaxBytes:
		b.log.Add(start, "move long texts out of the file and name them by their hash", "the file has %d bytes, more than %d", len(b.data), MaxBytes)
		return false
	case !utf8.Valid(b.data):
		b.lines = lineStarts(b.data)
		b.log.Add(b.at(firstInvalid(b.data)), "save the file as UTF-8", "the bytes are not UTF-8")
		return false
	case bytes.HasPrefix(b.data, []byte("\ufeff")):
		b.log.Add(start, "save the file as UTF-8 without a byte order mark", "the file begins with a byte order mark")
		return false
	}
	return true
}

// shortKeys walks the expressions once and refuses dotted keys that later passes would recurse on, and more keys in
// one table or more different sections than the library, whose work grows with their square, should be given.
func (b *builder) shortKeys() bool {
	b.p.Reset(b.data)
	sections := map[string]bool{}
	keys := 0
	for b.p.NextExpression() {
		e := b.p.Expression()
		if e.Kind != unstable.KeyValue && e.Kind != unstable.Table && e.Kind != unstable.ArrayTable {
			continue
		}
		if !b.shortKey(e) {
			return false
		}
		name, at := "", 0
		for it := e.Key(); it.Next(); {
			at = int(it.Node().Raw.Offset)
			if e.Kind != unstable.KeyValue {
				name += strconv.Quote(string(it.Node().Data)) + "."
			}
		}
		if e.Kind == unstable.KeyValue {
			keys++
		} else {
			keys = 0
			sections[name] = true
		}
		if keys > maxKeys || len(sections) > maxKeys {
			b.log.Add(b.at(at), "remove what no reader asks for", "more than %d keys or kinds of sections", maxKeys)
			return false
		}
	}
	// A syntax error is reported by valid, with the library's own words.
	return true
}

func (b *builder) shortKey(e *unstable.Node) bool {
	parts := 0
	for it := e.Key(); it.Next(); {
		if parts++; parts > maxKeyParts {
			b.log.Add(b.at(int(it.Node().Raw.Offset)), "use fewer dots", "a key has more than %d parts", maxKeyParts)
			return false
		}
	}
	if e.Kind == unstable.KeyValue {
		return b.shortKeysIn(e.Value())
	}
	return true
}

func (b *builder) shortKeysIn(n *unstable.Node) bool {
	if n.Kind != unstable.Array && n.Kind != unstable.InlineTable {
		return true
	}
	keys := 0
	for it := n.Children(); it.Next(); {
		c := it.Node()
		if c.Kind == unstable.KeyValue {
			if keys++; keys > maxKeys {
				key := c.Key()
				key.Next()
				b.log.Add(b.at(int(key.Node().Raw.Offset)), "remove what no reader asks for", "more than %d keys in one table", maxKeys)
				return false
			}
			if !b.shortKey(c) {
				return false
			}
		} else if !b.shortKeysIn(c) {
			return false
		}
	}
	return true
}

// valid lets the library decode the file once, which finds what the grammar alone does not: keys and tables defined twice.
func (b *builder) valid() bool {
	var whole map[string]any
	err := toml.Unmarshal(b.data, &whole)
	if err == nil {
		return true
	}
	var de *toml.DecodeError
	if errors.As(err, &de) {
		line, column := de.Position()
		b.log.Add(Pos{b.file, line, column}, "correct the TOML here: see toml.io", "%s", trimPrefix(de.Error()))
		return false
	}
	b.log.Add(b.definedTwice(), "keep one of the two", "%s", trimPrefix(err.Error()))
	return false
}

func trimPrefix(s string) string {
	const prefix = "toml: "
	if len(s) > len(prefix) && s[:len(prefix)] == prefix {
		return s[len(prefix):]
	}
	return s
}

// definedTwice finds the first key that repeats another, for the errors to which the library gives no place.
func (b *builder) definedTwice() Pos {
	b.p.Reset(b.data)
	seen := map[string]bool{}
	prefix := ""
	last := 0
	for b.p.NextExpression() {
		e := b.p.Expression()
		if e.Kind == unstable.Comment {
			continue
		}
		key, at := "", -1
		for it := e.Key(); it.Next(); {
			if at < 0 {
				at = int(it.Node().Raw.Offset)
			}
			key += strconv.Quote(string(it.Node().Data)) + "."
		}
		last = at
		switch e.Kind {
		case unstable.ArrayTable:
			prefix = key + strconv.Itoa(at)
			continue
		case unstable.Table:
			prefix = key
		case unstable.KeyValue:
			key = prefix + key
		}
		if seen[key] {
			return b.at(at)
		}
		seen[key] = true
	}
	return b.at(last)
}

// build makes the tables. The file is known to be valid TOML, so a shape that cannot be is skipped silently.
func (b *builder) build() *Table {
	root := &Table{pos: b.at(0), log: b.log, entries: map[string]*value{}}
	current := root
	b.p.Reset(b.data)
	for b.p.NextExpression() {
		e := b.p.Expression()
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			current = b.header(root, e)
		case unstable.KeyValue:
			b.assign(current, e)
		}
	}
	return root
}

func (b *builder) header(root *Table, e *unstable.Node) *Table {
	t := root
	for it := e.Key(); it.Next(); {
		key, pos := string(it.Node().Data), b.at(int(it.Node().Raw.Offset))
		last := it.Node().Next() == nil || !it.Node().Next().Valid()
		v := t.entries[key]
		if v == nil {
			v = t.put(key, &value{pos: pos, kind: kindTable})
			if last && e.Kind == unstable.ArrayTable {
				v.kind = kindArray
			} else {
				v.table = b.empty(pos)
			}
		}
		if v.kind == kindArray {
			if last && e.Kind == unstable.ArrayTable {
				v.items = append(v.items, &value{pos: pos, kind: kindTable, table: b.empty(pos)})
			}
			if len(v.items) == 0 {
				return b.empty(pos)
			}
			v = v.items[len(v.items)-1]
		}
		if v.table == nil {
			return b.empty(pos)
		}
		t = v.table
	}
	return t
}

func (b *builder) empty(pos Pos) *Table {
	return &Table{pos: pos, log: b.log, entries: map[string]*value{}}
}

func (b *builder) assign(t *Table, e *unstable.Node) {
	it := e.Key()
	if !it.Next() {
		return
	}
	for {
		key, pos := string(it.Node().Data), b.at(int(it.Node().Raw.Offset))
		if !it.Next() {
			t.put(key, b.value(e.Value(), pos))
			return
		}
		v := t.entries[key]
		if v == nil {
			v = t.put(key, &value{pos: pos, kind: kindTable, table: b.empty(pos)})
		}
		if v.table == nil {
			return
		}
		t = v.table
	}
}

func (b *builder) value(n *unstable.Node, pos Pos) *value {
	if n.Raw.Length > 0 {
		pos = b.at(int(n.Raw.Offset))
	}
	v := &value{pos: pos, text: string(n.Data)}
	switch n.Kind {
	case unstable.String:
		v.kind = kindString
	case unstable.LocalDate:
		v.kind = kindString
	case unstable.Bool:
		v.kind, v.truth = kindBool, v.text == "true"
	case unstable.Integer:
		number, err := strconv.ParseInt(v.text, 0, 64)
		if err != nil {
			v.kind = kindOther
			break
		}
		v.kind, v.number = kindInt, number
	case unstable.Array:
		v.kind = kindArray
		for it := n.Children(); it.Next(); {
			v.items = append(v.items, b.value(it.Node(), pos))
		}
	case unstable.InlineTable:
		v.kind, v.table = kindTable, b.empty(pos)
		for it := n.Children(); it.Next(); {
			if it.Node().Kind == unstable.KeyValue {
				b.assign(v.table, it.Node())
			}
		}
	default:
		v.kind = kindOther
	}
	return v
}

func (b *builder) at(offset int) Pos {
	if len(b.lines) == 0 {
		return Pos{b.file, 1, 1}
	}
	line := sort.SearchInts(b.lines, offset+1)
	return Pos{b.file, line, offset - b.lines[line-1] + 1}
}

func lineStarts(data []byte) []int {
	starts := []int{0}
	for i, c := range data {
		if c == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}

func firstInvalid(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return 0
}

package stix

import (
	"math"
	"sync"
)

// between is the text of a string that str found.
func (p *parser) between(start, end int, escaped bool) []byte {
	if escaped {
		return p.decoded[start:end]
	}
	return p.src[start:end]
}

// inBundle says whether the outermost object, of which the members up to pos are read, is a bundle. The type may come
// after the objects, hence the look ahead.
func (p *parser) inBundle(self, pos int) bool {
	for i := self + 1; i < len(p.nodes); i = int(p.nodes[i].next) {
		if string(p.key(int32(i))) == "type" {
			return p.nodes[i].kind == isString && string(p.text(int32(i))) == "bundle"
		}
	}
	var ahead scanner
	for pos = ahead.skip(p.src, pos); pos >= 0; {
		if pos = skipSpace(p.src, pos); pos >= len(p.src) || p.src[pos] != ',' {
			return false
		}
		key := skipSpace(p.src, pos+1)
		if key >= len(p.src) || p.src[key] != '"' {
			return false
		}
		end := ahead.skip(p.src, key)
		if end < 0 {
			return false
		}
		value := skipSpace(p.src, end)
		if value >= len(p.src) || p.src[value] != ':' {
			return false
		}
		value = skipSpace(p.src, value+1)
		if pos = ahead.skip(p.src, value); pos >= 0 && string(p.src[key:end]) == `"type"` {
			return string(p.src[value:pos]) == `"bundle"`
		}
	}
	return false
}

// scanner finds the end of a JSON value without reading it. It can stop at the end of the bytes at hand and go on when
// there are more; that a value is well formed is for the parser to say.
type scanner struct {
	depth  int
	quoted bool
	begun  bool // inside a number or a literal
	at     int  // how far it got
}

// skip returns the position after the value at pos, or -1 when src ends before it does.
func (s *scanner) skip(src []byte, pos int) int {
	*s = scanner{at: pos}
	return s.more(src, true)
}

// more goes on from where the scanner got to. final says that no more bytes will come.
func (s *scanner) more(src []byte, final bool) int {
	for i := s.at; i < len(src); i++ {
		c := src[i]
		if s.quoted {
			for i < len(src) && plain[src[i]] {
				i++
			}
			if i >= len(src) {
				s.at = i
				return -1
			}
			switch src[i] {
			case '\\':
				if i+1 >= len(src) {
					s.at = i
					return -1
				}
				i++
			case '"':
				s.quoted = false
				if s.depth == 0 {
					return i + 1
				}
			}
			continue
		}
		switch c {
		case '"':
			if s.begun {
				return i
			}
			s.quoted = true
		case '{', '[':
			if s.begun {
				return i
			}
			s.depth++
		case '}', ']':
			if s.depth == 0 {
				return i
			}
			if s.depth--; s.depth == 0 {
				return i + 1
			}
		case ',', ':', ' ', '\n', '\r', '\t':
			if s.depth == 0 {
				return i
			}
		default:
			s.begun = s.depth == 0
		}
	}
	s.at = len(src)
	if final && s.begun && s.depth == 0 {
		return len(src)
	}
	return -1
}

// form is what a document is at its outermost level.
type form uint8

const (
	formObject form = iota
	formBundle
	formList
)

// reader walks a document in memory: the objects of a bundle or a list one after the other through one tape, and what
// is around them in another.
type reader struct {
	head    tape // the bundle without its objects, or the single object
	element tape
	form    form
}

var readers = sync.Pool{New: func() any { return new(reader) }}

// release gives the reader's memory back for the next document, unless it grew beyond what is worth keeping.
func (r *reader) release() {
	if cap(r.head.nodes)+cap(r.element.nodes) > 1<<18 || cap(r.head.decoded)+cap(r.element.decoded) > 1<<22 {
		return
	}
	r.head.src, r.element.src = nil, nil
	readers.Put(r)
}

// read walks src and calls each for every object: with its index (-1 for a single object), its tape and its span, or
// with the reason why it cannot be read. It returns an error where the document as a whole cannot be read.
func (r *reader) read(src []byte, limits Limits, each func(index int, t *tape, start, end int, err *UnreadableError) bool) *UnreadableError {
	limits = limits.orDefaults()
	r.form = formObject
	r.head.src, r.head.limits = src, limits
	r.head.nodes, r.head.decoded = r.head.nodes[:0], r.head.decoded[:0]
	if len(src) > math.MaxUint32-16 {
		return &UnreadableError{Reason: TooLarge, Detail: "read it as a stream"}
	}
	if len(src) >= 3 && string(src[:3]) == "\xef\xbb\xbf" {
		return (&UnreadableError{Reason: NotJSON, Detail: "a byte order mark"}).locate(src)
	}
	start := skipSpace(src, 0)
	p := parser{tape: &r.head}
	if start >= len(src) || src[start] != '{' && src[start] != '[' {
		p.fail(NotJSON, start, "expected an object")
		return p.err.locate(src)
	}
	elements := func(p *parser, pos int) (int, int32) { return r.list(p, pos, limits, each) }
	var end int
	if src[start] == '[' {
		r.form = formList
		end, _ = elements(&p, start)
	} else {
		p.elements = func(p *parser, pos int) (int, int32) {
			r.form = formBundle
			return elements(p, pos)
		}
		end = p.value(start, 0)
	}
	if p.err != nil {
		return p.err.locate(src)
	}
	if end < 0 { // each had enough
		return nil
	}
	if rest := skipSpace(src, end); rest < len(src) {
		p.fail(NotJSON, rest, "more bytes after the end")
		return p.err.locate(src)
	}
	if r.form != formObject {
		return nil
	}
	if string(r.head.stringMember(0, "type")) == "bundle" { // a bundle without a list of objects
		r.form = formBundle
		return nil
	}
	if end-start > limits.MaxObject {
		p.fail(TooLarge, start, "")
		return p.err.locate(src)
	}
	each(-1, &r.head, start, end, nil)
	return nil
}

func (r *reader) list(p *parser, pos int, limits Limits, each func(int, *tape, int, int, *UnreadableError) bool) (end int, count int32) {
	src := p.src
	pos = skipSpace(src, pos+1)
	if pos < len(src) && src[pos] == ']' {
		return pos + 1, 0
	}
	for {
		start := pos
		end, err := r.element.parse(src, pos, limits)
		if err == nil && end-start > limits.MaxObject {
			err = &UnreadableError{Reason: TooLarge, Offset: int64(start)}
		}
		if err != nil {
			err = err.locate(src)
			var skip scanner
			if end = skip.skip(src, start); err.Reason == NotJSON || end < 0 {
				p.err = err
				return -1, count
			}
		}
		if !each(int(count), &r.element, start, end, err) {
			return -1, count
		}
		count++
		pos = skipSpace(src, end)
		if pos >= len(src) {
			return p.fail(NotJSON, pos, "a list is not closed"), count
		}
		switch src[pos] {
		case ',':
			pos = skipSpace(src, pos+1)
		case ']':
			return pos + 1, count
		default:
			return p.fail(NotJSON, pos, "expected a comma or ] in a list"), count
		}
	}
}

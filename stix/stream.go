package stix

import (
	"errors"
	"io"
	"iter"
)

// Objects reads the objects of a bundle, of a plain list, or a single object from r, one at a time: memory is bounded by
// the largest object, not by the bundle. Each Raw is the caller's own.
//
// An error with an Object is about that object alone (a duplicate key, say): Raw and Offset are set, and going on is
// safe. An error without one ends the sequence; it is an *UnreadableError, or what r returned.
func Objects(r io.Reader, limits Limits) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		s := stream{r: r, limits: limits.orDefaults(), yield: yield}
		if err := s.run(); err != nil && !errors.Is(err, errStopped) {
			yield(Object{}, err)
		}
	}
}

var errStopped = errors.New("the caller stopped")

type stream struct {
	r      io.Reader
	limits Limits
	yield  func(Object, error) bool
	buf    []byte
	base   int64 // offset of buf[0] in the input
	pos    int   // in buf
	ended  bool
	tape   tape
}

func (s *stream) fail(reason Reason, detail string) error {
	return &UnreadableError{Reason: reason, Offset: s.base + int64(s.pos), Detail: detail}
}

// fill reads more bytes; false at the end of the input.
func (s *stream) fill() (bool, error) {
	if s.ended {
		return false, nil
	}
	if len(s.buf)-s.pos >= s.limits.MaxObject+1<<16 {
		return false, s.fail(TooLarge, "")
	}
	if cap(s.buf)-len(s.buf) < 1<<15 {
		s.buf = append(make([]byte, 0, 2*cap(s.buf)+1<<16), s.buf...)
	}
	for range 100 {
		n, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf = s.buf[:len(s.buf)+n]
		if err != nil && err != io.EOF {
			return false, err
		}
		s.ended = err == io.EOF
		if n > 0 || s.ended {
			return n > 0, nil
		}
	}
	return false, io.ErrNoProgress
}

// drop forgets what was consumed.
func (s *stream) drop() {
	if s.pos < len(s.buf)/2 { // each byte is moved once at most, whatever the size of the buffer
		return
	}
	s.base += int64(s.pos)
	s.buf = s.buf[:copy(s.buf, s.buf[s.pos:])]
	s.pos = 0
}

// peek is the next byte that is not white space; 0 at the end.
func (s *stream) peek() (byte, error) {
	for {
		if s.pos = skipSpace(s.buf, s.pos); s.pos < len(s.buf) {
			return s.buf[s.pos], nil
		}
		if more, err := s.fill(); err != nil || !more {
			return 0, err
		}
	}
}

// span returns the bytes of the value at pos and moves behind it. They are good until the next fill or drop.
func (s *stream) span() ([]byte, error) {
	if _, err := s.peek(); err != nil {
		return nil, err
	}
	scan, start := scanner{at: s.pos}, s.pos
	for {
		end := scan.more(s.buf, s.ended)
		if end > start {
			if end-start > s.limits.MaxObject {
				return nil, s.fail(TooLarge, "")
			}
			s.pos = end
			return s.buf[start:end], nil
		}
		if end == start {
			return nil, s.fail(NotJSON, "expected a value")
		}
		more, err := s.fill()
		if err != nil {
			return nil, err
		}
		if !more && scan.more(s.buf, true) < 0 {
			s.pos = len(s.buf)
			return nil, s.fail(NotJSON, "the input ends inside a value")
		}
	}
}

func (s *stream) run() error {
	first, err := s.peek()
	if err != nil {
		return err
	}
	switch first {
	case '[':
		if err := s.list(); err != nil {
			return err
		}
	case '{':
		if err := s.outermost(); err != nil {
			return err
		}
	default:
		return s.fail(NotJSON, "expected an object")
	}
	switch c, err := s.peek(); {
	case err != nil:
		return err
	case c != 0 || s.pos < len(s.buf):
		return s.fail(NotJSON, "more bytes after the end")
	}
	return nil
}

// list yields the elements of the list at pos.
func (s *stream) list() error {
	s.pos++
	if c, err := s.peek(); err != nil || c == ']' {
		s.pos++
		return err
	}
	for {
		s.drop()
		span, err := s.span()
		if err != nil {
			return err
		}
		raw := append(make([]byte, 0, len(span)), span...)
		if err := s.emit(raw, s.base+int64(s.pos-len(span))); err != nil {
			return err
		}
		c, err := s.peek()
		if err != nil {
			return err
		}
		if c != ',' && c != ']' {
			return s.fail(NotJSON, "expected a comma or ] in a list")
		}
		s.pos++
		if c == ']' {
			return nil
		}
	}
}

func (s *stream) emit(raw []byte, offset int64) error {
	end, unreadable := s.tape.parse(raw, 0, s.limits)
	if unreadable == nil && end != len(raw) {
		unreadable = &UnreadableError{Reason: NotJSON, Offset: int64(end), Detail: "more bytes after a value"}
	}
	if unreadable != nil {
		unreadable.Offset += offset
		if unreadable.Reason == NotJSON {
			return unreadable
		}
		if !s.yield(Object{Raw: raw, Offset: offset}, unreadable) {
			return errStopped
		}
		return nil
	}
	if !s.yield(describe(&s.tape, raw, offset), nil) {
		return errStopped
	}
	return nil
}

// outermost reads the object at pos: a bundle, whose objects it yields as they come, or a single object.
func (s *stream) outermost() error {
	start, offset := s.pos, s.base+int64(s.pos)
	s.pos++
	kind, streamed, count := "", false, 0
	seen := map[string]bool{}
	for {
		c, err := s.peek()
		if err != nil {
			return err
		}
		if c == '}' && count == 0 {
			s.pos++
			break
		}
		if c != '"' {
			return s.fail(NotJSON, "expected a member's name")
		}
		name, err := s.text()
		if err != nil {
			return err
		}
		if count++; seen[name] || count > 10_000 {
			return s.fail(DuplicateKey, name)
		}
		seen[name] = true
		if c, err = s.peek(); err != nil || c != ':' {
			return orFail(err, s.fail(NotJSON, "expected a colon after a member's name"))
		}
		s.pos++
		if c, err = s.peek(); err != nil {
			return err
		}
		switch {
		case name == "objects" && c == '[' && (kind == "" || kind == "bundle"):
			streamed = true
			err = s.list()
		case name == "type" && c == '"':
			kind, err = s.text()
		default:
			err = s.other(streamed, start)
		}
		if err != nil {
			return err
		}
		if c, err = s.peek(); err != nil || c != ',' && c != '}' {
			return orFail(err, s.fail(NotJSON, "expected a comma or } in an object"))
		}
		s.pos++
		if c == '}' {
			break
		}
		if c, err = s.peek(); err != nil || c != '"' {
			return orFail(err, s.fail(NotJSON, "expected a member's name"))
		}
	}
	switch {
	case streamed && kind != "bundle":
		return s.fail(NotABundle, "a list of objects in what is no bundle")
	case streamed || kind == "bundle":
		return nil
	}
	return s.emit(append([]byte(nil), s.buf[start:s.pos]...), offset)
}

// other checks a member of the outermost object that is not its objects. While nothing was yielded, everything is kept:
// it may be a single object.
func (s *stream) other(streamed bool, start int) error {
	span, err := s.span()
	if err != nil {
		return err
	}
	end, unreadable := s.tape.parse(span, 0, s.limits)
	if unreadable == nil && end != len(span) {
		return s.fail(NotJSON, "expected a value")
	}
	if unreadable != nil {
		unreadable.Offset += s.base + int64(s.pos-len(span))
		return unreadable
	}
	if streamed {
		s.drop()
	} else if s.pos-start > s.limits.MaxObject {
		return s.fail(TooLarge, "")
	}
	return nil
}

// text reads the string at pos.
func (s *stream) text() (string, error) {
	span, err := s.span()
	if err != nil {
		return "", err
	}
	end, unreadable := s.tape.parse(span, 0, s.limits)
	if unreadable != nil {
		unreadable.Offset += s.base + int64(s.pos-len(span))
		return "", unreadable
	}
	if end != len(span) {
		return "", s.fail(NotJSON, "expected a string")
	}
	return string(s.tape.text(0)), nil
}

func orFail(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

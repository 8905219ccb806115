package stix

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// parser fills a tape. Errors are kept in err, so that the hot path returns positions only; after an error every
// function returns -1.
type parser struct {
	*tape
	err *UnreadableError
	// elements, when set, reads the value of the outermost object's member "objects" in place of the parser, if it
	// is a list and the object is a bundle: it returns the position after it, and how many elements there were.
	elements func(p *parser, pos int) (end int, count int32)
}

// parse reads one value from src at pos into the tape and returns the position after it.
func (t *tape) parse(src []byte, pos int, limits Limits) (end int, err *UnreadableError) {
	t.src, t.limits = src, limits
	t.nodes, t.decoded = t.nodes[:0], t.decoded[:0]
	p := &t.parser
	*p = parser{tape: t}
	end = p.value(skipSpace(src, pos), 0)
	return end, p.err
}

func (p *parser) fail(reason Reason, at int, detail string) int {
	if p.err == nil {
		p.err = &UnreadableError{Reason: reason, Offset: int64(at), Detail: detail}
	}
	return -1
}

func skipSpace(src []byte, pos int) int {
	if pos < len(src) && src[pos] > ' ' {
		return pos
	}
	return skipRun(src, pos)
}

// skipRun skips a run of white space; indentation by eight bytes at once.
func skipRun(src []byte, pos int) int {
	const eightSpaces = 0x2020202020202020
	for pos < len(src) {
		switch src[pos] {
		case '\n', '\r', '\t':
			pos++
		case ' ':
			for pos+8 <= len(src) && binary.LittleEndian.Uint64(src[pos:]) == eightSpaces {
				pos += 8
			}
			for pos < len(src) && src[pos] == ' ' {
				pos++
			}
		default:
			return pos
		}
	}
	return pos
}

func (p *parser) value(pos, depth int) int {
	if pos >= len(p.src) {
		return p.fail(NotJSON, pos, "the input ends where a value should be")
	}
	if len(p.nodes) >= p.limits.MaxNodes {
		return p.fail(TooLarge, pos, "too many values in one object")
	}
	switch c := p.src[pos]; c {
	case '{':
		return p.object(pos, depth)
	case '[':
		return p.array(pos, depth)
	case '"':
		p.nodes = append(p.nodes, node{kind: isString, at: uint32(pos)})
		i := len(p.nodes) - 1
		start, end, escaped, after := p.str(pos)
		n := &p.nodes[i]
		n.start, n.end, n.escaped, n.next = uint32(start), uint32(end), escaped, int32(i+1)
		return after
	case 't':
		return p.literal(pos, "true", isTrue)
	case 'f':
		return p.literal(pos, "false", isFalse)
	case 'n':
		return p.literal(pos, "null", isNull)
	default:
		return p.number(pos)
	}
}

func (p *parser) literal(pos int, word string, kind nodeKind) int {
	end := pos + len(word)
	if end > len(p.src) || string(p.src[pos:end]) != word {
		return p.fail(NotJSON, pos, "expected a value")
	}
	p.leaf(kind, pos, end)
	return end
}

func (p *parser) leaf(kind nodeKind, start, end int) {
	p.nodes = append(p.nodes, node{kind: kind, at: uint32(start), start: uint32(start), end: uint32(end), next: int32(len(p.nodes) + 1)})
}

func (p *parser) array(pos, depth int) int {
	if depth >= p.limits.MaxDepth {
		return p.fail(TooDeep, pos, "")
	}
	self := len(p.nodes)
	p.nodes = append(p.nodes, node{kind: isArray, at: uint32(pos), start: uint32(pos)})
	count := int32(0)
	pos = skipSpace(p.src, pos+1)
	if pos < len(p.src) && p.src[pos] == ']' {
		return p.close(self, pos+1, 0)
	}
	for {
		if pos = p.value(pos, depth+1); pos < 0 {
			return -1
		}
		count++
		pos = skipSpace(p.src, pos)
		if pos >= len(p.src) {
			return p.fail(NotJSON, pos, "a list is not closed")
		}
		switch p.src[pos] {
		case ',':
			pos = skipSpace(p.src, pos+1)
		case ']':
			return p.close(self, pos+1, count)
		default:
			return p.fail(NotJSON, pos, "expected a comma or ] in a list")
		}
	}
}

func (p *parser) close(self, end int, count int32) int {
	n := &p.nodes[self]
	n.end, n.next, n.count = uint32(end), int32(len(p.nodes)), count
	return end
}

func (p *parser) object(pos, depth int) int {
	if depth >= p.limits.MaxDepth {
		return p.fail(TooDeep, pos, "")
	}
	self := len(p.nodes)
	p.nodes = append(p.nodes, node{kind: isObject, at: uint32(pos), start: uint32(pos)})
	count := int32(0)
	seen := uint64(0) // a filter over names: a name whose bit is clear cannot be a duplicate
	pos = skipSpace(p.src, pos+1)
	if pos < len(p.src) && p.src[pos] == '}' {
		return p.close(self, pos+1, 0)
	}
	for {
		if pos >= len(p.src) || p.src[pos] != '"' {
			return p.fail(NotJSON, pos, "expected a member's name")
		}
		nameAt := pos
		start, end, escaped, after := p.str(pos)
		if after < 0 {
			return -1
		}
		pos = skipSpace(p.src, after)
		if pos >= len(p.src) || p.src[pos] != ':' {
			return p.fail(NotJSON, pos, "expected a colon after a member's name")
		}
		member := int32(len(p.nodes))
		pos = skipSpace(p.src, pos+1)
		if depth == 0 && p.elements != nil && pos < len(p.src) && p.src[pos] == '[' && string(p.between(start, end, escaped)) == "objects" && p.inBundle(self, pos) {
			p.nodes = append(p.nodes, node{kind: isArray, at: uint32(pos), start: uint32(pos), next: member + 1})
			var n int32
			if pos, n = p.elements(p, pos); pos < 0 {
				return -1
			}
			p.nodes[member].end, p.nodes[member].count = uint32(pos), n
		} else if pos = p.value(pos, depth+1); pos < 0 {
			return -1
		}
		n := &p.nodes[member]
		n.keyStart, n.keyEnd, n.keyEscaped = uint32(start), uint32(end), escaped
		count++
		if count <= smallObject {
			bit := nameBit(p.key(member))
			if seen&bit != 0 && p.repeats(int32(self), member) {
				return p.fail(DuplicateKey, nameAt, strconv.Quote(string(p.key(member))))
			}
			seen |= bit
		}
		pos = skipSpace(p.src, pos)
		if pos >= len(p.src) {
			return p.fail(NotJSON, pos, "an object is not closed")
		}
		switch p.src[pos] {
		case ',':
			pos = skipSpace(p.src, pos+1)
		case '}':
			if count > smallObject && p.sortedDuplicate(int32(self)) {
				return -1
			}
			return p.close(self, pos+1, count)
		default:
			return p.fail(NotJSON, pos, "expected a comma or } in an object")
		}
	}
}

// smallObject is up to how many members names are compared one by one.
const smallObject = 48

func nameBit(name []byte) uint64 { return 1 << (nameHash(name) & 63) }

// nameHash is quick, and tells the names of the specification apart well enough.
func nameHash(name []byte) uint {
	n := len(name)
	if n == 0 {
		return 0
	}
	return uint(n)*7 + uint(name[0])*31 + uint(name[n-1])*17 + uint(name[n/2])*13
}

func (p *parser) repeats(object, member int32) bool {
	name := p.key(member)
	for i := object + 1; i < member; i = p.nodes[i].next {
		if bytes.Equal(p.key(i), name) {
			return true
		}
	}
	return false
}

// sortedDuplicate finds a duplicate in a large object in n log n steps. The object is not closed yet: its members end
// where the tape ends.
func (p *parser) sortedDuplicate(object int32) bool {
	p.keys = p.keys[:0]
	for i := object + 1; int(i) < len(p.nodes); i = p.nodes[i].next {
		p.keys = append(p.keys, i)
	}
	slices.SortFunc(p.keys, func(a, b int32) int { return bytes.Compare(p.key(a), p.key(b)) })
	for i := 1; i < len(p.keys); i++ {
		if bytes.Equal(p.key(p.keys[i-1]), p.key(p.keys[i])) {
			at := max(p.keys[i-1], p.keys[i])
			p.fail(DuplicateKey, int(p.nodes[at].keyStart), strconv.Quote(string(p.key(at))))
			return true
		}
	}
	return false
}

// str reads the string whose opening quote is at pos. start and end are of its text: in src, or in decoded when it has
// escapes.
func (p *parser) str(pos int) (start, end int, escaped bool, after int) {
	src := p.src
	i, high := pos+1, false
	for {
		for i+8 <= len(src) { // eight bytes at once: stop at a quote, a backslash, a control or a non-ASCII character
			w := binary.LittleEndian.Uint64(src[i:])
			if stop(w) != 0 {
				break
			}
			i += 8
		}
		for i < len(src) && plain[src[i]] {
			i++
		}
		if i >= len(src) {
			return 0, 0, false, p.fail(NotJSON, len(src), "a string is not closed")
		}
		switch c := src[i]; {
		case c == '"':
			if high && !utf8.Valid(src[pos+1:i]) {
				return 0, 0, false, p.fail(InvalidUTF8, pos+1+invalidAt(src[pos+1:i]), "")
			}
			return pos + 1, i, false, i + 1
		case c == '\\':
			return p.escapedStr(pos, i)
		case c < 0x20:
			return 0, 0, false, p.fail(NotJSON, i, "a control character in a string")
		default:
			high = true
			i++
		}
	}
}

// stop has a high bit set for every byte of w that ends a run of plain characters (it may have more of them above the
// first, which does no harm).
func stop(w uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quote := w ^ ones*'"'
	slash := w ^ ones*'\\'
	return (w | (w - ones*0x20) | (quote - ones) | (slash - ones)) & highs
}

// plain are the ASCII characters that stand for themselves in a string.
var plain = func() (t [256]bool) {
	for c := 0x20; c < 0x80; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

func invalidAt(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(b)
}

// escapedStr reads the string whose opening quote is at pos and whose first backslash is at i.
func (p *parser) escapedStr(pos, i int) (start, end int, escaped bool, after int) {
	src := p.src
	start = len(p.decoded)
	from := pos + 1
	for {
		if i >= len(src) {
			return 0, 0, false, p.fail(NotJSON, len(src), "a string is not closed")
		}
		switch c := src[i]; {
		case c == '"' || c == '\\':
			if !utf8.Valid(src[from:i]) {
				return 0, 0, false, p.fail(InvalidUTF8, from+invalidAt(src[from:i]), "")
			}
			p.decoded = append(p.decoded, src[from:i]...)
			if c == '"' {
				return start, len(p.decoded), true, i + 1
			}
			if i = p.escape(i); i < 0 {
				return 0, 0, false, -1
			}
			from = i
		case c < 0x20:
			return 0, 0, false, p.fail(NotJSON, i, "a control character in a string")
		default:
			i++
		}
		for i+8 <= len(src) && stop(binary.LittleEndian.Uint64(src[i:])) == 0 {
			i += 8
		}
		for i < len(src) && plain[src[i]] {
			i++
		}
	}
}

// escape decodes the escape whose backslash is at i.
func (p *parser) escape(i int) int {
	src := p.src
	if i+1 >= len(src) {
		return p.fail(NotJSON, i, "a string is not closed")
	}
	switch c := src[i+1]; c {
	case '"', '\\', '/':
		p.decoded = append(p.decoded, c)
	case 'b':
		p.decoded = append(p.decoded, '\b')
	case 'f':
		p.decoded = append(p.decoded, '\f')
	case 'n':
		p.decoded = append(p.decoded, '\n')
	case 'r':
		p.decoded = append(p.decoded, '\r')
	case 't':
		p.decoded = append(p.decoded, '\t')
	case 'u':
		r, ok := hex4(src, i+2)
		if !ok {
			return p.fail(NotJSON, i, "a \\u escape without four hexadecimal digits")
		}
		i += 6
		if utf16.IsSurrogate(r) {
			low, ok := rune(0), false
			if i+1 < len(src) && src[i] == '\\' && src[i+1] == 'u' {
				low, ok = hex4(src, i+2)
			}
			if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
				return p.fail(InvalidUTF8, i-6, "an unpaired surrogate")
			}
			i += 6
		}
		p.decoded = utf8.AppendRune(p.decoded, r)
		return i
	default:
		return p.fail(NotJSON, i, "an unknown escape")
	}
	return i + 2
}

func hex4(src []byte, pos int) (r rune, ok bool) {
	if pos+4 > len(src) {
		return 0, false
	}
	for _, c := range src[pos : pos+4] {
		d := hexDigit[c]
		if d < 0 {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

// hexDigit is the value of a hexadecimal digit, -1 for other bytes.
var hexDigit = func() (t [256]int8) {
	for i := range t {
		switch c := byte(i); {
		case c >= '0' && c <= '9':
			t[i] = int8(c - '0')
		case c >= 'a' && c <= 'f':
			t[i] = int8(c-'a') + 10
		case c >= 'A' && c <= 'F':
			t[i] = int8(c-'A') + 10
		default:
			t[i] = -1
		}
	}
	return t
}()

func digits(src []byte, pos int) int {
	for pos < len(src) && src[pos] >= '0' && src[pos] <= '9' {
		pos++
	}
	return pos
}

func (p *parser) number(pos int) int {
	src, i := p.src, pos
	if i < len(src) && src[i] == '-' {
		i++
	}
	whole := digits(src, i)
	switch {
	case whole == i:
		return p.fail(NotJSON, pos, "expected a value")
	case src[i] == '0' && whole > i+1:
		return p.fail(NotJSON, pos, "a number with a leading zero")
	}
	i = whole
	large := whole-pos > 300
	if i < len(src) && src[i] == '.' {
		end := digits(src, i+1)
		if end == i+1 {
			return p.fail(NotJSON, i, "a number without digits after its point")
		}
		i = end
	}
	if i < len(src) && (src[i] == 'e' || src[i] == 'E') {
		i++
		if i < len(src) && (src[i] == '+' || src[i] == '-') {
			i++
		}
		end := digits(src, i)
		if end == i {
			return p.fail(NotJSON, i, "a number without digits in its exponent")
		}
		i, large = end, true
	}
	if i-pos > p.limits.MaxNumber {
		return p.fail(HugeNumber, pos, "too many digits")
	}
	if large {
		if f, err := strconv.ParseFloat(string(src[pos:i]), 64); err != nil || math.IsInf(f, 0) {
			return p.fail(HugeNumber, pos, "beyond the range of a double")
		}
	}
	p.leaf(isNumber, pos, i)
	return i
}

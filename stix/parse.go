package stix

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
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
	if p.limits.AnyNumber {
		p.leaf(isNumber, pos, i)
		return i
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

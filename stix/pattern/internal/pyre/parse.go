package pyre

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrUnsupported marks expressions that are right but need backtracking.
var ErrUnsupported = errors.New("cannot be matched in linear time")

type nodeKind int

const (
	nodeEmpty nodeKind = iota
	nodeSet            // one character of a set
	nodeCat
	nodeAlternate
	nodeRepeat
	nodeAssert
	nodeLook
)

type node struct {
	kind     nodeKind
	set      *charSet
	subs     []*node
	min, max int // of a repeat; max is -1 for no bound
	assert   assertion
	ahead    bool // of a look
	negate   bool // of a look
	grouped  bool // stands in brackets: a repeat of it is no multiple repeat
}

type flags struct{ ignoreCase, multiline, dotAll, verbose, ascii bool }

const maxDepth = 200

// parser reads Python's syntax. Texts of bytes are runes below 256.
type parser struct {
	src    []rune
	pos    int
	bytes  bool
	flags  flags
	depth  int
	groups map[string]bool
}

func parse(expression string, bytes bool) (n *node, err error) {
	p := &parser{src: []rune(expression), bytes: bytes, flags: flags{ascii: bytes}, groups: map[string]bool{}}
	if bytes {
		for _, r := range p.src {
			if r > 0xff {
				return nil, errors.New("reading a regular expression of bytes: it has characters beyond 255")
			}
		}
	}
	if err := p.globalFlags(); err != nil {
		return nil, err
	}
	n, err = p.alternatives()
	if err != nil {
		return nil, err
	}
	if p.pos < len(p.src) {
		return nil, p.errorf("unbalanced bracket")
	}
	return n, nil
}

func (p *parser) errorf(format string, args ...any) error {
	return fmt.Errorf("reading a regular expression: at character %d: "+format, append([]any{p.pos + 1}, args...)...)
}

func (p *parser) unsupported(what string) error {
	return fmt.Errorf("reading a regular expression: at character %d: %s: %w", p.pos+1, what, ErrUnsupported)
}

func (p *parser) more() bool { return p.pos < len(p.src) }

func (p *parser) looking(at string) bool {
	for i, r := range []rune(at) {
		if p.pos+i >= len(p.src) || p.src[p.pos+i] != r {
			return false
		}
	}
	return true
}

func (p *parser) accept(s string) bool {
	if !p.looking(s) {
		return false
	}
	p.pos += utf8.RuneCountInString(s)
	return true
}

// globalFlags reads (?ims) at the very beginning, the only place Python lets it stand.
func (p *parser) globalFlags() error {
	for p.looking("(?") {
		end := p.pos + 2
		for end < len(p.src) && strings.ContainsRune("aiLmsux", p.src[end]) {
			end++
		}
		if end == p.pos+2 || end >= len(p.src) || p.src[end] != ')' {
			return nil
		}
		for _, f := range p.src[p.pos+2 : end] {
			if err := p.setFlag(f, true); err != nil {
				return err
			}
		}
		p.pos = end + 1
	}
	return nil
}

func (p *parser) setFlag(f rune, on bool) error {
	switch f {
	case 'i':
		p.flags.ignoreCase = on
	case 'm':
		p.flags.multiline = on
	case 's':
		p.flags.dotAll = on
	case 'x':
		p.flags.verbose = on
	case 'a':
		p.flags.ascii = true
	case 'u':
		if p.bytes {
			return p.errorf("flag u has no meaning for bytes")
		}
		p.flags.ascii = false
	case 'L':
		if !p.bytes {
			return p.errorf("flag L has no meaning for text")
		}
		return p.unsupported("flag L (locale)")
	default:
		return p.errorf("unknown flag %q", f)
	}
	return nil
}

func (p *parser) alternatives() (*node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.errorf("brackets go deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	n, err := p.sequence()
	if err != nil {
		return nil, err
	}
	alternatives := []*node{n}
	for p.accept("|") {
		n, err := p.sequence()
		if err != nil {
			return nil, err
		}
		alternatives = append(alternatives, n)
	}
	if len(alternatives) == 1 {
		return n, nil
	}
	return &node{kind: nodeAlternate, subs: alternatives}, nil
}

func (p *parser) sequence() (*node, error) {
	cat := &node{kind: nodeCat}
	for p.more() && !p.looking("|") && !p.looking(")") {
		if p.flags.verbose && p.skipVerbose() {
			continue
		}
		if p.looking("(?#") {
			end := slices.Index(p.src[p.pos:], ')')
			if end < 0 {
				return nil, p.errorf("the comment is not closed")
			}
			p.pos += end + 1
			continue
		}
		repeat, min, max, err := p.quantifier()
		if err != nil {
			return nil, err
		}
		if repeat {
			if err := p.repeatLast(cat, min, max); err != nil {
				return nil, err
			}
			continue
		}
		n, err := p.item()
		if err != nil {
			return nil, err
		}
		cat.subs = append(cat.subs, n)
	}
	return cat, nil
}

func (p *parser) skipVerbose() bool {
	switch p.src[p.pos] {
	case ' ', '\t', '\n', '\r', '\v', '\f':
		p.pos++
		return true
	case '#':
		for p.more() && p.src[p.pos] != '\n' {
			p.pos++
		}
		return true
	}
	return false
}

func (p *parser) repeatLast(cat *node, min, max int) error {
	if len(cat.subs) == 0 {
		return p.errorf("nothing to repeat")
	}
	last := cat.subs[len(cat.subs)-1]
	if last.kind == nodeAssert && !last.grouped {
		return p.errorf("nothing to repeat")
	}
	if last.kind == nodeRepeat && !last.grouped {
		return p.errorf("multiple repeat")
	}
	if p.looking("+") {
		return p.unsupported("a possessive repeat")
	}
	p.accept("?") // lazy or greedy: the same texts match
	cat.subs[len(cat.subs)-1] = &node{kind: nodeRepeat, min: min, max: max, subs: []*node{last}}
	return nil
}

// quantifier reads * + ? {m} {m,} {,n} {m,n}; braces of another form are text.
func (p *parser) quantifier() (found bool, min, max int, err error) {
	switch {
	case p.accept("*"):
		return true, 0, -1, nil
	case p.accept("+"):
		return true, 1, -1, nil
	case p.accept("?"):
		return true, 0, 1, nil
	case !p.looking("{") || p.looking("{}"):
		return false, 0, 0, nil
	}
	start := p.pos
	p.pos++
	low := p.decimal()
	high := low
	if p.accept(",") {
		high = p.decimal()
		if high == "" {
			max = -1
		}
	} else if low == "" {
		p.pos = start
		return false, 0, 0, nil
	}
	if !p.accept("}") {
		p.pos = start
		return false, 0, 0, nil
	}
	if low != "" {
		if min, err = strconv.Atoi(low); err != nil || min > maxRepeat {
			return false, 0, 0, p.unsupported("a repeat of more than " + strconv.Itoa(maxRepeat))
		}
	}
	if high != "" {
		if max, err = strconv.Atoi(high); err != nil || max > maxRepeat {
			return false, 0, 0, p.unsupported("a repeat of more than " + strconv.Itoa(maxRepeat))
		}
		if max < min {
			return false, 0, 0, p.errorf("the bounds of the repeat are the wrong way round")
		}
	}
	return true, min, max, nil
}

func (p *parser) decimal() string {
	start := p.pos
	for p.more() && p.src[p.pos] >= '0' && p.src[p.pos] <= '9' {
		p.pos++
	}
	return string(p.src[start:p.pos])
}

func (p *parser) item() (*node, error) {
	r := p.src[p.pos]
	switch r {
	case '.':
		p.pos++
		set := &charSet{negate: true}
		if !p.flags.dotAll {
			set.add('\n', '\n')
		}
		return &node{kind: nodeSet, set: set}, nil
	case '^':
		p.pos++
		if p.flags.multiline {
			return assertNode(beginLine), nil
		}
		return assertNode(beginText), nil
	case '$':
		p.pos++
		if p.flags.multiline {
			return assertNode(endLine), nil
		}
		return assertNode(endTextOrNewline), nil
	case '(':
		return p.group()
	case '[':
		p.pos++
		return p.class()
	case '\\':
		return p.escape()
	}
	p.pos++
	return p.character(r), nil
}

func assertNode(a assertion) *node { return &node{kind: nodeAssert, assert: a} }

func (p *parser) newSet() *charSet {
	return &charSet{fold: p.flags.ignoreCase, ascii: p.flags.ascii}
}

func (p *parser) character(r rune) *node {
	set := p.newSet()
	set.add(r, r)
	return &node{kind: nodeSet, set: set}
}

func (p *parser) group() (*node, error) {
	p.pos++
	outer := p.flags
	defer func() { p.flags = outer }()
	if !p.accept("?") {
		return p.closeGroup(nil)
	}
	switch {
	case p.accept(":"):
		return p.closeGroup(nil)
	case p.accept("="):
		return p.closeGroup(&node{kind: nodeLook, ahead: true})
	case p.accept("!"):
		return p.closeGroup(&node{kind: nodeLook, ahead: true, negate: true})
	case p.accept("<="):
		return p.closeGroup(&node{kind: nodeLook})
	case p.accept("<!"):
		return p.closeGroup(&node{kind: nodeLook, negate: true})
	case p.accept("P<"):
		if err := p.groupName(); err != nil {
			return nil, err
		}
		return p.closeGroup(nil)
	case p.looking("P="):
		return nil, p.unsupported("a back reference")
	case p.looking("("):
		return nil, p.unsupported("a conditional")
	case p.looking(">"):
		return nil, p.unsupported("an atomic group")
	}
	if err := p.scopedFlags(); err != nil {
		return nil, err
	}
	return p.closeGroup(nil)
}

func (p *parser) groupName() error {
	end := slices.Index(p.src[p.pos:], '>')
	if end < 0 {
		return p.errorf("the name of the group is not closed")
	}
	name := string(p.src[p.pos : p.pos+end])
	for i, r := range name {
		if !(r == '_' || r < 0x80 && isASCIILetter(r) || r >= 0x80 && isWord(r, false) || i > 0 && r >= '0' && r <= '9') {
			return p.errorf("bad name of a group: %q", name)
		}
	}
	if name == "" || p.groups[name] {
		return p.errorf("the name of a group is empty or used twice: %q", name)
	}
	p.groups[name] = true
	p.pos += end + 1
	return nil
}

// scopedFlags reads the rest of (?ims-x: up to and with the colon.
func (p *parser) scopedFlags() error {
	on, any := true, false
	for p.more() {
		r := p.src[p.pos]
		switch {
		case r == ':' && any:
			p.pos++
			return nil
		case r == ')' && on && any:
			return p.errorf("flags for the whole expression stand at its beginning")
		case r == '-' && on:
			on, any = false, false
		case strings.ContainsRune("aLu", r) && !on:
			return p.errorf("flag %q cannot be turned off", r)
		default:
			if err := p.setFlag(r, on); err != nil {
				return err
			}
			any = true
		}
		p.pos++
	}
	return p.errorf("the flags are not closed")
}

// closeGroup reads a group's inside and its closing bracket.
func (p *parser) closeGroup(look *node) (*node, error) {
	n, err := p.alternatives()
	if err != nil {
		return nil, err
	}
	if !p.accept(")") {
		return nil, p.errorf("a bracket is not closed")
	}
	if look == nil {
		return &node{kind: nodeCat, subs: []*node{n}, grouped: true}, nil
	}
	if !look.ahead {
		if low, high := width(n); low != high {
			return nil, p.errorf("a look-behind needs a fixed width")
		}
	}
	look.subs = []*node{n}
	look.grouped = true
	return look, nil
}

// unbounded stands for "any number of characters" in width.
const unbounded = 1 << 40

// width gives the fewest and the most characters that a node can match.
func width(n *node) (low, high int) {
	switch n.kind {
	case nodeSet:
		return 1, 1
	case nodeCat:
		for _, sub := range n.subs {
			l, h := width(sub)
			low, high = min(low+l, unbounded), min(high+h, unbounded)
		}
	case nodeAlternate:
		low = unbounded
		for _, sub := range n.subs {
			l, h := width(sub)
			low, high = min(low, l), max(high, h)
		}
	case nodeRepeat:
		l, h := width(n.subs[0])
		low = min(l*n.min, unbounded)
		if high = unbounded; n.max >= 0 {
			high = min(h*n.max, unbounded)
		}
	}
	return low, high
}

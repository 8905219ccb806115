package httpsig

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Bounds on what is read of a stranger's header fields.
const (
	maxField      = 8 << 10 // bytes of one header field
	maxMembers    = 4       // signatures on one request
	maxComponents = 32
	maxParams     = 16
)

// The values of structured fields (RFC 8941) as far as signatures use them: dictionaries of inner lists of strings, and of
// byte sequences, with parameters that are strings, integers, booleans, tokens or byte sequences.
type (
	param struct {
		key   string
		value bare
	}
	// bare is a bare item in its one canonical spelling.
	bare struct {
		kind byte // 's' string, 'i' integer, 'b' boolean, 't' token, 'x' bytes
		text string
		n    int64
		raw  []byte
	}
	item struct {
		value  bare
		params []param
	}
	member struct {
		key    string
		list   []item // when inner
		inner  bool
		value  bare // else
		params []param
	}
)

// errField is what every refusal of a header field's form is.
var errField = errors.New("malformed structured field")

type scanner struct {
	s string
	i int
}

func (p *scanner) fail(what string) error {
	return fmt.Errorf("%w: %s at byte %d", errField, what, p.i)
}

func (p *scanner) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

func (p *scanner) skip(set string) {
	for p.i < len(p.s) && strings.IndexByte(set, p.s[p.i]) >= 0 {
		p.i++
	}
}

// parseDictionary reads a dictionary (RFC 8941, section 4.2.2). A key that comes twice is refused, where the RFC takes the
// last: a signature must not depend on which one a reader takes.
func parseDictionary(field string) ([]member, error) {
	if len(field) > maxField {
		return nil, fmt.Errorf("%w: it has over %d bytes", errField, maxField)
	}
	p := &scanner{s: field}
	var out []member
	p.skip(" ")
	for p.i < len(p.s) {
		m, err := p.member()
		if err != nil {
			return nil, err
		}
		for _, o := range out {
			if o.key == m.key {
				return nil, p.fail("the label " + m.key + " comes twice")
			}
		}
		if out = append(out, m); len(out) > maxMembers {
			return nil, p.fail(fmt.Sprintf("over %d members", maxMembers))
		}
		p.skip(" \t")
		if p.i == len(p.s) {
			return out, nil
		}
		if p.peek() != ',' {
			return nil, p.fail("no comma")
		}
		p.i++
		p.skip(" \t")
		if p.i == len(p.s) {
			return nil, p.fail("a comma and nothing after it")
		}
	}
	return out, nil
}

func (p *scanner) member() (m member, err error) {
	if m.key, err = p.key(); err != nil {
		return m, err
	}
	if p.peek() != '=' {
		return m, p.fail("no value for " + m.key)
	}
	p.i++
	if p.peek() == '(' {
		m.inner = true
		if m.list, err = p.innerList(); err != nil {
			return m, err
		}
	} else if m.value, err = p.bare(); err != nil {
		return m, err
	}
	m.params, err = p.params()
	return m, err
}

func (p *scanner) innerList() ([]item, error) {
	p.i++
	var out []item
	for {
		p.skip(" ")
		if p.peek() == ')' {
			p.i++
			return out, nil
		}
		v, err := p.bare()
		if err != nil {
			return nil, err
		}
		params, err := p.params()
		if err != nil {
			return nil, err
		}
		if out = append(out, item{v, params}); len(out) > maxComponents {
			return nil, p.fail(fmt.Sprintf("over %d components", maxComponents))
		}
		if c := p.peek(); c != ' ' && c != ')' {
			return nil, p.fail("no end of the list")
		}
	}
}

func (p *scanner) params() ([]param, error) {
	var out []param
	for p.peek() == ';' {
		p.i++
		p.skip(" ")
		key, err := p.key()
		if err != nil {
			return nil, err
		}
		value := bare{kind: 'b', n: 1}
		if p.peek() == '=' {
			p.i++
			if value, err = p.bare(); err != nil {
				return nil, err
			}
		}
		for _, o := range out {
			if o.key == key {
				return nil, p.fail("the parameter " + key + " comes twice")
			}
		}
		if out = append(out, param{key, value}); len(out) > maxParams {
			return nil, p.fail(fmt.Sprintf("over %d parameters", maxParams))
		}
	}
	return out, nil
}

func isLower(c byte) bool { return c >= 'a' && c <= 'z' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (p *scanner) key() (string, error) {
	start := p.i
	if c := p.peek(); !isLower(c) && c != '*' {
		return "", p.fail("no key")
	}
	for c := p.peek(); isLower(c) || isDigit(c) || c != 0 && strings.IndexByte("_-.*", c) >= 0; c = p.peek() {
		p.i++
	}
	return p.s[start:p.i], nil
}

func (p *scanner) bare() (bare, error) {
	switch c := p.peek(); {
	case c == '"':
		return p.str()
	case c == ':':
		return p.bytes()
	case c == '?':
		if p.i+1 < len(p.s) && (p.s[p.i+1] == '0' || p.s[p.i+1] == '1') {
			p.i += 2
			return bare{kind: 'b', n: int64(p.s[p.i-1] - '0')}, nil
		}
		return bare{}, p.fail("no boolean")
	case isDigit(c) || c == '-':
		return p.integer()
	case c|0x20 >= 'a' && c|0x20 <= 'z' || c == '*':
		start := p.i
		for c := p.peek(); isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' || c != 0 && strings.IndexByte("!#$%&'*+-.^_`|~:/", c) >= 0; c = p.peek() {
			p.i++
		}
		return bare{kind: 't', text: p.s[start:p.i]}, nil
	}
	return bare{}, p.fail("no value")
}

func (p *scanner) str() (bare, error) {
	var b strings.Builder
	for p.i++; p.i < len(p.s); p.i++ {
		switch c := p.s[p.i]; {
		case c == '"':
			p.i++
			return bare{kind: 's', text: b.String()}, nil
		case c == '\\':
			if p.i++; p.peek() != '"' && p.peek() != '\\' {
				return bare{}, p.fail("a backslash before neither quote nor backslash")
			}
			b.WriteByte(p.s[p.i])
		case c < 0x20 || c > 0x7e:
			return bare{}, p.fail("a character that a string cannot hold")
		default:
			b.WriteByte(c)
		}
	}
	return bare{}, p.fail("a string without its end")
}

func (p *scanner) bytes() (bare, error) {
	end := strings.IndexByte(p.s[p.i+1:], ':')
	if end < 0 {
		return bare{}, p.fail("a byte sequence without its end")
	}
	text := p.s[p.i+1 : p.i+1+end]
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return bare{}, p.fail("a byte sequence that is not base64")
	}
	p.i += end + 2
	return bare{kind: 'x', raw: raw}, nil
}

func (p *scanner) integer() (bare, error) {
	start := p.i
	if p.peek() == '-' {
		p.i++
	}
	digits := p.i
	for isDigit(p.peek()) {
		p.i++
	}
	if p.i == digits || p.i-digits > 15 || p.peek() == '.' {
		return bare{}, p.fail("no integer of at most 15 digits")
	}
	n, err := strconv.ParseInt(p.s[start:p.i], 10, 64)
	if err != nil {
		return bare{}, p.fail("no integer")
	}
	return bare{kind: 'i', n: n}, nil
}

// quoted is a string of RFC 8941. Almost none has anything to escape, and every request writes several.
func quoted(text string) string {
	if strings.ContainsAny(text, `\"`) {
		text = strings.ReplaceAll(strings.ReplaceAll(text, `\`, `\\`), `"`, `\"`)
	}
	return `"` + text + `"`
}

func (b bare) String() string {
	switch b.kind {
	case 's':
		return quoted(b.text)
	case 'i':
		return strconv.FormatInt(b.n, 10)
	case 'b':
		return "?" + strconv.FormatInt(b.n, 10)
	case 'x':
		return ":" + base64.StdEncoding.EncodeToString(b.raw) + ":"
	}
	return b.text
}

func writeParams(b *strings.Builder, params []param) {
	for _, p := range params {
		b.WriteString(";" + p.key)
		if p.value.kind != 'b' || p.value.n != 1 {
			b.WriteString("=" + p.value.String())
		}
	}
}

func (it item) String() string {
	var b strings.Builder
	b.WriteString(it.value.String())
	writeParams(&b, it.params)
	return b.String()
}

// innerString spells an inner list with its parameters: what "@signature-params" holds.
func (m member) innerString() string {
	var b strings.Builder
	b.WriteByte('(')
	for i, it := range m.list {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(it.String())
	}
	b.WriteByte(')')
	writeParams(&b, m.params)
	return b.String()
}

func (m member) param(key string) (bare, bool) {
	for _, p := range m.params {
		if p.key == key {
			return p.value, true
		}
	}
	return bare{}, false
}

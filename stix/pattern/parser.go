package pattern

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Parse reads a pattern by the grammar of STIX 2.1, section 9. The error is a
// *ParseError. Parse looks at form only; see Check and Compile for the rest.
//
// STIX 2.0 patterns are read too: 2.1 differs from it, as far as the grammar
// goes, by EXISTS alone.
func Parse(text string) (*Pattern, error) {
	if len(text) > MaxLength {
		return nil, &ParseError{Position: Position{Line: 1, Column: 1},
			Reason: fmt.Sprintf("the pattern has %d bytes, more than %d", len(text), MaxLength)}
	}
	if at := invalidUTF8(text); at >= 0 {
		l := newLexer(text)
		l.advance(at)
		return nil, &ParseError{Position: l.position(), Reason: "the text is not UTF-8"}
	}
	p := &parser{lexer: newLexer(text)}
	p.token = p.lexer.next()
	root := p.observationExpressions(0)
	if p.err == nil && p.token.kind != tokenEnd {
		p.fail("AND", "OR", "FOLLOWEDBY", "START", "WITHIN", "REPEATS", "the end of the pattern")
	}
	if p.err != nil {
		return nil, p.err
	}
	return &Pattern{Root: root}, nil
}

func invalidUTF8(s string) int {
	if utf8.ValidString(s) {
		return -1
	}
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// parser is a recursive descent with one token of lookahead. After the first
// error every method returns at once; its result is then not looked at.
type parser struct {
	lexer *lexer
	token token
	err   *ParseError
}

func (p *parser) fail(expected ...string) {
	if p.err == nil {
		p.err = &ParseError{Position: p.token.position, Found: p.token.describe(), Expected: expected}
	}
}

func (p *parser) refuse(at Position, reason string) {
	if p.err == nil {
		p.err = &ParseError{Position: at, Reason: reason}
	}
}

func (p *parser) advance() {
	if p.err != nil {
		return
	}
	p.token = p.lexer.next()
}

func (p *parser) is(kind tokenKind, text string) bool {
	return p.err == nil && p.token.kind == kind && p.token.text == text
}

// accept moves over the token when it is the one named.
func (p *parser) accept(kind tokenKind, text string) bool {
	if !p.is(kind, text) {
		return false
	}
	p.advance()
	return true
}

func (p *parser) expect(kind tokenKind, text string) {
	if !p.accept(kind, text) {
		p.fail(strconv.Quote(text))
	}
}

func (p *parser) tooDeep(depth int) bool {
	if depth > MaxDepth {
		p.refuse(p.token.position, fmt.Sprintf("brackets or qualifiers go deeper than %d", MaxDepth))
	}
	return p.err != nil
}

// observationExpressions reads operands of FOLLOWEDBY, which binds loosest.
func (p *parser) observationExpressions(depth int) ObservationExpression {
	operands := p.observationOperands("FOLLOWEDBY", depth, func(depth int) ObservationExpression {
		operands := p.observationOperands("OR", depth, func(depth int) ObservationExpression {
			operands := p.observationOperands("AND", depth, p.qualified)
			if len(operands) == 1 {
				return operands[0]
			}
			return &ObservationAnd{Operands: operands}
		})
		if len(operands) == 1 {
			return operands[0]
		}
		return &ObservationOr{Operands: operands}
	})
	if len(operands) == 1 {
		return operands[0]
	}
	return &FollowedBy{Operands: operands}
}

func (p *parser) observationOperands(operator string, depth int,
	operand func(int) ObservationExpression) []ObservationExpression {
	operands := []ObservationExpression{operand(depth)}
	for p.accept(tokenKeyword, operator) {
		operands = append(operands, operand(depth))
	}
	return operands
}

// qualified reads one bracketed expression and the qualifiers behind it.
func (p *parser) qualified(depth int) ObservationExpression {
	if p.tooDeep(depth) {
		return nil
	}
	var e ObservationExpression
	at := p.token.position
	switch {
	case p.accept(tokenPunctuation, "["):
		comparison := p.comparisonExpression(depth + 1)
		if !p.accept(tokenPunctuation, "]") {
			p.fail("AND", "OR", `"]"`)
		}
		e = &Observed{At: at, Comparison: comparison}
	case p.accept(tokenPunctuation, "("):
		inner := p.observationExpressions(depth + 1)
		if !p.accept(tokenPunctuation, ")") {
			p.fail("AND", "OR", "FOLLOWEDBY", "START", "WITHIN", "REPEATS", `")"`)
		}
		e = &ObservationGroup{At: at, Expression: inner}
	default:
		p.fail(`"["`, `"("`)
	}
	for qualifiers := depth + 1; p.err == nil; qualifiers++ {
		switch {
		case p.accept(tokenKeyword, "START"):
			start := p.timestamp()
			p.expect(tokenKeyword, "STOP")
			e = &StartStop{Expression: e, Start: start, Stop: p.timestamp()}
		case p.accept(tokenKeyword, "WITHIN"):
			seconds := p.positiveNumber(true)
			p.expect(tokenKeyword, "SECONDS")
			e = &Within{Expression: e, Seconds: seconds}
		case p.accept(tokenKeyword, "REPEATS"):
			times := p.positiveNumber(false)
			p.expect(tokenKeyword, "TIMES")
			e = &Repeats{Expression: e, Times: times}
		default:
			return e
		}
		if p.tooDeep(qualifiers) {
			return nil
		}
	}
	return e
}

func (p *parser) timestamp() Constant {
	if p.token.kind != tokenTimestamp {
		p.fail("a timestamp such as t'2024-01-31T00:00:00Z'")
		return Constant{}
	}
	return p.constant()
}

func (p *parser) positiveNumber(fraction bool) Constant {
	number := p.token.kind == tokenInteger || fraction && p.token.kind == tokenFloat
	if !number || p.token.text[0] == '-' {
		if fraction {
			p.fail("a positive number")
		} else {
			p.fail("a positive integer")
		}
		return Constant{}
	}
	return p.constant()
}

func (p *parser) comparisonExpression(depth int) ComparisonExpression {
	operands := []ComparisonExpression{p.comparisonAnd(depth)}
	for p.accept(tokenKeyword, "OR") {
		operands = append(operands, p.comparisonAnd(depth))
	}
	if len(operands) == 1 {
		return operands[0]
	}
	return &ComparisonOr{Operands: operands}
}

func (p *parser) comparisonAnd(depth int) ComparisonExpression {
	operands := []ComparisonExpression{p.comparison(depth)}
	for p.accept(tokenKeyword, "AND") {
		operands = append(operands, p.comparison(depth))
	}
	if len(operands) == 1 {
		return operands[0]
	}
	return &ComparisonAnd{Operands: operands}
}

func (p *parser) comparison(depth int) ComparisonExpression {
	if p.tooDeep(depth) {
		return nil
	}
	at := p.token.position
	switch {
	case p.accept(tokenPunctuation, "("):
		inner := p.comparisonExpression(depth + 1)
		if !p.accept(tokenPunctuation, ")") {
			p.fail("AND", "OR", `")"`)
		}
		return &ComparisonGroup{At: at, Expression: inner}
	case p.accept(tokenKeyword, "NOT"):
		p.expect(tokenKeyword, "EXISTS")
		return &Exists{At: at, Path: p.objectPath(), Negated: true}
	case p.accept(tokenKeyword, "EXISTS"):
		return &Exists{At: at, Path: p.objectPath()}
	}
	c := &Comparison{Path: p.objectPath()}
	c.Negated = p.accept(tokenKeyword, "NOT")
	c.Operator = p.operator(c.Negated)
	switch c.Operator {
	case In:
		c.Set = p.set()
	case Like, Matches, IsSubset, IsSuperset:
		if p.token.kind != tokenString {
			p.fail("a string in single quotes")
		}
		c.Value = p.constant()
	case Equal, NotEqual:
		c.Value = p.constant()
	default:
		if p.token.kind == tokenBoolean {
			p.fail("a number, string, timestamp, hexadecimal or binary constant (booleans have no order)")
		}
		c.Value = p.constant()
	}
	return c
}

func (p *parser) operator(negated bool) Operator {
	operator := Operator(0)
	if p.token.kind == tokenOperator || p.token.kind == tokenKeyword {
		switch p.token.text {
		case "=", "==":
			operator = Equal
		case "!=", "<>":
			operator = NotEqual
		case "<":
			operator = Less
		case "<=":
			operator = LessOrEqual
		case ">":
			operator = Greater
		case ">=":
			operator = GreaterOrEqual
		case "IN":
			operator = In
		case "LIKE":
			operator = Like
		case "MATCHES":
			operator = Matches
		case "ISSUBSET":
			operator = IsSubset
		case "ISSUPERSET":
			operator = IsSuperset
		}
	}
	if operator == 0 {
		expected := []string{"a comparison operator"}
		if !negated {
			expected = []string{`"."`, `"["`, "NOT", "a comparison operator"}
		}
		p.fail(expected...)
		return Equal
	}
	p.advance()
	return operator
}

func (p *parser) set() []Constant {
	p.expect(tokenPunctuation, "(")
	if p.accept(tokenPunctuation, ")") {
		return nil
	}
	set := []Constant{p.constant()}
	for p.accept(tokenPunctuation, ",") {
		set = append(set, p.constant())
		if len(set) > MaxSet {
			p.refuse(p.token.position, fmt.Sprintf("the set has more than %d members", MaxSet))
		}
	}
	if !p.accept(tokenPunctuation, ")") {
		p.fail(`","`, `")"`)
	}
	return set
}

func (p *parser) objectPath() ObjectPath {
	path := ObjectPath{At: p.token.position, Type: p.token.text}
	if p.token.kind != tokenName && p.token.kind != tokenHyphenedName {
		p.fail("an object type", "EXISTS", `"("`)
		return path
	}
	p.advance()
	p.expect(tokenPunctuation, ":")
	path.Steps = append(path.Steps, p.key())
	for p.err == nil {
		switch {
		case p.accept(tokenPunctuation, "."):
			path.Steps = append(path.Steps, p.key())
		case p.accept(tokenPunctuation, "["):
			path.Steps = append(path.Steps, p.index())
			p.expect(tokenPunctuation, "]")
		default:
			path.Steps = slices.Clip(path.Steps)
			return path
		}
	}
	return path
}

func (p *parser) key() Step {
	step := Step{Kind: Key}
	switch p.token.kind {
	case tokenName:
		step.Key = p.token.text
	case tokenString:
		step.Key = unescape(p.token.text[1 : len(p.token.text)-1])
	default:
		p.fail("a property name (in single quotes when it is a keyword or has other characters than letters, digits and _)")
	}
	p.advance()
	return step
}

func (p *parser) index() Step {
	if p.accept(tokenPunctuation, "*") {
		return Step{Kind: Any}
	}
	if p.token.kind != tokenInteger {
		p.fail("an index", `"*"`)
		return Step{}
	}
	n, err := strconv.ParseInt(p.token.text, 10, 32)
	if err != nil {
		p.refuse(p.token.position, "the index is too large")
	}
	p.advance()
	return Step{Kind: Index, Index: int(n)}
}

// constant reads any constant and normalises its text, so that two spellings
// of one constant print alike.
func (p *parser) constant() Constant {
	t := p.token
	c := Constant{At: t.position}
	switch t.kind {
	case tokenString:
		c.Kind, c.Text = String, unescape(t.text[1:len(t.text)-1])
	case tokenInteger:
		c.Kind, c.Text = Integer, strings.TrimPrefix(t.text, "+")
		if len(c.Text) > 1000 {
			p.refuse(t.position, "the integer has more than 1,000 digits")
		}
	case tokenFloat:
		c.Kind, c.Text = Float, normaliseFloat(t.text)
	case tokenBoolean:
		c.Kind, c.Bool = Boolean, t.text == "true"
	case tokenTimestamp:
		c.Kind, c.Text = Timestamp, t.text[2:len(t.text)-1]
	case tokenHex:
		c.Kind = Hex
		c.Bytes, _ = hex.DecodeString(t.text[2 : len(t.text)-1]) // the lexer checked it
	case tokenBinary:
		c.Kind = Binary
		c.Bytes, _ = base64.StdEncoding.DecodeString(t.text[2 : len(t.text)-1]) // the lexer checked it
	default:
		p.fail("a string, number, boolean, timestamp, hexadecimal or binary constant")
	}
	p.advance()
	return c
}

// normaliseFloat drops a plus sign and writes the zero before a point.
func normaliseFloat(s string) string {
	s = strings.TrimPrefix(s, "+")
	digits, minus := strings.CutPrefix(s, "-")
	if strings.HasPrefix(digits, ".") {
		digits = "0" + digits
	}
	if minus {
		return "-" + digits
	}
	return digits
}

// unescape resolves \' and \\, the only two escapes that the lexer lets through.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

package pattern

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
)

// String prints the pattern in its canonical form: one space around operators,
// = and != for their other spellings, quotes only where a name needs them, no
// comments. Parsing the result gives the same tree, positions aside. Trees that
// a program built get the brackets that their nesting needs.
func (p *Pattern) String() string {
	w := &printer{}
	w.observation(p.Root, loose)
	return w.String()
}

// String prints the path in its canonical form.
func (p ObjectPath) String() string {
	w := &printer{}
	w.path(p)
	return w.String()
}

// String prints the constant in its canonical form.
func (c Constant) String() string {
	switch c.Kind {
	case String:
		return quote(c.Text)
	case Boolean:
		return strconv.FormatBool(c.Bool)
	case Timestamp:
		return "t'" + c.Text + "'"
	case Hex:
		return "h'" + hex.EncodeToString(c.Bytes) + "'"
	case Binary:
		return "b'" + base64.StdEncoding.EncodeToString(c.Bytes) + "'"
	}
	return c.Text
}

func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// How tightly the place around an expression binds: an expression that binds
// looser needs brackets there.
const (
	loose     = iota // FOLLOWEDBY may stand here
	alternate        // OR
	conjoin          // AND
	qualify          // only brackets, or qualifiers on brackets
)

type printer struct{ strings.Builder }

func (w *printer) observation(e ObservationExpression, place int) {
	switch e := e.(type) {
	case *Observed:
		w.WriteByte('[')
		w.comparison(e.Comparison, loose)
		w.WriteByte(']')
	case *ObservationGroup:
		w.WriteByte('(')
		w.observation(e.Expression, loose)
		w.WriteByte(')')
	case *FollowedBy:
		w.observations(e.Operands, " FOLLOWEDBY ", loose, place)
	case *ObservationOr:
		w.observations(e.Operands, " OR ", alternate, place)
	case *ObservationAnd:
		w.observations(e.Operands, " AND ", conjoin, place)
	case *Within:
		w.observation(e.Expression, qualify)
		w.WriteString(" WITHIN " + e.Seconds.String() + " SECONDS")
	case *Repeats:
		w.observation(e.Expression, qualify)
		w.WriteString(" REPEATS " + e.Times.String() + " TIMES")
	case *StartStop:
		w.observation(e.Expression, qualify)
		w.WriteString(" START " + e.Start.String() + " STOP " + e.Stop.String())
	}
}

func (w *printer) observations(operands []ObservationExpression, operator string, own, place int) {
	if place > own {
		w.WriteByte('(')
		defer w.WriteByte(')')
	}
	for i, operand := range operands {
		if i > 0 {
			w.WriteString(operator)
		}
		w.observation(operand, own+1)
	}
}

func (w *printer) comparison(e ComparisonExpression, place int) {
	switch e := e.(type) {
	case *ComparisonGroup:
		w.WriteByte('(')
		w.comparison(e.Expression, loose)
		w.WriteByte(')')
	case *ComparisonOr:
		w.comparisons(e.Operands, " OR ", alternate, place)
	case *ComparisonAnd:
		w.comparisons(e.Operands, " AND ", conjoin, place)
	case *Exists:
		if e.Negated {
			w.WriteString("NOT ")
		}
		w.WriteString("EXISTS ")
		w.path(e.Path)
	case *Comparison:
		w.path(e.Path)
		if e.Negated {
			w.WriteString(" NOT")
		}
		w.WriteString(" " + e.Operator.String() + " ")
		if e.Operator == In {
			w.set(e.Set)
		} else {
			w.WriteString(e.Value.String())
		}
	}
}

func (w *printer) comparisons(operands []ComparisonExpression, operator string, own, place int) {
	if place > own {
		w.WriteByte('(')
		defer w.WriteByte(')')
	}
	for i, operand := range operands {
		if i > 0 {
			w.WriteString(operator)
		}
		w.comparison(operand, own+1)
	}
}

func (w *printer) set(members []Constant) {
	w.WriteByte('(')
	for i, member := range members {
		if i > 0 {
			w.WriteString(", ")
		}
		w.WriteString(member.String())
	}
	w.WriteByte(')')
}

func (w *printer) path(p ObjectPath) {
	w.WriteString(p.Type + ":")
	for i, step := range p.Steps {
		switch step.Kind {
		case Any:
			w.WriteString("[*]")
		case Index:
			w.WriteString("[" + strconv.Itoa(step.Index) + "]")
		default:
			if i > 0 {
				w.WriteByte('.')
			}
			w.WriteString(quoteName(step.Key))
		}
	}
}

// quoteName puts a property name in quotes when the grammar asks for them.
func quoteName(name string) string {
	if name == "" || isDigit(name[0]) || isKeyword(name) {
		return quote(name)
	}
	for i := 0; i < len(name); i++ {
		if !isLetter(name[i]) && !isDigit(name[i]) {
			return quote(name)
		}
	}
	return name
}

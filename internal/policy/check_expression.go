package policy

import (
	"fmt"
	"slices"
	"strings"

	cedar "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
)

// expression returns the type of an expression. ok is false when it was refused, and then no more is said about what it
// is part of.
func (c *checker) expression(n ast.IsNode) (t valueType, ok bool) {
	c.nodes++
	if c.nodes > maxRuleNodes {
		return valueType{}, false // refused as a whole in check
	}
	switch n := n.(type) {
	case ast.NodeValue:
		return c.literal(n.Value)
	case ast.NodeTypeVariable:
		switch n.Name {
		case "principal":
			return valueType{name: "party"}, true
		case "action":
			return valueType{name: "action"}, true
		case "resource":
			return valueType{name: "item"}, true
		}
		return c.refused("context is not a value; ask for one of its attributes", string(n.Name))
	case ast.NodeTypeAccess:
		return c.attribute(n)
	case ast.NodeTypeSet:
		return c.list(n)
	case ast.NodeTypeNot:
		return c.booleans("!", n.Arg)
	case ast.NodeTypeAnd:
		return c.booleans("&&", n.Left, n.Right)
	case ast.NodeTypeOr:
		return c.booleans("||", n.Left, n.Right)
	case ast.NodeTypeIfThenElse:
		return c.booleans("if", n.If, n.Then, n.Else)
	case ast.NodeTypeEquals:
		return c.same("==", n.Left, n.Right)
	case ast.NodeTypeNotEquals:
		return c.same("!=", n.Left, n.Right)
	case ast.NodeTypeIn:
		return c.in(n)
	case ast.NodeTypeIs:
		if t, ok := c.expression(n.Left); ok {
			c.entityType(n.EntityType, t.name)
		}
		return valueType{name: "boolean"}, true
	case ast.NodeTypeContains:
		return c.contains(n)
	case ast.NodeTypeContainsAll:
		return c.sets("containsAll", n.Left, n.Right)
	case ast.NodeTypeContainsAny:
		return c.sets("containsAny", n.Left, n.Right)
	case ast.NodeTypeIsEmpty:
		return c.sets("isEmpty", n.Arg)
	case ast.NodeTypeLike:
		return c.like(n)
	case ast.NodeTypeHas:
		return c.refused("every attribute is always there; leave `has` out")
	case ast.NodeTypeExtensionCall:
		return c.refused(fmt.Sprintf("%s is not in the schema: rules know no addresses, decimals or times", n.Name), string(n.Name))
	case ast.NodeTypeHasTag:
		return c.refused("there are no tags in the schema", "hasTag")
	case ast.NodeTypeGetTag:
		return c.refused("there are no tags in the schema", "getTag")
	case ast.NodeTypeRecord:
		return c.refused("there are no records in the schema", "{")
	case ast.NodeTypeIsIn:
		return c.refused("nothing in the schema has groups; use `in [ ]` with a list", "is")
	}
	// What is left are orders and sums.
	return c.refused("there are no numbers in the schema; compare with == and !=", c.arithmetic(n))
}

func (c *checker) arithmetic(n ast.IsNode) string {
	switch n.(type) {
	case ast.NodeTypeLessThan, ast.NodeTypeLessThanOrEqual:
		return "<"
	case ast.NodeTypeGreaterThan, ast.NodeTypeGreaterThanOrEqual:
		return ">"
	case ast.NodeTypeAdd:
		return "+"
	case ast.NodeTypeMult:
		return "*"
	}
	return "-"
}

func (c *checker) refused(message string, tokens ...string) (valueType, bool) {
	c.refuse(CodeSchema, message, tokens...)
	return valueType{}, false
}

func (c *checker) literal(v cedar.Value) (valueType, bool) {
	switch v := v.(type) {
	case cedar.Boolean:
		return valueType{name: "boolean"}, true
	case cedar.String:
		return valueType{name: "text"}, true
	case cedar.EntityUID:
		name := c.entity(v, "")
		return valueType{name: name}, name != ""
	}
	return c.refused("there are no numbers in the schema", fmt.Sprint(v))
}

func (c *checker) attribute(n ast.NodeTypeAccess) (valueType, bool) {
	name := string(n.Value)
	v, ok := n.Arg.(ast.NodeTypeVariable)
	if !ok {
		return c.refused(fmt.Sprintf("only principal, resource and context have attributes; %s is asked of something else", name), ".", name)
	}
	t, ok := attributes(string(v.Name), name)
	if !ok {
		// The same attribute can be written in two ways, so both are looked for.
		tokens := []string{string(v.Name), ".", name}
		if !c.occur(tokens) {
			tokens[1] = "["
		}
		return c.refused(fmt.Sprintf("%s.%s is not in the schema; it has %s", v.Name, name, strings.Join(Attributes(), ", ")), tokens...)
	}
	return t, true
}

// labels notes which labels an expression of TLP or PAP is compared with: the texts written out in other, or, when other
// is anything else, all.
func (c *checker) labels(n, other ast.IsNode) {
	a, ok := n.(ast.NodeTypeAccess)
	if !ok || a.Value != "tlp" && a.Value != "pap" {
		return
	}
	values := []ast.IsNode{other}
	if s, ok := other.(ast.NodeTypeSet); ok {
		values = s.Elements
	}
	for _, v := range values {
		var text cedar.String
		lit, ok := v.(ast.NodeValue)
		if ok {
			text, ok = lit.Value.(cedar.String)
		}
		switch {
		case a.Value == "tlp" && ok:
			c.rule.tlps = c.rule.tlps.with(TLP(text).level())
		case a.Value == "tlp":
			c.rule.tlps = allTLPs
		case ok:
			c.rule.paps = c.rule.paps.with(PAP(text).level())
		default:
			c.rule.paps = allPAPs
		}
	}
}

func (c *checker) occur(tokens []string) bool {
	for i := 0; i+len(tokens) <= len(c.tokens); i++ {
		if slices.EqualFunc(c.tokens[i:i+len(tokens)], tokens, func(t token, want string) bool { return t.text == want }) {
			return true
		}
	}
	return false
}

func (c *checker) list(n ast.NodeTypeSet) (valueType, bool) {
	if len(n.Elements) == 0 {
		return c.refused("an empty list holds nothing; leave the condition out", "[")
	}
	var first valueType
	for i, e := range n.Elements {
		t, ok := c.expression(e)
		if !ok {
			return valueType{}, false
		}
		if _, literal := e.(ast.NodeValue); !literal {
			return c.refused("a list holds values written out, not attributes", "[")
		}
		if i == 0 {
			first = t
		}
		if t.name != first.name || t.name == "boolean" {
			return c.refused("a list holds values of one type: texts, parties or actions", "[")
		}
	}
	return valueType{name: "set of " + first.name}, true
}

func (c *checker) booleans(operator string, args ...ast.IsNode) (valueType, bool) {
	for _, a := range args {
		t, ok := c.expression(a)
		if !ok {
			return valueType{}, false
		}
		if t.name != "boolean" {
			return c.refused(fmt.Sprintf("%s is between conditions, and this is %s", operator, t.name), operator)
		}
	}
	return valueType{name: "boolean"}, true
}

func (c *checker) same(operator string, left, right ast.IsNode) (valueType, bool) {
	l, ok := c.expression(left)
	if !ok {
		return valueType{}, false
	}
	r, ok := c.expression(right)
	if !ok {
		return valueType{}, false
	}
	if l.name != r.name {
		return c.refused(fmt.Sprintf("%s and %s are never the same", l.name, r.name), operator)
	}
	c.labels(left, right)
	c.labels(right, left)
	return valueType{name: "boolean"}, c.known(l, right) && c.known(r, left)
}

// known says whether every text written out in n is one that an attribute of type t can have: a rule with a slip of the
// pen in a label would never hold, and nobody would notice.
func (c *checker) known(t valueType, n ast.IsNode) bool {
	if t.domain == nil {
		return true
	}
	values := []ast.IsNode{n}
	if s, ok := n.(ast.NodeTypeSet); ok {
		values = s.Elements
	}
	for _, v := range values {
		if lit, ok := v.(ast.NodeValue); ok {
			if s, ok := lit.Value.(cedar.String); ok && !slices.Contains(t.domain, string(s)) {
				_, ok := c.refused(fmt.Sprintf("%q is never the case here; it can be %q", s, t.domain), string(s))
				return ok
			}
		}
	}
	return true
}

func (c *checker) in(n ast.NodeTypeIn) (valueType, bool) {
	l, ok := c.expression(n.Left)
	if !ok {
		return valueType{}, false
	}
	r, ok := c.expression(n.Right)
	if !ok {
		return valueType{}, false
	}
	if l.name != "party" && l.name != "action" || r.element() != l.name {
		return c.refused(fmt.Sprintf("`in` asks whether a party or an action is in a list of its kind; for texts write [ ].contains( ), here are %s and %s", l.name, r.name), "in")
	}
	return valueType{name: "boolean"}, true
}

func (c *checker) contains(n ast.NodeTypeContains) (valueType, bool) {
	l, ok := c.expression(n.Left)
	if !ok {
		return valueType{}, false
	}
	r, ok := c.expression(n.Right)
	if !ok {
		return valueType{}, false
	}
	if l.name != "set of "+r.name {
		return c.refused(fmt.Sprintf("contains asks a list for a value of its kind, here are %s and %s", l.name, r.name), "contains")
	}
	c.labels(n.Right, n.Left)
	return valueType{name: "boolean"}, c.known(r, n.Left)
}

func (c *checker) sets(method string, args ...ast.IsNode) (valueType, bool) {
	var first valueType
	for i, a := range args {
		t, ok := c.expression(a)
		if !ok {
			return valueType{}, false
		}
		if i == 0 {
			first = t
		}
		if !strings.HasPrefix(t.name, "set of ") || t.name != first.name {
			return c.refused(fmt.Sprintf("%s is for lists of one kind, and here is %s", method, t.name), method)
		}
	}
	return valueType{name: "boolean"}, true
}

func (c *checker) like(n ast.NodeTypeLike) (valueType, bool) {
	t, ok := c.expression(n.Arg)
	if !ok {
		return valueType{}, false
	}
	if t.name != "text" {
		return c.refused("like is for texts, and this is "+t.name, "like")
	}
	pattern := string(n.Value.MarshalCedar())
	wildcards := strings.Count(pattern, "*") - strings.Count(pattern, `\*`)
	if len(pattern) > maxLikeLength || wildcards > maxLikeWildcard {
		c.refuse(CodeCost, fmt.Sprintf("a pattern has at most %d characters and %d asterisks", maxLikeLength, maxLikeWildcard), "like")
		return valueType{}, false
	}
	c.labels(n.Arg, nil)
	c.nodes += 8 // a pattern costs more than a comparison
	return valueType{name: "boolean"}, true
}

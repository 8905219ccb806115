package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	cedar "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
)

// kind of a value in the schema.
type valueType struct {
	name   string   // "boolean", "text", "party", "action", "item", "set of text", "set of party", "set of action"
	domain []string // the only texts an attribute can have; nil: any
}

func (v valueType) element() string { return strings.TrimPrefix(v.name, "set of ") }

// attributes is the closed schema: every attribute a rule can look at, by variable. They are the fields of Class.
func attributes(variable, name string) (valueType, bool) {
	switch variable + "." + name {
	case "principal.membership":
		return valueType{"text", []string{string(NoMember), string(Member), string(Client), string(Community), string(Witness)}}, true
	case "principal.standing":
		return valueType{"text", []string{string(NoStanding), string(Invited), string(Declined), string(Joined), string(Withdrawn)}}, true
	case "principal.connected", "context.named", "context.hosts", "context.sealed", "context.own":
		return valueType{name: "boolean"}, true
	case "principal.sectors", "resource.sectors":
		return valueType{name: "set of text"}, true
	case "resource.agreement", "resource.kind":
		return valueType{name: "text"}, true
	case "resource.author":
		return valueType{name: "party"}, true
	case "resource.tlp":
		return valueType{"text", texts(TLPs())}, true
	case "resource.pap":
		return valueType{"text", texts(PAPs())}, true
	case "context.audience":
		return valueType{"text", []string{audienceOpen, audienceInside, audienceOutside}}, true
	case "context.use":
		return valueType{"text", texts(Uses())}, true
	}
	return valueType{}, false
}

// Attributes lists the closed schema as rules spell it, in the order of the documentation.
func Attributes() []string {
	return []string{
		"principal.membership", "principal.standing", "principal.connected", "principal.sectors",
		"resource.agreement", "resource.author", "resource.tlp", "resource.pap", "resource.kind", "resource.sectors",
		"context.audience", "context.named", "context.hosts", "context.sealed", "context.own", "context.use",
	}
}

func texts[T ~string](values []T) []string {
	s := make([]string, len(values))
	for i, v := range values {
		s[i] = string(v)
	}
	return s
}

// checker holds one policy against the schema. Its problems are in the order they were met.
type checker struct {
	file     string
	policy   *cedar.Policy
	tokens   []token // of this policy
	problems []Problem
	nodes    int
	rule     rule
}

// partyID is the form of a party's id (docs/formats.md, section 1).
var partyID = regexp.MustCompile(`^p-[a-z2-7]{32}$`)

// ruleID is the form of an @id.
var ruleID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

func (c *checker) check() *rule {
	tree := (*ast.Policy)(c.policy.AST())
	p := c.policy.Position()
	c.rule = rule{where: at(c.file, p.Line, p.Column), policy: c.policy, words: make(map[string]string)}
	c.annotations(tree.Annotations)
	c.scope(tree)
	for _, condition := range tree.Conditions {
		if t, ok := c.expression(condition.Body); ok && t.name != "boolean" {
			c.refuse(CodeSchema, "a condition must be true or false, and this is "+t.name)
		}
	}
	if c.nodes > maxRuleNodes {
		c.refuse(CodeCost, fmt.Sprintf("one rule has %d conditions and list elements, more than %d; split it", c.nodes, maxRuleNodes))
	}
	c.rule.cost = 1 + c.nodes
	c.rule.cost *= c.rule.tlps.asks() * c.rule.paps.asks()
	return &c.rule
}

// refuse notes a problem at the first place in the policy where the tokens occur in a row, or at its beginning.
func (c *checker) refuse(code Code, message string, tokens ...string) {
	where := c.rule.where
	if len(tokens) == 1 && len(tokens[0]) == 2 && !word(rune(tokens[0][0])) {
		tokens = []string{tokens[0][:1], tokens[0][1:]} // lex knows single marks
	}
	for i := range c.tokens {
		if len(tokens) == 0 || i+len(tokens) > len(c.tokens) {
			break
		}
		if slices.EqualFunc(c.tokens[i:i+len(tokens)], tokens, func(t token, want string) bool {
			return t.text == want || t.text == `"`+want+`"`
		}) {
			where = at(c.file, c.tokens[i].line, c.tokens[i].column)
			break
		}
	}
	c.problems = append(c.problems, Problem{code, where, message})
}

func (c *checker) annotations(annotations []ast.AnnotationType) {
	for _, a := range annotations {
		key, value := string(a.Key), string(a.Value)
		if len(value) > maxWords {
			c.refuse(CodeSize, fmt.Sprintf("@%s has %d bytes, more than %d", key, len(value), maxWords), "@", key)
		}
		switch key {
		case "id":
			c.rule.id = value
		case "en", "fr", "ar":
			if strings.TrimSpace(value) != "" {
				c.rule.words[key] = value
			}
		case "note":
		default:
			c.refuse(CodeSchema, fmt.Sprintf("@%s is not known; annotations are @id, @en, @fr, @ar and @note", key), "@", key)
		}
	}
	if !ruleID.MatchString(c.rule.id) {
		c.refuse(CodeID, `the rule needs a name to be told by, such as @id("energy-only"): lower-case letters, digits and hyphens`)
	}
	if len(c.rule.words) == 0 {
		c.refuse(CodeID, `the rule needs words for the people it concerns: @en("…"), @fr("…") or @ar("…")`)
	}
}

func (c *checker) scope(tree *ast.Policy) {
	switch s := tree.Principal.(type) {
	case ast.ScopeTypeAll:
	case ast.ScopeTypeEq:
		c.entity(s.Entity, "party")
	case ast.ScopeTypeIn:
		c.entity(s.Entity, "party")
	case ast.ScopeTypeIs:
		c.entityType(s.Type, "party")
	default:
		c.refuse(CodeSchema, "parties are in no groups; name a party, or ask for principal.membership or principal.sectors", "principal")
	}
	switch s := tree.Action.(type) {
	case ast.ScopeTypeAll:
	case ast.ScopeTypeEq:
		c.entity(s.Entity, "action")
	case ast.ScopeTypeIn:
		c.entity(s.Entity, "action")
	case ast.ScopeTypeInSet:
		for _, e := range s.Entities {
			c.entity(e, "action")
		}
	default:
		c.refuse(CodeSchema, "an action is named with == or in [ ]", "action")
	}
	switch s := tree.Resource.(type) {
	case ast.ScopeTypeAll:
	case ast.ScopeTypeIs:
		c.entityType(s.Type, "item")
	default:
		c.refuse(CodeSchema, "rules are for classes of items, never for one: leave resource alone and ask for its attributes", "resource")
	}
}

func (c *checker) entityType(t cedar.EntityType, want string) {
	names := map[string]cedar.EntityType{"party": partyType, "action": actionType, "item": itemType}
	if t != names[want] {
		c.refuse(CodeSchema, fmt.Sprintf("%s is no type of the schema; here it can only be %s", t, names[want]), string(t))
	}
}

// entity checks an entity's literal and returns its type's name. want is "" when any will do.
func (c *checker) entity(uid cedar.EntityUID, want string) string {
	c.nodes++
	var got string
	switch uid.Type {
	case partyType:
		got = "party"
		if !partyID.MatchString(string(uid.ID)) {
			c.refuse(CodeSchema, fmt.Sprintf("%q is not a party id: p- and 32 characters", uid.ID), string(uid.ID))
		}
	case actionType:
		got = "action"
		if !slices.ContainsFunc(Exits(), func(e Exit) bool { return e.String() == string(uid.ID) }) {
			c.refuse(CodeSchema, fmt.Sprintf("there is no exit %q; exits are %v", uid.ID, Exits()), string(uid.ID))
		}
	default:
		c.refuse(CodeSchema, fmt.Sprintf("%s is no type of the schema; entities are Party and Action", uid.Type), strings.Split(string(uid.Type), "::")[0])
		return want
	}
	if want != "" && got != want {
		c.refuse(CodeSchema, fmt.Sprintf("here must be a %s, and this is a %s", want, got), string(uid.Type))
	}
	return got
}

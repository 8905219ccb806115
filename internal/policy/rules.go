package policy

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	cedar "github.com/cedar-policy/cedar-go"
)

// Limits of one agreement's rules. They bound what a load and an evaluation can cost.
const (
	maxRulesBytes   = 64 << 10
	maxRules        = 100
	maxRuleNodes    = 400   // nodes of one rule's conditions, elements of lists included
	maxCost         = 4_000 // nodes of all rules, each times the labels it must be asked for
	maxNesting      = 24
	maxLikeLength   = 64
	maxLikeWildcard = 2
	maxWords        = 500 // bytes of one annotation
	maxLoadErrors   = 20
)

// Rules are an agreement's own rules, loaded and checked. They are immutable and safe for concurrent use.
//
// A rule that forbids for one label forbids for every stricter one, and a rule that permits for one label permits for
// every laxer one: so a stricter marking never reaches further, however rules are written. What rules permit is cut by
// the shipped ceiling.
type Rules struct {
	agreement        string
	forbids, permits []group
	count            int
}

// group is rules that are asked for the same labels.
type group struct {
	rules      rules
	tlps, paps levels
}

// NoRules stands for an agreement that has no rules of its own.
func NoRules(agreement string) *Rules { return &Rules{agreement: agreement} }

// LoadRules reads an agreement's own rules: Cedar policies under the closed schema, each with an @id and words for
// people in @en, @fr or @ar. file is what errors call the text. The error is a *LoadError, which lists up to 20 places.
func LoadRules(agreement, file string, src []byte) (*Rules, error) {
	loaded, err := load(file, src)
	if err != nil {
		return nil, err
	}
	base, err := shipped()
	if err != nil {
		return nil, err
	}
	rs := &Rules{agreement: agreement, count: len(loaded)}
	for _, r := range loaded {
		if base.forbids.byID(r.id) != nil || base.permits.byID(r.id) != nil {
			return nil, &LoadError{[]Problem{{Code: CodeID, Where: r.where,
				Message: fmt.Sprintf("@id(%q) is the name of a shipped rule; choose another", r.id)}}}
		}
		if r.policy.Effect() == cedar.Forbid {
			rs.forbids = grouped(rs.forbids, r)
		} else {
			rs.permits = grouped(rs.permits, r)
		}
	}
	return rs, nil
}

// grouped puts a rule with those that look at the same kinds of labels: most look at none, and are asked once.
func grouped(gs []group, r *rule) []group {
	for i := range gs {
		g := &gs[i]
		if (g.tlps == 0) == (r.tlps == 0) && (g.paps == 0) == (r.paps == 0) {
			g.rules = append(g.rules, r)
			g.tlps |= r.tlps
			g.paps |= r.paps
			return gs
		}
	}
	return append(gs, group{rules: rules{r}, tlps: r.tlps, paps: r.paps})
}

// Agreement returns the agreement's id.
func (rs *Rules) Agreement() string { return rs.agreement }

// Len returns how many rules there are.
func (rs *Rules) Len() int { return rs.count }

// Code is what kind of problem a rule has.
type Code string

// The problems of rules.
const (
	CodeSize   Code = "rules-size"   // the text, the number of rules or a list is too large
	CodeCost   Code = "rules-cost"   // deciding would cost too much
	CodeSyntax Code = "rules-syntax" // it is not Cedar
	CodeSchema Code = "rules-schema" // something outside the closed schema, or of the wrong type
	CodeID     Code = "rules-id"     // an @id is missing, malformed or taken, or words for people are missing
)

// Problem is one thing wrong with rules. Where is file:line:column, lines and columns counted from 1, columns in characters.
type Problem struct {
	Code    Code
	Where   string
	Message string // what is wrong and what to write instead
}

// LoadError is why rules were refused. None of them is in force.
type LoadError struct {
	Problems []Problem // at least one, in the order of the text
}

// Error names the first problem and counts the others.
func (e *LoadError) Error() string {
	p := e.Problems[0]
	s := fmt.Sprintf("loading rules: %s: %s", p.Where, p.Message)
	if n := len(e.Problems) - 1; n > 0 {
		s += fmt.Sprintf(" (and %d more)", n)
	}
	return s
}

// load reads and checks rules of either origin.
func load(file string, src []byte) (rules, error) {
	if len(src) > maxRulesBytes {
		return nil, &LoadError{[]Problem{{CodeSize, at(file, 1, 1),
			fmt.Sprintf("the rules have %d bytes, more than %d; say the same with fewer", len(src), maxRulesBytes)}}}
	}
	tokens, problem := lex(file, src)
	if problem != nil {
		return nil, &LoadError{[]Problem{*problem}}
	}
	list, err := cedar.NewPolicyListFromBytes(file, src)
	if err != nil {
		return nil, &LoadError{[]Problem{syntaxProblem(file, err)}}
	}
	if len(list) > maxRules {
		p := list[maxRules].Position()
		return nil, &LoadError{[]Problem{{CodeSize, at(file, p.Line, p.Column),
			fmt.Sprintf("there are %d rules, more than %d; join some", len(list), maxRules)}}}
	}
	var loaded rules
	var problems []Problem
	cost := 0
	for i, policy := range list {
		end := len(src)
		if i+1 < len(list) {
			end = list[i+1].Position().Offset
		}
		c := &checker{file: file, policy: policy, tokens: within(tokens, policy.Position().Offset, end)}
		r := c.check()
		if loaded.byID(r.id) != nil {
			c.refuse(CodeID, fmt.Sprintf("@id(%q) is taken by an earlier rule", r.id), r.id)
		}
		cost += r.cost
		if cost > maxCost && len(c.problems) == 0 {
			c.refuse(CodeCost, fmt.Sprintf("deciding would cost %d steps by this rule, more than %d; say the same with fewer conditions", cost, maxCost))
			cost = 0
		}
		problems = append(problems, c.problems...)
		loaded = append(loaded, r)
		if len(problems) >= maxLoadErrors {
			break
		}
	}
	if len(problems) > 0 {
		return nil, &LoadError{problems[:min(len(problems), maxLoadErrors)]}
	}
	return loaded, nil
}

func at(file string, line, column int) string {
	return file + ":" + strconv.Itoa(line) + ":" + strconv.Itoa(column)
}

// cedarPlace is where cedar-go's parser says it stopped.
var cedarPlace = regexp.MustCompile(`<input>:(\d+):(\d+)`)

// syntaxProblem turns a parser's error into a place and words. The parser names the token after the one it disliked.
func syntaxProblem(file string, err error) Problem {
	line, column := 1, 1
	if m := cedarPlace.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1]) // digits, by the expression above
		column, _ = strconv.Atoi(m[2])
	}
	cause := err
	for e := errors.Unwrap(err); e != nil; e = errors.Unwrap(e) {
		cause = e
	}
	return Problem{CodeSyntax, at(file, line, column),
		"this is not Cedar, at or just before this place: " + strings.ReplaceAll(cause.Error(), "\n", " ")}
}

// within returns the tokens whose first byte is in [from, to).
func within(tokens []token, from, to int) []token {
	offset := func(t token, o int) int { return t.offset - o }
	i, _ := slices.BinarySearchFunc(tokens, from, offset)
	j, _ := slices.BinarySearchFunc(tokens, to, offset)
	return tokens[i:j]
}

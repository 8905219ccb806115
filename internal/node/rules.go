package node

import (
	"fmt"
	"strings"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/facts"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/policy"
)

// ruleChecker compiles the sharing rules of agreement files against the closed schema of package policy.
type ruleChecker struct{}

// CheckRule implements [agreement.RuleChecker].
func (ruleChecker) CheckRule(label, cedar string) error {
	_, err := policy.LoadRules("", "rule "+label, ruleSource(agreement.Rule{Label: label, Cedar: cedar}))
	return err
}

// compileRules loads an agreement's own rules for decisions: each with its label as @id and its names as words.
func compileRules(id string, a *agreement.Agreement) (*policy.Rules, error) {
	if len(a.Rules) == 0 {
		return policy.NoRules(id), nil
	}
	var src []byte
	for _, r := range a.Rules {
		src = append(src, ruleSource(r)...)
		src = append(src, '\n')
	}
	rules, err := policy.LoadRules(id, a.Label, src)
	if err != nil {
		return nil, fmt.Errorf("loading the rules of %s: %w", a.Label, err)
	}
	return rules, nil
}

// ruleSource is a rule with the annotations that package policy wants, on the line of its first word so that lines in
// errors are those of the file. A rule that brings an @id of its own stays as it is.
func ruleSource(r agreement.Rule) []byte {
	if strings.Contains(r.Cedar, "@id(") {
		return []byte(r.Cedar)
	}
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	var b strings.Builder
	fmt.Fprintf(&b, `@id("%s") `, strings.ReplaceAll(strings.ToLower(r.Label), ".", "-"))
	words := 0
	for _, language := range []string{"ar", "en", "fr"} {
		if name := r.Names[language]; name != "" {
			fmt.Fprintf(&b, `@%s("%s") `, language, quote.Replace(name))
			words++
		}
	}
	if words == 0 {
		name, _ := r.Names.In("en")
		if name == "" {
			name = r.Label
		}
		fmt.Fprintf(&b, `@en("%s") `, quote.Replace(name))
	}
	b.WriteString(r.Cedar)
	return []byte(b.String())
}

// definitionOptions are those with which every reader of a roll reads its texts. They name no register: a definition
// declares its own parties and sources, so that it means the same to every version of the program.
func definitionOptions() agreement.Options { return agreement.Options{Rules: ruleChecker{}} }

// maxDefinition is docs/formats.md's limit on an agreement file, in bytes.
const maxDefinition = 1 << 20

// CheckDefinition says what is wrong with an agreement file that is to be proposed: every problem with its place in the
// file and what to do about it.
func CheckDefinition(file string, text []byte) error {
	if len(text) > maxDefinition {
		return fault.New(fault.Invalid, "shorten it", "reading %s: %d bytes, an agreement file has at most 1 MiB", file, len(text))
	}
	f, err := facts.Load()
	if err != nil {
		return err
	}
	options := definitionOptions()
	options.Elsewhere = f.Elsewhere // before it is proposed: a roll's texts are read without it
	a, err := agreement.Load(file, text, options)
	if err != nil {
		return &fault.Fault{Code: fault.Invalid, What: "reading the agreement", Err: err}
	}
	if a.Mode == agreement.Shelf {
		return fault.New(fault.Invalid, "write mode = \"depositary\" or \"pair\"", "reading %s: it is a shelf copy of an agreement of others", file)
	}
	return nil
}

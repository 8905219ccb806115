package agreement

import (
	"fmt"
	"slices"

	"github.com/mithaq/mithaq/internal/agreement/strictoml"
)

// Format is the first key of every agreement file.
const Format = "mithaq-agreement/1"

// Options say what a file may refer to outside itself.
type Options struct {
	// Party says whether a label names a party of a register kept elsewhere, and whether that party is fictional.
	// Nil: every party must be declared in the file.
	Party func(label string) (fictional, ok bool)
	// Source says whether a label names a source kept elsewhere, and whether it can make a statement verified.
	// Nil: every source must be declared in the file.
	Source func(label string) (reliable, ok bool)
	// Elsewhere says of a commitment or entry of another agreement whether that agreement is known and whether it has it; an empty
	// label asks for the agreement alone. Nil: what lies outside the file is not looked up, as where a roll is read, whose
	// texts must mean the same to everybody.
	Elsewhere func(agreement, label string) (known, ok bool)
	// Rules compiles sharing rules. Nil: only their size is checked.
	Rules RuleChecker
}

// Load reads an agreement file. The error is a [strictoml.Problems]: every problem with its place and its remedy.
// References to other agreements are checked by [Options].Elsewhere, or by [Library.Check] once all are loaded.
func Load(file string, data []byte, opt Options) (*Agreement, error) {
	var log strictoml.Log
	root := strictoml.Parse(file, data, &log)
	if root == nil {
		return nil, log.Err()
	}
	if f := root.Need("format"); f != "" && f != Format {
		root.Fail("format", "write format = \""+Format+"\"", "format %q is not one this version reads", clip(f))
		return nil, log.Err()
	}
	l := &loader{opt: opt, log: &log, a: &Agreement{}, fields: Fields{log: &log}}
	l.file(root)
	root.Done()
	l.resolve()
	if err := log.Err(); err != nil {
		return nil, err
	}
	return l.a, nil
}

// loader reads one file. Labels are collected with their places, references are checked once everything is read.
type loader struct {
	opt     Options
	log     *strictoml.Log
	fields  Fields
	a       *Agreement
	labels  map[string]map[string]strictoml.Pos // namespace → label → place
	refs    []reference
	related map[string]bool // "from to" of the crosswalks so far

	witnesses *strictoml.Table // nil: none are named
}

type reference struct {
	pos   strictoml.Pos
	space string
	label string
}

// The namespaces of labels. Commitments and items share one, so that a crosswalk's end is never ambiguous.
const (
	spaceParty    = "party"
	spaceSource   = "source"
	spaceNumber   = "commitment or item"
	spaceDeadline = "deadline"
	spaceRule     = "rule"
	spaceClaim    = "claim"
)

// RecordKinds lists the kinds of records which can put a commitment into practice or meet a deadline.
func RecordKinds() []string {
	return []string{"intel", "sighting", "recall", "incident", "request", "answer", "hotline", "ack", "allegation", "response",
		"advisory", "practice", "meeting", "exercise", "report", "contact", "act", "keyring", "epoch", "receipt", "release"}
}

// label reads and registers a label of a namespace.
func (l *loader) label(t *strictoml.Table, space string) string {
	s := t.Need("label")
	if s == "" {
		return ""
	}
	if err := CheckLabel(s); err != nil {
		t.Fail("label", "shorten it, or use only letters, digits, dots and hyphens", "%v", err)
		return s
	}
	if l.labels == nil {
		l.labels = map[string]map[string]strictoml.Pos{}
	}
	if l.labels[space] == nil {
		l.labels[space] = map[string]strictoml.Pos{}
	}
	if first, ok := l.labels[space][s]; ok {
		t.Fail("label", "give one of the two another label", "%s %q is already at line %d", space, s, first.Line)
		return s
	}
	l.labels[space][s] = t.At("label")
	return s
}

// ref reads a label that must exist.
func (l *loader) ref(t *strictoml.Table, key, space string) string {
	s := t.Text(key)
	if s != "" {
		l.refs = append(l.refs, reference{t.At(key), space, s})
	}
	return s
}

func (l *loader) refsOf(t *strictoml.Table, key, space string) []string {
	var out []string
	for _, w := range t.Words(key) {
		if slices.Contains(out, w.Text) {
			l.log.Add(w.Pos, "remove one", "%q is listed twice", clip(w.Text))
			continue
		}
		l.refs = append(l.refs, reference{w.Pos, space, w.Text})
		out = append(out, w.Text)
	}
	return out
}

// resolve reports references that lead nowhere.
func (l *loader) resolve() {
	for _, r := range l.refs {
		if _, ok := l.labels[r.space][r.label]; ok {
			continue
		}
		switch r.space {
		case spaceParty:
			if l.opt.Party != nil {
				if fictional, ok := l.opt.Party(r.label); ok {
					if fictional && !l.a.Fictional {
						l.log.Add(r.pos, "remove it, or mark the agreement itself fictional = true",
							"party %q is invented and the agreement is real", r.label)
					}
					continue
				}
			}
		case spaceSource:
			if l.opt.Source != nil {
				if _, ok := l.opt.Source(r.label); ok {
					continue
				}
			}
		}
		l.log.Add(r.pos, fmt.Sprintf("add a [[%s]] with this label, or correct it", section(r.space)), "there is no %s %q", r.space, clip(r.label))
	}
}

func section(space string) string {
	if space == spaceNumber {
		return "commitment"
	}
	return space
}

// reliable says whether a source can make a statement verified.
func (l *loader) reliable(label string) bool {
	if s, ok := l.a.SourceOf(label); ok {
		return s.Reliable()
	}
	if l.opt.Source != nil {
		reliable, ok := l.opt.Source(label)
		return ok && reliable
	}
	return false
}

package intel

import (
	"fmt"
	"io"
	"time"

	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/plan"
	"github.com/mithaq/mithaq/internal/detect/warning"
	"github.com/mithaq/mithaq/stix"
)

// Compiler collects indicators from files.
type Compiler struct {
	// Now decides which indicators are over. The zero time takes all: what is replayed may be old.
	Now time.Time
	// Subdomains makes the domains of plain lists stand for every name below them as well.
	Subdomains bool
	// Warnings are lists that indicators are checked against as they come in; nil is none. One that is on a list stays
	// in use (its matches are lowered, and name the list), and is counted and told of.
	Warnings *warning.Lists
	// Warned is told of each value that is on a warning list. It may be nil.
	Warned func(Refusal)
	// Refused is told of each indicator, or part of one, that was left out. It may be nil.
	Refused func(Refusal)

	builder index.Builder
	plans   map[index.ID]*plan.Plan
	report  Report

	// STIX indicators wait here until all files are read.
	latest   map[string]indicator
	order    []string
	markings []stix.Object
	authors  map[string]string // identity to name
	opinions map[string]opinion
}

// Refusal says what was left out and why.
type Refusal struct {
	File      string
	Line      int    // of a list; 0 otherwise
	Indicator string // the identifier; empty for lists
	Value     string // empty when it is about the whole
	Reason    string
}

// String tells a person.
func (r Refusal) String() string {
	where := r.File
	if r.Line > 0 {
		where = fmt.Sprintf("%s:%d", r.File, r.Line)
	}
	for _, part := range []string{r.Indicator, r.Value} {
		if part != "" {
			where += ": " + part
		}
	}
	return where + ": " + r.Reason
}

// Report counts what was read.
type Report struct {
	Indicators int            `json:"in_use"`            // that are in use
	Patterns   int            `json:"patterns"`          // of these, those that need more than one value
	Scans      int            `json:"scans"`             // of these, those that have to be asked about every event
	Refused    map[string]int `json:"refused,omitempty"` // by reason
	Warned     map[string]int `json:"warned,omitempty"`  // values on warning lists, by list
}

// Compiled is what a Compiler made.
type Compiled struct {
	Builder *index.Builder
	Plans   map[index.ID]*plan.Plan
	Doubted map[index.ID]int // how many parties report an indicator as a false positive
	Report  Report
}

// Compiled gives everything that was read. The compiler is used up.
func (c *Compiler) Compiled() Compiled {
	c.takeAll()
	return Compiled{Builder: &c.builder, Plans: c.plans, Doubted: c.doubted(), Report: c.report}
}

// Read reads a file of indicators: a STIX bundle, object or list of objects, else one value a line. The error says why
// the file cannot be read; single indicators never make one.
func (c *Compiler) Read(name string, r io.Reader) error {
	text, isSTIX, err := open(r)
	if err != nil {
		return fmt.Errorf("reading indicators from %s: %w", name, err)
	}
	if isSTIX {
		err = c.readSTIX(name, text)
	} else {
		err = c.readList(name, text)
	}
	if err != nil {
		return fmt.Errorf("reading indicators from %s: %w", name, err)
	}
	return nil
}

func (c *Compiler) refuse(r Refusal, group string) {
	if c.report.Refused == nil {
		c.report.Refused = map[string]int{}
	}
	c.report.Refused[group]++
	if c.Refused != nil {
		c.Refused(r)
	}
}

// add puts the values of one indicator into the set; those that are over-broad are left out. It tells whether any
// is in.
func (c *Compiler) add(atoms []plan.Atom, row index.Row, where Refusal) (bool, error) {
	added := false
	for _, atom := range atoms {
		if reason := index.Refuse(atom.Kind, atom.Key); reason != "" {
			where.Value, where.Reason = index.Render(atom.Kind, atom.Key), reason
			c.refuse(where, "over-broad")
			continue
		}
		c.warn(atom, where)
		if err := c.builder.Add(atom.Kind, atom.Key, row); err != nil {
			return added, err
		}
		added = true
	}
	return added, nil
}

// warn tells of the warning lists that a value is on.
func (c *Compiler) warn(atom plan.Atom, where Refusal) {
	if c.Warnings == nil {
		return
	}
	for _, list := range c.Warnings.Check(atom.Kind, atom.Key) {
		if c.report.Warned == nil {
			c.report.Warned = map[string]int{}
		}
		c.report.Warned[list.Name]++
		if c.Warned != nil {
			where.Value, where.Reason = index.Render(atom.Kind, atom.Key), "on the warning list: "+list.Name
			c.Warned(where)
		}
	}
}

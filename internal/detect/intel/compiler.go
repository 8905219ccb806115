package intel

import (
	"fmt"
	"io"
	"time"

	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/plan"
)

// Compiler collects indicators from files.
type Compiler struct {
	// Now decides which indicators are over. The zero time takes all: what is replayed may be old.
	Now time.Time
	// Subdomains makes the domains of plain lists stand for every name below them as well.
	Subdomains bool
	// Refused is told of each indicator, or part of one, that was left out. It may be nil.
	Refused func(Refusal)

	builder index.Builder
	plans   map[index.ID]*plan.Plan
	report  Report
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
	Indicators int            // that are in use
	Patterns   int            // of these, those that need more than one value
	Scans      int            // of these, those that have to be asked about every event
	Refused    map[string]int // by reason
}

// Compiled is what a Compiler made.
type Compiled struct {
	Builder *index.Builder
	Plans   map[index.ID]*plan.Plan
	Report  Report
}

// Compiled gives everything that was read. The compiler is used up.
func (c *Compiler) Compiled() Compiled {
	return Compiled{Builder: &c.builder, Plans: c.plans, Report: c.report}
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
		if err := c.builder.Add(atom.Kind, atom.Key, row); err != nil {
			return added, err
		}
		added = true
	}
	return added, nil
}

package intel

import (
	"errors"
	"io"
	"time"

	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/plan"
	"github.com/mithaq/mithaq/stix"
	"github.com/mithaq/mithaq/stix/pattern"
)

// indicator is what a STIX indicator says, before it is decided on.
type indicator struct {
	file        string
	object      stix.Object
	extension   stix.Extension
	from, until time.Time
	confidence  uint8
	name        string
	author      string
	patternType string
	pattern     string
	source      *index.Source // as the caller says; nil: as the file says
}

// readSTIX reads the indicators among a document's objects. They are decided on when all files are read: of several
// versions of one, in whichever files, the latest counts.
func (c *Compiler) readSTIX(name string, text io.Reader) error {
	if c.latest == nil {
		c.latest, c.authors = map[string]indicator{}, map[string]string{}
	}
	for object, err := range stix.Objects(text, stix.Limits{}) {
		if err != nil {
			if object.Raw == nil {
				return err
			}
			c.refuse(Refusal{File: name, Indicator: object.ID, Reason: err.Error()}, "unreadable")
			continue
		}
		switch object.Type {
		case "marking-definition":
			c.markings = append(c.markings, object)
		case "identity":
			if v, err := object.Open(); err == nil {
				c.authors[object.ID] = v.Get("name").Text()
			}
		case "opinion":
			c.readOpinion(object)
		case "indicator":
			in, err := readIndicator(object)
			if err != nil {
				c.refuse(Refusal{File: name, Indicator: object.ID, Reason: err.Error()}, "unreadable")
				continue
			}
			in.file = name
			c.keep(in)
		}
	}
	return nil
}

// keep notes an indicator, unless a later version of it is there.
func (c *Compiler) keep(in indicator) {
	id := in.object.ID
	old, seen := c.latest[id]
	if !seen {
		c.order = append(c.order, id)
	}
	if !seen || stix.Newer(in.object, old.object) {
		c.latest[id] = in
	}
}

// takeAll decides on all STIX indicators that were read. One that there is no room for is refused like others.
func (c *Compiler) takeAll() {
	known := stix.MarkingsOf(c.markings)
	for _, id := range c.order {
		in, here := c.latest[id]
		if !here {
			continue // dropped, or taken already
		}
		delete(c.latest, id)
		if err := c.take(in, known); err != nil {
			c.refuse(Refusal{File: in.file, Indicator: id, Reason: err.Error()}, "no-room")
		}
	}
	c.order, c.latest, c.markings = nil, nil, nil
}

// Take takes one indicator that the caller knows the source of. Of several versions the latest counts.
func (c *Compiler) Take(object stix.Object, source index.Source) {
	if c.latest == nil {
		c.latest, c.authors = map[string]indicator{}, map[string]string{}
	}
	in, err := readIndicator(object)
	if err != nil {
		c.refuse(Refusal{File: source.Feed, Indicator: object.ID, Reason: err.Error()}, "unreadable")
		return
	}
	in.file, in.source = source.Feed, &source
	c.keep(in)
}

// Drop takes an indicator that was taken, by its STIX id, out again.
func (c *Compiler) Drop(id string) { delete(c.latest, id) }

func readIndicator(o stix.Object) (in indicator, err error) {
	v, err := o.Open()
	if err != nil {
		return in, err
	}
	in = indicator{object: o, name: v.Get("name").Text(), author: v.Get("created_by_ref").Text(), confidence: index.NoConfidence,
		patternType: v.Get("pattern_type").Text(), pattern: v.Get("pattern").Text()}
	if n, ok := v.Get("confidence").Int(); ok && n >= 0 && n <= 100 {
		in.confidence = uint8(n)
	}
	for field, to := range map[string]*time.Time{"valid_from": &in.from, "valid_until": &in.until} {
		if text := v.Get(field); text.Exists() {
			if *to, err = stix.ParseTimestamp(text.Text()); err != nil {
				return in, errors.New(field + " is no timestamp")
			}
		}
	}
	in.extension, _, err = stix.ReadExtension(o)
	return in, err
}

// take decides on one indicator, and compiles it.
func (c *Compiler) take(in indicator, known stix.Markings) error {
	where := Refusal{File: in.file, Indicator: in.object.ID}
	if reason, group := c.unfit(in); reason != "" {
		where.Reason = reason
		c.refuse(where, group)
		return nil
	}
	id, err := index.ParseID(in.object.ID)
	if err != nil {
		where.Reason = err.Error()
		c.refuse(where, "unreadable")
		return nil //nolint:nilerr // one bad indicator is told and does not stop the rest
	}
	p, err := pattern.Parse(in.pattern)
	if err != nil {
		where.Reason = "its pattern: " + err.Error()
		c.refuse(where, "pattern")
		return nil //nolint:nilerr // one bad indicator is told and does not stop the rest
	}
	compiled, err := plan.Compile(p)
	if err != nil {
		where.Reason = err.Error()
		c.refuse(where, "pattern")
		return nil //nolint:nilerr // one bad indicator is told and does not stop the rest
	}
	source := index.Source{Feed: in.file, Author: in.author, AuthorName: c.authors[in.author], Agreement: in.extension.Agreement,
		Record: in.extension.Record, PAP: in.extension.PAP}
	if marked, err := stix.Effective(in.object, known); err == nil && marked.Strictest() != stix.TLPNone {
		source.Marking = marked.Strictest().String()
	}
	if in.source != nil {
		source = *in.source
	}
	row := index.Row{Indicator: id, Confidence: in.confidence, Name: c.builder.Name(in.name)}
	row.From, row.Until = index.Seconds(in.from, in.until)
	if row.Source, err = c.builder.Source(source); err != nil {
		return err
	}
	return c.compile(compiled, row, where)
}

func (c *Compiler) compile(p *plan.Plan, row index.Row, where Refusal) error {
	if len(p.Simple) > 0 {
		added, err := c.add(p.Simple, row, where)
		if added {
			c.report.Indicators++
		}
		return err
	}
	row.Pattern = true
	for _, atom := range p.Atoms {
		if err := c.builder.Add(atom.Kind, atom.Key, row); err != nil {
			return err
		}
	}
	if p.Scan {
		if err := c.builder.Add(index.Other, index.ScanKey(nil, row.Indicator), row); err != nil {
			return err
		}
	}
	if c.plans == nil {
		c.plans = map[index.ID]*plan.Plan{}
	}
	c.plans[row.Indicator] = p
	c.report.Indicators++
	c.report.Patterns++
	if p.Scan {
		c.report.Scans++
	}
	return nil
}

// unfit says why an indicator must not fire, whatever its pattern is.
func (c *Compiler) unfit(in indicator) (reason, group string) {
	switch {
	case in.object.Revoked:
		return "it is revoked", "revoked"
	case in.patternType != "" && in.patternType != "stix":
		return "its pattern is of type " + in.patternType, "pattern"
	case !in.until.IsZero() && !in.until.After(in.from):
		return "valid_until is not after valid_from", "unreadable"
	case !c.Now.IsZero() && !in.until.IsZero() && !in.until.After(c.Now):
		return "it is no longer valid", "expired"
	}
	return "", ""
}

package node

import (
	"context"
	"time"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/exchange/convert"
	"github.com/mithaq/mithaq/internal/exchange/misp"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/foreign"
	"github.com/mithaq/mithaq/stix"
)

// MaxFile bounds a file that is published, in bytes: a list becomes several records.
const MaxFile = foreign.MaxFile

// File is a file that somebody wants to publish. What the draft says holds for every record of it.
type File struct {
	Name     string // becomes part of the identifiers of a list's indicators
	Content  []byte
	Draft    Draft
	Unmarked string            // TLP of MISP events that bear no marking; empty: what holds for records without one
	Format   string            // one of convert.Formats; empty: by what is in the file
	Columns  map[string]string // of a table: what a column holds, by its name or number
	Orgs     map[string]string // of MISP: party ids by names or UUIDs of organisations of sharing groups
}

// FileTarget is where files are published: a *Node, or the API's client.
type FileTarget interface {
	PublishFile(ctx context.Context, log string, f File) (FilePublished, error)
	Carriers(ctx context.Context, id string) ([]Carrier, error)
}

// FilePart is what becomes one record of a file.
type FilePart struct {
	Title   string `json:"title,omitempty" doc:"Of a MISP event"`
	Objects int    `json:"objects" doc:"STIX objects in it"`
	Already bool   `json:"already,omitempty" doc:"This version of the event is here already and is not published again"`
}

// FilePreview is what a file in any of the formats that are read would become, and who would get it.
type FilePreview struct {
	Format  string          `json:"format" enum:"stix,misp,misp-galaxy,csv,text"`
	Parts   []FilePart      `json:"parts" doc:"One for each record"`
	Report  exchange.Report `json:"report" doc:"What was read, and what could not be carried"`
	Preview Preview         `json:"preview" doc:"Who would get the records"`
}

// FileRefusal is a part of a file that was not published.
type FileRefusal struct {
	Title string `json:"title,omitempty" doc:"Of a MISP event"`
	Why   string `json:"why"`
}

// FilePublished is what a file has become.
type FilePublished struct {
	Format   string          `json:"format" enum:"stix,misp,misp-galaxy,csv,text"`
	Receipts []Receipt       `json:"receipts"`
	Already  int             `json:"already" doc:"Events that were here in this version"`
	Refused  []FileRefusal   `json:"refused,omitempty" doc:"Parts that could not be published; the others were"`
	Report   exchange.Report `json:"report"`
}

// PreviewFile reads a file and says what would become of it. Nothing is signed.
func (n *Node) PreviewFile(ctx context.Context, log string, f File) (FilePreview, error) {
	out := FilePreview{Parts: []FilePart{}}
	first := true
	err := n.readFile(f, &out.Format, &out.Report, func(b convert.Bundle, d Draft) error {
		part := FilePart{}
		if bundle, err := stix.Parse(b.STIX); err == nil {
			part.Objects = len(bundle.Objects)
		}
		var err error
		if b.Event != nil {
			part.Title = b.Title
			if part.Already, err = n.eventHere(ctx, *b.Event); err != nil {
				return err
			}
			if b.Event.Group != nil && len(d.Parties)+len(d.Persons) == 0 {
				if d.Parties, err = n.audienceOfGroup(ctx, log, d, b.Event.Group, f.Orgs, &out.Report); err != nil {
					return err
				}
			}
		}
		out.Parts = append(out.Parts, part)
		p, err := n.Preview(ctx, log, d)
		if err != nil {
			return err
		}
		if first {
			out.Preview, first = p, false
			return nil
		}
		out.Preview.join(p)
		return nil
	})
	return out, err
}

// join adds the preview of another record of the same file: somebody gets the file who gets any record of it.
func (p *Preview) join(other Preview) {
	p.Warnings = append(p.Warnings, other.Warnings[:min(len(other.Warnings), maxWarnings-min(maxWarnings, len(p.Warnings)))]...)
	p.Sealed = p.Sealed && other.Sealed
	at := map[string]int{}
	for i, r := range p.Recipients {
		at[r.Party] = i
	}
	for _, r := range other.Recipients {
		if i, ok := at[r.Party]; ok && r.Gets && !p.Recipients[i].Gets {
			p.Recipients[i] = r
		}
	}
}

// PublishFile publishes what a file becomes, record by record. A MISP event whose version is here is passed over, so that a
// file can be sent again after a fault. Of a file that becomes several records, one that cannot be published is reported and
// does not stop the others.
func (n *Node) PublishFile(ctx context.Context, log string, f File) (FilePublished, error) {
	out := FilePublished{Receipts: []Receipt{}}
	var refused error
	err := n.readFile(f, &out.Format, &out.Report, func(b convert.Bundle, d Draft) error {
		var receipts []Receipt
		var err error
		if b.Event == nil {
			var r Receipt
			if r, err = n.Publish(ctx, log, d); err == nil {
				receipts = []Receipt{r}
			}
		} else {
			var already bool
			receipts, already, err = n.publishEvent(ctx, log, d, *b.Event, f.Orgs, &out.Report)
			if already {
				out.Already++
			}
		}
		out.Receipts = append(out.Receipts, receipts...)
		if code := fault.CodeOf(err); code == fault.Invalid || code == fault.Conflict {
			refused = err
			out.Refused = append(out.Refused, FileRefusal{Title: b.Title, Why: err.Error()})
			return nil
		}
		return err
	})
	switch nothing := len(out.Receipts)+out.Already == 0; {
	case err != nil && !nothing: // what was published is told
		out.Refused, err = append(out.Refused, FileRefusal{Why: "the rest was not published: " + err.Error()}), nil
	case err == nil && nothing && len(out.Refused) == 1:
		err = refused // there was nothing else in it
	}
	return out, err
}

// readFile hands out a file's records as drafts.
func (n *Node) readFile(f File, format *string, report *exchange.Report, take func(convert.Bundle, Draft) error) error {
	options := n.fileOptions(f.Name)
	options.Format, options.Columns = f.Format, f.Columns
	read, lost, err := convert.Read(f.Content, options, func(b convert.Bundle) error {
		d := f.Draft
		d.Kind, d.Body = "intel", b.STIX
		if d.TLP == "" && b.Event != nil {
			if d.TLP = b.Event.TLP.String(); b.Event.TLP == stix.TLPNone {
				d.TLP = f.Unmarked
			}
		}
		return take(b, d)
	})
	*format = read
	report.Join("", lost)
	if err != nil && fault.CodeOf(err) == "" {
		return &fault.Fault{Code: fault.Invalid, What: "reading the file", Err: err, Remedy: "send a STIX bundle, MISP events, a MISP galaxy, a table or a list of values"}
	}
	return err
}

// fileOptions is how this node reads files of other programs: it knows which tags there are.
func (n *Node) fileOptions(name string) convert.Options {
	return convert.Options{Name: name, Time: n.now().UTC().Truncate(time.Second), MISP: misp.ToOptions{Tag: n.wrongTag}}
}

// wrongTag says what is wrong with a tag of a taxonomy that is known here.
func (n *Node) wrongTag(name string) error {
	f, err := n.facts()
	if err != nil {
		return err
	}
	_, _, err = f.Tag(name)
	return err
}

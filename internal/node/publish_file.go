package node

import (
	"context"
	"errors"
	"time"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/exchange/convert"
	"github.com/mithaq/mithaq/stix"
)

// FilePart is what becomes one record of a file.
type FilePart struct {
	Title   string `json:"title,omitempty" doc:"Of a MISP event"`
	Objects int    `json:"objects" doc:"STIX objects in it"`
	Already bool   `json:"already,omitempty" doc:"This version of the event is here already and is not published again"`
}

// FilePreview is what a file in any of the formats that are read would become, and who would get it.
type FilePreview struct {
	Format  string          `json:"format" enum:"stix,misp,csv,text"`
	Parts   []FilePart      `json:"parts" doc:"One for each record"`
	Report  exchange.Report `json:"report" doc:"What was read, and what could not be carried"`
	Preview Preview         `json:"preview" doc:"Who would get the records"`
}

// FilePublished is what a file has become.
type FilePublished struct {
	Receipts []Receipt       `json:"receipts"`
	Already  int             `json:"already" doc:"Events that were here in this version"`
	Report   exchange.Report `json:"report"`
}

// File is a file that somebody wants to publish. What the draft says holds for every record of it.
type File struct {
	Name    string // becomes part of the identifiers of a list's indicators
	Content []byte
	Draft   Draft
}

// PreviewFile reads a file and says what would become of it. Nothing is signed.
func (n *Node) PreviewFile(ctx context.Context, log string, f File) (FilePreview, error) {
	out := FilePreview{Parts: []FilePart{}}
	first := true
	err := n.readFile(f, &out.Format, &out.Report, func(b convert.Bundle, d Draft) error {
		part := FilePart{Title: b.Title}
		if bundle, err := stix.Parse(b.STIX); err == nil {
			part.Objects = len(bundle.Objects)
		}
		var err error
		if b.Event != nil {
			if part.Already, err = eventHere(ctx, n, *b.Event); err != nil {
				return err
			}
			if b.Event.Group != nil && len(d.Parties)+len(d.Persons) == 0 {
				if d.Parties, err = audienceOfGroup(ctx, n, log, d, b.Event.Group, nil, &out.Report); err != nil {
					return err
				}
			}
		} else {
			part.Title = ""
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
// file can be sent again after a fault.
func (n *Node) PublishFile(ctx context.Context, log string, f File) (FilePublished, error) {
	out := FilePublished{Receipts: []Receipt{}}
	var format string
	err := n.readFile(f, &format, &out.Report, func(b convert.Bundle, d Draft) error {
		if b.Event == nil {
			r, err := n.Publish(ctx, log, d)
			if err == nil {
				out.Receipts = append(out.Receipts, r)
			}
			return err
		}
		done, err := PublishEvent(ctx, n, log, d, *b.Event, nil)
		switch {
		case err != nil:
			return err
		case done.Already:
			out.Already++
		default:
			out.Receipts = append(append(out.Receipts, done.Receipt), done.Recalled...)
		}
		return nil
	})
	return out, err
}

// readFile hands out a file's records as drafts.
func (n *Node) readFile(f File, format *string, report *exchange.Report, take func(convert.Bundle, Draft) error) error {
	options := convert.Options{Name: f.Name, Time: n.now().UTC().Truncate(time.Second)}
	read, lost, err := convert.Read(f.Content, options, func(b convert.Bundle) error {
		d := f.Draft
		d.Kind, d.Body = "intel", b.STIX
		if d.TLP == "" && b.Event != nil {
			d.TLP = b.Event.TLP.String()
		}
		return take(b, d)
	})
	*format = read
	report.Join("", lost)
	var fault *Fault
	if err != nil && !errors.As(err, &fault) {
		return &Fault{Code: CodeInvalid, What: "reading the file", Err: err, Remedy: "send a STIX bundle, MISP events, a MISP galaxy, a table or a list of values"}
	}
	return err
}

package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

type publishCmd struct {
	dirFlag
	Kind    string   `help:"Kind of record (default: intel for a STIX bundle)." placeholder:"KIND"`
	Log     string   `help:"Log or agreement to publish under." default:"own"`
	TLP     string   `help:"TLP 2.0 label, no laxer than that of any object (default: the strictest in the bundle, else AMBER)." placeholder:"LABEL"`
	PAP     string   `help:"PAP label." placeholder:"LABEL"`
	To      []string `help:"Audience: party ids or officers' key ids." placeholder:"ID"`
	Serves  []string `help:"Commitments that the record serves." placeholder:"LABEL"`
	Ref     []string `help:"References: about|answers|corrects|evidence|replaces:LEAF." placeholder:"REL:LEAF"`
	Expires string   `help:"From when nobody may hand it out (RFC 3339)." placeholder:"TIME"`
	From    string   `help:"Format of the files: stix, misp, misp-galaxy, csv or text (default: by what is in them)." placeholder:"FORMAT"`
	Column  []string `help:"Of a table: what a column holds, by its name or number." placeholder:"COLUMN=TYPE"`
	Org     []string `help:"Of MISP: which party an organisation of a sharing group is, by its name or UUID." placeholder:"NAME=PARTY"`
	Despite bool     `help:"Publish values that are on warning lists all the same." name:"despite-warnings"`
	Preview bool     `help:"Do not publish: print who would get it, and why."`
	Verbose bool     `help:"Name everything that a conversion could not carry." short:"v"`
	JSON    bool     `help:"Print receipts as JSON lines."`
	Files   []string `arg:"" name:"file" help:"STIX bundles, MISP events, tables, lists, or bodies of other kinds, also gzipped; - is standard input."`
}

func (publishCmd) Help() string {
	return `Examples:
  mithaq publish --tlp GREEN --serves 1 indicators.json
  mithaq publish --tlp AMBER --column 2=domain blocked.csv
  mithaq publish misp-event.json

A STIX bundle is kept byte for byte. MISP events and galaxies, tables (CSV) and lists become STIX bundles; what cannot be carried is
reported. Each bundle becomes one record, durable and in a signed checkpoint when its line is printed. A MISP event is
published once in each version, to the parties that its sharing group names.`
}

func (c *publishCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		for _, file := range c.Files {
			if err := c.file(ctx, a, client, file); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
		return nil
	})
}

// file publishes what is in one file.
func (c *publishCmd) file(ctx context.Context, a *app, client *api.Client, file string) error {
	body, err := readInput(a, file)
	if err != nil {
		return err
	}
	d := node.Draft{Kind: c.Kind, TLP: c.TLP, PAP: c.PAP, Serves: c.Serves, Refs: c.Ref, Expires: c.Expires, DespiteWarnings: c.Despite}
	if d.Parties, d.Persons, err = audienceOf(c.To); err != nil {
		return err
	}
	if c.Kind != "" && c.Kind != "intel" {
		d.Body = body
		return c.record(ctx, a, client, file, d)
	}
	f := node.File{Name: filepath.Base(file), Content: body, Draft: d, Format: c.From}
	if f.Columns, err = pairs("--column", c.Column); err != nil {
		return err
	}
	if f.Orgs, err = pairs("--org", c.Org); err != nil {
		return err
	}
	if c.Preview {
		p, err := client.PreviewFile(ctx, c.Log, f)
		if err != nil {
			return err
		}
		if err := c.converted(a, p.Format, p.Report); err != nil {
			return err
		}
		return c.printPreview(a, file, p.Preview)
	}
	out, err := client.PublishFile(ctx, c.Log, f)
	if err != nil {
		return err
	}
	for _, r := range out.Receipts {
		if err := c.printReceipt(a, file, r); err != nil {
			return err
		}
	}
	if out.Already > 0 {
		fmt.Fprintf(a.stderr, "mithaq: %s: this version of the event is published already: %d\n", oneLine(file), out.Already)
	}
	for _, r := range out.Refused {
		fmt.Fprintf(a.stderr, "mithaq: %s: not published: %s\n", oneLine(cmp.Or(r.Title, file)), oneLine(r.Why))
	}
	if err := c.converted(a, out.Format, out.Report); err != nil {
		return err
	}
	if len(out.Refused) > 0 {
		return exitCode(exitNo)
	}
	return nil
}

// converted says what a conversion could not carry.
func (c *publishCmd) converted(a *app, format string, report exchange.Report) error {
	if format == "stix" {
		return nil
	}
	return a.printReport(report, c.Verbose, false)
}

// record publishes, or previews, one record.
func (c *publishCmd) record(ctx context.Context, a *app, client *api.Client, file string, d node.Draft) error {
	if len(d.Body) > maxBody {
		return unreadable{errors.New("larger than 32 MiB, a record's limit: split it")}
	}
	if c.Preview {
		p, err := client.Preview(ctx, c.Log, d)
		if err != nil {
			return err
		}
		return c.printPreview(a, file, p)
	}
	receipt, err := client.Publish(ctx, c.Log, d)
	if err != nil {
		return err
	}
	return c.printReceipt(a, file, receipt)
}

func (c *publishCmd) printReceipt(a *app, file string, receipt node.Receipt) error {
	return a.print(c.JSON, receipt, "%s: %s, place %d of %s, leaf %s\n", file, receipt.Kind, receipt.Index, receipt.Log, receipt.Leaf)
}

// pairs reads flags of the form NAME=VALUE.
func pairs(flag string, list []string) (map[string]string, error) {
	out := map[string]string{}
	for _, one := range list {
		i := strings.LastIndexByte(one, '=')
		if i < 1 || i == len(one)-1 {
			return nil, &fault.Fault{Code: fault.Invalid, What: fmt.Sprintf("%s %s is not NAME=VALUE", flag, one)}
		}
		out[strings.ToLower(one[:i])] = one[i+1:]
	}
	return out, nil
}

// printPreview prints who would get what is in a file, one line for each party that the node knows.
func (c *publishCmd) printPreview(a *app, file string, p node.Preview) error {
	if c.JSON {
		return printJSON(a, p)
	}
	fmt.Fprintf(a.stdout, "%s: %s\n", file, p.TLP)
	for _, w := range p.Warnings {
		fmt.Fprintf(a.stdout, "  %s is on the warning list %q\n", oneLine(w.Value), oneLine(w.List))
	}
	for _, r := range p.Recipients {
		fmt.Fprintf(a.stdout, "  %s\n", recipientLine(r))
	}
	return nil
}

func recipientLine(r node.RecipientView) string {
	gets := "does not get it"
	if r.Gets {
		gets = "gets it"
	}
	why := r.Why["en"]
	if len(why) > 0 {
		why = why[1:] // the first line repeats the answer
	}
	return fmt.Sprintf("%s %s: %s", r.Names["en"], gets, strings.Join(why, "; "))
}

// maxInput bounds an input file after decompression: a list may be longer than a record. maxBody bounds a record's body.
const (
	maxInput = node.MaxFile
	maxBody  = 32 << 20
)

// readInput reads a file or, for "-", standard input; gzip is undone.
func readInput(a *app, file string) ([]byte, error) {
	in := a.stdin
	if file != "-" {
		f, err := os.Open(file) // #nosec G304 -- the user names the file
		if err != nil {
			return nil, unreadable{err}
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	data, err := readBounded(in)
	if err != nil || !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		return data, err
	}
	zr, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, unreadable{fmt.Errorf("reading gzip: %w", err)}
	}
	return readBounded(zr)
}

func readBounded(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err != nil {
		return nil, unreadable{err}
	}
	if len(data) > maxInput {
		return nil, unreadable{errors.New("larger than 256 MiB: split it")}
	}
	return data, nil
}

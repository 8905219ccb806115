package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/node"
)

type publishCmd struct {
	dirFlag
	Kind    string   `help:"Kind of record (default: intel for a STIX bundle)." placeholder:"KIND"`
	Log     string   `help:"Log or agreement to publish under." default:"own"`
	TLP     string   `help:"TLP 2.0 label (default: the strictest in the bundle, else AMBER)." placeholder:"LABEL"`
	PAP     string   `help:"PAP label." placeholder:"LABEL"`
	To      []string `help:"Audience: party ids or officers' key ids." placeholder:"ID"`
	Serves  []string `help:"Commitments that the record serves." placeholder:"LABEL"`
	Ref     []string `help:"References: about|answers|corrects|evidence|replaces:LEAF." placeholder:"REL:LEAF"`
	Expires string   `help:"From when nobody may hand it out (RFC 3339)." placeholder:"TIME"`
	Preview bool     `help:"Do not publish: print who would get it, and why."`
	JSON    bool     `help:"Print receipts as JSON lines."`
	Files   []string `arg:"" name:"file" help:"STIX bundles or bodies of other kinds, also gzipped; - is standard input."`
}

func (publishCmd) Help() string {
	return `Example: mithaq publish --tlp GREEN --serves 1 indicators.json

A bundle is kept byte for byte. Each file becomes one record, durable and in a signed checkpoint when its line is printed.`
}

func (c *publishCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		for _, file := range c.Files {
			if c.Preview {
				if err := c.preview(ctx, a, client, file); err != nil {
					return fmt.Errorf("previewing %s: %w", file, err)
				}
				continue
			}
			receipt, err := c.publish(ctx, a, client, file)
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			if c.JSON {
				if err := json.NewEncoder(a.stdout).Encode(receipt); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintf(a.stdout, "%s: %s, place %d of %s, leaf %s\n", file, receipt.Kind, receipt.Index, receipt.Log, receipt.Leaf)
		}
		return nil
	})
}

func (c *publishCmd) publish(ctx context.Context, a *app, client *api.Client, file string) (node.Receipt, error) {
	d, err := c.draft(a, file)
	if err != nil {
		return node.Receipt{}, err
	}
	return client.Publish(ctx, c.Log, d)
}

func (c *publishCmd) draft(a *app, file string) (node.Draft, error) {
	body, err := readInput(a, file)
	if err != nil {
		return node.Draft{}, err
	}
	d := node.Draft{Kind: c.Kind, TLP: c.TLP, PAP: c.PAP, Serves: c.Serves, Refs: c.Ref, Expires: c.Expires, Body: body}
	if d.Kind == "" {
		d.Kind = "intel"
	}
	d.Parties, d.Persons, err = audienceOf(c.To)
	return d, err
}

// preview prints who would get a record, one line for each party that the node knows.
func (c *publishCmd) preview(ctx context.Context, a *app, client *api.Client, file string) error {
	d, err := c.draft(a, file)
	if err != nil {
		return err
	}
	p, err := client.Preview(ctx, c.Log, d)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a, p)
	}
	fmt.Fprintf(a.stdout, "%s: %s\n", file, p.TLP)
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

// maxInput bounds an input file after decompression.
const maxInput = 32 << 20

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
		return nil, unreadable{errors.New("larger than 32 MiB, a record's limit: split it")}
	}
	return data, nil
}

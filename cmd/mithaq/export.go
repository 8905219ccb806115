package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/node"
)

type exportCmd struct {
	dirFlag
	Format    string   `help:"stix, csv, misp, misp-feed, suricata, suricata-datasets, zeek, rpz, cef or ecs." required:"" placeholder:"FORMAT"`
	Agreement []string `help:"Agreements: ids, labels, or own (default: all under which this node has a log)." placeholder:"ID"`
	For       string   `help:"What this party would get, instead of what this node has." placeholder:"PARTY"`
	Out       string   `help:"File to write; of suricata-datasets and misp-feed a folder (default: standard output)." placeholder:"PATH" short:"o"`
	Zone      string   `help:"Of rpz: the zone's name." placeholder:"NAME"`
	Action    string   `help:"Of rpz: nxdomain, nodata, drop or passthru." placeholder:"ACTION"`
	SIDs      string   `help:"Of suricata: the range of rule ids (default: 1000000-1999999)." name:"sids" placeholder:"FIRST-LAST"`
	Verbose   bool     `help:"Name everything that the format could not carry." short:"v"`
	JSON      bool     `help:"Print the report on standard error as JSON." name:"json-report"`
}

func (exportCmd) Help() string {
	return `Examples:
  mithaq export --format stix --agreement sahlan-norvia > shared.json
  mithaq export --format suricata-datasets --out /etc/suricata/rules
  mithaq export --format rpz --zone rpz.example --out rpz.zone

Every object is decided on: what its marking, a recall or the agreement keeps back is not there. Rules and lists are for
watching, a zone is for blocking: what PAP does not allow for that stays out. What the format cannot carry is reported.`
}

func (c *exportCmd) Run(ctx context.Context, a *app) error {
	folder := c.Format == "suricata-datasets" || c.Format == "misp-feed"
	q := node.ExportQuery{Format: c.Format, Agreements: c.Agreement, Zone: c.Zone, Action: c.Action, SIDs: c.SIDs, Version: version()}
	// Not to write: so that what was published last is indexed first.
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		if c.Out == "" {
			report, err := client.Export(ctx, q, c.For, a.stdout)
			if err != nil {
				return err
			}
			return a.printReport(report, c.Verbose, c.JSON)
		}
		var report exchange.Report
		var err error
		if folder {
			var archive bytes.Buffer
			if report, err = client.Export(ctx, q, c.For, &archive); err == nil {
				err = unpack(&archive, c.Out)
			}
		} else {
			report, err = exportTo(ctx, client, q, c.For, c.Out)
		}
		if err != nil {
			return err
		}
		return a.printReport(report, c.Verbose, c.JSON)
	})
}

// exportTo writes a file that is whole or not there.
func exportTo(ctx context.Context, client *api.Client, q node.ExportQuery, party, path string) (report exchange.Report, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return report, fmt.Errorf("writing %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	report, err = client.Export(ctx, q, party, f)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return report, err
	}
	return report, os.Rename(f.Name(), path)
}

// unpack writes an archive's files into a folder. Only plain names are taken, whoever made the archive.
func unpack(r io.Reader, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { // #nosec G301 -- what is exported is for other programs to read
		return fmt.Errorf("writing %s: %w", dir, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("writing %s: %w", dir, err)
	}
	defer func() { _ = root.Close() }()
	for archive := tar.NewReader(r); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the export: %w", err)
		}
		if h.Name != filepath.Base(h.Name) || strings.HasPrefix(h.Name, ".") {
			return fmt.Errorf("reading the export: %q is no plain name", h.Name)
		}
		b, err := io.ReadAll(archive)
		if err != nil {
			return fmt.Errorf("reading the export: %w", err)
		}
		if err := root.WriteFile(h.Name, b, 0o644); err != nil {
			return fmt.Errorf("writing %s: %w", h.Name, err)
		}
	}
}

// shownLosses is how many losses a person is told without asking for more.
const shownLosses = 10

// printReport tells on standard error what became of a conversion.
func (a *app) printReport(r exchange.Report, verbose, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(a.stderr).Encode(r)
	}
	fmt.Fprintf(a.stderr, "mithaq: %d read, %d written", r.Read, r.Made)
	if r.Lost() == 0 {
		fmt.Fprintln(a.stderr)
		return nil
	}
	fmt.Fprintf(a.stderr, ", %d to know of:\n", r.Lost())
	shown := len(r.Losses)
	if !verbose {
		shown = min(shown, shownLosses)
	}
	for _, l := range r.Losses[:shown] {
		fmt.Fprintf(a.stderr, "  %s: %s\n", oneLine(l.Place), oneLine(l.Why))
	}
	if more := r.Lost() - shown; more > 0 {
		fmt.Fprintf(a.stderr, "  and %d more\n", more)
	}
	return nil
}

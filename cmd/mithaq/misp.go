package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/exchange/misp"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/foreign"
	"github.com/mithaq/mithaq/internal/node"
)

type mispCmd struct {
	Pull mispPullCmd `cmd:"" help:"Bring the events of a MISP feed in, each version of an event once."`
}

type mispPullCmd struct {
	dirFlag
	Log     string   `help:"Log or agreement to publish under." default:"own"`
	TLP     string   `help:"TLP 2.0 label of every record (default: each event's own, else AMBER)." placeholder:"LABEL"`
	PAP     string   `help:"PAP label of every record (default: each event's own)." placeholder:"LABEL"`
	To      []string `help:"Audience: party ids or officers' key ids (default: each event's sharing group)." placeholder:"ID"`
	Org     []string `help:"Which party an organisation of a sharing group is, by its name or UUID." placeholder:"NAME=PARTY"`
	Serves  []string `help:"Commitments that the records serve." placeholder:"LABEL"`
	Since   string   `help:"Pass over events that were changed before (RFC 3339)." placeholder:"TIME"`
	Key     string   `help:"File with the key that the server wants." name:"key-file" placeholder:"FILE"`
	Despite bool     `help:"Publish values that are on warning lists all the same." name:"despite-warnings"`
	Verbose bool     `help:"Name everything that could not be carried." short:"v"`
	JSON    bool     `help:"Print what was done as JSON."`
	Feed    string   `arg:"" help:"Address or folder of the feed: where its manifest.json (or hashes.csv) is."`
}

func (mispPullCmd) Help() string {
	return `Examples:
  mithaq misp pull https://feed.example/misp/ --log sahlan-norvia
  mithaq misp pull ./feed

A pull that is broken off goes on where it was when it is run again; events that are here are not fetched. What a newer
version of an event says is deleted is recalled.`
}

func (c *mispPullCmd) Run(ctx context.Context, a *app) error {
	pull := node.MISPPull{Log: c.Log, Base: node.Draft{TLP: c.TLP, PAP: c.PAP, Serves: c.Serves, DespiteWarnings: c.Despite}}
	var err error
	if pull.Base.Parties, pull.Base.Persons, err = audienceOf(c.To); err != nil {
		return err
	}
	if pull.Orgs, err = pairs("--org", c.Org); err != nil {
		return err
	}
	if c.Since != "" {
		if pull.Since, err = time.Parse(time.RFC3339, c.Since); err != nil {
			return &fault.Fault{Code: fault.Invalid, What: fmt.Sprintf("--since %s is not a time", c.Since), Remedy: "write it as 2026-01-31T00:00:00Z"}
		}
	}
	feed, done, err := c.open()
	if err != nil {
		return err
	}
	defer done()
	if !c.JSON {
		pull.Outcome = func(e misp.Entry, receipts []node.Receipt) {
			fmt.Fprintf(a.stdout, "%s: %s, place %d of %s\n", e.UUID, oneLine(e.Info), receipts[0].Index, receipts[0].Log)
			for _, r := range receipts[1:] {
				fmt.Fprintf(a.stdout, "%s: %s, place %d of %s\n", e.UUID, r.Kind, r.Index, r.Log)
			}
		}
	}
	pull.Progress = a.progress("events")
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		pulled, err := node.PullMISP(ctx, client, feed, pull)
		if err != nil {
			return fmt.Errorf("pulling %s: %w: run it again to go on", c.Feed, err)
		}
		if c.JSON {
			return printJSON(a, pulled)
		}
		fmt.Fprintf(a.stderr, "mithaq: %d events: %d published, %d here already, %d refused, %d recalls\n", pulled.Events, pulled.Published, pulled.Already, pulled.Refused, pulled.Recalled)
		if pulled.Report.Lost() > 0 {
			if err := a.printReport(pulled.Report, c.Verbose, false); err != nil {
				return err
			}
		}
		if pulled.Refused > 0 {
			return exitCode(exitNo)
		}
		return nil
	})
}

// open opens the feed, in a folder or over HTTP.
func (c *mispPullCmd) open() (feed foreign.MISP, done func(), err error) {
	if !strings.HasPrefix(c.Feed, "http://") && !strings.HasPrefix(c.Feed, "https://") {
		root, err := os.OpenRoot(c.Feed)
		if err != nil {
			return nil, nil, unreadable{err}
		}
		return foreign.MISPFolder(root), func() { _ = root.Close() }, nil
	}
	key := ""
	if c.Key != "" {
		b, err := readFile(c.Key)
		if err != nil {
			return nil, nil, err
		}
		key = strings.TrimSpace(string(b))
	}
	feed, err = foreign.MISPOverHTTP(c.Feed, key)
	return feed, func() {}, err
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/foreign"
	"github.com/mithaq/mithaq/internal/node"
	"github.com/mithaq/mithaq/stix"
	"github.com/mithaq/mithaq/taxii"
)

type taxiiCmd struct {
	Collections taxiiCollectionsCmd `cmd:"" help:"List the collections of this node, or of another TAXII server."`
	Pull        taxiiPullCmd        `cmd:"" help:"Bring what is new in a foreign collection into this party's log."`
	Push        taxiiPushCmd        `cmd:"" help:"Send STIX files to a foreign collection."`
	Feeds       taxiiFeedsCmd       `cmd:"" help:"List the feeds of the configuration and their last runs."`
}

// foreignFlags say how a foreign TAXII server is reached.
type foreignFlags struct {
	Collection string `help:"Id, alias or title of the collection; not needed where there is only one, or where the URL is a collection's." placeholder:"ID"`
	User       string `help:"User name for Basic; without it the secret is a bearer token." placeholder:"NAME"`
	SecretFile string `help:"File with the password or token; - is standard input." placeholder:"FILE"`
}

func (f foreignFlags) secret(a *app) (string, error) {
	if f.SecretFile == "" {
		return "", nil
	}
	data, err := readInput(a, f.SecretFile)
	return strings.TrimSpace(string(data)), err
}

func (f foreignFlags) client(a *app, url string) (*taxii.Client, error) {
	secret, err := f.secret(a)
	if err != nil {
		return nil, err
	}
	o := taxii.ClientOptions{}
	switch {
	case f.User != "":
		o.Authorize = taxii.BasicCredentials(f.User, secret)
	case secret != "":
		o.Authorize = taxii.BearerCredentials(secret)
	}
	client, err := taxii.NewClient(url, o)
	if err != nil {
		return nil, &fault.Fault{Code: fault.Invalid, What: "reaching the server", Err: err}
	}
	return client, nil
}

type taxiiCollectionsCmd struct {
	dirFlag
	foreignFlags
	JSON bool   `help:"Print as JSON."`
	URL  string `arg:"" optional:"" help:"Discovery or API root of another server; without it, this node's own collections."`
}

func (taxiiCollectionsCmd) Help() string {
	return `Examples:
  mithaq taxii collections
  mithaq taxii collections https://partner.example/taxii2/ --user us --secret-file partner.secret

Without a URL it prints this node's collections with what a TAXII client needs to know.`
}

func (c *taxiiCollectionsCmd) Run(ctx context.Context, a *app) error {
	if c.URL != "" {
		client, err := c.client(a, c.URL)
		if err != nil {
			return err
		}
		list, err := foreign.Collections(ctx, client, c.URL)
		if err != nil {
			return err
		}
		return c.print(a, list)
	}
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		list, err := client.TAXIICollections(ctx)
		if err != nil {
			return err
		}
		if err := c.print(a, list); err != nil || c.JSON {
			return err
		}
		logs, err := client.Logs(ctx)
		if err != nil || len(logs) == 0 {
			return err
		}
		base, _, _ := strings.Cut(logs[0].URL, "/log/")
		fmt.Fprintf(a.stdout, "discovery  %s/taxii2/  password: a token of 'mithaq token create --name NAME --scope read'\n", base)
		return nil
	})
}

func (c *taxiiCollectionsCmd) print(a *app, list []taxii.Collection) error {
	if c.JSON {
		return json.NewEncoder(a.stdout).Encode(list)
	}
	for _, one := range list {
		rights := ""
		if one.CanRead {
			rights += "r"
		}
		if one.CanWrite {
			rights += "w"
		}
		fmt.Fprintf(a.stdout, "%s  %-2s  %s  %s\n", one.ID, rights, oneLine(one.Alias), oneLine(one.Title))
	}
	return nil
}

type taxiiPullCmd struct {
	dirFlag
	foreignFlags
	Name      string   `help:"Under which how far it was read is kept (default: one that follows from the collection)." placeholder:"NAME"`
	Agreement string   `help:"Publish under this agreement: its id, its label, or own." default:"own" placeholder:"ID"`
	TLP       string   `name:"tlp" help:"Marking of objects that bear none." placeholder:"LABEL"`
	Type      []string `help:"STIX types; without it all." placeholder:"TYPE"`
	Since     string   `help:"Leave out what was added before this time (RFC 3339)." placeholder:"TIME"`
	JSON      bool     `help:"Print the report as JSON."`
	URL       string   `arg:"" help:"Discovery, API root or collection of a TAXII 2.1 server."`
}

func (taxiiPullCmd) Help() string {
	return `Example: mithaq taxii pull https://partner.example/taxii2/ --collection Indicators --user us --secret-file partner.secret --tlp GREEN

What it brings is signed and published in this party's log, each object once, however often it is run; it goes on where it
was. 'feeds' in mithaq.toml does the same on a schedule. Exit code 1: some objects were refused; the report names them.`
}

func (c *taxiiPullCmd) Run(ctx context.Context, a *app) error {
	secret, err := c.secret(a)
	if err != nil {
		return err
	}
	request := node.PullRequest{Name: c.Name, URL: c.URL, Collection: c.Collection, Agreement: c.Agreement, TLP: c.TLP, User: c.User, Secret: secret,
		Types: c.Type, Since: c.Since}
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		var all node.PullReport
		show := a.progress("pulling")
		for !all.Done {
			r, err := client.Pull(ctx, request)
			if err != nil {
				return err
			}
			r.Received, r.Taken, r.Refused = r.Received+all.Received, r.Taken+all.Taken, r.Refused+all.Refused
			r.Failures, r.Gaps = append(all.Failures, r.Failures...), append(all.Gaps, r.Gaps...)
			all = r
			if show != nil {
				show(int64(all.Received), -1)
			}
		}
		return c.report(a, all)
	})
}

func (c *taxiiPullCmd) report(a *app, r node.PullReport) error {
	if c.JSON {
		if err := json.NewEncoder(a.stdout).Encode(r); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(a.stdout, "received %d new objects, took %d, refused %d\n", r.Received, r.Taken, r.Refused)
		a.printFailures(r.Failures)
		for _, gap := range r.Gaps {
			fmt.Fprintln(a.stderr, "mithaq:", oneLine(gap))
		}
	}
	if r.Refused > 0 {
		return exitCode(exitNo)
	}
	return nil
}

func (a *app) printFailures(failures []taxii.StatusDetail) {
	for _, f := range failures {
		fmt.Fprintf(a.stderr, "refused %s %s: %s\n", oneLine(f.ID), oneLine(f.Version), oneLine(f.Message))
	}
}

type taxiiPushCmd struct {
	foreignFlags
	JSON  bool     `help:"Print the report as JSON."`
	URL   string   `arg:"" help:"Discovery, API root or collection of a TAXII 2.1 server."`
	Files []string `arg:"" name:"file" help:"Bundles or single objects, also gzipped; - is standard input."`
}

func (taxiiPushCmd) Help() string {
	return `Example: mithaq taxii push https://partner.example/taxii2/ --collection Inbox --secret-file partner.secret bundle.json

Objects go as the bytes that stand in the files. Exit code 0: the server took all; 1: it refused some; 2: a file cannot be read.`
}

func (c *taxiiPushCmd) Run(ctx context.Context, a *app) error {
	client, err := c.client(a, c.URL)
	if err != nil {
		return err
	}
	var objects [][]byte
	for _, file := range c.Files {
		data, err := readInput(a, file)
		if err != nil {
			return err
		}
		bundle, err := stix.Parse(data)
		if err != nil {
			return unreadable{fmt.Errorf("reading %s: %w", file, err)}
		}
		for _, o := range bundle.Objects {
			objects = append(objects, o.Raw)
		}
	}
	collection, err := foreign.FindCollection(ctx, client, c.URL, c.Collection, foreign.ToWrite)
	if err != nil {
		return err
	}
	report, err := client.Push(ctx, collection, slices.Values(objects), taxii.PushOptions{})
	if err != nil {
		return fmt.Errorf("%w (%d of %d objects were sent)", err, report.Sent, len(objects))
	}
	if c.JSON {
		if err := json.NewEncoder(a.stdout).Encode(report); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(a.stdout, "sent %d objects: %d taken, %d refused, %d pending\n", report.Sent, report.Succeeded, report.Failed, report.Pending)
		a.printFailures(report.Failures)
	}
	if report.Failed > 0 {
		return exitCode(exitNo)
	}
	return nil
}

type taxiiFeedsCmd struct {
	dirFlag
	JSON bool `help:"Print as JSON."`
}

func (c *taxiiFeedsCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		list, err := client.Feeds(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(a.stdout).Encode(list)
		}
		for _, f := range list {
			last := "not read yet"
			if !f.Last.At.IsZero() {
				last = fmt.Sprintf("last read %s, %d taken, %d refused", f.Last.At.Format("2006-01-02 15:04"), f.Last.Taken, f.Last.Refused)
			}
			if f.Last.Lost > 0 {
				last += fmt.Sprintf(", %d not carried", f.Last.Lost)
			}
			if f.Last.Error != "" {
				last += ": " + oneLine(f.Last.Error)
			}
			fmt.Fprintf(a.stdout, "%s  %s  every %s  %s  %s\n", f.Name, f.Kind, f.Every, f.URL, last)
		}
		return nil
	})
}

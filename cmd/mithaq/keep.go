package main

import (
	"context"
	"errors"
	"strings"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

type backupCmd struct {
	dirFlag
	Out  string `arg:"" help:"File to write; it must not exist."`
	JSON bool   `help:"Print what the backup holds as JSON."`
}

func (backupCmd) Help() string {
	return `Example: mithaq backup /media/disk/sahlan-2026-11-22.mithaq

Works while the node runs. The keys in it stay encrypted; what opens them is not in it: keep that elsewhere.`
}

func (c *backupCmd) Run(ctx context.Context, a *app) error {
	dir, err := c.path(a)
	if err != nil {
		return err
	}
	summary, err := node.Backup(ctx, dir, c.Out, a.progress("backing up"))
	if err != nil {
		return err
	}
	return a.print(c.JSON, summary, "%s: %d logs, %d leaves, %d bytes\n", c.Out, summary.Logs, summary.Leaves, summary.Bytes)
}

type restoreCmd struct {
	dirFlag
	Archive   string   `arg:"" optional:"" help:"Backup to restore into DIR, which must be empty or missing. Without it: settle a node that says it is behind."`
	Ask       []string `help:"Hosts that followed this node's logs (default: followers in the configuration)." placeholder:"URL"`
	Token     []string `help:"Bearer token for a host that is asked; with several hosts say for which: URL=TOKEN. A host without one is asked with a signed request." placeholder:"[URL=]TOKEN" env:"MITHAQ_TOKEN" sep:"none"`
	Erasures  string   `help:"An erasures journal newer than the backup, to be replayed." placeholder:"FILE"`
	Successor bool     `help:"Where nobody can say how far a log had grown: end it and open a successor under the root key."`
	Root      string   `help:"The root key's file, for --successor (default: root.age in DIR)." placeholder:"FILE"`
	JSON      bool     `help:"Print what became of each log as JSON lines."`
}

func (restoreCmd) Help() string {
	return `Examples:
  mithaq restore sahlan.mithaq --dir /var/lib/mithaq --ask https://norvia.example
  mithaq restore sahlan.mithaq --dir /var/lib/mithaq --successor --root /media/stick/root.age

A backup may be older than what others have seen. Signing again from there would fork the log and look like fraud, so a
restored log signs nothing until somebody who followed it has said how far it had grown, or a successor log is opened.`
}

func (c *restoreCmd) Run(ctx context.Context, a *app) error {
	dir, err := c.path(a)
	if err != nil {
		return err
	}
	tokens, err := c.tokens()
	if err != nil {
		return err
	}
	outcome, err := node.Restore(ctx, dir, node.RestoreOptions{
		Archive: c.Archive, Ask: c.Ask, Tokens: tokens, Progress: a.progress, Erasures: c.Erasures, Successor: c.Successor, Root: c.Root,
		Secret: a.secret(dir), RootSecret: a.rootSecret(), Logger: a.logger(defaultLevel, "text"),
	})
	for _, l := range outcome {
		err = errors.Join(err, a.print(c.JSON, l, "%s: %s\n", l.Log, l.What))
	}
	return err
}

// tokens says which host each token is for. One that names none is for the one host that is asked: it must not go to others.
func (c *restoreCmd) tokens() (map[string]string, error) {
	tokens := map[string]string{}
	for _, t := range c.Token {
		host, token, named := strings.Cut(t, "=")
		switch {
		case named && (strings.HasPrefix(host, "http://") || strings.HasPrefix(host, "https://")) && token != "":
			tokens[host] = token
		case len(c.Ask) == 1 && len(c.Token) == 1:
			tokens[c.Ask[0]] = t
		default:
			return nil, &fault.Fault{Code: fault.Invalid, What: "restoring: it is not said which host a token is for, and it must go to no other", Remedy: "give --token URL=TOKEN"}
		}
	}
	return tokens, nil
}

type eraseCmd struct {
	dirFlag
	Ref    string `arg:"" help:"Place, leaf hash or object hash."`
	Reason string `help:"error, source, legal or other." enum:"error,source,legal,other" required:""`
	Note   string `help:"A sentence for the log, in English." placeholder:"TEXT"`
	JSON   bool   `help:"Print the recall's receipt as JSON."`
}

func (eraseCmd) Help() string {
	return `Example: mithaq erase 12 --reason legal --note "personal data sent by mistake"

The contents are destroyed here and a recall in the log asks every holder to do the same. The leaf stays: that something
was said, when, and that it was erased, remains provable. Backups made before keep it until they are restored, when the erasure is replayed.`
}

func (c *eraseCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		place, err := resolve(ctx, client, c.Ref)
		if err != nil {
			return err
		}
		receipt, err := client.Erase(ctx, place.Log, place.Index, node.Erasure{Reason: c.Reason, Note: c.Note})
		if err != nil {
			return err
		}
		return a.print(c.JSON, receipt, "erased place %d of %s; the recall stands at place %d\n", place.Index, place.Log, receipt.Index)
	})
}

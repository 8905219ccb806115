package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

type logEvidenceCmd struct {
	dirFlag
	ID      string `arg:"" optional:"" help:"Id of a proof. Without it all are listed."`
	Out     string `short:"o" help:"Write the proof to this file." placeholder:"FILE"`
	Publish bool   `help:"Let the members who may follow the log see it. A bad restore is no crime: ask the author first."`
	JSON    bool   `help:"Print as JSON."`
}

func (logEvidenceCmd) Help() string {
	return `Examples:
  mithaq log evidence
  mithaq log evidence 3f2a… -o fork.evidence
  mithaq log verify --evidence fork.evidence

A proof says that a log's own key signed two histories. It does not say who did it, or why. It stays on this node until
somebody publishes it.`
}

func (c *logEvidenceCmd) Run(ctx context.Context, a *app) error {
	access := accessRead
	if c.Publish {
		access = accessWrite
	}
	return a.withNode(ctx, c.dirFlag, access, func(client *api.Client) error {
		if c.ID == "" {
			if c.Publish || c.Out != "" {
				return &fault.Fault{Code: fault.Invalid, What: "no proof is named", Remedy: "give its id, as 'mithaq log evidence' lists it"}
			}
			return c.list(ctx, a, client)
		}
		if c.Publish {
			v, err := client.PublishEvidence(ctx, c.ID)
			if err != nil {
				return err
			}
			if err := a.print(c.JSON, v, "published: members of the agreement can see that %s\n", v.Says); err != nil {
				return err
			}
		}
		if c.Publish && c.Out == "" {
			return nil
		}
		file, err := client.EvidenceFile(ctx, c.ID)
		if err != nil {
			return err
		}
		if c.Out == "" {
			_, err = a.stdout.Write(file)
			return err
		}
		return os.WriteFile(c.Out, file, 0o600)
	})
}

func (c *logEvidenceCmd) list(ctx context.Context, a *app, client *api.Client) error {
	all, err := client.Evidences(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(a.stdout).Encode(all)
	}
	for _, v := range all {
		state := "not published"
		if v.Published != nil {
			state = "published on " + v.Published.Format("2006-01-02")
		}
		fmt.Fprintf(a.stdout, "%s  found on %s, %s\n  %s\n", v.ID, v.Found.Format("2006-01-02"), state, v.Says)
	}
	return nil
}

// verifyEvidence checks a proof of two histories, offline: exit code 0 when it proves them, 1 when it proves nothing.
func (c *logVerifyCmd) verifyEvidence(a *app) error {
	file, err := readFile(c.Evidence)
	if err != nil {
		return err
	}
	v, err := node.VerifyEvidence(file)
	if fault.CodeOf(err) == fault.Invalid {
		return unreadable{err}
	}
	if err != nil {
		return fmt.Errorf("%s proves nothing: %w", c.Evidence, err)
	}
	if c.JSON {
		return errors.Join(json.NewEncoder(a.stdout).Encode(struct {
			Proved bool   `json:"proved"`
			Party  string `json:"party"`
			Origin string `json:"origin"`
			Says   string `json:"says"`
		}{true, v.Party, v.Origin, v.String()}))
	}
	fmt.Fprintf(a.stdout, "proved: %s\n  party %s (%s)\nIt does not say who did it, or why: an old backup that was put back and signed on leaves the same proof.\n", v, v.Party, v.Fingerprint)
	return nil
}
